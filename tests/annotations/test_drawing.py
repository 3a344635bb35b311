"""Draws: the stored probability is the true one, and many readers at once leave no gap in the numbers."""

from __future__ import annotations

import collections
import math
import random
from functools import partial
from typing import TYPE_CHECKING

import pytest
from django.db import transaction
from django.utils import timezone

from annotations import drawing
from annotations.assigning import HandedOut, NothingLeft, next_case, release, skip
from annotations.metrics.sampling import lure_weights
from annotations.models import Assignment, Draw
from annotations.ordering import set_reading_order
from annotations.pushing import assign
from annotations.submission import submit
from curation import facts
from curation.models import Benchmark, Case, CaseFacts, Role, User
from tests.annotations.test_ordering import judge
from tests.annotations.together import at_once
from tests.factories import make_benchmark, make_case, make_user

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_django import DjangoAssertNumQueries

SHARE = 0.4


class Fixed(random.Random):
    """A coin that falls as told, again and again."""

    def __init__(self, *falls: float) -> None:
        super().__init__()
        self.falls = list(falls)

    def random(self) -> float:
        self.falls.append(self.falls.pop(0))
        return self.falls[-1]


RANDOM, LED = 0.0, 0.999


def toss(monkeypatch: pytest.MonkeyPatch, *falls: float) -> None:
    monkeypatch.setattr(drawing, "_coin", Fixed(*falls))


def led(*values: float | None, overlap: int = 1) -> tuple[Benchmark, list[Case]]:
    """A benchmark whose order is by disagreement, with a case of each value; a higher case has the higher draw key."""
    benchmark = make_benchmark("led", overlap=overlap)
    cases = [make_case(benchmark, f"c{number}", images=0) for number in range(len(values))]
    set_reading_order(benchmark=benchmark, policy="disagreement", random_share=SHARE, actor=None)
    for case, value in zip(cases, values, strict=True):
        if value is not None:
            judge(case, value)
    return benchmark, cases


def shuffle(cases: Sequence[Case], order: Sequence[int]) -> None:
    for place, number in enumerate(order):
        CaseFacts.objects.filter(case=cases[number]).update(draw_key=place / len(cases))


def give(reader: User, benchmark: Benchmark) -> str:
    given = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(given, HandedOut)
    return given.assignment.case.key


def read(reader: User, benchmark: Benchmark) -> str:
    given = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(given, HandedOut)
    submit(reading_id=given.reading.pk, version=0, key="k")
    return given.assignment.case.key


def as_reader(name: str, benchmark: Benchmark) -> User:
    return make_user(name, Role.READER, benchmark)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fall", "order", "expected", "probability"),
    [
        (LED, (0, 1, 2), "c1", 1 - SHARE + SHARE / 3),
        (RANDOM, (1, 0, 2), "c1", 1 - SHARE + SHARE / 3),
        (RANDOM, (2, 0, 1), "c2", SHARE / 3),
    ],
)
def test_the_first_draw_is_stored_with_its_probability(
    fall: float, order: tuple[int, ...], expected: str, probability: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark, cases = led(0.1, 0.8, None)
    shuffle(cases, order)
    toss(monkeypatch, fall)
    assert give(as_reader("rosa", benchmark), benchmark) == expected
    draw = Draw.objects.get()
    assert (draw.case.key, draw.number, draw.pool, draw.random_share) == (expected, 1, 3, SHARE)
    assert draw.probability == pytest.approx(probability)
    assert draw.is_random == (fall == RANDOM)
    assert draw.value == {"c1": 0.8, "c2": None}[expected]
    assert CaseFacts.objects.get(case=draw.case).is_drawn


@pytest.mark.django_db
@pytest.mark.parametrize("fall", [LED, RANDOM])
def test_where_nothing_is_known_every_draw_is_random(fall: float, monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark, cases = led(None, None, 0.0)
    shuffle(cases, (2, 1, 0))
    toss(monkeypatch, fall)
    reader = as_reader("rosa", benchmark)
    assert [read(reader, benchmark) for _ in range(3)] == ["c2", "c1", "c0"]
    draws = Draw.objects.order_by("number")
    assert [draw.pool for draw in draws] == [3, 2, 1]
    assert [draw.probability for draw in draws] == pytest.approx([1 / 3, 1 / 2, 1])
    assert all(draw.is_random for draw in draws)


@pytest.mark.django_db
def test_a_further_reading_is_no_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark, cases = led(0.9, 0.5, 0.1, overlap=2)
    shuffle(cases, (2, 1, 0))
    toss(monkeypatch, LED, LED, RANDOM)
    assert give(as_reader("rosa", benchmark), benchmark) == "c0"
    assert give(as_reader("omar", benchmark), benchmark) == "c0"
    assert Draw.objects.count() == 1
    assert give(as_reader("tom", benchmark), benchmark) == "c2"
    drawn = Draw.objects.get(number=2)
    # c0 is full of leases, so that c1 leads.
    assert drawn.probability == pytest.approx(SHARE / 2)


@pytest.mark.django_db
def test_a_random_draw_beside_a_leader_that_was_drawn_is_uniform(monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark, cases = led(0.9, 0.5, 0.1, overlap=3)
    shuffle(cases, (1, 2, 0))
    toss(monkeypatch, LED, RANDOM)
    assert give(as_reader("rosa", benchmark), benchmark) == "c0"
    assert give(as_reader("omar", benchmark), benchmark) == "c1"
    assert Draw.objects.get(number=2).probability == pytest.approx(1 / 2)


@pytest.mark.django_db
def test_a_draw_that_was_given_back_stays_a_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark, _ = led(0.9, 0.5, 0.1)
    toss(monkeypatch, LED)
    rosa, omar = as_reader("rosa", benchmark), as_reader("omar", benchmark)
    assert give(rosa, benchmark) == "c0"
    skip(assignment_id=Assignment.objects.get().pk, reason="blurred")
    assert give(omar, benchmark) == "c0", "open again, and still the one in the lead"
    release(assignment_id=Assignment.objects.get(reader=omar).pk)
    assert give(rosa, benchmark) == "c1"
    assert list(Draw.objects.order_by("number").values_list("case__key", "pool")) == [("c0", 3), ("c1", 2)]


@pytest.mark.django_db
def test_the_last_cases_go_out_when_the_pool_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark, _ = led(0.9, 0.5, overlap=2)
    toss(monkeypatch, RANDOM)
    readers = [as_reader(name, benchmark) for name in ("rosa", "omar")]
    assert sorted(read(reader, benchmark) for reader in readers for _ in range(2)) == ["c0", "c0", "c1", "c1"]
    assert Draw.objects.count() == 2
    assert next_case(reader=readers[0], benchmark=benchmark) == NothingLeft("done")


@pytest.mark.django_db
def test_the_pool_is_counted_again_after_cases_came_left_or_were_given_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    benchmark, cases = led(0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
    toss(monkeypatch, LED)
    curator = make_user("carl", Role.CURATOR, benchmark)
    rosa, omar = as_reader("rosa", benchmark), as_reader("omar", benchmark)
    read(rosa, benchmark)
    assign(benchmark=benchmark, case_ids=[cases[5].pk], reader=omar, curator=curator)
    assert CaseFacts.objects.get(case=cases[5]).is_drawn
    read(rosa, benchmark)
    set_reading_order(benchmark=benchmark, policy="given", actor=None)
    assert read(rosa, benchmark) == "c2"
    set_reading_order(benchmark=benchmark, policy="disagreement", actor=None)
    read(rosa, benchmark)
    assert list(Draw.objects.order_by("number").values_list("case__key", "pool")) == [("c0", 6), ("c1", 4), ("c3", 2)]
    assert facts.differing(case.pk for case in cases) == []


@pytest.mark.django_db
@pytest.mark.parametrize("values", [(0.9, 0.2, 0.0, None), (None, None, None, None)])
def test_cases_come_as_often_as_their_probability_says(
    values: tuple[float | None, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark, cases = led(*values)
    reader = as_reader("rosa", benchmark)
    rng = random.Random(20)
    monkeypatch.setattr(drawing, "_coin", rng)
    times = 160
    seen: collections.Counter[str] = collections.Counter()
    said: dict[str, float] = {}
    for _ in range(times):
        before = transaction.savepoint()
        shuffle(cases, rng.sample(range(4), 4))
        key = give(reader, benchmark)
        said[key] = Draw.objects.get().probability
        seen[key] += 1
        transaction.savepoint_rollback(before)
    assert sum(said.values()) == pytest.approx(1)
    for key, probability in said.items():
        deviation = math.sqrt(probability * (1 - probability) / times)
        assert abs(seen[key] / times - probability) < 4 * deviation, (key, seen[key], probability)


@pytest.mark.django_db
def test_an_estimate_reweighted_by_the_draws_is_right_on_average(monkeypatch: pytest.MonkeyPatch) -> None:
    values = (0.9, 0.6, 0.3, None, None, None)
    hard = [value or 0.0 for value in values]
    benchmark, cases = led(*values)
    reader = as_reader("rosa", benchmark)
    rng = random.Random(4)
    monkeypatch.setattr(drawing, "_coin", rng)
    plain, weighted = [], []
    for _ in range(60):
        before = transaction.savepoint()
        shuffle(cases, rng.sample(range(6), 6))
        drawn = [hard[int(read(reader, benchmark)[1:])] for _ in range(3)]
        weights = lure_weights(list(Draw.objects.order_by("number").values_list("probability", flat=True)), 6)
        plain.append(sum(drawn) / 3)
        weighted.append(float(sum(weights * drawn)) / 3)
        transaction.savepoint_rollback(before)
    true = sum(hard) / 6
    mean = sum(weighted) / len(weighted)
    error = math.sqrt(sum((one - mean) ** 2 for one in weighted)) / len(weighted)
    assert abs(mean - true) < 4 * error
    assert sum(plain) / len(plain) - true > 4 * error, "without weights it is biased, or this would show nothing"


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_draw_numbers_without_a_gap() -> None:
    benchmark, cases = led(*[None if number % 3 else number / 40 for number in range(40)], overlap=2)
    readers = [as_reader(f"reader{number}", benchmark) for number in range(50)]
    answers = at_once([partial(next_case, reader=reader, benchmark=benchmark) for reader in readers])
    assert all(isinstance(answer, HandedOut) for answer in answers)
    draws = list(Draw.objects.order_by("number"))
    assert [draw.number for draw in draws] == list(range(1, len(draws) + 1))
    assert [draw.pool for draw in draws] == [40 - number for number in range(len(draws))]
    drawn = {answer.assignment.case_id for answer in answers if isinstance(answer, HandedOut)}
    assert {draw.case_id for draw in draws} == drawn
    held = Assignment.objects.holding_a_place(timezone.now())
    assert max(collections.Counter(held.values_list("case_id", flat=True)).values()) <= 2
    assert facts.differing(case.pk for case in cases) == []


@pytest.mark.django_db
def test_a_draw_is_so_many_statements(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    benchmark, _ = led(0.9, 0.5, 0.1)
    toss(monkeypatch, LED)
    reader = as_reader("rosa", benchmark)
    read(reader, benchmark)
    # As any case (11), and: given back, lock, lowest, pool, savepoint (twice), draw.
    with django_assert_num_queries(18):
        give(reader, benchmark)
