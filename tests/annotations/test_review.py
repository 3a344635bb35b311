"""One person at a time settles a case; closing writes the gold, undoing brings the old one back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from annotations.content import BadContent
from annotations.escalating import NobodyToEscalateTo, escalate_review
from annotations.models import Comment, Mention, Reading, ReadingRevision, Review, ReviewState
from annotations.reverting import NotInForce, revert_review
from annotations.review import (
    GoldMoved,
    NothingToReview,
    OnlyOwnReading,
    ReviewOver,
    ReviewTaken,
    StaleReview,
    Wanted,
    close_review,
    discard_review,
    open_review,
    save_review,
)
from annotations.signals import review_closed
from curation.digests import case_record, content_digest, with_record_parts
from curation.gold_revisions import gold_at, write_gold
from curation.models import AuditEvent, Benchmark, Case, Event, Gold, GoldRoi, Membership, Role, User
from curation.signals import cases_changed
from tests.annotations.contents import content
from tests.annotations.submitted import submitted
from tests.annotations.together import at_once
from tests.factories import make_benchmark, make_case, make_user

if TYPE_CHECKING:
    from pytest_django import DjangoCaptureOnCommitCallbacks

GOLD = {"answer": {"choice": "A"}, "rois": [], "steps": []}


@pytest.fixture
def first(case: Case, reader: User) -> Reading:
    return submitted(case, reader, content())


@pytest.fixture
def second(case: Case, other_reader: User) -> Reading:
    return submitted(case, other_reader, content(answer={"choice": "A"}))


@pytest.fixture
def review(case: Case, first: Reading, second: Reading, reviewer: User) -> Review:
    return open_review(case_id=case.pk, reviewer=reviewer)[0]


def picked(reading: Reading, **more: Any) -> Wanted:
    return Wanted(action="pick", sources=[{"reading": str(reading.pk)}], reason="The box is right.", **more)


def close(review: Review, reviewer: User, wanted: Wanted) -> Review:
    stored = Review.objects.get(pk=review.pk)
    return close_review(review_id=review.pk, reviewer=reviewer, version=stored.version, wanted=wanted)


def in_force(case: Case) -> Gold | None:
    return Gold.objects.in_force().filter(case=case).first()


# Opening ---------------------------------------------------------------------------------------------------------


def test_opening_twice_is_once(review: Review, case: Case, reviewer: User) -> None:
    again, is_new = open_review(case_id=case.pk, reviewer=reviewer)
    assert (again.pk, is_new) == (review.pk, False)
    assert (review.number, review.state, review.version, review.gold_before) == (1, ReviewState.OPEN, 0, 0)
    event = AuditEvent.objects.get(action="review.opened")
    assert event.after == {"case": str(case.pk), "review": 1, "gold": 0}


def test_a_second_reviewer_is_told_who_and_since_when(review: Review, case: Case, curator: User) -> None:
    with pytest.raises(ReviewTaken, match=f"vera has been reviewing this case since {review.opened_at:%d %B %Y}"):
        open_review(case_id=case.pk, reviewer=curator)
    with pytest.raises(ReviewTaken):
        save_review(review_id=review.pk, reviewer=curator, version=0, wanted=Wanted(reason="mine"))


def test_nothing_to_review(case: Case, reviewer: User) -> None:
    with pytest.raises(NothingToReview, match="case1"):
        open_review(case_id=case.pk, reviewer=reviewer)


def test_nobody_settles_a_case_on_their_own_word_alone(case: Case, first: Reading, other_reader: User) -> None:
    Membership.objects.create(user=first.reader, benchmark=case.benchmark, role=Role.REVIEWER)
    with pytest.raises(OnlyOwnReading, match="somebody else"):
        open_review(case_id=case.pk, reviewer=first.reader)
    submitted(case, other_reader, content())
    review, _ = open_review(case_id=case.pk, reviewer=first.reader)
    assert close(review, first.reader, picked(first)).has_read_case is True
    assert AuditEvent.objects.get(action="review.closed").after["has_read_case"] is True


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_gets_the_review() -> None:
    benchmark = make_benchmark()
    case = make_case(benchmark)
    submitted(case, make_user("rosa", Role.READER, benchmark), content())
    reviewers = [make_user(f"reviewer{n}", Role.REVIEWER, benchmark) for n in range(8)]

    def attempt(user: User) -> str:
        try:
            return str(open_review(case_id=case.pk, reviewer=user)[0].opened_by)
        except ReviewTaken as taken:
            return f"no: {taken.review.holder}"

    said = at_once([partial(attempt, user) for user in reviewers])
    winners = [one for one in said if not one.startswith("no")]
    assert len(winners) == 1
    assert {one for one in said if one.startswith("no")} == {f"no: {winners[0]}"}
    assert Review.objects.count() == 1


# Saving ----------------------------------------------------------------------------------------------------------


def test_saving_counts_versions_and_a_save_sent_again_is_answered(review: Review, reviewer: User) -> None:
    save = partial(save_review, review_id=review.pk, reviewer=reviewer)
    saved = save(version=0, wanted=Wanted(action="edit", content=GOLD, reason="half a sent"))
    assert (saved.version, saved.content["answer"], saved.reason) == (1, {"choice": "A"}, "half a sent")
    assert save(version=0, wanted=Wanted(action="edit", content=GOLD, reason="half a sent")).version == 1
    with pytest.raises(StaleReview) as caught:
        save(version=0, wanted=Wanted(reason="another"))
    assert (caught.value.yours["reason"], caught.value.theirs["reason"]) == ("another", "half a sent")
    assert caught.value.version == 1


def test_sources_alone_make_the_content(review: Review, reviewer: User, first: Reading, second: Reading) -> None:
    said = ReadingRevision.objects.get(reading=first).content
    wanted = Wanted(
        action="merge",
        sources=[
            {"reading": str(second.pk), "rois": [], "steps": []},
            {"reading": str(first.pk), "answer": False, "steps": []},
        ],
    )
    saved = save_review(review_id=review.pk, reviewer=reviewer, version=0, wanted=wanted)
    assert saved.content == {"answer": {"choice": "A"}, "rois": said["rois"], "steps": []}
    assert saved.sources == [
        {"reading": str(second.pk), "revision": 1, "answer": True, "rois": [], "steps": []},
        {"reading": str(first.pk), "revision": 1, "answer": False, "rois": [said["rois"][0]["id"]], "steps": []},
    ]


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        (Wanted(action="guess"), "action"),
        (Wanted(reason="x" * 2001), "reason"),
        (Wanted(content=[]), "content"),
        (Wanted(content={"answer": {"choice": "Q"}}), "content.answer.choice"),
        (Wanted(sources=[{"reading": "other"}]), "sources[0].reading"),
    ],
)
def test_a_fault_is_named_and_nothing_is_lost(review: Review, reviewer: User, wanted: Wanted, path: str) -> None:
    with pytest.raises(BadContent) as caught:
        save_review(review_id=review.pk, reviewer=reviewer, version=0, wanted=wanted)
    assert [error.path for error in caught.value.errors] == [path]
    assert Review.objects.get(pk=review.pk).version == 0


# Closing ---------------------------------------------------------------------------------------------------------


def test_closing_writes_gold_that_every_part_follows(
    review: Review,
    case: Case,
    reviewer: User,
    first: Reading,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    heard: list[Any] = []
    review_closed.connect(on_review := lambda case_id, **_: heard.append(("review", case_id)), weak=False)
    cases_changed.connect(on_cases := lambda case_ids, **_: heard.append(("cases", case_ids)), weak=False)
    before = Case.objects.get(pk=case.pk)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            closed = close(review, reviewer, picked(first))
    finally:
        review_closed.disconnect(on_review)
        cases_changed.disconnect(on_cases)
    assert sorted(heard, key=str) == [("cases", [case.pk]), ("review", case.pk)]
    said = ReadingRevision.objects.get(reading=first).content
    gold = in_force(case)
    assert gold is not None
    assert (gold.revision, gold.answer, gold.steps) == (1, said["answer"], said["steps"])
    assert str(GoldRoi.objects.get(gold=gold).client_id) == said["rois"][0]["id"]
    assert (closed.state, closed.gold_revision, closed.gold_before, closed.closed_by) == ("closed", 1, 0, reviewer)
    after = Case.objects.get(pk=case.pk)
    assert (after.version, after.input_digest) == (before.version + 1, before.input_digest)
    assert after.content_digest == content_digest(case_record(with_record_parts([case.pk])[0]))
    event = AuditEvent.objects.get(action="review.closed")
    assert event.before == {"gold": 0, "digest": None}
    assert event.after["reason"] == "The box is right."
    assert event.after["readings"] == [f"{first.pk} revision 1"]
    told = Event.objects.exclude(is_blinded=True).exclude(reader_id__isnull=False)
    assert not told.exists()


def test_closing_sent_again_is_answered_the_same(review: Review, reviewer: User, first: Reading) -> None:
    closed = close_review(review_id=review.pk, reviewer=reviewer, version=0, wanted=picked(first))
    again = close_review(review_id=review.pk, reviewer=reviewer, version=0, wanted=picked(first))
    assert (again.version, again.gold_revision) == (closed.version, 1)
    with pytest.raises(ReviewOver, match="closed"):
        close_review(review_id=review.pk, reviewer=reviewer, version=1, wanted=Wanted(reason="other"))


@pytest.mark.parametrize(
    ("wanted", "paths"),
    [
        (Wanted(), {"reason", "action", "content"}),
        (Wanted(action="edit", content=GOLD, reason="   "), {"reason"}),
        (Wanted(action="merge", content=GOLD, reason="why"), {"sources"}),
        (Wanted(action="edit", reason="why"), {"content"}),
    ],
)
def test_what_closing_needs(review: Review, reviewer: User, case: Case, wanted: Wanted, paths: set[str]) -> None:
    with pytest.raises(BadContent) as caught:
        close(review, reviewer, wanted)
    assert {error.path for error in caught.value.errors} == paths
    assert in_force(case) is None


def test_gold_that_came_in_meanwhile_is_looked_at_first(review: Review, case: Case, reviewer: User) -> None:
    write_gold(case_id=case.pk, gold=GOLD)
    wanted = Wanted(action="edit", content=GOLD, reason="why")
    with pytest.raises(GoldMoved, match="revision 1 now, it was at 0"):
        close(review, reviewer, wanted)
    save_review(review_id=review.pk, reviewer=reviewer, version=0, wanted=wanted)
    assert close(review, reviewer, wanted).gold_revision == 2


def test_submitted_revisions_stay_as_they_were(review: Review, reviewer: User, first: Reading) -> None:
    before = list(ReadingRevision.objects.order_by("pk").values())
    close(review, reviewer, picked(first))
    revert_review(review_id=review.pk, reviewer=reviewer, reason="no")
    assert list(ReadingRevision.objects.order_by("pk").values()) == before


@pytest.mark.django_db(transaction=True)
def test_closed_and_saved_at_once_from_two_tabs_one_gold_is_written() -> None:
    benchmark = make_benchmark()
    case = make_case(benchmark)
    reading = submitted(case, make_user("rosa", Role.READER, benchmark), content())
    vera = make_user("vera", Role.REVIEWER, benchmark)
    review, _ = open_review(case_id=case.pk, reviewer=vera)

    def attempt() -> str:
        try:
            return close_review(review_id=review.pk, reviewer=vera, version=0, wanted=picked(reading)).state
        except (StaleReview, ReviewOver) as error:
            return type(error).__name__

    assert set(at_once([attempt] * 6)) == {"closed"}
    assert Gold.objects.filter(case=case).count() == 1
    assert Case.objects.get(pk=case.pk).version == 2


def test_set_aside_the_case_is_free_again(review: Review, case: Case, reviewer: User, curator: User) -> None:
    done = discard_review(review_id=review.pk, reviewer=reviewer, reason="opened by mistake")
    assert (done.state, in_force(case)) == (ReviewState.DISCARDED, None)
    assert open_review(case_id=case.pk, reviewer=curator)[0].number == 2


# Undoing ---------------------------------------------------------------------------------------------------------


def test_undone_a_case_without_gold_has_none_again(review: Review, case: Case, reviewer: User, first: Reading) -> None:
    digest_before = content_digest(case_record(with_record_parts([case.pk])[0]))
    close(review, reviewer, picked(first))
    reverted = revert_review(review_id=review.pk, reviewer=reviewer, reason="the wrong patient")
    assert (reverted.state, reverted.revert_revision) == (ReviewState.REVERTED, 2)
    assert in_force(case) is None
    assert list(Gold.objects.filter(case=case).order_by("revision").values_list("is_withdrawn", flat=True)) == [
        False,
        True,
    ]
    assert Case.objects.get(pk=case.pk).content_digest == digest_before
    event = AuditEvent.objects.get(action="review.reverted")
    assert (event.before, event.after["same_as"], event.after["reason"]) == ({"gold": 1}, None, "the wrong patient")
    assert revert_review(review_id=review.pk, reviewer=reviewer, reason="the wrong patient").revert_revision == 2


def test_undone_one_by_one_down_to_what_was_imported(
    case: Case, reviewer: User, first: Reading, second: Reading
) -> None:
    write_gold(case_id=case.pk, gold=GOLD)
    imported = gold_at(case, 1)
    reviews = []
    for reading in (first, second):
        review, _ = open_review(case_id=case.pk, reviewer=reviewer)
        reviews.append(close(review, reviewer, picked(reading)))
    with pytest.raises(NotInForce, match="undo what came after it first"):
        revert_review(review_id=reviews[0].pk, reviewer=reviewer, reason="no")
    revert_review(review_id=reviews[1].pk, reviewer=reviewer, reason="no")
    assert gold_at(case, 4) == gold_at(case, 2)
    revert_review(review_id=reviews[0].pk, reviewer=reviewer, reason="no")
    assert gold_at(case, 5) == imported
    assert Gold.objects.filter(case=case).count() == 5
    with pytest.raises(ReviewOver, match="reverted"):
        revert_review(review_id=reviews[0].pk, reviewer=reviewer, reason="again, otherwise")


def test_nothing_is_undone_under_an_open_review(
    review: Review, case: Case, reviewer: User, curator: User, first: Reading
) -> None:
    close(review, reviewer, picked(first))
    open_review(case_id=case.pk, reviewer=curator)
    with pytest.raises(ReviewTaken, match="carl"):
        revert_review(review_id=review.pk, reviewer=reviewer, reason="no")


# Escalating ------------------------------------------------------------------------------------------------------


def test_handed_on_it_is_the_other_ones_with_a_notice(
    review: Review, case: Case, reviewer: User, curator: User
) -> None:
    handed = escalate_review(review_id=review.pk, actor=reviewer, to="carl", reason="Not my field.")
    assert (handed.state, handed.holder, handed.version) == (ReviewState.ESCALATED, curator, 1)
    mention = Mention.objects.get()
    assert (mention.user, mention.comment.text) == (curator, "Review 1: Not my field.")
    with pytest.raises(ReviewTaken, match="carl"):
        save_review(review_id=review.pk, reviewer=reviewer, version=1, wanted=Wanted(reason="late"))
    wanted = Wanted(action="edit", content=GOLD, reason="It is A.")
    assert close(review, curator, wanted).closed_by == curator


def test_a_curator_takes_over_what_lies_open(review: Review, curator: User, admin: User) -> None:
    assert escalate_review(review_id=review.pk, actor=curator, to="carl", reason="She left.").holder == curator


@pytest.mark.parametrize("to", ["rosa", "emil", "otto", "nobody", "vera", "", "a\0b"])
def test_handed_on_only_to_who_may_review(
    review: Review, reviewer: User, engineer: User, outsider: User, to: str
) -> None:
    with pytest.raises(NobodyToEscalateTo, match="nobody who may review"):
        escalate_review(review_id=review.pk, actor=reviewer, to=to, reason="hard")
    assert not Comment.objects.exists()


def test_not_to_who_must_read_it_blind(review: Review, reviewer: User, curator: User, benchmark: Benchmark) -> None:
    Membership.objects.create(user=curator, benchmark=benchmark, role=Role.READER)
    with pytest.raises(NobodyToEscalateTo):
        escalate_review(review_id=review.pk, actor=reviewer, to="carl", reason="hard")
