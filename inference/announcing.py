"""Telling browsers that a case's predictions or scores changed: staff, and every reader who has submitted the case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotations.models import Reading
from curation import events
from curation.models import Role

if TYPE_CHECKING:
    import uuid

    from curation.models import Case

PREDICTION_CHANGED = "prediction.changed"
SCORE_CHANGED = "score.changed"


def announce(kind: str, *, case: Case, **ids: uuid.UUID) -> None:
    """Publish one event for staff who do not read here, and one to each reader who is no longer blind to the case.

    Ids only; whoever hears of it fetches through an endpoint that checks again.
    """
    payload: dict[str, Any] = {"case": str(case.pk), **{name: str(value) for name, value in ids.items()}}
    events.publish(kind, benchmark_id=case.benchmark_id, least_role=Role.REVIEWER, is_blinded=True, **payload)
    submitted = Reading.objects.filter(case=case, revision__gt=0)
    for reader_id in submitted.order_by("reader_id").values_list("reader_id", flat=True).distinct():
        events.publish(kind, benchmark_id=case.benchmark_id, least_role=Role.READER, reader_id=reader_id, **payload)
