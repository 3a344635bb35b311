"""Gold that was withdrawn is no gold to anybody: not to scoring, verdicts, other cases' nulls, exports or the API."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from curation.describing import describe_cases
from curation.digests import case_record, with_record_parts
from curation.gold_revisions import write_gold
from curation.models import Benchmark, Case, CaseImage, Gold, User
from inference.currency import stale_counts
from inference.models import JobState, ModelVersion, Prediction, Score, ScoringRun, TargetKind, Verdict, VerdictTarget
from inference.scoring import request_scoring, run_scoring
from inference.sources import sources_of
from inference.supervising import unscored_cases
from inference.targets import cases_beside, other_findings, targets_of
from tests.factories import make_case
from tests.inference.conftest import Sent, box, predict, submit

pytestmark = pytest.mark.django_db
ROI = {"id": "7b0d8a5e-1d7c-4d43-8b25-6a5a7cfe0f11", "image": 1, "frame": 0, "label": None, "shape": "box"}
GOLD = {"answer": "A", "rois": [{**ROI, "geometry": {"x0": 17, "y0": 13, "x1": 31, "y1": 23}}], "steps": []}


def score(case: Case) -> None:
    request_scoring(case_id=case.pk)
    for run in ScoringRun.objects.filter(case=case, state=JobState.QUEUED):
        run_scoring(run.pk)


def test_scores_and_verdicts_against_it_end(
    case: Case, benchmark: Benchmark, reader: User, curator: User, planted: ModelVersion
) -> None:
    prediction = predict(planted, case)
    submit(case, reader, box(0, 0, 30, 20))
    write_gold(case_id=case.pk, gold=GOLD)
    score(case)
    assert Score.objects.filter(target_kind=TargetKind.GOLD, superseded_at=None).exists()
    assert Verdict.objects.filter(target_kind=VerdictTarget.GOLD).exists()
    write_gold(case_id=case.pk, gold=None)
    assert case in unscored_cases()
    score(case)
    assert not Score.objects.filter(target_kind=TargetKind.GOLD, superseded_at=None).exists()
    assert Score.objects.filter(target_kind=TargetKind.READING, superseded_at=None).exists()
    assert not Verdict.objects.filter(target_kind=VerdictTarget.GOLD).exists()
    assert stale_counts(benchmark) == []
    assert Prediction.objects.get() == prediction
    client = APIClient()
    client.force_authenticate(curator)
    told = client.get(f"/api/v1/cases/{case.pk}/scores/").json()
    assert told["gold"] is None
    assert all(row["is_replaced"] for row in told["results"] if row["target"]["kind"] == "gold")


def test_nobody_takes_it_for_gold(case: Case, benchmark: Benchmark) -> None:
    write_gold(case_id=case.pk, gold=GOLD)
    (known,) = with_record_parts([case.pk])
    assert [target.kind for target in targets_of(case)] == [TargetKind.GOLD]
    assert case_record(known)["gold"]["rois"][0]["id"] == ROI["id"]
    write_gold(case_id=case.pk, gold=None)
    (known,) = with_record_parts([case.pk])
    assert targets_of(case) == []
    assert sources_of([case.pk])[case.pk].gold is None
    assert case_record(known)["gold"] is None
    assert describe_cases([case.pk], is_blind=False)[0]["gold"] is None
    assert not Gold.objects.in_force().exists()


def test_it_is_no_other_finding_any_more_and_its_neighbours_are_told(case: Case, benchmark: Benchmark) -> None:
    beside = make_case(benchmark, "beside", images=0)
    CaseImage.objects.create(case=beside, number=1, asset=case.images.get().asset)
    write_gold(case_id=case.pk, gold=GOLD)
    assert list(other_findings(beside)) == [(1, 0)]
    write_gold(case_id=case.pk, gold=None)
    assert other_findings(beside) == {}
    assert cases_beside([case.pk]) == {beside.pk}


def test_gold_that_a_review_changes_runs_no_model_again(case: Case, planted: ModelVersion, sent: Sent) -> None:
    predict(planted, case)
    before = Case.objects.get(pk=case.pk).input_digest
    write_gold(case_id=case.pk, gold=GOLD)
    assert Case.objects.get(pk=case.pk).input_digest == before
    assert Prediction.objects.count() == 1
    assert not any(name == "inference.tasks.predict_case" for name, _ in sent[1:])
