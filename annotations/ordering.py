"""In which order the queue hands cases out, and how many readings each needs; all of it may change at any time.

The policies (`Benchmark.order_policy`); where two cases tie, the lower position comes first:

given
    By position.
random
    By a hash of the seed and the case's id: the same seed gives the same order on every machine.
balanced
    Breadth first: the case with the fewest readings begun. Of the next ones that tie, a reader gets the one whose
    earlier readers they have shared the fewest cases with, so that pairs of readers overlap evenly (`least_shared`).
priority
    By `Case.priority`, higher first.
disagreement
    By `CaseFacts.disagreement`, higher first; a begun case of which none is known yet comes before those nobody has
    begun. The first hand-out of a case is a draw (annotations/drawing.py).

What follows for a case (`is_open`, `order_key`, `draw_key`) is stored with its facts: curation/reading_order.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import F, Q

from annotations.models import QueueMark, ReaderPair
from curation import audit, events, reading_order
from curation.models import Benchmark, Case, CaseFacts, OrderPolicy, Role
from curation.protocols import MOST_OVERLAP, BadProtocol, write_protocol

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Sequence

    from curation.models import User

MOST_PRIORITY = 2**15 - 1
LARGEST_SEED = 2**31 - 1
CHANGED = "queue.changed"


class BadOrder(ValueError):
    """A policy, seed, share, overlap or priority that is none."""


@transaction.atomic
def set_reading_order(
    *, benchmark: Benchmark, policy: str, actor: User | None, seed: int | None = None, random_share: float | None = None
) -> Benchmark:
    """Change the order in which cases are handed out from now on; nothing that is handed out changes.

    Parameters
    ----------
    policy
        One of `OrderPolicy`.
    seed
        Of the random order and of random draws, 0 to LARGEST_SEED; None leaves it.
    random_share
        Share of draws that are uniformly random where disagreement leads, in (0, 1]; None leaves it.

    Raises
    ------
    BadOrder
        Naming the value that is none.
    """
    if policy not in OrderPolicy.values:
        raise BadOrder(f"{policy!r} is no order: one of {', '.join(OrderPolicy.values)}")
    if seed is not None and not 0 <= seed <= LARGEST_SEED:
        raise BadOrder(f"the seed {seed} is not between 0 and {LARGEST_SEED}")
    if random_share is not None and not 0 < random_share <= 1:
        raise BadOrder(f"the random share {random_share:g} is not above 0 and at most 1")
    locked = _lock(benchmark)
    before = _said(locked)
    locked.order_policy = policy
    locked.order_seed = locked.order_seed if seed is None else seed
    locked.random_share = locked.random_share if random_share is None else random_share
    after = _said(locked)
    if after == before:
        return locked
    locked.save(update_fields=["order_policy", "order_seed", "random_share"])
    reading_order.rewrite_benchmark(locked.pk)
    if policy == OrderPolicy.BALANCED:
        _count_pairs(locked)
    void_marks(locked.pk)
    _tell("queue.order_set", locked, actor, before=before, after=after)
    return locked


@transaction.atomic
def set_overlap(
    *, benchmark: Benchmark, overlap: int | None, actor: User | None, case_ids: Sequence[uuid.UUID] | None = None
) -> int:
    """Change how many readings are wanted, of the benchmark's cases or of these; returns of how many it changed.

    Parameters
    ----------
    overlap
        1 to MOST_OVERLAP; for cases, None takes the benchmark's again.
    case_ids
        None: of the benchmark, which holds for every case that has no overlap of its own.

    Raises
    ------
    BadOrder
        Naming the value that is none.

    Notes
    -----
    A benchmark's overlap stands in its protocol, so that another one is a new version of it. Lowered below what is
    submitted or held, nothing is taken away: readings stay, leases run on, and a draft that finds no place any more is
    kept as surplus. Raised, cases are open again.
    """
    if overlap is None and case_ids is None:
        raise BadOrder("a benchmark needs an overlap")
    if overlap is not None and not 1 <= overlap <= MOST_OVERLAP:
        raise BadOrder(f"the overlap {overlap} is not between 1 and {MOST_OVERLAP}")
    locked = _lock(benchmark)
    if case_ids is not None:
        return _set_of_cases("queue.overlap_set", locked, case_ids, actor, "overlap", overlap)
    if locked.overlap == overlap or overlap is None:
        return 0
    before, protocol = {"overlap": locked.overlap}, locked.protocol
    try:
        write_protocol(benchmark=locked, kind=protocol.kind, given={**protocol.config, "overlap": overlap}, actor=actor)
    except BadProtocol as error:
        raise BadOrder(f"the protocol in force cannot be written again: {error}") from error
    _tell("queue.overlap_set", locked, actor, before=before, after={"overlap": overlap})
    return Case.objects.filter(benchmark=locked, overlap=None).count()


@transaction.atomic
def set_priority(*, benchmark: Benchmark, case_ids: Sequence[uuid.UUID], priority: int, actor: User | None) -> int:
    """Say how soon these cases of the benchmark are read where priority leads; returns of how many it changed.

    Raises
    ------
    BadOrder
        If it is not between -MOST_PRIORITY and MOST_PRIORITY.
    """
    if not -MOST_PRIORITY <= priority <= MOST_PRIORITY:
        raise BadOrder(f"the priority {priority} is not between {-MOST_PRIORITY} and {MOST_PRIORITY}")
    return _set_of_cases("queue.priority_set", _lock(benchmark), case_ids, actor, "priority", priority)


def void_marks(benchmark_id: uuid.UUID) -> None:
    """Let every reader look at the queue from its start again, and the pool of draws be counted again.

    For changes that open cases, move them, add them, or take them out of the pool of draws without a draw; before any
    case is locked.
    """
    Benchmark.objects.filter(pk=benchmark_id).update(queue_epoch=F("queue_epoch") + 1)


def lower_marks(*, benchmark_id: uuid.UUID, order_key: float, position: int) -> None:
    """Let readers who had passed this place by look at it again."""
    passed = Q(order_key__gt=order_key) | Q(order_key=order_key, position__gte=position)
    QueueMark.objects.filter(passed, benchmark=benchmark_id).update(order_key=order_key, position=position - 1)


def _lock(benchmark: Benchmark) -> Benchmark:
    return Benchmark.objects.select_for_update(no_key=True).get(pk=benchmark.pk)


def _said(benchmark: Benchmark) -> dict[str, Any]:
    return {
        "policy": str(benchmark.order_policy),
        "seed": benchmark.order_seed,
        "random_share": benchmark.random_share,
    }


def _set_of_cases(
    action: str, benchmark: Benchmark, case_ids: Iterable[uuid.UUID], actor: User | None, name: str, value: int | None
) -> int:
    cases = Case.objects.select_for_update(no_key=True).filter(benchmark=benchmark, pk__in=list(case_ids))
    cases = cases.exclude(**({f"{name}__isnull": True} if value is None else {name: value}))
    rows = list(cases.order_by("pk").only("pk", name))
    changed = [case.pk for case in rows]
    if not changed:
        return 0
    Case.objects.filter(pk__in=changed).update(**{name: value})
    # Locked in an order that everybody keeps, and before they are computed.
    list(CaseFacts.objects.select_for_update(no_key=True).filter(pk__in=changed).order_by("pk").values_list("pk"))
    reading_order.rewrite_cases(changed)
    # An event of each: the history of a case tells when its overlap or priority was changed, and from what.
    changes = [(case, {name: getattr(case, name)}, {name: value}) for case in rows]
    audit.record_cases(action, changes, actor=actor, benchmark_id=benchmark.pk)
    void_marks(benchmark.pk)
    _wake(benchmark)
    return len(changed)


def _tell(action: str, benchmark: Benchmark, actor: User | None, *, before: Any, after: dict[str, Any]) -> None:
    audit.record(
        action,
        actor=actor,
        benchmark_id=benchmark.pk,
        object_type="benchmark",
        object_id=benchmark.slug,
        before=before,
        after=after,
    )
    _wake(benchmark)


def _wake(benchmark: Benchmark) -> None:
    """Tell pages that wait for a case; whoever changed the order has voided the marks."""
    events.publish(CHANGED, benchmark_id=benchmark.pk, least_role=Role.READER)


_COUNT_PAIRS = """
    INSERT INTO annotations_readerpair (benchmark_id, low_id, high_id, shared)
    SELECT %(benchmark)s, a.reader_id, o.reader_id, count(*)
    FROM curation_casefacts f
    JOIN annotations_assignment a ON a.case_id = f.case_id
    JOIN annotations_assignment o ON o.case_id = f.case_id AND o.reader_id > a.reader_id
    WHERE f.benchmark_id = %(benchmark)s AND f.is_drawn
    GROUP BY a.reader_id, o.reader_id"""
# Ordered, so that two readers who are handed out at once lock the rows in one order.
_MET = """
    INSERT INTO annotations_readerpair (benchmark_id, low_id, high_id, shared)
    SELECT %(benchmark)s, least(reader_id, %(reader)s), greatest(reader_id, %(reader)s), 1
    FROM annotations_assignment WHERE case_id = %(case)s AND reader_id <> %(reader)s
    ORDER BY 2, 3
    ON CONFLICT (benchmark_id, low_id, high_id) DO UPDATE SET shared = annotations_readerpair.shared + 1"""
_SHARED = """
    SELECT a.case_id, coalesce(max(p.shared), 0)
    FROM annotations_assignment a LEFT JOIN annotations_readerpair p
    ON p.benchmark_id = %(benchmark)s AND p.low_id = least(a.reader_id, %(reader)s)
        AND p.high_id = greatest(a.reader_id, %(reader)s)
    WHERE a.case_id = ANY(%(cases)s)
    GROUP BY a.case_id"""


def _count_pairs(benchmark: Benchmark) -> None:
    ReaderPair.objects.filter(benchmark=benchmark).delete()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_PAIRS, {"benchmark": benchmark.pk})


def count_meeting(*, benchmark_id: uuid.UUID, case_id: uuid.UUID, reader_id: uuid.UUID) -> None:
    """Remember that the reader was handed a case that others were handed before; under the case's lock."""
    with connection.cursor() as cursor:
        cursor.execute(_MET, {"benchmark": benchmark_id, "case": case_id, "reader": reader_id})


def least_shared(*, benchmark_id: uuid.UUID, case_ids: list[uuid.UUID], reader_id: uuid.UUID) -> list[uuid.UUID]:
    """The cases, those first whose earlier readers have shared the fewest cases with this reader; ties as they came.

    Of several earlier readers the one shared most with counts. One that gave the case back counts too: exact numbers
    would cost more than evenness is worth.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SHARED, {"benchmark": benchmark_id, "cases": case_ids, "reader": reader_id})
        shared = dict(cursor.fetchall())
    return sorted(case_ids, key=lambda case_id: shared.get(case_id, 0))
