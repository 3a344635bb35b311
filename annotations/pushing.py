"""Assigning cases to readers by hand, taking them back, and letting go of what a removed reader held.

An assigned case holds a place until it is read, released or taken back, whatever its due time; the queue hands assigned
cases out before all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotations import assigning, drawing
from annotations.facts import record_readings
from annotations.models import Arm, Assignment, AssignmentState, Origin, Reading, ReadingState
from curation import audit, events
from curation.models import Benchmark, Case, CaseFacts, Role, User
from curation.permissions import READ

if TYPE_CHECKING:
    import datetime as dt
    import uuid
    from collections.abc import Sequence

MOST_AT_ONCE = 1000
PROBE_REASON = "is a probe: those come by themselves"
HELD = (AssignmentState.ASSIGNED, AssignmentState.LEASED)


class NotReader(ValueError):
    """Only somebody who reads in the benchmark can be given a case of it."""

    def __init__(self, reader: User, benchmark: Benchmark) -> None:
        super().__init__(f"{reader.username} does not read in {benchmark.slug}")


class NotAssigned(Exception):
    """The assignment holds no place any more, so there is nothing to take back."""

    def __init__(self, assignment: Assignment) -> None:
        super().__init__(f"the assignment is {assignment.state}; only an assigned or leased one can be taken back")


@dataclass(frozen=True)
class Refused:
    """A case that was not assigned, and why, in words."""

    case: Case
    reason: str


@dataclass(frozen=True)
class Pushed:
    """What became of the cases that a curator assigned, in the order given."""

    assigned: list[Assignment]
    refused: list[Refused]


def assign(
    *,
    benchmark: Benchmark,
    case_ids: Sequence[uuid.UUID],
    reader: User,
    curator: User,
    due_at: dt.datetime | None = None,
) -> Pushed:
    """Give cases to a reader by name, each if a place at it is free.

    Parameters
    ----------
    case_ids
        Of cases of the benchmark, at most MOST_AT_ONCE; others are left out.
    due_at
        Until when they should be read; shown to reader and curator, nothing is taken away when it passes.

    Returns
    -------
    Pushed
        One case never stops another: each is locked, looked at and assigned in a transaction of its own.

    Raises
    ------
    NotReader
        If the reader does not read in the benchmark.
    ValueError
        For too many cases at once.
    """
    if len(case_ids) > MOST_AT_ONCE:
        raise ValueError(f"{len(case_ids)} cases at once; at most {MOST_AT_ONCE} are taken")
    if not reader.has_perm(READ, benchmark):
        raise NotReader(reader, benchmark)
    done = Pushed([], [])
    for case_id in case_ids:
        found = _assign_one(benchmark, case_id, reader, curator, due_at)
        if isinstance(found, Assignment):
            done.assigned.append(found)
        elif found is not None:
            done.refused.append(found)
    if done.assigned:
        # One for all: a page of the reader that waits for a case asks again.
        events.publish("assignment.assigned", benchmark_id=benchmark.pk, least_role=Role.READER, reader_id=reader.pk)
    return done


@transaction.atomic
def _assign_one(
    benchmark: Benchmark, case_id: uuid.UUID, reader: User, curator: User, due_at: dt.datetime | None
) -> Assignment | Refused | None:
    # As everywhere: first the reader, then the case, so that a pull at the same moment waits or is waited for.
    User.objects.select_for_update(no_key=True).get(pk=reader.pk)
    drawing.leave_pool(benchmark)
    if not Case.objects.filter(pk=case_id, benchmark=benchmark).exists():
        return None
    case = assigning.lock_case(case_id)
    now = timezone.now()
    before = Assignment.objects.filter(case=case, reader=reader).first()
    # Who reads here too is not told which cases are probes: theirs is given, beside all places.
    tells_probe = Role.READER.value not in curator.roles_in(benchmark.pk)
    why = PROBE_REASON if case.is_probe and tells_probe else _why_not(case, reader, before, now)
    if why:
        return Refused(case, why)
    assignment, _ = Assignment.objects.update_or_create(
        case=case,
        reader=reader,
        defaults={
            "state": AssignmentState.ASSIGNED,
            "origin": Origin.PROBE if case.is_probe else Origin.PUSHED,
            "lease_expires_at": now,
            "due_at": due_at,
            "skip_reason": "",
        },
    )
    record_readings(case.pk)
    _record("assignment.assigned", assignment, curator, before=before, due_at=due_at)
    return assignment


def _why_not(case: Case, reader: User, before: Assignment | None, now: dt.datetime) -> str:
    """Why the case cannot be given to the reader, or nothing. A case that was skipped or released can."""
    if Reading.objects.filter(case=case, reader=reader, arm=Arm.UNAIDED, revision__gt=0).exists():
        return f"{reader.username} has read it"
    ended = [ReadingState.SURPLUS, ReadingState.CLOSED]
    if Reading.objects.filter(case=case, reader=reader, arm=Arm.UNAIDED, state__in=ended).exists():
        return f"a draft of {reader.username} waits for a curator or was closed"
    if before is not None and before.state == AssignmentState.ASSIGNED:
        return f"is assigned to {reader.username} already"
    if before is not None and before.state == AssignmentState.LEASED and before.lease_expires_at > now:
        return f"{reader.username} is reading it now"
    if case.is_probe:
        return ""
    places = case.places
    taken = Assignment.objects.holding_a_place(now).filter(case=case).exclude(reader=reader).count()
    return f"all {places} places are taken" if taken >= places else ""


@transaction.atomic
def take_back(*, assignment_id: uuid.UUID, curator: User, reason: str) -> Assignment:
    """End an assignment or an open lease of somebody; the draft is kept and the reader may be given the case again.

    A save from a tab that is still open takes a free place up again, or is kept as surplus. Twice is the same as once.

    Raises
    ------
    NotAssigned
        If it was submitted or skipped.
    """
    assignment = Assignment.objects.select_related("case", "reader").get(pk=assignment_id)
    assigning.lock_case(assignment.case_id)
    assignment.refresh_from_db(fields=["state", "lease_expires_at"])
    if assignment.state == AssignmentState.RELEASED:
        return assignment
    if assignment.state not in HELD:
        raise NotAssigned(assignment)
    _end(assignment, curator, reason)
    return assignment


def let_go(*, reader_id: uuid.UUID, benchmark_id: uuid.UUID | None, reason: str) -> int:
    """Give back every place that somebody holds where they read no more; returns how many. Drafts are kept.

    Parameters
    ----------
    benchmark_id
        None looks in every benchmark. Where the person still reads nothing changes, so that the call can be repeated.
    """
    held = Assignment.objects.filter(reader=reader_id, state__in=HELD).select_related("case__benchmark", "reader")
    if benchmark_id is not None:
        held = held.filter(case__benchmark=benchmark_id)
    ended = 0
    for row in held.order_by("case_id"):
        if not row.reader.has_perm(READ, row.case.benchmark):
            ended += _let_go_one(row.pk, reason)
    return ended


@transaction.atomic
def _let_go_one(assignment_id: uuid.UUID, reason: str) -> bool:
    assignment = Assignment.objects.select_related("case", "reader").get(pk=assignment_id)
    assigning.lock_case(assignment.case_id)
    assignment.refresh_from_db(fields=["state", "lease_expires_at"])
    if assignment.state not in HELD:
        return False
    _end(assignment, None, reason)
    return True


def let_go_of_removed() -> int:
    """Give back what people hold where they read no more: what a lost signal left, looked for by the sweep."""
    ended = 0
    for reader_id in Assignment.objects.filter(state__in=HELD).order_by().values_list("reader", flat=True).distinct():
        ended += let_go(reader_id=reader_id, benchmark_id=None, reason="no longer a reader")
    return ended


def next_unassigned(*, benchmark: Benchmark, reader: User, count: int) -> list[uuid.UUID]:
    """The next cases of a benchmark, in reading order, that could be assigned to the reader as far as is seen now.

    One query, at most MOST_AT_ONCE cases.
    """
    known = Assignment.objects.filter(case=OuterRef("pk"), reader=reader)
    places = Assignment.objects.holding_a_place(timezone.now()).filter(case=OuterRef("pk"))
    taken = places.order_by().values("case").annotate(number=Count("pk")).values("number")
    rows = (
        CaseFacts.objects.filter(~Exists(known), benchmark_id=benchmark.pk, is_open=True)
        .annotate(taken=Coalesce(Subquery(taken), 0))
        .filter(taken__lt=Coalesce("case__overlap", benchmark.overlap))
    )
    return list(rows.order_by("order_key", "position").values_list("pk", flat=True)[: min(count, MOST_AT_ONCE)])


def reader_called(name: str, benchmark: Benchmark) -> User | None:
    """Whoever of that name reads in the benchmark; somebody who does not is not told apart from nobody."""
    found = User.objects.filter(username=name, is_active=True).first() if name else None
    return found if found is not None and found.has_perm(READ, benchmark) else None


def _end(assignment: Assignment, actor: User | None, reason: str) -> None:
    was = assignment.state
    assignment.state = AssignmentState.RELEASED
    assignment.lease_expires_at = timezone.now()
    assignment.save(update_fields=["state", "lease_expires_at", "updated_at"])
    audit.record(
        "assignment.taken_back",
        actor=actor,
        benchmark_id=assignment.case.benchmark_id,
        object_type="assignment",
        object_id=str(assignment.pk),
        before={"state": was},
        after={"case": str(assignment.case_id), "reader": assignment.reader.username, "reason": reason},
    )
    # To the reader's own pages only: a reading page that holds the case, My cases.
    events.publish(
        "assignment.taken_back",
        benchmark_id=assignment.case.benchmark_id,
        least_role=Role.READER,
        reader_id=assignment.reader_id,
        assignment=str(assignment.pk),
    )


def _record(
    action: str, assignment: Assignment, curator: User, *, before: Assignment | None, due_at: dt.datetime | None
) -> None:
    audit.record(
        action,
        actor=curator,
        benchmark_id=assignment.case.benchmark_id,
        object_type="assignment",
        object_id=str(assignment.pk),
        before=None if before is None else {"state": before.state},
        after={
            "case": str(assignment.case_id),
            "reader": str(assignment.reader_id),
            "due_at": due_at.isoformat() if due_at else None,
        },
    )
