"""Endpoints of adjudication: the reviews of a case, and what their holder does with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations import assigning
from annotations import review as reviewing
from annotations.api import bodies, review_bodies
from annotations.api.conflicts import as_problems
from annotations.blinding import is_blind
from annotations.consensus import consensus_of
from annotations.content import BadContent
from annotations.escalating import escalate_review
from annotations.models import Review
from annotations.naming import sees_names
from annotations.reverting import revert_review
from annotations.review_payloads import describe_review, describe_reviews, gold_history
from curation import audit
from curation.access import SignedIn, require, signed_in
from curation.models import Case
from curation.paging import arguments
from curation.permissions import REVIEW, SEE_OTHERS
from curation.problems import Problem

if TYPE_CHECKING:
    import uuid

    from rest_framework.request import Request

    from curation.models import User


def opened_case(request: Request, case_id: uuid.UUID, permission: str) -> Case:
    """A case that whoever asks may see everything about; the look is written to the trail."""
    user = signed_in(request)
    case = get_object_or_404(Case.objects.visible_to(user).select_related("benchmark"), pk=case_id)
    require(user, permission, case.benchmark)
    if is_blind(user, case):
        raise PermissionDenied("Submit your own reading of this case first.")
    audit.look(user=user, case=case)
    return case


_REFUSALS = (
    Problem,
    BadContent,
    reviewing.GoldMoved,
    reviewing.ReviewOver,
    reviewing.ReviewTaken,
    reviewing.StaleReview,
)


class CaseConsensus(APIView):
    """What the readings of a case add up to."""

    permission_classes = (SignedIn,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, case_id: uuid.UUID) -> Response:
        """Readings side by side, votes, consensus of answers and regions, steps in rows."""
        arguments(request, ())
        case = opened_case(request, case_id, SEE_OTHERS)
        return Response(consensus_of(case=case, is_named=sees_names(signed_in(request), case.benchmark)))


class CaseReviews(APIView):
    """The reviews of a case."""

    permission_classes = (SignedIn,)
    parser_classes = (bodies.DraftParser,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, case_id: uuid.UUID) -> Response:
        """All of them, the newest first, and the revisions of the gold."""
        arguments(request, ())
        case = opened_case(request, case_id, SEE_OTHERS)
        told = {"results": describe_reviews(case, signed_in(request)), "next": None, "gold": gold_history(case)}
        return Response(told)

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, case_id: uuid.UUID) -> Response:
        """Open a review (an empty body), save it over a `version`, or close it (`close: true`).

        A body with content and no review open opens one first; then `version` may be left out.
        """
        case = opened_case(request, case_id, REVIEW)
        user = signed_in(request)
        given = review_bodies.review(request.data)
        with as_problems():
            review, is_new = self._act(case, user, given)
        return Response(describe_review(review, user), status=201 if is_new else 200)

    def _act(self, case: Case, user: User, given: review_bodies.ReviewBody) -> tuple[Review, bool]:
        """Do it all or, if what the review should hold is refused, only open it.

        The case is held meanwhile: of two identical requests at once the second finds what the first did. The version
        does not tell them apart, since a review that the second opened anew could have the same.
        """
        with transaction.atomic():
            assigning.lock_case(case.pk)
            if given.is_anything and (done := self._ended(case, user, given)) is not None:
                return done, False
            review, is_new = reviewing.open_review(case_id=case.pk, reviewer=user)
            if not given.is_anything:
                return review, is_new
            act = reviewing.close_review if given.closes else reviewing.save_review
            try:
                with transaction.atomic():
                    version = given.base_version(review.version, is_new=is_new)
                    return act(review_id=review.pk, reviewer=user, version=version, wanted=given.wanted), is_new
            except _REFUSALS as error:  # raised again once what was opened is kept
                refused = error
        raise refused

    def _ended(self, case: Case, user: User, given: review_bodies.ReviewBody) -> Review | None:
        """The review that this request closed when it came before; a version of one that ended opens no other."""
        last = Review.objects.with_people().filter(case=case).order_by("-number").first()
        if last is None or last.is_open:
            return None
        if given.closes and reviewing.is_closed_as(review=last, reviewer=user, wanted=given.wanted):
            return last
        if given.version:
            raise reviewing.ReviewOver(last)
        return None


class _OneReview(APIView):
    permission_classes = (SignedIn,)

    def review(self, request: Request, case_id: uuid.UUID, pk: uuid.UUID) -> Review:
        """A review of a case that whoever asks may review."""
        case = opened_case(request, case_id, REVIEW)
        return get_object_or_404(Review.objects.filter(case=case), pk=pk)


class ReviewRevert(_OneReview):
    """Undoing a closed review."""

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, case_id: uuid.UUID, pk: uuid.UUID) -> Response:
        """Bring back the gold of before, with a reason."""
        review, user = self.review(request, case_id, pk), signed_in(request)
        reason = bodies.reason(request.data, most=reviewing.MOST_REASON_CHARACTERS)
        with as_problems():
            return Response(describe_review(revert_review(review_id=review.pk, reviewer=user, reason=reason), user))


class ReviewEscalate(_OneReview):
    """Handing a review on."""

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, case_id: uuid.UUID, pk: uuid.UUID) -> Response:
        """Hand it, as it stands, to the person named in `to`, with a reason."""
        review, user = self.review(request, case_id, pk), signed_in(request)
        to, reason = review_bodies.escalation(request.data)
        with as_problems():
            done = escalate_review(review_id=review.pk, actor=user, to=to, reason=reason)
        return Response(describe_review(done, user))


class ReviewDiscard(_OneReview):
    """Setting a review aside."""

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, case_id: uuid.UUID, pk: uuid.UUID) -> Response:
        """End it without gold, with a reason."""
        review, user = self.review(request, case_id, pk), signed_in(request)
        reason = bodies.reason(request.data, most=reviewing.MOST_REASON_CHARACTERS)
        with as_problems():
            done = reviewing.discard_review(review_id=review.pk, reviewer=user, reason=reason)
        return Response(describe_review(done, user))


def _address(end: str) -> str:
    return f"cases/<uuid:case_id>/review/<uuid:pk>/{end}/"


urlpatterns: list[Any] = [
    path("cases/<uuid:case_id>/consensus/", CaseConsensus.as_view(), name="case-consensus"),
    path("cases/<uuid:case_id>/review/", CaseReviews.as_view(), name="case-review"),
    path(_address("revert"), ReviewRevert.as_view(), name="review-revert"),
    path(_address("escalate"), ReviewEscalate.as_view(), name="review-escalate"),
    path(_address("discard"), ReviewDiscard.as_view(), name="review-discard"),
]
