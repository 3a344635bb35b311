"""Django's admin: people and roles are edited here; what is content-addressed, frozen or a trail is only looked at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from curation.models import (
    AuditEvent,
    Benchmark,
    Case,
    CaseImage,
    Event,
    Export,
    ImageAsset,
    Membership,
    Protocol,
    Snapshot,
    User,
)


class LookOnly:
    """No adding, changing or deleting: operations do that, and say so in the trail."""

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        return False

    def has_change_permission(self, *_: Any, **__: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        return False


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 0


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    inlines = [MembershipInline]


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["user", "benchmark", "role"]
    list_filter = ["role", "benchmark"]
    list_select_related = ["user", "benchmark"]


@admin.register(Benchmark)
class BenchmarkAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["slug", "title", "overlap", "is_paused", "is_demo"]


@admin.register(Protocol)
class ProtocolAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["benchmark", "version", "kind", "digest", "created_at"]
    list_select_related = ["benchmark"]


class CaseImageInline(LookOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = CaseImage
    extra = 0


@admin.register(Case)
class CaseAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["key", "benchmark", "position", "split", "version"]
    list_filter = ["benchmark"]
    list_select_related = ["benchmark"]
    search_fields = ["key"]
    inlines = [CaseImageInline]


@admin.register(ImageAsset)
class ImageAssetAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["sha256", "kind", "modality", "width", "height", "frames", "needs_text_check", "text_checked_at"]
    list_filter = ["kind", "modality", "needs_text_check"]


@admin.register(Snapshot)
class SnapshotAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["digest", "benchmark", "case_count", "image_count", "reading_count", "created_at"]
    list_select_related = ["benchmark"]


@admin.register(Export)
class ExportAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["snapshot", "format", "state", "rows_in", "rows_out", "created_at"]
    list_select_related = ["snapshot"]


@admin.register(AuditEvent)
class AuditEventAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["created_at", "actor_name", "action", "object_type", "object_id"]
    list_filter = ["action"]


@admin.register(Event)
class EventAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "type", "benchmark_id", "least_role", "is_blinded", "created_at"]
    list_filter = ["type"]
