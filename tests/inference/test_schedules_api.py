"""Schedules over HTTP: shapes, who may, hostile bodies, pages, few queries, blindness."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from curation.models import AuditEvent, Benchmark, Case, Membership, Role, User
from inference.models import JobState, ModelVersion, Schedule, ScheduleRun
from inference.schedule_runs import ask_run
from inference.scheduling import Wanted, create_schedule
from tests.factories import make_benchmark
from tests.inference.conftest import box, plant, predict, submit
from tests.inference.scheduled import finish, make_gold, make_schedule, work_off

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]
NEW = {"benchmark": "thorax", "every_s": 3600}


def test_a_schedule_is_told_as_the_contract_names_it(
    api: Api, engineer: User, benchmark: Benchmark, planted: ModelVersion
) -> None:
    benchmark.enrolments.create(model=planted)
    body = {
        "benchmark": "thorax",
        "name": "nightly",
        "models": ["planted"],
        "metrics": ["ebpg"],
        "cron": "30 2 * * *",
        "timezone": "Europe/Berlin",
        "stale_only": False,
        "budget_s": 600,
        "enabled": True,
    }
    made = api(engineer).post(reverse("schedules"), body, format="json")
    assert made.status_code == 201
    told = made.json()
    assert {name: told[name] for name in body} == body
    assert (told["every_s"], told["created_by"], told["last_run"]) == (None, "emil", None)
    due = [dt.datetime.fromisoformat(slot) for slot in told["next_due"]]
    assert len(due) == 5
    assert due == sorted(due)
    assert {(slot.hour, slot.minute) for slot in due} <= {(2, 30), (3, 30)}
    assert {slot.utcoffset() for slot in due} <= {dt.timedelta(hours=1), dt.timedelta(hours=2)}
    assert api(engineer).get(reverse("schedule", args=[told["id"]])).json() == told


def test_what_is_not_named_has_its_default(api: Api, curator: User, benchmark: Benchmark) -> None:
    told = api(curator).post(reverse("schedules"), NEW, format="json").json()
    shown = {
        name: told[name] for name in ("models", "metrics", "cron", "timezone", "stale_only", "budget_s", "enabled")
    }
    assert shown == {
        "models": [],
        "metrics": [],
        "cron": None,
        "timezone": "UTC",
        "stale_only": True,
        "budget_s": None,
        "enabled": True,
    }


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"every_s": None}, "every_s"),
        ({"cron": "0 3 * * *"}, "cron"),
        ({"every_s": 59}, "every_s"),
        ({"every_s": 60.0}, "every_s"),
        ({"every_s": True}, "every_s"),
        ({"every_s": "60"}, "every_s"),
        ({"every_s": -(10**40)}, "every_s"),
        ({"every_s": 10**40}, "every_s"),
        ({"every_s": None, "cron": "0 3 * *"}, "cron"),
        ({"every_s": None, "cron": 7}, "cron"),
        ({"every_s": None, "cron": "* " * 5000}, "cron"),
        ({"every_s": None, "cron": "0 3 \0 * *"}, "cron"),
        ({"timezone": "Berlin"}, "timezone"),
        ({"timezone": None}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"budget_s": 0}, "budget_s"),
        ({"budget_s": 10**30}, "budget_s"),
        ({"models": "planted"}, "models"),
        ({"models": ["nobody"]}, "models[0]"),
        ({"models": [["planted"]]}, "models[0]"),
        ({"metrics": ["acc"]}, "metrics[0]"),
        ({"metrics": ["ebpg"] * 50}, "metrics"),
        ({"stale_only": 1}, "stale_only"),
        ({"enabled": None}, "enabled"),
        ({"name": "n" * 101}, "name"),
        ({"name": {}}, "name"),
        ({"is_enabled": True}, "is_enabled"),
        ({"benchmark": ["thorax"]}, "benchmark"),
    ],
)
def test_a_faulty_body_is_refused_with_its_path(
    api: Api, engineer: User, benchmark: Benchmark, change: dict[str, Any], path: str
) -> None:
    answer = api(engineer).post(reverse("schedules"), {**NEW, **change}, format="json")
    assert answer.status_code == 400
    assert [error["path"] for error in answer.json()["errors"]] == [path]
    assert not Schedule.objects.exists()


def test_a_body_that_is_no_object_is_refused(api: Api, engineer: User, benchmark: Benchmark) -> None:
    assert api(engineer).post(reverse("schedules"), [NEW], format="json").status_code == 400


def test_a_patch_changes_what_it_names(api: Api, engineer: User, benchmark: Benchmark) -> None:
    schedule = make_schedule(benchmark, name="hourly", budget_s=60)
    address = reverse("schedule", args=[schedule.pk])
    told = api(engineer).patch(address, {"cron": "0 3 * * *"}, format="json").json()
    assert (told["every_s"], told["cron"], told["name"], told["budget_s"]) == (None, "0 3 * * *", "hourly", 60)
    told = api(engineer).patch(address, {"every_s": 120, "budget_s": None}, format="json").json()
    assert (told["every_s"], told["cron"], told["budget_s"]) == (120, None, None)
    paused = api(engineer).patch(address, {"enabled": False}, format="json").json()
    assert (paused["enabled"], paused["next_due"]) == (False, [])
    both = api(engineer).patch(address, {"cron": "0 3 * * *", "every_s": 60}, format="json")
    assert [error["path"] for error in both.json()["errors"]] == ["cron"]
    moved = api(engineer).patch(address, {"benchmark": "elsewhere"}, format="json")
    assert [error["path"] for error in moved.json()["errors"]] == ["benchmark"]


def test_a_schedule_of_a_model_enrolled_no_more_can_be_paused(
    api: Api, engineer: User, benchmark: Benchmark, planted: ModelVersion
) -> None:
    enrolment = benchmark.enrolments.create(model=planted)
    schedule = make_schedule(benchmark, models=("planted",))
    enrolment.delete()
    told = api(engineer).patch(reverse("schedule", args=[schedule.pk]), {"enabled": False}, format="json")
    assert (told.status_code, told.json()["models"]) == (200, ["planted"])


def test_running_now_and_twice(api: Api, engineer: User, benchmark: Benchmark) -> None:
    schedule = make_schedule(benchmark, is_enabled=False)
    first = api(engineer).post(reverse("schedule-run", args=[schedule.pk]))
    assert (first.status_code, first.json()["state"], first.json()["cause"]) == (202, "queued", "asked")
    second = api(engineer).post(reverse("schedule-run", args=[schedule.pk]))
    assert (second.status_code, second.json()["type"]) == (409, "/problems/run-under-way")
    assert second.json()["run"] == first.json()["id"]
    assert AuditEvent.objects.filter(action="schedule.run", actor=engineer).count() == 1


def test_the_history_tells_what_changed(api: Api, reviewer: User, case: Case, planted: ModelVersion) -> None:
    case.benchmark.enrolments.create(model=planted)
    make_gold(case, box(17, 13, 31, 23))
    predict(planted, case)
    work_off()
    make_gold(case, box(0, 13, 31, 23))
    schedule = make_schedule(case.benchmark)
    run = finish(ask_run(schedule=schedule, actor=None))
    (told,) = api(reviewer).get(reverse("schedule-history", args=[schedule.pk])).json()["results"]
    assert (told["id"], told["state"], told["scores_written"], told["cases_scored"]) == (str(run.pk), "done", 37, 1)
    assert len(told["runs"]) == 1
    ratio = next(change for change in told["largest"] if change["metric"] == "attention_ratio")
    assert (ratio["case"], ratio["before"], ratio["after"]) == (case.key, pytest.approx(2.5), pytest.approx(1.5))
    shown = api(reviewer).get(reverse("schedule", args=[schedule.pk])).json()
    assert shown["last_run"]["id"] == str(run.pk)


def test_a_curator_who_reads_sees_no_change_of_a_case_still_to_be_read(
    api: Api, curator: User, case: Case, planted: ModelVersion
) -> None:
    Membership.objects.create(user=curator, benchmark=case.benchmark, role=Role.READER)
    schedule = make_schedule(case.benchmark)
    change = {"metric": "auroc", "case_id": str(case.pk), "case": case.key, "before": 0.1, "after": 0.9}
    now = timezone.now()
    ScheduleRun.objects.create(schedule=schedule, slot=now, state=JobState.DONE, largest=[change])
    address = reverse("schedule-history", args=[schedule.pk])
    (told,) = api(curator).get(address).json()["results"]
    assert told["largest"] == []
    assert api(curator).get(reverse("schedule", args=[schedule.pk])).json()["last_run"]["largest"] == []
    submit(case, curator)
    (told,) = api(curator).get(address).json()["results"]
    assert told["largest"] == [change]


def test_history_comes_in_pages_the_newest_first(api: Api, reviewer: User, benchmark: Benchmark) -> None:
    schedule = make_schedule(benchmark)
    start = timezone.now()
    runs = [
        ScheduleRun.objects.create(schedule=schedule, slot=start + dt.timedelta(hours=hour), state=JobState.DONE)
        for hour in range(5)
    ]
    seen, cursor = [], None
    while True:
        given = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        body = api(reviewer).get(reverse("schedule-history", args=[schedule.pk]), given).json()
        seen += [row["id"] for row in body["results"]]
        cursor = body["next"]
        if cursor is None:
            break
    assert seen == [str(run.pk) for run in reversed(runs)]


@pytest.mark.parametrize("query", [{"cursor": "x"}, {"limit": "0"}, {"state": "done"}])
def test_unknown_arguments_are_refused(api: Api, reviewer: User, benchmark: Benchmark, query: dict[str, str]) -> None:
    schedule = make_schedule(benchmark)
    assert api(reviewer).get(reverse("schedule-history", args=[schedule.pk]), query).status_code == 400


def test_lists_take_the_same_few_queries_however_long_they_are(
    api: Api, curator: User, benchmark: Benchmark, django_assert_num_queries: Any
) -> None:
    def fill(count: int) -> None:
        for _ in range(count):
            schedule = create_schedule(benchmark=benchmark, wanted=Wanted(every_s=60), actor=curator)
            schedule.chosen_models.add(plant(uuid.uuid4().hex))
            for hour in range(2):
                slot = timezone.now() + dt.timedelta(hours=hour)
                ScheduleRun.objects.create(schedule=schedule, slot=slot, state=JobState.DONE, asked_by=curator)

    address, client = reverse("schedules"), api(curator)
    fill(1)
    client.get(address)  # the roles are kept on the user
    with django_assert_num_queries(6):
        client.get(address)
    fill(4)
    with django_assert_num_queries(6):
        assert len(client.get(address).json()["results"]) == 5


def test_only_schedules_of_ones_own_benchmarks(api: Api, reviewer: User, reader: User, benchmark: Benchmark) -> None:
    mine, _ = make_schedule(benchmark), make_schedule(make_benchmark("elsewhere"))
    assert [row["id"] for row in api(reviewer).get(reverse("schedules")).json()["results"]] == [str(mine.pk)]
    assert api(reader).get(reverse("schedules")).json()["results"] == []
    assert api(reviewer).get(reverse("schedules"), {"benchmark": "elsewhere"}).json()["results"] == []


def test_deleting_over_http(api: Api, curator: User, benchmark: Benchmark) -> None:
    schedule = make_schedule(benchmark)
    assert api(curator).delete(reverse("schedule", args=[schedule.pk])).status_code == 204
    assert api(curator).get(reverse("schedule", args=[schedule.pk])).status_code == 404
    assert AuditEvent.objects.get(action="schedule.deleted").before["every_s"] == 3600
