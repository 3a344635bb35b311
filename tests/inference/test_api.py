"""Endpoints of models, predictions, scores and runs: shapes, who may, and nothing for whoever must still read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from curation.models import AuditEvent, Benchmark, Case, Gold, GoldRoi, Membership, Role, User
from inference.enrolling import enrol
from inference.models import Enrolment, JobState, ModelVersion, Prediction, ScoringRun
from inference.scoring import request_benchmark_scoring, score_case
from tests.factories import make_benchmark, make_user
from tests.inference.conftest import box, plant, predict, submit

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]
INSIDE = box(17, 13, 31, 23)


@pytest.fixture
def scored(case: Case, reader: User, other_reader: User, planted: ModelVersion) -> Prediction:
    """Omar has submitted, Rosa has not; a planted model has read the case and is scored against Omar and gold."""
    made = predict(planted, case)
    Prediction.objects.filter(pk=made.pk).update(text="MARK-said")
    submit(case, other_reader, INSIDE, choice="B")
    gold = Gold.objects.create(case=case, revision=1, answer={"choice": "A"})
    GoldRoi.objects.create(gold=gold, **INSIDE)
    score_case(case.pk)
    return made


def addresses(prediction: Prediction) -> dict[str, str]:
    """Every address of this app that tells of one case."""
    return {
        "scores": reverse("case-scores", args=[prediction.case_id]),
        "prediction": reverse("prediction", args=[prediction.pk]),
        "heatmap": reverse("prediction-heatmap", args=[prediction.pk]),
    }


def test_a_reader_who_has_not_submitted_gets_nothing(api: Api, reader: User, scored: Prediction) -> None:
    where = addresses(scored)
    response = api(reader).get(where["scores"])
    assert response.status_code == 200
    assert response.json() == {
        "case": str(scored.case_id),
        "is_blind": True,
        "predictions": [],
        "readings": [],
        "results": [],
        "disagreement": [],
        "gold": None,
        "verdicts": [],
    }
    for name in ("prediction", "heatmap"):
        refused = api(reader).get(where[name])
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/blind")
        assert "opens after you submit" in refused.json()["detail"]


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.ENGINEER, Role.CURATOR, Role.ADMIN])
def test_no_other_role_lifts_blindness(api: Api, reader: User, scored: Prediction, role: Role) -> None:
    Membership.objects.create(user=reader, benchmark=scored.case.benchmark, role=role)
    reader = User.objects.get(pk=reader.pk)
    ScoringRun.objects.create(
        kind="case", case=scored.case, benchmark=scored.case.benchmark, state="parked", error="MARK-error"
    )
    client = api(reader)
    for address in [*addresses(scored).values(), reverse("runs"), reverse("models"), reverse("enrolments")]:
        body = client.get(address).content.decode()
        assert "MARK" not in body
        assert '"value"' not in body
        assert '"choice"' not in body


def test_a_reader_who_has_submitted_sees_models_and_the_own_reading(
    api: Api, other_reader: User, reader: User, scored: Prediction
) -> None:
    third = make_user("tina", Role.READER, scored.case.benchmark)
    submit(scored.case, third, INSIDE, choice="A")
    score_case(scored.case_id)
    body = api(other_reader).get(addresses(scored)["scores"]).json()
    (own,) = body["readings"]
    assert (own["is_own"], own["answer"], own["rois"]) == (True, {"choice": "B"}, [INSIDE])
    assert {row["target"]["id"] for row in body["results"]} == {body["readings"][0]["id"]}
    assert body["predictions"][0]["text"] == "MARK-said"
    assert body["disagreement"] == [
        {
            "prediction": str(scored.pk),
            "reading": body["readings"][0]["id"],
            "answer": pytest.approx(0.75),
            "region": pytest.approx(0.1),
        }
    ]
    assert "tina" not in json.dumps(body)


@pytest.mark.parametrize("role", ["reviewer", "curator", "engineer", "admin"])
def test_staff_see_every_target(api: Api, request: pytest.FixtureRequest, scored: Prediction, role: str) -> None:
    body = api(request.getfixturevalue(role)).get(addresses(scored)["scores"]).json()
    assert {row["target"]["kind"] for row in body["results"]} == {"reading", "gold"}
    assert len(body["results"]) == 2 * (9 * 4 * 2 + 1)
    for name in ("prediction", "heatmap"):
        assert api(request.getfixturevalue(role)).get(addresses(scored)[name]).status_code == 200


def test_outsiders_and_nobody(api: Api, outsider: User, scored: Prediction) -> None:
    for address in addresses(scored).values():
        assert api(outsider).get(address).status_code == 404
        assert api(None).get(address).json()["type"] == "/problems/not-signed-in"


def test_a_score_has_every_field_of_the_interface(api: Api, reviewer: User, scored: Prediction) -> None:
    query = {"metric": "attention_ratio", "map": "relative", "roi_rule": "box", "layer": "1"}
    body = api(reviewer).get(addresses(scored)["scores"], query).json()
    row = next(row for row in body["results"] if row["target"]["kind"] == "reading")
    assert row == {
        "prediction": str(scored.pk),
        "model": "planted",
        "revision": "",
        "target": {"kind": "reading", "id": body["readings"][0]["id"], "revision": 1},
        "image": 1,
        "frame": 0,
        "layer": 1,
        "map": "relative",
        "roi_rule": "box",
        "metric": "attention_ratio",
        "metric_version": "1",
        "value": pytest.approx(2.5),
        "unavailable": None,
        "n_cells": 16,
        "roi_cells": 1,
        "interval": None,
        "nulls": {
            "centre": pytest.approx(2.0, abs=1),
            "moved": {"median": pytest.approx(0.5), "p95": pytest.approx(2.5), "n": 16},
            "other_finding": None,
        },
        "is_stale": False,
        "stale_because": None,
        "is_replaced": False,
    }


def test_the_headline_layer_can_be_asked_for(api: Api, reviewer: User, case: Case, other_reader: User) -> None:
    made = predict(plant("first layer", headline_layer="0"), case)
    submit(case, other_reader, INSIDE)
    score_case(case.pk)
    body = api(reviewer).get(addresses(made)["scores"], {"layer": "headline", "metric": "ebpg"}).json()
    assert {row["layer"] for row in body["results"]} == {0}
    assert api(reviewer).get(addresses(made)["heatmap"]).json()["layer"] == 0


@pytest.mark.parametrize(
    "query", [{"layer": "last"}, {"metric": "acc"}, {"map": "both"}, {"prediction": "x"}, {"l": "1"}]
)
def test_unknown_arguments_are_refused(api: Api, reviewer: User, scored: Prediction, query: dict[str, str]) -> None:
    response = api(reviewer).get(addresses(scored)["scores"], query)
    assert response.status_code == 400
    assert response.json()["errors"][0]["path"] in query


@pytest.mark.parametrize(
    ("change", "because"),
    [
        (lambda row: Case.objects.update(input_digest="b" * 64), "input_changed"),
        (lambda row: Prediction.objects.update(rendering="0"), "rendering_changed"),
        (lambda row: ModelVersion.objects.update(decoding_digest="b" * 64), "decoding_changed"),
        (lambda row: ModelVersion.objects.update(prompt_digest="b" * 64), "prompt_changed"),
        (lambda row: row.scores.update(metric_version="0"), "metric_changed"),
    ],
)
def test_stale_is_found_by_comparing_keys(
    api: Api, reviewer: User, scored: Prediction, change: Any, because: str
) -> None:
    change(scored)
    body = api(reviewer).get(addresses(scored)["scores"]).json()
    assert {(row["is_stale"], row["stale_because"]) for row in body["results"]} == {(True, because)}
    is_prediction_stale = because != "metric_changed"
    assert body["predictions"][0]["is_stale"] is is_prediction_stale


def test_an_older_revision_is_superseded(api: Api, reviewer: User, other_reader: User, scored: Prediction) -> None:
    submit(scored.case, other_reader, INSIDE)
    score_case(scored.case_id)
    rows = api(reviewer).get(addresses(scored)["scores"]).json()["results"]
    told = [row for row in rows if row["target"]["kind"] == "reading"]
    found = {(row["target"]["revision"], row["stale_because"], row["is_replaced"]) for row in told}
    assert found == {(1, "revision_superseded", True), (2, None, False)}


def test_scores_take_few_queries(
    api: Api, reviewer: User, scored: Prediction, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        predict(plant(f"model {number}"), scored.case)
    client, address = api(reviewer), addresses(scored)["scores"]
    with django_assert_max_num_queries(15):
        assert len(client.get(address).json()["predictions"]) == 4


def test_a_heatmap_is_the_closed_form(api: Api, reviewer: User, scored: Prediction) -> None:
    body = api(reviewer).get(addresses(scored)["heatmap"], {"image": "1", "frame": "0", "layer": "0"}).json()
    # r = N w / sum of w with gains of 3: 16 * 3 / 24 inside the focus, 16 / 24 outside.
    inside, outside = pytest.approx(2.0), pytest.approx(2 / 3)
    border, middle = [outside] * 4, [outside, inside, inside, outside]
    assert body["values"] == [*border, *middle, *middle, *border]
    assert (body["rows"], body["columns"], body["layer"], body["map"]) == (4, 4, 0, "relative")
    assert body["transform"]["image_size"] == [48, 64]
    absolute = api(reviewer).get(addresses(scored)["heatmap"], {"map": "absolute", "layer": "0"}).json()
    assert sum(absolute["values"]) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("query", "status"),
    [({"image": "2"}, 404), ({"frame": "1"}, 404), ({"layer": "2"}, 400), ({"layer": "nan"}, 400), ({"map": "x"}, 400)],
)
def test_a_heatmap_that_is_not_there(
    api: Api, reviewer: User, scored: Prediction, query: dict[str, str], status: int
) -> None:
    assert api(reviewer).get(addresses(scored)["heatmap"], query).status_code == status


def test_a_prediction_over_http(api: Api, reviewer: User, scored: Prediction) -> None:
    body = api(reviewer).get(addresses(scored)["prediction"]).json()
    assert (body["choice"], body["state"], body["is_stale"]) == ("A", "done", False)
    assert [step["number"] for step in body["steps"]] == [1, 2]
    assert body["maps"] == [{"image": 1, "frame": 0, "layers": 2, "rows": 4, "columns": 4}]
    assert (body["model"]["is_trained"], body["model"]["headline_layer"]) == (False, 1)


def test_who_sees_which_models(
    api: Api, engineer: User, reviewer: User, reader: User, outsider: User, planted: ModelVersion, benchmark: Benchmark
) -> None:
    plant("not enrolled")
    enrol(benchmark=benchmark, model=planted)
    seen = {
        user.username: [row["name"] for row in api(user).get(reverse("models")).json()["results"]]
        for user in (engineer, reviewer, reader, outsider)
    }
    assert seen == {"emil": ["not enrolled", "planted"], "vera": ["planted"], "rosa": [], "otto": []}
    assert api(None).get(reverse("models")).json()["type"] == "/problems/not-signed-in"


def test_enrolling_over_http(api: Api, engineer: User, planted: ModelVersion, case: Case) -> None:
    body = {"benchmark": "thorax", "model": "planted", "is_live": True, "metrics": ["ebpg"]}
    first = api(engineer).post(reverse("enrolments"), body, format="json")
    assert (first.status_code, first.json()["is_live"], first.json()["metrics"]) == (201, True, ["ebpg"])
    assert api(engineer).post(reverse("enrolments"), body, format="json").status_code == 200
    assert Prediction.objects.get().case == case
    assert AuditEvent.objects.get(action="model.enrolled").actor == engineer
    (row,) = api(engineer).get(reverse("enrolments"), {"benchmark": "thorax"}).json()["results"]
    assert row["id"] == first.json()["id"]


@pytest.mark.parametrize(
    ("who", "status"),
    [("reader", 403), ("reviewer", 403), ("curator", 403), ("engineer", 201), ("admin", 201), ("outsider", 404)],
)
def test_who_may_enrol(
    api: Api, request: pytest.FixtureRequest, benchmark: Benchmark, planted: ModelVersion, who: str, status: int
) -> None:
    body = {"benchmark": "thorax", "model": "planted"}
    assert api(request.getfixturevalue(who)).post(reverse("enrolments"), body, format="json").status_code == status
    assert Enrolment.objects.exists() is (status == 201)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"model": "nobody"}, "model"),
        ({"metrics": ["acc"]}, "metrics[0]"),
        ({"metrics": "ebpg"}, "metrics"),
        ({"is_live": "yes"}, "is_live"),
        ({"live": True}, "live"),
    ],
)
def test_a_wrong_enrolment_is_refused(
    api: Api, engineer: User, planted: ModelVersion, change: dict[str, Any], path: str
) -> None:
    body = {"benchmark": "thorax", "model": "planted", **change}
    response = api(engineer).post(reverse("enrolments"), body, format="json")
    assert response.status_code == 400
    assert [row["path"] for row in response.json()["errors"]] == [path]
    assert not Enrolment.objects.exists()


def test_runs_are_listed_newest_first_in_pages(
    api: Api, reviewer: User, benchmark: Benchmark, planted: ModelVersion
) -> None:
    runs = [request_benchmark_scoring(benchmark=benchmark, model=planted, is_stale_only=True) for _ in range(5)]
    request_benchmark_scoring(benchmark=make_benchmark("elsewhere"), model=planted, is_stale_only=True)
    client, seen, cursor = api(reviewer), [], None
    while True:
        body = client.get(reverse("runs"), {"limit": "2", **({"cursor": cursor} if cursor else {})}).json()
        seen += [row["id"] for row in body["results"]]
        cursor = body["next"]
        if cursor is None:
            break
    assert seen == [str(run.pk) for run in reversed(runs)]
    assert client.get(reverse("runs"), {"state": "done"}).json()["results"] == []
    assert client.get(reverse("runs"), {"state": "lost"}).status_code == 400


@pytest.mark.parametrize(
    ("who", "look", "cancel"),
    [
        ("reader", 403, 403),
        ("reviewer", 200, 403),
        ("curator", 200, 403),
        ("engineer", 200, 200),
        ("admin", 200, 200),
        ("outsider", 404, 404),
        (None, 401, 401),
    ],
)
def test_who_may_look_at_and_cancel_a_run(
    api: Api,
    request: pytest.FixtureRequest,
    benchmark: Benchmark,
    planted: ModelVersion,
    who: str | None,
    look: int,
    cancel: int,
) -> None:
    run = request_benchmark_scoring(benchmark=benchmark, model=planted, is_stale_only=True)
    client = api(request.getfixturevalue(who) if who else None)
    assert client.get(reverse("run", args=[run.pk])).status_code == look
    assert client.post(reverse("run-cancel", args=[run.pk])).status_code == cancel
    run.refresh_from_db()
    assert run.state == (JobState.CANCELLED if cancel == 200 else JobState.QUEUED)


def test_a_run_is_cancelled_once(api: Api, engineer: User, benchmark: Benchmark, planted: ModelVersion) -> None:
    run = request_benchmark_scoring(benchmark=benchmark, model=planted, is_stale_only=True)
    first = api(engineer).post(reverse("run-cancel", args=[run.pk]))
    assert first.json()["state"] == "cancelled"
    second = api(engineer).post(reverse("run-cancel", args=[run.pk]))
    assert (second.status_code, second.json()["type"]) == (409, "/problems/run-ended")
    assert api(engineer).post(reverse("run-cancel", args=[uuid.uuid4()])).status_code == 404


def test_staff_see_the_gold_and_every_verdict_and_a_reader_the_own_alone(
    api: Api, reader: User, reviewer: User, scored: Prediction
) -> None:
    own = submit(scored.case, reader, INSIDE)
    score_case(scored.case_id)
    address = addresses(scored)["scores"]
    seen = api(reviewer).get(address).json()
    assert (seen["gold"]["revision"], seen["gold"]["answer"], len(seen["gold"]["rois"])) == (1, {"choice": "A"}, 1)
    assert [row["target"]["kind"] for row in seen["verdicts"]] == ["case", "gold", "reading", "reading"]
    assert [row["is_right"] for row in seen["verdicts"] if row["target"]["kind"] != "reading"] == [True, True]
    told = api(reader).get(address).json()
    assert told["gold"] is None
    assert [row["target"] for row in told["verdicts"]] == [{"kind": "reading", "id": str(own.pk)}]


def test_a_verdict_stands_beside_its_nulls_and_says_when_it_is_stale(
    api: Api, reviewer: User, reader: User, scored: Prediction
) -> None:
    submit(scored.case, reader, INSIDE)
    score_case(scored.case_id)
    address = addresses(scored)["scores"]
    (row,) = [one for one in api(reviewer).get(address).json()["verdicts"] if one["target"]["kind"] == "case"]
    assert set(row["nulls"]) == {"centre", "moved", "other_finding"}
    assert (row["rows"], row["layer"], row["is_stale"], row["stale_because"]) == (1, 1, False, None)
    submit(scored.case, reader, INSIDE, choice="B")
    (row,) = [one for one in api(reviewer).get(address).json()["verdicts"] if one["target"]["kind"] == "case"]
    assert (row["is_stale"], row["stale_because"]) == (True, "revision_superseded")
