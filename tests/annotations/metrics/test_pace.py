"""The pace of reading and the day it leads to, known answers first."""

from __future__ import annotations

import datetime as dt

import pytest

from annotations.metrics.pace import FEWEST_DAYS, WINDOW_DAYS, forecast

TODAY = dt.date(2026, 11, 22)


def test_an_even_pace_is_certain() -> None:
    found = forecast([5] * 10, remaining=12, today=TODAY)
    assert found is not None
    assert (found.per_day, found.interval) == (5.0, (5.0, 5.0))
    assert found.done_on == found.soonest == found.latest == dt.date(2026, 11, 25)


def test_uneven_days_widen_the_interval_and_a_day_without_readings_counts() -> None:
    found = forecast([0, 10] * 7, remaining=100, today=TODAY)
    assert found is not None
    assert found.interval is not None
    assert found.per_day == 5.0
    assert found.interval[0] < 5.0 < found.interval[1]
    assert found.soonest is not None
    assert found.latest is not None
    assert found.soonest < dt.date(2026, 12, 12) < found.latest


def test_only_the_last_weeks_count() -> None:
    found = forecast([100] * 50 + [2] * WINDOW_DAYS, remaining=4, today=TODAY)
    assert found is not None
    assert (found.per_day, found.days, found.done_on) == (2.0, WINDOW_DAYS, dt.date(2026, 11, 24))


def test_few_days_have_a_pace_and_no_interval() -> None:
    found = forecast([3] * (FEWEST_DAYS - 1), remaining=6, today=TODAY)
    assert found is not None
    assert (found.interval, found.soonest, found.latest) == (None, None, None)
    assert found.done_on == dt.date(2026, 11, 24)


def test_nothing_remaining_is_done_today_and_no_pace_has_no_day() -> None:
    done = forecast([0, 0], remaining=0, today=TODAY)
    never = forecast([0] * 9, remaining=1, today=TODAY)
    assert done is not None
    assert never is not None
    assert (done.done_on, never.done_on, never.latest) == (TODAY, None, None)


def test_no_day_is_no_forecast() -> None:
    assert forecast([], remaining=5, today=TODAY) is None


def test_a_day_beyond_the_calendar_is_none() -> None:
    far = forecast([1] + [0] * 27, remaining=2**40, today=TODAY)
    assert far is not None
    assert far.done_on is None
    late = forecast([1], remaining=30, today=dt.date.max - dt.timedelta(days=10))
    assert late is not None
    assert late.done_on is None


def test_the_same_days_give_the_same_interval() -> None:
    assert forecast([1, 5, 2, 8, 3, 0], remaining=9, today=TODAY) == forecast(
        [1, 5, 2, 8, 3, 0], remaining=9, today=TODAY
    )


@pytest.mark.parametrize(("counts", "remaining", "said"), [([-1], 1, "-1 readings"), ([1], -2, "-2 readings")])
def test_counts_below_nothing_are_refused(counts: list[int], remaining: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        forecast(counts, remaining=remaining, today=TODAY)
