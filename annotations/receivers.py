"""What this app does when something happens below, and when a reading is submitted."""

from __future__ import annotations

import uuid
from typing import Any

from django.dispatch import receiver

from annotations import agreement, ordering, pushing
from annotations.models import Reading
from annotations.signals import reading_submitted
from curation import queues
from curation.signals import cases_changed, queue_moved, reader_left


@receiver(reader_left, dispatch_uid="annotations.reader_left")
def on_reader_left(*, user_id: uuid.UUID, benchmark_id: uuid.UUID | None, **_: Any) -> None:
    """Free what somebody held who reads no more; the sweep finds what this misses."""
    pushing.let_go(reader_id=user_id, benchmark_id=benchmark_id, reason="no longer a reader")


@receiver(reading_submitted, dispatch_uid="annotations.reading_submitted")
def on_reading_submitted(*, case_id: uuid.UUID, **_: Any) -> None:
    """Hold a reading just submitted against the others of its case."""
    agreement.request([case_id])


@receiver(reading_submitted, dispatch_uid="annotations.probe_submitted")
def on_probe_submitted(*, benchmark_id: uuid.UUID, is_probing: bool, **_: Any) -> None:
    """Where probes are handed out, have them scored: after every submit, so that none stands out."""
    if is_probing:
        queues.send("annotations.tasks.score_probes", benchmark_id=str(benchmark_id))


@receiver(cases_changed, dispatch_uid="annotations.cases_changed")
def on_cases_changed(*, case_ids: list[uuid.UUID], **_: Any) -> None:
    """Compare again what was read: the input that the readings are of may be another now, or the gold."""
    read = Reading.objects.filter(case__in=case_ids, revision__gt=0).order_by("case_id")
    agreement.request(read.values_list("case_id", flat=True).distinct())


@receiver(queue_moved, dispatch_uid="annotations.queue_moved")
def on_queue_moved(*, benchmark_id: uuid.UUID, order_key: float, position: int, **_: Any) -> None:
    """Let readers look again at a case that moved up past where they are; else it came when nothing was left."""
    ordering.lower_marks(benchmark_id=benchmark_id, order_key=order_key, position=position)
