"""Two real beats on one database: each slot runs once, and an edit is seen at the next look."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask, PeriodicTasks
from django_celery_beat.schedulers import DatabaseScheduler

from config.celery import app
from curation.models import Benchmark
from inference import tasks
from inference.beating import RUN_TASK
from inference.models import Schedule, ScheduleRun
from inference.scheduling import edit_schedule, set_enabled, wanted_of
from tests.inference.conftest import Sent
from tests.inference.scheduled import finish, make_schedule

pytestmark = pytest.mark.django_db(transaction=True)


class Beat(DatabaseScheduler):  # type: ignore[misc]  # without types of its own
    """A beat whose messages a worker takes at once, so that no broker is needed."""

    producer = None

    def __init__(self) -> None:
        self.fired = 0
        super().__init__(app=app)

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **_: Any) -> Any:
        entry = self.reserve(entry) if advance else entry
        if entry.task == RUN_TASK:
            self.fired += 1
            tasks.run_schedule(**entry.kwargs)
        return SimpleNamespace(id="done")

    def look(self) -> int:
        """Tick until nothing is due; how often a schedule was fired."""
        before = self.fired
        for _ in range(50):
            if self.tick() > 0:
                break
        self.sync()
        return self.fired - before


def pass_by(schedule: Schedule, **passed: float) -> None:
    """Let time go by for a schedule and its row of the beat."""
    then = timezone.now() - dt.timedelta(**passed)
    Schedule.objects.filter(pk=schedule.pk).update(armed_at=then)
    PeriodicTask.objects.filter(pk=schedule.periodic_task_id).update(last_run_at=then)
    PeriodicTasks.update_changed()


def test_two_beats_at_once_run_one_schedule_once(benchmark: Benchmark, threads: Any, sent: Sent) -> None:
    schedule = make_schedule(benchmark, every_s=60)
    beats = [Beat(), Beat()]
    pass_by(schedule, seconds=61)
    waiting = list(beats)
    fired = threads(2, lambda: waiting.pop().look())
    assert fired == [1, 1]  # both beats saw that it was due
    run = ScheduleRun.objects.get()
    assert run.slot == Schedule.objects.get().armed_at + dt.timedelta(seconds=60)
    finish(run)
    assert [beat.look() for beat in beats] == [0, 0]
    assert ScheduleRun.objects.count() == 1


def test_a_running_beat_sees_a_pause_an_edit_and_a_deletion(benchmark: Benchmark) -> None:
    schedule = make_schedule(benchmark, every_s=60)
    beat = Beat()
    assert beat.look() == 0
    set_enabled(schedule=schedule, is_enabled=False, actor=None)
    pass_by(schedule, seconds=61)
    assert beat.look() == 0
    schedule = set_enabled(schedule=schedule, is_enabled=True, actor=None)
    edit_schedule(schedule=schedule, wanted=replace(wanted_of(schedule), every_s=120), actor=None)
    pass_by(schedule, seconds=61)
    assert beat.look() == 0
    pass_by(schedule, seconds=121)
    assert beat.look() == 1
    assert ScheduleRun.objects.count() == 1
    Schedule.objects.get().delete()
    PeriodicTask.objects.filter(task=RUN_TASK).delete()
    assert beat.look() == 0


def test_a_beat_that_fires_early_or_late_begins_no_slot_twice(benchmark: Benchmark) -> None:
    schedule = make_schedule(benchmark, every_s=60)
    beat = Beat()
    pass_by(schedule, seconds=150)  # two slots have passed; they are one run
    assert beat.look() == 1
    run = ScheduleRun.objects.get()
    assert run.slot == Schedule.objects.get().armed_at + dt.timedelta(seconds=120)
    finish(run)
    PeriodicTask.objects.filter(task=RUN_TASK).update(last_run_at=timezone.now() - dt.timedelta(days=1))
    PeriodicTasks.update_changed()
    assert Beat().look() == 1  # a beat that was started anew with an old memory
    assert ScheduleRun.objects.filter(slot=run.slot).count() == 1
