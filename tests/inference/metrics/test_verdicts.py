"""Grounded or not, of one case and of a set of cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.metrics.agreement import bootstrap_interval
from inference.metrics import verdicts
from inference.metrics.verdicts import GROUNDED_MARGIN, GroundingRow, Quadrant, case_value, quadrant, set_verdict

NULLS = {"centre": 1.7, "moved_median": 1.0, "moved_p95": 1.9}


def test_golden_values_of_this_metric_version():
    """A change here is a change of METRIC_VERSION: every stored verdict becomes stale."""
    assert (verdicts.METRIC_VERSION, verdicts.GROUNDED_MARGIN, verdicts.FEWEST_CASES) == ("1", 1.25, 5)
    found = set_verdict([10.0, 11.0, 12.0, 9.0, 10.5, 11.5], {"centre": [1.7] * 6})
    assert found.mean == pytest.approx(32 / 3)
    assert found.interval == pytest.approx((59 / 6, 137 / 12))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (GroundingRow(value=2.0, **NULLS), True),
        (GroundingRow(value=1.9, **NULLS), False),  # the 95th percentile itself is not above it
        (GroundingRow(value=1.95, centre=1.95, moved_p95=1.0), False),
        (GroundingRow(value=2.0, other_finding=2.5, **NULLS), False),
        (GroundingRow(value=2.6, other_finding=2.5, **NULLS), True),
        (GroundingRow(value=9.0, centre=1.7), None),  # nothing moved: no verdict
    ],
)
def test_a_case_beats_every_null_that_exists_or_is_not_grounded(row, expected):
    assert case_value([row]).is_grounded is expected


def test_a_case_is_the_mean_over_its_rows_with_their_number():
    rows = [GroundingRow(value=1.0, **NULLS), GroundingRow(value=4.0, centre=1.1, moved_median=0.8, moved_p95=1.5)]
    found = case_value(rows)
    assert (found.value, found.row_count, found.is_grounded) == (2.5, 2, True)
    assert (found.centre, found.moved_median, found.moved_p95) == pytest.approx((1.4, 0.9, 1.7))


def test_a_null_of_some_rows_is_held_against_those_rows():
    """Without this a row far above would hide that the other is no better than another finding."""
    rows = [GroundingRow(value=9.0, **NULLS), GroundingRow(value=2.0, other_finding=2.5, **NULLS)]
    assert case_value(rows).is_grounded is False


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1])
def test_a_ratio_that_is_none_raises(value):
    with pytest.raises(ValueError, match="finite and at least 0"):
        case_value([GroundingRow(value=value)])


def test_a_set_needs_an_effect_and_not_significance():
    """Ten thousand cases a hair above chance: the interval lies above every null, and nothing is grounded."""
    values = np.random.default_rng(0).normal(1.02, 0.01, size=10_000)
    found = set_verdict(values, {"centre": np.ones(10_000), "moved": np.ones(10_000)})
    assert found.interval is not None
    assert found.interval[0] > 1.0
    assert (found.is_grounded, found.lost_to) == (False, "centre")


@pytest.mark.parametrize(("null", "is_grounded"), [(7.8, True), (7.9, False)])
def test_the_margin_is_on_the_lower_bound(null, is_grounded):
    # Lower bound 9.8333; over 1.25 it is 7.867.
    found = set_verdict([10.0, 11.0, 12.0, 9.0, 10.5, 11.5], {"other_finding": [null] * 6})
    assert found.is_grounded is is_grounded
    assert found.interval is not None
    assert (found.interval[0] / null >= GROUNDED_MARGIN) is is_grounded


def test_the_interval_is_the_bootstraps_with_clusters_drawn_whole():
    values, patients = [1.0, 1.1, 5.0, 5.1, 9.0, 9.1], ["a", "a", "b", "b", "c", "c"]
    found = set_verdict(values, {}, groups=patients)
    assert found.interval == pytest.approx(bootstrap_interval(values, np.mean, groups=patients))
    assert found.is_grounded is None


def test_cases_without_a_value_or_without_a_null_are_left_out():
    values = [10.0, math.nan, 12.0, 9.0, 10.5, 11.5, 10.0]
    others = [math.nan, 99.0, 2.0, math.nan, 2.0, math.nan, math.nan]
    found = set_verdict(values, {"other_finding": others, "centre": [1.0] * 7})
    assert (found.n, found.nulls["other_finding"], found.nulls["moved"]) == (6, 2.0, None)
    # Two cases with another finding are too few for an interval of their own; the centre map was beaten.
    assert found.is_grounded is True


def test_few_cases_have_no_interval_and_no_verdict():
    found = set_verdict([9.0] * 4, {"centre": [1.0] * 4})
    assert (found.mean, found.interval, found.is_grounded) == (9.0, None, None)
    nothing = set_verdict([], {})
    assert (nothing.mean, nothing.n, nothing.is_grounded) == (None, 0, None)


def test_what_a_set_refuses():
    with pytest.raises(ValueError, match="'luck' is none of the nulls"):
        set_verdict([1.0], {"luck": [1.0]})
    with pytest.raises(ValueError, match="null centre has 2 values for 1 cases"):
        set_verdict([1.0], {"centre": [1.0, 2.0]})


@given(st.permutations(range(8)))
def test_the_order_of_rows_changes_no_verdict_of_a_case(order):
    rows = [GroundingRow(value=0.5 + 0.4 * index, **NULLS) for index in range(8)]
    assert case_value([rows[index] for index in order]).is_grounded == case_value(rows).is_grounded


@pytest.mark.parametrize(
    ("is_right", "is_grounded", "expected"),
    [
        (True, True, Quadrant.RIGHT_GROUNDED),
        (True, False, Quadrant.RIGHT_NOT_GROUNDED),
        (False, True, Quadrant.WRONG_GROUNDED),
        (False, False, Quadrant.WRONG_NOT_GROUNDED),
        (None, True, Quadrant.UNKNOWN),
        (True, None, Quadrant.UNKNOWN),
        (None, None, Quadrant.UNKNOWN),
    ],
)
def test_quadrants(is_right, is_grounded, expected):
    assert quadrant(is_right, is_grounded) is expected
