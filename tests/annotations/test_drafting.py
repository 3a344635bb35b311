"""Saving drafts: nothing lost, nothing overwritten."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from django.db.models import JSONField, Value
from django.utils import timezone

from annotations.assigning import HandedOut, lock_case, next_case, release
from annotations.content import EMPTY, BadContent
from annotations.drafting import ReadingLocked, Saved, StaleDraft, save_draft
from annotations.models import Assignment, AssignmentState, Reading, ReadingState
from annotations.submission import submit
from curation.models import Benchmark, Case, Role, User
from tests.annotations.contents import content, roi, step
from tests.annotations.together import PATIENCE_S, at_once, until_waiting
from tests.factories import make_benchmark, make_case, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries

FULL = content()


@pytest.fixture
def reading(reader: User, benchmark: Benchmark, case: Case) -> Reading:
    return take(reader, benchmark)


def take(reader: User, benchmark: Benchmark) -> Reading:
    given = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(given, HandedOut)
    return given.reading


def stored(reading: Reading) -> tuple[int, dict[str, Any], str]:
    reading.refresh_from_db()
    return reading.version, reading.draft, reading.state


def expire() -> None:
    Assignment.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))


def test_a_save_is_the_next_version(reading: Reading) -> None:
    given = content()
    saved = save_draft(reading_id=reading.pk, version=0, content=given)
    assert stored(reading) == (1, given, ReadingState.DRAFT)
    assert saved == Saved(1, reading.saved_at)


def test_a_save_prolongs_the_lease(reading: Reading) -> None:
    Assignment.objects.update(lease_expires_at=timezone.now() + dt.timedelta(seconds=30))
    save_draft(reading_id=reading.pk, version=0, content={})
    assert Assignment.objects.get().lease_expires_at > timezone.now() + dt.timedelta(minutes=1)


def test_a_stale_save_loses_neither_side(reading: Reading) -> None:
    mine, other = content(), content()
    save_draft(reading_id=reading.pk, version=0, content=other)
    with pytest.raises(StaleDraft, match="version 0 was sent, version 1 is stored") as caught:
        save_draft(reading_id=reading.pk, version=0, content=mine)
    assert (caught.value.yours, caught.value.theirs, caught.value.version) == (mine, other, 1)
    assert stored(reading)[:2] == (1, other)


def test_a_version_from_the_future_is_stale_too(reading: Reading) -> None:
    with pytest.raises(StaleDraft) as caught:
        save_draft(reading_id=reading.pk, version=7, content=content())
    assert caught.value.theirs == EMPTY


def test_a_retry_of_the_same_save_changes_nothing(reading: Reading) -> None:
    given = content()
    first = save_draft(reading_id=reading.pk, version=0, content=given)
    assert save_draft(reading_id=reading.pk, version=0, content=given) == first
    assert stored(reading)[0] == 1


def test_a_retry_is_the_same_however_its_mask_is_written(reading: Reading) -> None:
    spelt = {"size": [48, 64], "counts": [0, 4, 3068]}
    box = roi(shape="mask", geometry=spelt)
    save_draft(reading_id=reading.pk, version=0, content={"rois": [box]})
    assert save_draft(reading_id=reading.pk, version=0, content={"rois": [box]}).version == 1
    assert stored(reading)[1]["rois"][0]["geometry"]["counts"] == "04lo2"


@pytest.mark.parametrize(
    "bad",
    [
        {"rois": [roi(geometry={"x0": float("nan"), "y0": 0, "x1": 1, "y1": 1})]},
        {"rois": [roi(frame=1)]},
        {"steps": [step(evidence=[str(uuid.uuid4())])]},
        None,
    ],
)
def test_bad_content_leaves_the_draft_as_it_was(bad: object, reading: Reading) -> None:
    given = content()
    save_draft(reading_id=reading.pk, version=0, content=given)
    with pytest.raises(BadContent):
        save_draft(reading_id=reading.pk, version=1, content=bad)
    assert stored(reading) == (1, given, ReadingState.DRAFT)


@pytest.mark.parametrize("state", [ReadingState.SUBMITTED, ReadingState.CLOSED])
def test_a_finished_reading_is_locked(state: ReadingState, reading: Reading) -> None:
    Reading.objects.update(state=state)
    with pytest.raises(ReadingLocked, match=f"the reading is {state.value}"):
        save_draft(reading_id=reading.pk, version=0, content=content())
    assert stored(reading)[0] == 0


def test_a_lease_that_ran_out_is_taken_up_again_while_the_place_is_free(reading: Reading) -> None:
    expire()
    save_draft(reading_id=reading.pk, version=0, content=content())
    assert Assignment.objects.get().lease_expires_at > timezone.now()
    assert stored(reading)[2] == ReadingState.DRAFT


@pytest.mark.parametrize("ended", [AssignmentState.RELEASED, AssignmentState.SKIPPED])
def test_writing_on_after_giving_back_takes_the_place_again(ended: AssignmentState, reading: Reading) -> None:
    Assignment.objects.update(state=ended, lease_expires_at=timezone.now())
    save_draft(reading_id=reading.pk, version=0, content=content())
    assert Assignment.objects.get().state == AssignmentState.LEASED


def test_a_draft_without_a_place_is_kept_as_surplus_and_comes_back(
    reading: Reading, other_reader: User, benchmark: Benchmark
) -> None:
    expire()
    take(other_reader, benchmark)
    given = content()
    assert save_draft(reading_id=reading.pk, version=0, content=given).version == 1
    assert stored(reading) == (1, given, ReadingState.SURPLUS)
    assert save_draft(reading_id=reading.pk, version=1, content=content()).version == 2
    Assignment.objects.filter(reader=other_reader).update(state=AssignmentState.RELEASED)
    save_draft(reading_id=reading.pk, version=2, content=given)
    assert stored(reading) == (3, given, ReadingState.DRAFT)


def test_a_save_costs_five_queries(reading: Reading, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    # The savepoint around it in a test, twice; frame, lease, draft.
    with django_assert_num_queries(5):
        save_draft(reading_id=reading.pk, version=0, content=content())


@pytest.mark.parametrize("options", [None, Value(None, JSONField()), {}])
def test_a_case_without_options_takes_any_answer(reading: Reading, options: Any) -> None:
    Case.objects.update(options=options)
    assert save_draft(reading_id=reading.pk, version=0, content=content(answer={"text": "effusion"})).version == 1


def test_time_at_work_is_counted_by_the_servers_clock_and_no_pause_for_long(reading: Reading) -> None:
    now = timezone.now()
    Reading.objects.update(created_at=now - dt.timedelta(seconds=30))
    save_draft(reading_id=reading.pk, version=0, content=content())
    Reading.objects.update(saved_at=timezone.now() - dt.timedelta(seconds=45))
    save_draft(reading_id=reading.pk, version=1, content=content())
    Reading.objects.update(saved_at=timezone.now() - dt.timedelta(hours=8))
    save_draft(reading_id=reading.pk, version=2, content=content())
    reading.refresh_from_db()
    assert reading.active_s == pytest.approx(30 + 45 + 120, abs=20)
    Reading.objects.update(saved_at=timezone.now() + dt.timedelta(hours=8))  # the server's clock was set back
    save_draft(reading_id=reading.pk, version=3, content=content())
    reading.refresh_from_db()
    assert reading.active_s == pytest.approx(195, abs=20)
    revision = submit(reading_id=reading.pk, version=4, key="k")
    assert revision.active_s == pytest.approx(reading.active_s)


@pytest.mark.django_db(transaction=True)
def test_of_eight_different_saves_at_once_one_wins_and_seven_hear_of_it() -> None:
    benchmark = make_benchmark("tabs")
    make_case(benchmark)
    reading = take(make_user("rosa", Role.READER, benchmark), benchmark)

    def save(given: dict[str, Any]) -> Saved | StaleDraft:
        try:
            return save_draft(reading_id=reading.pk, version=0, content=given)
        except StaleDraft as error:
            return error

    given = [content() for _ in range(8)]
    answers = at_once([partial(save, one) for one in given])
    winners = [one for one, answer in zip(given, answers, strict=True) if isinstance(answer, Saved)]
    assert len(winners) == 1
    assert stored(reading)[:2] == (1, winners[0])
    assert all(answer.theirs == winners[0] for answer in answers if isinstance(answer, StaleDraft))


@pytest.mark.django_db(transaction=True)
def test_a_freed_place_is_taken_by_one_of_two_writers() -> None:
    benchmark = make_benchmark("late")
    make_case(benchmark)
    readings = []
    for name in ("rosa", "omar"):
        readings.append(take(make_user(name, Role.READER, benchmark), benchmark))
        expire()
    at_once([partial(save_draft, reading_id=reading.pk, version=0, content=content()) for reading in readings])
    assert sorted(Reading.objects.values_list("state", flat=True)) == ["draft", "surplus"]
    assert Assignment.objects.holding_a_place(timezone.now()).count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(4))
def test_saving_while_giving_back_in_another_tab_never_holds_a_place_too_many(turn: int) -> None:
    benchmark = make_benchmark("tabs")
    make_case(benchmark)
    reading = take(make_user("rosa", Role.READER, benchmark), benchmark)
    lease = Assignment.objects.get()
    others = [make_user(f"reader{number}", Role.READER, benchmark) for number in range(3)]
    calls: list[Callable[[], object]] = [partial(next_case, reader=other, benchmark=benchmark) for other in others]
    calls.insert(turn % 3, partial(release, assignment_id=lease.pk))
    calls += [partial(save_draft, reading_id=reading.pk, version=0, content=FULL)] * 2
    at_once(calls)
    assert Assignment.objects.holding_a_place(timezone.now()).count() <= 1
    reading.refresh_from_db()
    assert reading.draft == FULL


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(5))
def test_a_save_and_a_submit_that_waited_for_a_release_do_not_wait_for_each_other(turn: int) -> None:
    benchmark = make_benchmark(f"tabs{turn}")
    case = make_case(benchmark)
    reading = take(make_user("rosa", Role.READER, benchmark), benchmark)
    is_held = threading.Event()

    def give_back() -> None:
        with transaction.atomic():
            lock_case(case.pk)
            Assignment.objects.update(state=AssignmentState.RELEASED)
            is_held.set()
            until_waiting(2)  # the save for the assignment, the submit for the case

    def write(do: Callable[[], object]) -> object:
        assert is_held.wait(PATIENCE_S)
        try:
            return do()
        except (StaleDraft, ReadingLocked) as error:
            return error

    save = partial(save_draft, reading_id=reading.pk, version=0, content=FULL)
    sent = partial(submit, reading_id=reading.pk, version=0, key="k")
    calls: list[Callable[[], object]] = [give_back, partial(write, save), partial(write, sent)]
    at_once(calls)
    reading.refresh_from_db()
    assert (reading.draft == FULL, reading.revision) in [(True, 0), (False, 1)]
    assert Assignment.objects.get().state in (AssignmentState.LEASED, AssignmentState.SUBMITTED)
