"""Looking at readings in Django's administration; they are changed only through the product, which keeps the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from annotations.models import Assignment, Reading, ReadingRevision

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest

    ModelAdmin = admin.ModelAdmin[Any]
else:
    # Generic for the type checker only.
    ModelAdmin = admin.ModelAdmin


class LookOnly(ModelAdmin):
    """Nothing is added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 Django asks so
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 Django asks so
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 Django asks so
        return False


@admin.register(Assignment)
class AssignmentAdmin(LookOnly):
    list_display = ("case", "reader", "state", "lease_expires_at")
    list_filter = ("state", "case__benchmark")
    list_select_related = ("case", "reader")


@admin.register(Reading)
class ReadingAdmin(LookOnly):
    list_display = ("case", "reader", "arm", "state", "version", "revision", "saved_at")
    list_filter = ("state", "arm", "case__benchmark")
    list_select_related = ("case", "reader")


@admin.register(ReadingRevision)
class ReadingRevisionAdmin(LookOnly):
    list_display = ("reading", "revision", "digest", "submitted_at")
    list_select_related = ("reading__case", "reading__reader")
