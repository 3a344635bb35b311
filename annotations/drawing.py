"""Draws where disagreement leads: which case is handed out for the first time, and with which probability it was.

A fixed share of draws is uniformly random, so that every case has a chance at every draw; the others take the case with
the highest disagreement. With the probabilities stored, what was read says something of the whole benchmark and not
only of its hard cases (annotations/metrics/sampling.py).

The pool of a draw is every open case that was never handed out, N of them (`CaseFacts.is_drawn` is false of these). Of
all open cases that this reader could be given, by disagreement, the first leads:

- it is in the pool and its disagreement is known and above 0: it is taken with probability 1 - share, and each case of
  the pool, it too, with share / N;
- it is in the pool, but nothing is known of it: the draw is random, each case has 1 / N. To prefer one by its position
  would only make the estimates noisier;
- it was handed out before and needs a further reading: with probability 1 - share it is handed out, which is no draw.
  With probability share a draw is made, and given that one is made each case has 1 / N.

A random draw takes the case of the pool lowest in the seeded random order. No choice by disagreement looks at that
order, so that whatever was drawn so far, each case left is the lowest with the same chance. Draws of one benchmark take
turns under a lock, so that number, pool and probability are exact. What becomes of a hand-out (skipped, given back)
changes nothing in the draw.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection

from annotations.candidates import Candidate, candidates
from annotations.models import Draw
from annotations.ordering import void_marks
from annotations.places import take
from curation.models import CaseFacts, OrderPolicy

if TYPE_CHECKING:
    import uuid

    from annotations.candidates import Asked
    from annotations.places import Taken
    from curation.models import Benchmark

# Of PostgreSQL's advisory locks, those of draws; the second number is of the benchmark.
DRAW_LOCKS = 0x51
_coin: random.Random = random.SystemRandom()


@dataclass(frozen=True)
class Chosen:
    """What is to be handed out; a draw where `probability` is not None."""

    case_id: uuid.UUID
    value: float | None
    is_random: bool = False
    probability: float | None = None


@dataclass(frozen=True)
class Pool:
    """What the next draw takes from: how many cases, the lowest of them in the random order, and the draw's number."""

    lowest: tuple[uuid.UUID, float | None] | None
    size: int
    number: int
    epoch: int


_POOL = """
    SELECT b.queue_epoch, d.epoch, d.number, d.pool
    FROM curation_benchmark b
    LEFT JOIN LATERAL (
        SELECT epoch, number, pool FROM annotations_draw WHERE benchmark_id = b.id ORDER BY number DESC LIMIT 1
    ) d ON true
    WHERE b.id = %s"""


def take_by_disagreement(asked: Asked) -> Taken | None:
    """Choose a case, lease it and store the draw, if it is one; None if the reader can be given nothing."""
    _lock(asked.benchmark.pk)
    is_random = _coin.random() < asked.benchmark.random_share
    while True:
        lead = next((one for one in candidates(asked) if one.is_free), None)
        if lead is None:
            return None
        # A further reading of a case that leads is no draw: then nothing is asked of the pool.
        pool = None if lead.is_drawn and not is_random else _pool(asked.benchmark.pk)
        chosen = _choose(asked.benchmark, lead, pool, is_random=is_random)
        taken = take(asked, chosen.case_id, waits=True)
        if taken is not None:
            if pool is not None and chosen.probability is not None:
                _store(asked.benchmark, chosen, chosen.probability, pool)
            return taken
        # Somebody took its last place since it was looked at; the coin stays as it fell.


def leave_pool(benchmark: Benchmark) -> None:
    """Say that a case is about to be handed out otherwise, before it is locked: the pool is counted again.

    Where disagreement leads, the caller's transaction keeps draws waiting.
    """
    if benchmark.order_policy == OrderPolicy.DISAGREEMENT:
        _lock(benchmark.pk)
        void_marks(benchmark.pk)


def _choose(benchmark: Benchmark, lead: Candidate, pool: Pool | None, *, is_random: bool) -> Chosen:
    share = benchmark.random_share
    if pool is None or pool.lowest is None:
        return Chosen(lead.case_id, lead.value)
    leads = not lead.is_drawn and bool(lead.value)
    if leads and not is_random:
        return Chosen(lead.case_id, lead.value, probability=1 - share + share / pool.size)
    case_id, value = pool.lowest
    if not leads:
        return Chosen(case_id, value, is_random=True, probability=1 / pool.size)
    led = 1 - share if case_id == lead.case_id else 0.0
    return Chosen(case_id, value, is_random=True, probability=led + share / pool.size)


def _pool(benchmark_id: uuid.UUID) -> Pool:
    """What the next draw takes from.

    Its size is one less than at the last draw as long as nothing but draws happened to the pool, which raises the
    epoch; else it is counted, which takes a look at every case of it.
    """
    undrawn = CaseFacts.objects.filter(benchmark_id=benchmark_id, is_open=True, is_drawn=False)
    lowest = undrawn.order_by("draw_key").values_list("case_id", "disagreement").first()
    with connection.cursor() as cursor:
        cursor.execute(_POOL, [benchmark_id])
        epoch, last_epoch, number, size = cursor.fetchone()
    left = size - 1 if last_epoch == epoch else undrawn.count()
    return Pool(lowest=lowest, size=left, number=(number or 0) + 1, epoch=epoch)


def _store(benchmark: Benchmark, chosen: Chosen, probability: float, pool: Pool) -> None:
    Draw.objects.create(
        case_id=chosen.case_id,
        benchmark=benchmark,
        number=pool.number,
        pool=pool.size,
        epoch=pool.epoch,
        probability=probability,
        is_random=chosen.is_random,
        random_share=benchmark.random_share,
        value=chosen.value,
    )


def _lock(benchmark_id: uuid.UUID) -> None:
    """Keep other draws of the benchmark waiting until the transaction ends; 32 bits of its id name it."""
    with connection.cursor() as cursor:
        number = (benchmark_id.int & 0xFFFFFFFF) - 2**31
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [DRAW_LOCKS, number])
