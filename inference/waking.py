"""Telling a schedule's run that something it waits for has ended. Whoever is not told is found by the sweep."""

from __future__ import annotations

import uuid

from django.db.models import Exists, OuterRef

from curation import queues
from inference.models import UNFINISHED, JobState, RunKind, ScheduledPrediction, ScoringRun

ADVANCE_TASK = "inference.tasks.advance_schedule"


def wake_schedule(run: ScoringRun) -> None:
    """A scoring run has ended: its schedule's run goes on, or those that wait for this case to be scored."""
    if run.schedule_run_id is not None:
        _wake({run.schedule_run_id})
    elif run.kind == RunKind.CASE:
        _wake(_waiting(prediction__case=run.case_id))


def wake_schedules_of(prediction_id: uuid.UUID) -> None:
    """A prediction has ended without anything to score."""
    _wake(_waiting(prediction=prediction_id))


def _waiting(**which: object) -> set[uuid.UUID]:
    """Runs that wait for this and for no other prediction: of a thousand cases only the last few wake their run."""
    rows = ScheduledPrediction.objects.filter(schedule_run__state=JobState.RUNNING, is_counted=False)
    others = rows.filter(schedule_run=OuterRef("schedule_run"), prediction__state__in=UNFINISHED)
    return set(rows.filter(~Exists(others), **which).values_list("schedule_run_id", flat=True))


def _wake(schedule_runs: set[uuid.UUID]) -> None:
    for schedule_run_id in sorted(schedule_runs):
        queues.send(ADVANCE_TASK, schedule_run_id=str(schedule_run_id))
