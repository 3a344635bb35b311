"""Pages of agreement: how far readers, models and gold agree in a benchmark, and the pairs behind every number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import Http404
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from annotations.agreement_asked import (
    ARM_WORDS,
    KIND_WORDS,
    KINDS,
    LEVEL_WORDS,
    METRIC_WORDS,
    Asked,
    NoSuchAgreement,
    asked_of,
)
from annotations.agreement_names import names
from annotations.agreement_page import choices_of, page_of
from annotations.agreement_pairs import BadCursor, pairs
from annotations.agreement_rows import LOWER_IS_BETTER, OF_LABELS, for_viewer
from annotations.agreement_words import words_of
from annotations.naming import Mask
from curation import audit, looking
from curation.access import signed_in, visible_benchmark
from curation.models import Benchmark
from curation.permissions import REVIEW, SEE_OTHERS
from curation.plotting import csv_answer

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from curation.models import User


def _staffed(user: User, slug: str) -> Benchmark:
    """A benchmark that the user is staff of; what counts is narrowed further by `for_viewer`."""
    return visible_benchmark(user, slug, SEE_OTHERS)


def _asked(request: HttpRequest, mask: Mask | None) -> Asked:
    try:
        return asked_of(request.GET, mask)
    except NoSuchAgreement as error:
        raise Http404(str(error)) from None


@require_safe
def agreement(request: HttpRequest, slug: str) -> HttpResponse:
    """Everything of the page, or with `?format=csv&plot=NAME` the rows of one plot."""
    user = signed_in(request)
    benchmark = _staffed(user, slug)
    asked = _asked(request, Mask.of(user, benchmark))
    narrowed = for_viewer(asked.narrowed, user, benchmark)
    looking.see_page(user=user, benchmark=benchmark, page=looking.Page.AGREEMENT)
    shown = page_of(
        benchmark, asked, narrowed, shown=request.GET.get("shown", ""), target=request.GET.get("target", "")
    )
    if request.GET.get("format") == "csv":
        answer = csv_answer(shown["plots"], wanted=request.GET.get("plot", ""), prefix=slug)
        if answer is None:
            raise Http404("there is no such plot")
        return answer
    context = {
        "nav": "benchmarks",
        "benchmark": benchmark,
        "asked": asked,
        "choices": choices_of(benchmark, narrowed),
        "only_own": narrowed.opened_by is not None,
        "arms": ARM_WORDS,
        "levels": LEVEL_WORDS,
    }
    return render(request, "annotations/agreement.html", {**context, **shown})


@require_safe
def agreement_pairs(request: HttpRequest, slug: str) -> HttpResponse:
    """The pairs behind a number, the least alike first; those without the number on a page of their own."""
    user = signed_in(request)
    benchmark = _staffed(user, slug)
    mask = Mask.of(user, benchmark)
    asked = _asked(request, mask)
    is_undefined = request.GET.get("undefined") == "yes"
    try:
        page = pairs(
            benchmark,
            asked.metric,
            for_viewer(asked.narrowed, user, benchmark),
            kinds=KINDS[asked.kind],
            a=asked.reader.id if asked.reader else None,
            b=asked.other.id if asked.other else None,
            undefined=is_undefined,
            cursor=request.GET.get("after", "").replace("\0", ""),
        )
    except BadCursor as error:
        raise Http404(str(error)) from None
    looking.see_page(user=user, benchmark=benchmark, page=looking.Page.AGREEMENT)
    audit.look_at_all(user=user, cases={one.row.case_id: benchmark.pk for one in page.pairs})
    undefined: dict[str, str] = {"undefined": "yes"} if is_undefined else {}
    context = {
        "nav": "benchmarks",
        "benchmark": benchmark,
        "asked": asked,
        "rows": [(one, {name: words_of(why) for name, why in one.row.why.items()}) for one in page.pairs],
        "metric_words": METRIC_WORDS[asked.metric],
        "is_lower_better": asked.metric in LOWER_IS_BETTER,
        "is_undefined": is_undefined,
        "may_review": user.has_perm(REVIEW, benchmark),
        "other_query": urlencode({**asked.query(), **({} if is_undefined else {"undefined": "yes"})}),
        "told": _told(asked, mask),
        "kinds": _chips(asked, "kind", KIND_WORDS),
        "arms": _chips(asked, "arm", ARM_WORDS),
        "metrics": _chips(
            asked, "metric", {n: w for n, w in METRIC_WORDS.items() if not asked.label or n in OF_LABELS}
        ),
        "next_query": page.next and urlencode({**asked.query(), **undefined, "after": page.next}),
        "back_query": urlencode(asked.query(kind=None, metric=None, other=None)),
    }
    return render(request, "annotations/agreement_pairs.html", context)


def _chips(asked: Asked, name: str, words: dict[str, str]) -> list[tuple[str, str, bool]]:
    """Words, address, and whether it is the chosen one."""
    return [(word, urlencode(asked.query(**{name: one})), one == getattr(asked, name)) for one, word in words.items()]


def _told(asked: Asked, mask: Mask | None) -> list[tuple[str, str]]:
    """What narrows the list, in words, each with the address without it."""
    given: list[tuple[str, Any]] = [
        ("label", f"label {asked.label}"),
        ("modality", f"modality {asked.modality}"),
        ("since", f"since {asked.since}"),
        ("until", f"until {asked.until}"),
    ]
    called = names((party.id for party in (asked.reader, asked.other) if party is not None), mask)
    given += [
        (name, f"with {called.get(party.id, 'somebody unknown')}")
        for name, party in (("reader", asked.reader), ("other", asked.other))
        if party is not None
    ]
    return [(words, urlencode(asked.query(**{name: None}))) for name, words in given if getattr(asked, name)]


urlpatterns = [
    path("benchmarks/<slug:slug>/agreement/", agreement, name="agreement-page"),
    path("benchmarks/<slug:slug>/agreement/pairs/", agreement_pairs, name="agreement-pairs-page"),
]
