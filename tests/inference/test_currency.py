"""Stale numbers: each cause planted, named, counted by one query, and gone once something stands in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from curation.models import AuditEvent, Benchmark, Case, Gold, User
from inference.adapters import planted as planted_adapter
from inference.currency import STALE_REASONS, StaleCount, stale_counts
from inference.enrolling import enrol, register_model
from inference.models import JobState, ModelVersion, Prediction, Score, ScoringRun
from inference.predicting import OTHER_WORDS, prompt_digest_of, request_predictions, run_prediction
from inference.receivers import on_cases_changed
from inference.schedule_runs import ask_run
from inference.scoring import request_scoring, score_case
from tests.factories import make_case
from tests.inference.conftest import Sent, box, plant, predict, submit
from tests.inference.scheduled import finish, make_gold, make_schedule, work_off

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]
INSIDE = box(17, 13, 31, 23)
HALF = box(0, 13, 31, 23)
NUMBERS = 37


@pytest.fixture
def scored(case: Case, planted: ModelVersion) -> Prediction:
    """A case with gold, read by an enrolled model and scored."""
    case.benchmark.enrolments.create(model=planted)
    make_gold(case, INSIDE)
    made = predict(planted, case)
    work_off()
    return made


CAUSES: list[tuple[str, Callable[[Prediction], Any]]] = [
    ("input_changed", lambda row: Case.objects.update(input_digest="b" * 64)),
    ("rendering_changed", lambda row: Prediction.objects.update(rendering="0")),
    ("prompt_changed", lambda row: ModelVersion.objects.update(prompt_digest="b" * 64)),
    ("decoding_changed", lambda row: ModelVersion.objects.update(decoding_digest="b" * 64)),
    ("revision_superseded", lambda row: make_gold(row.case, HALF)),
    ("metric_changed", lambda row: row.scores.update(metric_version="0")),
]


@pytest.mark.parametrize(("because", "change"), CAUSES, ids=[name for name, _ in CAUSES])
def test_each_cause_has_its_word_and_keeps_the_value(
    api: Api, reviewer: User, scored: Prediction, because: str, change: Callable[[Prediction], Any]
) -> None:
    address = reverse("case-scores", args=[scored.case_id])
    before = [row["value"] for row in api(reviewer).get(address).json()["results"]]
    assert stale_counts(scored.case.benchmark) == []
    change(scored)
    rows = api(reviewer).get(address).json()["results"]
    assert {(row["is_stale"], row["stale_because"]) for row in rows} == {(True, because)}
    assert [row["value"] for row in rows] == before
    (count,) = stale_counts(scored.case.benchmark)
    assert count == StaleCount("planted", because, NUMBERS, 1)
    assert count.words == STALE_REASONS[because]


def test_every_cause_is_planted_here() -> None:
    assert {name for name, _ in CAUSES} == set(STALE_REASONS)


@pytest.mark.parametrize("waits", [False, True])
def test_a_later_finding_over_the_same_image_renews_the_nulls(scored: Prediction, waits: bool) -> None:
    """The second file of a data set asks about the images of the first: what was scored before is held against it."""
    other = make_case(scored.case.benchmark, "asks about something else", images=0)
    other.images.create(number=1, asset=scored.case.images.get().asset)
    ratio = scored.scores.filter(metric="attention_ratio", map="relative", roi_rule="box")
    assert [null["other_finding"] for null in ratio.get().nulls] == [None, None]
    make_gold(other, HALF)
    if waits:
        request_scoring(case_id=scored.case_id)
    on_cases_changed(case_ids=[other.pk])
    work_off()
    (row,) = ratio
    assert [null["other_finding"] for null in row.nulls] == pytest.approx([4 / 3, 3 / 2])
    assert scored.case.verdicts.get(target_kind="case").other_finding == row.nulls[1]["other_finding"]
    assert ScoringRun.objects.filter(case=other).count() == 0


def test_changed_gold_is_scored_without_a_model_and_is_stale_no_more(
    scored: Prediction, sent: Sent, django_capture_on_commit_callbacks: Any
) -> None:
    make_gold(scored.case, HALF)
    with django_capture_on_commit_callbacks(execute=True):
        on_cases_changed(case_ids=[scored.case_id])
    assert [name for name, _ in sent] == ["inference.tasks.score_reading"]
    work_off()
    assert stale_counts(scored.case.benchmark) == []
    # The old numbers stay: a snapshot may hold the old revision.
    assert Score.objects.filter(superseded_at__isnull=False).count() == NUMBERS
    assert Score.objects.filter(superseded_at__isnull=True).count() == NUMBERS


@pytest.mark.parametrize("cause", ["input_changed", "rendering_changed", "prompt_changed", "metric_changed"])
def test_a_schedule_mends_what_is_stale(scored: Prediction, cause: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if cause == "prompt_changed":
        monkeypatch.setattr(planted_adapter, "STEPS", ("Looked elsewhere.",))
        prompt_digest_of.cache_clear()
        register_model(name="planted", family="planted", settings=scored.model.settings)
    else:
        dict(CAUSES)[cause](scored)
    assert [count.because for count in stale_counts(scored.case.benchmark)] == [cause]
    run = finish(ask_run(schedule=make_schedule(scored.case.benchmark), actor=None))
    assert (run.state, run.scores_written) == (JobState.DONE, NUMBERS)
    assert run.cases_predicted == (0 if cause == "metric_changed" else 1)
    assert stale_counts(scored.case.benchmark) == []
    prompt_digest_of.cache_clear()


def test_a_case_that_changes_back_has_its_old_numbers_again(scored: Prediction) -> None:
    before = scored.case.input_digest
    Case.objects.update(input_digest="b" * 64)
    finish(ask_run(schedule=make_schedule(scored.case.benchmark), actor=None))
    assert not scored.scores.filter(superseded_at=None).exists()
    Case.objects.update(input_digest=before)
    score_case(scored.case_id)
    assert scored.scores.filter(superseded_at=None).count() == NUMBERS
    assert stale_counts(scored.case.benchmark) == []


def test_a_number_against_a_reading_of_another_input_waits_for_its_reader(scored: Prediction, reader: User) -> None:
    submit(scored.case, reader, INSIDE)
    score_case(scored.case_id)
    Case.objects.update(input_digest="b" * 64)
    finish(ask_run(schedule=make_schedule(scored.case.benchmark), actor=None))
    assert stale_counts(scored.case.benchmark) == [StaleCount("planted", "input_changed", NUMBERS, 1)]
    submit(Case.objects.get(), reader, INSIDE)
    score_case(scored.case_id)
    assert stale_counts(scored.case.benchmark) == []


def test_counts_are_one_query_however_many_there_are(benchmark: Benchmark, django_assert_num_queries: Any) -> None:
    models = [plant(f"m{number}") for number in range(2)]
    for number in range(3):
        case = make_case(benchmark, f"case {number}")
        make_gold(case, INSIDE)
        for model in models:
            predict(model, case)
    work_off()
    for case in benchmark.cases.all()[:2]:
        make_gold(case, HALF)
    with django_assert_num_queries(1):
        found = stale_counts(benchmark)
    assert found == [StaleCount(f"m{number}", "revision_superseded", 2 * NUMBERS, 2) for number in range(2)]


def test_numbers_against_what_is_gone_are_stale(scored: Prediction) -> None:
    Gold.objects.all().delete()
    assert [count.because for count in stale_counts(scored.case.benchmark)] == ["revision_superseded"]


def test_a_worker_stores_nothing_under_words_it_did_not_use(
    scored: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case(scored.case.benchmark, "second")
    (asked,) = request_predictions(model=scored.model, case_ids=[case.pk])
    monkeypatch.setattr(planted_adapter, "STEPS", ("Looked elsewhere.",))
    prompt_digest_of.cache_clear()
    assert run_prediction(asked) == JobState.CANCELLED
    old, new = Prediction.objects.filter(case=case).order_by("created_at")
    assert (old.state, old.error) == (JobState.CANCELLED, OTHER_WORDS)
    assert (new.state, new.prompt_digest == old.prompt_digest) == (JobState.QUEUED, False)
    assert run_prediction(new.pk) == JobState.DONE
    assert AuditEvent.objects.filter(action="model.prompt_changed").count() == 1
    assert [count.because for count in stale_counts(case.benchmark)] == ["prompt_changed"]
    prompt_digest_of.cache_clear()


def test_a_live_model_asked_in_other_words_reads_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    model = plant("planted")
    predict(model, case)
    monkeypatch.setattr(planted_adapter, "STEPS", ("Looked elsewhere.",))
    prompt_digest_of.cache_clear()
    again, is_new = register_model(name="planted", family="planted", settings=model.settings)
    assert (again.pk, is_new) == (model.pk, False)
    enrol(benchmark=case.benchmark, model=again, is_live=True)
    assert Prediction.objects.filter(state=JobState.QUEUED).count() == 1
    prompt_digest_of.cache_clear()
    assert ScoringRun.objects.exists()
