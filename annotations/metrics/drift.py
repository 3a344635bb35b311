"""Whether a reader drifts: a control chart over the probes that they read, one after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

WEIGHT = 0.2
WIDTH = 2.86
LEAST_BASELINE = 20

Side = Literal["", "low", "high"]


@dataclass(frozen=True)
class Baseline:
    """What readers do when nothing is wrong: mean and standard deviation of single results, and of how many."""

    mean: float
    deviation: float
    n: int


@dataclass(frozen=True)
class ChartPoint:
    """One probe on the chart: its own value, the weighted mean so far, and the limits of that mean."""

    value: float
    mean: float
    low: float
    high: float
    side: Side


def baseline_of(values: Sequence[float]) -> Baseline | None:
    """What a reader's results are held against: mean and standard deviation of everybody's results.

    To a curator: how well the readers of this benchmark do on its probes, and how much one probe differs from the next.

    Parameters
    ----------
    values
        Results of single probes, of all readers together, each in [0, 1]: 1 and 0 for right and wrong, or an IoU.

    Returns
    -------
    Mean, standard deviation (over n - 1) and number; None if there are fewer than 20 values, or all are alike: limits
    from so little would flag whatever comes next.

    Notes
    -----
    Chance level: none; the mean itself is the level of comparison.
    Empty case: no values have no baseline.
    Of everybody's results, not of the reader's first ones: a reader who is poor from the beginning is flagged too. A
    reader with most of the results sets the baseline and drifts from it late.

    Raises
    ------
    ValueError
        If a value is not in [0, 1].

    References
    ----------
    Montgomery, Introduction to Statistical Quality Control, 8th edition, section 9.2.

    Examples
    --------
    >>> baseline_of([1.0] * 15 + [0.0] * 5)
    Baseline(mean=0.75, deviation=0.4442616583193193, n=20)
    >>> baseline_of([1.0] * 19) is None, baseline_of([1.0] * 20) is None
    (True, True)
    """
    _check(values)
    n = len(values)
    if n < LEAST_BASELINE:
        return None
    mean = math.fsum(values) / n
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    return Baseline(mean, deviation, n) if deviation > 0 else None


def ewma_chart(values: Sequence[float], baseline: Baseline) -> list[ChartPoint]:
    """Exponentially weighted mean of a reader's results, in order, with control limits; means in [0, 1].

    To a curator: while the mean stays within the limits, what moves it is chance. Outside, the reader does worse (low)
    or better (high) than the readers of this benchmark do. A lasting change of half a standard deviation is seen after
    about 37 probes, one of a whole deviation after about 10; of readers who are right in 0.8 of the probes one who
    falls to 0.6 after about 23.

    Parameters
    ----------
    values
        The reader's results, oldest first, each in [0, 1].
    baseline
        From `baseline_of`.

    Returns
    -------
    For each value z_t = 0.2 value + 0.8 z_(t-1) from z_0 = the baseline's mean, its limits mean ± 2.86 deviation
    sqrt(0.2 / 1.8), and the side on which it lies outside: "low", "high", or "" within.

    Notes
    -----
    Chance level: a reader who is like the baseline leaves the limits by chance once in about 380 probes, which holds
    for results that scatter normally. Right and wrong do not: at a share right of 0.8 it is once in about 230, at 0.9
    in about 125, always below; above 0.96 a single miss is enough. Look at the reader's answers before acting.
    Empty case: no values, no points.
    Limits are not cut at 0 and 1: one that lies beyond cannot be crossed. They are those of a long series from the
    first probe on, so that a series is slow to alarm at its beginning.

    Raises
    ------
    ValueError
        If a value is not in [0, 1], or the baseline's deviation is not above 0.

    References
    ----------
    Roberts 1959, DOI 10.1080/00401706.1959.10489860; the weight and width: Lucas and Saccucci 1990,
    DOI 10.1080/00401706.1990.10484583.

    Examples
    --------
    >>> first, second = ewma_chart([0.0, 0.0], Baseline(mean=0.75, deviation=0.45, n=20))
    >>> round(first.mean, 3), round(first.low, 3), first.side
    (0.6, 0.321, '')
    >>> round(second.mean, 3), round(second.high, 3), second.side
    (0.48, 1.179, '')
    >>> ewma_chart([0.0] * 4, Baseline(mean=0.75, deviation=0.45, n=20))[-1].side
    'low'
    """
    _check(values)
    if not baseline.deviation > 0:
        raise ValueError(f"the baseline's deviation is {baseline.deviation:g}, not above 0")
    points: list[ChartPoint] = []
    mean = baseline.mean
    reach = WIDTH * baseline.deviation * math.sqrt(WEIGHT / (2 - WEIGHT))
    low, high = baseline.mean - reach, baseline.mean + reach
    for value in values:
        mean = WEIGHT * value + (1 - WEIGHT) * mean
        side: Side = "low" if mean < low else "high" if mean > high else ""
        points.append(ChartPoint(value, mean, low, high, side))
    return points


def _check(values: Sequence[float]) -> None:
    for value in values:
        if not 0 <= value <= 1:
            raise ValueError(f"a result lies in 0 to 1, not at {value:g}")
