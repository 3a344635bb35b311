"""Predictions: asked for once, made once, fenced, parked after three failures, never from what a model must not see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from curation.models import Benchmark, Case, CaseFacts, CaseImage, Event, Gold, User
from curation.signals import cases_changed
from inference import predicting
from inference.adapters.base import AdapterCard, CaseInput, CaseOutput
from inference.claiming import claim
from inference.enrolling import enrol
from inference.models import AttentionMap, JobState, ModelVersion, Prediction, PredictionStep, RunKind, ScoringRun
from inference.predicting import request_all, request_predictions, run_prediction
from inference.registry import load_adapter
from tests.factories import make_asset, make_benchmark, make_case
from tests.inference.conftest import Sent, plant, predict, submit

pytestmark = pytest.mark.django_db


class Stub:
    """An adapter that does what a test says."""

    def __init__(self, act: Any) -> None:
        self.act = act
        self.seen: list[CaseInput] = []

    def describe(self) -> AdapterCard:
        return load_adapter("planted", "", "", {}).describe()

    def predict(self, case: CaseInput) -> CaseOutput:
        self.seen.append(case)
        self.act()
        return CaseOutput("said", None, None, ("one", "two"), (), {})


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a stub in the place of every adapter."""

    def put(act: Any = lambda: None) -> Stub:
        stub = Stub(act)
        monkeypatch.setattr(predicting, "adapter_of", lambda _: stub)
        return stub

    return put


def test_a_prediction_keeps_what_the_model_said(case: Case, planted: ModelVersion) -> None:
    made = predict(planted, case)
    assert (made.state, made.choice, made.attempts) == (JobState.DONE, "A", 1)
    assert made.option_probabilities == pytest.approx({"A": 0.75, "B": 0.25})
    assert (made.shown_frames, made.image_share) == ({"1": [0]}, {"1": 1.0})
    assert [step.number for step in PredictionStep.objects.filter(prediction=made).order_by("number")] == [1, 2]
    stored = AttentionMap.objects.get(prediction=made)
    question = np.frombuffer(stored.question, "<f4").reshape(stored.layers, stored.rows, stored.columns)
    # Half of all attention is on the image; gains 3 and 5 on 4 of 16 cells.
    assert question[0, 1, 1] == pytest.approx(3 / 24 / 2)
    assert question[1, 0, 0] == pytest.approx(1 / 32 / 2)
    assert CaseFacts.objects.get(case=case).predictions_done == 1


def test_asking_twice_asks_once(
    case: Case, planted: ModelVersion, sent: Sent, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first = request_predictions(model=planted, case_ids=[case.pk])
        assert request_predictions(model=planted, case_ids=[case.pk]) == []
    assert sent == [("inference.tasks.predict_case", {"prediction_id": str(first[0])})]


def test_a_message_that_comes_twice_runs_once(case: Case, planted: ModelVersion, acting: Any) -> None:
    stub = acting()
    (prediction_id,) = request_predictions(model=planted, case_ids=[case.pk])
    assert [run_prediction(prediction_id) for _ in range(2)] == [JobState.DONE, None]
    assert len(stub.seen) == 1
    assert PredictionStep.objects.count() == 2
    assert ScoringRun.objects.filter(kind=RunKind.CASE).count() == 1


def test_the_model_sees_no_answer_gold_caption_or_reading(
    benchmark: Benchmark, reader: User, planted: ModelVersion, acting: Any
) -> None:
    case = make_case(
        benchmark, "marked", answer="MARK-answer", extra={"diagnosis": "MARK-extra"}, images=0, history="cough"
    )
    asset = make_asset()
    CaseImage.objects.create(case=case, number=1, asset=asset, caption="MARK-caption", view="MARK-view")
    Gold.objects.create(case=case, revision=1, answer={"text": "MARK-gold"}, steps=[{"text": "MARK-step"}])
    submit(case, reader, choice="MARK-reading")
    stub = acting()
    predict(planted, case)
    (seen,) = stub.seen
    assert (seen.question, seen.options, seen.history) == (case.question, case.options, "cough")
    assert [(image.number, image.frame, image.pixels.shape) for image in seen.images] == [(1, 0, (48, 64, 3))]
    assert "MARK" not in repr(seen)


def test_a_failure_is_stored_tried_again_and_parked(
    case: Case, planted: ModelVersion, acting: Any, sent: Sent, django_capture_on_commit_callbacks: Any
) -> None:
    def fail() -> None:
        raise MemoryError("8 GiB wanted")

    acting(fail)
    (prediction_id,) = request_predictions(model=planted, case_ids=[case.pk])
    with django_capture_on_commit_callbacks(execute=True):
        states = [run_prediction(prediction_id) for _ in range(4)]
    assert states == [JobState.QUEUED, JobState.QUEUED, JobState.PARKED, None]
    row = Prediction.objects.get()
    assert (row.attempts, row.error, row.finished_at is not None) == (3, "MemoryError: 8 GiB wanted", True)
    assert len(sent) == 2
    assert Event.objects.filter(type="prediction.changed").count() == 1


def test_one_bad_case_does_not_stop_the_others(benchmark: Benchmark, planted: ModelVersion) -> None:
    good = make_case(benchmark, "good")
    bad = make_case(benchmark, "bad", options={"X": "not among the planted"})
    for prediction_id in request_all(model=planted, benchmark=benchmark):
        for _ in range(3):
            run_prediction(prediction_id)
    states = dict(Prediction.objects.values_list("case_id", "state"))
    assert states == {good.pk: JobState.DONE, bad.pk: JobState.PARKED}
    assert "choice=A is not among" in Prediction.objects.get(case=bad).error


def test_a_parked_prediction_starts_anew_only_when_a_person_asks(
    case: Case, planted: ModelVersion, acting: Any
) -> None:
    def fail() -> None:
        raise RuntimeError("no GPU")

    acting(fail)
    (prediction_id,) = request_predictions(model=planted, case_ids=[case.pk])
    for _ in range(3):
        run_prediction(prediction_id)
    assert request_predictions(model=planted, case_ids=[case.pk]) == []
    acting()
    assert request_predictions(model=planted, case_ids=[case.pk], retries_parked=True) == [prediction_id]
    assert run_prediction(prediction_id) == JobState.DONE


def test_whoever_was_taken_for_dead_stores_nothing(case: Case, planted: ModelVersion, acting: Any) -> None:
    (prediction_id,) = request_predictions(model=planted, case_ids=[case.pk])

    def taken_over() -> None:
        Prediction.objects.update(state=JobState.QUEUED)
        assert claim(Prediction, prediction_id) is not None

    acting(taken_over)
    assert run_prediction(prediction_id) is None
    row = Prediction.objects.get()
    assert (row.state, row.attempts, row.text) == (JobState.RUNNING, 2, "")
    assert not PredictionStep.objects.exists()


def test_whoever_was_taken_for_dead_stores_nothing_after_a_new_start_either(
    case: Case, planted: ModelVersion, acting: Any
) -> None:
    (prediction_id,) = request_predictions(model=planted, case_ids=[case.pk])

    def started_anew() -> None:
        Prediction.objects.update(state=JobState.PARKED)
        assert request_predictions(model=planted, case_ids=[case.pk], retries_parked=True) == [prediction_id]
        assert claim(Prediction, prediction_id) is not None

    acting(started_anew)
    assert run_prediction(prediction_id) is None
    row = Prediction.objects.get()
    assert (row.state, row.attempts, row.text) == (JobState.RUNNING, 1, "")


def test_a_failure_of_whoever_was_taken_for_dead_changes_nothing(
    case: Case, planted: ModelVersion, acting: Any
) -> None:
    (prediction_id,) = request_predictions(model=planted, case_ids=[case.pk])

    def taken_over() -> None:
        Prediction.objects.update(state=JobState.QUEUED)
        claim(Prediction, prediction_id)
        raise RuntimeError("late")

    acting(taken_over)
    assert run_prediction(prediction_id) is None
    assert Prediction.objects.get().error == ""


def test_a_case_that_changed_before_it_was_read_is_not_read(case: Case, planted: ModelVersion, acting: Any) -> None:
    stub = acting()
    (prediction_id,) = request_predictions(model=planted, case_ids=[case.pk])
    before = case.input_digest
    Case.objects.filter(pk=case.pk).update(input_digest="e" * 64)
    assert run_prediction(prediction_id) == JobState.CANCELLED
    assert stub.seen == []
    # It changes back: the same key is queued again.
    Case.objects.filter(pk=case.pk).update(input_digest=before)
    assert request_predictions(model=planted, case_ids=[case.pk]) == [prediction_id]
    assert run_prediction(prediction_id) == JobState.DONE


def test_a_changed_case_keeps_the_old_prediction_and_asks_for_a_new_one(
    case: Case, planted: ModelVersion, django_capture_on_commit_callbacks: Any
) -> None:
    enrol(benchmark=case.benchmark, model=planted, is_live=True)
    old = predict(planted, case) if not Prediction.objects.exists() else Prediction.objects.get()
    run_prediction(old.pk)
    Case.objects.filter(pk=case.pk).update(input_digest="d" * 64)
    cases_changed.send(sender=Case, case_ids=[case.pk])
    assert Prediction.objects.count() == 2
    old.refresh_from_db()
    assert old.state == JobState.DONE
    assert Prediction.objects.exclude(pk=old.pk).get().state == JobState.QUEUED


def test_changed_gold_scores_again_and_reruns_no_model(case: Case, planted: ModelVersion) -> None:
    enrol(benchmark=case.benchmark, model=planted, is_live=True)
    run_prediction(Prediction.objects.get().pk)
    ScoringRun.objects.all().delete()
    Gold.objects.create(case=case, revision=1, answer={"choice": "B"})
    cases_changed.send(sender=Case, case_ids=[case.pk])
    assert Prediction.objects.count() == 1
    assert ScoringRun.objects.get().case_id == case.pk


def test_only_live_enrolments_ask_by_themselves(case: Case, planted: ModelVersion) -> None:
    enrol(benchmark=case.benchmark, model=planted, is_live=False)
    cases_changed.send(sender=Case, case_ids=[case.pk])
    assert not Prediction.objects.exists()
    enrol(benchmark=case.benchmark, model=planted, is_live=True)
    assert Prediction.objects.count() == 1


def test_another_prompt_is_another_prediction(case: Case, planted: ModelVersion) -> None:
    first = predict(planted, case)
    ModelVersion.objects.update(prompt_digest="a" * 64)
    planted.refresh_from_db()
    assert predict(planted, case).pk != first.pk


def test_requests_take_few_queries(
    benchmark: Benchmark, planted: ModelVersion, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        make_case(benchmark, f"case {number}", images=0)
    with django_assert_max_num_queries(10):
        assert len(request_all(model=planted, benchmark=benchmark)) == 12


@pytest.mark.django_db(transaction=True)
def test_of_eight_workers_with_one_message_one_runs(threads: Any) -> None:
    planted, case = plant("planted"), make_case(make_benchmark())
    (prediction_id,) = request_predictions(model=planted, case_ids=[case.pk])
    results = threads(8, lambda: run_prediction(prediction_id))
    assert sorted(map(str, results)) == ["None"] * 7 + ["done"]
    assert Prediction.objects.get().attempts == 1


@pytest.mark.django_db(transaction=True)
def test_of_eight_requests_at_once_one_is_queued(threads: Any, sent: Sent) -> None:
    planted, case = plant("planted"), make_case(make_benchmark())
    results = threads(8, lambda: request_predictions(model=planted, case_ids=[case.pk]))
    assert sorted(map(len, results)) == [0] * 7 + [1]
    assert len(sent) == 1
