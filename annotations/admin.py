"""Looking at readings in Django's administration; they are changed only through the product, which keeps the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Q

from annotations.blinding import opened_cases
from annotations.models import Assignment, Reading, ReadingRevision
from curation.access import signed_in
from curation.look_only import LookOnly

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(Assignment)
class AssignmentAdmin(LookOnly):
    case_path = "case_id"
    list_display = ("case", "reader", "state", "lease_expires_at")
    list_filter = ("state", "case__benchmark")
    list_select_related = ("case", "reader")


@admin.register(Reading)
class ReadingAdmin(LookOnly):
    case_path = "case_id"
    list_display = ("case", "reader", "arm", "state", "version", "revision", "saved_at")
    list_filter = ("state", "arm", "case__benchmark")
    list_select_related = ("case", "reader")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reading]:
        # Whoever still has to read a case blind does so here too.
        user = signed_in(request)
        return super().get_queryset(request).filter(Q(reader=user) | Q(case__in=opened_cases(user)))


@admin.register(ReadingRevision)
class ReadingRevisionAdmin(LookOnly):
    case_path = "reading__case_id"
    list_display = ("reading", "revision", "digest", "submitted_at")
    list_select_related = ("reading__case", "reading__reader")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReadingRevision]:
        user = signed_in(request)
        return super().get_queryset(request).filter(Q(reading__reader=user) | Q(reading__case__in=opened_cases(user)))
