"""Handing out cases: a place at a case is leased to one reader, and never more places than the benchmark's overlap.

A place is taken by a submitted reading or by a lease that has not run out. Whoever takes one first locks the case's
row, then counts in a statement of its own: under READ COMMITTED only a statement begun after the lock was got sees
what the last holder of the lock wrote. Locks are always taken in the order user, case,
assignment, reading.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from annotations import probes
from annotations.facts import record_readings
from annotations.models import Arm, Assignment, AssignmentState, Origin, Reading, ReadingState
from curation import audit
from curation.models import Case, CaseFacts, User
from curation.permissions import READ

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterator

    from curation.models import Benchmark

MOST_REASON_CHARACTERS = 300
# Cases looked at together.
CANDIDATES = 20


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


def lease_end(now: dt.datetime) -> dt.datetime:
    """When a lease that begins, or is prolonged, now runs out."""
    return now + dt.timedelta(minutes=settings.LEASE_MINUTES)


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
        The reader's open lease, prolonged; else a case whose lease ran out over a draft of this reader; else the first
        case in order that the reader has neither read nor skipped and that has a place left.
    """
    if not reader.has_perm(READ, benchmark):
        return NothingLeft("not_assigned")
    while True:
        try:
            return _next_case(reader, benchmark)
        except _LeaseGone:
            # In a transaction of its own: the update may have locked the assignment before it found it changed, and
            # to take a case with that lock held is the wrong order.
            continue


@transaction.atomic
def _next_case(reader: User, benchmark: Benchmark) -> HandedOut | NothingLeft:
    User.objects.select_for_update(no_key=True).get(pk=reader.pk)
    now = timezone.now()
    held = open_lease(reader, benchmark)
    if held is not None:
        if not prolong_open(held):
            raise _LeaseGone
        return HandedOut(held, _reading_of(held.case, reader))
    if benchmark.is_paused:
        return NothingLeft("paused")
    probe = probes.due_probe(reader=reader, benchmark=benchmark)
    case = _take_case(reader, benchmark, now) if probe is None else lock_case(probe)
    if case is None:
        return _why_nothing(reader, benchmark, now)
    assignment = _lease(case, reader, now)
    return HandedOut(assignment, _reading_of(case, reader))


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
        raise PlaceTaken(assignment.case, assignment.case.benchmark.overlap)
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
    if others.count() >= assignment.case.benchmark.overlap:
        return False
    prolong(assignment, now)
    return True


def prolong_open(assignment: Assignment) -> bool:
    """Prolong a lease that is open, without the case's lock; False if it is not, or no longer.

    One conditional UPDATE: the reader may give the place back in another tab at this moment, and writing `leased` over
    that would hold a place that somebody else has been given. The row stays locked to the end of the transaction, and
    PostgreSQL may hold that lock after a False too: a caller without the case's lock must then end its transaction
    before it asks for that one.
    """
    now = timezone.now()
    until = lease_end(now)
    held = Assignment.objects.filter(pk=assignment.pk, state=AssignmentState.LEASED, lease_expires_at__gt=now)
    if not held.update(lease_expires_at=until, updated_at=now):
        return False
    assignment.state, assignment.lease_expires_at = AssignmentState.LEASED, until
    return True


def prolong(assignment: Assignment, now: dt.datetime) -> None:
    """Write that the lease is open and runs out LEASE_MINUTES from now; the caller holds the case's lock."""
    assignment.state = AssignmentState.LEASED
    assignment.lease_expires_at = lease_end(now)
    assignment.save(update_fields=["state", "lease_expires_at", "updated_at"])


def _not_ended(reader: User, case: str) -> Q:
    """That the case, a field of the row, may still come to the reader: they neither submitted nor skipped it."""
    ended = [AssignmentState.SUBMITTED, AssignmentState.SKIPPED]
    return ~Q(Exists(Assignment.objects.filter(case=OuterRef(case), reader=reader, state__in=ended)))


def _readings_ended(reader: User) -> QuerySet[Reading]:
    """Readings of the reader that leave nothing to read: submitted once, closed, or waiting for a curator."""
    waiting = [ReadingState.SUBMITTED, ReadingState.SURPLUS, ReadingState.CLOSED]
    return Reading.objects.filter(Q(state__in=waiting) | Q(revision__gt=0), reader=reader)


def _lapsed_drafts(reader: User, benchmark: Benchmark) -> list[uuid.UUID]:
    """Cases whose lease ran out over a draft of the reader, in order."""
    draft = Reading.objects.filter(case=OuterRef("case"), reader=reader, state=ReadingState.DRAFT, version__gt=0)
    own = Assignment.objects.filter(Exists(draft), reader=reader, state=AssignmentState.LEASED)
    return list(own.filter(case__benchmark=benchmark).order_by("case__position").values_list("case_id", flat=True))


def _unread(reader: User, benchmark: Benchmark) -> Iterator[uuid.UUID]:
    """Cases that were not read often enough and not by the reader, in order.

    The index of the facts passes over cases that are full without a look at their rows; a few at a time, since the
    first is nearly always the one.
    """
    waiting = CaseFacts.objects.filter(benchmark_id=benchmark.pk, readings_submitted__lt=benchmark.overlap)
    waiting = waiting.filter(_not_ended(reader, "pk"), case__is_probe=False).order_by("position")
    after = -1
    while batch := list(waiting.filter(position__gt=after).values_list("case_id", "position")[:CANDIDATES]):
        after = batch[-1][1]
        yield from (case_id for case_id, _ in batch)


def _candidates(reader: User, benchmark: Benchmark, now: dt.datetime) -> Iterator[uuid.UUID]:
    """Cases that have a place for the reader as far as can be told without a lock, in the order to try them."""
    places = Assignment.objects.holding_a_place(now).values("case").annotate(n=Count("pk"))
    in_order = chain(_lapsed_drafts(reader, benchmark), _unread(reader, benchmark))
    while batch := list(islice(in_order, CANDIDATES)):
        full = places.filter(case__in=batch, n__gte=benchmark.overlap).values_list("case", flat=True)
        ended = _readings_ended(reader).filter(case__in=batch).values_list("case", flat=True)
        passed_over = {*full, *ended}
        yield from (case_id for case_id in batch if case_id not in passed_over)


def _take_case(reader: User, benchmark: Benchmark, now: dt.datetime) -> Case | None:
    """The next case, locked, with a place left that is now the caller's to take."""
    # First whatever nobody else is taking from at this moment; only when that is nothing, wait for the others:
    # a case that is locked may have places left after its turn, and then there is something to read.
    for waits in (False, True):
        for case_id in _candidates(reader, benchmark, now):
            case = _lock_free(case_id, benchmark, now, waits=waits)
            if case is not None:
                return case
    return None


def _lock_free(case_id: uuid.UUID, benchmark: Benchmark, now: dt.datetime, *, waits: bool) -> Case | None:
    """The case, locked, if it has a place left; else None and no lock."""
    # A savepoint, so that the lock of a case that turns out full is let go: two readers that each held one such
    # case while waiting for the other's would wait for ever.
    before = transaction.savepoint()
    case = Case.objects.select_for_update(skip_locked=not waits, no_key=True).filter(pk=case_id).first()
    # Counted in a statement of its own: one begun before the last holder of this lock committed does not see it.
    if case is None or Assignment.objects.holding_a_place(now).filter(case=case).count() >= benchmark.overlap:
        transaction.savepoint_rollback(before)
        return None
    transaction.savepoint_commit(before)
    return case


def _lease(case: Case, reader: User, now: dt.datetime) -> Assignment:
    assignment, _ = Assignment.objects.update_or_create(
        case=case,
        reader=reader,
        defaults={
            "state": AssignmentState.LEASED,
            "lease_expires_at": lease_end(now),
            "skip_reason": "",
            "origin": Origin.PROBE if case.is_probe else Origin.QUEUE,
        },
    )
    return assignment


def _reading_of(case: Case, reader: User) -> Reading:
    reading, is_new = Reading.objects.get_or_create(case=case, reader=reader, arm=Arm.UNAIDED)
    if is_new:
        record_readings(case.pk)
    return reading


def _why_nothing(reader: User, benchmark: Benchmark, now: dt.datetime) -> NothingLeft:
    """`leased` if a place that others hold may come free again, else `done`."""
    open_leases = Assignment.objects.filter(state=AssignmentState.LEASED, lease_expires_at__gt=now)
    hopeful = open_leases.filter(
        _not_ended(reader, "case"),
        ~Exists(_readings_ended(reader).filter(case=OuterRef("case"))),
        case__benchmark=benchmark,
        case__facts__readings_submitted__lt=benchmark.overlap,
    )
    until = hopeful.order_by("lease_expires_at").values_list("lease_expires_at", flat=True).first()
    return NothingLeft("leased", until) if until else NothingLeft("done")


@transaction.atomic
def _give_back(assignment_id: uuid.UUID, state: AssignmentState, *, reason: str) -> Assignment:
    assignment = Assignment.objects.select_related("case", "reader").get(pk=assignment_id)
    lock_case(assignment.case_id)
    assignment.refresh_from_db(fields=["state"])
    if assignment.state == state:
        return assignment
    if assignment.state != AssignmentState.LEASED:
        raise LeaseEnded(assignment)
    assignment.state = state
    assignment.lease_expires_at = timezone.now()
    assignment.skip_reason = reason
    assignment.save(update_fields=["state", "lease_expires_at", "skip_reason", "updated_at"])
    audit.record(
        f"assignment.{state.value}",
        actor=assignment.reader,
        benchmark_id=assignment.case.benchmark_id,
        object_type="assignment",
        object_id=str(assignment.pk),
        after={"case": str(assignment.case_id), "reason": reason},
    )
    return assignment
