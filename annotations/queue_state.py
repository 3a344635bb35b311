"""What a curator sees of a benchmark's queue: its readers, who holds what, and surplus drafts; constant queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Max, Q
from django.utils import timezone

from annotations.models import Arm, Assignment, AssignmentState, Origin, Reading, ReadingState
from curation.models import CaseFacts, Membership, Role, User

if TYPE_CHECKING:
    import datetime as dt
    import uuid

    from django.db.models import QuerySet

    from curation.models import Benchmark

HELD_A_PAGE = 50
MOST_SURPLUS = 50
COUNTED = ("assigned", "leased", "skipped", "overdue")


@dataclass(frozen=True)
class ReaderLine:
    """One reader: how many cases are assigned, open, submitted and skipped, and when the last was submitted."""

    reader: User
    assigned: int
    leased: int
    submitted: int
    skipped: int
    overdue: int
    last_at: dt.datetime | None


@dataclass(frozen=True)
class QueueCounts:
    """Cases of a benchmark by what the queue can do with them."""

    cases: int
    open: int
    drawn: int


def readers_of(benchmark: Benchmark) -> list[User]:
    """Everyone who reads in the benchmark, by name; one query."""
    held = Membership.objects.filter(Q(benchmark=benchmark) | Q(benchmark=None), role=Role.READER)
    return list(User.objects.filter(pk__in=held.values("user"), is_active=True).order_by("username"))


def reader_lines(benchmark: Benchmark, readers: list[User]) -> list[ReaderLine]:
    """A line for each reader, in their order; two queries."""
    now = timezone.now()
    leased = Q(state=AssignmentState.LEASED, lease_expires_at__gt=now)
    waiting = Q(state=AssignmentState.ASSIGNED) | leased
    counts = (
        Assignment.objects.filter(case__benchmark=benchmark, reader__in=readers)
        .values("reader_id")
        .annotate(
            assigned=Count("pk", filter=Q(state=AssignmentState.ASSIGNED)),
            leased=Count("pk", filter=leased),
            skipped=Count("pk", filter=Q(state=AssignmentState.SKIPPED)),
            overdue=Count("pk", filter=waiting & Q(due_at__lt=now)),
        )
        .values_list("reader_id", *COUNTED)
    )
    by_reader = {row[0]: dict(zip(COUNTED, row[1:], strict=True)) for row in counts}
    read = _submitted(benchmark, readers)
    nothing = dict.fromkeys(COUNTED, 0)
    return [
        ReaderLine(reader=one, submitted=submitted, last_at=last_at, **by_reader.get(one.pk, nothing))
        for one in readers
        for submitted, last_at in [read.get(one.pk, (0, None))]
    ]


def _submitted(benchmark: Benchmark, readers: list[User]) -> dict[uuid.UUID, tuple[int, dt.datetime | None]]:
    rows = (
        Reading.objects.filter(case__benchmark=benchmark, reader__in=readers, arm=Arm.UNAIDED, revision__gt=0)
        .values("reader_id")
        .annotate(n=Count("pk", distinct=True), last=Max("revisions__submitted_at"))
    )
    return {row["reader_id"]: (row["n"], row["last"]) for row in rows}


def held_now(benchmark: Benchmark) -> QuerySet[Assignment]:
    """Assigned cases and open leases, the longest held first."""
    leased = Q(state=AssignmentState.LEASED)
    kept = Q(state=AssignmentState.ASSIGNED) | leased & (
        Q(lease_expires_at__gt=timezone.now()) | Q(origin=Origin.PUSHED)
    )
    rows = Assignment.objects.filter(kept, case__benchmark=benchmark).select_related("case", "reader")
    return rows.order_by("created_at", "pk")


def surplus_of(benchmark: Benchmark) -> list[Reading]:
    """Drafts that wait for a curator, the oldest first."""
    rows = Reading.objects.filter(case__benchmark=benchmark, state=ReadingState.SURPLUS)
    return list(rows.select_related("case", "reader").order_by("saved_at", "pk")[:MOST_SURPLUS])


def counts_of(benchmark: Benchmark) -> QueueCounts:
    """How many cases there are, are open to readers, and were drawn with a stored probability; one query."""
    found = CaseFacts.objects.filter(benchmark_id=benchmark.pk).aggregate(
        cases=Count("pk"), open=Count("pk", filter=Q(is_open=True)), drawn=Count("pk", filter=Q(is_drawn=True))
    )
    return QueueCounts(**found)
