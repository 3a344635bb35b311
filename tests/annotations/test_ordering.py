"""Reading order and overlap: what follows for each case, in Python and in SQL alike, and what a change leaves alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from annotations import ordering
from annotations.assigning import NothingLeft, next_case
from annotations.models import Assignment, AssignmentState, CasePriority, QueueMark, Reading, ReadingState
from annotations.ordering import BadOrder, set_overlap, set_priority, set_reading_order
from annotations.submission import submit
from curation import facts
from curation.models import AuditEvent, Benchmark, Case, CaseFacts, Event, OrderPolicy, Role, User
from curation.reading_order import draw_key
from tests.annotations.together import at_once
from tests.factories import make_benchmark, make_case, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries


def judge(case: Case, value: float | None) -> None:
    """Store a case's disagreement, as a higher app does."""
    CasePriority.objects.update_or_create(
        case=case,
        defaults={
            "benchmark_id": case.benchmark_id,
            "value": value,
            "version": "1",
            "inputs_digest": "",
            "updated_at": timezone.now(),
        },
    )
    facts.record([case.pk])


def keys_in_order(benchmark: Benchmark) -> list[str]:
    rows = CaseFacts.objects.filter(benchmark_id=benchmark.pk, is_open=True).order_by("order_key", "position")
    return list(rows.values_list("case__key", flat=True))


def differing(benchmark: Benchmark) -> list[Any]:
    return facts.differing(benchmark.cases.values_list("pk", flat=True))


@pytest.fixture
def four(benchmark: Benchmark) -> list[Case]:
    """Four cases, of which the second was read once and is judged 0.2, the third is judged 0.7; at overlap 2."""
    Benchmark.objects.update(overlap=2)
    benchmark.refresh_from_db()
    cases = [make_case(benchmark, key, images=0, priority=number) for number, key in enumerate(("a", "b", "c", "d"))]
    early = make_user("early", Role.READER, benchmark)
    Assignment.objects.create(
        case=cases[1], reader=early, state=AssignmentState.SUBMITTED, lease_expires_at=timezone.now()
    )
    Reading.objects.create(case=cases[1], reader=early, state=ReadingState.SUBMITTED, revision=1)
    judge(cases[1], 0.2)
    judge(cases[2], 0.7)
    return cases


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("given", ["a", "b", "c", "d"]),
        ("balanced", ["a", "c", "d", "b"]),
        ("priority", ["d", "c", "b", "a"]),
        ("disagreement", ["c", "b", "a", "d"]),
    ],
)
def test_each_policy_orders_the_open_cases(
    policy: str, expected: list[str], four: list[Case], benchmark: Benchmark, curator: User
) -> None:
    set_reading_order(benchmark=benchmark, policy=policy, actor=curator)
    assert keys_in_order(benchmark) == expected
    assert differing(benchmark) == [], "one statement and one case at a time must come to the same"
    for case in four:
        CaseFacts.objects.filter(case=case).update(order_key=9, draw_key=9, is_open=False)
        facts.record([case.pk])
    assert keys_in_order(benchmark) == expected


def test_a_seed_is_an_order_and_another_seed_another(four: list[Case], benchmark: Benchmark, curator: User) -> None:
    for seed in (1, 2):
        set_reading_order(benchmark=benchmark, policy="random", seed=seed, actor=curator)
        expected = sorted(four, key=lambda case: draw_key(seed, case.pk))
        assert keys_in_order(benchmark) == [case.key for case in expected]
        assert differing(benchmark) == []


def test_a_begun_case_of_which_nothing_is_known_comes_before_the_rest(
    four: list[Case], benchmark: Benchmark, curator: User
) -> None:
    set_reading_order(benchmark=benchmark, policy="disagreement", actor=curator)
    judge(four[1], None)
    assert keys_in_order(benchmark) == ["c", "b", "a", "d"]
    assert CaseFacts.objects.get(case=four[1]).order_key < 0
    assert differing(benchmark) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"policy": "alphabetical"}, "'alphabetical' is no order: one of given, random"),
        ({"policy": "random", "seed": -1}, "the seed -1 is not between 0 and 2147483647"),
        ({"policy": "random", "seed": 2**31}, "the seed 2147483648"),
        ({"policy": "disagreement", "random_share": 0.0}, "the random share 0 is not above 0"),
        ({"policy": "disagreement", "random_share": 1.5}, "the random share 1.5"),
    ],
)
def test_an_order_that_is_none_is_refused(given: dict[str, Any], message: str, benchmark: Benchmark) -> None:
    with pytest.raises(BadOrder, match=message):
        set_reading_order(benchmark=benchmark, actor=None, **given)
    benchmark.refresh_from_db()
    assert (benchmark.order_policy, benchmark.queue_epoch) == ("given", 0)


def test_a_change_of_order_is_told_once(four: list[Case], benchmark: Benchmark, curator: User) -> None:
    set_reading_order(benchmark=benchmark, policy="random", seed=7, actor=curator)
    changed = set_reading_order(benchmark=benchmark, policy="random", seed=7, actor=curator)
    event = AuditEvent.objects.get(action="queue.order_set")
    assert event.before == {"policy": "given", "seed": 0, "random_share": 0.2}
    assert event.after == {"policy": "random", "seed": 7, "random_share": 0.2}
    assert Event.objects.filter(type=ordering.CHANGED, least_role=Role.READER).count() == 1
    benchmark.refresh_from_db()
    assert (changed.order_seed, benchmark.queue_epoch) == (7, 1)


def test_the_overlap_may_be_lowered_below_what_is_submitted_and_raised_again(
    four: list[Case], benchmark: Benchmark, curator: User, reader: User
) -> None:
    assert keys_in_order(benchmark) == ["a", "b", "c", "d"]
    assert set_overlap(benchmark=benchmark, overlap=1, actor=curator) == 4
    assert keys_in_order(benchmark) == ["a", "c", "d"]
    assert Reading.objects.get(case=four[1]).state == ReadingState.SUBMITTED
    assert set_overlap(benchmark=benchmark, overlap=3, actor=curator) == 4
    assert keys_in_order(benchmark) == ["a", "b", "c", "d"]
    assert differing(benchmark) == []
    benchmark.refresh_from_db()
    assert benchmark.queue_epoch == 2
    assert [event.after for event in AuditEvent.objects.filter(action="queue.overlap_set").order_by("id")] == [
        {"overlap": 1},
        {"overlap": 3},
    ]


def test_the_overlap_of_single_cases_goes_before_the_benchmarks(
    four: list[Case], benchmark: Benchmark, curator: User
) -> None:
    ids = [four[1].pk, four[2].pk]
    assert set_overlap(benchmark=benchmark, case_ids=ids, overlap=1, actor=curator) == 2
    assert keys_in_order(benchmark) == ["a", "c", "d"]
    assert set_overlap(benchmark=benchmark, case_ids=ids, overlap=1, actor=curator) == 0
    set_overlap(benchmark=benchmark, overlap=5, actor=curator)
    assert keys_in_order(benchmark) == ["a", "c", "d"]
    assert set_overlap(benchmark=benchmark, case_ids=ids, overlap=None, actor=curator) == 2
    assert keys_in_order(benchmark) == ["a", "b", "c", "d"]
    assert differing(benchmark) == []


def test_cases_of_other_benchmarks_are_left_alone(benchmark: Benchmark, curator: User) -> None:
    other = make_case(make_benchmark("other"), "far")
    assert set_overlap(benchmark=benchmark, case_ids=[other.pk], overlap=4, actor=curator) == 0
    assert set_priority(benchmark=benchmark, case_ids=[other.pk], priority=4, actor=curator) == 0
    other.refresh_from_db()
    assert (other.overlap, other.priority) == (None, 0)


@pytest.mark.parametrize("overlap", [0, -1, 51])
def test_an_overlap_that_is_none_is_refused(overlap: int, benchmark: Benchmark) -> None:
    with pytest.raises(BadOrder, match=f"the overlap {overlap} is not between 1 and 50"):
        set_overlap(benchmark=benchmark, overlap=overlap, actor=None)


def test_priority_moves_a_case_up(four: list[Case], benchmark: Benchmark, curator: User, reader: User) -> None:
    set_reading_order(benchmark=benchmark, policy="priority", actor=curator)
    assert set_priority(benchmark=benchmark, case_ids=[four[0].pk], priority=9, actor=curator) == 1
    told = AuditEvent.objects.get(action="queue.priority_set")
    assert (told.actor, told.object_type, told.object_id) == (curator, "case", str(four[0].pk))
    assert (told.before, told.after) == ({"priority": 0}, {"priority": 9})
    assert keys_in_order(benchmark) == ["a", "d", "c", "b"]
    assert differing(benchmark) == []
    with pytest.raises(BadOrder, match="the priority 40000 is not between -32767 and 32767"):
        set_priority(benchmark=benchmark, case_ids=[four[0].pk], priority=40_000, actor=curator)


def test_a_change_of_order_is_few_statements_however_many_cases(
    four: list[Case], benchmark: Benchmark, curator: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # Savepoint (twice), lock, benchmark, lock of the facts, facts, epoch, audit, event, NOTIFY.
    with django_assert_num_queries(10):
        set_reading_order(benchmark=benchmark, policy="random", actor=curator)


def test_a_case_that_moves_up_lowers_the_marks_beyond_it(
    four: list[Case], benchmark: Benchmark, curator: User, reader: User, django_capture_on_commit_callbacks: Any
) -> None:
    set_reading_order(benchmark=benchmark, policy="disagreement", actor=curator)
    beyond = QueueMark.objects.create(reader=reader, benchmark=benchmark, epoch=1, order_key=-0.1, position=1)
    before = QueueMark.objects.create(reader=curator, benchmark=benchmark, epoch=1, order_key=-0.95, position=1)
    with django_capture_on_commit_callbacks(execute=True):
        judge(four[3], 0.9)
    beyond.refresh_from_db()
    before.refresh_from_db()
    assert (beyond.order_key, beyond.position) == (-0.9, four[3].position - 1)
    assert before.order_key == -0.95
    with django_capture_on_commit_callbacks() as callbacks:
        judge(four[3], 0.1)
    assert not [one for one in callbacks if "queue_moved" in repr(one)]


@pytest.mark.django_db(transaction=True)
def test_reading_goes_on_while_the_order_changes() -> None:
    benchmark = make_benchmark("moving", overlap=2)
    for number in range(6):
        make_case(benchmark, f"c{number}", images=0)
    readers = [make_user(f"reader{number}", Role.READER, benchmark) for number in range(4)]

    def read_on(reader: User) -> list[str]:
        seen: list[str] = []
        while not isinstance(given := next_case(reader=reader, benchmark=benchmark), NothingLeft):
            submit(reading_id=given.reading.pk, version=0, key="k")
            seen.append(given.assignment.case.key)
        return seen

    def change() -> list[str]:
        for policy in [*OrderPolicy.values, *OrderPolicy.values]:
            set_reading_order(benchmark=benchmark, policy=policy, actor=None)
        return []

    calls: list[Callable[[], list[str]]] = [partial(read_on, reader) for reader in readers]
    seen = at_once([*calls, change])
    assert sorted(key for keys in seen for key in keys) == sorted(f"c{number}" for number in range(6) for _ in "ab")
    assert differing(benchmark) == []
    assert Assignment.objects.count() == 12
