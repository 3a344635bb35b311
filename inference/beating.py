"""A schedule's row of the beat: django-celery-beat's periodic task with its interval or crontab."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from inference.timing import Cron, Every, Rule

if TYPE_CHECKING:
    from inference.models import Schedule

RUN_TASK = "inference.tasks.run_schedule"


def keep_in_step(schedule: Schedule, rule: Rule) -> None:
    """Write the schedule's row of the beat, which looks for changes every CELERY_BEAT_MAX_LOOP_INTERVAL seconds.

    The beat only says when to look (`schedule_runs.run_due` works out the slot), so that one that fires late, twice or
    in a zone whose clock has just changed does no harm.
    """
    task = schedule.periodic_task or PeriodicTask(name=f"schedule {schedule.pk}")
    task.task = RUN_TASK
    task.kwargs = json.dumps({"schedule_id": str(schedule.pk)})
    task.enabled = schedule.is_enabled
    task.interval = task.crontab = None
    if isinstance(rule, Every):
        task.interval = _interval(rule)
    else:
        task.crontab = _crontab(rule, schedule.timezone)
    task.save()
    schedule.periodic_task = task


def _interval(rule: Every) -> IntervalSchedule:
    given = {"every": rule.seconds, "period": IntervalSchedule.SECONDS}
    return IntervalSchedule.objects.filter(**given).first() or IntervalSchedule.objects.create(**given)


def _crontab(rule: Cron, zone: str) -> CrontabSchedule:
    given = {
        "minute": _listed(rule.minutes, 60),
        "hour": _listed(rule.hours, 24),
        "day_of_month": _listed(rule.days, 31),
        "month_of_year": _listed(rule.months, 12),
        "day_of_week": _listed(rule.weekdays, 7),
        "timezone": zone,
    }
    return CrontabSchedule.objects.filter(**given).first() or CrontabSchedule.objects.create(**given)


def _listed(numbers: frozenset[int], size: int) -> str:
    return "*" if len(numbers) == size else ",".join(str(number) for number in sorted(numbers))
