"""Pages of adjudication: the queue of a benchmark, and one case with its readings side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from annotations.blinding import is_blind
from annotations.commenting import mentions_of
from annotations.escalating import reviewers_of
from annotations.payloads import blind_case
from annotations.review_payloads import describe_mentions
from annotations.review_queue import WORDS, NoSuchState, list_waiting, next_waiting, open_counts
from curation import audit, looking
from curation.access import require, signed_in, visible_benchmark
from curation.models import Case, User
from curation.permissions import CURATE, REVIEW
from curation.protocols import protocol_record

if TYPE_CHECKING:
    import uuid

    from django.http import HttpRequest, HttpResponse

MOST_MENTIONS = 10


@require_safe
def review_queue(request: HttpRequest, slug: str) -> HttpResponse:
    """Cases that wait to be settled, the most disputed first."""
    user = signed_in(request)
    benchmark = visible_benchmark(user, slug, REVIEW)
    state = request.GET.get("state", "")
    try:
        listed = list_waiting(benchmark=benchmark, user=user, state=state, after=request.GET.get("after", ""))
    except NoSuchState as error:
        raise Http404(str(error)) from None
    looking.see_page(user=user, benchmark=benchmark, page=looking.Page.REVIEWS)
    counts = open_counts(benchmark=benchmark, user=user)
    unseen = mentions_of(user).filter(comment__case__benchmark=benchmark, seen_at=None)
    mentions = list(unseen.select_related("comment__case__benchmark").order_by("-pk")[:MOST_MENTIONS])
    audit.look_at_all(user=user, cases={row.comment.case_id: benchmark.pk for row in mentions})
    context = {
        "nav": "benchmarks",
        "benchmark": benchmark,
        "listed": listed,
        "state": state,
        "mentions": describe_mentions(mentions, user),
        "after": request.GET.get("after", ""),
        "states": [
            (words, urlencode({"state": name}) if name else "", name == state, counts.get(name))
            for name, words in WORDS.items()
        ],
        "next_query": listed.next_after and urlencode({"state": state, "after": listed.next_after}),
    }
    return render(request, "annotations/review_queue.html", context)


def colleagues(case: Case, user: User) -> list[dict[str, str]]:
    """To whom the user could hand a review of the case on, by name."""
    return [{"username": one.username, "name": one.display_name} for one in reviewers_of(case) if one != user]


def review_data(case: Case, user: User) -> dict[str, Any]:
    """What the review page starts from; readings, consensus and reviews it fetches itself."""
    following = next_waiting(benchmark=case.benchmark, user=user, but=case.pk)
    return {
        "case": blind_case(case),
        "benchmark": {"slug": case.benchmark.slug, "title": case.benchmark.title},
        "protocol": protocol_record(case.benchmark.protocol),
        "user": {"id": str(user.pk), "username": user.username, "name": user.display_name},
        "may_take_over": user.has_perm(CURATE, case.benchmark),
        "colleagues": colleagues(case, user),
        "urls": {
            "case": reverse("case-page", args=[case.pk]),
            "queue": reverse("review-queue", args=[case.benchmark.slug]),
            "next": reverse("review-page", args=[following.pk]) if following else None,
        },
    }


@never_cache
@ensure_csrf_cookie
@require_safe
def review_page(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """Readings of one case side by side, and the gold that is put together from them."""
    user = signed_in(request)
    case = get_object_or_404(Case.objects.visible_to(user).select_related("benchmark"), pk=case_id)
    require(user, REVIEW, case.benchmark)
    context: dict[str, Any] = {"nav": "benchmarks", "case": case, "is_blind": is_blind(user, case)}
    if not context["is_blind"]:
        audit.look(user=user, case=case)
        context["review_data"] = review_data(case, user)
    return render(request, "annotations/review.html", context)


urlpatterns = [
    path("benchmarks/<slug:slug>/review/", review_queue, name="review-queue"),
    path("cases/<uuid:case_id>/review/", review_page, name="review-page"),
]
