"""Celery's entries into this app: ids in, one operation, nothing else. `config.settings` routes them to queues."""

from __future__ import annotations

import uuid

from celery import shared_task

from inference import predicting, schedule_runs, scoring, supervising


@shared_task(ignore_result=True)
def predict_case(prediction_id: str) -> None:
    """A model reads a case (queue gpu)."""
    predicting.run_prediction(uuid.UUID(prediction_id))


@shared_task(ignore_result=True)
def score_reading(run_id: str) -> None:
    """Stored attention and answers against readings and gold (queue scores)."""
    scoring.run_scoring(uuid.UUID(run_id))


@shared_task(ignore_result=True)
def run_schedule(schedule_id: str) -> None:
    """The beat says that a schedule is due (queue default)."""
    schedule_runs.run_due(schedule_id=uuid.UUID(schedule_id))


@shared_task(ignore_result=True)
def advance_schedule(schedule_run_id: str) -> None:
    """A schedule's run goes on (queue default)."""
    schedule_runs.advance(schedule_run_id=uuid.UUID(schedule_run_id))


@shared_task(ignore_result=True, name="inference.tasks.sweep")
def sweep() -> None:
    """Lost work starts again (queue default, every SIGHTLINE_SWEEP_S seconds)."""
    supervising.sweep_lost()


@shared_task(ignore_result=True, name="inference.tasks.sweep_all")
def sweep_all() -> None:
    """What was never asked for is asked for (queue default, every SIGHTLINE_SWEEP_ALL_S seconds)."""
    supervising.sweep_missing()
