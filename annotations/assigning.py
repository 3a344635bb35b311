"""Handing out cases: a place at a case is leased to one reader, and never more places than the case's overlap.

A place is taken by a submitted reading, by an assigned case or by a lease that has not run out. How one is taken, and
in which order locks are, says annotations/places.py; which case comes next, annotations/candidates.py and, where
disagreement leads, annotations/drawing.py.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from annotations import candidates, drawing, places, probes
from annotations.models import Arm, Assignment, AssignmentState, Origin, Reading, ReadingState
from annotations.places import lease_end
from curation import audit
from curation.models import Case, OrderPolicy, User
from curation.permissions import READ
from curation.statements import Statement

if TYPE_CHECKING:
    import uuid

    from annotations.candidates import Asked
    from annotations.places import Own, Taken
    from curation.models import Benchmark

MOST_REASON_CHARACTERS = 300
_PROLONG = Statement("""
    UPDATE annotations_assignment SET lease_expires_at = %(until)s, updated_at = %(now)s
    WHERE case_id = %(case)s AND reader_id = %(reader)s AND state = 'leased' AND lease_expires_at > %(now)s""")
_MOVED_BY_READING = (OrderPolicy.BALANCED, OrderPolicy.DISAGREEMENT)


@dataclass(frozen=True)
class HandedOut:
    """A case leased to a reader, with the reading that goes with it."""

    assignment: Assignment
    reading: Reading


@dataclass(frozen=True)
class NothingLeft:
    """Why there is no case: `done`, `leased`, `not_assigned` or `paused`; and until when, for leased ones."""

    reason: str
    until: dt.datetime | None = None


class PlaceTaken(Exception):
    """Every place at the case is taken by others."""

    def __init__(self, case: Case, overlap: int) -> None:
        super().__init__(f"all {overlap} places at case {case.key} are taken")
        self.overlap = overlap


class LeaseEnded(Exception):
    """The assignment was submitted, released or skipped: there is no lease to prolong or give back."""

    def __init__(self, assignment: Assignment) -> None:
        super().__init__(f"the assignment was {assignment.state}, so it holds no lease")
        self.state = assignment.state


class _LeaseGone(Exception):
    """The lease that was found open was given back at this moment."""


def next_case(*, reader: User, benchmark: Benchmark) -> HandedOut | NothingLeft:
    """Give the reader a case to read.

    Parameters
    ----------
    reader
        Whoever asks. Several tabs of one reader take turns, so that they get the same lease.
    benchmark
        Where to look.

    Returns
    -------
    HandedOut or NothingLeft
        The first there is of: the reader's open lease, prolonged; a case whose lease ran out over a draft of this
        reader; a case that a curator assigned to them; the case of the queue that they gave back last; a probe, if one
        is due; the first case in order that they have neither read nor skipped and that has a place left.
    """
    if not reader.has_perm(READ, benchmark):
        return NothingLeft("not_assigned")
    waits = False
    while True:
        try:
            return _next_case(reader, benchmark, waits=waits)
        except _LeaseGone:
            # In a transaction of its own: the update may have locked the assignment before it found it changed, and
            # to take a case with that lock held is the wrong order.
            continue
        except places.CaseLocked:
            # Nothing is left but cases of which somebody takes or frees a place at this moment: wait for them.
            waits = True


@transaction.atomic
def _next_case(reader: User, benchmark: Benchmark, *, waits: bool) -> HandedOut | NothingLeft:
    asked = candidates.begin(reader, benchmark, timezone.now())
    own = places.own_assignments(asked)
    if own and own[0].is_open:
        return _again(asked, own[0].assignment)
    if asked.benchmark.is_paused:
        return NothingLeft("paused")
    taken = _of_own(asked, own) or _given_back(asked) or _probe(asked)
    if taken is None and asked.benchmark.is_push_only:
        return NothingLeft("not_assigned")
    taken = taken or _of_queue(asked, waits=waits)
    if taken is None:
        return _why_nothing(asked)
    return HandedOut(taken.assignment, places.reading_of(asked, taken.assignment, is_new=taken.is_new))


def _again(asked: Asked, held: Assignment) -> HandedOut:
    """The open lease, prolonged."""
    if not prolong_open(held):
        raise _LeaseGone
    held.case = Case.objects.get(pk=held.case_id)
    return HandedOut(held, places.reading_of(asked, held))


def _of_own(asked: Asked, own: list[Own]) -> Taken | None:
    """A lease of a case that the reader has begun or was assigned, if it has a place for them."""
    for row in own:
        given = row.assignment
        taken = places.take(asked, given.case_id, waits=True, origin=Origin(given.origin))
        if taken is not None:
            return taken
    return None


def _given_back(asked: Asked) -> Taken | None:
    """A lease of the case that the reader gave back last, if nobody else has its place.

    By position, seed or priority it is the first in order anyway. Where the order follows what was begun it is not, and
    a probe, which comes back at once, would be told from a case of the queue by giving it back and asking again.
    """
    if asked.benchmark.is_push_only or asked.benchmark.order_policy not in _MOVED_BY_READING:
        return None
    for given in places.given_back(asked):
        taken = places.take(asked, given.case_id, waits=True)
        if taken is not None:
            return taken
    return None


def _probe(asked: Asked) -> Taken | None:
    case_id = probes.due_probe(reader=asked.reader, benchmark=asked.benchmark)
    return None if case_id is None else places.take(asked, case_id, waits=True, origin=Origin.PROBE)


def _of_queue(asked: Asked, *, waits: bool) -> Taken | None:
    """A lease of the next case in order that has a place left.

    Cases of which others take or free a place at this moment are passed over; only where that leaves nothing does
    CaseLocked ask for a second look that waits for them.
    """
    if asked.benchmark.order_policy == OrderPolicy.DISAGREEMENT:
        return drawing.take_by_disagreement(asked)
    is_locked = False
    for one in candidates.candidates(asked):
        if not one.is_free:
            continue
        try:
            taken = places.take(asked, one.case_id, waits=waits)
        except places.CaseLocked:
            is_locked = True
            continue
        if taken is not None:
            return taken
    if is_locked:
        raise places.CaseLocked
    return None


def open_lease(reader: User, benchmark: Benchmark) -> Assignment | None:
    """The lease that the reader holds in a benchmark, if one is open; the earliest if there are several."""
    held = Assignment.objects.open_for(reader, timezone.now()).filter(case__benchmark=benchmark)
    return held.select_related("case").order_by("case__position").first()


@transaction.atomic
def heartbeat(*, assignment_id: uuid.UUID) -> Assignment:
    """Prolong a lease, or take it up again if it ran out and the place is still free.

    Raises
    ------
    PlaceTaken
        If it ran out and others have every place.
    LeaseEnded
        If it was submitted, released or skipped.
    """
    assignment = Assignment.objects.get(pk=assignment_id)
    assignment.case = lock_case(assignment.case_id)
    assignment.refresh_from_db(fields=["state", "lease_expires_at"])
    if assignment.state != AssignmentState.LEASED:
        raise LeaseEnded(assignment)
    if not prolong_open(assignment) and not hold_place(assignment):
        raise PlaceTaken(assignment.case, assignment.case.places)
    return assignment


def release(*, assignment_id: uuid.UUID) -> Assignment:
    """Give the place back and keep the draft; the case may come to this reader again. Twice is the same as once."""
    return _give_back(assignment_id, AssignmentState.RELEASED, reason="")


def skip(*, assignment_id: uuid.UUID, reason: str) -> Assignment:
    """Give the place back for good: the case does not come to this reader again. Twice is the same as once."""
    return _give_back(assignment_id, AssignmentState.SKIPPED, reason=reason)


def lock_case(case_id: uuid.UUID) -> Case:
    """The case as it is now, with its benchmark, once nobody else takes or frees a place at it; held to the end of the
    transaction.
    """
    # NO KEY: rows that only refer to the case (a prediction that arrives, say) need not wait.
    rows = Case.objects.select_related("benchmark").select_for_update(no_key=True, of=("self",))
    return rows.get(pk=case_id)


def hold_place(assignment: Assignment) -> bool:
    """Whether the assignment holds a place; it takes one if it holds none and one is free.

    The caller holds the case's lock (`lock_case`) unless the assignment holds a place already; the assignment's case
    and benchmark are loaded.
    """
    now = timezone.now()
    if assignment.state == AssignmentState.SUBMITTED:
        return True
    if assignment.state == AssignmentState.LEASED and assignment.lease_expires_at > now:
        return True
    if assignment.origin == Origin.PROBE:  # it takes nobody's place, so that it needs none
        prolong(assignment, now)
        return True
    others = Assignment.objects.holding_a_place(now).filter(case_id=assignment.case_id).exclude(pk=assignment.pk)
    if others.count() >= assignment.case.places:
        return False
    prolong(assignment, now)
    return True


def prolong_own(*, case_id: uuid.UUID, reader_id: uuid.UUID) -> dt.datetime | None:
    """Prolong the reader's lease of a case, without the case's lock: until when, or None if it is not open any longer.

    One conditional UPDATE: the reader may give the place back in another tab at this moment, and writing `leased` over
    that would hold a place that somebody else has been given. The row stays locked to the end of the transaction, and
    PostgreSQL may hold that lock after a None too: a caller without the case's lock must then end its transaction
    before it asks for that one.
    """
    now = timezone.now()
    until = lease_end(now)
    return until if _PROLONG.run(case=case_id, reader=reader_id, now=now, until=until) else None


def prolong_open(assignment: Assignment) -> bool:
    """As `prolong_own`, and the assignment at hand is brought up to date."""
    until = prolong_own(case_id=assignment.case_id, reader_id=assignment.reader_id)
    if until is None:
        return False
    assignment.state, assignment.lease_expires_at = AssignmentState.LEASED, until
    return True


def prolong(assignment: Assignment, now: dt.datetime) -> None:
    """Write that the lease is open and runs out LEASE_MINUTES from now; the caller holds the case's lock."""
    assignment.state = AssignmentState.LEASED
    assignment.lease_expires_at = lease_end(now)
    assignment.save(update_fields=["state", "lease_expires_at", "updated_at"])


def _why_nothing(asked: Asked) -> NothingLeft:
    """`leased` if a place that others hold may come free again, else `done`."""
    ended = [AssignmentState.SUBMITTED, AssignmentState.SKIPPED]
    waiting = [ReadingState.SUBMITTED, ReadingState.SURPLUS, ReadingState.CLOSED]
    own = {"case": OuterRef("case"), "reader": asked.reader}
    open_leases = Assignment.objects.filter(state=AssignmentState.LEASED, lease_expires_at__gt=asked.now)
    hopeful = open_leases.filter(
        ~Exists(Assignment.objects.filter(state__in=ended, **own)),
        ~Exists(Reading.objects.filter(Q(state__in=waiting) | Q(revision__gt=0), arm=Arm.UNAIDED, **own)),
        case__benchmark=asked.benchmark,
        case__facts__is_open=True,
    )
    until = hopeful.order_by("lease_expires_at").values_list("lease_expires_at", flat=True).first()
    return NothingLeft("leased", until) if until else NothingLeft("done")


@transaction.atomic
def _give_back(assignment_id: uuid.UUID, state: AssignmentState, *, reason: str) -> Assignment:
    assignment = Assignment.objects.select_related("case", "reader").get(pk=assignment_id)
    locked = lock_case(assignment.case_id)
    assignment.refresh_from_db(fields=["state"])
    if assignment.state == state:
        return assignment
    if assignment.state != AssignmentState.LEASED:
        raise LeaseEnded(assignment)
    assignment.state = state
    assignment.lease_expires_at = timezone.now()
    assignment.skip_reason = reason
    assignment.save(update_fields=["state", "lease_expires_at", "skip_reason", "updated_at"])
    if state == AssignmentState.SKIPPED:
        probes.end_turn(reader_id=assignment.reader_id, benchmark=locked.benchmark)
    audit.record(
        f"assignment.{state.value}",
        actor=assignment.reader,
        benchmark_id=assignment.case.benchmark_id,
        object_type="assignment",
        object_id=str(assignment.pk),
        after={"case": str(assignment.case_id), "reason": reason},
    )
    return assignment
