"""Lost work is found: an emptied broker, a worker that died, a reading nobody scored."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from annotations import agreement
from curation.events import forget, publish
from curation.models import Benchmark, Case, Event, Role, User
from inference import supervising, tasks
from inference.claiming import Heartbeat, claim
from inference.enrolling import enrol
from inference.models import JobState, ModelVersion, Prediction, ScoringRun
from inference.predicting import request_predictions, run_prediction
from inference.scoring import request_scoring, run_scoring
from inference.supervising import EVENTS_KEPT_FOR, Swept, sweep, sweep_lost, sweep_missing
from tests.factories import make_case
from tests.inference.conftest import Sent, box, predict, submit

pytestmark = pytest.mark.django_db
NOTHING = Swept()


@pytest.fixture(autouse=True)
def waiting(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many messages the broker says stand in its queues: none, unless a test says otherwise."""
    counts: dict[str, int] = {}
    monkeypatch.setattr(supervising, "waiting_messages", lambda task: counts.get(task, 0))
    return counts


def age(table: Any, seconds: int) -> None:
    """Make every job look as if nothing had been heard of it for so long."""
    then = timezone.now() - dt.timedelta(seconds=seconds)
    table.objects.update(sent_at=then)
    table.objects.filter(state=JobState.RUNNING).update(heartbeat_at=then)


def test_an_emptied_broker_loses_nothing(
    benchmark: Benchmark, planted: ModelVersion, sent: Sent, django_capture_on_commit_callbacks: Any
) -> None:
    for number in range(3):
        make_case(benchmark, f"case {number}")
    with django_capture_on_commit_callbacks(execute=True):
        enrol(benchmark=benchmark, model=planted, is_live=True)
    wanted = sorted(kwargs["prediction_id"] for _, kwargs in sent)
    sent.clear()  # the broker forgets
    age(Prediction, 61)
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep() == Swept(resent=3)
    assert sorted(kwargs["prediction_id"] for _, kwargs in sent) == wanted
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep() == NOTHING  # sent again just now


def test_a_job_in_a_long_line_is_not_sent_again(case: Case, planted: ModelVersion, waiting: dict[str, int]) -> None:
    request_predictions(model=planted, case_ids=[case.pk])
    age(Prediction, 3600)
    waiting["inference.tasks.predict_case"] = 1
    assert sweep() == NOTHING


def test_a_job_of_a_dead_worker_is_queued_again_and_done(
    case: Case, planted: ModelVersion, sent: Sent, django_capture_on_commit_callbacks: Any
) -> None:
    (prediction_id,) = request_predictions(model=planted, case_ids=[case.pk])
    claim(Prediction, prediction_id)  # and the worker is killed
    assert run_prediction(prediction_id) is None
    age(Prediction, 61)
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep().requeued == 1
    assert sent == [("inference.tasks.predict_case", {"prediction_id": str(prediction_id)})]
    row = Prediction.objects.get()
    assert (row.state, row.attempts) == (JobState.QUEUED, 1)
    assert "no sign of life" in row.error
    assert run_prediction(prediction_id) == JobState.DONE


def test_a_job_that_kills_its_worker_three_times_is_parked(case: Case, planted: ModelVersion) -> None:
    (prediction_id,) = request_predictions(model=planted, case_ids=[case.pk])
    for ending in [(1, 0), (1, 0), (0, 1)]:
        assert claim(Prediction, prediction_id) is not None
        age(Prediction, 61)
        swept = sweep()
        assert (swept.requeued, swept.parked) == ending
    assert Prediction.objects.get().state == JobState.PARKED


def test_a_worker_that_lives_is_left_alone(case: Case, planted: ModelVersion) -> None:
    (prediction_id,) = request_predictions(model=planted, case_ids=[case.pk])
    claim(Prediction, prediction_id)
    age(Prediction, 30)
    assert sweep() == NOTHING


def test_a_silent_scoring_run_makes_way_for_the_queued_one(case: Case) -> None:
    first = request_scoring(case_id=case.pk)
    claim(ScoringRun, first.pk)
    second = request_scoring(case_id=case.pk)
    age(ScoringRun, 61)
    sweep()
    states = dict(ScoringRun.objects.values_list("pk", "state"))
    assert states == {first.pk: JobState.CANCELLED, second.pk: JobState.QUEUED}


def test_a_live_enrolment_gets_what_it_lacks(case: Case, planted: ModelVersion) -> None:
    planted.enrolments.create(benchmark=case.benchmark, is_live=True)
    assert sweep().predictions_requested == 1
    assert sweep() == NOTHING
    Case.objects.filter(pk=case.pk).update(input_digest="c" * 64)
    assert sweep().predictions_requested == 1


def test_a_reading_that_nobody_scored_is_scored(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    run_scoring(ScoringRun.objects.get().pk)
    submit(case, reader, box(17, 13, 31, 23))  # the process died before it told anybody
    assert sweep() == Swept(scorings_requested=1, agreements_requested=1)
    agreement.record_case(case.pk)
    assert sweep() == NOTHING
    run_scoring(ScoringRun.objects.get(state=JobState.QUEUED).pk)
    assert sweep() == NOTHING
    assert ScoringRun.objects.latest("finished_at").scores_written == 37


def test_a_case_without_prediction_or_target_is_left_alone(
    benchmark: Benchmark, reader: User, planted: ModelVersion
) -> None:
    read = make_case(benchmark, "only a reading")
    submit(read, reader)
    agreement.record_case(read.pk)
    predict(planted, make_case(benchmark, "only a prediction"))
    ScoringRun.objects.all().delete()
    assert sweep() == NOTHING


def test_sweeping_takes_few_queries(
    benchmark: Benchmark, planted: ModelVersion, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        predict(planted, make_case(benchmark, f"case {number}"))
    with django_assert_max_num_queries(8):
        sweep_lost()
    with django_assert_max_num_queries(6):
        sweep_missing()


def test_the_quick_look_leaves_the_cases_alone(
    case: Case, reader: User, planted: ModelVersion, django_assert_max_num_queries: Any
) -> None:
    predict(planted, case)
    ScoringRun.objects.all().delete()
    submit(case, reader, box(17, 13, 31, 23))
    planted.enrolments.create(benchmark=case.benchmark, is_live=True)
    Case.objects.filter(pk=make_case(case.benchmark, "lacks a prediction").pk).update(input_digest="c" * 64)
    with django_assert_max_num_queries(8) as asked:
        tasks.sweep()
    assert not [query for query in asked.captured_queries if "curation_case" in query["sql"]]
    assert not Prediction.objects.filter(state=JobState.QUEUED).exists()
    assert not ScoringRun.objects.exists()
    tasks.sweep_all()
    assert Prediction.objects.filter(state=JobState.QUEUED).count() == 1
    assert ScoringRun.objects.filter(state=JobState.QUEUED, case=case).count() == 1


def test_events_nobody_comes_back_to_are_forgotten(benchmark: Benchmark, django_assert_num_queries: Any) -> None:
    for _ in range(3):
        publish("case.changed", benchmark_id=benchmark.pk, least_role=Role.READER, case="c")
    old, edge, new = Event.objects.order_by("pk").values_list("pk", flat=True)
    now = timezone.now()
    Event.objects.filter(pk=old).update(created_at=now - EVENTS_KEPT_FOR - dt.timedelta(hours=1))
    Event.objects.filter(pk=edge).update(created_at=now - EVENTS_KEPT_FOR + dt.timedelta(hours=1))
    with django_assert_num_queries(1):
        assert forget(before=now - EVENTS_KEPT_FOR - dt.timedelta(hours=2)) == 0
    assert sweep_missing() == Swept(events_forgotten=1)
    assert sorted(Event.objects.values_list("pk", flat=True)) == [edge, new]


def test_beat_looks_for_what_is_lost_often_and_at_every_case_seldom() -> None:
    entries = settings.CELERY_BEAT_SCHEDULE.values()
    looks = {entry["task"]: entry["schedule"] for entry in entries if str(entry["task"]).startswith("inference.")}
    assert looks == {
        "inference.tasks.sweep": dt.timedelta(seconds=30),
        "inference.tasks.sweep_all": dt.timedelta(seconds=600),
    }


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_beats_while_the_work_goes_on(case: Case, planted: ModelVersion) -> None:
    (prediction_id,) = request_predictions(model=planted, case_ids=[case.pk])
    held = claim(Prediction, prediction_id)
    assert held is not None
    age(Prediction, 100)
    silent = timezone.now() - dt.timedelta(seconds=50)
    jobs = Prediction.objects.filter(heartbeat_at__gt=silent)
    assert not jobs.exists()
    with Heartbeat(held, what="a prediction", deadline_s=600, every_s=0.01) as heartbeat:
        deadline = timezone.now() + dt.timedelta(seconds=120)
        while not jobs.exists() and timezone.now() < deadline:
            heartbeat._stop.wait(0.01)
    assert jobs.exists()


@pytest.mark.django_db(transaction=True)
def test_the_deadline_stays_for_work_that_is_not_held_any_more(
    case: Case, planted: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    (prediction_id,) = request_predictions(model=planted, case_ids=[case.pk])
    held = claim(Prediction, prediction_id)
    assert held is not None
    Prediction.objects.update(state=JobState.CANCELLED)
    ended = threading.Event()
    monkeypatch.setattr(Heartbeat, "_end_process", lambda _: ended.set())
    with Heartbeat(held, what="a prediction", deadline_s=0.05, every_s=0.01):
        assert ended.wait(120)
