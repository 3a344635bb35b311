"""Scoring stored attention and answers against submitted readings and gold: numpy only, no model, no torch."""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction
from django.utils import timezone

from curation import audit, facts, queues
from curation.models import Benchmark, Case
from inference import agreeing, priorities, verdicts
from inference.announcing import SCORE_CHANGED, announce, announce_run
from inference.changes import count_changes, shown_numbers, supersede
from inference.claiming import Claim, claim, give_back
from inference.computing import frame_maps, score_rows
from inference.currency import current_predictions
from inference.facts import ANSWER, REGION
from inference.metrics.catalogue import METRICS
from inference.models import (
    Enrolment,
    JobState,
    ModelVersion,
    Prediction,
    RunKind,
    ScheduleRun,
    Score,
    ScoringRun,
)
from inference.targets import other_findings, targets_of
from inference.waking import wake_schedule

if TYPE_CHECKING:
    from curation.models import User

SCORE_TASK = "inference.tasks.score_reading"
KEY = (
    "prediction",
    "target_kind",
    "target_id",
    "target_revision",
    "image",
    "frame",
    "map",
    "roi_rule",
    "metric",
    "metric_version",
)
NUMBERS = ("values", "unavailable", "n_cells", "roi_cells", "nulls")

logger = logging.getLogger(__name__)


@transaction.atomic
def request_scoring(*, case_id: uuid.UUID, replaces: bool = False) -> ScoringRun:
    """Queue one run that scores whatever of a case is not scored yet; the run already queued, if there is one.

    Parameters
    ----------
    replaces
        Compute what is scored already once more: it was held against nulls that have changed.

    Notes
    -----
    The queued row is locked until the caller commits, so that a worker cannot claim it before the reading or
    prediction that it is asked for can be seen.
    """
    benchmark_id = Case.objects.values_list("benchmark_id", flat=True).get(pk=case_id)
    while True:
        wanted = ScoringRun(kind=RunKind.CASE, case_id=case_id, benchmark_id=benchmark_id, cases_total=1)
        wanted.is_stale_only = not replaces
        ScoringRun.objects.bulk_create([wanted], ignore_conflicts=True)
        queued = ScoringRun.objects.select_for_update().filter(
            kind=RunKind.CASE, case_id=case_id, state=JobState.QUEUED
        )
        run: ScoringRun | None = queued.first()
        if run is None:  # claimed between the two statements
            continue
        if run.pk == wanted.pk:
            queues.send(SCORE_TASK, run_id=str(run.pk))
        elif replaces and run.is_stale_only:
            run.is_stale_only = False
            run.save(update_fields=["is_stale_only"])
        return run


@transaction.atomic
def request_benchmark_scoring(
    *,
    benchmark: Benchmark,
    model: ModelVersion,
    is_stale_only: bool,
    asked_by: User | None = None,
    schedule_run: ScheduleRun | None = None,
) -> ScoringRun:
    """Queue a run over every case of a benchmark for one model.

    Parameters
    ----------
    is_stale_only
        Compute only what is missing or stale; otherwise every number is computed again and replaced.
    schedule_run
        What asks for it: its metrics and the end of its budget hold here, and what changes is counted there.
    """
    run = ScoringRun.objects.create(
        kind=RunKind.BENCHMARK,
        benchmark=benchmark,
        model=model,
        is_stale_only=is_stale_only,
        asked_by=asked_by,
        cases_total=benchmark.cases.count(),
        schedule_run=schedule_run,
        metrics=schedule_run.schedule.metrics if schedule_run else [],
        ends_by=schedule_run.ends_by if schedule_run else None,
    )
    announce_run(run)
    queues.send(SCORE_TASK, run_id=str(run.pk))
    return run


@transaction.atomic
def cancel_run(*, run: ScoringRun, actor: User | None) -> bool:
    """Stop a run that is queued or running, or say that it has ended. A running one stops before its next case."""
    live = ScoringRun.objects.filter(pk=run.pk, state__in=[JobState.QUEUED, JobState.RUNNING])
    if not live.update(state=JobState.CANCELLED, finished_at=timezone.now()):
        return False
    audit.record("run.cancelled", actor=actor, benchmark_id=run.benchmark_id, object_type="run", object_id=str(run.pk))
    announce_run(run)
    wake_schedule(run)
    return True


def run_scoring(run_id: uuid.UUID) -> JobState | None:
    """Carry out a queued run; None where it is not queued (a message that came twice).

    A failure is stored and the run is queued again, or parked after its last attempt. A run over a benchmark goes on
    after the last case it finished; one that ran out of the worker's time after some cases has not failed.
    """
    held = claim(ScoringRun, run_id)
    if held is None:
        return None
    run = ScoringRun.objects.get(pk=run_id)
    try:
        if run.kind == RunKind.CASE:
            return _score_one(run, held)
        return _score_many(run, held)
    except SoftTimeLimitExceeded:
        if not connection.in_atomic_block:  # it may have been cut off in the middle of a query
            connection.close()
        is_further = ScoringRun.objects.get(pk=run_id).cases_done > run.cases_done
        return _again(run, held, "the worker's time ran out", is_counted=not is_further)
    except Exception as error:  # whatever it was: stored with the job, and the others go on
        if not held.held().exists():  # its schedule was deleted under it, or somebody cancelled it
            logger.info("run %s was taken away while it ran: %s", run_id, type(error).__name__)
            return None
        logger.warning("run %s failed", run_id, exc_info=True)
        return _again(run, held, f"{type(error).__name__}: {error}", is_counted=True)


def _again(run: ScoringRun, held: Claim, error: str, *, is_counted: bool) -> JobState | None:
    state = give_back(held.held(), attempt=held.attempt, error=error, is_counted=is_counted)
    if state == JobState.QUEUED:
        queues.send(SCORE_TASK, run_id=str(held.pk))
    elif state is not None:
        announce_run(run)
        wake_schedule(run)
    return state


@transaction.atomic
def _score_one(run: ScoringRun, held: Claim) -> JobState | None:
    assert run.case_id is not None  # a case run
    written = score_case(run.case_id, replaces=not run.is_stale_only)
    if not _finish(held, cases_done=1, scores_written=written):
        transaction.set_rollback(True)  # somebody else holds it: nothing of this attempt stays
        return None
    wake_schedule(run)
    return JobState.DONE


def _score_many(run: ScoringRun, held: Claim) -> JobState | None:
    """Case by case from where the run stands; cancelling and the end of its time are seen between two."""
    done, written = run.cases_done, run.scores_written
    cases = Case.objects.filter(benchmark=run.benchmark_id).order_by("position")
    is_cut_short = False
    for case_id in cases.values_list("pk", flat=True)[done:]:
        if run.ends_by is not None and timezone.now() >= run.ends_by:
            is_cut_short = True
            break
        done += 1
        more = _score_next(run, held, case_id, done=done, written=written)
        if more is None:
            return None  # cancelled, or taken over
        written += more
    if not _finish(held, cases_done=done, scores_written=written, is_cut_short=is_cut_short):
        return None
    announce_run(run)
    wake_schedule(run)
    return JobState.DONE


@transaction.atomic
def _score_next(run: ScoringRun, held: Claim, case_id: uuid.UUID, *, done: int, written: int) -> int | None:
    """One case and the run's count of it together, so that a killed worker neither forgets a change nor tells twice."""
    shown = shown_numbers(run, case_id)
    more = score_case(
        case_id, model_id=run.model_id, replaces=not run.is_stale_only, metrics=frozenset(run.metrics) or None
    )
    count_changes(run, case_id, shown)
    if not held.held().update(cases_done=done, scores_written=written + more, heartbeat_at=timezone.now()):
        # Whoever took it over counts this case for the schedule; the scores alone could stay.
        transaction.set_rollback(run.schedule_run_id is not None)
        return None
    return more


def _finish(held: Claim, **counts: int) -> bool:
    now = timezone.now()
    return bool(held.held().update(state=JobState.DONE, finished_at=now, heartbeat_at=now, error="", **counts))


@transaction.atomic
def score_case(
    case_id: uuid.UUID,
    *,
    model_id: uuid.UUID | None = None,
    replaces: bool = False,
    metrics: frozenset[str] | None = None,
) -> int:
    """Score every finished current prediction of a case against every target; returns how many rows were written.

    Parameters
    ----------
    model_id
        Only this model's predictions.
    replaces
        Compute what is scored already once more and replace it.
    metrics
        Only these; None takes what each model's enrolment asks for.

    Notes
    -----
    A prediction is only held against readings of the same input: a reader who saw other images or another question
    drew something else. Two runs at the same time write the same rows in the same order; the second waits and adds
    nothing.
    """
    case = Case.objects.select_related("benchmark").get(pk=case_id)
    predictions = _finished(case, model_id)
    targets = targets_of(case)
    have = _scored(predictions) if not replaces else {}
    wanted = _metrics_by_model(case, predictions, metrics)
    others = other_findings(case) if predictions and targets else {}
    rows: list[Score] = []
    for prediction in predictions:
        maps = None
        for target in targets:
            missing = wanted[prediction.model_id] - have.get((prediction.pk, *target.key), set())
            if target.input_digest != prediction.input_digest or not missing:
                continue
            if maps is None:
                maps = {(row.image, row.frame): frame_maps(row) for row in prediction.maps.all()}
            rows += score_rows(prediction, maps, target, others=others, metrics=missing)
    if rows:
        _store(rows, replaces=replaces)
    settled = supersede(case, predictions, targets, wanted)
    if rows or settled:
        announce(SCORE_CHANGED, case=case)
    priorities.write([case.pk])
    facts.record([case.pk])
    verdicts.record([case.pk])
    agreeing.record([case.pk])
    return len(rows)


def _finished(case: Case, model_id: uuid.UUID | None) -> list[Prediction]:
    found = current_predictions().filter(case=case, state=JobState.DONE).select_related("model")
    found = found if model_id is None else found.filter(model=model_id)
    return list(found.prefetch_related("maps").order_by("pk"))


def _scored(predictions: list[Prediction]) -> dict[tuple[Any, ...], set[str]]:
    """Names of the metrics whose newest version is stored, by (prediction, target kind, target id, revision)."""
    have: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    rows = (
        Score.objects.filter(prediction__in=predictions)
        .order_by()
        .values_list("prediction_id", "target_kind", "target_id", "target_revision", "metric", "metric_version")
        .distinct()
    )
    for *key, metric, version in rows:
        if metric in METRICS and METRICS[metric].version == version:
            have[tuple(key)].add(metric)
    return have


def _metrics_by_model(
    case: Case, predictions: list[Prediction], metrics: frozenset[str] | None
) -> dict[uuid.UUID, set[str]]:
    """What each model's enrolment asks for; both disagreements always, since lists sort by them."""
    if metrics is not None:
        return {prediction.model_id: set(metrics) for prediction in predictions}
    chosen = dict(Enrolment.objects.filter(benchmark=case.benchmark_id).values_list("model_id", "metrics"))
    return {
        prediction.model_id: {*chosen[prediction.model_id], ANSWER, REGION}
        if chosen.get(prediction.model_id)
        else set(METRICS)
        for prediction in predictions
    }


def _store(rows: list[Score], *, replaces: bool) -> None:
    if replaces:
        Score.objects.bulk_create(rows, update_conflicts=True, unique_fields=list(KEY), update_fields=list(NUMBERS))
    else:
        Score.objects.bulk_create(rows, ignore_conflicts=True)
