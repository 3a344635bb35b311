"""`run_schedule ID`: what it prints, and how it ends."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from curation.models import Benchmark, Case
from inference.models import JobState, ModelVersion, Prediction, ScheduleRun
from inference.schedule_runs import ask_run
from tests.factories import make_case
from tests.inference.conftest import box
from tests.inference.scheduled import make_gold, make_schedule, work_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def working(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers do what is queued while the command waits."""
    monkeypatch.setattr("inference.management.commands.run_schedule.time.sleep", lambda _: work_off())


def called(capsys: pytest.CaptureFixture[str], *given: str) -> tuple[int, dict[str, Any]]:
    code = 0
    try:
        call_command("run_schedule", *given, "--json")
    except CommandError as error:
        code = error.returncode
    return code, json.loads(capsys.readouterr().out)


def test_without_waiting_it_is_queued(benchmark: Benchmark, capsys: pytest.CaptureFixture[str]) -> None:
    schedule = make_schedule(benchmark)
    code, told = called(capsys, str(schedule.pk))
    assert (code, told["state"], told["run"]) == (0, "queued", str(ScheduleRun.objects.get().pk))


def test_waiting_tells_what_changed(
    case: Case, planted: ModelVersion, capsys: pytest.CaptureFixture[str], working: None
) -> None:
    case.benchmark.enrolments.create(model=planted)
    make_gold(case, box(17, 13, 31, 23))
    schedule = make_schedule(case.benchmark)
    code, told = called(capsys, str(schedule.pk), "--wait")
    assert (code, told["state"], told["cases_predicted"], told["scores_written"]) == (0, "done", 1, 37)
    call_command("run_schedule", str(schedule.pk), "--wait")
    words = capsys.readouterr().out.splitlines()
    assert words == [
        "schedule every hour: done",
        "1 cases scored, 0 read anew",
        "0 scores written, 0 changed",
        "0 scores removed, 0 unavailable",
    ]


def test_a_case_that_cannot_be_read_is_a_rejection(
    benchmark: Benchmark, planted: ModelVersion, capsys: pytest.CaptureFixture[str], working: None
) -> None:
    make_case(benchmark)
    benchmark.enrolments.create(model=planted)
    ModelVersion.objects.update(settings={"rows": "nought"})
    code, told = called(capsys, str(make_schedule(benchmark).pk), "--wait")
    assert (code, told["predictions_failed"]) == (3, 1)
    assert Prediction.objects.get().state == JobState.PARKED


def test_what_is_no_schedule(benchmark: Benchmark, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(capsys, "nightly") == (2, {"error": "'nightly' is no id of a schedule"})
    unknown = str(uuid.uuid4())
    assert called(capsys, unknown) == (1, {"error": f"there is no schedule {unknown}"})


def test_a_run_under_way_is_not_doubled(benchmark: Benchmark, capsys: pytest.CaptureFixture[str]) -> None:
    schedule = make_schedule(benchmark)
    ask_run(schedule=schedule, actor=None)
    code, told = called(capsys, str(schedule.pk))
    assert (code, "still under way" in told["error"]) == (1, True)
    assert ScheduleRun.objects.count() == 1
