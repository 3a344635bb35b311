"""When a schedule is due: cron fields, time zones, clock changes, and one slot for whoever asks."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.timing import CronFaulty, Every, latest_due, next_due, parse_cron, zone_named, zone_names

BERLIN = ZoneInfo("Europe/Berlin")
UTC = ZoneInfo("UTC")


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[arg-type, misc]


def due(cron: str, after: dt.datetime, count: int, zone: ZoneInfo = BERLIN) -> list[str]:
    """The next due times as the clock in the zone shows them, with the offset."""
    found = next_due(parse_cron(cron), zone, armed_at=after, after=after, count=count)
    return [moment.astimezone(zone).strftime("%m-%d %H:%M%z")[:-2] for moment in found]


@pytest.mark.parametrize(
    ("text", "minutes", "hours"),
    [
        ("0 3 * * *", {0}, {3}),
        ("*/15 0-6/3 * * *", {0, 15, 30, 45}, {0, 3, 6}),
        ("5,10-12 22 * * sun", {5, 10, 11, 12}, {22}),
        ("50/5 1 * JAN *", {50, 55}, {1}),
    ],
)
def test_fields_are_read_as_cron_reads_them(text: str, minutes: set[int], hours: set[int]) -> None:
    cron = parse_cron(text)
    assert (set(cron.minutes), set(cron.hours)) == (minutes, hours)


def test_sunday_is_seven_as_well_as_nought() -> None:
    assert parse_cron("0 0 * * 7").weekdays == parse_cron("0 0 * * 0").weekdays == {0}
    assert parse_cron("0 0 * * 5-7").weekdays == {0, 5, 6}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 3 * *", "has 4 fields"),
        ("", "has 0 fields"),
        ("60 3 * * *", "'60' is no minute"),
        ("0 24 * * *", "'24' is no hour"),
        ("0 3 0 * *", "'0' is no day of month"),
        ("0 3 * 13 *", "'13' is no month"),
        ("0 3 * * 8", "'8' is no day of week"),
        ("0 3 * * funday", "'funday' is no day of week"),
        ("*/0 3 * * *", "it holds no number"),
        ("9-5 3 * * *", "it holds no number"),
        ("a,b 3 * * *", "'a' is no minute"),
        ("@daily", "has 1 fields"),
        ("٣ 3 * * *", "is no minute"),
        ("0 3 1 * mon", "both a day of month and a day of week"),
        ("0 3 31 2,4,6 *", "never comes"),
        ("0 " * 4 + "0" * 200, "has 5 fields"),
    ],
)
def test_a_faulty_cron_is_named(text: str, words: str) -> None:
    with pytest.raises(CronFaulty) as raised:
        parse_cron(text)
    assert words in str(raised.value)


def test_cron_is_evaluated_in_its_zone() -> None:
    assert next_due(parse_cron("0 3 * * *"), BERLIN, armed_at=utc(2026, 7, 1), after=utc(2026, 7, 1), count=1) == [
        utc(2026, 7, 1, 1)
    ]
    winter = next_due(parse_cron("0 3 * * *"), BERLIN, armed_at=utc(2026, 1, 1), after=utc(2026, 1, 1), count=1)
    assert winter == [utc(2026, 1, 1, 2)]


def test_an_hour_that_is_left_out_comes_once_the_clock_has_passed_it() -> None:
    assert due("30 2 * * *", utc(2026, 3, 28, 12), 2) == ["03-29 03:30+02", "03-30 02:30+02"]


def test_an_hour_that_is_shown_twice_comes_once() -> None:
    assert due("30 2 * * *", utc(2026, 10, 24, 12), 2) == ["10-25 02:30+02", "10-26 02:30+01"]


def test_every_hour_follows_elapsed_time() -> None:
    assert due("0 * * * *", utc(2026, 10, 24, 23, 30), 4) == [
        *("10-25 02:00+02", "10-25 02:00+01", "10-25 03:00+01", "10-25 04:00+01")
    ]
    assert due("0 * * * *", utc(2026, 3, 29, 0, 0), 2) == ["03-29 03:00+02", "03-29 04:00+02"]


def test_the_leap_day_is_found_years_ahead() -> None:
    found = next_due(parse_cron("0 0 29 2 *"), UTC, armed_at=utc(2097, 1, 1), after=utc(2097, 1, 1), count=1)
    assert found == [utc(2104, 2, 29)]


def test_seconds_count_from_when_it_was_armed() -> None:
    armed = utc(2026, 1, 1, 0, 0, 7)
    assert latest_due(Every(60), UTC, armed_at=armed, now=armed + dt.timedelta(seconds=59)) is None
    assert latest_due(Every(60), UTC, armed_at=armed, now=armed + dt.timedelta(seconds=200)) == utc(2026, 1, 1, 0, 3, 7)
    after = next_due(Every(60), UTC, armed_at=armed, after=armed, count=2)
    assert after == [utc(2026, 1, 1, 0, 1, 7), utc(2026, 1, 1, 0, 2, 7)]


def test_nothing_is_due_before_it_was_armed() -> None:
    cron = parse_cron("0 3 * * *")
    assert latest_due(cron, UTC, armed_at=utc(2026, 1, 1, 3, 0), now=utc(2026, 1, 2, 2, 59)) is None
    assert latest_due(cron, UTC, armed_at=utc(2026, 1, 1, 3, 0), now=utc(2026, 1, 2, 3, 0)) == utc(2026, 1, 2, 3)
    assert latest_due(cron, UTC, armed_at=utc(2026, 1, 1, 3, 0), now=utc(2026, 1, 9, 2, 0)) == utc(2026, 1, 8, 3)


MOMENTS = st.integers(1_704_067_200, 1_830_297_600).map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC))
CRONS = st.sampled_from(["30 2 * * *", "0 * * * *", "*/10 1-3 * * *", "0 0 1 * *", "15 4 * * 1", "0 0 29 2 *"])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])


@given(now=MOMENTS, cron=CRONS, zone=ZONES)
def test_what_was_due_last_is_the_last_of_what_comes(now: dt.datetime, cron: str, zone: str) -> None:
    rule, place = parse_cron(cron), ZoneInfo(zone)
    armed = now - dt.timedelta(days=40)
    found = latest_due(rule, place, armed_at=armed, now=now)
    upcoming = next_due(rule, place, armed_at=armed, after=now, count=1)[0]
    assert upcoming > now
    if found is not None:
        assert armed < found <= now
        assert next_due(rule, place, armed_at=armed, after=found, count=1) == [upcoming]


def test_zones_are_names_of_places() -> None:
    assert zone_named("America/Sao_Paulo").key == "America/Sao_Paulo"
    assert "localtime" not in zone_names()
    for name in ("", "Berlin", "../etc/passwd", "CEST", "europe/berlin"):
        with pytest.raises(ValueError, match="IANA"):
            zone_named(name)
