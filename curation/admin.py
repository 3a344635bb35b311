"""Django's admin, to look at: operations change things, and say so in the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import reverse
from django.utils.html import format_html

from curation.access import require, signed_in
from curation.export_jobs import ask_export
from curation.exporting import TextUnchecked
from curation.look_only import LookOnly, NotForReaders, Untouched
from curation.models import (
    AuditEvent,
    AuditSeal,
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
from curation.permissions import CURATE
from curation.templatetags.sightline import short

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class MembershipInline(Untouched, admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 0


@admin.register(User)
class PersonAdmin(LookOnly):
    # Changed on the pages of users, where each change is in the trail. No password, not even its hash.
    fields = ["username", "first_name", "last_name", "is_active", "is_superuser", "date_joined", "last_login"]
    list_display = ["username", "first_name", "last_name", "is_active", "is_superuser", "last_login"]
    search_fields = ["username", "first_name", "last_name"]
    inlines = [MembershipInline]


@admin.register(Membership)
class MembershipAdmin(LookOnly):
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
class CaseAdmin(NotForReaders):
    case_path = "pk"
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
    actions = ["export_to_hugging_face"]

    @admin.action(description="Export to Hugging Face", permissions=["view"])
    def export_to_hugging_face(self, request: HttpRequest, chosen: QuerySet[Snapshot]) -> None:
        """Queue what `export --format hf` does, for each snapshot whose benchmark the user curates."""
        user = signed_in(request)
        for snapshot in chosen.select_related("benchmark"):
            link = format_html(
                '<a href="{}">{}</a>', reverse("snapshot-page", args=[snapshot.digest]), short(snapshot.digest)
            )
            try:
                require(user, CURATE, snapshot.benchmark)
                ask_export(snapshot=snapshot, format="hf", has_originals=False, actor=user)
            except (TextUnchecked, PermissionDenied, Http404) as error:
                why = str(error) or f"you hold no role in {snapshot.benchmark.slug}"
                self.message_user(request, format_html("{} is not exported: {}", link, why), messages.ERROR)
            else:
                told = format_html(
                    "The export of {} is queued; its page shows how far it is and offers the result.", link
                )
                self.message_user(request, told, messages.SUCCESS)


@admin.register(Export)
class ExportAdmin(LookOnly):
    list_display = ["snapshot", "format", "state", "rows_in", "rows_out", "created_at"]
    list_select_related = ["snapshot"]


@admin.register(AuditEvent)
class AuditEventAdmin(NotForReaders):
    benchmark_path = "benchmark_id"
    list_display = ["created_at", "actor_name", "action", "object_type", "object_id"]
    list_filter = ["action"]


@admin.register(AuditSeal)
class AuditSealAdmin(LookOnly):
    list_display = ["number", "event_id", "digest", "sealed_at"]


@admin.register(Event)
class EventAdmin(LookOnly):
    list_display = ["id", "type", "benchmark_id", "least_role", "is_blinded", "created_at"]
    list_filter = ["type"]
