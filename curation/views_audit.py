"""The page of the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from curation.access import signed_in
from curation.looking import see_trail
from curation.models import Benchmark
from curation.permissions import NEEDED, SEE_TRAIL
from curation.trail import EVENTS_A_PAGE, SHOWN, WORDS, BadFilter, narrowed, scope_of, seal_state, told

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """Who did what to what, the newest first, and how far it is sealed."""
    user = signed_in(request)
    scope = scope_of(user)
    if scope is None:
        raise PermissionDenied(f"This needs the role {NEEDED[SEE_TRAIL]} in a benchmark.")
    given = {name: text for name, value in request.GET.items() if (text := str(value).strip())}
    wrong = ""
    try:
        rows = narrowed(scope.events().select_related("actor"), given)
    except BadFilter as error:
        wrong, rows = str(error), scope.events().none()
    page = list(rows[: EVENTS_A_PAGE + 1])
    see_trail(user=user)
    further = request.GET.copy()
    if len(page) > EVENTS_A_PAGE:
        further["before"] = str(page[EVENTS_A_PAGE - 1].pk)
    context = {
        "nav": "audit",
        "rows": told(page[:EVENTS_A_PAGE]),
        "next_query": further.urlencode() if len(page) > EVENTS_A_PAGE else "",
        "given": given,
        "is_narrowed": bool(given),
        "wrong": wrong,
        "words": sorted(WORDS.items(), key=lambda row: row[1]),
        "shown": SHOWN,
        "benchmarks": Benchmark.objects.order_by("title") if scope.benchmarks is None else scope.benchmarks,
        "scope": scope,
        "seals": seal_state(),
    }
    return render(request, "curation/audit.html", context, status=400 if wrong else 200)


urlpatterns = [path("audit/", audit, name="audit-page")]
