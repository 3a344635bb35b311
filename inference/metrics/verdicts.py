"""Whether a model is right, and whether it looked at what it answered from: for one case, and for a set of cases.

"Grounded" is a claim about size, not about significance. A tight interval above chance is no evidence: a map that only
prefers the middle of the image, or marks whatever is abnormal, has one too. A value therefore has to beat each of the
three nulls that stand beside it (`inference.metrics.nulls`), a set of cases by a stated margin.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.metrics.agreement import bootstrap_means

METRIC_VERSION = "1"
"""Raised with any change of any verdict below, the two constants included; golden values in the tests guard it."""

GROUNDED_MARGIN = 1.25
"""The lower bound of a set's interval must reach this many times each null: a quarter more than not looking gives."""

FEWEST_CASES = 5
"""A set of fewer cases has no interval and no verdict: the counts are shown instead."""

NULLS = ("centre", "moved", "other_finding")


@dataclass(frozen=True)
class GroundingRow:
    """One attention ratio of one (image, frame) with its nulls, as a stored score holds them at one layer."""

    value: float
    centre: float | None = None
    moved_median: float | None = None
    moved_p95: float | None = None
    other_finding: float | None = None


@dataclass(frozen=True)
class CaseValue:
    """The attention ratio that stands for a case: means over its rows, with their number."""

    value: float | None
    centre: float | None
    moved_median: float | None
    moved_p95: float | None
    other_finding: float | None
    row_count: int
    is_grounded: bool | None


@dataclass(frozen=True)
class SetVerdict:
    """The mean over a set of cases, its interval, the mean of each null, and whether it beats them all."""

    mean: float | None
    interval: tuple[float, float] | None
    nulls: dict[str, float | None]
    n: int
    is_grounded: bool | None
    lost_to: str
    """The first null that was not beaten; empty where all were, or where there is no verdict."""


class Quadrant(StrEnum):
    """Right or wrong, grounded or not; unknown where either cannot be said."""

    RIGHT_GROUNDED = "right_grounded"
    RIGHT_NOT_GROUNDED = "right_not_grounded"
    WRONG_GROUNDED = "wrong_grounded"
    WRONG_NOT_GROUNDED = "wrong_not_grounded"
    UNKNOWN = "unknown"


def case_value(rows: Sequence[GroundingRow]) -> CaseValue:
    """The attention ratio of a case and whether the model looked at the region, True, False or None.

    Grounded: the value lies above the 95th percentile of the same region moved about the grid, above what a map that
    only prefers the centre scores, and, where the image has another finding, above what that one gets. What it
    means: this region drew more of the model's attention than nineteen of twenty places of its size, and the finding
    that was asked for more than a habit of looking at the middle or at whatever is abnormal explains.

    Parameters
    ----------
    rows
        One for each (image, frame) on which an expert drew and which the model was shown: ratios in [0, inf) at the
        model's headline layer, without a unit.

    Returns
    -------
    Means over the rows; a null's mean is over the rows that have it, and is held against the values of those rows.

    Notes
    -----
    Chance level: by construction about one case in twenty of a model that looks anywhere at random beats the moved
    region; the other two nulls make it rarer.
    Empty case: no row gives no value and no verdict; rows without a moved region give a value and no verdict.

    Raises
    ------
    ValueError
        If a value is nan, infinite or negative.

    References
    ----------
    Attention ratio: arXiv 2603.14323. The rule with its three nulls is ours.

    Examples
    --------
    >>> found = case_value([GroundingRow(value=2.6, centre=1.7, moved_median=1.0, moved_p95=1.9)])
    >>> found.value, found.row_count, found.is_grounded
    (2.6, 1, True)
    >>> case_value([GroundingRow(value=2.6, centre=1.7, moved_p95=1.9, other_finding=3.0)]).is_grounded
    False
    >>> case_value([]).is_grounded is None
    True
    """
    for row in rows:
        if not math.isfinite(row.value) or row.value < 0:
            raise ValueError(f"an attention ratio must be finite and at least 0, not {row.value}")
    beats = [_excess(rows, name) for name in ("moved_p95", "centre", "other_finding")]
    is_grounded = None if beats[0] is None else all(excess > 0 for excess in beats if excess is not None)
    return CaseValue(
        value=_mean([row.value for row in rows]),
        centre=_mean([row.centre for row in rows]),
        moved_median=_mean([row.moved_median for row in rows]),
        moved_p95=_mean([row.moved_p95 for row in rows]),
        other_finding=_mean([row.other_finding for row in rows]),
        row_count=len(rows),
        is_grounded=is_grounded,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return fmean(found) if found else None


def _excess(rows: Sequence[GroundingRow], null: str) -> float | None:
    """How far the rows that have a null lie above it in the mean."""
    return _mean([row.value - getattr(row, null) for row in rows if getattr(row, null) is not None])


def set_verdict(
    values: ArrayLike,
    nulls: Mapping[str, ArrayLike],
    *,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> SetVerdict:
    """The mean attention ratio of a set of cases, and whether it is grounded, True, False or None.

    Grounded: the lower bound of the 95 % bootstrap interval reaches GROUNDED_MARGIN (1.25) times the mean of every
    null that exists. What it means: by how much the model looks at the asked-for region more than something that
    does not look would, with the choice of cases allowed for. It is a claim of size: an interval of 1.01 to 1.02
    beside a null of 1.00 is not grounded however many cases there are.

    Parameters
    ----------
    values
        One ratio a case, float (cases,), in [0, inf); nan is a case without one.
    nulls
        Any of `centre`, `moved` (the median over places) and `other_finding`: float (cases,), nan where a case has
        none. A null without any number does not exist for this set.
    groups
        Cluster of each case (its patient or its image), as `bootstrap_means` takes it.
    seed
        Of the bootstrap.

    Returns
    -------
    Mean, interval, the mean of each null over the cases that have a value and that null, and the verdict. A null that
    only some cases have is held against the interval of those cases.

    Notes
    -----
    Chance level: a ratio of 1; the nulls say more.
    Empty case: under FEWEST_CASES (5) cases there is no interval and no verdict; a null that fewer cases have is not
    held against anything; without any null no verdict.

    Raises
    ------
    ValueError
        If a null is unknown or lengths differ; and as `bootstrap_means`.

    References
    ----------
    Ours; why significance is not asked for stands in this module's head.

    Examples
    --------
    >>> ratios = [10.0, 11.0, 12.0, 9.0, 10.5, 11.5]
    >>> found = set_verdict(ratios, {"centre": [1.7] * 6, "moved": [1.0] * 6})
    >>> found.is_grounded, found.nulls["centre"], found.nulls["other_finding"]
    (True, 1.7, None)
    >>> set_verdict([1.72] * 6, {"centre": [1.7] * 6, "moved": [1.0] * 6}).lost_to
    'centre'
    """
    rows = np.asarray(values, dtype=np.float64)
    columns = {name: np.asarray(column, dtype=np.float64) for name, column in nulls.items()}
    for name, column in columns.items():
        if name not in NULLS:
            raise ValueError(f"{name!r} is none of the nulls {', '.join(NULLS)}")
        if column.shape != rows.shape:
            raise ValueError(f"null {name} has {column.size} values for {rows.size} cases")
    # The value beside each null: of the cases that have both.
    beside = {name: np.where(np.isnan(column), np.nan, rows) for name, column in columns.items()}
    bounds = _intervals([rows, *beside.values()], groups, seed)
    means = {
        name: _nanmean(np.where(np.isnan(rows), np.nan, columns[name])) if name in columns else None for name in NULLS
    }
    lost_to, is_compared = "", False
    for name, interval in zip(beside, bounds[1:], strict=True):
        null = means[name]
        if null is not None and interval is not None:
            is_compared = True
            lost_to = lost_to or ("" if interval[0] >= GROUNDED_MARGIN * null else name)
    return SetVerdict(
        mean=_nanmean(rows),
        interval=bounds[0],
        nulls=means,
        n=int((~np.isnan(rows)).sum()),
        is_grounded=None if not is_compared else not lost_to,
        lost_to=lost_to,
    )


def _nanmean(column: NDArray[np.float64]) -> float | None:
    there = column[~np.isnan(column)]
    return float(there.mean()) if there.size else None


def _intervals(
    columns: Sequence[NDArray[np.float64]], groups: Sequence[Any] | NDArray[Any] | None, seed: int
) -> list[tuple[float, float] | None]:
    """The interval of each column's mean; None for one with too few numbers."""
    found = bootstrap_means(np.stack(columns, axis=1), groups=groups, seed=seed)
    counts = [int((~np.isnan(column)).sum()) for column in columns]
    return [
        None if count < FEWEST_CASES or math.isnan(bounds[0]) else bounds
        for bounds, count in zip(found, counts, strict=True)
    ]


def quadrant(is_right: bool | None, is_grounded: bool | None) -> Quadrant:
    """Which of the four fields a case falls into; unknown where the answer or the grounding has no verdict.

    Right and not grounded is the field to look at: the answer did not come from the region.

    Examples
    --------
    >>> quadrant(True, False).value, quadrant(None, True).value
    ('right_not_grounded', 'unknown')
    """
    if is_right is None or is_grounded is None:
        return Quadrant.UNKNOWN
    return Quadrant(f"{'right' if is_right else 'wrong'}_{'grounded' if is_grounded else 'not_grounded'}")
