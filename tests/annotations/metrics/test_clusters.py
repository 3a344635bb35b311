"""Bootstrap of sums by cluster: the same intervals as drawing the rows themselves, and what is undefined."""

from __future__ import annotations

import math

import numpy as np
import pytest

from annotations.metrics.agreement import bootstrap_means
from annotations.metrics.clusters import bootstrap_clustered_patterns, bootstrap_ratios
from annotations.metrics.patterns import STATISTICS, PatternCounts, bootstrap_patterns


def test_ratios_are_the_interval_of_grouped_rows() -> None:
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 60, 400)
    rows = rng.normal(size=(400, 2)) + rng.normal(size=60)[groups, np.newaxis]
    rows[rng.random((400, 2)) < 0.2] = np.nan
    sums = np.array([np.nansum(rows[groups == group], axis=0) for group in range(60)])
    counts = np.array([(~np.isnan(rows[groups == group])).sum(axis=0) for group in range(60)])
    of_rows = bootstrap_means(rows, groups=groups, n=4000)
    of_sums = bootstrap_ratios(sums, counts, n=4000)
    assert np.array(of_sums) == pytest.approx(np.array(of_rows), abs=0.03)


def test_clusters_put_together_at_random_give_the_same_width() -> None:
    rng = np.random.default_rng(2)
    values = rng.random(20_000)
    together = np.add.reduceat(values, np.arange(0, 20_000, 80))[:, np.newaxis]
    [(low, high)] = bootstrap_ratios(together, np.full_like(together, 80), n=4000)
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / math.sqrt(20_000), rel=0.12)


def test_many_numbers_are_drawn_as_each_by_itself() -> None:
    rng = np.random.default_rng(3)
    sums, counts = rng.random((40, 5000)), rng.integers(0, 3, (40, 5000))
    at_once = bootstrap_ratios(sums, counts, n=1000)  # more than are drawn in one go
    assert at_once[4321] == pytest.approx(bootstrap_ratios(sums[:, [4321]], counts[:, [4321]], n=1000)[0])


def test_undefined_draws_are_left_out() -> None:
    sums, counts = [[1.0], [3.0], [0.0], [0.0]], [[1], [1], [0], [0]]
    [(low, high)] = bootstrap_ratios(sums, counts)
    assert (low, high) == (1.0, 3.0)


@pytest.mark.parametrize("clusters", [0, 1])
def test_too_few_clusters_are_undefined(clusters: int) -> None:
    [(low, high)] = bootstrap_ratios(np.ones((clusters, 1)), np.ones((clusters, 1)))
    assert math.isnan(low)
    assert math.isnan(high)


def test_a_number_of_one_cluster_is_undefined() -> None:
    first, second = bootstrap_ratios([[1.0, 1.0], [1.0, 5.0]], [[1, 1], [1, 0]])
    assert first == (1.0, 1.0)
    assert math.isnan(second[0])


def test_no_numbers_give_none() -> None:
    assert bootstrap_ratios(np.ones((3, 0)), np.ones((3, 0))) == []


@pytest.mark.parametrize(
    ("sums", "counts", "rest", "words"),
    [
        ([1.0], [1], {}, "axes"),
        ([[1.0]], [[1, 2]], {}, "axes"),
        ([[1.0], [1.0]], [[1], [-1]], {}, "not negative: -1"),
        ([[1.0], [1.0]], [[1], [1]], {"n": 0}, "n must be at least 1"),
        ([[1.0], [1.0]], [[1], [1]], {"level": 1.0}, "level must lie"),
    ],
)
def test_bad_input_is_named(sums: object, counts: object, rest: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        bootstrap_ratios(sums, counts, **rest)  # type: ignore[arg-type]


def test_patterns_of_single_cases_are_drawn_as_patterns() -> None:
    table = PatternCounts.of({(3, 0, 0): 40, (0, 3, 0): 30, (2, 1, 0): 20, (0, 1, 2): 10})
    single = np.repeat(np.eye(4), table.cases.astype(int), axis=0)
    ours = bootstrap_clustered_patterns(table, single, n=4000)
    theirs = bootstrap_patterns(table, n=4000)
    for name in STATISTICS:
        assert ours[name] == pytest.approx(theirs[name], abs=0.02)


def test_patients_that_resemble_themselves_widen_the_interval() -> None:
    table = PatternCounts.of({(2, 0): 50, (0, 2): 50, (1, 1): 100})
    alone = np.repeat(np.eye(3), [50, 50, 100], axis=0)
    together = np.repeat(np.eye(3) * 10, [5, 5, 10], axis=0)
    narrow, wide = (
        bootstrap_clustered_patterns(table, clusters, ["alpha_nominal"])["alpha_nominal"]
        for clusters in (alone, together)
    )
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_clusters_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="do not add up"):
        bootstrap_clustered_patterns(PatternCounts.of({(2, 0): 2, (1, 1): 1}), [[1, 0], [0, 1]])


def test_one_cluster_is_undefined() -> None:
    found = bootstrap_clustered_patterns(PatternCounts.of({(2, 0): 1, (1, 1): 1}), [[1, 1]], ["percent_agreement"])
    assert math.isnan(found["percent_agreement"][0])
