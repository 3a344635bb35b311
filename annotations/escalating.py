"""Handing a review to a named colleague, who finds it among what they are mentioned in."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotations import commenting
from annotations.blinding import is_blind
from annotations.models import Reading, Review, ReviewState
from annotations.review import ReviewOver, ReviewTaken, locked, tell
from curation.models import Membership, Role, User
from curation.permissions import CURATE, REVIEW

if TYPE_CHECKING:
    import uuid

    from curation.models import Case


def reviewers_of(case: Case) -> list[User]:
    """Everybody of whom `may_review` is true, by user name; three queries, however many members."""
    in_benchmark = Membership.objects.filter(Q(benchmark=case.benchmark_id) | Q(benchmark=None), user__is_active=True)
    people: dict[uuid.UUID, User] = {}
    roles: dict[uuid.UUID, set[str]] = defaultdict(set)
    for row in in_benchmark.select_related("user"):
        people[row.user_id] = row.user
        roles[row.user_id].add(row.role)
    for user in User.objects.filter(is_superuser=True, is_active=True):
        people[user.pk] = user
        roles[user.pk].add(Role.ADMIN.value)
    have_read = set(Reading.objects.filter(case=case, revision__gt=0).values_list("reader_id", flat=True))
    able = {Role.REVIEWER.value, Role.CURATOR.value, Role.ADMIN.value}
    found = [
        user
        for pk, user in people.items()
        if roles[pk] & able and (Role.READER.value not in roles[pk] or pk in have_read)
    ]
    return sorted(found, key=lambda user: user.username)


class NobodyToEscalateTo(Exception):
    """The person named may not review the case. Says no more, so that nobody is looked up by it."""

    def __init__(self, username: str) -> None:
        super().__init__(f"{username[:150]!r} is nobody who may review this case")


def may_review(user: User, case: Case) -> bool:
    """Whether somebody may settle a case: by role, and with the own blind reading, if one is due, behind them."""
    return user.is_active and user.has_perm(REVIEW, case.benchmark) and not is_blind(user, case)


@transaction.atomic
def escalate_review(*, review_id: uuid.UUID, actor: User, to: str, reason: str) -> Review:
    """Hand an open review, as it stands, to somebody else.

    Parameters
    ----------
    actor
        Its holder; or a curator, who may hand on anybody's, to themselves too: a review nobody comes back to would
        bar the case for ever.
    to
        User name of a reviewer, curator or admin of the benchmark.
    reason
        Goes to the trail, and as a comment that mentions them to the person named.

    Raises
    ------
    NobodyToEscalateTo
        If the person named may not review the case, or holds the review.
    ReviewTaken, ReviewOver
        If it is not the actor's to hand on.
    """
    review = locked(review_id)
    if not review.is_open:
        raise ReviewOver(review)
    before = review.holder
    if before != actor and not actor.has_perm(CURATE, review.case.benchmark):
        raise ReviewTaken(review)
    named = User.objects.filter(username=to).first() if "\0" not in to else None
    if named is None or named == before or not may_review(named, review.case):
        raise NobodyToEscalateTo(to)
    review.state = ReviewState.ESCALATED
    review.escalated_to, review.escalation_reason, review.escalated_at = named, reason, timezone.now()
    # What the one before had on the way would otherwise land on the new one's work.
    review.version += 1
    review.save(update_fields=["state", "escalated_to", "escalation_reason", "escalated_at", "version"])
    tell(
        review,
        "review.escalated",
        actor=actor,
        before={"holder": before.username},
        after={"holder": named.username, "reason": reason},
    )
    commenting.notify(case=review.case, author=actor, named=named, text=f"Review {review.number}: {reason}")
    return review
