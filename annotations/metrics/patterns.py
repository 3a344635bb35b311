"""Agreement among any number of readers from counts that add up: kept live, and its intervals drawn in milliseconds.

Every coefficient here sees of a case only how many readers gave each answer, its pattern. So a benchmark is a table of
patterns and how many cases show each; a submit moves one case from one pattern to another, and 100,000 cases with four
readers and three options are 34 rows. Drawing cases with replacement is one multinomial draw over those rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.metrics.resampling import check_draws, draw_sums, percentiles

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

Array = NDArray[np.float64]
Pattern = tuple[int, ...]
Statistic = Literal["percent_agreement", "fleiss_kappa", "gwet_ac1", "alpha_nominal", "alpha_ordinal", "alpha_interval"]
STATISTICS: tuple[Statistic, ...] = (
    "percent_agreement", "fleiss_kappa", "gwet_ac1", "alpha_nominal", "alpha_ordinal", "alpha_interval"
)  # fmt: skip


@dataclass(frozen=True)
class PatternCounts:
    """How many cases show which pattern of answers.

    Attributes
    ----------
    counts
        Readers who gave each answer, (patterns, categories), whole and not negative. Rows without a reader are left
        out.
    cases
        Number of cases that show the pattern, (patterns,), whole.
    weights
        What one such case weighs, (patterns,), above 0: 1, or one over the probability with which it was selected. The
        same pattern may stand in several rows with different weights.
    values
        The categories' numbers, (categories,), rising: their order for alpha ordinal, their distances for alpha
        interval. 0, 1, 2 ... where none are given.
    categories
        How many categories the scale has for Gwet's AC1: those that some reader used, or more where given.
    """

    counts: Array
    cases: Array
    weights: Array
    values: Array
    categories: int

    @classmethod
    def of(
        cls,
        patterns: Mapping[Any, int] | Iterable[tuple[Sequence[int], int, float]],
        *,
        values: ArrayLike | None = None,
        categories: int | None = None,
    ) -> PatternCounts:
        """Check and hold patterns: a mapping from counts per category to cases, or rows (counts, cases, weight).

        Raises
        ------
        ValueError
            If patterns differ in length, a count or a number of cases is negative or not whole, a weight is not above
            0 and finite, `values` do not rise or are not one a category, or `categories` is less than those used.

        Examples
        --------
        >>> PatternCounts.of({(2, 0): 5, (1, 1): 1}).cases.tolist()
        [5.0, 1.0]
        """
        rows = [(key, cases, 1.0) for key, cases in patterns.items()] if isinstance(patterns, Mapping) else [*patterns]
        if len({len(row[0]) for row in rows}) > 1:
            raise ValueError(f"patterns differ in length: {sorted({len(row[0]) for row in rows})}")
        counts = np.array([row[0] for row in rows], dtype=np.float64).reshape(len(rows), len(rows[0][0]) if rows else 0)
        cases = np.array([row[1] for row in rows], dtype=np.float64)
        weights = np.array([row[2] for row in rows], dtype=np.float64)
        return cls.from_arrays(counts, cases, weights, values=values, categories=categories)

    @classmethod
    def from_arrays(
        cls,
        counts: ArrayLike,
        cases: ArrayLike,
        weights: ArrayLike,
        *,
        values: ArrayLike | None = None,
        categories: int | None = None,
    ) -> PatternCounts:
        """As `of`, from arrays (patterns, categories), (patterns,) and (patterns,)."""
        table, times, heavy = (np.asarray(part, dtype=np.float64) for part in (counts, cases, weights))
        _check_whole(table, "a count of readers")
        _check_whole(times, "a number of cases")
        if heavy.size and not ((heavy > 0) & np.isfinite(heavy)).all():
            raise ValueError(
                f"a case's weight is above 0 and finite, not {heavy[~((heavy > 0) & np.isfinite(heavy))][0]:g}"
            )
        scale = np.arange(table.shape[1], dtype=np.float64) if values is None else np.asarray(values, dtype=np.float64)
        if scale.shape != (table.shape[1],):
            raise ValueError(f"{scale.size} values for {table.shape[1]} categories")
        if not np.isfinite(scale).all() or (np.diff(scale) <= 0).any():
            raise ValueError(f"values must rise and be finite: {scale.tolist()!r:.200}")
        kept = (table.sum(axis=1) > 0) & (times > 0)
        used = int((table[kept] > 0).any(axis=0).sum())
        if categories is not None and categories < used:
            raise ValueError(f"a scale of {categories} categories, but {used} are used")
        return cls(table[kept], times[kept], heavy[kept], scale, used if categories is None else categories)

    @property
    def pairable_cases(self) -> int:
        """Cases with two readers or more: the n of every coefficient."""
        return int(self.cases[self.counts.sum(axis=1) >= 2].sum())


def move_case(patterns: dict[Pattern, int], before: Pattern | None, after: Pattern | None) -> None:
    """Move one case from a pattern to another, in place; None is a case that was not or is no longer counted.

    Raises
    ------
    ValueError
        If no case shows the pattern to be left.

    Examples
    --------
    >>> patterns = {(1, 0): 1}
    >>> move_case(patterns, (1, 0), (1, 1))
    >>> patterns
    {(1, 1): 1}
    """
    if before is not None:
        if patterns.get(before, 0) < 1:
            raise ValueError(f"no case shows the pattern {before}")
        patterns[before] -= 1
        if not patterns[before]:
            del patterns[before]
    if after is not None:
        patterns[after] = patterns.get(after, 0) + 1


def agreement_of_patterns(table: PatternCounts, statistics: Sequence[Statistic] = STATISTICS) -> dict[Statistic, float]:
    """Coefficients of agreement from patterns, each in (-inf, 1] (percent agreement in [0, 1]).

    The same numbers as `coefficients` gives from the ratings themselves: `alpha_*` is `krippendorff_alpha` with that
    level, `fleiss_kappa` and `gwet_ac1` are theirs, and `percent_agreement` is the chance that two readers drawn from
    a case agree, averaged over the cases with two readers or more. What each means is said there. A case counts by its
    weight: with one over the probability of its selection the numbers estimate those of all cases.

    Parameters
    ----------
    table
        See `PatternCounts`.
    statistics
        Names from `STATISTICS`.

    Returns
    -------
    A number for each name.

    Notes
    -----
    Chance level: 0 for all but percent agreement, whose chance level is the sum of the squared shares of the answers.
    Empty case: where readers used one category only every coefficient is nan; percent agreement is then 1.
    Weights: they enter every share and mean; Krippendorff's correction for small samples, n/(n - 1), keeps the number
    of ratings for n, so that the unit of the weights does not matter.

    Raises
    ------
    ValueError
        If no case has two ratings, or a name is unknown.

    References
    ----------
    As `coefficients`; missing ratings in kappa and AC1: Gwet 2014, Handbook of Inter-Rater Reliability, chapter 2.

    Examples
    --------
    >>> table = PatternCounts.of({(2, 0): 40, (0, 2): 40, (1, 1): 20})
    >>> {name: round(number, 3) for name, number in agreement_of_patterns(table).items()}["fleiss_kappa"]
    0.6
    """
    _check(table, statistics)
    found = agreement_of_draws(table, table.cases[np.newaxis, :], statistics)
    return {name: float(found[name][0]) for name in statistics}


def bootstrap_patterns(
    table: PatternCounts,
    statistics: Sequence[Statistic] = STATISTICS,
    *,
    n: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[Statistic, tuple[float, float]]:
    """Percentile bootstrap intervals of coefficients of agreement over cases, (low, high) in each one's range.

    As many cases as there are are drawn again with replacement, each with its pattern and weight, `n` times. What an
    interval means is said at `agreement.bootstrap_interval`; this gives the same from patterns.

    Parameters
    ----------
    table, statistics
        As `agreement_of_patterns`.
    n
        How many draws, at least 1.
    level
        In (0, 1).
    seed
        The same seed and the same rows, in whatever order, give the same interval.

    Returns
    -------
    (low, high) for each name. A draw of which the number is undefined is left out.

    Notes
    -----
    Chance level: none; hold the coefficient's against the interval.
    Empty case: fewer than two cases with two ratings, or a number undefined in every draw, gives (nan, nan).
    Cases are drawn one by one: where many are of one patient the interval is too narrow; `bootstrap_interval` with
    groups is then the one to ask. Where all readers agree on every case the interval is (1, 1), however few there are.

    Raises
    ------
    ValueError
        As `agreement_of_patterns`, or if `n` or `level` is out of range.

    References
    ----------
    Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.

    Examples
    --------
    >>> table = PatternCounts.of({(2, 0): 40, (0, 2): 40, (1, 1): 20})
    >>> low, high = bootstrap_patterns(table, ["alpha_nominal"])["alpha_nominal"]
    >>> 0.4 < low < 0.5 and 0.7 < high < 0.8
    True
    """
    _check(table, statistics)
    check_draws(n, level)
    if table.pairable_cases < 2:
        return dict.fromkeys(statistics, (float("nan"), float("nan")))
    patterns, group, rows = _merged(table)
    drawn = draw_sums(group, rows.cases, rows.weights, n=n, seed=seed)
    parts = [_compute(patterns, table, numbers, weighted, statistics) for numbers, weighted in drawn]
    return {name: percentiles(np.concatenate([part[name] for part in parts]), level) for name in statistics}


def _check_whole(numbers: Array, name: str) -> None:
    wrong = numbers[~((numbers >= 0) & (numbers == np.floor(numbers)) & np.isfinite(numbers))]
    if wrong.size:
        raise ValueError(f"{name} is whole and not negative, not {wrong[0]:g}")


def _check(table: PatternCounts, statistics: Sequence[Statistic]) -> None:
    for name in statistics:
        if name not in _FROM_DRAWS:
            raise ValueError(f"unknown statistic {name!r}; one of {', '.join(STATISTICS)}")
    if not table.pairable_cases:
        raise ValueError("agreement needs a case with two ratings; no case has more than one")


def _merged(table: PatternCounts) -> tuple[Array, NDArray[np.intp], PatternCounts]:
    """Each pattern once; of each row its pattern's place there; and the rows, those of one pattern side by side."""
    order = np.lexsort((table.weights, *table.counts.T))
    counts = table.counts[order]
    is_new = np.r_[True, (counts[1:] != counts[:-1]).any(axis=1)]
    rows = replace(table, counts=counts, cases=table.cases[order], weights=table.weights[order])
    return counts[is_new], np.cumsum(is_new) - 1, rows


class _Draws:
    """Sums over the cases of several draws at once; the pieces from which every coefficient is put together."""

    def __init__(self, patterns: Array, table: PatternCounts, numbers: Array, weighted: Array) -> None:
        self.counts, self.readers = patterns, patterns.sum(axis=1)  # (patterns, categories), (patterns,)
        self.weighted = weighted  # (draws, patterns)
        self.values, self.categories = table.values, table.categories
        self.is_pairable = (self.readers >= 2).astype(np.float64)  # (patterns,)
        self.pairs = np.maximum(self.readers - 1, 1)
        number = numbers @ (self.readers * self.is_pairable)  # (draws,) ratings that can be paired
        self.correction = number / np.maximum(number - 1, 1)
        self.paired = weighted @ (self.readers * self.is_pairable)
        self.agreeing = (patterns * (patterns - 1)).sum(axis=1) / self.pairs

    def observed(self) -> Array:
        return np.asarray((self.weighted @ (self.agreeing / self.readers)) / (self.weighted @ self.is_pairable))

    def shares(self) -> Array:
        """Mean over the cases of each category's share of the case, (draws, categories)."""
        by_case = self.weighted @ (self.counts / self.readers[:, np.newaxis])
        return np.asarray(by_case / self.weighted.sum(axis=1, keepdims=True))

    def paired_shares(self) -> Array:
        """Each category's share of the ratings that can be paired, (draws, categories)."""
        sums = self.weighted @ (self.counts * self.is_pairable[:, np.newaxis])
        return np.asarray(sums / self.paired[:, np.newaxis])


def _fleiss(draws: _Draws) -> Array:
    shares = draws.shares()
    return _chance_corrected(draws.observed(), (shares**2).sum(axis=1), shares)


def _gwet(draws: _Draws) -> Array:
    shares = draws.shares()
    expected = (shares * (1 - shares)).sum(axis=1) / max(draws.categories - 1, 1)
    return _chance_corrected(draws.observed(), expected, shares)


def _alpha_nominal(draws: _Draws) -> Array:
    shares = draws.paired_shares()
    observed = 1 - (draws.weighted @ (draws.agreeing * draws.is_pairable)) / draws.paired
    return _alpha(observed, (1 - (shares**2).sum(axis=1)) * draws.correction, shares)


def _alpha_interval(draws: _Draws) -> Array:
    counts, values = draws.counts, unit_range(draws.values)
    means = counts @ values / draws.readers
    spread = (counts * (values - means[:, np.newaxis]) ** 2).sum(axis=1)
    observed = (draws.weighted @ (draws.readers * spread / draws.pairs * draws.is_pairable)) / draws.paired
    shares = draws.paired_shares()
    return _alpha(observed, _variance(shares, values[np.newaxis, :]) * draws.correction, shares)


def _alpha_ordinal(draws: _Draws) -> Array:
    """The ordinal difference of two categories is the difference of their mid-ranks, which each draw has of its own."""
    counts, shares = draws.counts, draws.paired_shares()
    ranks = np.cumsum(shares, axis=1) - shares / 2  # (draws, categories)
    observed = np.zeros(len(shares))
    for low in range(counts.shape[1]):
        together = counts[:, low, np.newaxis] * counts[:, low + 1 :] / draws.pairs[:, np.newaxis]
        highs = np.flatnonzero(together.any(axis=0))
        gaps = ranks[:, low + 1 :][:, highs] - ranks[:, low, np.newaxis]
        observed += ((draws.weighted @ together[:, highs]) * gaps**2).sum(axis=1)
    return _alpha(observed / draws.paired, _variance(shares, ranks) * draws.correction, shares)


def unit_range(values: Array) -> Array:
    """The same distances in units of the whole range, halved first so that no difference overflows."""
    if values.size < 2:
        return np.zeros_like(values)
    return np.asarray((values / 2 - values[0] / 2) / (values[-1] / 2 - values[0] / 2))


def _variance(shares: Array, values: Array) -> Array:
    means = (shares * values).sum(axis=1, keepdims=True)
    return np.asarray((shares * (values - means) ** 2).sum(axis=1))


def _alpha(observed: Array, expected: Array, shares: Array) -> Array:
    """1 - observed / expected disagreement; nan in a draw with one category only."""
    return np.where((shares > 0).sum(axis=1) > 1, 1 - observed / expected, np.nan)


def _chance_corrected(observed: Array, expected: Array, shares: Array) -> Array:
    return np.where((shares > 0).sum(axis=1) > 1, (observed - expected) / (1 - expected), np.nan)


_FROM_DRAWS: dict[Statistic, Callable[[_Draws], Array]] = {
    "percent_agreement": _Draws.observed,
    "fleiss_kappa": _fleiss,
    "gwet_ac1": _gwet,
    "alpha_nominal": _alpha_nominal,
    "alpha_ordinal": _alpha_ordinal,
    "alpha_interval": _alpha_interval,
}


def agreement_of_draws(table: PatternCounts, times: Array, statistics: Sequence[Statistic]) -> dict[Statistic, Array]:
    """`agreement_of_patterns` of many draws at once, (draws,) for each name; nan in a draw where it is undefined.

    `times` is how often each pattern's cases come up, (draws, patterns).

    Examples
    --------
    >>> table = PatternCounts.of({(2, 0): 1, (0, 2): 1, (1, 1): 1})
    >>> agreement_of_draws(table, np.array([[1.0, 1.0, 2.0]]), ["percent_agreement"])
    {'percent_agreement': array([0.5])}
    """
    return _compute(table.counts, table, times, times * table.weights, statistics)


def _compute(
    patterns: Array, table: PatternCounts, numbers: Array, weighted: Array, statistics: Sequence[Statistic]
) -> dict[Statistic, Array]:
    """The statistics of draws from how many cases of each pattern were drawn, and what those weigh."""
    draws = _Draws(patterns, table, numbers, weighted)
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw without a pair, or with one category, is nan
        return {name: _FROM_DRAWS[name](draws) for name in statistics}
