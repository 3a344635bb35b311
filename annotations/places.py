"""Taking a place at a case: the case's lock first, then one statement that counts its places and leases one.

Under READ COMMITTED only a statement begun after the lock was got sees what the last holder of the lock wrote. Locks
are always taken in the order reader, draws of the benchmark (annotations/drawing.py), case, assignment, reading, facts,
mark.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from annotations.facts import record_readings
from annotations.models import Arm, Assignment, Origin, Reading
from annotations.ordering import count_meeting
from curation.models import Case, OrderPolicy
from curation.statements import Columns, Statement

if TYPE_CHECKING:
    from annotations.candidates import Asked

_CASE = Columns(Case, "c")
_ASSIGNMENT = Columns(Assignment, "a")
_LOCK = f"SELECT {_CASE.sql} FROM curation_case c WHERE id = %(case)s FOR NO KEY UPDATE"  # noqa: S608 - as above
_WAIT_FOR_CASE, _TAKE_CASE = Statement(_LOCK), Statement(f"{_LOCK} SKIP LOCKED")
# `xmax` is 0 of a row that this very statement inserted.
_LEASE = Statement(f"""
    INSERT INTO annotations_assignment AS a
        (id, case_id, reader_id, state, origin, lease_expires_at, due_at, skip_reason, created_at, updated_at)
    SELECT %(id)s, %(case)s, %(reader)s, 'leased', %(origin)s::text, %(until)s, NULL, '', %(now)s, %(now)s
    WHERE %(origin)s::text = 'probe' OR (
        SELECT count(*) FROM annotations_assignment h
        WHERE h.case_id = %(case)s AND h.reader_id <> %(reader)s AND h.origin <> 'probe' AND (
            h.state IN ('submitted', 'assigned') OR (
                h.state = 'leased' AND (h.lease_expires_at > %(now)s OR h.origin = 'pushed')
            )
        )
    ) < %(places)s
    ON CONFLICT (case_id, reader_id) DO UPDATE SET state = 'leased', lease_expires_at = EXCLUDED.lease_expires_at,
        skip_reason = '', updated_at = EXCLUDED.updated_at, origin = EXCLUDED.origin,
        due_at = CASE WHEN EXCLUDED.origin <> 'queue' THEN a.due_at END
    WHERE a.state NOT IN ('submitted', 'skipped')
    RETURNING {_ASSIGNMENT.sql}, xmax = 0""")  # noqa: S608 - names of columns only
_BEGIN = Statement("""
    INSERT INTO annotations_reading
        (id, case_id, reader_id, arm, state, version, draft, saved_at, active_s, revision, created_at)
    VALUES (%(id)s, %(case)s, %(reader)s, %(arm)s, 'draft', 0, '{}', NULL, 0, 0, %(now)s)""")
_OWN = Statement(f"""
    SELECT {_ASSIGNMENT.sql}, a.state = 'leased' AND a.lease_expires_at > %(now)s AS is_open
    FROM annotations_assignment a JOIN curation_case c ON c.id = a.case_id
    WHERE a.reader_id = %(reader)s AND a.state IN ('leased', 'assigned') AND c.benchmark_id = %(benchmark)s AND (
        a.state = 'assigned' OR a.origin = 'pushed' OR a.lease_expires_at > %(now)s OR EXISTS (
            SELECT FROM annotations_reading r
            WHERE r.case_id = a.case_id AND r.reader_id = a.reader_id AND r.arm = 'unaided' AND r.state = 'draft'
                AND r.version > 0
        )
    )
    ORDER BY is_open DESC, a.state = 'leased' DESC, a.due_at NULLS LAST, c.position""")  # noqa: S608 - as above

_GIVEN_BACK = Statement(f"""
    SELECT {_ASSIGNMENT.sql}
    FROM annotations_assignment a JOIN curation_case c ON c.id = a.case_id
    WHERE a.reader_id = %(reader)s AND a.state IN ('released', 'leased') AND c.benchmark_id = %(benchmark)s
        AND (a.state = 'released' OR a.lease_expires_at <= %(now)s) AND a.origin = 'queue' AND NOT c.is_probe
        AND NOT EXISTS (
            SELECT FROM annotations_reading r
            WHERE r.case_id = a.case_id AND r.reader_id = a.reader_id AND r.arm = 'unaided'
                AND (r.state IN ('submitted', 'surplus', 'closed') OR r.revision > 0)
        )
    ORDER BY a.updated_at DESC
    LIMIT 3""")  # noqa: S608 - as above


@dataclass(frozen=True)
class Own:
    """An assignment that the reader may go on with, and whether it is a lease that has not run out."""

    assignment: Assignment
    is_open: bool


@dataclass(frozen=True)
class Taken:
    """A lease just given, with its case; `is_new` if the reader was never given the case before."""

    assignment: Assignment
    is_new: bool


class CaseLocked(Exception):
    """Somebody else is taking or freeing a place at the case at this moment."""


def lease_end(now: dt.datetime) -> dt.datetime:
    """When a lease that begins, or is prolonged, now runs out."""
    return now + dt.timedelta(minutes=settings.LEASE_MINUTES)


def own_assignments(asked: Asked) -> list[Own]:
    """What the reader holds or may go on with here: open leases, then lapsed ones with a draft, then assigned ones.

    Assigned ones come by due time, then by position.
    """
    rows = _OWN.rows(reader=asked.reader.pk, benchmark=asked.benchmark.pk, now=asked.now)
    return [Own(_ASSIGNMENT.made(values), is_open) for *values, is_open in rows]


def given_back(asked: Asked) -> list[Assignment]:
    """Cases of the queue that the reader gave back, or let run out unread, the newest first; a few."""
    rows = _GIVEN_BACK.rows(reader=asked.reader.pk, benchmark=asked.benchmark.pk, now=asked.now)
    return [_ASSIGNMENT.made(values) for values in rows]


def take(asked: Asked, case_id: uuid.UUID, *, waits: bool, origin: Origin = Origin.QUEUE) -> Taken | None:
    """Lease a place at the case to the reader; None if others have them all.

    Parameters
    ----------
    waits
        For others who take or free a place at the case; the caller then holds no other case, and the lock is let go if
        no place is free: two readers that each held one full case while waiting for the other's would wait for ever.

    Raises
    ------
    CaseLocked
        If it does not wait and would have to.
    """
    before = transaction.savepoint() if waits else None
    values = (_WAIT_FOR_CASE if waits else _TAKE_CASE).row(case=case_id)
    if values is None:
        raise CaseLocked
    case = _CASE.made(values)
    case.benchmark = asked.benchmark
    taken = None if case.is_probe and origin == Origin.QUEUE else _lease(asked, case, origin)
    if before is not None and taken is None:
        transaction.savepoint_rollback(before)
    elif before is not None:
        transaction.savepoint_commit(before)
    return taken


def _lease(asked: Asked, case: Case, origin: Origin) -> Taken | None:
    found = _LEASE.row(
        id=uuid.uuid4(),
        case=case.pk,
        reader=asked.reader.pk,
        origin=origin.value,
        until=lease_end(asked.now),
        now=asked.now,
        places=case.places,
    )
    if found is None:
        return None
    *values, is_new = found
    assignment = _ASSIGNMENT.made(values)
    assignment.case, assignment.reader = case, asked.reader
    return Taken(assignment, is_new)


def reading_of(asked: Asked, assignment: Assignment, *, is_new: bool = False) -> Reading:
    """The unaided reading that goes with a lease, begun if there is none; the caller has locked the case if so.

    `is_new` says that the assignment was made just now, so that there cannot be a reading yet.
    """
    of = {"case": assignment.case, "reader": asked.reader, "arm": Arm.UNAIDED}
    reading = None if is_new else Reading.objects.filter(**of).first()
    if reading is None:
        reading = Reading(**of, created_at=timezone.now())
        _BEGIN.run(
            id=reading.pk,
            case=assignment.case_id,
            reader=asked.reader.pk,
            arm=Arm.UNAIDED.value,
            now=reading.created_at,
        )
        reading._state.adding = False
        if is_new and asked.benchmark.order_policy == OrderPolicy.BALANCED:
            ids = {"case_id": assignment.case_id, "reader_id": asked.reader.pk}
            count_meeting(benchmark_id=asked.benchmark.pk, **ids)
        record_readings(assignment.case_id)
    return reading
