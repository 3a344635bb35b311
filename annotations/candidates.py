"""Which cases a reader could be given next, in order, found without a look at those that are full or that they ended.

The index of open cases (`facts_queue`) passes over full ones; the reader's mark (`QueueMark`) over the open ones that
have ended for this reader. One statement finds a few candidates and says of each whether others hold its places.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from annotations import ordering
from curation.models import Benchmark, OrderPolicy
from curation.statements import Statement

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterator

    from curation.models import User

# Cases looked at together.
CANDIDATES = 20
START = (-math.inf, 0)
END = (math.inf, 0)
# A case that comes open again lowers the marks that are past it, but not one that is written at that same moment. Such
# a case comes late while the reader has others, and would not come at all to whom nothing is left. To look again from
# the start costs most of all: it passes by every open case that the reader ended.
MARK_LASTS = dt.timedelta(hours=2)
END_LASTS = dt.timedelta(minutes=10)

Place = tuple[float, int]
"""Order key and position."""


@dataclass(frozen=True)
class Candidate:
    """A case that has not ended for the reader."""

    case_id: uuid.UUID
    place: Place
    is_free: bool
    is_drawn: bool
    value: float | None


@dataclass
class Asked:
    """One request for a case: the reader, whose row is locked, and the benchmark as it is now."""

    reader: User
    benchmark: Benchmark
    now: dt.datetime
    epoch: int
    mark: Place | None
    since: dt.datetime | None


_BEGIN = Statement("""
    SELECT b.overlap, b.is_paused, b.is_push_only, b.order_policy, b.random_share, b.probe_rate, b.queue_epoch,
        m.epoch, m.order_key, m.position, m.since
    FROM curation_user u JOIN curation_benchmark b ON b.id = %(benchmark)s
    LEFT JOIN annotations_queuemark m ON m.reader_id = u.id AND m.benchmark_id = b.id
    WHERE u.id = %(reader)s
    FOR NO KEY UPDATE OF u""")
_ASKED_AGAIN = ("overlap", "is_paused", "is_push_only", "order_policy", "random_share", "probe_rate", "queue_epoch")
# The last condition is no NOT EXISTS: PostgreSQL may answer that by a look at everything that the reader ever read.
_FOUND = Statement("""
    SELECT f.case_id, f.order_key, f.position, f.is_drawn, f.disagreement,
        (
            SELECT count(*) FROM annotations_assignment h
            WHERE h.case_id = f.case_id AND h.reader_id <> %(reader)s AND h.origin <> 'probe' AND (
                h.state IN ('submitted', 'assigned') OR (
                h.state = 'leased' AND (h.lease_expires_at > %(now)s OR h.origin = 'pushed')
            )
            )
        ) < coalesce(c.overlap, %(overlap)s) AND NOT EXISTS (
            SELECT FROM annotations_reading r
            WHERE r.case_id = f.case_id AND r.reader_id = %(reader)s AND r.arm = 'unaided'
                AND (r.state IN ('submitted', 'surplus', 'closed') OR r.revision > 0)
        )
    FROM curation_casefacts f JOIN curation_case c ON c.id = f.case_id
    WHERE f.benchmark_id = %(benchmark)s AND f.is_open AND (f.order_key, f.position) > (%(order_key)s, %(position)s)
        AND (
            SELECT a.id FROM annotations_assignment a
            WHERE a.case_id = f.case_id AND a.reader_id = %(reader)s AND a.state IN ('submitted', 'skipped')
        ) IS NULL
    ORDER BY f.order_key, f.position
    LIMIT %(limit)s""")
_MARK = Statement("""
    INSERT INTO annotations_queuemark (reader_id, benchmark_id, epoch, order_key, position, since)
    VALUES (%(reader)s, %(benchmark)s, %(epoch)s, %(order_key)s, %(position)s, %(since)s)
    ON CONFLICT (reader_id, benchmark_id) DO UPDATE SET epoch = EXCLUDED.epoch, order_key = EXCLUDED.order_key,
        position = EXCLUDED.position, since = EXCLUDED.since""")


def begin(reader: User, benchmark: Benchmark, now: dt.datetime) -> Asked:
    """Lock the reader, so that several tabs take turns, and read the benchmark's settings and the mark again."""
    found = _BEGIN.row(reader=reader.pk, benchmark=benchmark.pk)
    if found is None:
        raise Benchmark.DoesNotExist(f"{benchmark.slug} or its reader was removed at this moment")
    *settings, mark_epoch, order_key, position, since = found
    for name, value in zip(_ASKED_AGAIN, settings, strict=True):
        setattr(benchmark, name, value)
    lasts = END_LASTS if (order_key, position) == END else MARK_LASTS
    is_valid = mark_epoch == benchmark.queue_epoch and since > now - lasts
    return Asked(
        reader=reader,
        benchmark=benchmark,
        now=now,
        epoch=benchmark.queue_epoch,
        mark=(order_key, position) if is_valid else None,
        since=since if is_valid else None,
    )


def candidates(asked: Asked) -> Iterator[Candidate]:
    """Open cases that have not ended for the reader, in order, free or not; moves the reader's mark to the first.

    From the mark on; where nothing is left there, once more from the start.
    """
    if asked.mark == END:
        return
    batch = _batch(asked, asked.mark or START)
    if not batch and asked.mark is not None:
        asked.mark = None
        batch = _batch(asked, START)
    _move_mark(asked, _just_before(batch[0].place) if batch else END)
    while batch:
        yield from _balanced(asked, batch) if asked.benchmark.order_policy == OrderPolicy.BALANCED else batch
        batch = _batch(asked, batch[-1].place) if len(batch) == CANDIDATES else []


def _just_before(place: Place) -> Place:
    return place[0], place[1] - 1


def _batch(asked: Asked, after: Place) -> list[Candidate]:
    rows = _FOUND.rows(
        reader=asked.reader.pk,
        benchmark=asked.benchmark.pk,
        overlap=asked.benchmark.overlap,
        now=asked.now,
        order_key=after[0],
        position=after[1],
        limit=CANDIDATES,
    )
    return [
        Candidate(case_id, (order_key, position), is_free, is_drawn, value)
        for case_id, order_key, position, is_drawn, value, is_free in rows
    ]


def _balanced(asked: Asked, batch: list[Candidate]) -> list[Candidate]:
    """Of the first that tie, those first whose earlier readers this reader has met least; the others as they came."""
    tied = [one for one in batch if one.place[0] == batch[0].place[0]]
    if batch[0].place[0] == 0 or len(tied) == 1:
        return batch
    by_id = {one.case_id: one for one in tied}
    first = ordering.least_shared(benchmark_id=asked.benchmark.pk, case_ids=list(by_id), reader_id=asked.reader.pk)
    return [*(by_id[case_id] for case_id in first), *batch[len(tied) :]]


def _move_mark(asked: Asked, place: Place) -> None:
    if place == asked.mark:
        return
    since = asked.now if asked.mark is None or asked.since is None else asked.since
    _MARK.run(
        reader=asked.reader.pk,
        benchmark=asked.benchmark.pk,
        epoch=asked.epoch,
        order_key=place[0],
        position=place[1],
        since=since,
    )
    asked.mark, asked.since = place, since
