"""Submitting a reading: a draft becomes a revision that nobody edits, once, however often the request arrives."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from annotations import assigning, probes
from annotations.aided import has_looked, refuse_after_aided
from annotations.content import BadContent, parse_content
from annotations.drafting import ReadingLocked, StaleDraft, content_of, lock
from annotations.facts import record_readings
from annotations.framing import framed
from annotations.models import (
    Assignment,
    AssignmentState,
    Reading,
    ReadingRevision,
    ReadingState,
    SubmitReceipt,
)
from annotations.parts import write_parts
from annotations.required import missing
from annotations.signals import reading_submitted
from curation import audit, events
from curation.formats.canonical import canonical_digest
from curation.models import Role, User
from curation.statements import Statement

if TYPE_CHECKING:
    import uuid

    from annotations.framing import Framed

MOST_KEY_CHARACTERS = 128
_WRITE = Statement("""
    WITH submitted AS (
        UPDATE annotations_reading SET revision = %(revision)s, state = 'submitted' WHERE id = %(reading)s
    ), ended AS (
        UPDATE annotations_assignment SET state = 'submitted', updated_at = %(submitted_at)s WHERE id = %(assignment)s
    ), receipt AS (
        INSERT INTO annotations_submitreceipt (reading_id, key, revision_id, created_at)
        SELECT %(reading)s, %(key)s::text, %(id)s, %(submitted_at)s WHERE %(key)s::text IS NOT NULL
    )
    INSERT INTO annotations_readingrevision (id, reading_id, revision, content, digest, case_version, input_digest,
        protocol_digest, active_s, is_after_looking, submitted_at)
    VALUES (%(id)s, %(reading)s, %(revision)s, %(content)s, %(digest)s, %(case_version)s, %(input_digest)s,
        %(protocol_digest)s, %(active_s)s, %(is_after_looking)s, %(submitted_at)s)""")


class NotSubmitted(Exception):
    """The reading has no submitted revision to start a new one from."""


class NotSurplus(Exception):
    """Only a surplus draft waits for a curator."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(f"the reading is {reading.state}, not surplus")
        self.state = reading.state


def submit(*, reading_id: uuid.UUID, version: int, key: str) -> ReadingRevision:
    """Make the draft the next revision.

    Parameters
    ----------
    reading_id
        Of a reading that the caller may submit: its own reader's.
    version
        Of the draft that the caller saw.
    key
        The caller's Idempotency-Key: the same key on the same reading is answered with the same revision.

    Returns
    -------
    ReadingRevision
        Written now, or the one that this key wrote before.

    Raises
    ------
    StaleDraft
        If the draft has moved on.
    ReadingLocked
        If it is submitted under another key, or closed.
    annotations.content.BadContent
        If it does not hold what the protocol requires; the draft stays as it was.
    annotations.assigning.PlaceTaken
        If the lease ran out and others took every place; the draft is then kept as surplus.
    """
    done = _submit_once(reading_id, version, key)
    if isinstance(done, Reading):
        # Raised only here, outside of the transaction that made the draft surplus, or that would be undone.
        raise assigning.PlaceTaken(done.case, done.case.places)
    return done


@transaction.atomic
def _submit_once(reading_id: uuid.UUID, version: int, key: str) -> ReadingRevision | Reading:
    """The revision; or the reading, now surplus, if there is no place for it."""
    reading, assignment = lock(reading_id)
    receipts = SubmitReceipt.objects.select_related("revision").filter(reading=reading, key=key)
    if reading.revision and (receipt := receipts.first()) is not None:
        return receipt.revision
    if reading.state in (ReadingState.SUBMITTED, ReadingState.CLOSED):
        raise ReadingLocked(reading)
    if reading.version != version:
        raise StaleDraft(given=version, yours=None, reading=reading)
    given = framed(reading_id)
    content = _finished(reading, given)
    if assignment is not None and not assigning.hold_place(assignment):
        reading.state = ReadingState.SURPLUS
        reading.save(update_fields=["state"])
        return reading
    revision = _write_revision(reading, assignment, content, given, key=key)
    _tell(revision, action="reading.submitted", actor=reading.reader)
    return revision


@transaction.atomic
def revise(*, reading_id: uuid.UUID) -> Reading:
    """Open a submitted reading as the draft of its next revision; twice is the same as once.

    The draft starts as what was submitted and keeps its place at the case. Its version moves on, so that a save sent
    before the submission cannot slip in after it.

    Raises
    ------
    NotSubmitted
        If nothing was submitted yet.
    ReadingLocked
        If it is closed.
    annotations.aided.AidedOpened
        If it is the unaided reading of a case that its reader opened again with models in view.
    """
    reading, _ = lock(reading_id)
    refuse_after_aided(reading)
    if reading.revision == 0:
        raise NotSubmitted("there is no submitted revision to revise")
    if reading.state == ReadingState.CLOSED:
        raise ReadingLocked(reading)
    if reading.state == ReadingState.SUBMITTED:
        reading.state = ReadingState.DRAFT
        reading.version += 1
        reading.save(update_fields=["state", "version"])
        _record("reading.revised", reading, reading.reader, {"revision": reading.revision})
        record_readings(reading.case_id)
    return reading


@transaction.atomic
def accept_surplus(*, reading_id: uuid.UUID, curator: User, reason: str) -> ReadingRevision:
    """Take a surplus draft as submitted, beyond the overlap; the reason goes to the trail.

    Raises
    ------
    NotSurplus
        If the reading is not surplus.
    annotations.content.BadContent
        If it does not hold what the protocol requires.
    """
    reading, assignment = _surplus(reading_id)
    given = framed(reading_id)
    revision = _write_revision(reading, assignment, _finished(reading, given), given)
    _tell(revision, action="reading.surplus_accepted", actor=curator, reason=reason)
    return revision


@transaction.atomic
def close_surplus(*, reading_id: uuid.UUID, curator: User, reason: str) -> Reading:
    """Close a surplus draft: kept, never submitted, no longer writable. The reason goes to the trail.

    Raises
    ------
    NotSurplus
        If the reading is not surplus.
    """
    reading, assignment = _surplus(reading_id)
    reading.state = ReadingState.CLOSED
    reading.save(update_fields=["state"])
    assignment.state = AssignmentState.RELEASED
    assignment.save(update_fields=["state", "updated_at"])
    _record("reading.surplus_closed", reading, curator, {"reason": reason})
    record_readings(reading.case_id)
    return reading


def _surplus(reading_id: uuid.UUID) -> tuple[Reading, Assignment]:
    reading, assignment = lock(reading_id)
    if assignment is None or reading.state != ReadingState.SURPLUS:
        raise NotSurplus(reading)
    return reading, assignment


def _finished(reading: Reading, given: Framed) -> dict[str, Any]:
    """The draft, checked again (case and protocol may have changed since it was saved) and for what is required."""
    content = parse_content(content_of(reading), given.frame)
    lacking = missing(content, given.frame)
    if lacking:
        raise BadContent(lacking)
    return content


def _write_revision(
    reading: Reading, assignment: Assignment | None, content: dict[str, Any], given: Framed, *, key: str | None = None
) -> ReadingRevision:
    """Write the next revision, its parts and, for a key, the receipt; reading and assignment are submitted by it."""
    reading.revision += 1
    reading.state = ReadingState.SUBMITTED
    revision = ReadingRevision(
        reading=reading,
        revision=reading.revision,
        content=content,
        digest=canonical_digest(content),
        case_version=reading.case.version,
        input_digest=reading.case.input_digest,
        protocol_digest=given.protocol_digest,
        active_s=reading.active_s,
        is_after_looking=has_looked(reading),
        submitted_at=timezone.now(),
    )
    row = {field.name: getattr(revision, field.attname) for field in ReadingRevision._meta.concrete_fields}
    _WRITE.run(**row | {"content": Jsonb(content), "assignment": assignment and assignment.pk, "key": key})
    revision._state.adding = False
    write_parts(revision, content)
    if assignment is not None:
        if assignment.state != AssignmentState.SUBMITTED:
            probes.end_turn(reader_id=reading.reader_id, benchmark=reading.case.benchmark)
        assignment.state = AssignmentState.SUBMITTED
    return revision


def _tell(revision: ReadingRevision, *, action: str, actor: User, reason: str = "") -> None:
    """The trail, the facts, the live events, and after the commit whoever scores readings."""
    reading = revision.reading
    after = {"revision": revision.revision, "digest": revision.digest}
    _record(action, reading, actor, {**after, "reason": reason} if reason else after)
    record_readings(reading.case_id)
    audiences = (
        events.Audience(Role.REVIEWER, is_blinded=True),
        events.Audience(Role.READER, reader_id=reading.reader_id),
    )
    ids = {"case": str(reading.case_id), "reading": str(reading.pk)}
    events.publish_to("reading.submitted", audiences, benchmark_id=reading.case.benchmark_id, **ids)
    # Not on_commit's `robust`: it asks a failing callback for a name that a partial does not have.
    benchmark = reading.case.benchmark
    told = {"reading_id": reading.pk, "case_id": reading.case_id, "benchmark_id": benchmark.pk}
    is_probing = benchmark.probe_rate > 0
    transaction.on_commit(partial(reading_submitted.send_robust, sender=Reading, is_probing=is_probing, **told))


def _record(action: str, reading: Reading, actor: User, after: dict[str, Any]) -> None:
    audit.record(
        action,
        actor=actor,
        benchmark_id=reading.case.benchmark_id,
        object_type="reading",
        object_id=str(reading.pk),
        after={"case": str(reading.case_id), **after},
    )
