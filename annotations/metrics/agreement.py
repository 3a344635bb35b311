"""Agreement among readers, and how sure a number is that comes from a sample of cases or readers."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.metrics.coefficients import cohen_kappa, fleiss_kappa, gwet_ac1, krippendorff_alpha
from annotations.metrics.confusion import bootstrap_confusion, confusion_kappa
from annotations.metrics.patterns import PatternCounts, agreement_of_patterns, bootstrap_patterns, move_case

__all__ = [
    "PatternCounts",
    "agreement_of_patterns",
    "bootstrap_confusion",
    "bootstrap_interval",
    "bootstrap_means",
    "bootstrap_patterns",
    "cohen_kappa",
    "confusion_kappa",
    "fleiss_kappa",
    "gwet_ac1",
    "krippendorff_alpha",
    "move_case",
]

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

Array = NDArray[np.float64]

_MOST_AT_ONCE = 2**21
"""Numbers resampled in one go: 16 MiB, so that 100,000 cases need no more memory than 100."""


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[..., Any],
    *,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    n: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic over cases, (low, high), in the statistic's own unit and range.

    The rows are drawn again with replacement `n` times, as many as there are, and the statistic is computed of each
    draw; the interval holds the middle `level` of those numbers. What it means: had other cases of the same kind been
    collected, the number would mostly have fallen in here. Two models whose intervals lie far apart differ by more
    than the choice of cases; an interval says nothing of a bias that all cases share.

    Parameters
    ----------
    values
        One number a case, float (cases,), or one row a case, float (cases, ...). In the first form nan is a missing
        case and is left out; in the second it is left to the statistic.
    statistic
        From an array of that shape to a number, such as `np.mean`. `np.mean` of (cases,) is computed for all draws at
        once; of any other statistic that takes `axis`, draws of ungrouped (cases,) are computed many at a time.
    groups
        For each row the cluster it belongs to (a patient, an image): whole clusters are drawn, so that rows that
        resemble one another do not make the interval too narrow. None: every row for itself.
    n
        How many draws, at least 1.
    level
        In (0, 1).
    seed
        The same seed, values and groups give the same interval.

    Returns
    -------
    (low, high): the quantiles (1 - level)/2 and (1 + level)/2 of the statistic over the draws, linearly interpolated.
    A draw of which the statistic is nan is left out.

    Notes
    -----
    Chance level: none; hold the statistic's chance level against the interval.
    Empty case: no case, a single case or a single cluster, or a statistic that is nan in every draw gives (nan, nan):
    one case drawn again and again would give a width of 0, which says certainty where there is none.
    Under about 20 clusters a percentile interval is too narrow; under 5 show the numbers themselves.

    Raises
    ------
    ValueError
        If `values` has no axis or holds infinity, `groups` has another length, or `n` or `level` is out of range.

    References
    ----------
    Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13; clusters: Field and Welsh 2007,
    DOI 10.1111/j.1467-9868.2007.00593.x.

    Examples
    --------
    >>> right = [1, 1, 1, 0, 1, 1, 0, 1, 1, 1]
    >>> low, high = bootstrap_interval(right, np.mean)
    >>> round(low, 2), round(high, 2)
    (0.5, 1.0)
    >>> bootstrap_interval([2.5, 2.5, 2.5], np.median)
    (2.5, 2.5)
    >>> bootstrap_interval([1.0], np.mean)
    (nan, nan)
    >>> same_patient = bootstrap_interval([0, 0, 1, 1], np.mean, groups=["p1", "p1", "p2", "p2"])
    >>> same_patient
    (0.0, 1.0)
    """
    rows, clusters = _checked(values, groups, n=n, level=level)
    count = len(rows) if clusters is None else len(clusters)
    if count < 2:
        return (float("nan"), float("nan"))
    drawn = np.concatenate(list(_draws(rows, statistic, clusters, count=count, n=n, seed=seed)))
    drawn = drawn[~np.isnan(drawn)]
    if not drawn.size:
        return (float("nan"), float("nan"))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return (float(low), float(high))


def bootstrap_means(
    columns: ArrayLike,
    *,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    n: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> list[tuple[float, float]]:
    """Percentile bootstrap intervals of the means of several columns over the same cases, each in its column's unit.

    As `bootstrap_interval` with `np.mean` of each column, in one draw of the cases for all columns: what a table of
    many numbers needs. Means: as there.

    Parameters
    ----------
    columns
        One row a case and one column a number, float (cases, columns). nan is a number that a case does not have: the
        case is drawn all the same and counts for nothing in that column.
    groups, n, level, seed
        As `bootstrap_interval`.

    Returns
    -------
    (low, high) of each column, in order.

    Notes
    -----
    Chance level: none.
    Empty case: a column with a number in fewer than two clusters has (nan, nan), as no column has in no case.

    Raises
    ------
    ValueError
        If `columns` has not two axes; and as `bootstrap_interval`.

    References
    ----------
    As `bootstrap_interval`.

    Examples
    --------
    >>> bootstrap_means([[2.0, float("nan")], [2.0, 1.0], [2.0, float("nan")]])
    [(2.0, 2.0), (nan, nan)]
    """
    table = np.asarray(columns, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"columns must have the axes (cases, columns), not shape {table.shape}")
    rows, clusters = _checked(table, groups, n=n, level=level)
    is_there = (~np.isnan(rows)).astype(np.float64)
    values = np.nan_to_num(rows)
    if clusters is not None:
        values = np.array([values[members].sum(axis=0) for members in clusters]).reshape(-1, rows.shape[1])
        is_there = np.array([is_there[members].sum(axis=0) for members in clusters]).reshape(-1, rows.shape[1])
    count = len(values)
    enough = (is_there > 0).sum(axis=0) >= 2
    if count < 2 or not enough.any():
        return [(float("nan"), float("nan"))] * rows.shape[1]
    drawn = np.concatenate(list(_drawn_means(values, is_there, count=count, n=n, seed=seed)))  # (draws, columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column of nan alone is (nan, nan)
        bounds = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    bounds[:, ~enough] = np.nan
    return [(float(low), float(high)) for low, high in bounds.T]


def _drawn_means(values: Array, is_there: Array, *, count: int, n: int, seed: int) -> Iterator[Array]:
    """Means of the columns in n draws, some at a time: how often each cluster is drawn, times its sums."""
    rng = np.random.default_rng(seed)
    at_once = max(1, _MOST_AT_ONCE // count)
    for start in range(0, n, at_once):
        draws = min(at_once, n - start)
        chosen = rng.integers(count, size=(draws, count), dtype=np.int32)
        places = chosen + np.arange(draws, dtype=np.int64)[:, None] * count
        times = np.bincount(places.ravel(), minlength=draws * count).reshape(draws, count).astype(np.float64)
        with np.errstate(invalid="ignore"):  # a draw without a number has no mean
            yield (times @ values) / (times @ is_there)


def _checked(
    values: ArrayLike, groups: Sequence[Any] | NDArray[Any] | None, *, n: int, level: float
) -> tuple[Array, list[NDArray[np.intp]] | None]:
    """The rows that count, and the rows of each cluster."""
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim < 1:
        raise ValueError(f"a bootstrap needs one value a case, not the single number {float(rows):g}")
    if np.isinf(rows).any():
        raise ValueError(f"row {int(np.argwhere(np.isinf(rows))[0][0])} is infinite")
    if groups is not None and len(groups) != len(rows):
        raise ValueError(f"{len(groups)} groups for {len(rows)} values")
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level:g}")
    is_there = ~np.isnan(rows) if rows.ndim == 1 else np.ones(len(rows), dtype=np.bool_)
    if groups is None:
        return rows[is_there], None
    _, number = np.unique(np.asarray(groups)[is_there], return_inverse=True)
    order = np.argsort(number, kind="stable")
    if not number.size:
        return rows[is_there], []
    return rows[is_there], np.split(order, np.cumsum(np.bincount(number))[:-1])


def _draws(
    rows: Array,
    statistic: Callable[..., Any],
    clusters: list[NDArray[np.intp]] | None,
    *,
    count: int,
    n: int,
    seed: int,
) -> Iterator[Array]:
    """The statistic of n draws, some at a time."""
    rng = np.random.default_rng(seed)
    at_once = max(1, _MOST_AT_ONCE // count)
    sums, sizes = _sums(rows, clusters)
    is_mean = statistic is np.mean and rows.ndim == 1
    is_by_axis = clusters is None and rows.ndim == 1 and _takes_axis(statistic)
    for start in range(0, n, at_once):
        chosen = rng.integers(count, size=(min(at_once, n - start), count), dtype=np.int32)  # (draws, clusters)
        if is_mean:
            yield sums[chosen].sum(axis=1) / (count if clusters is None else sizes[chosen].sum(axis=1))
        elif is_by_axis:
            yield np.asarray(statistic(rows[chosen], axis=1), dtype=np.float64)
        elif clusters is None:
            yield np.array([float(statistic(rows[draw])) for draw in chosen])
        else:
            yield np.array([float(statistic(rows[np.concatenate([clusters[one] for one in draw])])) for draw in chosen])


def _sums(rows: Array, clusters: list[NDArray[np.intp]] | None) -> tuple[Array, Array]:
    """Sum and number of rows of each cluster; of single rows themselves and 1."""
    if clusters is None or rows.ndim != 1:
        return rows, np.ones(len(rows))
    return (
        np.array([rows[members].sum() for members in clusters]),
        np.array([float(len(members)) for members in clusters]),
    )


def _takes_axis(statistic: Callable[..., Any]) -> bool:
    try:
        return "axis" in inspect.signature(statistic).parameters
    except (TypeError, ValueError):  # a builtin that does not say what it takes
        return False
