"""What a reader finds in each benchmark: progress, the case held, and what waits for them by name.

Of other readers nothing shows: the total counts every case of the benchmark, probes too, however often it was read; and
where cases come only by assignment, the reader's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, F, Min, OuterRef, Q
from django.utils import timezone

from annotations.models import Arm, Assignment, AssignmentState, Origin, Reading, ReadingState
from curation.models import Benchmark, Case, CaseImage, Role

if TYPE_CHECKING:
    import datetime as dt
    import uuid

    from curation.models import User

MOST_PICTURES = 5


@dataclass(frozen=True)
class Waiting:
    """Cases that come to a reader before all others: assigned by a curator, or begun before the lease ran out."""

    assigned: int = 0
    overdue: int = 0
    overdue_since: dt.datetime | None = None
    next_due: dt.datetime | None = None
    begun: int = 0


@dataclass(frozen=True)
class Desk:
    """One benchmark as its reader finds it: progress and, if one is open, the case held."""

    benchmark: Benchmark
    total: int
    done: int
    waiting: Waiting
    lease: Assignment | None
    draft: Reading | None
    now: dt.datetime

    @property
    def pictures(self) -> list[CaseImage]:
        """Images of the case held, else the benchmark's first ones. One query where nothing is held."""
        if self.lease:
            return list(self.lease.case.images.all())[:MOST_PICTURES]
        of_benchmark = CaseImage.objects.filter(case__benchmark=self.benchmark)
        return list(of_benchmark.order_by("case__position", "number")[:MOST_PICTURES])

    @property
    def steps(self) -> int:
        """Steps in the open draft."""
        return len(self.draft.draft.get("steps", [])) if self.draft else 0

    @property
    def rois(self) -> int:
        """ROIs in the open draft."""
        return len(self.draft.draft.get("rois", [])) if self.draft else 0

    @property
    def is_overdue(self) -> bool:
        """Whether the case held should have been read by now."""
        return bool(self.lease and self.lease.due_at and self.lease.due_at < self.now)

    @property
    def has_more(self) -> bool:
        """Whether the queue may have a case for the reader; the reading page says what it is if it has none."""
        if self.lease:
            return True
        return not self.benchmark.is_paused and self.done < self.total


def desks_of(user: User) -> list[Desk]:
    """Every benchmark in which the user reads. Six queries, however many benchmarks."""
    now = timezone.now()
    reads_in = [pk for pk, roles in user.roles_by_benchmark().items() if Role.READER.value in roles]
    named = [pk for pk in reads_in if pk is not None]
    benchmarks = list(Benchmark.objects.all() if None in reads_in else Benchmark.objects.filter(pk__in=named))
    ids = [benchmark.pk for benchmark in benchmarks]
    # Rows are counted, not keys: an index that has no keys tells how many.
    held = Case.objects.filter(benchmark__in=ids).order_by()
    totals = dict(held.values_list("benchmark").annotate(number=Count("*")))
    mine = Reading.objects.filter(reader=user, arm=Arm.UNAIDED, case__benchmark__in=ids)
    done = dict(mine.filter(revision__gt=0).values_list("case__benchmark").annotate(Count("pk")).order_by())
    waiting = _waiting(user, ids, now)
    leases = _open_leases(user, now)
    drafts = {row.case_id: row for row in mine.filter(case__in=[lease.case_id for lease in leases.values()])}
    desks = []
    for benchmark in benchmarks:
        lease = leases.get(benchmark.pk)
        read = done.get(benchmark.pk, 0)
        waits, unread = waiting.get(benchmark.pk, (Waiting(), 0))
        desks.append(
            Desk(
                benchmark=benchmark,
                total=read + unread if benchmark.is_push_only else totals.get(benchmark.pk, 0),
                done=read,
                waiting=waits,
                lease=lease,
                draft=drafts.get(lease.case_id) if lease else None,
                now=now,
            )
        )
    return sorted(desks, key=_rank)


def _rank(desk: Desk) -> tuple[bool, bool, bool]:
    """What is to be done comes first: the case held, what waits by name, where there is something left to read."""
    waits = desk.waiting.assigned or desk.waiting.begun
    return not desk.lease, not waits, not desk.has_more


def progress_of(user: User, benchmark: Benchmark) -> dict[str, int]:
    """How many cases of the benchmark the reader submitted, of how many; at most two queries."""
    mine = Reading.objects.filter(case__benchmark=benchmark, reader=user, arm=Arm.UNAIDED, revision__gt=0)
    done = mine.count()
    if not benchmark.is_push_only:
        return {"done": done, "total": benchmark.cases.count()}
    _, unread = _waiting(user, [benchmark.pk], timezone.now()).get(benchmark.pk, (Waiting(), 0))
    return {"done": done, "total": done + unread}


def next_assigned(user: User, benchmark: Benchmark) -> Case | None:
    """The case that is assigned to the reader and most likely comes next, or None; nothing is leased or promised.

    Only of assigned cases can that be told without a lease: they wait for this reader alone. What the queue gives next
    others may take before, a draw by disagreement has not been made, and which case is a probe must not show.
    """
    if benchmark.is_paused:
        return None
    mine = Assignment.objects.filter(reader=user, state=AssignmentState.ASSIGNED, case__benchmark=benchmark)
    first = mine.select_related("case").order_by(F("due_at").asc(nulls_last=True), "case__position").first()
    return first.case if first else None


def _waiting(user: User, benchmarks: list[uuid.UUID], now: dt.datetime) -> dict[uuid.UUID, tuple[Waiting, int]]:
    """By benchmark what waits for the reader, and how many cases they were given and have not submitted."""
    draft = Reading.objects.filter(
        case=OuterRef("case"), reader=user, arm=Arm.UNAIDED, state=ReadingState.DRAFT, version__gt=0
    )
    # One that was opened and left without a word is assigned as before.
    lapsed = Q(state=AssignmentState.LEASED, origin=Origin.PUSHED, lease_expires_at__lte=now) & ~Q(Exists(draft))
    assigned = Q(state=AssignmentState.ASSIGNED) | lapsed
    late = assigned & Q(due_at__lt=now)
    begun = Q(Exists(draft), state=AssignmentState.LEASED, lease_expires_at__lte=now)
    leased = Q(state=AssignmentState.LEASED, lease_expires_at__gt=now)
    counts: dict[str, Any] = {
        "assigned": Count("pk", filter=assigned),
        "overdue": Count("pk", filter=late),
        "overdue_since": Min("due_at", filter=late),
        "next_due": Min("due_at", filter=assigned & Q(due_at__gte=now)),
        "begun": Count("pk", filter=begun),
    }
    held = Assignment.objects.filter(assigned | begun | leased, reader=user, case__benchmark__in=benchmarks)
    rows: Any = held.values(of=F("case__benchmark")).annotate(unread=Count("pk"), **counts).order_by()
    return {row["of"]: (Waiting(**{name: row[name] for name in counts}), row["unread"]) for row in rows}


def _open_leases(user: User, now: dt.datetime) -> dict[uuid.UUID, Assignment]:
    held = (
        Assignment.objects.open_for(user, now)
        .select_related("case")
        .prefetch_related("case__images")
        .order_by("created_at")
    )
    return {lease.case.benchmark_id: lease for lease in held}
