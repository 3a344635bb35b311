"""The page that stands where somebody may not go: which page it is, what it needs and whom to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from django.shortcuts import render

from curation.models import Benchmark, Role, User

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

# What the pages call themselves, by the name of their address.
PAGES = {
    "agreement-page": "the agreement of a benchmark",
    "agreement-pairs-page": "the pairs of a benchmark",
    "audit-page": "the audit trail",
    "benchmark-wrong-reason-page": "the cases that are right for the wrong reason",
    "case-trail-page": "the history of a case",
    "enrolments-page": "the models of a benchmark",
    "model-page": "the page of a model",
    "models-page": "the list of models",
    "progress-page": "the progress of a benchmark",
    "read": "the reading page",
    "runs-page": "the runs of a benchmark",
    "schedule-edit": "the form of a schedule",
    "schedule-new": "the form of a new schedule",
    "schedule-page": "the page of a schedule",
    "schedules-page": "the schedules of a benchmark",
    "snapshot-page": "the page of a snapshot",
    "snapshots-page": "the snapshots of a benchmark",
    "user-page": "the page of a user",
    "users-page": "the list of users",
}
MOST_NAMED = 5


def denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The answer 403 of every page."""
    match = request.resolver_match
    slug = match.kwargs.get("slug", "") if match else ""
    user = request.user
    benchmarks = Benchmark.objects.visible_to(user) if isinstance(user, User) else Benchmark.objects.none()
    named = list(benchmarks.filter(slug=slug)) if slug else list(benchmarks)
    context = {
        "page": PAGES.get(match.url_name or "", "this page") if match else "this page",
        "why": str(exception),
        "benchmark": named[0] if slug and named else None,
        "people": _who_gives_roles(named),
    }
    return render(request, "403.html", context, status=403)


def _who_gives_roles(benchmarks: list[Benchmark]) -> list[User]:
    """Curators of any of these, or admins where there is none; by name."""
    holds = Q(memberships__benchmark__in=benchmarks) | Q(memberships__benchmark=None)
    for role in (Role.CURATOR, Role.ADMIN):
        rows = User.objects.filter(holds, memberships__role=role, is_active=True).distinct().order_by("username")
        if found := list(rows[:MOST_NAMED]):
            return found
    return []
