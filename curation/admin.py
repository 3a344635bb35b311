"""Django's admin: people and roles are edited here; what is content-addressed, frozen or a trail is only looked at."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from curation.look_only import LookOnly, Untouched
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
class BenchmarkAdmin(LookOnly):
    list_display = ["slug", "title", "overlap", "is_paused", "is_demo"]


@admin.register(Protocol)
class ProtocolAdmin(LookOnly):
    list_display = ["benchmark", "version", "kind", "digest", "created_at"]
    list_select_related = ["benchmark"]


class CaseImageInline(Untouched, admin.TabularInline):  # type: ignore[type-arg]
    model = CaseImage
    extra = 0


@admin.register(Case)
class CaseAdmin(LookOnly):
    list_display = ["key", "benchmark", "position", "split", "version"]
    list_filter = ["benchmark"]
    list_select_related = ["benchmark"]
    search_fields = ["key"]
    inlines = [CaseImageInline]


@admin.register(ImageAsset)
class ImageAssetAdmin(LookOnly):
    list_display = ["sha256", "kind", "modality", "width", "height", "frames", "needs_text_check", "text_checked_at"]
    list_filter = ["kind", "modality", "needs_text_check"]


@admin.register(Snapshot)
class SnapshotAdmin(LookOnly):
    list_display = ["digest", "benchmark", "case_count", "image_count", "reading_count", "created_at"]
    list_select_related = ["benchmark"]


@admin.register(Export)
class ExportAdmin(LookOnly):
    list_display = ["snapshot", "format", "state", "rows_in", "rows_out", "created_at"]
    list_select_related = ["snapshot"]


@admin.register(AuditEvent)
class AuditEventAdmin(LookOnly):
    list_display = ["created_at", "actor_name", "action", "object_type", "object_id"]
    list_filter = ["action"]


@admin.register(Event)
class EventAdmin(LookOnly):
    list_display = ["id", "type", "benchmark_id", "least_role", "is_blinded", "created_at"]
    list_filter = ["type"]
