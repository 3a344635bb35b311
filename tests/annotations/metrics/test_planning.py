"""Plans of further readings: reached in simulation, exact by formula, and honest where nothing can be said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.metrics import planning
from annotations.metrics.agreement import bootstrap_interval, cohen_kappa
from annotations.metrics.planning import plan_from_half_width, plan_from_variance, plan_readings


def agreed(rng, cases):
    """Whether two readers agreed on each case: seven in ten."""
    return (rng.random(cases) < 0.7).astype(float)


def dice(rng, cases):
    """Dice of two readers' regions: skewed towards 1."""
    return rng.beta(6, 2, cases)


def patients(rng, cases):
    """Cases of five a patient that resemble one another."""
    return np.clip(np.repeat(rng.normal(0.6, 0.2, cases // 5), 5) + rng.normal(0, 0.1, cases), 0, 1)


def further(plan):
    """Readings and cases of a plan that says how many."""
    assert plan.readings is not None
    assert plan.cases is not None
    return plan.readings, plan.cases


def half_width(values, statistic=np.mean, groups=None):
    low, high = bootstrap_interval(values, statistic, groups=groups)
    return (high - low) / 2


@pytest.mark.parametrize("drawn", [agreed, dice])
@pytest.mark.parametrize("statistic", [np.mean, np.std])
@pytest.mark.parametrize("factor", [1.5, 3.0])
def test_the_half_width_that_was_planned_is_reached(drawn, statistic, factor):
    reached = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        now = drawn(rng, 150)
        target = half_width(now, statistic) / factor
        plan = plan_readings(now, statistic, target=target)
        assert plan.is_reliable, plan.why_not
        readings, cases = further(plan)
        assert readings == 2 * cases
        later = np.concatenate([now, drawn(rng, cases)])
        reached.append(half_width(later, statistic) / target)
    assert np.mean(reached) == pytest.approx(1, abs=0.15)


def test_it_is_reached_with_patients_of_several_cases():
    reached = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        now = patients(rng, 300)
        target = half_width(now, groups=np.arange(300) // 5) / 2
        plan = plan_readings(now, target=target, groups=np.arange(300) // 5)
        assert plan.is_reliable, plan.why_not
        later = np.concatenate([now, patients(rng, further(plan)[1] // 5 * 5)])
        reached.append(half_width(later, groups=np.arange(len(later)) // 5) / target)
        assert plan.cases == pytest.approx(900, abs=1)
    assert np.mean(reached) == pytest.approx(1, abs=0.15)


def test_it_is_reached_for_a_kappa():
    def pairs(rng, cases):
        truth = rng.random(cases) < 0.4
        return np.column_stack([truth ^ (rng.random(cases) < 0.1) for _ in range(2)]).astype(float)

    def kappa(rows):
        return cohen_kappa(rows[:, 0], rows[:, 1])

    rng = np.random.default_rng(1)
    now = pairs(rng, 120)
    plan = plan_readings(now, kappa, target=0.09, n=400)
    assert plan.is_reliable, plan.why_not
    later = np.concatenate([now, pairs(rng, further(plan)[1])])
    low, high = bootstrap_interval(later, kappa, n=400)
    assert (high - low) / 2 == pytest.approx(0.09, rel=0.15)


def test_golden_values():
    """Raise METRIC_VERSION when these change."""
    assert planning.METRIC_VERSION == "1"
    plan = plan_readings(np.arange(40) / 40, target=0.02, cases_lacking_one=100)
    assert (plan.readings, plan.cases, plan.is_reliable) == (1464, 782, True)
    assert plan.half_width == pytest.approx(0.0901, abs=1e-3)


@given(st.floats(1e-3, 1), st.integers(20, 5000), st.floats(1, 5), st.integers(1, 4), st.integers(0, 10_000))
def test_the_formula_and_its_counts(now, cases, factor, each, lacking):
    plan = plan_from_half_width(now, cases, target=now / factor, readings_per_case=each, cases_lacking_one=lacking)
    assert plan.is_reliable == (plan.why_not == "")
    readings, more = further(plan)
    assert cases + more == pytest.approx(cases * factor**2, abs=1.001)
    full = max(0, more - lacking)
    assert readings == full * each + (more - full)
    closer = plan_from_half_width(now, cases, target=now / factor / 2, readings_per_case=each)
    assert further(closer)[1] >= more


def test_the_variance_gives_the_textbook_sample_size():
    plan = plan_from_variance(0.25, 50, target=0.05)
    _, more = further(plan)
    assert 50 + more == math.ceil((1.959964 / 0.05) ** 2 * 0.25)
    assert further(plan_from_variance(0.25, 50, target=0.05, level=0.9))[1] < more


def test_a_target_that_is_reached_needs_nothing():
    plan = plan_readings([0.0, 1.0] * 50, target=0.2)
    assert (plan.readings, plan.cases, plan.is_reliable) == (0, 0, True)
    assert plan_from_half_width(0.1, 50, target=0.1).readings == 0


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (plan_readings([], target=0.1), "0 cases read often enough"),
        (plan_readings([1.0], target=0.1), "1 cases read often enough"),
        (plan_readings([1.0, math.nan], target=0.1), "1 cases read often enough"),
        (plan_readings([1.0] * 50, target=0.1), "all 50 cases are alike so far"),
        (plan_from_half_width(0.1, 50, target=1e-9), "1e-09 is out of reach from 0.1"),
        (plan_from_variance(0.2, 0, target=0.1), "0 cases read often enough"),
    ],
)
def test_nothing_is_said_where_nothing_can_be(plan, why):
    assert (plan.readings, plan.cases, plan.is_reliable) == (None, None, False)
    assert plan.why_not.startswith(why)


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (plan_readings([0.0, 1.0] * 5, target=0.1), "10 cases are too few to plan from; 20 are needed"),
        (
            plan_readings(np.arange(100) / 100, target=0.05, groups=np.arange(100) // 10),
            "10 clusters of cases are too few to plan from; 20 are needed",
        ),
        (plan_from_half_width(0.5, 30, target=0.05), "that is more than 25 times the 30 cases there are"),
        (plan_readings([0.0] * 199 + [1.0], np.max, target=0.2), "a few cases carry the number"),
    ],
)
def test_a_doubtful_plan_says_so_and_still_gives_its_number(plan, why):
    assert further(plan)[0] > 0
    assert not plan.is_reliable
    assert plan.why_not.startswith(why)


def test_a_number_undefined_without_some_cases_is_doubtful():
    values = np.array([0.0] * 300 + [2.0] + [3.0])

    def needs_both(rows):
        return float(rows.mean()) if {2.0, 3.0} <= set(rows) else math.nan

    plan = plan_readings(values, needs_both, target=0.01)
    assert plan.why_not == "the number is undefined without some of the cases"


def test_many_cases_are_left_out_in_shares():
    rng = np.random.default_rng(0)
    plan = plan_readings(agreed(rng, 5000), target=0.005)
    assert plan.is_reliable, plan.why_not
    assert 5000 + further(plan)[1] == pytest.approx(0.21 * (1.96 / 0.005) ** 2, rel=0.2)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"target": 0}, "target must be above 0, not 0"),
        ({"target": math.nan}, "target must be above 0, not nan"),
        ({"target": 0.1, "readings_per_case": 0}, "readings_per_case must be at least 1, not 0"),
        ({"target": 0.1, "cases_lacking_one": -1}, "cases_lacking_one must be at least 0, not -1"),
    ],
)
def test_bad_wishes_raise(more, message):
    with pytest.raises(ValueError, match=message):
        plan_readings([0.0, 1.0] * 20, **more)


def test_bad_numbers_raise():
    with pytest.raises(ValueError, match="a half-width is 0 or more, not -1"):
        plan_from_half_width(-1, 10, target=0.1)
    with pytest.raises(ValueError, match="cases must be at least 0, not -1"):
        plan_from_half_width(0.1, -1, target=0.1)
    with pytest.raises(ValueError, match="a variance is 0 or more, not nan"):
        plan_from_variance(math.nan, 10, target=0.1)
    with pytest.raises(ValueError, match="level must lie between 0 and 1, not 1"):
        plan_from_variance(0.1, 10, target=0.1, level=1)
