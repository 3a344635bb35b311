"""Seals over the trail: a hash chain that goes on each second, so that writers never wait for one another.

The digest of a seal is sha256(digest of the seal before + RFC 8785 form of the event, the seal's number and its time).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from curation.formats.canonical import canonical_json
from curation.models import AuditEvent, AuditSeal, AuditWaiting

if TYPE_CHECKING:
    from collections.abc import Iterable

# What stands before the first seal.
GENESIS = "0" * 64
BATCH = 1000
# One call ends even where writers are faster than it; the next one goes on.
MOST_BATCHES = 20
# Any number that nothing else locks by; "seal" in ASCII.
LOCK = 0x7365616C
LARGEST_EXACT = 2**53 - 1


def seal_waiting() -> int:
    """Seal the events that committed since the last call, lower ids first; returns how many.

    A second caller at the same time does nothing. An event whose transaction commits late is sealed later than its
    id would say, and never left out; one that is rolled back was never there.
    """
    if not AuditWaiting.objects.exists():
        return 0
    sealed = 0
    for _ in range(MOST_BATCHES):
        count = _seal_batch()
        sealed += count
        if count < BATCH:
            break
    return sealed


@transaction.atomic
def _seal_batch() -> int:
    with connection.cursor() as cursor:
        # Only sealers ask for it; given back with the commit.
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        is_ours = bool(cursor.fetchone()[0])
    if not is_ours:
        return 0
    events = list(
        AuditEvent.objects.filter(
            Exists(AuditWaiting.objects.filter(event_id=OuterRef("pk"))),
            ~Exists(AuditSeal.objects.filter(event_id=OuterRef("pk"))),
        ).order_by("pk")[:BATCH]
    )
    last = AuditSeal.objects.order_by("number").last()
    AuditSeal.objects.bulk_create(chained(events, after=last, sealed_at=timezone.now()))
    AuditWaiting.objects.filter(event_id__in=[event.pk for event in events]).delete()
    return len(events)


def chained(events: Iterable[AuditEvent], *, after: AuditSeal | None, sealed_at: dt.datetime) -> list[AuditSeal]:
    """The seals of events in their order, as the chain goes on after a seal (None: from its beginning)."""
    digest, number = (after.digest, after.number) if after else (GENESIS, 0)
    seals: list[AuditSeal] = []
    for event in events:
        number += 1
        digest = seal_digest(digest, event, number=number, sealed_at=sealed_at)
        seals.append(AuditSeal(number=number, event_id=event.pk, digest=digest, sealed_at=sealed_at))
    return seals


def seal_digest(previous: str, event: AuditEvent, *, number: int, sealed_at: dt.datetime) -> str:
    """The digest that the seal of an event must have, given the digest of the seal before it."""
    row = {
        "id": _exact(event.pk),
        "uid": str(event.uid),
        "actor_id": None if event.actor_id is None else str(event.actor_id),
        "actor_name": event.actor_name,
        "action": event.action,
        "benchmark_id": None if event.benchmark_id is None else str(event.benchmark_id),
        "object_type": event.object_type,
        "object_id": event.object_id,
        "before": _exact(event.before),
        "after": _exact(event.after),
        "created_at": _instant(event.created_at),
        "once": event.once,
        "number": number,
        "sealed_at": _instant(sealed_at),
    }
    return hashlib.sha256(previous.encode() + canonical_json(row)).hexdigest()


def _instant(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")


def _exact(value: Any) -> Any:
    # A number that RFC 8785 has no form for must not stop the sealing of everything behind it.
    if isinstance(value, dict):
        return {key: _exact(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_exact(one) for one in value]
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if (is_integer and abs(value) > LARGEST_EXACT) or (isinstance(value, float) and not math.isfinite(value)):
        return {"number": str(value)}
    return value
