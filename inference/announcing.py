"""Telling browsers what changed: a case's predictions and scores to staff and to every reader who has submitted the
case, a run over a benchmark to staff.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotations.models import Reading
from curation import events
from curation.models import Role

if TYPE_CHECKING:
    import uuid

    from curation.models import Case
    from inference.models import ScoringRun

PREDICTION_CHANGED = "prediction.changed"
SCORE_CHANGED = "score.changed"
RUN_CHANGED = "run.changed"


def announce(kind: str, *, case: Case, **ids: uuid.UUID) -> None:
    """Publish one event for staff who do not read here, and one to each reader who is no longer blind to the case.

    Ids only; whoever hears of it fetches through an endpoint that checks again.
    """
    payload: dict[str, Any] = {"case": str(case.pk), **{name: str(value) for name, value in ids.items()}}
    events.publish(kind, benchmark_id=case.benchmark_id, least_role=Role.REVIEWER, is_blinded=True, **payload)
    submitted = Reading.objects.filter(case=case, revision__gt=0)
    for reader_id in submitted.order_by("reader_id").values_list("reader_id", flat=True).distinct():
        events.publish(kind, benchmark_id=case.benchmark_id, least_role=Role.READER, reader_id=reader_id, **payload)


def announce_run(run: ScoringRun) -> None:
    """Publish that a run was asked for, or has ended, for staff: it says nothing of any case."""
    events.publish(RUN_CHANGED, benchmark_id=run.benchmark_id, least_role=Role.REVIEWER, run=str(run.pk))
