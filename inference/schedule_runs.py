"""Runs of schedules: begun once a slot, moved on step by step, each step one transaction that any worker may take.

A run first scores what is stored, which costs no model, then lets models read what is new to them, within its budget.
Scoring runs and predictions are jobs of their own, with their own recovery; a step only looks whether they have ended.
What is lost between two steps is found by the sweep.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from curation import audit, queues
from inference.changes import add_changes, numbers_at
from inference.claiming import LONGEST_ERROR
from inference.models import (
    UNFINISHED,
    Enrolment,
    JobState,
    ModelVersion,
    RunCause,
    RunKind,
    RunStage,
    Schedule,
    ScheduledPrediction,
    ScheduleRun,
    ScoringRun,
)
from inference.models.jobs import MOST_ATTEMPTS
from inference.predicting import missing_cases, request_predictions
from inference.scheduling import PAUSED as NOT_BEGUN
from inference.scheduling import announce_schedule, latest_slot, take_back
from inference.scoring import request_benchmark_scoring
from inference.waking import ADVANCE_TASK

if TYPE_CHECKING:
    from curation.models import User

COUNTED_A_STEP = 200
BATCH = 1000
PAUSED = "the benchmark is paused"
BUDGET_USED_UP = "the budget of its schedule was used up before a model began"
GAVE_UP = "the schedule's run that asked for it has failed"

logger = logging.getLogger(__name__)


class RunUnderWay(Exception):
    """The schedule is running already."""

    def __init__(self, run: ScheduleRun) -> None:
        self.run = run
        super().__init__(f"its run of {run.slot:%Y-%m-%d %H:%M:%S} UTC is still under way")


def run_due(*, schedule_id: uuid.UUID, now: dt.datetime | None = None) -> ScheduleRun | None:
    """Begin the slot that was due last, unless it was begun before; None if there is nothing to begin.

    However many beats, workers and sweeps ask, one of them begins it: the slot follows from the schedule's row, and
    the row of the run can be inserted once.
    """
    schedule = Schedule.objects.select_related("benchmark").filter(pk=schedule_id, is_enabled=True).first()
    slot = latest_slot(schedule, now=now or timezone.now()) if schedule is not None else None
    if schedule is None or slot is None:
        return None
    return run_schedule(schedule=schedule, slot=slot)


@transaction.atomic
def run_schedule(
    *, schedule: Schedule, slot: dt.datetime, cause: RunCause = RunCause.DUE, actor: User | None = None
) -> ScheduleRun | None:
    """Insert the run of one slot and send it on its way.

    Returns
    -------
    The run, or None where this slot has one already, or another run of the schedule is still under way. A slot that
    comes due while its benchmark is paused is written down as cancelled.
    """
    wanted = ScheduleRun(schedule=schedule, slot=slot, cause=cause, asked_by=actor)
    if cause == RunCause.DUE and schedule.benchmark.is_paused:
        wanted.state, wanted.error, wanted.finished_at = JobState.CANCELLED, PAUSED, timezone.now()
    ScheduleRun.objects.bulk_create([wanted], ignore_conflicts=True)
    run = ScheduleRun.objects.filter(pk=wanted.pk).first()
    if run is None:
        return None
    if run.state == JobState.QUEUED:
        queues.send(ADVANCE_TASK, schedule_run_id=str(run.pk))
    announce_schedule(schedule)
    return run


@transaction.atomic
def ask_run(*, schedule: Schedule, actor: User | None) -> ScheduleRun:
    """Run a schedule now, whether it is enabled or not.

    Raises
    ------
    RunUnderWay
        With the run that has not ended yet.
    """
    run = run_schedule(schedule=schedule, slot=timezone.now(), cause=RunCause.ASKED, actor=actor)
    if run is None:
        raise RunUnderWay(ScheduleRun.objects.filter(schedule=schedule, state__in=UNFINISHED).latest("slot"))
    audit.record(
        "schedule.run",
        actor=actor,
        benchmark_id=schedule.benchmark_id,
        object_type="schedule",
        object_id=str(schedule.pk),
        after={"run": str(run.pk)},
    )
    return run


def begin_lost() -> int:
    """Begin every slot that no beat has begun; returns how many. One query where nothing is lost."""
    now, begun = timezone.now(), 0
    last = Max("runs__slot", filter=Q(runs__cause=RunCause.DUE))
    for schedule in Schedule.objects.filter(is_enabled=True).select_related("benchmark").annotate(last=last):
        slot = latest_slot(schedule, now=now)
        if slot is not None and (schedule.last is None or schedule.last < slot):
            begun += run_schedule(schedule=schedule, slot=slot) is not None
    return begun


def advance_all() -> int:
    """Move every unfinished run on; returns how many there are."""
    unfinished = list(ScheduleRun.objects.filter(state__in=UNFINISHED).values_list("pk", flat=True))
    for schedule_run_id in unfinished:
        advance(schedule_run_id=schedule_run_id)
    return len(unfinished)


def advance(*, schedule_run_id: uuid.UUID) -> JobState | None:
    """Take whatever steps a run can take now; returns its state, None where somebody else is at it or it has ended.

    A step that fails is undone and counted; after the last attempt the run is parked with the error.
    """
    try:
        return _advance(schedule_run_id)
    except Exception as error:  # whatever it was: stored with the run, and the others go on
        logger.warning("schedule run %s failed", schedule_run_id, exc_info=True)
        return _failed(schedule_run_id, f"{type(error).__name__}: {error}"[:LONGEST_ERROR])


@transaction.atomic
def _failed(schedule_run_id: uuid.UUID, error: str) -> JobState | None:
    held = ScheduleRun.objects.select_for_update(no_key=True, of=["self"]).select_related("schedule")
    run = held.filter(pk=schedule_run_id, state__in=UNFINISHED).first()
    if run is None:
        return None
    run.attempts, run.error = run.attempts + 1, error
    if run.attempts >= MOST_ATTEMPTS:
        take_back([run.pk], error=GAVE_UP)
        _end(run, JobState.PARKED)
    run.save()
    return JobState(run.state)


@transaction.atomic
def _advance(schedule_run_id: uuid.UUID) -> JobState | None:
    rows = ScheduleRun.objects.select_for_update(skip_locked=True, no_key=True, of=["self"])
    run = rows.select_related("schedule__benchmark").filter(pk=schedule_run_id, state__in=UNFINISHED).first()
    if run is None:
        return None
    before = (run.state, run.stage)
    if run.state == JobState.QUEUED and run.cause == RunCause.DUE and not run.schedule.is_enabled:
        # Inserted by a beat that had read the schedule just before it was paused.
        return _cancelled(run)
    if run.state == JobState.QUEUED:
        _begin(run)
    if run.stage == RunStage.SCORING and not run.scoring_runs.filter(state__in=UNFINISHED).exists():
        _begin_predicting(run)
    if run.stage == RunStage.PREDICTING:
        _go_on_predicting(run)
    run.save()
    if (run.state, run.stage) != before:
        announce_schedule(run.schedule)
    return JobState(run.state)


def _cancelled(run: ScheduleRun) -> JobState:
    run.error = NOT_BEGUN
    _end(run, JobState.CANCELLED)
    run.save()
    announce_schedule(run.schedule)
    return JobState.CANCELLED


def _models(run: ScheduleRun) -> list[Enrolment]:
    """Enrolments that the run covers; who was chosen but is enrolled no more is named in the run."""
    enrolled = list(run.schedule.benchmark.enrolments.select_related("model").order_by("model__name"))
    chosen = set(run.schedule.chosen_models.values_list("name", flat=True))
    run.models_skipped = sorted(chosen - {enrolment.model.name for enrolment in enrolled})
    return [enrolment for enrolment in enrolled if not chosen or enrolment.model.name in chosen]


def _begin(run: ScheduleRun) -> None:
    schedule = run.schedule
    run.state, run.started_at = JobState.RUNNING, timezone.now()
    if schedule.budget_s is not None:
        run.ends_by = run.started_at + dt.timedelta(seconds=schedule.budget_s)
    run.save()
    for enrolment in _models(run):
        request_benchmark_scoring(
            benchmark=schedule.benchmark,
            model=enrolment.model,
            is_stale_only=schedule.is_stale_only,
            asked_by=run.asked_by,
            schedule_run=run,
        )


def _begin_predicting(run: ScheduleRun) -> None:
    """Scoring has ended: ask for what models have not read, if time is left."""
    run.stage = RunStage.PREDICTING
    for scoring in run.scoring_runs.all():
        run.cases_left += scoring.cases_total - scoring.cases_done
        run.is_cut_short |= scoring.is_cut_short
    is_late = run.is_past_budget(timezone.now())
    for enrolment in _models(run):
        missing = missing_cases(enrolment)
        if is_late:
            left = missing.count()
            run.predictions_left += left
            run.is_cut_short |= left > 0
        else:
            case_ids = list(missing.values_list("pk", flat=True))
            _ask(run, enrolment.model, case_ids)


def _ask(run: ScheduleRun, model: ModelVersion, case_ids: list[uuid.UUID]) -> None:
    asked = request_predictions(model=model, case_ids=case_ids, retries_parked=run.cause == RunCause.ASKED)
    ScheduledPrediction.objects.bulk_create(
        [ScheduledPrediction(schedule_run=run, prediction_id=prediction_id) for prediction_id in asked],
        batch_size=BATCH,
    )


def _go_on_predicting(run: ScheduleRun) -> None:
    if run.is_past_budget(timezone.now()) and (stopped := take_back([run.pk], error=BUDGET_USED_UP)):
        run.predictions_left += stopped
        run.is_cut_short = True
    asked = run.predictions.filter(is_counted=False)
    if asked.filter(prediction__state__in=UNFINISHED).exists():
        return
    cases = asked.filter(prediction__state=JobState.DONE).values("prediction__case")
    # A finished prediction asks for scoring of its case by itself.
    if ScoringRun.objects.filter(kind=RunKind.CASE, state__in=UNFINISHED, case__in=cases).exists():
        return
    run.save()
    _count_predictions(run)
    run.refresh_from_db()
    if asked.exists():
        queues.send(ADVANCE_TASK, schedule_run_id=str(run.pk))
    else:
        _end(run, _ending(run))


def _count_predictions(run: ScheduleRun) -> None:
    """Compare numbers of before and after on the cases that models have read anew, some at a time."""
    rows = run.predictions.filter(is_counted=False).select_related("prediction__model").order_by("pk")
    counted = list(rows[:COUNTED_A_STEP])
    for row in counted:
        prediction = row.prediction
        if prediction.state == JobState.DONE:
            before = numbers_at(prediction.case_id, prediction.model, at=run.created_at)
            add_changes(run.pk, prediction.model, prediction.case_id, before, is_prediction=True)
    failed = sum(row.prediction.state == JobState.PARKED for row in counted)
    ScheduleRun.objects.filter(pk=run.pk).update(predictions_failed=F("predictions_failed") + failed)
    ScheduledPrediction.objects.filter(pk__in=[row.pk for row in counted]).update(is_counted=True)


def _ending(run: ScheduleRun) -> JobState:
    """How a run ends whose work has ended: as the worst of its scoring runs did."""
    states = dict(run.scoring_runs.exclude(state=JobState.DONE).values_list("state", "error"))
    if JobState.PARKED in states:
        run.error = f"scoring failed: {states[JobState.PARKED]}"[:LONGEST_ERROR]
        return JobState.PARKED
    if JobState.CANCELLED in states:
        run.error = "a scoring run of it was cancelled"
        return JobState.CANCELLED
    run.error = ""
    if not run.scoring_runs.exists():
        run.error = "no model is enrolled" if not run.models_skipped else "none of its models is enrolled any more"
    return JobState.DONE


def _end(run: ScheduleRun, state: JobState) -> None:
    run.state, run.finished_at = state, timezone.now()
