"""Looking at readings in Django's administration; they are changed only through the product, which keeps the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q

from annotations.blinding import opened_cases
from annotations.models import Assignment, Reading, ReadingRevision
from curation.access import signed_in

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reading]:
        # Whoever still has to read a case blind does so here too.
        user = signed_in(request)
        return super().get_queryset(request).filter(Q(reader=user) | Q(case__in=opened_cases(user)))


@admin.register(ReadingRevision)
class ReadingRevisionAdmin(LookOnly):
    list_display = ("reading", "revision", "digest", "submitted_at")
    list_select_related = ("reading__case", "reading__reader")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReadingRevision]:
        user = signed_in(request)
        return super().get_queryset(request).filter(Q(reading__reader=user) | Q(reading__case__in=opened_cases(user)))
