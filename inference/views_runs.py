"""The page of a benchmark's scoring runs: how far each is, and stopping one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

from annotations.blinding import blind_case_ids
from curation.access import require, signed_in, visible_benchmark
from curation.models import Benchmark
from curation.paging import rows_after
from curation.permissions import RUN_MODELS, SEE_MODELS
from inference.models import JobState, RunKind, ScoringRun
from inference.scoring import cancel_run

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

PAGE = 30
UNDER_WAY = (JobState.QUEUED, JobState.RUNNING)
# Filters of the page: what stands in the address, what it is called, what it keeps.
FILTERS: dict[str, tuple[str, Q]] = {
    "": ("Over the benchmark", Q(kind=RunKind.BENCHMARK)),
    "case": ("After one reading", Q(kind=RunKind.CASE)),
    "open": ("Under way", Q(state__in=UNDER_WAY)),
    "parked": ("Parked", Q(state=JobState.PARKED)),
}


@require_safe
def runs(request: HttpRequest, slug: str) -> HttpResponse:
    """A keyset page of runs, the newest first."""
    user = signed_in(request)
    benchmark = visible_benchmark(user, slug, SEE_MODELS)
    chosen = request.GET.get("show", "")
    _, kept = FILTERS.get(chosen, FILTERS[""])
    rows = ScoringRun.objects.filter(kept, benchmark=benchmark).order_by("-created_at", "-pk")
    rest = rows_after(rows, request.GET.get("after", ""), "created_at", newest_first=True)
    found = list(rest.select_related("model", "case", "asked_by")[: PAGE + 1])
    page = found[:PAGE]
    blind = blind_case_ids(user, [run.case for run in page if run.case])
    context: dict[str, Any] = {
        "nav": "benchmarks",
        "benchmark": benchmark,
        # The error of a run over a case that the user must still read may quote what a model said.
        "rows": [(run, "" if run.case_id in blind else run.error, run.state in UNDER_WAY) for run in page],
        "filters": [(name, title) for name, (title, _) in FILTERS.items()],
        "chosen": chosen if chosen in FILTERS else "",
        "next_after": page[-1].pk if len(found) > PAGE else None,
        "may_run": user.has_perm(RUN_MODELS, benchmark),
    }
    return render(request, "inference/runs.html", context)


@require_POST
def cancel(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Stop a run: at once if it waits, before its next case if it is under way."""
    user = signed_in(request)
    visible = ScoringRun.objects.filter(benchmark__in=Benchmark.objects.visible_to(user)).select_related("benchmark")
    run = get_object_or_404(visible, pk=run_id)
    require(user, RUN_MODELS, run.benchmark)
    if cancel_run(run=run, actor=user):
        messages.success(request, "The run is cancelled. What it scored stays.")
    else:
        messages.info(request, "The run had ended already; nothing was changed.")
    return redirect("runs-page", slug=run.benchmark.slug)


urlpatterns = [
    path("benchmarks/<slug:slug>/runs/", runs, name="runs-page"),
    path("runs/<uuid:run_id>/cancel/", cancel, name="cancel-run"),
]
