"""Schedules: made, edited, paused and deleted, in step with the beat; refused with every fault; audited."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from curation.models import AuditEvent, Benchmark, Case, Event, User
from inference import scoring
from inference.enrolling import enrol
from inference.models import JobState, ModelVersion, Prediction, Schedule, ScheduleRun, ScoringRun
from inference.schedule_runs import ask_run
from inference.scheduling import (
    ScheduleRefused,
    Wanted,
    create_schedule,
    delete_schedule,
    edit_schedule,
    first_slots,
    next_slots,
    set_enabled,
    wanted_of,
)
from tests.factories import make_case
from tests.inference.conftest import plant
from tests.inference.scheduled import advance, make_schedule

pytestmark = pytest.mark.django_db


def test_an_interval_has_its_row_of_the_beat(benchmark: Benchmark, engineer: User) -> None:
    schedule = create_schedule(benchmark=benchmark, wanted=Wanted(every_s=900), actor=engineer)
    task = PeriodicTask.objects.get()
    assert (task.task, json.loads(task.kwargs)) == ("inference.tasks.run_schedule", {"schedule_id": str(schedule.pk)})
    assert task.schedule.run_every == dt.timedelta(minutes=15)
    assert (task.enabled, schedule.periodic_task, schedule.created_by) == (True, task, engineer)


def test_a_cron_is_the_beats_in_its_zone(benchmark: Benchmark) -> None:
    make_schedule(benchmark, every_s=None, cron="*/30  3 * * mon-fri", timezone="Europe/Berlin")
    crontab = PeriodicTask.objects.get().crontab
    given = (crontab.minute, crontab.hour, crontab.day_of_month, crontab.month_of_year, crontab.day_of_week)
    assert given == ("0,30", "3", "*", "*", "1,2,3,4,5")
    assert crontab.timezone == ZoneInfo("Europe/Berlin")
    assert Schedule.objects.get().cron == "*/30 3 * * mon-fri"
    crontab.schedule.remaining_estimate(timezone.now())  # the beat can read it


def test_an_edit_moves_the_beat_and_arms_anew(benchmark: Benchmark, engineer: User) -> None:
    schedule = make_schedule(benchmark)
    long_ago = timezone.now() - dt.timedelta(days=1)
    Schedule.objects.update(armed_at=long_ago)
    seen = PeriodicTasks.last_change()
    edited = edit_schedule(
        schedule=schedule, wanted=Wanted(cron="0 3 * * *", timezone="Asia/Tokyo", budget_s=60), actor=engineer
    )
    task = PeriodicTask.objects.get()
    assert (task.interval, task.crontab.hour) == (None, "3")
    assert edited.armed_at > long_ago
    assert PeriodicTasks.last_change() > seen  # what a running beat looks at
    assert settings.CELERY_BEAT_MAX_LOOP_INTERVAL <= 5


def test_what_is_no_timing_does_not_arm_anew(benchmark: Benchmark) -> None:
    schedule = make_schedule(benchmark)
    renamed = edit_schedule(schedule=schedule, wanted=replace(wanted_of(schedule), name="nightly"), actor=None)
    assert (renamed.armed_at, renamed.name) == (schedule.armed_at, "nightly")


def test_a_pause_stops_the_beat_and_resuming_makes_up_for_nothing(benchmark: Benchmark) -> None:
    schedule = make_schedule(benchmark)
    paused = set_enabled(schedule=schedule, is_enabled=False, actor=None)
    assert not PeriodicTask.objects.get().enabled
    assert next_slots(paused, now=timezone.now()) == []
    resumed = set_enabled(schedule=paused, is_enabled=True, actor=None)
    assert PeriodicTask.objects.get().enabled
    assert resumed.armed_at > schedule.armed_at


def test_every_change_is_told_and_audited(benchmark: Benchmark, engineer: User, curator: User) -> None:
    schedule = create_schedule(benchmark=benchmark, wanted=Wanted(every_s=900), actor=engineer)
    edit_schedule(schedule=schedule, wanted=Wanted(every_s=1800), actor=curator)
    edit_schedule(schedule=schedule, wanted=Wanted(every_s=1800), actor=curator)  # nothing new
    set_enabled(schedule=Schedule.objects.get(), is_enabled=False, actor=curator)
    set_enabled(schedule=Schedule.objects.get(), is_enabled=True, actor=curator)
    ask_run(schedule=schedule, actor=engineer)
    delete_schedule(schedule=schedule, actor=curator)
    told = AuditEvent.objects.filter(action__startswith="schedule").order_by("pk")
    assert list(told.values_list("action", "actor__username")) == [
        ("schedule.created", "emil"),
        ("schedule.edited", "carl"),
        ("schedule.paused", "carl"),
        ("schedule.resumed", "carl"),
        ("schedule.run", "emil"),
        ("schedule.deleted", "carl"),
    ]
    edited = told[1]
    assert (edited.before["every_s"], edited.after["every_s"]) == (900, 1800)
    heard = Event.objects.filter(type="schedule.changed")
    assert heard.count() == 6
    assert set(heard.values_list("payload__schedule", "least_role")) == {(str(schedule.pk), "reviewer")}


def test_deleting_stops_what_is_under_way(benchmark: Benchmark, planted: ModelVersion) -> None:
    make_case(benchmark)
    benchmark.enrolments.create(model=planted)
    schedule = make_schedule(benchmark)
    run = ask_run(schedule=schedule, actor=None)
    advance(run.pk)
    scoring = ScoringRun.objects.get()
    with CaptureQueriesContext(connection) as queries:
        delete_schedule(schedule=schedule, actor=None)
    # A worker locks the schedule's run and then the scoring run; the other way round both could wait for ever.
    said = [query["sql"] for query in queries]
    locked = next(at for at, sql in enumerate(said) if "FOR NO KEY UPDATE" in sql and "inference_schedulerun" in sql)
    assert locked < next(at for at, sql in enumerate(said) if sql.startswith('UPDATE "inference_scoringrun"'))
    assert not PeriodicTask.objects.exists()
    assert not ScheduleRun.objects.exists()
    scoring.refresh_from_db()
    assert (scoring.state, scoring.schedule_run) == (JobState.CANCELLED, None)


def test_deleting_under_a_working_run_is_no_failure(
    benchmark: Benchmark, planted: ModelVersion, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_case(benchmark)
    benchmark.enrolments.create(model=planted)
    schedule = make_schedule(benchmark)
    advance(ask_run(schedule=schedule, actor=None).pk)
    score_many = scoring._score_many

    def delete_first(*given: Any) -> JobState | None:
        delete_schedule(schedule=schedule, actor=None)
        return score_many(*given)

    monkeypatch.setattr(scoring, "_score_many", delete_first)
    assert scoring.run_scoring(ScoringRun.objects.get().pk) is None
    assert ScoringRun.objects.get().state == JobState.CANCELLED
    assert not [one for one in caplog.records if one.levelname == "WARNING"]


def test_deleting_takes_back_what_no_model_has_begun(benchmark: Benchmark, planted: ModelVersion) -> None:
    make_case(benchmark)
    benchmark.enrolments.create(model=planted)
    schedule = make_schedule(benchmark)
    run = ask_run(schedule=schedule, actor=None)
    advance(run.pk)
    ScoringRun.objects.update(state=JobState.DONE)
    advance(run.pk)
    assert Prediction.objects.get().state == JobState.QUEUED
    delete_schedule(schedule=schedule, actor=None)
    assert Prediction.objects.get().state == JobState.CANCELLED


@pytest.mark.parametrize(
    ("wanted", "path", "words"),
    [
        ({}, "every_s", "give every_s or cron"),
        ({"every_s": 60, "cron": "0 3 * * *"}, "cron", "not both"),
        ({"every_s": 59}, "every_s", "59 is outside of 60"),
        ({"every_s": 10**9}, "every_s", "is outside of"),
        ({"cron": "0 3 * *"}, "cron", "'0 3 * *' has 4 fields"),
        ({"cron": "0 3 31 2 *"}, "cron", "never comes"),
        ({"every_s": 60, "timezone": "Mars/Olympus"}, "timezone", "'Mars/Olympus' is no IANA time zone"),
        ({"every_s": 60, "budget_s": 0}, "budget_s", "0 is outside of 1"),
        ({"every_s": 60, "metrics": ("ebpg", "acc")}, "metrics[1]", "'acc' is not one of"),
        ({"every_s": 60, "models": ("planted",)}, "models[0]", "'planted' is not enrolled in thorax"),
        ({"every_s": 60, "name": "n" * 101}, "name", "101 characters"),
    ],
)
def test_a_fault_is_named_with_its_value(benchmark: Benchmark, wanted: dict[str, Any], path: str, words: str) -> None:
    plant("planted")
    with pytest.raises(ScheduleRefused) as refused:
        create_schedule(benchmark=benchmark, wanted=Wanted(**wanted), actor=None)
    assert [(error.path, words in error.detail) for error in refused.value.errors] == [(path, True)]
    assert not Schedule.objects.exists()
    assert not PeriodicTask.objects.exists()


def test_every_fault_is_named_at_once(benchmark: Benchmark) -> None:
    with pytest.raises(ScheduleRefused) as refused:
        create_schedule(
            benchmark=benchmark, wanted=Wanted(every_s=1, timezone="x", budget_s=-1, models=("a", "b")), actor=None
        )
    paths = [error.path for error in refused.value.errors]
    assert paths == ["every_s", "timezone", "budget_s", "models[0]", "models[1]"]


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"every_s": 60, "cron": "* * * * *"}, "schedule_every_or_cron"),
        ({}, "schedule_every_or_cron"),
        ({"every_s": 59}, "schedule_every_60_s"),
        ({"cron": "* * * *"}, "schedule_cron_of_five_fields"),
        ({"every_s": 60, "budget_s": 0}, "schedule_budget_positive"),
        ({"every_s": 60, "timezone": ""}, "schedule_has_time_zone"),
    ],
)
def test_the_database_keeps_the_rules_too(benchmark: Benchmark, fields: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Schedule.objects.create(benchmark=benchmark, armed_at=timezone.now(), **fields)


def test_due_times_are_told_in_the_zone(benchmark: Benchmark) -> None:
    now = dt.datetime(2026, 3, 28, 12, tzinfo=dt.UTC)
    wanted = Wanted(cron="30 6 * * *", timezone="Europe/Berlin")
    shown = [slot.strftime("%d %H:%M %Z") for slot in first_slots(wanted, now=now, count=2)]
    assert shown == ["29 06:30 CEST", "30 06:30 CEST"]
    assert [slot.utcoffset() for slot in first_slots(wanted, now=now, count=1)] == [dt.timedelta(hours=2)]


def test_a_schedule_that_fails_to_store_leaves_no_beat(benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("inference.scheduling.audit.record", fail)
    with pytest.raises(RuntimeError, match="disk"):
        create_schedule(benchmark=benchmark, wanted=Wanted(every_s=60), actor=None)
    assert not PeriodicTask.objects.exists()


def test_models_are_kept_by_name(case: Case, planted: ModelVersion) -> None:
    enrol(benchmark=case.benchmark, model=planted)
    schedule = make_schedule(case.benchmark, models=("planted",), metrics=("ebpg",))
    assert wanted_of(schedule).models == ("planted",)
    assert list(schedule.chosen_models.all()) == [planted]
