"""What tests of schedules share: making one, and carrying its runs out as the workers would."""

from __future__ import annotations

import uuid
from typing import Any

from curation.models import Benchmark, Case, Gold, GoldRoi
from inference import tasks
from inference.models import JobState, Prediction, Schedule, ScheduleRun, ScoringRun
from inference.predicting import run_prediction
from inference.scheduling import Wanted, create_schedule
from inference.scoring import run_scoring


def make_schedule(benchmark: Benchmark, **wanted: Any) -> Schedule:
    """A schedule of every hour, unless told otherwise."""
    given = {"every_s": 3600, **wanted}
    return create_schedule(benchmark=benchmark, wanted=Wanted(**given), actor=None)


def make_gold(case: Case, *rois: dict[str, Any], choice: str = "A") -> Gold:
    """The next revision of a case's gold."""
    revision = Gold.objects.filter(case=case).count() + 1
    gold = Gold.objects.create(case=case, revision=revision, answer={"choice": choice})
    for roi in rois:
        GoldRoi.objects.create(gold=gold, **roi)
    return gold


def work_off() -> None:
    """Do every queued scoring run and prediction, as workers with nothing else to do."""
    while True:
        runs = list(ScoringRun.objects.filter(state=JobState.QUEUED).values_list("pk", flat=True))
        predictions = list(Prediction.objects.filter(state=JobState.QUEUED).values_list("pk", flat=True))
        if not runs and not predictions:
            return
        for run_id in runs:
            run_scoring(run_id)
        for prediction_id in predictions:
            run_prediction(prediction_id)


def advance(run_id: uuid.UUID) -> ScheduleRun:
    """One look of the worker at a run; the run after it."""
    tasks.advance_schedule(str(run_id))
    return ScheduleRun.objects.get(pk=run_id)


def finish(run: ScheduleRun) -> ScheduleRun:
    """Carry a run out to its end."""
    for _ in range(20):
        if advance(run.pk).finished_at is not None:
            break
        work_off()
    return ScheduleRun.objects.get(pk=run.pk)
