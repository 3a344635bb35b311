"""The page of a benchmark's readers: probes and training, drift, and whose answers changed with models in view."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

from annotations import probes
from annotations.api.probing import describe_probing
from annotations.blinding import require_not_reading
from annotations.drift import ACCURACY, drift_of
from annotations.probe_results import score_missing
from curation import looking
from curation.access import signed_in, visible_benchmark
from curation.models import Benchmark, Case
from curation.permissions import CURATE
from curation.plotting import csv_answer
from inference.aid import changes_of
from inference.drift_plots import drift_plots

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from annotations.drift import ReaderDrift

LONGEST_KEYS = 200_000
MOST_SHOWN = 50


class BadForm(ValueError):
    """Something typed that cannot be done, in words for the page."""


def curated_unread(request: HttpRequest, slug: str) -> Benchmark:
    """A benchmark that whoever asks curates and does not read."""
    user = signed_in(request)
    benchmark = visible_benchmark(user, slug, CURATE)
    require_not_reading(user, benchmark)
    return benchmark


@require_safe
def readers(request: HttpRequest, slug: str) -> HttpResponse:
    """Everything of the page, or with `?format=csv&plot=NAME` the rows of one chart of the reader shown."""
    benchmark = curated_unread(request, slug)
    looking.see_page(user=signed_in(request), benchmark=benchmark, page=looking.Page.DRIFT)
    score_missing(benchmark.pk)
    rows = drift_of(benchmark)
    shown = _chosen(rows, request.GET.get("reader", ""))
    charts = drift_plots(shown) if shown else []
    if request.GET.get("format") == "csv":
        answer = csv_answer([plot for *_, plot in charts], wanted=request.GET.get("plot", ""), prefix=slug)
        if answer is None:
            raise Http404("there is no such plot")
        return answer
    return render(
        request,
        "inference/readers.html",
        {
            "nav": "benchmarks",
            "benchmark": benchmark,
            "probing": describe_probing(benchmark),
            "percent": f"{100 * benchmark.probe_rate:g}",
            "most_percent": f"{100 * probes.LARGEST_RATE:g}",
            "probes": Case.objects.filter(benchmark=benchmark, is_probe=True).order_by("position")[:MOST_SHOWN],
            "rows": [_line(row) for row in rows],
            "shown": shown,
            "charts": charts,
            "changes": changes_of(benchmark),
        },
    )


def _chosen(rows: list[ReaderDrift], name: str) -> ReaderDrift | None:
    for row in rows:
        if row.reader.username == name:
            return row
    if name:
        raise Http404(f"nobody called {name[:80]!r} read a probe here")
    return rows[0] if rows else None


def _line(row: ReaderDrift) -> dict[str, Any]:
    """A reader's row of the table: share right and IoU with how many, and where they stand."""
    accuracy = next(chart for chart in row.charts if chart.measure == ACCURACY)
    regions = next(chart for chart in row.charts if chart.measure != ACCURACY)
    has_limits = any(chart.baseline and chart.turns for chart in row.charts)
    is_high = any(chart.side == "high" for chart in row.charts)
    words = "below the limit" if row.is_out else "above the limit" if is_high else "within the limits"
    return {
        "reader": row.reader,
        "probes": row.probes,
        "accuracy": accuracy,
        "regions": regions,
        "tone": "warn" if row.is_out else "ok" if has_limits else "",
        "words": words if has_limits else "no limits yet",
    }


@require_POST
def set_probing(request: HttpRequest, slug: str) -> HttpResponse:
    """The rate of probes, in percent, and training."""
    benchmark, user = curated_unread(request, slug), signed_in(request)
    try:
        percent = float(request.POST.get("percent", ""))
        if not math.isfinite(percent):
            raise ValueError
        probes.change_probing(
            benchmark=benchmark,
            actor=user,
            probe_rate=percent / 100,
            is_training=request.POST.get("is_training") == "on",
        )
    except ValueError:
        given, most = request.POST.get("percent", "")[:80], 100 * probes.LARGEST_RATE
        _say(request, f"Nothing was changed: {given!r} is not a share of 0 to {most:g} %.", is_bad=True)
    else:
        _say(request, "Probes and training are set. Readers are not told of the share.")
    return redirect("readers-page", slug=slug)


@require_POST
def set_probes(request: HttpRequest, slug: str) -> HttpResponse:
    """Make the cases named by key probes, or cases of the queue again."""
    benchmark, user = curated_unread(request, slug), signed_in(request)
    is_probe = request.POST.get("act") != "unmark"
    try:
        ids = _named(benchmark, request.POST.get("keys", ""))
        changed = probes.mark_probes(benchmark=benchmark, case_ids=ids, is_probe=is_probe, actor=user)
    except (BadForm, probes.NoGold, probes.UnknownCases) as error:
        _say(request, f"Nothing was changed: {error}.", is_bad=True)
    else:
        became = "became a probe" if is_probe else "went back to the queue"
        _say(request, f"{changed} case{'' if changed == 1 else 's'} {became}.")
    return redirect("readers-page", slug=slug)


def _named(benchmark: Benchmark, given: str) -> list[Any]:
    keys = list(dict.fromkeys(given[:LONGEST_KEYS].replace("\0", "").split()))
    if not keys:
        raise BadForm("no key was given")
    if len(keys) > probes.MOST_AT_ONCE:
        raise BadForm(f"{len(keys)} keys were given; at most {probes.MOST_AT_ONCE} are taken at once")
    found = dict(Case.objects.filter(benchmark=benchmark, key__in=keys).values_list("key", "pk"))
    unknown = [key for key in keys if key not in found]
    if unknown:
        raise BadForm(f"{unknown[0][:80]!r} is the key of no case here")
    return list(found.values())


def _say(request: HttpRequest, text: str, *, is_bad: bool = False) -> None:
    level = messages.ERROR if is_bad else messages.SUCCESS
    messages.add_message(request, level, text, extra_tags="bad" if is_bad else "")


urlpatterns = [
    path("benchmarks/<slug:slug>/readers/", readers, name="readers-page"),
    path("benchmarks/<slug:slug>/readers/probing/", set_probing, name="set-probing"),
    path("benchmarks/<slug:slug>/readers/probes/", set_probes, name="set-probes"),
]
