"""Drawing cases again with replacement where only how many there are of each kind is known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MOST_AT_ONCE = 2**21
"""Numbers held of one kind: 16 MiB, so that many kinds need no more memory than few."""


def draw_times(cases: Array, *, n: int, seed: int) -> Iterator[Array]:
    """How often the cases of each row come up when as many as there are are drawn with replacement, (draws, rows)."""
    rng = np.random.default_rng(seed)
    total = int(cases.sum())
    for draws in in_parts(n, cases.size):
        yield rng.multinomial(total, cases / total, size=draws).astype(np.float64)


def draw_sums(
    group: NDArray[np.intp], cases: Array, weights: Array, *, n: int, seed: int
) -> Iterator[tuple[Array, Array]]:
    """As `draw_times` for rows of several groups: cases drawn of each group and their weight, (draws, groups) each.

    Where rows are hardly fewer than cases, the cases themselves are drawn: 100,000 binomials would take longer.
    """
    groups, total = int(group[-1]) + 1, int(cases.sum())
    if cases.size * 4 <= total:
        starts = np.flatnonzero(np.r_[True, np.diff(group) > 0])
        for times in draw_times(cases, n=n, seed=seed):
            yield np.add.reduceat(times, starts, axis=1), np.add.reduceat(times * weights, starts, axis=1)
        return
    rng = np.random.default_rng(seed)
    group_of, weight_of = (np.repeat(row, cases.astype(np.int64)) for row in (group, weights))
    for draws in in_parts(n, groups):
        numbers, weighted = np.empty((draws, groups)), np.empty((draws, groups))
        for draw in range(draws):
            chosen = rng.integers(total, size=total, dtype=np.int32)
            drawn = group_of[chosen]
            numbers[draw] = np.bincount(drawn, minlength=groups)
            weighted[draw] = np.bincount(drawn, weight_of[chosen], minlength=groups)
        yield numbers, weighted


def in_parts(n: int, size: int) -> Iterator[int]:
    """How many of n draws to make at once, so that `size` numbers of each fit."""
    at_once = max(1, _MOST_AT_ONCE // max(size, 1))
    yield from (min(at_once, n - start) for start in range(0, n, at_once))


def percentiles(drawn: Array, level: float) -> tuple[float, float]:
    """The middle `level` of the numbers that are defined; (nan, nan) of none."""
    drawn = drawn[~np.isnan(drawn)]
    if not drawn.size:
        return (float("nan"), float("nan"))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return (float(low), float(high))


def interval_of_equals(
    value: float, n: int, *, level: float = 0.95, least: float = 0.0, most: float = 1.0
) -> tuple[float, float]:
    """Interval of a mean of which every one of n independent observations was the same, in [least, most].

    Drawing equal observations again has no spread, and would say certainty where five cases were seen. What they do
    say is that other values are rare: with the confidence asked for not more than a share of 1 - ((1 - level) / 2)
    ** (1 / n) lies below, and not more above. The mean is lowest where all of the share below is at the least possible
    value, and highest where all above is at the greatest. Nothing is assumed of the distribution but its range.

    Parameters
    ----------
    value
        What was seen each time, in [least, most].
    n
        How many independent observations (patients, not cases), at least 1.
    level
        In (0, 1).
    least, most
        The range of the values.

    Returns
    -------
    (low, high), which hold the value. At least `level` wide in coverage; for a share of 0 or 1 Clopper and Pearson's.

    Notes
    -----
    Chance level: none.
    Empty case: n below 1 is refused.

    Raises
    ------
    ValueError
        If the value is out of its range, n is below 1, or the level is not in (0, 1).

    References
    ----------
    Clopper and Pearson 1934, DOI 10.1093/biomet/26.4.404 (none of n: for 95 % about 3.7 / n, a rule of three of two
    sides); carried to means of bounded values as Anderson 1969, Confidence limits for the expected value of an
    arbitrary bounded random variable, Bulletin of the International Statistical Institute 43.

    Examples
    --------
    >>> low, high = interval_of_equals(1.0, 5)
    >>> round(low, 3), high
    (0.478, 1.0)
    >>> [round(bound, 3) for bound in interval_of_equals(0.5, 100)]
    [0.482, 0.518]
    """
    check_draws(1, level)
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    if not least <= value <= most:
        raise ValueError(f"{value:g} is outside of {least:g} to {most:g}")
    there = ((1 - level) / 2) ** (1 / n)
    return (value * there + least * (1 - there), value * there + most * (1 - there))


def check_draws(n: int, level: float) -> None:
    """Refuse a number of draws below 1 and a level outside (0, 1)."""
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level:g}")
