"""Coefficients of agreement from the ratings themselves; `patterns` and `confusion` give them from running counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.metrics.confusion import Weights, confusion_kappa
from annotations.metrics.patterns import PatternCounts, agreement_of_patterns, unit_range

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

Array = NDArray[np.float64]
Level = Literal["nominal", "ordinal", "interval"]
Ratings = ArrayLike | Sequence[object]
"""Numbers with nan, or names with None."""
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval")

_NO_PAIR = "agreement needs a case with two ratings; no case has more than one"


def krippendorff_alpha(ratings: Ratings, level: Level) -> float:
    """Krippendorff's alpha: agreement of any number of readers beyond chance, with missing ratings, in (-inf, 1].

    1 is agreement on every case, 0 what readers would reach whose ratings were shuffled over the cases, below 0 they
    disagree more than that. By custom 0.8 is enough to trust the labels and below 0.667 is not. Take the level that
    the answer has: nominal for names (which lobe), ordinal for grades (BI-RADS), interval for numbers (seconds, mm,
    a score of 0 to 100).

    Parameters
    ----------
    ratings
        (readers, cases); float with nan where a reader did not rate the case. Nominal also takes names, with None or
        nan as missing.
    level
        "nominal": two ratings are the same or not. "ordinal": they differ by the number of ratings that lie between
        them. "interval": by their difference.

    Returns
    -------
    1 - observed disagreement / expected disagreement. A case with one rating counts for nothing.

    Notes
    -----
    Chance level: 0.
    Empty case: one and the same rating everywhere is nan: nothing shows that readers tell cases apart.
    Memory grows with the number of ratings, not with its square, however many different values there are: the
    observed disagreement of a case is its sum of squares about its own mean, the expected one that of all ratings; and
    the ordinal difference is the difference of two mid-ranks, so that ordinal alpha is interval alpha of mid-ranks.

    Raises
    ------
    ValueError
        If no case has two ratings, `ratings` has not two axes or holds infinity, the level is unknown, or ratings for
        ordinal or interval are no numbers.

    References
    ----------
    Krippendorff 2011, Computing Krippendorff's alpha-reliability; Hayes and Krippendorff 2007,
    DOI 10.1080/19312450709336664.

    Examples
    --------
    >>> nan = float("nan")
    >>> round(krippendorff_alpha([[1, 2, 3, nan], [1, 2, 2, 4]], "nominal"), 6)
    0.545455
    >>> round(krippendorff_alpha([[1, 2, 3, nan], [1, 2, 2, 4]], "interval"), 6)
    0.705882
    >>> krippendorff_alpha([[1, 1], [1, 1]], "nominal")
    nan
    """
    if level not in LEVELS:
        raise ValueError(f"level is one of {', '.join(LEVELS)}, not {level!r:.80}")
    case, value, distinct = _pairable(ratings, is_nominal=level == "nominal")
    if len(distinct) < 2:
        return float("nan")
    readers = np.bincount(case).astype(np.float64)  # (cases,)
    number = float(len(case))
    shares = np.bincount(value) / number
    if level == "nominal":
        together = _counts_by_case(case, value, len(distinct))
        agreeing = np.bincount(together[0], together[2] * (together[2] - 1)) / (readers - 1)
        observed, expected = 1 - agreeing.sum() / number, 1 - float((shares**2).sum())
    else:
        scale = unit_range(distinct) if level == "interval" else np.cumsum(shares) - shares / 2
        numbers = scale[value]
        means = np.bincount(case, numbers) / readers
        spread = np.bincount(case, (numbers - means[case]) ** 2)
        observed = float((readers * spread / (readers - 1)).sum()) / number
        expected = float((shares * (scale - shares @ scale) ** 2).sum())
    return float(1 - observed / (expected * number / (number - 1)))


def cohen_kappa(a: Ratings, b: Ratings, weights: Weights = None, *, categories: Sequence[Any] | None = None) -> float:
    """Cohen's kappa: agreement of two readers beyond what their habits alone would bring, in [-1, 1].

    1 is agreement on every case, 0 what two readers with these shares of answers reach on different cases. Where one
    answer is far more common than the others, kappa is low though readers nearly always agree; look at `gwet_ac1` and
    the plain share then. Weighted, a grade missed by one costs less than one missed by three.

    Parameters
    ----------
    a, b
        The readers' ratings of the same cases, (cases,), numbers or names; a case that one did not rate (nan or None)
        is left out.
    weights
        None, "linear" or "quadratic": as `confusion_kappa`.
    categories
        All categories in their order. None: those that occur, rising; a grade nobody used then leaves no gap between
        its neighbours, as in scikit-learn. Names have no order of their own: weights then need it.

    Returns
    -------
    1 - observed disagreement / expected disagreement.

    Notes
    -----
    Chance level: 0.
    Empty case: where both used one and the same category only it is nan.

    Raises
    ------
    ValueError
        If no case is rated by both, `a` and `b` differ in length, a rating is infinite or not among `categories`,
        `weights` is unknown, or names are weighted without `categories`.

    References
    ----------
    Cohen 1960, DOI 10.1177/001316446002000104; weighted: Cohen 1968, DOI 10.1037/h0026256.

    Examples
    --------
    >>> cohen_kappa([1, 1, 2, 2], [1, 1, 2, 1])
    0.5
    >>> round(cohen_kappa([1, 2, 3, 4], [1, 2, 4, 4], "quadratic"), 6)
    0.916667
    >>> round(cohen_kappa(["yes", "no", None], ["yes", "no", "no"]), 6)
    1.0
    """
    first, second = _column(a, "a"), _column(b, "b")
    if len(first) != len(second):
        raise ValueError(f"a has {len(first)} cases, b {len(second)}")
    both = ~(_is_missing(first) | _is_missing(second))
    if not both.any():
        raise ValueError(_NO_PAIR)
    first, second = first[both], second[both]
    order = _ordered(np.concatenate([first, second]), weights, categories)
    size = len(order)
    cells = np.zeros((size, size))
    np.add.at(cells, ([order[one] for one in first.tolist()], [order[one] for one in second.tolist()]), 1)
    return confusion_kappa(cells, weights)


def fleiss_kappa(counts: ArrayLike) -> float:
    """Fleiss' kappa: agreement beyond chance of readers who need not be the same for each case, in (-inf, 1].

    1 is agreement on every case, 0 what readers reach who draw answers at random from the common shares. It falls
    under skew as Cohen's does; `gwet_ac1` does not.

    Parameters
    ----------
    counts
        Readers who chose each category, (cases, categories), whole. The number of readers may differ from case to
        case: the share of agreeing pairs is then averaged over the cases with two readers or more, and the shares of
        the categories over all rated cases, each counting once (Gwet). With one number of readers this is Fleiss'.

    Returns
    -------
    (observed - expected) / (1 - expected) agreement.

    Notes
    -----
    Chance level: 0.
    Empty case: one category only is nan.

    Raises
    ------
    ValueError
        If no case has two ratings, `counts` has not two axes, or a count is negative or not whole.

    References
    ----------
    Fleiss 1971, DOI 10.1037/h0031619; varying readers: Gwet 2014, Handbook of Inter-Rater Reliability, chapter 2.

    Examples
    --------
    >>> round(fleiss_kappa([[3, 0], [0, 3], [2, 1], [1, 2]]), 6)
    0.333333
    >>> fleiss_kappa([[2, 0], [2, 0]])
    nan
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"counts must have the axes (cases, categories), not shape {table.shape}")
    ones = np.ones(len(table))
    patterns = PatternCounts.from_arrays(table, ones, ones)
    return agreement_of_patterns(patterns, ["fleiss_kappa"])["fleiss_kappa"]


def gwet_ac1(ratings: Ratings, *, categories: int | None = None) -> float:
    """Gwet's AC1: agreement of any number of readers beyond chance, steady under skew, in [-1, 1].

    1 is agreement on every case, 0 chance. Chance is taken from how often readers can be guessing, not from how common
    an answer is: where 95% of cases are normal and readers agree on 93%, kappa may be near 0 and AC1 is near 0.9.

    Parameters
    ----------
    ratings
        (readers, cases), float with nan where a reader did not rate the case, or names with None.
    categories
        How many categories the scale has. None: those that occur.

    Returns
    -------
    (observed - expected) / (1 - expected) agreement; missing ratings as in `fleiss_kappa`.

    Notes
    -----
    Chance level: 0.
    Empty case: one category only is nan.

    Raises
    ------
    ValueError
        If no case has two ratings, `ratings` has not two axes or holds infinity, or `categories` is less than those
        that occur.

    References
    ----------
    Gwet 2008, DOI 10.1348/000711006X126600.

    Examples
    --------
    >>> round(gwet_ac1([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]), 6)
    0.756098
    >>> round(cohen_kappa([1, 1, 1, 1, 0], [1, 1, 1, 1, 1]), 6)
    0.0
    """
    case, value, distinct = _coded(ratings, is_nominal=True)
    readers = np.bincount(case) if case.size else np.zeros(0)
    if not (readers >= 2).any():
        raise ValueError(_NO_PAIR)
    used = len(distinct)
    if categories is not None and categories < used:
        raise ValueError(f"a scale of {categories} categories, but {used} are used")
    if used < 2:
        return float("nan")
    cases, _, times = _counts_by_case(case, value, used)
    is_pairable = readers >= 2
    agreeing = np.bincount(cases, times * (times - 1))[is_pairable]
    observed = float((agreeing / (readers * (readers - 1))[is_pairable]).mean())
    shares = np.bincount(value, 1 / readers[case]) / np.count_nonzero(readers)
    expected = float((shares * (1 - shares)).sum()) / ((categories or used) - 1)
    return (observed - expected) / (1 - expected)


def _coded(ratings: Ratings, *, is_nominal: bool) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """Case and place among the different values of each rating that is there, and those values, rising."""
    table = _array(ratings)
    if table.ndim != 2:
        raise ValueError(f"ratings must have the axes (readers, cases), not shape {table.shape}")
    if table.dtype == object and is_nominal:
        case = np.nonzero(~_is_missing(table.ravel()).reshape(table.shape))
        names: dict[Any, int] = {}
        places = np.array([names.setdefault(one, len(names)) for one in table[case].tolist()], dtype=np.intp)
        return case[1], places, np.arange(len(names), dtype=np.float64)
    try:
        numbers = table.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"ratings of this level are numbers: {error}") from None
    if np.isinf(numbers).any():
        raise ValueError("ratings hold infinity")
    case = np.nonzero(~np.isnan(numbers))
    distinct, value = np.unique(numbers[case], return_inverse=True)
    return case[1], value, distinct


def _pairable(ratings: Ratings, *, is_nominal: bool) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """As `_coded`, of the cases with two ratings or more, numbered anew without gaps."""
    case, value, distinct = _coded(ratings, is_nominal=is_nominal)
    readers = np.bincount(case) if case.size else np.zeros(0, dtype=np.intp)
    kept = readers[case] >= 2
    if not kept.any():
        raise ValueError(_NO_PAIR)
    _, number = np.unique(case[kept], return_inverse=True)
    used, place = np.unique(value[kept], return_inverse=True)
    return number, place, distinct[used]


def _counts_by_case(
    case: NDArray[np.intp], value: NDArray[np.intp], size: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """(case, value, readers) for each value that a case has, and for no other."""
    keys, times = np.unique(case.astype(np.int64) * size + value, return_counts=True)
    return keys // size, keys % size, times


def _array(ratings: Ratings) -> NDArray[Any]:
    """The ratings as numbers, or as objects where names are among them: numpy would make a nan beside them a name."""
    table = np.asarray(ratings)
    return np.asarray(ratings, dtype=object) if table.dtype.kind in "US" else table


def _column(ratings: Ratings, name: str) -> NDArray[np.object_]:
    column = _array(ratings)
    if column.ndim != 1:
        raise ValueError(f"{name} must have the axis (cases,), not shape {column.shape}")
    if column.dtype.kind == "f" and np.isinf(column).any():
        raise ValueError(f"{name} holds infinity")
    return column.astype(object)


def _is_missing(values: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.array([one is None or (isinstance(one, float) and math.isnan(one)) for one in values], dtype=np.bool_)


def _ordered(used: NDArray[np.object_], weights: Weights, categories: Sequence[Any] | None) -> dict[Any, int]:
    """Place of each category in the order."""
    if categories is not None:
        order = {category: place for place, category in enumerate(categories)}
        unknown = [one for one in used if one not in order]
        if unknown:
            raise ValueError(f"rating {unknown[0]!r:.80} is not among the categories")
        return order
    try:
        rising = sorted(set(used.tolist()))
        is_number = all(isinstance(one, int | float) for one in rising)
    except TypeError:  # numbers beside names
        rising, is_number = list(dict.fromkeys(used.tolist())), False
    if weights is not None and not is_number:
        raise ValueError(f"weights need an order of the categories {rising!r:.80}: give them")
    return {category: place for place, category in enumerate(rising)}
