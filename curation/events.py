"""Publishing live events: one row with its audience, and one NOTIFY that is delivered at commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction

from curation.models import Event, Role

if TYPE_CHECKING:
    import uuid

CHANNEL = "sightline_events"


@transaction.atomic
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
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
    return event
