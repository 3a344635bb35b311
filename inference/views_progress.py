"""The curator's page of a benchmark: pace and forecast, agreement over time, readers, labels, what is behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from annotations.agreement_asked import Asked
from annotations.agreement_figures import over_time_plot
from annotations.agreement_page import every_of
from annotations.agreement_read import ceiling, over_time
from curation import looking
from curation.access import signed_in, visible_benchmark
from curation.models import Benchmark
from curation.permissions import CURATE, READ
from curation.plotting import csv_answer
from inference.currency import STALE_REASONS
from inference.progress import behind_of, forecast_plot, map_plot, pace_of, pace_plot
from inference.progress_readers import confusion_of, confusion_plot, readers_of, readers_plot

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
def progress(request: HttpRequest, slug: str) -> HttpResponse:
    """Everything of the page, or with `?format=csv&plot=NAME` the rows of one plot."""
    user = signed_in(request)
    benchmark = visible_benchmark(user, slug, CURATE)
    if user.has_perm(READ, benchmark):
        # Whoever reads here would learn from it which cases are probes and how others read.
        raise PermissionDenied(f"You read in {slug}: how others read opens to whoever curates it and does not read.")
    looking.see_page(user=user, benchmark=benchmark, page=looking.Page.PROGRESS)
    shown = progress_of(benchmark)
    if request.GET.get("format") == "csv":
        answer = csv_answer(shown["plots"], wanted=request.GET.get("plot", ""), prefix=slug)
        if answer is None:
            raise Http404("there is no such plot")
        return answer
    frame = {"nav": "benchmarks", "benchmark": benchmark, "stale_words": STALE_REASONS}
    return render(request, "inference/progress.html", {**frame, **shown})


def progress_of(benchmark: Benchmark) -> dict[str, Any]:
    """What the page shows; the number of queries does not depend on how many rows there are."""
    pace = pace_of(benchmark)
    readers = readers_of(benchmark)
    names = {label["id"]: label["name"] for label in benchmark.protocol.config.get("labels", [])}
    confusion = confusion_of(benchmark, names)
    experts = ceiling(benchmark)["same_answer"]
    every = every_of(benchmark)
    drawn = {
        "forecast_plot": forecast_plot(pace),
        "pace_plot": pace_plot(pace),
        "readers_plot": readers_plot(readers, ceiling=experts.value),
        "over_time_plot": over_time_plot(benchmark, Asked(), over_time(benchmark, every=every), every=every),
        "map_plot": map_plot(benchmark),
    }
    return {
        **drawn,
        "plots": [*drawn.values(), confusion_plot(confusion)],
        "same": experts,
        "pace": pace,
        "readers": readers,
        "confusion": confusion,
        "behind": behind_of(benchmark),
    }


urlpatterns = [path("benchmarks/<slug:slug>/progress/", progress, name="progress-page")]
