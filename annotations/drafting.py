"""Saving a draft: versions that never overwrite one another, and a place kept while somebody writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import DateTimeField, F, FloatField, Value
from django.db.models.functions import Coalesce, Extract, Greatest, Least
from django.utils import timezone

from annotations import assigning
from annotations.content import EMPTY, Frame, parse_content
from annotations.models import Arm, Assignment, AssignmentState, Reading, ReadingState

if TYPE_CHECKING:
    import datetime as dt
    import uuid

    from django.db.models.expressions import Combinable


OPEN = (ReadingState.DRAFT, ReadingState.SURPLUS)
# A longer gap between two saves counts as so much: whoever is away does not read.
MOST_PAUSE_S = 120.0
# What a content is checked against, and whose lease is prolonged; not the draft, which may be large.
_FRAMED = (
    "arm",
    "case_id",
    "reader_id",
    "case__extra",
    "case__options",
    "case__benchmark__slug",
)


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
    found = Reading.objects.select_related("case__benchmark").only(*_FRAMED).get(pk=reading_id)
    parsed = parse_content(content, Frame.of(found.case, found.case.benchmark.protocol.config))
    is_held = _takes_place(reading_id) if waits else _prolongs(found)
    now = timezone.now()
    changed = Reading.objects.filter(pk=reading_id, version=version, state__in=OPEN).update(
        draft=parsed,
        version=version + 1,
        saved_at=now,
        active_s=_active_s(now),
        state=ReadingState.DRAFT if is_held else ReadingState.SURPLUS,
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
    case_id, reader_id, arm = Reading.objects.values_list("case_id", "reader_id", "arm").get(pk=reading_id)
    case = assigning.lock_case(case_id)
    assignment = None
    if arm != Arm.AIDED:
        own = Assignment.objects.select_for_update(no_key=True).filter(case=case_id, reader=reader_id)
        assignment = own.get()
        assignment.case = case
    rows = Reading.objects.select_related("reader").select_for_update(no_key=True, of=("self",))
    reading = rows.get(pk=reading_id)
    reading.case = case
    return reading, assignment


def _takes_place(reading_id: uuid.UUID) -> bool:
    """Whether the reading has a place at its case, which is then locked; one that is free is taken."""
    _, assignment = lock(reading_id)
    return assignment is None or assigning.hold_place(assignment)


def _prolongs(reading: Reading) -> bool:
    """True, the lease prolonged if one is open, without the case's lock: an autosave need not wait for others.

    Raises
    ------
    _LeaseGone
        If the assignment holds no place.
    """
    if reading.arm == Arm.AIDED or assigning.prolong_own(case_id=reading.case_id, reader_id=reading.reader_id):
        return True
    own = Assignment.objects.filter(case=reading.case_id, reader=reading.reader_id)
    if not own.filter(state=AssignmentState.SUBMITTED).exists():
        raise _LeaseGone
    return True


def _active_s(now: dt.datetime) -> Combinable:
    """Seconds at work so far, with what passed since the last save, or since the case was handed out, up to a limit.

    By the server's clock alone, so that no client's can say otherwise.
    """
    passed = Extract(Value(now, DateTimeField()) - Coalesce("saved_at", "created_at"), "epoch")
    return F("active_s") + Greatest(0.0, Least(passed, MOST_PAUSE_S, output_field=FloatField()))
