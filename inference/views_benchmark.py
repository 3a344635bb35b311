"""Pages of one benchmark: its dashboard and its cases. Who must still read blind gets the cases alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from curation import looking
from curation.access import signed_in, visible_benchmark
from curation.models import Benchmark, Snapshot, User
from curation.permissions import CURATE, READ, SEE_MODELS
from inference.case_list import (
    BY_DISAGREEMENT,
    BY_PLACE,
    SORTS,
    VERDICT_WORDS,
    NoSuchList,
    Wanted,
    count_of,
    list_cases,
    verdict_counts,
    wanted_of,
)
from inference.dashboard import UNKNOWN_WORDS, dashboard_of, progress_of
from inference.models import Enrolment
from inference.wrong_reasons import QUADRANT, count_wrong_reasons, counts_by_model, list_wrong_reasons

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def sees_models(user: User, benchmark: Benchmark) -> bool:
    """Whether model output and others' readings of the whole benchmark may be shown: not to who reads in it."""
    return user.has_perm(SEE_MODELS, benchmark) and not user.has_perm(READ, benchmark)


def _frame(user: User, benchmark: Benchmark, tab: str) -> dict[str, Any]:
    """What these pages have in common."""
    sees_others = sees_models(user, benchmark)
    return {
        "nav": "benchmarks",
        "tab": tab,
        "benchmark": benchmark,
        "sees_others": sees_others,
        "may_read": user.has_perm(READ, benchmark),
        "may_curate": user.has_perm(CURATE, benchmark),
        "snapshot_count": Snapshot.objects.filter(benchmark=benchmark).count(),
        "tab_counts": {"wrong-reason": count_wrong_reasons(benchmark)} if sees_others else {},
    }


@require_safe
def benchmark(request: HttpRequest, slug: str) -> HttpResponse:
    """The overview: how far reading is, how the models stand, and where they and the experts part."""
    user = signed_in(request)
    found = visible_benchmark(user, slug)
    if not sees_models(user, found):
        return _cases(request, user, found)
    looking.see_page(user=user, benchmark=found, page=looking.Page.OVERVIEW)
    shown = dashboard_of(found, model_name=request.GET.get("model"))
    return render(request, "inference/benchmark.html", {**_frame(user, found, "overview"), **shown})


@require_safe
def benchmark_cases(request: HttpRequest, slug: str) -> HttpResponse:
    """The cases, a keyset page at a time; staff may sort them and narrow them to one model's verdict."""
    user = signed_in(request)
    return _cases(request, user, visible_benchmark(user, slug))


def _cases(request: HttpRequest, user: User, found: Benchmark) -> HttpResponse:
    frame = _frame(user, found, "cases")
    if not frame["sees_others"]:
        wanted, more = Wanted(BY_PLACE, None, "", request.GET.get("after", "")), {}
    else:
        enrolments = list(Enrolment.objects.filter(benchmark=found).select_related("model").order_by("model__name"))
        try:
            wanted = wanted_of(request.GET, enrolments)
        except NoSuchList as error:
            raise Http404(str(error)) from None
        more = _choices(found, wanted, enrolments)
        looking.see_page(user=user, benchmark=found, page=looking.Page.CASES)
    listed = list_cases(benchmark=found, wanted=wanted)
    after = listed.next_after and urlencode(wanted.query(after=listed.next_after))
    if frame["sees_others"]:
        progress = progress_of(found)
        more |= {"progress": progress, "count": progress.cases + progress.probes}
    else:
        more["count"] = count_of(found)
    shown = {"listed": listed, "wanted": wanted, "next_query": after}
    return render(request, "inference/cases.html", {**frame, **more, **shown})


def _choices(found: Benchmark, wanted: Wanted, enrolments: list[Enrolment]) -> dict[str, Any]:
    """Chips of models, verdicts and orders: words, address, whether chosen, and a count where there is one."""
    counts = verdict_counts(benchmark=found, model=wanted.model) if wanted.model else {}
    models = [one.model.name for one in enrolments]
    chosen = wanted.model.name if wanted.model else ""
    return {
        "models": [
            ("No model", urlencode(wanted.query(model="", verdict="")), not chosen, None),
            *((name, urlencode(wanted.query(model=name, verdict="")), name == chosen, None) for name in models),
        ],
        "verdicts": [
            ("All", urlencode(wanted.query(verdict="")), not wanted.verdict, None),
            *(
                (words, urlencode(wanted.query(verdict=name)), name == wanted.verdict, counts[name])
                for name, words in VERDICT_WORDS.items()
            ),
        ]
        if counts
        else [],
        "sorts": [
            (words, urlencode(wanted.query(sort="" if name == BY_PLACE else name)), name == wanted.sort, None)
            for name, words in SORTS.items()
        ],
        "verdict_words": VERDICT_WORDS,
        "unknown_words": UNKNOWN_WORDS,
    }


@require_safe
def wrong_reason(request: HttpRequest, slug: str) -> HttpResponse:
    """Cases that a trained model answers rightly without looking at the region, highest disagreement first."""
    user = signed_in(request)
    found = visible_benchmark(user, slug, SEE_MODELS)
    if not sees_models(user, found):
        raise PermissionDenied("Whoever reads in a benchmark is not shown what models say of it as a whole.")
    looking.see_page(user=user, benchmark=found, page=looking.Page.WRONG_REASON)
    listed = list_wrong_reasons(benchmark=found, after=request.GET.get("after", ""))
    models = [
        (name, urlencode({"model": name, "verdict": QUADRANT, "sort": BY_DISAGREEMENT}), count)
        for name, count in counts_by_model(found)
    ]
    after = urlencode({"after": listed.next_after}) if listed.next_after else ""
    shown = {"listed": listed, "models": models, "next_query": after}
    return render(request, "inference/wrong_reason.html", {**_frame(user, found, "wrong-reason"), **shown})


urlpatterns = [
    path("benchmarks/<slug:slug>/", benchmark, name="benchmark-page"),
    path("benchmarks/<slug:slug>/cases/", benchmark_cases, name="benchmark-cases-page"),
    path("benchmarks/<slug:slug>/wrong-reason/", wrong_reason, name="benchmark-wrong-reason-page"),
]
