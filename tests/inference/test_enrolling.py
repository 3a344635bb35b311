"""Registering and enrolling models, and the commands that do it: said twice, nothing changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from curation.models import AuditEvent, Benchmark, Case, User
from inference.enrolling import NameTaken, UnknownMetric, UnusableModel, enrol, register_model
from inference.models import Enrolment, JobState, ModelVersion, Prediction, ScoringRun
from inference.predicting import run_prediction
from inference.scoring import run_scoring
from tests.factories import make_case
from tests.inference.conftest import box, predict, submit

pytestmark = pytest.mark.django_db


def test_the_card_is_copied(planted: ModelVersion) -> None:
    assert (planted.family, planted.is_trained, planted.layer_count) == ("planted", False, 2)
    assert "reads no image" in planted.note
    assert len(planted.prompt_digest) == len(planted.decoding_digest) == 64


def test_the_same_again_changes_nothing() -> None:
    settings = {"gain": "2"}
    first, is_new = register_model(name="m", family="planted", settings=settings)
    second, is_new_again = register_model(name="m", family="planted", settings=settings)
    assert (is_new, is_new_again, first.pk) == (True, False, second.pk)
    assert AuditEvent.objects.filter(action="model.registered").count() == 1


def test_a_name_never_moves_to_other_content() -> None:
    register_model(name="m", family="planted", settings={"gain": "2"})
    with pytest.raises(NameTaken, match="'m' is registered with another settings"):
        register_model(name="m", family="planted", settings={"gain": "3"})
    assert ModelVersion.objects.get().settings == {"gain": "2"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"settings": {"gian": "2"}}, "unknown setting gian=2"),
        ({"family": "llava2"}, "unknown model family 'llava2'"),
        ({"family": "llava", "source": "/etc"}, "/etc"),
        ({"settings": {"layers": "2", "headline_layer": "2"}}, "headline_layer=2 must be a whole number from 0 to 1"),
        ({"name": " "}, "1 to 100 characters"),
    ],
)
def test_what_cannot_be_loaded_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UnusableModel, match=message):
        register_model(**{"name": "m", "family": "planted", **change})
    assert not ModelVersion.objects.exists()


def test_a_live_enrolment_asks_for_every_case_once(benchmark: Benchmark, planted: ModelVersion) -> None:
    for number in range(3):
        make_case(benchmark, f"case {number}")
    first, is_new = enrol(benchmark=benchmark, model=planted, is_live=True)
    second, is_new_again = enrol(benchmark=benchmark, model=planted, is_live=True)
    assert (is_new, is_new_again, first) == (True, False, second)
    assert Prediction.objects.filter(state=JobState.QUEUED).count() == 3
    assert AuditEvent.objects.filter(action="model.enrolled").count() == 1


def test_an_unknown_metric_is_named(benchmark: Benchmark, planted: ModelVersion) -> None:
    with pytest.raises(UnknownMetric, match="'acc'"):
        enrol(benchmark=benchmark, model=planted, metrics=["ebpg", "acc"])
    assert not Enrolment.objects.exists()


def told(capsys: pytest.CaptureFixture[str], *command: str) -> dict[str, Any]:
    """What a command prints with --json: one document and nothing else."""
    call_command(*command, "--json")
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_register_and_enrol_by_command(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    register = ("register_model", "control", "--family", "planted", "--set", "gain=2", "layers=3", "--set", "p=0.5")
    assert told(capsys, *register)["is_new"] is True
    assert told(capsys, *register)["is_new"] is False
    model = ModelVersion.objects.get(name="control")
    assert model.settings == {"gain": "2", "layers": "3", "p": "0.5"}
    told_back = told(capsys, "enrol", "thorax", "--model", "control", "--live", "--metrics", "ebpg,auroc")
    assert (told_back["is_live"], told_back["metrics"]) == (True, ["ebpg", "auroc"])
    assert Prediction.objects.get().case == case


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (("register_model", "m", "--family", "planted", "--set", "gain"), 2, "key=value"),
        (("register_model", "m", "--family", "planted", "--set", "gain=x"), 1, "gain=x"),
        (("enrol", "nowhere", "--model", "planted"), 1, "no benchmark 'nowhere'"),
        (("enrol", "thorax", "--model", "nobody"), 1, "no model 'nobody'"),
        (("enrol", "thorax", "--model", "planted", "--metrics", "acc"), 2, "unknown metric 'acc'"),
        (("score", "thorax", "--model", "planted"), 1, "no model 'planted' is enrolled in thorax"),
    ],
)
def test_commands_say_what_is_wrong(
    benchmark: Benchmark, planted: ModelVersion, command: tuple[str, ...], code: int, message: str
) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        call_command(*command)
    assert caught.value.returncode == code


def test_score_by_command(case: Case, reader: User, planted: ModelVersion, capsys: pytest.CaptureFixture[str]) -> None:
    enrol(benchmark=case.benchmark, model=planted)
    predict(planted, case)
    submit(case, reader, box(17, 13, 31, 23))
    document = told(capsys, "score", "thorax", "--model", "planted")
    assert (document["state"], document["cases"], document["predictions_done"]) == ("queued", 1, 1)
    run = ScoringRun.objects.get(pk=document["run"])
    run_scoring(run.pk)
    run.refresh_from_db()
    assert (run.state, run.scores_written) == (JobState.DONE, 37)


def test_score_ends_with_3_where_a_case_cannot_be_read(
    benchmark: Benchmark, planted: ModelVersion, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = make_case(benchmark, "bad", options={"X": "x"})
    enrol(benchmark=benchmark, model=planted, is_live=True)
    prediction = Prediction.objects.get()
    for _ in range(3):
        run_prediction(prediction.pk)
    # Somebody has already looked: `score` itself would give it a new start.
    monkeypatch.setattr("inference.management.commands.score.request_all", lambda **_: [])
    with pytest.raises(CommandError) as caught:
        call_command("score", "thorax", "--model", "planted", "--json")
    assert caught.value.returncode == 3
    (rejected,) = json.loads(capsys.readouterr().out)["rejected"]
    assert rejected["id"] == bad.key
    assert "choice=A" in rejected["reason"]


def test_sweep_by_command(
    case: Case, planted: ModelVersion, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.supervising.waiting_messages", lambda _: 0)
    planted.enrolments.create(benchmark=case.benchmark, is_live=True)
    assert told(capsys, "sweep")["predictions_requested"] == 1
    assert told(capsys, "sweep")["predictions_requested"] == 0
