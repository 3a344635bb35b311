"""When a schedule is due: every so many seconds, or by the five fields of cron in a time zone. No Django, no clock.

A time of day that a clock change leaves out comes when the clock has passed it (02:30 becomes 03:30), and one that it
shows twice comes once, the first time. A cron whose hour is `*` follows elapsed time instead, so that an hourly
schedule is due 23, 24 or 25 times a day.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

LEAST_EVERY_S = 60
MOST_EVERY_S = 366 * 86_400
LONGEST_CRON = 100
# 29 February may be eight years away (1896, 1904).
MOST_DAYS_AHEAD = 366 * 9
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Present on some machines; neither says where.
_NO_PLACE = frozenset({"Factory", "localtime", "posixrules"})
_PART = re.compile(r"(?:(?P<star>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d{1,2}))?", re.ASCII)


class CronFaulty(ValueError):
    """A cron expression that says no time, with the field at fault."""


@dataclass(frozen=True)
class Every:
    """Every so many seconds, counted from when the schedule was armed."""

    seconds: int


@dataclass(frozen=True)
class Cron:
    """Five fields as sets of numbers; weekdays count from Sunday, 0."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @property
    def follows_elapsed_time(self) -> bool:
        """Whether every hour counts, so that clock changes neither drop nor repeat one."""
        return len(self.hours) == 24

    def falls_on(self, day: dt.date) -> bool:
        """Whether it is due on a date at all."""
        return day.month in self.months and day.day in self.days and (day.isoweekday() % 7) in self.weekdays


Rule = Every | Cron


@dataclass(frozen=True)
class _Field:
    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()

    @property
    def all(self) -> frozenset[int]:
        return frozenset(range(self.least, self.most + 1))

    def number(self, text: str) -> int:
        word = text.lower()
        if word in self.words:
            return self.words.index(word) + self.least
        # Sunday is 0, and by an old habit 7.
        most = 7 if self.name == "day of week" else self.most
        if not text.isdecimal() or len(text) > 2 or not self.least <= int(text) <= most:
            raise CronFaulty(f"{text[:20]!r} is no {self.name} ({self.least} to {self.most})")
        return int(text)

    def numbers(self, text: str) -> frozenset[int]:
        found: set[int] = set()
        for part in text.split(","):
            match = _PART.fullmatch(part)
            if match is None:
                raise CronFaulty(f"{part[:20]!r} is no {self.name}: a number, a range as 1-5, a step as */10, or *")
            found |= set(self._range(part, match))
        return frozenset(number % 7 for number in found) if self.name == "day of week" else frozenset(found)

    def _range(self, part: str, match: re.Match[str]) -> range:
        step = int(match["step"] or 1)
        if match["star"]:
            first, last = self.least, self.most
        else:
            first = self.number(match["first"])
            last = self.number(match["last"]) if match["last"] else (self.most if match["step"] else first)
        if step == 0 or first > last:
            raise CronFaulty(f"{part!r} is no {self.name}: it holds no number")
        return range(first, last + 1, step)


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _WEEKDAYS),
)


@lru_cache(maxsize=256)
def parse_cron(text: str) -> Cron:
    """Read minute, hour, day of month, month and day of week.

    Parameters
    ----------
    text
        Five fields parted by blanks: numbers, ranges, lists, steps, `*`, and English three-letter names.

    Raises
    ------
    CronFaulty
        Naming the field and the value; also where both days are restricted, which cron programs read in two ways, and
        where the date never comes.

    Examples
    --------
    >>> sorted(parse_cron("*/20 7-8 * * mon-fri").minutes)
    [0, 20, 40]
    >>> parse_cron("0 3 30 feb *")
    Traceback (most recent call last):
    inference.timing.CronFaulty: '0 3 30 feb *' names a date that never comes
    """
    words = text.split()
    if len(words) != len(_FIELDS) or len(text) > LONGEST_CRON:
        named = ", ".join(field.name for field in _FIELDS)
        raise CronFaulty(f"{text[:LONGEST_CRON]!r} has {len(words)} fields; five are wanted: {named}")
    cron = Cron(*(field.numbers(word) for field, word in zip(_FIELDS, words, strict=True)))
    if cron.days != _FIELDS[2].all and cron.weekdays != _FIELDS[4].all:
        raise CronFaulty(f"{text!r} gives both a day of month and a day of week; give one and * for the other")
    start = dt.date(2024, 1, 1)
    if not any(cron.falls_on(start + dt.timedelta(days=day)) for day in range(366)):
        raise CronFaulty(f"{text!r} names a date that never comes")
    return cron


def zone_named(name: str) -> zoneinfo.ZoneInfo:
    """The time zone of an IANA name such as `Europe/Berlin`; ValueError with the name otherwise."""
    if name not in zone_names():
        raise ValueError(f"{name[:80]!r} is no IANA time zone, such as Europe/Berlin or UTC")
    return zoneinfo.ZoneInfo(name)


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """Every IANA name, in order."""
    return tuple(sorted(zoneinfo.available_timezones() - _NO_PLACE))


def latest_due(rule: Rule, zone: zoneinfo.ZoneInfo, *, armed_at: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """The last time at or before `now`, and after `armed_at`, at which the schedule was due; None if there was none.

    Whoever asks within one period gets the same answer, which is what lets two beats agree on one slot.
    """
    if isinstance(rule, Every):
        passed = int((now - armed_at).total_seconds() // rule.seconds)
        return armed_at + dt.timedelta(seconds=passed * rule.seconds) if passed >= 1 else None
    day, first = now.astimezone(zone).date(), armed_at.astimezone(zone).date() - dt.timedelta(days=1)
    while day >= first:
        for due in reversed(_on_day(rule, zone, day)):
            if due <= now:
                return due if due > armed_at else None
        day -= dt.timedelta(days=1)
    return None


def next_due(
    rule: Rule, zone: zoneinfo.ZoneInfo, *, armed_at: dt.datetime, after: dt.datetime, count: int = 1
) -> list[dt.datetime]:
    """The next times after `after` at which the schedule is due, in UTC."""
    if isinstance(rule, Every):
        passed = max(int((after - armed_at).total_seconds() // rule.seconds), 0)
        return [armed_at + dt.timedelta(seconds=(passed + number) * rule.seconds) for number in range(1, count + 1)]
    found: list[dt.datetime] = []
    for due in _from_day(rule, zone, after.astimezone(zone).date() - dt.timedelta(days=1)):
        if due > after and (not found or due > found[-1]):
            found.append(due)
        if len(found) == count:
            break
    return found


def _from_day(rule: Cron, zone: zoneinfo.ZoneInfo, first: dt.date) -> Iterator[dt.datetime]:
    for ahead in range(MOST_DAYS_AHEAD):
        yield from _on_day(rule, zone, first + dt.timedelta(days=ahead))


def _on_day(rule: Cron, zone: zoneinfo.ZoneInfo, day: dt.date) -> list[dt.datetime]:
    """Every due time of a local date, in UTC and in order."""
    if not rule.falls_on(day):
        return []
    if rule.follows_elapsed_time:
        return _elapsed_on_day(rule, zone, day)
    # fold=0: of an hour shown twice the first; of one left out the same distance past the change.
    local = (
        dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
        for hour in rule.hours
        for minute in rule.minutes
    )
    return sorted({moment.astimezone(dt.UTC) for moment in local})


def _elapsed_on_day(rule: Cron, zone: zoneinfo.ZoneInfo, day: dt.date) -> list[dt.datetime]:
    moment = dt.datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(dt.UTC)
    found: list[dt.datetime] = []
    while (local := moment.astimezone(zone)).date() <= day:
        if local.date() == day and local.minute in rule.minutes:
            found.append(moment)
        moment += dt.timedelta(minutes=1)
    return found
