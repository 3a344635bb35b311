"""How many more readings a number needs until it is known as closely as wanted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.metrics.agreement import bootstrap_interval

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

LEAST_CASES = 20
"""Under so many cases an interval's own width is too unsure (about 1 in 6) to be carried on."""

MOST_TIMES = 25
"""Beyond so many times the cases there are, a plan is a guess."""

Array = NDArray[np.float64]

_MOST_LEFT_OUT = 200  # leaving out single cases beyond this costs more than it tells
_FARTHEST_APART = 1.5
_FARTHEST_TARGET = 1e6


@dataclass(frozen=True, slots=True)
class Plan:
    """What is missing until a number stands at plus or minus the target."""

    readings: int | None
    """Further readings; 0: it is reached; None: it cannot be said, for the reason in `why_not`."""
    cases: int | None
    """Further cases that must be read as often as an agreement needs."""
    half_width: float
    """Of the interval now, in the number's unit; nan where there is none."""
    target: float
    is_reliable: bool
    why_not: str
    """Why the plan is not reliable, as a sentence for curators; empty if it is."""


def plan_readings(
    values: ArrayLike,
    statistic: Callable[..., Any] = np.mean,
    *,
    target: float,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    readings_per_case: int = 2,
    cases_lacking_one: int = 0,
    n: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Plan:
    """About how many more readings until a statistic stands at plus or minus `target`, from the cases there are.

    The half-width h of the bootstrap interval over N cases shrinks with the root of N, so that N (h / target)^2 cases
    are needed in all. A jackknife checks h: where both disagree, a few cases carry the statistic and the plan is no
    promise. What it means: "about 140 more readings until +-0.05", if coming cases and readers are like those so far.

    Parameters
    ----------
    values
        One number or row a case read often enough, as `bootstrap_interval`.
    statistic, groups, n, level, seed
        As there.
    target
        The half-width wanted, in the statistic's unit, above 0.
    readings_per_case
        How many readings a case needs to count, at least 1.
    cases_lacking_one
        Cases that lack only one reading of that; they come first.

    Returns
    -------
    Plan. With `groups`, further cases are taken to come in clusters as large as those there are.

    Notes
    -----
    Chance level: none.
    Empty case: fewer than two cases give no readings, with the reason. Under `LEAST_CASES`, beyond `MOST_TIMES` as many
    cases, or with a jackknife more than 1.5 times apart, is_reliable is False; a half-width of 0 (all cases alike so
    far) gives no readings.

    Raises
    ------
    ValueError
        If `target`, `readings_per_case` or `cases_lacking_one` is out of range; and as `bootstrap_interval`.

    References
    ----------
    Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapters 6 and 11.

    Examples
    --------
    >>> agreed = [1, 1, 0, 1, 1, 1, 0, 1, 1, 1] * 5
    >>> plan = plan_readings(agreed, target=0.05)
    >>> plan.readings, plan.cases, round(plan.half_width, 2), plan.is_reliable
    (384, 192, 0.11, True)
    >>> plan_readings([1, 1, 1], target=0.05).why_not
    'all 3 cases are alike so far, so that nothing says how much they vary'
    """
    rows = np.asarray(values, dtype=np.float64)
    low, high = bootstrap_interval(rows, statistic, groups=groups, n=n, level=level, seed=seed)
    members = _members(rows, groups)
    plan = plan_from_half_width(
        (high - low) / 2,
        sum(map(len, members)),
        clusters=len(members),
        target=target,
        readings_per_case=readings_per_case,
        cases_lacking_one=cases_lacking_one,
    )
    if not plan.is_reliable or not plan.readings:
        return plan
    by_jackknife = NormalDist().inv_cdf((1 + level) / 2) * _jackknife_error(rows, statistic, members)
    if math.isnan(by_jackknife):
        return _doubtful(plan, "the number is undefined without some of the cases")
    if max(by_jackknife, plan.half_width) > _FARTHEST_APART * min(by_jackknife, plan.half_width):
        both = f"{plan.half_width:.3g} and {by_jackknife:.3g}"
        return _doubtful(plan, f"a few cases carry the number: two ways to its half-width give {both}")
    return plan


def plan_from_half_width(
    half_width: float,
    cases: int,
    *,
    target: float,
    clusters: int | None = None,
    readings_per_case: int = 2,
    cases_lacking_one: int = 0,
) -> Plan:
    """`plan_readings` from the interval's half-width alone, as it is stored with a live number.

    Range, meaning, chance level, source: as `plan_readings`, without its jackknife.

    Parameters
    ----------
    half_width
        Half of (high - low), in the number's unit, 0 or more; nan: there is no interval.
    cases
        How many cases it rests on.
    clusters
        In how many clusters (patients) they come; None: as many.
    target, readings_per_case, cases_lacking_one
        As `plan_readings`.

    Returns
    -------
    Plan.

    Notes
    -----
    Empty case: a half-width of nan or 0 gives no readings, with the reason.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> plan = plan_from_half_width(0.1, 100, target=0.05)
    >>> plan.cases, plan.readings
    (300, 600)
    >>> plan_from_half_width(0.1, 100, target=0.05, cases_lacking_one=50).readings
    550
    """
    _check(half_width, cases, target, readings_per_case, cases_lacking_one)
    independent = cases if clusters is None else clusters
    plan = Plan(None, None, half_width, target, is_reliable=False, why_not="")
    if independent < 2 or math.isnan(half_width):
        return _doubtful(plan, f"{cases} cases read often enough do not say how much cases vary")
    if half_width == 0:
        return _doubtful(plan, f"all {cases} cases are alike so far, so that nothing says how much they vary")
    if half_width > _FARTHEST_TARGET * target:
        return _doubtful(plan, f"{target:g} is out of reach from {half_width:.3g}")
    more = max(0, math.ceil(cases * (half_width / target) ** 2 * (1 - 1e-12)) - cases)
    readings = more * readings_per_case - min(cases_lacking_one, more) * (readings_per_case - 1)
    plan = Plan(readings, more, half_width, target, is_reliable=True, why_not="")
    if independent < LEAST_CASES:
        kind = "cases" if independent == cases else "clusters of cases"
        return _doubtful(plan, f"{independent} {kind} are too few to plan from; {LEAST_CASES} are needed")
    if cases + more > MOST_TIMES * cases:
        return _doubtful(plan, f"that is more than {MOST_TIMES} times the {cases} cases there are")
    return plan


def plan_from_variance(
    variance: float,
    cases: int,
    *,
    target: float,
    readings_per_case: int = 2,
    cases_lacking_one: int = 0,
    level: float = 0.95,
) -> Plan:
    """`plan_readings` of a mean from the variance of one case, as from a count of patterns.

    Range, meaning, chance level, source: as `plan_readings`, with the normal interval's half-width and no jackknife.

    Parameters
    ----------
    variance
        Of one case's number, in the square of its unit, 0 or more: p (1 - p) of a share p.
    cases
        How many cases it was found from.
    target, readings_per_case, cases_lacking_one, level
        As `plan_readings`.

    Returns
    -------
    Plan.

    Notes
    -----
    Empty case: as `plan_from_half_width`.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> plan_from_variance(0.25, 100, target=0.05).cases
    285
    """
    if not 0 <= variance < math.inf:
        raise ValueError(f"a variance is 0 or more, not {variance:g}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level:g}")
    half_width = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(variance / cases) if cases > 0 else math.nan
    return plan_from_half_width(
        half_width, cases, target=target, readings_per_case=readings_per_case, cases_lacking_one=cases_lacking_one
    )


def _check(half_width: float, cases: int, target: float, readings_per_case: int, cases_lacking_one: int) -> None:
    if not 0 < target < math.inf:
        raise ValueError(f"target must be above 0, not {target:g}")
    if half_width < 0 or math.isinf(half_width):
        raise ValueError(f"a half-width is 0 or more, not {half_width:g}")
    for name, count, least in (
        ("cases", cases, 0),
        ("readings_per_case", readings_per_case, 1),
        ("cases_lacking_one", cases_lacking_one, 0),
    ):
        if count < least:
            raise ValueError(f"{name} must be at least {least}, not {count}")


def _doubtful(plan: Plan, why_not: str) -> Plan:
    return Plan(plan.readings, plan.cases, plan.half_width, plan.target, is_reliable=False, why_not=why_not)


def _members(rows: Array, groups: Sequence[Any] | NDArray[Any] | None) -> list[NDArray[np.intp]]:
    """The rows of each cluster, of those that count; a row for itself without groups."""
    there = np.flatnonzero(~np.isnan(rows)) if rows.ndim == 1 else np.arange(len(rows))
    if groups is None:
        return list(there[:, None])
    _, number = np.unique(np.asarray(groups)[there], return_inverse=True)
    order = np.argsort(number, kind="stable")
    return np.split(there[order], np.cumsum(np.bincount(number))[:-1]) if there.size else []


def _jackknife_error(rows: Array, statistic: Callable[..., Any], members: list[NDArray[np.intp]]) -> float:
    """Standard error by leaving out a cluster, or of many clusters one of 200 equal shares, at a time."""
    places = (
        np.random.default_rng(0).permutation(len(members)) if len(members) > _MOST_LEFT_OUT else range(len(members))
    )
    blocks = np.array_split(np.asarray(places), min(len(members), _MOST_LEFT_OUT))
    without = []
    for block in blocks:
        keep = np.ones(len(rows), dtype=np.bool_)
        keep[np.concatenate([members[one] for one in block])] = False
        keep &= ~np.isnan(rows) if rows.ndim == 1 else True
        without.append(float(statistic(rows[keep])))
    numbers = np.array(without)
    return math.sqrt((len(blocks) - 1) / len(blocks) * float(((numbers - numbers.mean()) ** 2).sum()))
