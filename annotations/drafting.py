"""Saving a draft: versions that never overwrite one another, and a place kept while somebody writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from annotations import assigning
from annotations.content import EMPTY, Frame, parse_content
from annotations.models import Arm, Assignment, AssignmentState, Reading, ReadingState

if TYPE_CHECKING:
    import datetime as dt
    import uuid


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
    reading = Reading.objects.select_related("case__benchmark").get(pk=reading_id)
    parsed = parse_content(content, Frame.of(reading.case, reading.case.benchmark.protocol.config))
    if waits:
        assigning.lock_case(reading.case_id)
    assignment = lock(reading, holds_case=waits)
    if reading.state in (ReadingState.SUBMITTED, ReadingState.CLOSED):
        raise ReadingLocked(reading)
    if reading.version != version:
        if parsed == content_of(reading):
            return Saved(reading.version, reading.saved_at)
        raise StaleDraft(given=version, yours=parsed, reading=reading)
    is_held = assignment is None or assigning.hold_place(assignment)
    state = ReadingState.DRAFT if is_held else ReadingState.SURPLUS
    now = timezone.now()
    # The row is locked and compared above; the condition stays, so that no later change of this code can lose a draft.
    changed = Reading.objects.filter(pk=reading.pk, version=version).update(
        draft=parsed, version=F("version") + 1, saved_at=now, state=state
    )
    if not changed:
        raise StaleDraft(given=version, yours=parsed, reading=reading)
    return Saved(version + 1, now)


def lock(reading: Reading, *, holds_case: bool = True) -> Assignment | None:
    """Lock what a change of a reading needs, in the order case, assignment, reading; bring the reading up to date.

    Parameters
    ----------
    reading
        With its case and benchmark loaded.
    holds_case
        Whether the caller holds the case's lock (`assigning.lock_case`). An autosave within its lease need not wait
        for others.

    Returns
    -------
    Assignment or None
        Of the same reader and case, with `case` set. An open lease is prolonged. None for an aided reading, which needs
        no place.

    Raises
    ------
    _LeaseGone
        If no lease is open and the caller does not hold the case's lock.
    """
    assignment = _assignment_of(reading)
    is_open = assignment is not None and assignment.state != AssignmentState.SUBMITTED
    if assignment is not None and is_open and not assigning.prolong_open(assignment) and not holds_case:
        raise _LeaseGone
    locked = Reading.objects.select_for_update(no_key=True).get(pk=reading.pk)
    for name in ("state", "version", "draft", "saved_at", "revision"):
        setattr(reading, name, getattr(locked, name))
    return assignment


def _assignment_of(reading: Reading) -> Assignment | None:
    if reading.arm == Arm.AIDED:
        return None
    assignment = Assignment.objects.get(case_id=reading.case_id, reader_id=reading.reader_id)
    assignment.case = reading.case
    return assignment
