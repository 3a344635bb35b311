"""Estimates over a whole benchmark from cases that the queue preferred."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from annotations import reweighting
from annotations.metrics.sampling import lure_weights, weighted_mean
from annotations.models import AgreementScore, Arm, Assignment, Draw, Origin, PartyKind
from annotations.reweighting import Draws, agreement_over_all, draws_of, reweighted, selection_of
from curation.models import Benchmark, Case, CaseFacts, Gold, GoldRoi
from tests.factories import make_case


def found(draws: Draws, numbers: dict[int, float]) -> Any:
    return reweighted(draws, positions=np.array(list(numbers), float), values=np.array(list(numbers.values())))


def test_drawn_cases_stand_for_the_rest_by_the_weights_of_their_draws() -> None:
    # Three of eight cases, of which the queue was eager for the first two.
    draws = Draws((4, 2, 7), (8, 7, 6), (0.8, 0.7, 0.05), cases=8)
    weights = lure_weights([0.8, 0.7, 0.05], 8)
    one = found(draws, {4: 1.0, 2: 0.5, 7: 0.0})
    assert one.value == pytest.approx(weighted_mean([1.0, 0.5, 0.0], weights, is_normalised=True))
    assert (one.n, one.drawn, one.cases, one.interval) == (3, 3, 8, None)
    assert 1 <= one.effective_n < 3
    assert one.value < np.mean([1.0, 0.5, 0.0])


def test_cases_known_without_a_draw_stand_for_themselves() -> None:
    draws = Draws((4, 2), (8, 7), (0.8, 0.7), cases=10)
    one = found(draws, {1: 0.0, 3: 0.0, 4: 1.0, 2: 1.0})
    # Two known ones of 0 among ten; the eight others are as the drawn ones, all of 1.
    assert one.value == pytest.approx(0.8)


def test_even_draws_and_complete_ones_need_no_weights() -> None:
    assert found(Draws((1, 2), (4, 3), (1 / 4, 1 / 3), cases=4), {1: 1.0, 2: 0.0}) is None
    assert found(Draws((1, 2), (2, 1), (0.9, 1.0), cases=2), {1: 1.0, 2: 0.0}) is None
    assert found(Draws((1, 2), (4, 3), (0.9, 0.5), cases=4), {3: 1.0}) is None
    assert found(Draws((1, 2), (4, 3), (0.9, 0.5), cases=4), {}) is None


def test_a_case_without_a_number_is_one_of_those_that_are_not_known() -> None:
    draws = Draws((4, 2), (8, 7), (0.8, 0.7), cases=8)
    with_nan = reweighted(draws, positions=np.array([4.0, 2.0]), values=np.array([1.0, np.nan]))
    assert with_nan is not None
    assert (with_nan.n, with_nan.value) == (1, 1.0)


def test_cases_known_before_they_were_drawn_stand_for_themselves() -> None:
    draws = Draws((4, 2), (10, 9), (0.8, 0.7), cases=10)
    numbers = {1: 0.0, 3: 0.0, 4: 0.0, 2: 1.0}
    # The draw of case 4 told nothing that its gold had not: case 2 alone stands for the seven without gold.
    one = reweighted(
        draws,
        positions=np.array(list(numbers), float),
        values=np.array(list(numbers.values())),
        anyway=frozenset({1, 3, 4}),
    )
    assert one is not None
    assert (one.n, one.drawn) == (4, 1)
    assert one.value == pytest.approx(0.7)


def test_cases_handed_out_in_another_order_count_for_the_draws_after_them() -> None:
    draws = Draws((4, 2), (10, 8), (0.8, 0.7), cases=10, otherwise=((1, 1),))
    later = (1 / 56) / (1 / 90 + 1 / 56)
    one = found(draws, {1: 0.0, 4: 1.0, 2: 1.0})
    assert one.value == pytest.approx((10 - later) / 10)


Rows = list[tuple[int, int, float]]


def draw(source: np.random.Generator, apart: Any, left: list[int], times: int) -> Rows:
    """The queue's own policy, with a random share of 0.4; takes the drawn ones out of the pool."""
    rows = []
    for _ in range(times):
        best = max(left, key=lambda case: apart[case])
        case = int(source.choice(left)) if source.random() < 0.4 else best
        rows.append((case, len(left), 0.4 / len(left) + (0.6 if case == best else 0)))
        left.remove(case)
    return rows


@pytest.mark.parametrize("story", ["plain", "gold", "skipped", "other order", "added"])
def test_the_mean_of_the_pool_comes_back_from_many_runs_of_the_queue(
    story: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values that disagreement follows; the plain mean is off."""
    monkeypatch.setattr(reweighting, "weighted_interval", lambda *_, **__: (0.0, 1.0))  # which takes most of the time
    source = np.random.default_rng(3)
    values = source.random(60)
    apart = values + source.normal(0, 0.1, 60)
    golden = frozenset(int(case) for case in np.argsort(-apart)[:20]) if story == "gold" else frozenset()
    plain, weighted = [], []
    for _ in range(400):
        left = list(range(40 if story == "added" else 60))
        rows = draw(source, apart, left, 15)
        otherwise: list[int] = []
        if story == "other order":
            otherwise = sorted(left, key=lambda case: apart[case])[:10]
        left = [*left, *range(40, 60)] if story == "added" else [case for case in left if case not in otherwise]
        rows += draw(source, apart, left, 10)
        known = {case for case, *_ in rows if story != "skipped" or source.random() < 0.7} | golden | {*otherwise}
        positions, pools, chances = zip(*rows, strict=True)
        draws = Draws(positions, pools, chances, cases=60, otherwise=tuple((case, 15) for case in otherwise))
        one = reweighted(draws, positions=np.array(sorted(known), float), values=values[sorted(known)], anyway=golden)
        assert one is not None
        plain.append(values[sorted(known)].mean())
        weighted.append(one.value)
    assert abs(np.mean(weighted) - values.mean()) < 0.016
    assert abs(np.mean(plain) - values.mean()) > 0.02


def drawn(case: Case, number: int, pool: int, probability: float) -> None:
    Draw.objects.create(
        case=case, benchmark=case.benchmark, number=number, pool=pool, probability=probability,
        is_random=False, random_share=0.2,
    )  # fmt: skip


@pytest.mark.django_db
def test_draws_of_a_benchmark(benchmark: Benchmark, django_assert_num_queries: Any) -> None:
    cases = [make_case(benchmark, f"c{at}", answer="") for at in range(4)]
    make_case(benchmark, "probe", is_probe=True)
    with django_assert_num_queries(1):
        assert draws_of(benchmark) is None
    drawn(cases[2], 1, 4, 1 / 4)
    assert draws_of(benchmark) is None
    drawn(cases[0], 2, 3, 0.9)
    assert draws_of(benchmark) == Draws((3, 1), (4, 3), (1 / 4, 0.9), cases=4)
    assert selection_of([one.pk for one in cases]) == {cases[2].pk: (1, 4, 1 / 4), cases[0].pk: (2, 3, 0.9)}


@pytest.mark.django_db
def test_what_was_known_of_a_case_before_it_was_handed_out(
    benchmark: Benchmark, reader: Any, django_assert_num_queries: Any
) -> None:
    cases = [make_case(benchmark, f"c{at}", answer="B" if at == 4 else "") for at in range(7)]
    early = Gold.objects.create(case=cases[0], revision=1, answer={"choice": "A"})
    GoldRoi.objects.create(gold=early, number=1, client_id=uuid.uuid4(), image=1, frame=0, shape="point", geometry={})
    for number, at in enumerate((0, 1, 4), start=1):
        drawn(cases[at], number, 8 - number, 0.9)
    Gold.objects.create(case=cases[1], revision=1, answer={"choice": "A"})  # as a review makes it of readings
    for case, is_probe in ((cases[2], False), (cases[3], True)):
        Assignment.objects.create(
            case=case,
            reader=reader,
            lease_expires_at=timezone.now(),
            origin=Origin.PROBE if is_probe else Origin.QUEUE,
        )
        CaseFacts.objects.filter(case=case).update(is_drawn=True)
    Draw.objects.create(
        case=cases[5], benchmark=benchmark, number=4, pool=3, probability=0.9, is_random=False, random_share=0.2
    )
    with django_assert_num_queries(3):
        draws = draws_of(benchmark)
    assert draws is not None
    assert (draws.positions, draws.otherwise) == ((1, 2, 5, 6), ((3, 3),))
    assert (draws.answered, draws.marked) == (frozenset({1, 5}), frozenset({1}))


@pytest.mark.django_db
def test_agreement_over_all_cases(benchmark: Benchmark, reader: Any, other_reader: Any) -> None:
    cases = [make_case(benchmark, f"c{at}") for at in range(6)]
    for number, (at, chance, same, iou) in enumerate([(5, 0.9, False, 0.2), (1, 0.05, True, None)], start=1):
        drawn(cases[at], number, 7 - number, chance)
        AgreementScore.objects.create(
            case=cases[at], benchmark_id=benchmark.pk, arm=Arm.UNAIDED, metric_version="1",
            a_kind=PartyKind.READER, a_party=reader.pk, a_said=reader.pk, a_revision=1,
            b_kind=PartyKind.READER, b_party=other_reader.pk, b_said=other_reader.pk, b_revision=1,
            is_same_answer=same, matched_iou=iou, computed_at=timezone.now(),
        )  # fmt: skip
    draws = draws_of(benchmark)
    assert draws is not None
    answers, regions = agreement_over_all(benchmark, draws)
    assert (answers.plain, answers.over_all.n) == (0.5, 2)
    # The case of the random share stands for the five easy ones.
    assert answers.over_all.value > 0.8
    assert (regions.plain, regions.over_all.n) == (0.2, 1)
    assert regions.over_all.value == pytest.approx(0.2)
    assert agreement_over_all(benchmark, draws)[0].over_all == answers.over_all
