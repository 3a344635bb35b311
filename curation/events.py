"""Publishing live events: one row with its audience, and one NOTIFY that is delivered at commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from curation.models import Event, Role
from curation.statements import Statement

if TYPE_CHECKING:
    import datetime as dt
    import uuid
    from collections.abc import Iterable, Sequence

CHANNEL = "sightline_events"
BATCH = 1000


@dataclass(frozen=True)
class Audience:
    """Who may hear an event, as `Event` explains."""

    least_role: Role
    reader_id: uuid.UUID | None = None
    is_blinded: bool = False


_PUBLISH = Statement("""
    WITH told AS (
        INSERT INTO curation_event (type, benchmark_id, least_role, reader_id, is_blinded, payload, created_at)
        SELECT %(type)s, %(benchmark)s, a.least_role, a.reader_id, a.is_blinded, %(payload)s, %(now)s
        FROM unnest(%(roles)s::text[], %(readers)s::uuid[], %(blinded)s::boolean[])
            AS a(least_role, reader_id, is_blinded)
    )
    SELECT pg_notify(%(channel)s, '')""")


def publish_to(kind: str, audiences: Sequence[Audience], *, benchmark_id: uuid.UUID, **ids: str) -> None:
    """Publish one event to several audiences, as `publish` does, in one statement."""
    _PUBLISH.run(
        type=kind,
        benchmark=benchmark_id,
        payload=Jsonb(ids),
        now=timezone.now(),
        roles=[audience.least_role.value for audience in audiences],
        readers=[audience.reader_id for audience in audiences],
        blinded=[audience.is_blinded for audience in audiences],
        channel=CHANNEL,
    )


@transaction.atomic(savepoint=False)
def publish(
    kind: str,
    *,
    benchmark_id: uuid.UUID,
    least_role: Role,
    reader_id: uuid.UUID | None = None,
    is_blinded: bool = False,
    **ids: str,
) -> Event:
    """Store an event and wake every listening process when the transaction commits.

    Parameters
    ----------
    kind
        Such as ``"score.changed"``.
    benchmark_id, least_role, reader_id, is_blinded
        The audience, as `Event` explains.
    **ids
        The payload: ids only, since whoever hears it fetches through an endpoint that checks again.

    Notes
    -----
    The NOTIFY carries no payload, so that all of one transaction collapse into one; listeners read the rows.
    """
    event = Event.objects.create(
        type=kind,
        benchmark_id=benchmark_id,
        least_role=least_role,
        reader_id=reader_id,
        is_blinded=is_blinded,
        payload=ids,
    )
    _wake()
    return event


@transaction.atomic(savepoint=False)
def publish_cases(
    kind: str,
    case_ids: Iterable[uuid.UUID],
    *,
    benchmark_id: uuid.UUID,
    least_role: Role,
    is_blinded: bool = False,
) -> None:
    """Publish one event for each of many cases of a benchmark, as `publish` does, in one statement."""
    audience = {"benchmark_id": benchmark_id, "least_role": least_role, "is_blinded": is_blinded}
    Event.objects.bulk_create(
        [Event(type=kind, payload={"case": str(case_id)}, **audience) for case_id in case_ids], batch_size=BATCH
    )
    _wake()


def forget(*, before: dt.datetime) -> int:
    """Remove the events of before a time; returns how many."""
    return Event.objects.filter(created_at__lt=before).delete()[0]


def hang_up(user_id: uuid.UUID) -> None:
    """End a person's streams when the transaction commits.

    Whoever may still listen comes back at once, with the roles of then; whoever may not is answered 401.
    """
    _wake(str(user_id))


def _wake(whose_end: str = "") -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, whose_end])
