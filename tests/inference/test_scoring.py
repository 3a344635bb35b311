"""Scores in the database, against numbers worked out by hand from the planted control's formula."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from celery.exceptions import SoftTimeLimitExceeded

from curation.models import Benchmark, Case, CaseFacts, CaseImage, Event, Gold, GoldRoi, User
from inference import scoring
from inference.models import (
    JobState,
    MapKind,
    ModelVersion,
    Prediction,
    RoiRule,
    RunKind,
    Score,
    ScoringRun,
    TargetKind,
)
from inference.scoring import request_benchmark_scoring, request_scoring, run_scoring, score_case
from tests.factories import make_benchmark, make_case, make_user
from tests.inference.conftest import Sent, box, plant, predict, submit

pytestmark = pytest.mark.django_db

# The image is 64 x 48 and the grid 4 x 4, so a cell is 16 x 12 image pixels and the focus is columns 1-2, rows 1-2.
INSIDE = box(17, 13, 31, 23)  # cell (1, 1): in the focus
HALF = box(0, 13, 31, 23)  # cells (1, 0) and (1, 1): one of two in the focus
# Gains by layer: 1 + (5 - 1) * l / 2 = 3 and 5; N = 16 cells, F = 4 of them in the focus.
RATIOS = {"inside": [3 / 1.5, 5 / 2.0], "half": [2 / 1.5, 3 / 2.0]}


def score(**wanted: Any) -> Score:
    """The one score of these fields; relative attention and bounding boxes unless told otherwise."""
    return Score.objects.get(**{"map": MapKind.RELATIVE, "roi_rule": RoiRule.BOX, **wanted})


@pytest.mark.parametrize(("roi", "ratios"), [(INSIDE, RATIOS["inside"]), (HALF, RATIOS["half"])])
def test_a_box_scores_what_the_formula_says(
    case: Case, reader: User, planted: ModelVersion, roi: dict[str, Any], ratios: list[float]
) -> None:
    predict(planted, case)
    submit(case, reader, roi)
    score_case(case.pk)
    cells = 1 if roi is INSIDE else 2
    found = score(metric="attention_ratio")
    assert found.values == pytest.approx(ratios, abs=1e-6)
    assert (found.n_cells, found.roi_cells, found.unavailable) == (16, cells, "")
    assert score(metric="ebpg").values == pytest.approx([ratio * cells / 16 for ratio in ratios], abs=1e-6)
    assert score(metric="log2_attention_ratio").values == pytest.approx(
        [math.log2(ratio) for ratio in ratios], abs=1e-6
    )


def test_kl_is_worked_out_by_hand(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, INSIDE)
    score_case(case.pk)
    # p of the cell is gain / (12 + 4 gain); g is all on it.
    by_hand = [math.log((12 + 4 * gain) / gain) for gain in (3, 5)]
    assert score(metric="kl").values == pytest.approx(by_hand, abs=1e-5)
    assert score(metric="kl_norm").values == pytest.approx([1 - value / math.log(16) for value in by_hand], abs=1e-5)


def test_auroc_counts_ties_by_half(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, INSIDE)
    score_case(case.pk)
    # Against the 15 other cells: 12 are lower, 3 of the focus are equal.
    assert score(metric="auroc").values == pytest.approx([(12 + 1.5) / 15] * 2)
    assert score(metric="region_disagreement").values == pytest.approx([1.5 / 15] * 2)


def test_absolute_attention_is_scored_beside_relative(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, INSIDE)
    score_case(case.pk)
    # The general prompt's attention is even, so dividing by it changes no ratio.
    assert score(metric="attention_ratio", map=MapKind.ABSOLUTE).values == pytest.approx(RATIOS["inside"], abs=1e-6)


def test_the_answer_is_one_minus_p_of_the_experts_option(
    case: Case, reader: User, other_reader: User, planted: ModelVersion
) -> None:
    predict(planted, case)
    same, other = submit(case, reader, choice="A"), submit(case, other_reader, choice="B")
    score_case(case.pk)
    rows = {row.target_id: row for row in Score.objects.filter(metric="answer_disagreement")}
    assert rows[same.pk].values == pytest.approx([0.25])
    assert rows[other.pk].values == pytest.approx([0.75])
    assert (rows[same.pk].image, rows[same.pk].map, rows[same.pk].roi_rule) == (None, None, None)


def test_an_option_that_the_model_does_not_know_has_no_value(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, choice="Z")
    score_case(case.pk)
    row = Score.objects.get(metric="answer_disagreement")
    assert (row.values, row.unavailable) == ([], "option_unknown")


def test_box_and_mask_rules_part_where_the_shape_is_no_box(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    triangle = {"points": [[1, 1], [31, 1], [1, 23]]}  # its box touches four cells, its pixels three
    submit(case, reader, box(0, 0, 1, 1, shape="polygon", geometry=triangle))
    score_case(case.pk)
    assert score(metric="ebpg").roi_cells == 4
    assert score(metric="ebpg", roi_rule=RoiRule.MASK).roi_cells == 3


def test_regions_of_one_frame_are_one_union(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, box(0, 13, 15, 23), box(17, 13, 31, 23))
    score_case(case.pk)
    found = score(metric="attention_ratio")
    assert found.roi_cells == 2
    assert found.values == pytest.approx(RATIOS["half"], abs=1e-6)


def test_a_reading_without_regions_has_no_grid_row(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, choice=None)
    assert score_case(case.pk) == 0
    assert not Score.objects.exists()


def test_each_image_has_its_own_rows(benchmark: Benchmark, reader: User, planted: ModelVersion) -> None:
    case = make_case(benchmark, "two", images=2)
    predict(planted, case)
    submit(case, reader, INSIDE, {**HALF, "image": 2})
    score_case(case.pk)
    assert score(metric="attention_ratio", image=1).values == pytest.approx(RATIOS["inside"], abs=1e-6)
    assert score(metric="attention_ratio", image=2).values == pytest.approx(RATIOS["half"], abs=1e-6)


def test_a_frame_that_was_not_shown_says_so(benchmark: Benchmark, reader: User, planted: ModelVersion) -> None:
    case = make_case(benchmark, "other frame")
    predict(planted, case)
    submit(case, reader, {**INSIDE, "frame": 3}, choice=None)
    score_case(case.pk)
    found = score(metric="attention_ratio")
    assert (found.frame, found.unavailable, found.values, found.n_cells) == (3, "frame_not_shown", [], None)
    assert set(Score.objects.values_list("unavailable", flat=True)) == {"frame_not_shown"}


def test_a_region_without_a_pixel_has_no_cell_by_mask(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, box(0, 0, 1, 1, shape="point", geometry={"x": 20, "y": 20}))
    score_case(case.pk)
    assert score(metric="ebpg").roi_cells == 1
    by_mask = score(metric="ebpg", roi_rule=RoiRule.MASK)
    assert (by_mask.unavailable, by_mask.roi_cells, by_mask.values) == ("no_cell", 0, [])


def test_a_region_of_every_cell_leaves_normalised_kl_undefined(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, box(0, 0, 64, 48))
    score_case(case.pk)
    assert score(metric="kl_norm").unavailable == "undefined"
    assert score(metric="attention_ratio").values == pytest.approx([1, 1], abs=1e-6)


def spoil(prediction: Prediction, layers: int, number: float) -> None:
    """Put one number everywhere into the first layers of its map."""
    (row,) = prediction.maps.all()
    size = row.rows * row.columns
    rest = np.frombuffer(row.question, dtype="<f4")[layers * size :]
    row.question = np.concatenate([np.full(layers * size, number, dtype="<f4"), rest]).tobytes()
    row.save()


@pytest.mark.parametrize("number", [0.0, math.nan, -1.0])
def test_a_layer_that_cannot_be_used_leaves_the_others_their_numbers(
    case: Case, reader: User, planted: ModelVersion, number: float
) -> None:
    spoil(predict(planted, case), 1, number)
    submit(case, reader, INSIDE)
    score_case(case.pk)
    for kind in MapKind:
        found = score(metric="attention_ratio", map=kind)
        assert found.unavailable == ""
        assert found.values == [None, pytest.approx(RATIOS["inside"][1], abs=1e-6)]
        assert found.nulls[0]["moved"]["median"] is None
        assert found.nulls[1]["moved"]["median"] is not None


@pytest.mark.parametrize("number", [0.0, math.nan, -1.0])
def test_a_map_without_a_usable_layer_is_unusable(
    case: Case, reader: User, planted: ModelVersion, number: float
) -> None:
    spoil(predict(planted, case), 2, number)
    submit(case, reader, INSIDE, choice=None)
    score_case(case.pk)
    assert set(Score.objects.values_list("unavailable", flat=True)) == {"unusable_map"}


def test_every_number_stands_beside_its_nulls(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, INSIDE)
    score_case(case.pk)
    nulls = score(metric="attention_ratio").nulls
    # One cell moved over 16 places: 12 get 1 / mean, 4 get gain / mean; the mean weight is 1.5 and 2.
    assert [null["moved"]["n"] for null in nulls] == [16, 16]
    assert [null["moved"]["median"] for null in nulls] == pytest.approx([1 / 1.5, 1 / 2])
    assert [null["moved"]["p95"] for null in nulls] == pytest.approx(RATIOS["inside"])
    assert nulls[0]["centre"] == nulls[1]["centre"] > 1
    assert [null["other_finding"] for null in nulls] == [None, None]


def test_another_finding_is_the_gold_of_another_case_over_the_same_image(
    benchmark: Benchmark, case: Case, reader: User, planted: ModelVersion
) -> None:
    other = make_case(benchmark, "asks about something else", images=0)
    CaseImage.objects.create(case=other, number=1, asset=case.images.get().asset)
    gold = Gold.objects.create(case=other, revision=1)
    GoldRoi.objects.create(gold=gold, **HALF)
    predict(planted, case)
    submit(case, reader, INSIDE)
    score_case(case.pk)
    nulls = score(metric="attention_ratio", target_kind=TargetKind.READING).nulls
    assert [null["other_finding"] for null in nulls] == pytest.approx(RATIOS["half"], abs=1e-6)


def test_gold_is_a_target_and_a_newer_revision_is_scored_too(case: Case, planted: ModelVersion) -> None:
    predict(planted, case)
    first = Gold.objects.create(case=case, revision=1, answer={"choice": "A"})
    GoldRoi.objects.create(gold=first, **INSIDE)
    score_case(case.pk)
    second = Gold.objects.create(case=case, revision=2, answer={"choice": "B"})
    GoldRoi.objects.create(gold=second, **HALF)
    score_case(case.pk)
    by_revision = {row.target_revision: row for row in Score.objects.filter(metric="answer_disagreement")}
    assert {key: row.values for key, row in by_revision.items()} == {1: [0.25], 2: [0.75]}
    assert by_revision[2].target_id == case.pk


def test_a_reading_of_another_input_is_not_held_against_the_prediction(
    case: Case, reader: User, planted: ModelVersion
) -> None:
    submit(case, reader, INSIDE)
    Case.objects.filter(pk=case.pk).update(input_digest="f" * 64)
    case.refresh_from_db()
    predict(planted, case)
    assert score_case(case.pk) == 0


def test_a_second_run_writes_nothing(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, INSIDE)
    first = score_case(case.pk)
    before = list(Score.objects.order_by("pk").values())
    assert first == 9 * 4 + 1
    assert score_case(case.pk) == 0
    assert list(Score.objects.order_by("pk").values()) == before


def test_replacing_gives_the_same_rows(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, INSIDE)
    score_case(case.pk)
    Score.objects.filter(metric="ebpg").update(values=[9.0, 9.0])
    count = Score.objects.count()
    assert score_case(case.pk, replaces=True) == count
    assert Score.objects.count() == count
    assert score(metric="ebpg").values == pytest.approx([1 / 8, 5 / 32], abs=1e-6)


def test_an_enrolments_metrics_are_kept_to_but_for_the_disagreements(
    case: Case, reader: User, planted: ModelVersion
) -> None:
    planted.enrolments.create(benchmark=case.benchmark, metrics=["ebpg"])
    predict(planted, case)
    submit(case, reader, INSIDE)
    score_case(case.pk)
    assert set(Score.objects.values_list("metric", flat=True)) == {"ebpg", "region_disagreement", "answer_disagreement"}


def test_facts_follow_the_headline_layer_and_the_worst_model(case: Case, reader: User, planted: ModelVersion) -> None:
    away = plant("looks away", focus="0.75,0.75,1,1", choice="B", headline_layer="0")
    predict(planted, case)
    predict(away, case)
    submit(case, reader, INSIDE)
    score_case(case.pk)
    facts = CaseFacts.objects.get(case=case)
    assert facts.predictions_done == 2
    # The cell ties with 14 others and is below the one in the focus: 1 - 7 / 15.
    assert facts.region_disagreement == pytest.approx(8 / 15)
    assert facts.answer_disagreement == pytest.approx(0.75)


def test_staff_and_submitted_readers_hear_of_it(
    case: Case, reader: User, other_reader: User, planted: ModelVersion
) -> None:
    predict(planted, case)
    submit(case, reader, INSIDE)
    score_case(case.pk)
    events = Event.objects.filter(type="score.changed")
    assert [(one.least_role, one.reader_id, one.is_blinded) for one in events] == [
        ("reviewer", None, True),
        ("reader", reader.pk, False),
    ]
    assert {one.payload["case"] for one in events} == {str(case.pk)}


def test_asking_twice_queues_one_run(case: Case, sent: Sent, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert request_scoring(case_id=case.pk) == request_scoring(case_id=case.pk)
    assert ScoringRun.objects.count() == 1
    assert [name for name, _ in sent] == ["inference.tasks.score_reading"]


@pytest.mark.django_db(transaction=True)
def test_of_eight_requests_one_run_is_queued_and_of_eight_workers_one_runs_it(threads: Any, sent: Sent) -> None:
    case = make_case(make_benchmark())
    predict(plant("planted"), case)
    ScoringRun.objects.all().delete()
    sent.clear()
    submit(case, make_user("rosa"), INSIDE)
    runs = threads(8, lambda: request_scoring(case_id=case.pk))
    assert len({run.pk for run in runs}) == 1
    assert len(sent) == 1
    states = threads(8, lambda: run_scoring(runs[0].pk))
    assert sorted(map(str, states)) == ["None"] * 7 + ["done"]
    assert Score.objects.count() == 37


@pytest.mark.django_db(transaction=True)
def test_eight_scorings_of_one_case_at_once_write_each_row_once(threads: Any) -> None:
    case = make_case(make_benchmark())
    predict(plant("planted"), case)
    submit(case, make_user("rosa"), INSIDE, HALF)
    assert len(threads(8, lambda: score_case(case.pk))) == 8
    assert Score.objects.count() == 37


def test_a_run_runs_once(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, INSIDE)
    run = request_scoring(case_id=case.pk)
    assert run_scoring(run.pk) == JobState.DONE
    assert run_scoring(run.pk) is None
    run.refresh_from_db()
    assert (run.attempts, run.cases_done, run.scores_written) == (1, 1, 37)


def test_a_failing_run_is_parked_after_three_attempts(
    case: Case, sent: Sent, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def fail(*_: Any, **__: Any) -> int:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(scoring, "score_case", fail)
    run = request_scoring(case_id=case.pk)
    with django_capture_on_commit_callbacks(execute=True):
        states = [run_scoring(run.pk) for _ in range(4)]
    assert states == [JobState.QUEUED, JobState.QUEUED, JobState.PARKED, None]
    run.refresh_from_db()
    assert (run.attempts, run.error) == (3, "RuntimeError: the disk is full")
    assert len(sent) == 2


def test_a_failed_run_makes_way_for_the_one_queued_meanwhile(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> int:
        request_scoring(case_id=case.pk)
        raise RuntimeError("once")

    first = request_scoring(case_id=case.pk)
    real = scoring.score_case
    monkeypatch.setattr(scoring, "_score_one", lambda run, held: fail())
    assert run_scoring(first.pk) == JobState.CANCELLED
    assert real(case.pk) == 0
    assert ScoringRun.objects.filter(state=JobState.QUEUED).count() == 1


def test_a_benchmark_run_covers_every_case_and_can_be_cancelled(
    benchmark: Benchmark, reader: User, planted: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [make_case(benchmark, f"case {number}") for number in range(3)]
    for case in cases:
        predict(planted, case)
        submit(case, reader, INSIDE)
    run = request_benchmark_scoring(benchmark=benchmark, model=planted, is_stale_only=True)
    assert run_scoring(run.pk) == JobState.DONE
    run.refresh_from_db()
    assert (run.kind, run.cases_total, run.cases_done, run.scores_written) == (RunKind.BENCHMARK, 3, 3, 3 * 37)

    second = request_benchmark_scoring(benchmark=benchmark, model=planted, is_stale_only=False)
    real = scoring.score_case

    def cancel_first(*args: Any, **kwargs: Any) -> int:
        ScoringRun.objects.filter(pk=second.pk).update(state=JobState.CANCELLED)
        return real(*args, **kwargs)

    monkeypatch.setattr(scoring, "score_case", cancel_first)
    assert run_scoring(second.pk) is None
    second.refresh_from_db()
    assert (second.state, second.cases_done) == (JobState.CANCELLED, 0)


def test_a_benchmark_run_that_runs_out_of_time_goes_on_where_it_stood(
    benchmark: Benchmark,
    planted: ModelVersion,
    sent: Sent,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    cases = [make_case(benchmark, f"case {number}").pk for number in range(9)]
    seen: list[Any] = []

    def two_a_slice(case_id: Any, **_: Any) -> int:
        if len(seen) % 3 == 2:
            seen.append(None)
            raise SoftTimeLimitExceeded
        seen.append(case_id)
        return 10

    monkeypatch.setattr(scoring, "score_case", two_a_slice)
    run = request_benchmark_scoring(benchmark=benchmark, model=planted, is_stale_only=False)
    with django_capture_on_commit_callbacks(execute=True):
        states = [run_scoring(run.pk) for _ in range(5)]
    assert states == [*[JobState.QUEUED] * 4, JobState.DONE]  # more slices than a failing run has attempts
    assert [one for one in seen if one is not None] == cases
    run.refresh_from_db()
    assert (run.attempts, run.cases_done, run.scores_written, run.error) == (1, 9, 90, "")
    assert sent == [("inference.tasks.score_reading", {"run_id": str(run.pk)})] * 4


def test_a_case_that_takes_all_the_time_there_is_ends_its_run(
    benchmark: Benchmark, planted: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(*_: Any, **__: Any) -> int:
        raise SoftTimeLimitExceeded

    make_case(benchmark)
    monkeypatch.setattr(scoring, "score_case", hang)
    run = request_benchmark_scoring(benchmark=benchmark, model=planted, is_stale_only=False)
    assert [run_scoring(run.pk) for _ in range(3)] == [JobState.QUEUED, JobState.QUEUED, JobState.PARKED]
    run.refresh_from_db()
    assert (run.attempts, run.error) == (3, "the worker's time ran out")


def test_queries_do_not_grow_with_readings(
    case: Case, reader: User, other_reader: User, planted: ModelVersion, django_assert_max_num_queries: Any
) -> None:
    predict(planted, case)
    for user in (reader, other_reader):
        submit(case, user, INSIDE, HALF)
    with django_assert_max_num_queries(82):
        score_case(case.pk)


def test_scoring_loads_no_torch() -> None:
    code = (
        "import django, sys; django.setup(); import inference.tasks; "
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n")
