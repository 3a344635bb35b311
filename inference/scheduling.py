"""Schedules: making, changing, pausing and deleting them, each with its row of the beat in the same transaction."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from curation import audit, events
from curation.fields import FieldError
from curation.models import Benchmark, Role
from inference.beating import keep_in_step
from inference.metrics.catalogue import METRICS
from inference.models import (
    UNFINISHED,
    JobState,
    ModelVersion,
    Prediction,
    RunCause,
    Schedule,
    ScheduledPrediction,
    ScoringRun,
)
from inference.timing import (
    LEAST_EVERY_S,
    MOST_EVERY_S,
    CronFaulty,
    Every,
    Rule,
    latest_due,
    next_due,
    parse_cron,
    zone_named,
)

if TYPE_CHECKING:
    from curation.models import User

SCHEDULE_CHANGED = "schedule.changed"
MOST_BUDGET_S = 31 * 86_400
LONGEST_NAME = 100
DELETED = "the schedule that asked for it was deleted"
PAUSED = "the schedule was paused before this run began"


class ScheduleRefused(ValueError):
    """A schedule that cannot be kept, with each fault and its field."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{error.path}: {error.detail}" for error in self.errors))


@dataclass(frozen=True)
class Wanted:
    """What a schedule shall be. No models: every enrolled one; no metrics: what each enrolment asks for."""

    name: str = ""
    models: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    every_s: int | None = None
    cron: str = ""
    timezone: str = "UTC"
    is_stale_only: bool = True
    budget_s: int | None = None
    is_enabled: bool = True


def wanted_of(schedule: Schedule) -> Wanted:
    """What a schedule is, as the same kind of value; reads its models."""
    return Wanted(
        name=schedule.name,
        models=tuple(sorted(model.name for model in schedule.chosen_models.all())),
        metrics=tuple(schedule.metrics),
        every_s=schedule.every_s,
        cron=schedule.cron,
        timezone=schedule.timezone,
        is_stale_only=schedule.is_stale_only,
        budget_s=schedule.budget_s,
        is_enabled=schedule.is_enabled,
    )


def rule_of(timed: Schedule | Wanted) -> Rule:
    """When it is due, as `inference.timing` takes it."""
    return parse_cron(timed.cron) if timed.every_s is None else Every(timed.every_s)


def latest_slot(schedule: Schedule, *, now: dt.datetime) -> dt.datetime | None:
    """The slot that was due last, or None if none was since the schedule was armed."""
    return latest_due(rule_of(schedule), zone_named(schedule.timezone), armed_at=schedule.armed_at, now=now)


def next_slots(schedule: Schedule, *, now: dt.datetime, count: int = 5) -> list[dt.datetime]:
    """The next times at which a schedule is due, in its own zone; none while it is paused."""
    if not schedule.is_enabled:
        return []
    zone = zone_named(schedule.timezone)
    slots = next_due(rule_of(schedule), zone, armed_at=schedule.armed_at, after=now, count=count)
    return [slot.astimezone(zone) for slot in slots]


def first_slots(wanted: Wanted, *, now: dt.datetime, count: int = 5) -> list[dt.datetime]:
    """When a schedule would be due if it were made now, in its own zone; `wanted` has been checked."""
    zone = zone_named(wanted.timezone)
    slots = next_due(rule_of(wanted), zone, armed_at=now, after=now, count=count)
    return [slot.astimezone(zone) for slot in slots]


@transaction.atomic
def create_schedule(*, benchmark: Benchmark, wanted: Wanted, actor: User | None) -> Schedule:
    """Keep a new schedule, armed from now on.

    Raises
    ------
    ScheduleRefused
        With every fault.
    """
    models = check(benchmark, wanted)
    schedule = Schedule(benchmark=benchmark, created_by=actor, armed_at=timezone.now())
    return _store(schedule, wanted, models, action="schedule.created", actor=actor, before=None)


@transaction.atomic
def edit_schedule(*, schedule: Schedule, wanted: Wanted, actor: User | None) -> Schedule:
    """Change a schedule to what is wanted; one that gets another timing, or is resumed, is armed anew.

    One that is paused stops as `set_enabled` says.

    Raises
    ------
    ScheduleRefused
        With every fault.
    """
    # Locked, so that of two edits at once the second compares with what the first wrote.
    found: Schedule = Schedule.objects.select_for_update(of=["self"]).select_related("benchmark").get(pk=schedule.pk)
    before = wanted_of(found)
    models = check(found.benchmark, wanted, kept=before.models)
    if before == wanted:
        return found
    timing = ("every_s", "cron", "timezone")
    if any(getattr(before, name) != getattr(wanted, name) for name in timing) or wanted.is_enabled > before.is_enabled:
        found.armed_at = timezone.now()
    action, stopped = "schedule.edited", 0
    if replace(before, is_enabled=wanted.is_enabled) == wanted:
        action = "schedule.resumed" if wanted.is_enabled else "schedule.paused"
    if wanted.is_enabled < before.is_enabled:
        stopped = _stop_waiting(found)
    return _store(found, wanted, models, action=action, actor=actor, before=before, stopped=stopped)


def set_enabled(*, schedule: Schedule, is_enabled: bool, actor: User | None) -> Schedule:
    """Pause a schedule, or resume it: slots that passed while it was paused stay undone.

    A run that came due and has not begun is cancelled with a pause; one that has begun goes on to its end, and so does
    one that somebody asked for.
    """
    return edit_schedule(schedule=schedule, wanted=replace(wanted_of(schedule), is_enabled=is_enabled), actor=actor)


def _stop_waiting(schedule: Schedule) -> int:
    """Cancel what came due and nobody has begun; returns how many. A worker that begins it just now was first."""
    waiting = schedule.runs.filter(state=JobState.QUEUED, cause=RunCause.DUE)
    return int(waiting.update(state=JobState.CANCELLED, error=PAUSED, finished_at=timezone.now()))


def _store(
    schedule: Schedule,
    wanted: Wanted,
    models: list[ModelVersion],
    *,
    action: str,
    actor: User | None,
    before: Wanted | None,
    stopped: int = 0,
) -> Schedule:
    for name in ("name", "every_s", "timezone", "is_stale_only", "budget_s", "is_enabled"):
        setattr(schedule, name, getattr(wanted, name))
    schedule.cron = " ".join(wanted.cron.split())
    schedule.metrics = list(wanted.metrics)
    keep_in_step(schedule, rule_of(schedule))
    schedule.save()
    schedule.chosen_models.set(models)
    after = {**told(wanted), "runs_cancelled": stopped} if stopped else told(wanted)
    _record(schedule, action, actor=actor, before=before and told(before), after=after)
    return schedule


def delete_schedule(*, schedule: Schedule, actor: User | None) -> None:
    """Forget a schedule with its history and its row of the beat; the audit trail keeps what it was.

    A run that is under way stops: its scoring before the next case, and models read nothing more for it.
    """
    with transaction.atomic():
        found: Schedule = Schedule.objects.select_for_update(of=["self"]).get(pk=schedule.pk)
        _record(found, "schedule.deleted", actor=actor, before=told(wanted_of(found)), after=None)
        # Runs before their scoring, as a worker takes them: the other way round the two could wait for each other.
        running = found.runs.select_for_update(no_key=True).filter(state__in=UNFINISHED)
        under_way = list(running.values_list("pk", flat=True))
        take_back(under_way, error=DELETED)
        scoring = ScoringRun.objects.filter(schedule_run__in=under_way, state__in=UNFINISHED)
        scoring.update(state=JobState.CANCELLED, finished_at=timezone.now(), error=DELETED)
        task = found.periodic_task
        found.delete()
        if task is not None:
            task.delete()


def take_back(schedule_runs: Collection[uuid.UUID], *, error: str) -> int:
    """Cancel what runs asked for and no model has begun; returns how many. What goes on then is not theirs any more."""
    rows = ScheduledPrediction.objects.filter(schedule_run__in=schedule_runs, is_counted=False)
    waiting = list(rows.filter(prediction__state=JobState.QUEUED).values_list("prediction_id", flat=True))
    taken = Prediction.objects.filter(pk__in=waiting, state=JobState.QUEUED).update(
        state=JobState.CANCELLED, finished_at=timezone.now(), error=error
    )
    rows.filter(prediction__in=waiting, prediction__state=JobState.CANCELLED).update(is_counted=True)
    return taken


def told(wanted: Wanted) -> dict[str, Any]:
    """A schedule's fields as the API and the audit trail name them."""
    return {
        "name": wanted.name,
        "models": list(wanted.models),
        "metrics": list(wanted.metrics),
        "every_s": wanted.every_s,
        "cron": wanted.cron or None,
        "timezone": wanted.timezone,
        "stale_only": wanted.is_stale_only,
        "budget_s": wanted.budget_s,
        "enabled": wanted.is_enabled,
    }


def _record(schedule: Schedule, action: str, *, actor: User | None, before: Any, after: Any) -> None:
    audit.record(
        action,
        actor=actor,
        benchmark_id=schedule.benchmark_id,
        object_type="schedule",
        object_id=str(schedule.pk),
        before=before,
        after=after,
    )
    announce_schedule(schedule)


def announce_schedule(schedule: Schedule) -> None:
    """Tell the pages of staff that a schedule, or a run of it, is not what it was."""
    events.publish(
        SCHEDULE_CHANGED,
        benchmark_id=schedule.benchmark_id,
        least_role=Role.REVIEWER,
        schedule=str(schedule.pk),
    )


def check(benchmark: Benchmark, wanted: Wanted, *, kept: Collection[str] = ()) -> list[ModelVersion]:
    """The models that are named; ScheduleRefused with every fault if there is one.

    Parameters
    ----------
    kept
        Names that the schedule has already: they may stay though their models are enrolled no more.
    """
    errors = [*_timing_faults(wanted), *_other_faults(wanted)]
    enrolled = set(benchmark.enrolments.filter(model__name__in=wanted.models).values_list("model__name", flat=True))
    errors += [
        FieldError(f"models[{at}]", f"{name[:100]!r} is not enrolled in {benchmark.slug}")
        for at, name in enumerate(wanted.models)
        if name not in enrolled and name not in kept
    ]
    if errors:
        raise ScheduleRefused(errors)
    return list(ModelVersion.objects.filter(name__in=wanted.models))


def _timing_faults(wanted: Wanted) -> Iterable[FieldError]:
    has_cron = bool(wanted.cron.strip())
    if wanted.every_s is None and not has_cron:
        yield FieldError("every_s", "give every_s or cron")
    if wanted.every_s is not None and has_cron:
        yield FieldError("cron", "give every_s or cron, not both")
    if wanted.every_s is not None and not LEAST_EVERY_S <= wanted.every_s <= MOST_EVERY_S:
        yield FieldError("every_s", f"{wanted.every_s} is outside of {LEAST_EVERY_S} to {MOST_EVERY_S} seconds")
    if has_cron:
        try:
            parse_cron(wanted.cron)
        except CronFaulty as error:
            yield FieldError("cron", str(error))
    try:
        zone_named(wanted.timezone)
    except ValueError as error:
        yield FieldError("timezone", str(error))


def _other_faults(wanted: Wanted) -> Iterable[FieldError]:
    if len(wanted.name) > LONGEST_NAME:
        yield FieldError("name", f"{len(wanted.name)} characters, at most {LONGEST_NAME} are taken")
    for at, name in enumerate(wanted.metrics):
        if name not in METRICS:
            yield FieldError(f"metrics[{at}]", f"{name[:80]!r} is not one of {', '.join(METRICS)}")
    if wanted.budget_s is not None and not 1 <= wanted.budget_s <= MOST_BUDGET_S:
        yield FieldError("budget_s", f"{wanted.budget_s} is outside of 1 to {MOST_BUDGET_S} seconds")
