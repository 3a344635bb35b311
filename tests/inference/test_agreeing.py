"""Models as rows of agreement, by the same functions as readers."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.utils import timezone

from annotations import agreement, agreement_kept
from annotations.agreement_read import between_models, matrix, models
from annotations.agreement_rows import READERS, WITH_MODELS
from annotations.models import AgreementScore, PartyKind
from curation.models import Case, Event, Gold, GoldRoi
from inference import agreeing
from inference.metrics.verdicts import Quadrant
from inference.models import JobState, ModelVersion, Prediction, PredictionStep, Verdict
from tests.annotations.contents import roi, step
from tests.annotations.saying import say
from tests.annotations.together import PATIENCE_S, at_once, until_waiting
from tests.factories import make_benchmark, make_case, make_user

LEFT = {"x0": 10, "y0": 10, "x1": 20, "y1": 20}


@pytest.fixture
def case(db: None) -> Case:
    return make_case(make_benchmark(overlap=2))


def make_model(name: str) -> ModelVersion:
    return ModelVersion.objects.create(
        name=name, family="planted", prompt_digest="p", decoding_digest="d", layer_count=4
    )


def predict(model: ModelVersion, case: Case, choice: str, *steps: str) -> Prediction:
    prediction = Prediction.objects.create(
        model=model,
        case=case,
        input_digest=case.input_digest,
        rendering="1",
        prompt_digest="p",
        decoding_digest="d",
        state=JobState.DONE,
        choice=choice,
        finished_at=timezone.now(),
    )
    for number, text in enumerate(steps, 1):
        PredictionStep.objects.create(prediction=prediction, number=number, text=text)
    return prediction


def judge(prediction: Prediction, kind: str, target: Any, value: float) -> None:
    Verdict.objects.create(
        prediction=prediction, model=prediction.model, case=prediction.case, position=1, layer=3, value=value,
        benchmark_id=prediction.case.benchmark_id, target_kind=kind, target_id=target, cluster="c", case_version=1,
        readings_revision=1, metric_version="1", quadrant=Quadrant.UNKNOWN, row_count=1, rows_unavailable=0,
    )  # fmt: skip


def test_a_model_stands_beside_readers_models_and_gold(case: Case) -> None:
    reader = make_user("one")
    reading = say(case, reader, rois=[roi(geometry=LEFT)], steps=[step(text="A bright square")], entities=[])
    gold = Gold.objects.create(case=case, revision=1, answer="A")
    GoldRoi.objects.create(gold=gold, image=1, shape="box", geometry=LEFT)
    right, wrong = make_model("right"), make_model("wrong")
    first = predict(right, case, "B", "There is a bright square")
    predict(wrong, case, "A")
    judge(first, "reading", reading.pk, 2.5)
    judge(first, "gold", case.pk, 3.5)
    assert agreeing.record([case.pk]) == 5
    rows = {(row.a_kind, row.b_kind, row.a_party, row.b_party): row for row in AgreementScore.objects.all()}
    row = rows["reader", "model", reader.pk, right.pk]
    assert (row.is_same_answer, row.attention_ratio, row.b_said, row.rois_a) == (True, 2.5, first.pk, 1)
    assert row.step_f1 == 1.0
    assert (row.iou, row.why["iou"]) == (None, "not_drawn")
    other = rows["reader", "model", reader.pk, wrong.pk]
    assert (other.is_same_answer, other.step_f1, other.why["step_f1"]) == (False, None, "no_steps")
    assert other.why["attention_ratio"] == "no_attention"
    row = rows["model", "gold", right.pk, case.pk]
    assert (row.is_same_answer, row.attention_ratio) == (False, 3.5)
    assert sum(kinds[:2] == ("model", "model") for kinds in rows) == 1
    assert Event.objects.filter(type="agreement.changed").count() == 1


def test_again_changes_nothing_and_a_newer_reading_only_its_rows(case: Case) -> None:
    reader, other = make_user("one"), make_user("two")
    for who in (reader, other):
        say(case, who)
    predict(make_model("m"), case, "B")
    agreement.record_case(case.pk)
    agreeing.record([case.pk])
    before = set(AgreementScore.objects.values_list("pk", flat=True))
    assert len(before) == 3
    events = Event.objects.count()
    assert agreeing.record([case.pk]) == 2
    assert set(AgreementScore.objects.values_list("pk", flat=True)) == before
    assert Event.objects.count() == events
    say(case, reader, answer={"choice": "A"})
    agreeing.record([case.pk])
    now = set(AgreementScore.objects.values_list("pk", flat=True))
    assert len(now & before) == 2  # the readers' row waits for its own task, and the other reader's is as it was
    agreement.record_case(case.pk)
    assert AgreementScore.objects.filter(b_kind=PartyKind.MODEL).count() == 2
    assert agreeing.differing([case.pk]) == agreement.differing([case.pk]) == []
    AgreementScore.objects.filter(b_kind=PartyKind.MODEL).update(step_f1=0.5)
    assert len(agreeing.differing([case.pk])) == 2


@pytest.mark.django_db(transaction=True)
def test_two_at_once_count_a_change_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second comes when the first has written, and before it commits."""
    case = make_case(make_benchmark(overlap=2))
    for name in ("one", "two"):
        say(case, make_user(name))
    prediction = predict(make_model("m"), case, "B")
    agreement.record_case(case.pk)
    agreeing.record([case.pk])
    assert agreement_kept.differing([case.pk]) == []
    Prediction.objects.filter(pk=prediction.pk).update(state=JobState.PARKED)
    has_written = threading.Event()

    def announce(_: Any) -> None:
        if not has_written.is_set():
            has_written.set()
            until_waiting(1)

    def come_second() -> int:
        assert has_written.wait(timeout=PATIENCE_S)
        return agreeing.record([case.pk])

    monkeypatch.setattr(agreement, "announce", announce)
    assert at_once([lambda: agreeing.record([case.pk]), come_second]) == [0, 0]
    assert AgreementScore.objects.count() == 1
    assert agreement_kept.differing([case.pk]) == []


def test_a_model_that_saw_another_input_is_no_party(case: Case) -> None:
    say(case, make_user("one"))
    predict(make_model("m"), case, "B")
    agreeing.record([case.pk])
    assert AgreementScore.objects.count() == 1
    case.input_digest = "e" * 64
    case.save()
    agreeing.record([case.pk])
    assert not AgreementScore.objects.exists()


def test_models_are_read_by_the_same_functions(case: Case) -> None:
    readers = [make_user(name) for name in ("one", "two")]
    right, wrong = make_model("right"), make_model("wrong")
    for number in range(6):
        one = case if not number else make_case(case.benchmark, f"more {number}")
        for reader in readers:
            say(one, reader, answer={"choice": "AB"[number % 2]})
        predict(right, one, "AB"[number % 2])
        predict(wrong, one, "A")
        agreement.record_case(one.pk)
        agreeing.record([one.pk])
    found = {part.key: part.numbers["same_answer"] for part in models(case.benchmark)}
    assert (found[str(right.pk)].value, found[str(wrong.pk)].value) == (1.0, 0.5)
    assert found[str(wrong.pk)].n == 6
    assert found[str(wrong.pk)].pairs == 12
    assert between_models(case.benchmark).numbers["same_answer"].value == 0.5
    rows = matrix(case.benchmark, kinds=(READERS, WITH_MODELS))
    assert len(rows) == 1 + 4
    kappas = {row.b: row.kappas.numbers["cohen_kappa"].value for row in rows if row.kappas}
    assert (kappas[right.pk], kappas[wrong.pk]) == (1.0, 0.0)


@pytest.mark.parametrize("cases", [1, 4])
def test_queries_do_not_grow(case: Case, django_assert_num_queries: Any, cases: int) -> None:
    made = [case, *(make_case(case.benchmark, f"more {number}") for number in range(cases - 1))]
    reader, model = make_user("one"), make_model("m")
    for one in made:
        say(one, reader)
        predict(model, one, "B", "text")
    agreeing.record([one.pk for one in made])
    with django_assert_num_queries(12):
        agreeing.record([one.pk for one in made])
