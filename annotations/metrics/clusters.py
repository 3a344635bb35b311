"""Bootstrap intervals where cases come in clusters (patients) and only each cluster's sums are known.

A benchmark of 100,000 cases is some hundred rows here: what a database adds up by cluster, or by clusters put together
at random. Drawing clusters with replacement is then one matrix product for all numbers of a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.metrics.patterns import STATISTICS, PatternCounts, Statistic, agreement_of_draws
from annotations.metrics.resampling import check_draws, percentiles

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

Array = NDArray[np.float64]
_MOST_AT_ONCE = 2**21
"""Numbers drawn in one go: 16 MiB."""

Interval = tuple[float, float]


def bootstrap_ratios(
    sums: ArrayLike, counts: ArrayLike, *, n: int = 1000, level: float = 0.95, seed: int = 0
) -> list[Interval]:
    """Percentile bootstrap intervals of means over cases from their sums by cluster, each in its number's unit.

    As `agreement.bootstrap_means` with groups, from what a database can add up. What an interval means is said at
    `agreement.bootstrap_interval`.

    Parameters
    ----------
    sums
        Of each number over the cases of each cluster that have it, float (clusters, numbers).
    counts
        How many cases of the cluster have it, float (clusters, numbers); where it is 0 the sum does not matter.
    n, level, seed
        As `bootstrap_interval`. The same number of clusters is drawn the same way.

    Returns
    -------
    (low, high) of each number, in order.

    Notes
    -----
    Chance level: none.
    Empty case: a number that fewer than two clusters have gives (nan, nan).
    Clusters may be put together at random beforehand: the interval is as wide, from about 200 clusters up.

    Raises
    ------
    ValueError
        If the shapes differ or have not two axes, a count is negative, or `n` or `level` is out of range.

    References
    ----------
    Field and Welsh 2007, DOI 10.1111/j.1467-9868.2007.00593.x.

    Examples
    --------
    >>> low, high = bootstrap_ratios([[1.0], [0.0], [2.0], [1.0]], [[2], [1], [2], [2]])[0]
    >>> 0.1 < low < 0.4 and 0.7 < high < 1.0
    True
    >>> bootstrap_ratios([[3.0]], [[4]])
    [(nan, nan)]
    """
    check_draws(n, level)
    added, cases = np.asarray(sums, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    if added.ndim != 2 or added.shape != cases.shape:
        raise ValueError(f"sums and counts have the axes (clusters, numbers), not {added.shape} and {cases.shape}")
    if (cases < 0).any():
        raise ValueError(f"a count of cases is not negative: {cases.min():g}")
    added = np.where(cases > 0, added, 0.0)
    if len(added) < 2:
        return [(float("nan"), float("nan"))] * added.shape[1]
    times = _draws(len(added), n, seed)
    width = max(1, _MOST_AT_ONCE // n)
    parts = [
        _bounds(times, added[:, start : start + width], cases[:, start : start + width], level)
        for start in range(0, added.shape[1], width)
    ]
    enough = (cases > 0).sum(axis=0) >= 2
    bounds = np.where(enough, np.concatenate(parts, axis=1), np.nan) if parts else np.empty((2, 0))
    return [(float(low), float(high)) for low, high in bounds.T]


def _bounds(times: Array, sums: Array, counts: Array, level: float) -> Array:
    """The middle `level` of the ratio's draws, (2, numbers); draws without a case that has the number are left out."""
    with np.errstate(invalid="ignore"):
        drawn = np.sort((times @ sums) / (times @ counts), axis=0)  # (draws, numbers), nan last
    defined = (~np.isnan(drawn)).sum(axis=0)
    places = np.array([[(1 - level) / 2], [(1 + level) / 2]]) * np.maximum(defined - 1, 0)  # (2, numbers)
    below = np.floor(places).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(defined - 1, 0))
    low, high = (np.take_along_axis(drawn, rows, axis=0) for rows in (below, above))
    return np.asarray(low + (high - low) * (places - below))


def bootstrap_clustered_patterns(
    table: PatternCounts,
    clusters: ArrayLike,
    statistics: Sequence[Statistic] = STATISTICS,
    *,
    n: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[Statistic, Interval]:
    """Percentile bootstrap intervals of coefficients of agreement where cases come in clusters, in each one's range.

    As `patterns.bootstrap_patterns`, but whole clusters (patients) are drawn.

    Parameters
    ----------
    table, statistics
        As `agreement_of_patterns`.
    clusters
        Cases of each cluster that show each pattern of the table, float (clusters, patterns).
    n, level, seed
        As `bootstrap_interval`.

    Returns
    -------
    (low, high) for each name. A draw of which the number is undefined is left out.

    Notes
    -----
    Chance level: none; hold the coefficient's against the interval.
    Empty case: fewer than two clusters, or a number undefined in every draw, gives (nan, nan).

    Raises
    ------
    ValueError
        If the clusters do not add up to the table's cases, or `n` or `level` is out of range.

    References
    ----------
    As `bootstrap_ratios`.

    Examples
    --------
    >>> table = PatternCounts.of({(2, 0): 2, (1, 1): 2})
    >>> bootstrap_clustered_patterns(table, [[2, 0], [0, 2]], ["percent_agreement"])
    {'percent_agreement': (0.0, 1.0)}
    """
    check_draws(n, level)
    cases = np.asarray(clusters, dtype=np.float64)
    if cases.ndim != 2 or cases.shape[1:] != table.cases.shape or not np.array_equal(cases.sum(axis=0), table.cases):
        raise ValueError(f"clusters of shape {cases.shape} do not add up to {table.cases.size} patterns' cases")
    if len(cases) < 2:
        return dict.fromkeys(statistics, (float("nan"), float("nan")))
    drawn = agreement_of_draws(table, _draws(len(cases), n, seed) @ cases, statistics)
    return {name: percentiles(drawn[name], level) for name in statistics}


@lru_cache(maxsize=8)
def _draws(clusters: int, n: int, seed: int) -> Array:
    """How often each cluster comes up in each draw, (draws, clusters)."""
    chosen = np.random.default_rng(seed).integers(clusters, size=(n, clusters), dtype=np.int64)
    places = chosen + np.arange(n, dtype=np.int64)[:, np.newaxis] * clusters
    return np.bincount(places.ravel(), minlength=n * clusters).reshape(n, clusters).astype(np.float64)
