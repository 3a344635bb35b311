"""How fast a benchmark is being read, and when it will be done if that goes on."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotations.metrics.agreement import bootstrap_interval

__all__ = ["FEWEST_DAYS", "WINDOW_DAYS", "Forecast", "forecast"]

WINDOW_DAYS = 28
"""Days that the pace is taken from, so that weekends weigh as they do."""

FEWEST_DAYS = 5
"""Under so many days there is a pace, and no interval."""

FARTHEST_DAYS = 36_500
"""A date further away than a century says nothing."""


@dataclass(frozen=True)
class Forecast:
    """The pace, and the days on which the last reading falls at that pace and at the bounds of its interval.

    `soonest` belongs to the upper bound of the pace, `latest` to the lower; None is "no end in sight at that pace".
    """

    per_day: float
    interval: tuple[float, float] | None
    days: int
    remaining: int
    done_on: dt.date | None
    soonest: dt.date | None
    latest: dt.date | None


def forecast(counts: Sequence[int], *, remaining: int, today: dt.date, seed: int = 0) -> Forecast | None:
    """The day on which the readings still wanted will be in, at the pace of the last days; None without a day.

    What it means: people who go on as in the last weeks are done on that day. It knows nothing of holidays to come,
    of readers who join or leave, or of cases that are harder than those before them; the interval holds only what
    comes from some days being busier than others.

    Parameters
    ----------
    counts
        Readings submitted on each day, int (days,), the oldest first, days without a reading as 0. The last
        WINDOW_DAYS of them count; today, which is not over, belongs not in it.
    remaining
        Readings still wanted, at least 0.
    today
        The day that the forecast counts from.
    seed
        Of the bootstrap over days.

    Returns
    -------
    Forecast or None
        `per_day` in readings a day; its 95 % interval is the percentile bootstrap over days, or None under
        FEWEST_DAYS days.

    Notes
    -----
    Chance level: none.
    Empty case: no day gives None; nothing remaining gives today; a pace of 0 gives no date.

    Raises
    ------
    ValueError
        If a count or `remaining` is below 0.

    References
    ----------
    Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.

    Examples
    --------
    >>> found = forecast([4, 0, 6, 5, 5], remaining=40, today=dt.date(2026, 11, 22))
    >>> found.per_day, found.done_on.isoformat()
    (4.0, '2026-12-02')
    >>> found.soonest < found.done_on < found.latest
    True
    >>> forecast([0, 0], remaining=3, today=dt.date(2026, 11, 22)).done_on is None
    True
    >>> forecast([], remaining=3, today=dt.date(2026, 11, 22)) is None
    True
    """
    if remaining < 0:
        raise ValueError(f"{remaining} readings cannot remain")
    wrong = next((count for count in counts if count < 0), None)
    if wrong is not None:
        raise ValueError(f"no day has {wrong} readings")
    if not counts:
        return None
    window = np.asarray(counts[-WINDOW_DAYS:], dtype=np.float64)
    per_day = float(window.mean())
    interval = bootstrap_interval(window, np.mean, seed=seed) if len(window) >= FEWEST_DAYS else None
    low, high = interval or (per_day, per_day)
    return Forecast(
        per_day=per_day,
        interval=interval,
        days=len(window),
        remaining=remaining,
        done_on=_day(remaining, per_day, today),
        soonest=_day(remaining, high, today) if interval else None,
        latest=_day(remaining, low, today) if interval else None,
    )


def _day(remaining: int, per_day: float, today: dt.date) -> dt.date | None:
    if remaining == 0:
        return today
    days = math.ceil(remaining / per_day) if per_day > 0 else FARTHEST_DAYS + 1
    farthest = min(FARTHEST_DAYS, (dt.date.max - today).days)
    return None if days > farthest else today + dt.timedelta(days=days)
