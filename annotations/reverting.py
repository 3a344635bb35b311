"""Undoing a review: the gold of before comes back as a new revision, and everything said stays in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from annotations import assigning
from annotations.models import Review, ReviewState
from annotations.review import ReviewOver, ReviewTaken, locked, tell, tell_closed
from curation.gold_revisions import gold_at, write_gold
from curation.models import Gold

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable

    from curation.models import User


class NotInForce(Exception):
    """Something later stands on what the review wrote."""

    def __init__(self, review: Review) -> None:
        super().__init__(
            f"the gold has moved on since review {review.number} wrote revision {review.gold_revision}: "
            "undo what came after it first"
        )


def standing_revision(reviews: Iterable[Review], newest: int) -> int:
    """Which revision of the gold the newest one says again: reverting writes an old revision anew.

    Parameters
    ----------
    reviews
        All of one case.
    newest
        The highest revision of its gold; 0 for none.
    """
    again = {row.revert_revision: row.gold_before for row in reviews if row.revert_revision is not None}
    while newest in again:
        newest = again[newest]
    return newest


def can_revert(review: Review, standing: int) -> bool:
    """Whether what the review wrote is what stands."""
    return review.state == ReviewState.CLOSED and review.gold_revision == standing


def newest_revision(case_id: uuid.UUID) -> int:
    """The highest revision of the gold of a case, also where it withdraws; 0 for none."""
    newest = Gold.objects.filter(case=case_id).order_by("-revision").values_list("revision", flat=True).first()
    return newest or 0


@transaction.atomic
def revert_review(*, review_id: uuid.UUID, reviewer: User, reason: str) -> Review:
    """Bring back the gold of before a closed review, or none where there was none.

    Returns
    -------
    Review
        Reverted; sent again by the same person for the same reason it is answered the same.

    Raises
    ------
    ReviewOver
        If it is not closed.
    NotInForce
        If a later revision of the gold stands on it.
    ReviewTaken
        If somebody is reviewing the case at this moment.
    """
    case = assigning.lock_case(Review.objects.values_list("case_id", flat=True).get(pk=review_id))
    review = locked(review_id)
    if review.state == ReviewState.REVERTED and (review.reverted_by, review.revert_reason) == (reviewer, reason):
        return review
    if review.state != ReviewState.CLOSED:
        raise ReviewOver(review)
    at_it = Review.objects.open().with_people().filter(case=case).first()
    if at_it is not None:
        raise ReviewTaken(at_it)
    standing = standing_revision(Review.objects.filter(case=case), newest_revision(case.pk))
    if not can_revert(review, standing):
        raise NotInForce(review)
    gold = write_gold(case_id=case.pk, gold=gold_at(case, review.gold_before))
    review.state = ReviewState.REVERTED
    review.reverted_by, review.revert_reason = reviewer, reason
    review.reverted_at, review.revert_revision = timezone.now(), gold.revision
    review.save(update_fields=["state", "reverted_by", "revert_reason", "reverted_at", "revert_revision"])
    tell(
        review,
        "review.reverted",
        actor=reviewer,
        before={"gold": review.gold_revision},
        after={"gold": gold.revision, "same_as": review.gold_before or None, "reason": reason},
    )
    tell_closed(review)
    return review
