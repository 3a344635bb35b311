"""Celery's entries into this app: ids in, one operation, nothing else. `config.settings` routes them to queues."""

from __future__ import annotations

import uuid

from celery import shared_task

from annotations import agreement, probe_results


@shared_task(ignore_result=True)
def agree_case(case_id: str) -> None:
    """What was said of a case is held against each other (queue scores)."""
    agreement.record_case(uuid.UUID(case_id))


@shared_task(ignore_result=True)
def score_probes(benchmark_id: str) -> None:
    """Probe readings that have no result yet are held against their gold (queue scores)."""
    probe_results.score_missing(uuid.UUID(benchmark_id))
