"""Control charts: by hand, at their edges, and how long they stay quiet or take to alarm."""

from __future__ import annotations

import math
import random
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.metrics.drift import LEAST_BASELINE, Baseline, baseline_of, ewma_chart

USUAL = Baseline(mean=0.8, deviation=0.4, n=100)


def test_by_hand() -> None:
    points = ewma_chart([1.0, 0.0, 0.5], USUAL)
    assert [round(point.mean, 6) for point in points] == [0.84, 0.672, 0.6376]
    reach = 2.86 * 0.4 / 3
    assert {round(point.low, 9) for point in points} == {round(0.8 - reach, 9)}
    assert {round(point.high, 9) for point in points} == {round(0.8 + reach, 9)}
    assert [point.value for point in points] == [1.0, 0.0, 0.5]


def test_a_lasting_drop_is_flagged_and_a_return_unflagged() -> None:
    sides = [point.side for point in ewma_chart([0.0] * 6 + [1.0] * 12, USUAL)]
    assert sides[0] == ""
    assert "low" in sides[:6]
    assert sides[-1] == ""


def test_better_than_the_rest_is_high() -> None:
    steady = Baseline(mean=0.5, deviation=0.1, n=50)
    assert ewma_chart([0.9] * 10, steady)[-1].side == "high"


def test_the_baseline_is_mean_and_deviation_of_all() -> None:
    values = [index / 30 for index in range(30)]
    found = baseline_of(values)
    assert found is not None
    assert found.mean == pytest.approx(fmean(values))
    assert found.deviation == pytest.approx(stdev(values))
    assert found.n == 30


@pytest.mark.parametrize("values", [[], [1.0, 0.0] * 9 + [1.0], [1.0] * 40])
def test_too_little_has_no_baseline(values: list[float]) -> None:
    assert len(values) < LEAST_BASELINE or len(set(values)) == 1
    assert baseline_of(values) is None


def test_no_values_no_points() -> None:
    assert ewma_chart([], USUAL) == []


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_result_outside_of_0_to_1_is_named(bad: float) -> None:
    with pytest.raises(ValueError, match="a result lies in 0 to 1, not at"):
        ewma_chart([0.5, bad], USUAL)
    with pytest.raises(ValueError, match="a result lies in 0 to 1, not at"):
        baseline_of([bad])


@pytest.mark.parametrize("deviation", [0.0, -1.0, float("nan")])
def test_limits_need_a_deviation(deviation: float) -> None:
    with pytest.raises(ValueError, match="deviation is"):
        ewma_chart([0.5], Baseline(0.5, deviation, 20))


def turns_until_low(rate: float, usual: float, seed: int) -> float:
    """Mean number of probes until a reader who is right in `rate` of them is flagged, over 300 runs."""
    chance, runs = random.Random(seed), []
    baseline = Baseline(usual, math.sqrt(usual * (1 - usual)), 1000)
    for _ in range(300):
        values = [float(chance.random() < rate) for _ in range(2000)]
        sides = [point.side for point in ewma_chart(values, baseline)]
        runs.append(sides.index("low") + 1 if "low" in sides else 2000)
    return fmean(runs)


@pytest.mark.parametrize(("usual", "least", "most"), [(0.8, 170, 300), (0.9, 90, 165)])
def test_false_alarms_come_as_seldom_as_it_says(usual: float, least: float, most: float) -> None:
    assert least < turns_until_low(usual, usual, seed=1) < most


def test_a_drop_is_seen_as_soon_as_it_says() -> None:
    assert 17 < turns_until_low(0.6, 0.8, seed=2) < 28


@given(st.lists(st.floats(0, 1), max_size=50))
def test_means_stay_in_0_to_1_and_limits_stand_still(values: list[float]) -> None:
    points = ewma_chart(values, USUAL)
    assert all(0 <= point.mean <= 1 for point in points)
    assert len({(point.low, point.high) for point in points}) <= 1
    assert all((point.side == "low") == (point.mean < point.low) for point in points)
