"""bootstrap_interval: against scipy, by hand, its edge cases, and that every way of computing it agrees."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from annotations.metrics import agreement
from annotations.metrics.agreement import bootstrap_interval, bootstrap_means


@pytest.mark.parametrize("statistic", [np.mean, np.median, np.std])
def test_agrees_with_scipys_percentile_bootstrap(statistic):
    values = np.random.default_rng(7).gamma(2.0, size=120)
    ours = bootstrap_interval(values, statistic, n=20_000)
    theirs = stats.bootstrap(
        (values,), statistic, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), rel=0.02)


def test_two_values_by_hand():
    # Means of two drawn from {0, 1}: 0, 1/2, 1 with 1/4, 1/2, 1/4.
    assert bootstrap_interval([0, 1], np.mean) == (0.0, 1.0)
    assert bootstrap_interval([0, 1], np.mean, level=0.4) == (0.5, 0.5)


def test_golden_values():
    """Raise METRIC_VERSION when these change."""
    assert agreement.METRIC_VERSION == "1"
    assert bootstrap_interval(np.arange(10), np.mean) == pytest.approx((2.7, 6.4))
    assert bootstrap_interval(np.arange(10), np.mean, seed=1) == pytest.approx((2.7, 6.3))


@pytest.mark.parametrize("groups", [None, np.repeat(np.arange(25), 4), np.arange(100) // 7])
def test_the_fast_path_of_the_mean_is_the_mean(groups):
    values = np.random.default_rng(0).normal(size=100)

    def slow_mean(rows):
        return float(np.sum(rows)) / len(rows)

    assert bootstrap_interval(values, np.mean, groups=groups) == pytest.approx(
        bootstrap_interval(values, slow_mean, groups=groups)
    )


def test_a_statistic_with_an_axis_gives_what_it_gives_row_by_row():
    values = np.random.default_rng(0).normal(size=60)

    def median(rows):
        return np.median(rows)

    assert bootstrap_interval(values, np.median) == bootstrap_interval(values, median)


def test_rows_with_columns_are_drawn_whole():
    rows = np.random.default_rng(0).normal(size=(80, 2))
    low, high = bootstrap_interval(rows, lambda drawn: float(np.mean(drawn[:, 0] - drawn[:, 1])))
    assert (low, high) == pytest.approx(bootstrap_interval(rows[:, 0] - rows[:, 1], np.mean))


def test_clusters_drawn_whole_are_wider_than_rows_that_pretend_to_be_independent():
    per_patient = np.random.default_rng(3).normal(size=30)
    values = np.repeat(per_patient, 10)
    patients = [f"p{index}" for index in range(30) for _ in range(10)]
    alone = bootstrap_interval(values, np.mean)
    whole = bootstrap_interval(values, np.mean, groups=patients)
    assert whole[1] - whole[0] > 2 * (alone[1] - alone[0])
    assert whole == pytest.approx(bootstrap_interval(per_patient, np.mean), abs=0.1)


def test_a_large_sample_in_portions_is_the_same_sample(monkeypatch):
    values = np.random.default_rng(0).normal(size=50)
    whole = bootstrap_interval(values, np.mean, n=500)
    monkeypatch.setattr(agreement, "_MOST_AT_ONCE", 50)
    assert bootstrap_interval(values, np.mean, n=500) == pytest.approx(whole, abs=0.1)


def test_missing_values_are_left_out_with_their_group():
    values = [1.0, float("nan"), 2.0, 3.0]
    assert bootstrap_interval(values, np.mean) == bootstrap_interval([1.0, 2.0, 3.0], np.mean)
    assert bootstrap_interval(values, np.mean, groups=list("abcd")) == bootstrap_interval([1.0, 2.0, 3.0], np.mean)


@pytest.mark.parametrize(
    ("values", "groups"), [([], None), ([1.0], None), ([float("nan")] * 3, None), ([1, 2], ["a", "a"]), ([], [])]
)
def test_too_little_to_draw_from_has_no_interval(values, groups):
    assert all(math.isnan(bound) for bound in bootstrap_interval(values, np.mean, groups=groups))


def test_a_draw_without_a_statistic_is_left_out():
    def only_mixed(rows):
        return float("nan") if rows.min() == rows.max() else float(rows.mean())

    low, high = bootstrap_interval([0.0, 1.0, 1.0], only_mixed)
    assert (low, high) == pytest.approx((1 / 3, 2 / 3))
    assert all(math.isnan(bound) for bound in bootstrap_interval([0.0, 1.0], lambda _: float("nan")))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"values": 3.5}, "not the single number 3.5"),
        ({"values": [1, float("inf")]}, "row 1 is infinite"),
        ({"values": [1, 2], "groups": ["a"]}, "1 groups for 2 values"),
        ({"values": [1, 2], "n": 0}, "not 0"),
        ({"values": [1, 2], "level": 95.0}, "not 95"),
    ],
)
def test_what_it_refuses(given, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_interval(statistic=np.mean, **given)


@pytest.mark.parametrize("groups", [None, np.arange(90) // 4])
def test_many_columns_at_once_are_what_each_is_alone(groups):
    columns = np.random.default_rng(2).normal(size=(90, 3))
    alone = [bootstrap_interval(columns[:, at], np.mean, groups=groups) for at in range(3)]
    assert bootstrap_means(columns, groups=groups) == [pytest.approx(one) for one in alone]


def test_a_case_without_a_number_counts_for_nothing_in_its_column():
    columns = np.random.default_rng(2).normal(size=(400, 2))
    columns[::2, 1] = np.nan
    means = bootstrap_means(columns)
    assert means[1] == pytest.approx(bootstrap_interval(columns[1::2, 1], np.mean), abs=0.03)


def test_columns_with_too_little_have_no_interval():
    columns = [[1.0, np.nan, 5.0], [2.0, np.nan, np.nan], [3.0, np.nan, np.nan]]
    full, empty, single = bootstrap_means(columns)
    assert full[0] < full[1]
    assert all(math.isnan(bound) for bound in (*empty, *single))
    assert bootstrap_means(np.empty((0, 2))) == [pytest.approx((math.nan, math.nan), nan_ok=True)] * 2
    one_patient = bootstrap_means([[1.0], [2.0]], groups=["p", "p"])
    assert math.isnan(one_patient[0][0])


def test_columns_need_two_axes():
    with pytest.raises(ValueError, match=r"not shape \(2,\)"):
        bootstrap_means([1.0, 2.0])
