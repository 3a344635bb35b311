"""Who gets which case, and that places are never given twice."""

from __future__ import annotations

import collections
import datetime as dt
import itertools
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.utils import timezone

from annotations.assigning import (
    HandedOut,
    LeaseEnded,
    NothingLeft,
    PlaceTaken,
    heartbeat,
    next_case,
    release,
    skip,
)
from annotations.candidates import CANDIDATES, MARK_LASTS
from annotations.drafting import save_draft
from annotations.models import Assignment, AssignmentState, Origin, QueueMark, ReaderPair, Reading, ReadingState
from annotations.ordering import set_overlap, set_reading_order, void_marks
from annotations.submission import submit
from curation.models import AuditEvent, Benchmark, Case, CaseFacts, Role, User
from tests.annotations.contents import content
from tests.annotations.together import at_once
from tests.factories import make_benchmark, make_case, make_user

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries


def expire(given: HandedOut) -> None:
    Assignment.objects.filter(pk=given.assignment.pk).update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))


def take(reader: User, benchmark: Benchmark) -> HandedOut:
    given = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(given, HandedOut)
    return given


def read_and_submit(reader: User, benchmark: Benchmark) -> Case:
    given = take(reader, benchmark)
    submit(reading_id=given.reading.pk, version=0, key="k")
    return given.assignment.case


def test_gives_the_first_case_in_order(reader: User, benchmark: Benchmark) -> None:
    first = make_case(benchmark, "one")
    make_case(benchmark, "two")
    given = take(reader, benchmark)
    assert given.assignment.case == first
    assert given.reading.state == ReadingState.DRAFT
    assert given.reading.version == 0
    assert CaseFacts.objects.get(case=first).readings_open == 1


def test_gives_an_open_lease_again_and_prolongs_it(reader: User, benchmark: Benchmark, case: Case) -> None:
    make_case(benchmark, "two")
    first = take(reader, benchmark)
    Assignment.objects.update(lease_expires_at=timezone.now() + dt.timedelta(minutes=1))
    again = take(reader, benchmark)
    assert (again.assignment.pk, again.reading.pk) == (first.assignment.pk, first.reading.pk)
    assert again.assignment.lease_expires_at > timezone.now() + dt.timedelta(minutes=2)


def test_passes_over_cases_whose_places_are_taken(
    reader: User, other_reader: User, benchmark: Benchmark, case: Case
) -> None:
    second = make_case(benchmark, "two")
    take(reader, benchmark)
    assert take(other_reader, benchmark).assignment.case == second


def test_says_until_when_the_others_hold_the_rest(
    reader: User, other_reader: User, benchmark: Benchmark, case: Case
) -> None:
    held = take(reader, benchmark).assignment
    assert next_case(reader=other_reader, benchmark=benchmark) == NothingLeft("leased", held.lease_expires_at)


def test_names_the_earliest_of_several_leases(reader: User, other_reader: User, benchmark: Benchmark) -> None:
    make_case(benchmark, "one")
    make_case(benchmark, "two")
    third = make_user("tom", Role.READER, benchmark)
    take(reader, benchmark)
    early = take(other_reader, benchmark).assignment
    soon = timezone.now() + dt.timedelta(minutes=3)
    Assignment.objects.filter(pk=early.pk).update(lease_expires_at=soon)
    assert next_case(reader=third, benchmark=benchmark) == NothingLeft("leased", soon)


def test_says_done_when_everything_is_read(reader: User, other_reader: User, benchmark: Benchmark, case: Case) -> None:
    read_and_submit(reader, benchmark)
    assert next_case(reader=reader, benchmark=benchmark) == NothingLeft("done")
    assert next_case(reader=other_reader, benchmark=benchmark) == NothingLeft("done")


def test_an_empty_benchmark_is_done(reader: User, benchmark: Benchmark) -> None:
    assert next_case(reader=reader, benchmark=benchmark) == NothingLeft("done")


def test_gives_nothing_while_paused_but_leaves_an_open_lease(
    reader: User, other_reader: User, benchmark: Benchmark, case: Case
) -> None:
    make_case(benchmark, "two")
    held = take(reader, benchmark)
    benchmark.is_paused = True
    benchmark.save()
    assert take(reader, benchmark).assignment == held.assignment
    assert next_case(reader=other_reader, benchmark=benchmark) == NothingLeft("paused")


@pytest.mark.parametrize("name", ["reviewer", "curator", "engineer", "admin", "outsider"])
def test_who_is_no_reader_is_not_assigned(
    name: str, request: pytest.FixtureRequest, benchmark: Benchmark, case: Case
) -> None:
    given = next_case(reader=request.getfixturevalue(name), benchmark=benchmark)
    assert given == NothingLeft("not_assigned")
    assert not Assignment.objects.exists()


def test_a_lease_that_ran_out_frees_the_place(
    reader: User, other_reader: User, benchmark: Benchmark, case: Case
) -> None:
    expire(take(reader, benchmark))
    assert take(other_reader, benchmark).assignment.case == case


def test_a_draft_under_a_lease_that_ran_out_comes_back_first(reader: User, benchmark: Benchmark) -> None:
    make_case(benchmark, "one")
    second = make_case(benchmark, "two")
    release(assignment_id=take(reader, benchmark).assignment.pk)
    Assignment.objects.update(state=AssignmentState.SKIPPED)
    given = take(reader, benchmark)
    assert given.assignment.case == second
    save_draft(reading_id=given.reading.pk, version=0, content=content())
    expire(given)
    Assignment.objects.exclude(pk=given.assignment.pk).update(state=AssignmentState.RELEASED)
    again = take(reader, benchmark)
    assert again.assignment.case == second
    assert again.reading.version == 1


def test_a_skipped_case_does_not_come_back_and_a_released_one_does(reader: User, benchmark: Benchmark) -> None:
    first = make_case(benchmark, "one")
    second = make_case(benchmark, "two")
    release(assignment_id=take(reader, benchmark).assignment.pk)
    given = take(reader, benchmark)
    assert given.assignment.case == first
    skipped = skip(assignment_id=given.assignment.pk, reason="blurred")
    assert skipped.skip_reason == "blurred"
    assert take(reader, benchmark).assignment.case == second
    assert AuditEvent.objects.get(action="assignment.skipped").after == {"case": str(first.pk), "reason": "blurred"}


def test_releasing_twice_is_the_same_as_once(reader: User, benchmark: Benchmark, case: Case) -> None:
    given = take(reader, benchmark)
    release(assignment_id=given.assignment.pk)
    assert release(assignment_id=given.assignment.pk).state == AssignmentState.RELEASED
    assert AuditEvent.objects.filter(action="assignment.released").count() == 1


def test_a_heartbeat_prolongs(reader: User, benchmark: Benchmark, case: Case) -> None:
    given = take(reader, benchmark)
    Assignment.objects.update(lease_expires_at=timezone.now() + dt.timedelta(seconds=30))
    assert heartbeat(assignment_id=given.assignment.pk).lease_expires_at > timezone.now() + dt.timedelta(minutes=1)


def test_a_heartbeat_takes_up_a_free_place_again_and_no_taken_one(
    reader: User, other_reader: User, benchmark: Benchmark, case: Case
) -> None:
    given = take(reader, benchmark)
    expire(given)
    assert heartbeat(assignment_id=given.assignment.pk).lease_expires_at > timezone.now()
    expire(given)
    take(other_reader, benchmark)
    with pytest.raises(PlaceTaken, match="all 1 places at case case1 are taken"):
        heartbeat(assignment_id=given.assignment.pk)


@pytest.mark.parametrize("state", [AssignmentState.SUBMITTED, AssignmentState.SKIPPED, AssignmentState.RELEASED])
def test_what_holds_no_lease_has_no_heartbeat(
    state: AssignmentState, reader: User, benchmark: Benchmark, case: Case
) -> None:
    given = take(reader, benchmark)
    Assignment.objects.update(state=state)
    with pytest.raises(LeaseEnded, match=state.value):
        heartbeat(assignment_id=given.assignment.pk)
    if state == AssignmentState.SUBMITTED:
        with pytest.raises(LeaseEnded):
            release(assignment_id=given.assignment.pk)


def test_a_surplus_draft_does_not_come_back(reader: User, benchmark: Benchmark, case: Case) -> None:
    expire(take(reader, benchmark))
    Reading.objects.update(state=ReadingState.SURPLUS)
    assert next_case(reader=reader, benchmark=benchmark) == NothingLeft("done")


def cast_of(number: int, benchmark: Benchmark) -> list[User]:
    return [make_user(f"reader{index}", Role.READER, benchmark) for index in range(number)]


def places_by_case(benchmark: Benchmark) -> collections.Counter[str]:
    held = Assignment.objects.holding_a_place(timezone.now()).filter(case__benchmark=benchmark)
    return collections.Counter(held.values_list("case__key", flat=True))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("overlap", "given_out"), [(1, 3), (2, 6), (3, 8)])
def test_eight_readers_at_once_never_exceed_the_overlap(overlap: int, given_out: int) -> None:
    benchmark = make_benchmark("rush", overlap=overlap)
    for key in ("one", "two", "three"):
        make_case(benchmark, key)
    readers = cast_of(8, benchmark)
    answers = at_once([partial(next_case, reader=reader, benchmark=benchmark) for reader in readers])
    given = [answer for answer in answers if isinstance(answer, HandedOut)]
    refused = [answer for answer in answers if isinstance(answer, NothingLeft)]
    assert len(given) == given_out, "a place was left, or given twice"
    assert max(places_by_case(benchmark).values()) <= overlap
    assert {answer.reason for answer in refused} <= {"leased"}


@pytest.mark.django_db(transaction=True)
def test_eight_readers_read_everything_once_each_and_no_case_too_often() -> None:
    benchmark = make_benchmark("whole", overlap=2)
    for key in ("one", "two", "three"):
        make_case(benchmark, key)

    def read_on(reader: User) -> list[str]:
        seen = []
        while isinstance(given := next_case(reader=reader, benchmark=benchmark), HandedOut):
            submit(reading_id=given.reading.pk, version=0, key="k")
            seen.append(given.assignment.case.key)
        return seen

    seen = at_once([partial(read_on, reader) for reader in cast_of(8, benchmark)])
    assert all(len(keys) == len(set(keys)) for keys in seen), "a reader got a case twice"
    assert collections.Counter(key for keys in seen for key in keys) == {"one": 2, "two": 2, "three": 2}


@pytest.mark.django_db(transaction=True)
def test_eight_tabs_of_one_reader_get_one_lease() -> None:
    benchmark = make_benchmark("tabs", overlap=3)
    make_case(benchmark, "one")
    make_case(benchmark, "two")
    reader = make_user("rosa", Role.READER, benchmark)
    answers = at_once([partial(next_case, reader=reader, benchmark=benchmark)] * 8)
    assert len({answer.assignment.pk for answer in answers if isinstance(answer, HandedOut)}) == 1
    assert Assignment.objects.count() == 1


def test_looks_past_many_cases_that_others_hold(reader: User, other_reader: User, benchmark: Benchmark) -> None:
    cases = [make_case(benchmark, f"c{number}", images=0) for number in range(CANDIDATES + 2)]
    until = timezone.now() + dt.timedelta(minutes=9)
    Assignment.objects.bulk_create(
        Assignment(case=case, reader=other_reader, lease_expires_at=until) for case in cases[:-1]
    )
    assert take(reader, benchmark).assignment.case == cases[-1]


def test_an_index_passes_over_what_was_read_often_enough(
    reader: User, benchmark: Benchmark, case: Case, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(40) as run:
        take(reader, benchmark)
    looked = next(query["sql"] for query in run.captured_queries if "(f.order_key, f.position) > " in query["sql"])
    with connection.cursor() as cursor:
        # Of a handful of rows the planner would rather read all, or sort: whatever it knows of them just now.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN (GENERIC_PLAN) {looked}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "facts_queue" in plan
    assert 'ROW(order_key, "position") > ' in plan.split("Index Cond", 1)[1].split("\n")[0]
    assert "Sort" not in plan


def push(case: Case, reader: User, **fields: Any) -> Assignment:
    return Assignment.objects.create(
        case=case,
        reader=reader,
        state=AssignmentState.ASSIGNED,
        origin=Origin.PUSHED,
        lease_expires_at=timezone.now(),
        **fields,
    )


def test_what_a_curator_assigned_comes_first_by_due_time(reader: User, benchmark: Benchmark) -> None:
    cases = [make_case(benchmark, key, images=0) for key in ("a", "b", "c", "d")]
    soon = timezone.now() + dt.timedelta(days=1)
    push(cases[1], reader)
    push(cases[2], reader, due_at=soon + dt.timedelta(days=1))
    pushed = push(cases[3], reader, due_at=soon)
    given = take(reader, benchmark)
    assert (given.assignment.pk, given.assignment.case) == (pushed.pk, cases[3])
    pushed.refresh_from_db()
    assert (pushed.state, pushed.origin, pushed.due_at) == (AssignmentState.LEASED, Origin.PUSHED, soon)
    submit(reading_id=given.reading.pk, version=0, key="k")
    assert [read_and_submit(reader, benchmark).key for _ in range(3)] == ["c", "b", "a"]


def test_an_assigned_case_holds_a_place_against_the_queue(
    reader: User, other_reader: User, benchmark: Benchmark, case: Case
) -> None:
    push(case, reader)
    assert next_case(reader=other_reader, benchmark=benchmark) == NothingLeft("done")
    assert take(reader, benchmark).assignment.case == case


def test_a_draft_whose_lease_ran_out_comes_before_what_is_assigned(reader: User, benchmark: Benchmark) -> None:
    first, second = make_case(benchmark, "one"), make_case(benchmark, "two")
    given = take(reader, benchmark)
    save_draft(reading_id=given.reading.pk, version=0, content=content())
    expire(given)
    push(second, reader)
    assert take(reader, benchmark).assignment.case == first


def test_where_cases_are_only_assigned_the_queue_gives_none(
    reader: User, other_reader: User, benchmark: Benchmark, case: Case
) -> None:
    Benchmark.objects.update(is_push_only=True)
    push(case, reader)
    assert next_case(reader=other_reader, benchmark=benchmark) == NothingLeft("not_assigned")
    assert read_and_submit(reader, benchmark) == case
    assert next_case(reader=reader, benchmark=benchmark) == NothingLeft("not_assigned")


def test_a_pause_holds_back_what_is_assigned(reader: User, benchmark: Benchmark, case: Case) -> None:
    Benchmark.objects.update(is_paused=True)
    push(case, reader)
    assert next_case(reader=reader, benchmark=benchmark) == NothingLeft("paused")


def test_a_case_with_an_overlap_of_its_own_is_given_so_often(
    reader: User, other_reader: User, benchmark: Benchmark, curator: User
) -> None:
    twice, once = make_case(benchmark, "twice", overlap=2), make_case(benchmark, "once")
    third = make_user("tom", Role.READER, benchmark)
    for one in (reader, other_reader):
        assert read_and_submit(one, benchmark) == twice
    assert read_and_submit(third, benchmark) == once
    assert next_case(reader=reader, benchmark=benchmark) == NothingLeft("done")
    set_overlap(benchmark=benchmark, overlap=3, actor=curator)
    assert read_and_submit(reader, benchmark) == once, "its own overlap stays, the benchmark's is for the others"


def test_a_lowered_overlap_keeps_leases_and_makes_late_drafts_surplus(
    reader: User, other_reader: User, benchmark: Benchmark, case: Case, curator: User
) -> None:
    Benchmark.objects.update(overlap=2)
    kept, late = take(reader, benchmark), take(other_reader, benchmark)
    set_overlap(benchmark=benchmark, overlap=1, actor=curator)
    submit(reading_id=kept.reading.pk, version=0, key="k")
    assert save_draft(reading_id=late.reading.pk, version=0, content=content()).version == 1
    expire(late)
    with pytest.raises(PlaceTaken, match="all 1 places"):
        submit(reading_id=late.reading.pk, version=1, key="k")
    late.reading.refresh_from_db()
    assert late.reading.state == ReadingState.SURPLUS


def test_the_mark_passes_by_what_the_reader_ended_and_nothing_else(
    reader: User, other_reader: User, benchmark: Benchmark, curator: User
) -> None:
    Benchmark.objects.update(overlap=2)
    cases = [make_case(benchmark, f"c{number}", images=0) for number in range(6)]
    for _ in range(3):
        read_and_submit(reader, benchmark)
    held = take(reader, benchmark)
    mark = QueueMark.objects.get(reader=reader)
    assert (mark.order_key, mark.position) == (cases[3].position, cases[3].position - 1)
    release(assignment_id=held.assignment.pk)
    assert take(reader, benchmark).assignment.case == cases[3]
    submit(reading_id=held.reading.pk, version=0, key="k")
    for _ in range(2):
        read_and_submit(reader, benchmark)
    assert next_case(reader=reader, benchmark=benchmark) == NothingLeft("done")
    assert QueueMark.objects.get(reader=reader).order_key == math.inf
    seventh = make_case(benchmark, "c6", images=0)
    assert next_case(reader=reader, benchmark=benchmark) == NothingLeft("done"), "an import raises the epoch"
    void_marks(benchmark.pk)
    assert take(reader, benchmark).assignment.case == seventh


def test_an_old_mark_is_not_trusted(reader: User, benchmark: Benchmark, case: Case) -> None:
    QueueMark.objects.create(
        reader=reader,
        benchmark=benchmark,
        epoch=0,
        order_key=math.inf,
        position=0,
        since=timezone.now() - MARK_LASTS,
    )
    assert take(reader, benchmark).assignment.case == case


def test_nothing_after_the_mark_is_a_look_from_the_start(reader: User, benchmark: Benchmark, case: Case) -> None:
    QueueMark.objects.create(reader=reader, benchmark=benchmark, epoch=0, order_key=9, position=9)
    assert take(reader, benchmark).assignment.case == case


def test_balanced_readers_meet_each_other_evenly(benchmark: Benchmark, curator: User) -> None:
    set_overlap(benchmark=benchmark, overlap=2, actor=curator)
    set_reading_order(benchmark=benchmark, policy="balanced", actor=curator)
    for number in range(12):
        make_case(benchmark, f"c{number:02}", images=0)
    CaseFacts.objects.update(order_key=0)
    readers = cast_of(4, benchmark)
    turns = [readers[0]] * 6 + [readers[1]] * 6 + [readers[2]] * 6 + [readers[3]] * 6
    read = collections.defaultdict(set)
    for reader in turns:
        read[reader.pk].add(read_and_submit(reader, benchmark).key)
    assert len(set.union(*read.values())) == 12
    meetings = sorted(len(read[a.pk] & read[b.pk]) for a, b in itertools.combinations(readers, 2))
    assert meetings == [0, 0, 3, 3, 3, 3]
    assert sorted(ReaderPair.objects.values_list("shared", flat=True)) == [3, 3, 3, 3]


def test_a_case_from_the_queue_is_so_many_statements(
    reader: User, benchmark: Benchmark, case: Case, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    reader.roles_by_benchmark()
    # Savepoint (twice), reader with mark, own, candidates, mark, case, lease, reading, count, facts.
    with django_assert_num_queries(11):
        take(reader, benchmark)
    # Savepoint (twice), reader with mark, own, prolonged, case, reading.
    with django_assert_num_queries(7):
        take(reader, benchmark)
