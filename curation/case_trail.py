"""The history of one case: every moment at which something happened to it, and what stood at any of them.

Each app tells its part through a section of settings.CASE_TRAIL_SECTIONS. Nothing is kept for this page: moments are
read from the audit trail and from rows that are never edited (revisions of readings and gold, draws, predictions), so
that what it says of a day is what was so on that day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.module_loading import import_string

from curation.models import AuditSeal
from curation.saying import Content, Pair, differences

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from curation.models import AuditEvent, Case

PAGE = 50
TIES = 50
"""Of one section at most so many moments of one microsecond are told apart from those after them."""
ALL, CHANGES, LOOKS = "all", "changes", "looks"
SHOWN = {ALL: "Everything", CHANGES: "Changes", LOOKS: "Looks"}


@dataclass(frozen=True)
class Moment:
    """One thing that happened. `key` makes the order of two at the same time, and is unique within the case."""

    at: dt.datetime
    key: str
    kind: str
    did: str
    who: str = ""
    before: Sequence[Pair] = ()
    after: Sequence[Pair] = ()
    event: AuditEvent | None = None
    seal: AuditSeal | None = None

    @property
    def place(self) -> tuple[dt.datetime, str]:
        """Where it stands in the order of time."""
        return (self.at, self.key)

    @property
    def cursor(self) -> str:
        """The place as an address holds it."""
        return f"{self.at.astimezone(dt.UTC).strftime('%Y%m%dT%H%M%S.%f')}_{self.key}"


@dataclass(frozen=True)
class Voice:
    """What somebody said of the case, as it stood at one time."""

    kind: str
    name: str
    since: dt.datetime
    version: str
    content: Content
    note: str = ""


@dataclass(frozen=True)
class Wanted:
    """Which moments: before a place, the newest first, so many."""

    before: tuple[dt.datetime, str] | None
    shown: str
    limit: int

    def of(self, rows: QuerySet[Any], field: str) -> list[Any]:
        """The newest rows of a section that may be wanted, by their time."""
        if self.before is not None:
            rows = rows.filter(**{f"{field}__lte": self.before[0]})
        return list(rows.filter(**{f"{field}__isnull": False}).order_by(f"-{field}", "-pk")[: self.limit + TIES])


def _no_voices(*_: Any) -> list[Voice]:
    return []


def _nothing_to_explain(*_: Any) -> dict[int, tuple[Content | None, Content]]:
    return {}


@dataclass(frozen=True)
class TrailSection:
    """One app's part of the history of a case.

    Attributes
    ----------
    moments
        What it knows of beside the audit trail, as `Wanted` asks for it.
    voices
        Who had said what by a time.
    explain
        Of audit events, by their number, what was said before and after, where the event itself only names it.
    """

    moments: Callable[[Case, Wanted], list[Moment]]
    voices: Callable[[Case, dt.datetime], list[Voice]] = _no_voices
    explain: Callable[[Case, Sequence[AuditEvent]], dict[int, tuple[Content | None, Content]]] = _nothing_to_explain


@dataclass(frozen=True)
class History:
    """One page of moments, the newest first, and the place after which the next begins."""

    moments: list[Moment]
    next_before: str


def sections() -> list[TrailSection]:
    """Every app's part, in the order of the settings."""
    return [import_string(path) for path in settings.CASE_TRAIL_SECTIONS]


def history_of(case: Case, *, before: str = "", shown: str = ALL, limit: int = PAGE) -> History:
    """A page of the case's history; as many queries for a long one as for a short one.

    Parameters
    ----------
    before
        A moment's `cursor`; one that is none begins with the newest.
    shown
        `all`, `changes` or `looks`.
    """
    wanted = Wanted(place_of(before), shown, limit)
    parts = sections()
    found = sorted(
        chain.from_iterable(part.moments(case, wanted) for part in parts), key=lambda one: one.place, reverse=True
    )
    if wanted.before is not None:
        found = [one for one in found if one.place < wanted.before]
    page = found[:limit]
    return History(_explained(case, page, parts), page[-1].cursor if len(found) > limit else "")


def _explained(case: Case, page: list[Moment], parts: list[TrailSection]) -> list[Moment]:
    """The moments with what was said before and after, and with the seals of events."""
    events = [one.event for one in page if one.event is not None]
    seals = {seal.event_id: seal for seal in AuditSeal.objects.filter(event_id__in=[event.pk for event in events])}
    said: dict[int, tuple[Content | None, Content]] = {}
    for part in parts:
        said |= part.explain(case, events)
    return [_with(one, seals, said) for one in page]


def _with(moment: Moment, seals: dict[int, AuditSeal], said: dict[int, tuple[Content | None, Content]]) -> Moment:
    if moment.event is None:
        return moment
    was, now = differences(*said[moment.event.pk]) if moment.event.pk in said else ([], [])
    return replace(
        moment,
        before=[*moment.before, *was],
        after=[*moment.after, *now],
        seal=seals.get(moment.event.pk),
    )


def whole_history(case: Case, *, shown: str = ALL) -> Iterator[Moment]:
    """Every moment, the newest first, a few hundred at a time."""
    before = ""
    while True:
        page = history_of(case, before=before, shown=shown, limit=10 * PAGE)
        yield from page.moments
        before = page.next_before
        if not before:
            return


def voices_at(case: Case, at: dt.datetime) -> list[Voice]:
    """What stood at a time: gold, readings and models, in this order of the sections."""
    return [voice for part in sections() for voice in part.voices(case, at)]


def place_of(cursor: str) -> tuple[dt.datetime, str] | None:
    """The place that a cursor names; None for one that no page gave out."""
    when, _, key = cursor[:120].partition("_")
    try:
        at = dt.datetime.strptime(when, "%Y%m%dT%H%M%S.%f").replace(tzinfo=dt.UTC)
    except ValueError:
        return None
    return (at, key) if "\0" not in key and key.isascii() else None
