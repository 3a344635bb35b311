"""Celery's entries into this app: ids in, one operation, nothing else. `config.settings` routes them to queues."""

from __future__ import annotations

import uuid

from celery import shared_task

from curation import export_jobs, sealing


@shared_task(ignore_result=True)
def run_export(export_id: str) -> None:
    """A snapshot becomes an archive (queue default)."""
    export_jobs.run_export(uuid.UUID(export_id))


@shared_task(ignore_result=True)
def seal_audit() -> None:
    """What the trail took in since the last second becomes part of its chain (queue default)."""
    sealing.seal_waiting()
