"""Pages of models, enrolments and runs: what they show, what their buttons do, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from curation.models import Event
from inference.enrolling import enrol
from inference.models import Enrolment, JobState, ModelVersion, RunKind, ScoringRun
from inference.predicting import request_predictions
from inference.scoring import run_scoring
from tests.factories import make_case

if TYPE_CHECKING:
    from curation.models import Benchmark, User

pytestmark = pytest.mark.django_db


def make_models(count: int, name: str = "model") -> list[ModelVersion]:
    return [
        ModelVersion.objects.create(
            name=f"{name}-{number:03}", family="planted", prompt_digest="p", decoding_digest="d", layer_count=4
        )
        for number in range(count)
    ]


def get(client: Any, user: User, name: str, *args: object, query: str = "") -> str:
    client.force_login(user)
    answer = client.get(reverse(name, args=args) + query)
    assert answer.status_code == 200
    return str(answer.content.decode())


def run_of(benchmark: Benchmark, **fields: Any) -> ScoringRun:
    return ScoringRun.objects.create(kind=RunKind.BENCHMARK, benchmark=benchmark, **fields)


def run_news() -> list[str]:
    """Ids of runs of which open pages were told, in order."""
    return [event.payload["run"] for event in Event.objects.filter(type="run.changed").order_by("pk")]


def test_models_are_paged_by_name(client: Any, engineer: User, benchmark: Benchmark) -> None:
    make_models(51)
    first = get(client, engineer, "models-page")
    assert "model-049" in first
    assert "model-050" not in first
    second = get(client, engineer, "models-page", query="?after=model-049")
    assert "model-050" in second
    assert "model-049" not in second.replace("after=model-049", "")


def test_staff_sees_the_models_of_their_benchmarks_only(client: Any, reviewer: User, benchmark: Benchmark) -> None:
    enrolled, hidden = make_models(2)
    enrol(benchmark=benchmark, model=enrolled)
    page = get(client, reviewer, "models-page")
    assert enrolled.name in page
    assert hidden.name not in page
    client.force_login(reviewer)
    assert client.get(reverse("model-page", args=[hidden.pk])).status_code == 404


def test_a_model_page_counts_what_it_has_read(client: Any, engineer: User, benchmark: Benchmark) -> None:
    (model,) = make_models(1)
    enrol(benchmark=benchmark, model=model)
    for number in range(3):
        make_case(benchmark, f"c{number}")
    made = request_predictions(model=model, case_ids=[case.pk for case in benchmark.cases.all()])
    assert len(made) == 3
    model.predictions.filter(pk=made[0]).update(state=JobState.DONE, latency_ms=40)
    model.predictions.filter(pk=made[1]).update(state=JobState.PARKED)
    page = get(client, engineer, "model-page", model.pk)
    assert "40 ms" in page
    assert '<span class="badge bad">1</span>' in page


def test_an_engineer_enrols_and_stops_a_model(client: Any, engineer: User, benchmark: Benchmark) -> None:
    (model,) = make_models(1)
    client.force_login(engineer)
    address = reverse("enrolments-page", args=[benchmark.slug])
    client.post(address, {"model": model.name, "live": "on", "metrics": ["kl", "auroc"]})
    enrolment = Enrolment.objects.get()
    assert (enrolment.model, enrolment.is_live, enrolment.metrics) == (model, True, ["kl", "auroc"])
    client.post(address, {"model": model.name, "metrics": ["kl", "auroc"]})
    enrolment.refresh_from_db()
    assert not enrolment.is_live
    refused = client.post(address, {"model": model.name, "live": "on", "metrics": ["beauty"]}, follow=True)
    assert "unknown metric &#x27;beauty&#x27;" in refused.content.decode()
    enrolment.refresh_from_db()
    assert not enrolment.is_live
    unknown = client.post(address, {"model": "nobody\0"}, follow=True)
    assert "There is no model &#x27;nobody&#x27;" in unknown.content.decode()


def test_score_now_predicts_and_queues_a_run(client: Any, engineer: User, benchmark: Benchmark) -> None:
    (model,) = make_models(1)
    enrol(benchmark=benchmark, model=model)
    make_case(benchmark)
    client.force_login(engineer)
    answer = client.post(reverse("score-now", args=[benchmark.slug, model.pk]), {"stale": "on"}, follow=True)
    run = ScoringRun.objects.get()
    assert (run.model, run.is_stale_only, run.asked_by, run.state) == (model, True, engineer, "queued")
    assert run_news() == [str(run.pk)]
    assert run_scoring(run.pk) == JobState.DONE
    assert run_news() == [str(run.pk)] * 2
    assert model.predictions.count() == 1
    assert "one case is read first" in answer.content.decode()


def test_runs_are_paged_and_filtered(client: Any, reviewer: User, benchmark: Benchmark) -> None:
    (model,) = make_models(1)
    runs = [run_of(benchmark, model=model, state=JobState.DONE) for _ in range(31)]
    parked = run_of(benchmark, model=model, state=JobState.PARKED, error="no such layer: 99")
    newest, *_, oldest = reversed([*runs, parked])
    first = get(client, reviewer, "runs-page", benchmark.slug)
    assert str(newest.pk) in first
    assert f'data-run="{oldest.pk}"' not in first
    last_shown = ScoringRun.objects.order_by("-created_at", "-pk")[29]
    second = get(client, reviewer, "runs-page", benchmark.slug, query=f"?after={last_shown.pk}")
    assert f'data-run="{oldest.pk}"' in second
    assert "no such layer: 99" in get(client, reviewer, "runs-page", benchmark.slug, query="?show=parked")
    assert str(parked.pk) in get(client, reviewer, "runs-page", benchmark.slug, query="?after=nonsense&show=odd")


def test_the_error_of_a_run_over_an_unread_case_is_hidden_from_its_reader(
    client: Any, reader: User, benchmark: Benchmark
) -> None:
    reader.memberships.create(benchmark=benchmark, role="engineer")
    case = make_case(benchmark)
    ScoringRun.objects.create(
        kind=RunKind.CASE, benchmark=benchmark, case=case, state=JobState.PARKED, error="it said B"
    )
    assert "it said B" not in get(client, reader, "runs-page", benchmark.slug, query="?show=case")


def test_cancelling_stops_a_run_once(client: Any, engineer: User, benchmark: Benchmark) -> None:
    (model,) = make_models(1)
    run = run_of(benchmark, model=model)
    client.force_login(engineer)
    client.post(reverse("cancel-run", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == JobState.CANCELLED
    again = client.post(reverse("cancel-run", args=[run.pk]), follow=True)
    assert "had ended already" in again.content.decode()


@pytest.mark.parametrize("name", ["models-page", "enrolments-page", "runs-page"])
def test_a_page_costs_the_same_however_many_rows(client: Any, engineer: User, benchmark: Benchmark, name: str) -> None:
    args = [] if name == "models-page" else [benchmark.slug]
    costs = []
    for named, models in (("few", 2), ("many", 12)):
        for model in make_models(models, named):
            enrol(benchmark=benchmark, model=model)
            run_of(benchmark, model=model)
        costs.append(queries_of(client, engineer, reverse(name, args=args)))
    assert costs[0] == costs[1]


def queries_of(client: Any, user: User, address: str) -> int:
    client.force_login(user)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)
