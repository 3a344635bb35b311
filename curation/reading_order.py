"""Where a case stands in the queue: what follows for it from its benchmark's policy, its own wishes and what was read.

Said twice, in Python for rows that are being made and in SQL for a whole benchmark at once; `curation.facts.differing`
compares the two.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from curation.models import OrderPolicy
from curation.statements import Statement

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping

KEY_BITS = 52
# Where disagreement leads, a begun case of which none is known yet comes before those that nobody has begun: a further
# reading is what tells. Less than any disagreement that matters.
BEGUN_FIRST = 1e-9


@dataclass(frozen=True)
class Wishes:
    """What a benchmark and a case say of the order, beside what was read."""

    policy: str
    seed: int
    overlap: int
    is_probe: bool
    priority: int
    position: int


def draw_key(seed: int, case_id: uuid.UUID) -> float:
    """A case's place in the seeded random order, in [0, 1): the same on every machine.

    Examples
    --------
    >>> import uuid
    >>> draw_key(0, uuid.UUID(int=1))
    0.15841614602276177
    """
    digits = hashlib.sha256(f"{seed}:{case_id}".encode()).hexdigest()[: KEY_BITS // 4]
    return int(digits, 16) / float(2**KEY_BITS)


def derived(wishes: Wishes, case_id: uuid.UUID, known: Mapping[str, Any]) -> dict[str, Any]:
    """`is_open`, `draw_key` and `order_key` of a case.

    Parameters
    ----------
    known
        Its other facts, as far as they are not 0, null or false.
    """
    key = draw_key(wishes.seed, case_id)
    return {
        "is_open": not wishes.is_probe and known.get("readings_submitted", 0) < wishes.overlap,
        "draw_key": key,
        "order_key": _order_key(wishes, key, known),
    }


def _order_key(wishes: Wishes, key: float, known: Mapping[str, Any]) -> float:
    if wishes.policy == OrderPolicy.GIVEN:
        return float(wishes.position)
    if wishes.policy == OrderPolicy.RANDOM:
        return key
    if wishes.policy == OrderPolicy.BALANCED:
        return float(known.get("readings_begun", 0))
    if wishes.policy == OrderPolicy.PRIORITY:
        return float(-wishes.priority)
    value = known.get("disagreement")
    if value is None:
        return -BEGUN_FIRST if known.get("is_drawn") else 0.0
    return float(-value)


_DRAW_KEY = (
    "('x' || left(encode(sha256((b.order_seed || ':' || c.id)::bytea), 'hex'), 13))::bit(52)::bigint"
    " / 4503599627370496::float8"
)
# `{begun}` and the like are columns, or parameters that are about to become them.
_DERIVED = """
    UPDATE curation_casefacts f SET {raw}
    is_open = NOT c.is_probe AND {submitted} < coalesce(c.overlap, b.overlap),
    draw_key = {key},
    order_key = CASE b.order_policy
        WHEN 'given' THEN f.position
        WHEN 'random' THEN {key}
        WHEN 'balanced' THEN {begun}
        WHEN 'priority' THEN -c.priority
        ELSE coalesce(-f.disagreement, CASE WHEN {drawn} THEN -1e-9 ELSE 0 END)
    END
    FROM curation_case c, curation_benchmark b
    WHERE c.id = f.case_id AND b.id = c.benchmark_id"""
_OF_MANY = _DERIVED.format(
    raw="", submitted="f.readings_submitted", begun="f.readings_begun", drawn="f.is_drawn", key=_DRAW_KEY
)
_OF_BENCHMARK = _OF_MANY + " AND f.benchmark_id = %s"
_OF_CASES = _OF_MANY + " AND f.case_id = ANY(%s)"
_OF_READINGS = Statement(
    _DERIVED.format(
        raw="readings_submitted = %(submitted)s, readings_open = %(open)s, readings_begun = %(begun)s,"
        " is_drawn = %(drawn)s,",
        submitted="%(submitted)s",
        begun="%(begun)s::float8",
        drawn="%(drawn)s::boolean",
        key="f.draw_key",
    )
    + " AND f.case_id = %(case)s"
)
_LOCKED = """
    SELECT count(*) FROM (
        SELECT FROM curation_casefacts WHERE benchmark_id = %s ORDER BY case_id FOR NO KEY UPDATE
    ) locked"""


def rewrite_benchmark(benchmark_id: uuid.UUID) -> None:
    """Compute the order of all cases of a benchmark anew: one statement that locks, one that writes.

    The caller has locked the benchmark's row and no case. Whoever else writes facts locks their rows in a statement
    before the one that computes them, so that it sees the benchmark as this left it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCKED, [benchmark_id])
        cursor.execute(_OF_BENCHMARK, [benchmark_id])


def rewrite_cases(case_ids: list[uuid.UUID]) -> None:
    """Compute the order of these cases anew in one statement; the caller has locked them."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_CASES, [case_ids])


def write_readings(case_id: uuid.UUID, *, submitted: int, opened: int, begun: int, is_drawn: bool) -> None:
    """Store how a case was read, and what follows, in one statement.

    The caller has locked the case and, in a statement before, the row of its facts.
    """
    _OF_READINGS.run(case=case_id, submitted=submitted, open=opened, begun=begun, drawn=is_drawn)
