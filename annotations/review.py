"""Reviewing a case: one person at a time puts the gold together, never loses a word of it, and closes with a reason.

Locks are taken in the order case, review. What readers submitted is only ever read here.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from annotations import assigning
from annotations.consensus import consensus_content, consensus_of
from annotations.content import BadContent, Frame
from annotations.models import Reading, ReadingRevision, ReadingState, Review, ReviewAction, ReviewState
from annotations.review_content import (
    NOTHING,
    PARTS,
    as_gold,
    from_gold,
    merged,
    parse_gold_content,
    parse_sources,
    records,
)
from annotations.signals import review_closed
from curation import audit, events
from curation.digests import digest
from curation.fields import FieldError, Fields
from curation.gold_revisions import gold_at, write_gold
from curation.models import Case, Gold, Role

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping

    from curation.models import User

MOST_REASON_CHARACTERS = 2_000
_OUT = (ReadingState.CLOSED, ReadingState.SURPLUS)


class ReviewTaken(Exception):
    """Somebody else is at the case."""

    def __init__(self, review: Review) -> None:
        who, since = review.holder.display_name, review.held_since
        super().__init__(f"{who} has been reviewing this case since {since:%d %B %Y, %H:%M} UTC")
        self.review = review


class ReviewOver(Exception):
    """The review is closed, reverted or set aside."""

    def __init__(self, review: Review) -> None:
        super().__init__(f"review {review.number} is {review.get_state_display().lower()}")
        self.state = review.state


class StaleReview(Exception):
    """The review moved on since the version that the caller knows; both sides are carried, neither is lost."""

    def __init__(self, *, given: int, yours: dict[str, Any], review: Review) -> None:
        super().__init__(f"version {given} was sent, version {review.version} is stored")
        self.yours = yours
        self.theirs = written(review)
        self.version = review.version


class GoldMoved(Exception):
    """Gold came in from elsewhere while the review was open."""

    def __init__(self, *, then: int, now: int) -> None:
        super().__init__(
            f"the gold is at revision {now} now, it was at {then} when this review was last saved; look at it and save"
        )


class NothingToReview(Exception):
    """Nobody has submitted a reading of the case."""


class OnlyOwnReading(Exception):
    """Whoever would review the case is the only one who has read it."""


@dataclass(frozen=True)
class Wanted:
    """What somebody wants a review to hold; None leaves it as it is, or as the sources give it.

    The action `consensus` with neither content nor sources takes what the readings add up to now.
    """

    action: str | None = None
    content: object = None
    sources: object = None
    reason: str | None = None


def written(review: Review) -> dict[str, Any]:
    """What the reviewer has written so far."""
    return {
        "action": review.action,
        "content": {**NOTHING, **review.content},
        "sources": review.sources,
        "reason": review.reason,
    }


def gold_revision(case_id: uuid.UUID) -> int:
    """The revision of the gold in force; 0 for none."""
    return Gold.objects.in_force().filter(case=case_id).values_list("revision", flat=True).first() or 0


@transaction.atomic
def open_review(*, case_id: uuid.UUID, reviewer: User) -> tuple[Review, bool]:
    """Take up the review of a case.

    Parameters
    ----------
    reviewer
        Holds REVIEW in the benchmark and need not read the case blind any more: the caller has seen to both.

    Returns
    -------
    (Review, bool)
        The one that the reviewer holds already and False; or a new one, which starts from the gold there is, and True.

    Raises
    ------
    ReviewTaken
        If somebody else holds it.
    NothingToReview
        If no reading is submitted.
    OnlyOwnReading
        If the reviewer's is the only one: nobody makes gold of their own word alone. Beside others' readings the own
        one is no bar; that the reviewer has read the case is stored with the review and shown.
    """
    case = assigning.lock_case(case_id)
    held = Review.objects.open().with_people().filter(case=case).first()
    if held is not None:
        if held.holder != reviewer:
            raise ReviewTaken(held)
        return held, False
    _check_readers(case, reviewer)
    before = gold_revision(case.pk)
    last = Review.objects.filter(case=case).aggregate(last=Max("number"))["last"] or 0
    review = Review.objects.create(
        case=case,
        number=last + 1,
        content=from_gold(gold_at(case, before), frame_of(case)),
        opened_by=reviewer,
        gold_before=before,
    )
    tell(review, "review.opened", actor=reviewer, after={"gold": before})
    return review, True


@transaction.atomic
def save_review(*, review_id: uuid.UUID, reviewer: User, version: int, wanted: Wanted) -> Review:
    """Store what a reviewer has put together so far over the version it was made from.

    Returns
    -------
    Review
        With its new version; or as it is stored, if `version` is stale but says the same (a save sent again).

    Raises
    ------
    annotations.content.BadContent
        With the path of each fault; what is stored stays.
    StaleReview
        If the review moved on and says something else.
    ReviewTaken, ReviewOver
        If somebody else holds it, or nobody any more.
    """
    review = _held(review_id, reviewer)
    return _save(review, version, _checked(review, wanted))


@transaction.atomic
def close_review(*, review_id: uuid.UUID, reviewer: User, version: int, wanted: Wanted) -> Review:
    """Write the gold and close the review; sent again it is answered the same.

    Raises
    ------
    annotations.content.BadContent
        Also without a reason, or with nothing that gold could say.
    GoldMoved
        If gold came in since the review was last saved.
    StaleReview, ReviewTaken, ReviewOver
        As `save_review`.
    """
    case = assigning.lock_case(Review.objects.values_list("case_id", flat=True).get(pk=review_id))
    review = Review.objects.with_people().get(pk=review_id)
    if is_closed_as(review=review, reviewer=reviewer, wanted=wanted):
        return review
    review = _held(review_id, reviewer)
    checked = _checked(review, wanted)
    _check_finished(checked)
    _check_picked(case, checked)
    now_at = gold_revision(case.pk)
    if now_at != review.gold_before:
        raise GoldMoved(then=review.gold_before, now=now_at)
    review = _save(review, version, checked)
    gold = write_gold(case_id=case.pk, gold=as_gold(review.content))
    review.state = ReviewState.CLOSED
    review.closed_by, review.closed_at = reviewer, timezone.now()
    review.gold_revision = gold.revision
    review.has_read_case = has_read(reviewer, case)
    review.save(update_fields=["state", "closed_by", "closed_at", "gold_revision", "has_read_case"])
    tell(
        review,
        "review.closed",
        actor=reviewer,
        before=_told(gold_at(case, review.gold_before), review.gold_before),
        after={
            **_told(as_gold(review.content), gold.revision),
            "action": review.action,
            "reason": review.reason,
            "readings": [f"{source['reading']} revision {source['revision']}" for source in review.sources],
            "has_read_case": review.has_read_case,
        },
    )
    tell_closed(review)
    return review


def is_closed_as(*, review: Review, reviewer: User, wanted: Wanted) -> bool:
    """Whether the reviewer has closed it saying just this, and its gold is in force: then this is the request again."""
    if review.state != ReviewState.CLOSED or review.closed_by != reviewer:
        return False
    return _checked(review, wanted) == written(review) and gold_revision(review.case_id) == review.gold_revision


@transaction.atomic
def discard_review(*, review_id: uuid.UUID, reviewer: User, reason: str) -> Review:
    """Set a review aside without gold: its content is kept, and the case is free for another."""
    assigning.lock_case(Review.objects.values_list("case_id", flat=True).get(pk=review_id))
    review = _held(review_id, reviewer)
    review.state = ReviewState.DISCARDED
    review.closed_by, review.closed_at, review.reason = reviewer, timezone.now(), reason
    review.save(update_fields=["state", "closed_by", "closed_at", "reason"])
    tell(review, "review.discarded", actor=reviewer, after={"reason": reason})
    return review


def frame_of(case: Case) -> Frame:
    """What the gold of a case is checked against."""
    return Frame.of(case, case.benchmark.protocol.config)


def has_read(user: User, case: Case) -> bool:
    """Whether the user has submitted a reading of the case."""
    return Reading.objects.filter(case=case, reader=user, revision__gt=0).exclude(state__in=_OUT).exists()


def submitted_contents(case: Case) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Content of every submitted revision of a case, by (reading, revision)."""
    rows = ReadingRevision.objects.filter(reading__case=case).exclude(reading__state__in=_OUT)
    return {
        (str(reading), revision): content
        for reading, revision, content in rows.values_list("reading_id", "revision", "content")
    }


def tell(
    review: Review, action: str, *, actor: User, before: dict[str, Any] | None = None, after: dict[str, Any]
) -> None:
    """The trail and the live event; whoever must still read the case blind hears neither."""
    benchmark_id = review.case.benchmark_id
    audit.record(
        action,
        actor=actor,
        benchmark_id=benchmark_id,
        object_type="review",
        object_id=str(review.pk),
        before=before,
        after={"case": str(review.case_id), "review": review.number, **after},
    )
    events.publish(
        "review.changed",
        benchmark_id=benchmark_id,
        least_role=Role.REVIEWER,
        is_blinded=True,
        case=str(review.case_id),
        review=str(review.pk),
    )


def tell_closed(review: Review) -> None:
    """Let higher apps know, after the commit, that what is true of the case was settled anew."""
    transaction.on_commit(partial(review_closed.send_robust, sender=Review, case_id=review.case_id))


def locked(review_id: uuid.UUID) -> Review:
    """The review, with its people and case, locked to the end of the transaction."""
    rows = Review.objects.with_people().select_related("case__benchmark").select_for_update(no_key=True, of=("self",))
    return rows.get(pk=review_id)


def _held(review_id: uuid.UUID, reviewer: User) -> Review:
    review = locked(review_id)
    if not review.is_open:
        raise ReviewOver(review)
    if review.holder != reviewer:
        raise ReviewTaken(review)
    return review


def _check_readers(case: Case, reviewer: User) -> None:
    readings = Reading.objects.filter(case=case, revision__gt=0).exclude(state__in=_OUT)
    readers = set(readings.values_list("reader_id", flat=True))
    if not readers:
        raise NothingToReview(f"nobody has submitted a reading of case {case.key} yet")
    if readers == {reviewer.pk}:
        raise OnlyOwnReading(f"yours is the only reading of case {case.key}: somebody else must review it")


def _checked(review: Review, wanted: Wanted) -> dict[str, Any]:
    """As `written`, of what somebody wants."""
    now, fields = written(review), Fields()
    action = now["action"] if wanted.action is None else wanted.action
    if wanted.action is not None:
        fields.one_of(wanted.action, "action", ReviewAction.values)
    reason = now["reason"] if wanted.reason is None else wanted.reason
    fields.text(reason, "reason", most=MOST_REASON_CHARACTERS)
    if fields.errors:
        raise BadContent(tuple(fields.errors))
    sources, content = now["sources"], now["content"]
    if wanted.sources is not None:
        named = parse_sources(wanted.sources, submitted_contents(review.case))
        sources = records(named)
        if wanted.content is None:
            content = merged(named)
    if wanted.content is not None:
        content = wanted.content
    elif wanted.action == ReviewAction.CONSENSUS and wanted.sources is None:
        sources, content = _computed(review.case)
    parsed = parse_gold_content(content, frame_of(review.case))
    if action == ReviewAction.CONSENSUS and (now["action"], now["content"]) != (action, parsed):
        action = _consensus_or_merge(review.case, parsed)
    return {"action": action, "content": parsed, "sources": sources, "reason": reason.strip()}


def _computed(case: Case) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The consensus as it is now, and the readings that it is made of, none of whose parts were taken."""
    told = consensus_of(case=case)
    counted = [told["readings"][number] for number in told["counted"]]
    nothing: dict[str, Any] = {"answer": False, "rois": [], "steps": []}
    return [
        {"reading": one["reading"], "revision": one["counted_revision"], **nothing} for one in counted
    ], consensus_content(told)


def _consensus_or_merge(case: Case, content: Mapping[str, Any]) -> ReviewAction:
    """What gold is that is said to be the computed consensus: that, or parts of several put together by hand.

    Regions are held against each other by what is drawn, for whoever sends them names them anew.
    """
    computed = parse_gold_content(_computed(case)[1], frame_of(case))

    def drawn(one: Mapping[str, Any]) -> list[str]:
        return sorted(digest({**roi, "id": None}) for roi in one["rois"])

    is_it = (content["answer"], content["steps"]) == (computed["answer"], computed["steps"])
    return ReviewAction.CONSENSUS if is_it and drawn(content) == drawn(computed) else ReviewAction.MERGE


def _check_finished(checked: Mapping[str, Any]) -> None:
    lacking = []
    if not checked["reason"]:
        lacking.append(FieldError("reason", "is empty: say in a sentence why this is right"))
    if not checked["action"]:
        lacking.append(FieldError("action", f"is missing: one of {', '.join(ReviewAction.values)}"))
    if checked["content"] == NOTHING:
        lacking.append(FieldError("content", "gold needs an answer, a region or a step"))
    if checked["action"] and checked["action"] != ReviewAction.EDIT and not checked["sources"]:
        lacking.append(FieldError("sources", f"a {checked['action']} names the readings it comes from"))
    if lacking:
        raise BadContent(tuple(lacking))


def _check_picked(case: Case, checked: Mapping[str, Any]) -> None:
    """Refuse gold that is told to be one reading as it is, and is not."""
    if checked["action"] != ReviewAction.PICK:
        return
    contents, frame = submitted_contents(case), frame_of(case)
    said = [contents.get((source["reading"], source["revision"])) for source in checked["sources"]]
    if len(said) == 1 and said[0] is not None:
        whole = {name: said[0][name] for name in PARTS}
        with suppress(BadContent):
            if as_gold(parse_gold_content(whole, frame)) == as_gold(checked["content"]):
                return
    what = "is not one reading as it is: a part of one, or one changed, is an edit; parts of several are a merge"
    raise BadContent((FieldError("action", what),))


def _save(review: Review, version: int, checked: dict[str, Any]) -> Review:
    if review.version != version:
        if checked == written(review):
            return review
        raise StaleReview(given=version, yours=checked, review=review)
    for name, value in checked.items():
        setattr(review, name, value)
    review.version += 1
    review.saved_at = timezone.now()
    fields = [*checked, "version", "saved_at"]
    if review.state != ReviewState.CLOSED:
        review.gold_before = gold_revision(review.case_id)
        fields.append("gold_before")
    review.save(update_fields=fields)
    return review


def _told(gold: Mapping[str, Any] | None, revision: int) -> dict[str, Any]:
    """A gold for the trail: counts and a digest, no clinical text."""
    if gold is None:
        return {"gold": revision, "digest": None}
    return {
        "gold": revision,
        "digest": digest(gold),
        "has_answer": gold["answer"] is not None,
        "rois": len(gold["rois"]),
        "steps": len(gold["steps"]),
    }
