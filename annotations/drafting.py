"""Saving a draft: versions that never overwrite one another, and a place kept while somebody writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from annotations import assigning
from annotations.content import EMPTY, parse_content
from annotations.framing import framed
from annotations.models import Arm, Assignment, AssignmentState, Reading, ReadingState
from curation.models import Benchmark, Case, User
from curation.statements import Columns, Statement

if TYPE_CHECKING:
    import datetime as dt
    import uuid

    from annotations.framing import Framed


OPEN = (ReadingState.DRAFT, ReadingState.SURPLUS)
# A longer gap between two saves counts as so much: whoever is away does not read.
MOST_PAUSE_S = 120.0
# Seconds at work grow by what passed since the last save, or since the case was handed out, up to a limit: by the
# server's clock alone, so that no client's can say otherwise.
_SAVE = Statement("""
    UPDATE annotations_reading SET draft = %(draft)s, version = version + 1, saved_at = %(now)s, state = %(state)s,
        active_s = active_s + greatest(
            0, least(extract(epoch FROM %(now)s - coalesce(saved_at, created_at)), %(most_pause)s)
        )
    WHERE id = %(reading)s AND version = %(version)s AND state IN ('draft', 'surplus')""")
_CASE, _BENCHMARK, _USER = Columns(Case, "c"), Columns(Benchmark, "b"), Columns(User, "u")
_ASSIGNMENT, _READING = Columns(Assignment, "a"), Columns(Reading, "r")
_LOCK_CASE = Statement(f"""
    SELECT {_CASE.sql}, {_BENCHMARK.sql}, r.arm
    FROM annotations_reading r JOIN curation_case c ON c.id = r.case_id
    JOIN curation_benchmark b ON b.id = c.benchmark_id
    WHERE r.id = %(reading)s
    FOR NO KEY UPDATE OF c""")  # noqa: S608 - names of columns only
# The assignment is locked before the reading, since saves lock them in this order without the case's lock.
_LOCK_BOTH = Statement(f"""
    SELECT {_ASSIGNMENT.sql}, {_READING.sql}, {_USER.sql}
    FROM annotations_assignment a
    JOIN annotations_reading r ON r.case_id = a.case_id AND r.reader_id = a.reader_id
    JOIN curation_user u ON u.id = r.reader_id
    WHERE r.id = %(reading)s
    FOR NO KEY UPDATE OF a FOR NO KEY UPDATE OF r""")  # noqa: S608 - as above
_LOCK_READING = Statement(f"""
    SELECT {_READING.sql}, {_USER.sql}
    FROM annotations_reading r JOIN curation_user u ON u.id = r.reader_id
    WHERE r.id = %(reading)s
    FOR NO KEY UPDATE OF r""")  # noqa: S608 - as above


@dataclass(frozen=True)
class Saved:
    """What the server holds after a save."""

    version: int
    saved_at: dt.datetime | None


class _LeaseGone(Exception):
    """The assignment holds no open lease, so that a place must be taken under the case's lock."""


class StaleDraft(Exception):
    """The draft moved on since the version that the caller knows; both sides are carried, neither is lost."""

    def __init__(self, *, given: int, yours: dict[str, Any] | None, reading: Reading) -> None:
        super().__init__(f"version {given} was sent, version {reading.version} is stored")
        self.yours = yours
        self.theirs = content_of(reading)
        self.version = reading.version


class ReadingLocked(Exception):
    """The reading is submitted or closed; a correction is a new revision."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(f"the reading is {reading.state}")
        self.state = reading.state


def content_of(reading: Reading) -> dict[str, Any]:
    """The draft as INTERFACE.md section 5 has it, also before the first save."""
    return {**EMPTY, **reading.draft}


def save_draft(*, reading_id: uuid.UUID, version: int, content: object) -> Saved:
    """Store a draft over the version it was made from.

    Parameters
    ----------
    reading_id
        Of a reading that the caller may write: its own reader's.
    version
        The version that the caller had when it changed the content.
    content
        Anything that JSON can hold; checked here.

    Returns
    -------
    Saved
        The new version; or the stored one, unchanged, if `version` is stale but the content is what is stored (a
        save whose answer was lost and that is sent again).

    Raises
    ------
    annotations.content.BadContent
        With the path of each fault; the draft stays as it was.
    StaleDraft
        If `version` is not the stored one and the content differs.
    ReadingLocked
        If the reading is submitted or closed.

    Notes
    -----
    Saving is a sign of life: the lease is prolonged. One that ran out is taken up again if the place is free; else the
    draft is saved all the same, as surplus, for a curator to accept or close.
    """
    try:
        return _save(reading_id, version, content, waits=False)
    except _LeaseGone:
        # In a transaction of its own: PostgreSQL may have locked the assignment although the update of it found it
        # changed, and to wait for the case with that lock held is the wrong order.
        return _save(reading_id, version, content, waits=True)


@transaction.atomic
def _save(reading_id: uuid.UUID, version: int, content: object, *, waits: bool) -> Saved:
    """As `save_draft`; `waits` for the case's lock, without which only an open lease is prolonged."""
    found = framed(reading_id)
    parsed = parse_content(content, found.frame)
    is_held = _takes_place(reading_id) if waits else _prolongs(found)
    now = timezone.now()
    changed = _SAVE.run(
        reading=reading_id,
        version=version,
        draft=Jsonb(parsed),
        now=now,
        state=(ReadingState.DRAFT if is_held else ReadingState.SURPLUS).value,
        most_pause=MOST_PAUSE_S,
    )
    if changed:
        return Saved(version + 1, now)
    reading = Reading.objects.select_for_update(no_key=True).get(pk=reading_id)
    if reading.state not in OPEN:
        raise ReadingLocked(reading)
    if parsed == content_of(reading):
        return Saved(reading.version, reading.saved_at)
    raise StaleDraft(given=version, yours=parsed, reading=reading)


def lock(reading_id: uuid.UUID) -> tuple[Reading, Assignment | None]:
    """Lock what a change of a reading needs, in the order case, assignment, reading.

    Returns
    -------
    (Reading, Assignment or None)
        As they are now, with case, benchmark and reader loaded. No assignment for an aided reading, which needs no
        place.
    """
    *found, arm = _existing(_LOCK_CASE, reading_id)
    case = _CASE.made(found[: len(_CASE)])
    case.benchmark = _BENCHMARK.made(found[len(_CASE) :])
    assignment = None
    if arm == Arm.AIDED:
        values = _existing(_LOCK_READING, reading_id)
    else:
        both = _existing(_LOCK_BOTH, reading_id)
        assignment, values = _ASSIGNMENT.made(both[: len(_ASSIGNMENT)]), both[len(_ASSIGNMENT) :]
        assignment.case = case
    reading = _READING.made(values[: len(_READING)])
    reading.reader = _USER.made(values[len(_READING) :])
    reading.case = case
    return reading, assignment


def _existing(statement: Statement, reading_id: uuid.UUID) -> tuple[Any, ...]:
    found = statement.row(reading=reading_id)
    if found is None:
        raise Reading.DoesNotExist(f"there is no reading {reading_id}, or nobody was assigned to read it")
    return found


def _takes_place(reading_id: uuid.UUID) -> bool:
    """Whether the reading has a place at its case, which is then locked; one that is free is taken."""
    _, assignment = lock(reading_id)
    return assignment is None or assigning.hold_place(assignment)


def _prolongs(reading: Framed) -> bool:
    """True, the lease prolonged if one is open, without the case's lock: an autosave need not wait for others.

    Raises
    ------
    _LeaseGone
        If the assignment holds no place.
    """
    if reading.is_aided or assigning.prolong_own(case_id=reading.case_id, reader_id=reading.reader_id):
        return True
    own = Assignment.objects.filter(case=reading.case_id, reader=reading.reader_id)
    if not own.filter(state=AssignmentState.SUBMITTED).exists():
        raise _LeaseGone
    return True
