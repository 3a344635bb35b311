"""The read model of verdicts: what its rows say, when they are written, stale or gone, and that it can be proved."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from curation.management.command import Failed
from curation.models import Benchmark, Case, Gold, GoldRoi, Role, User
from inference import verdicts
from inference.currency import with_staleness
from inference.enrolling import enrol
from inference.models import ModelVersion, Score, ScoringRun, Verdict, VerdictTarget
from inference.scoring import score_case
from tests.factories import make_case, make_user
from tests.inference.conftest import box, plant, predict, submit

pytestmark = pytest.mark.django_db

# As in test_scoring: cells of 16 x 12 pixels, the focus in columns 1-2, rows 1-2 with 5 times the attention.
INSIDE = box(17, 13, 31, 23)  # one cell of the focus
OUTSIDE = box(1, 1, 15, 11)  # the corner cell
FOCUS = box(17, 13, 47, 35)  # all four cells of the focus: no other place holds as much


def verdict(kind: str = VerdictTarget.CASE, **wanted: Any) -> Verdict:
    return Verdict.objects.get(target_kind=kind, **wanted)


def why_stale(row: Verdict) -> str:
    found: str = with_staleness(Verdict.objects.filter(pk=row.pk)).get().stale_because
    return found


def without_answer(case: Case) -> None:
    """The source names no answer: the readings' counts."""
    Case.objects.filter(pk=case.pk).update(answer=None)


def give_gold(case: Case, *rois: dict[str, Any], answer: Any = None) -> Gold:
    revision = case.golds.count() + 1
    gold = Gold.objects.create(case=case, revision=revision, answer=answer)
    GoldRoi.objects.bulk_create(GoldRoi(gold=gold, number=at, **roi) for at, roi in enumerate(rois, start=1))
    return gold


def test_scoring_writes_one_row_for_the_reading_and_one_for_the_case(
    case: Case, reader: User, planted: ModelVersion
) -> None:
    prediction = predict(planted, case)
    reading = submit(case, reader, FOCUS)
    score_case(case.pk)
    assert set(Verdict.objects.values_list("target_kind", "target_id")) == {("reading", reading.pk), ("case", case.pk)}
    stored = Score.objects.get(metric="attention_ratio", map="relative", roi_rule="box")
    row = verdict()
    assert (row.prediction_id, row.layer, row.row_count, row.rows_unavailable) == (prediction.pk, 1, 1, 0)
    assert row.value == stored.values[1] == pytest.approx(2.5)
    assert row.absolute_value == pytest.approx(2.5)
    assert (row.n_cells, row.roi_share) == (16, 0.25)
    nulls = stored.nulls[1]
    assert (row.centre, row.moved_median, row.moved_p95, row.other_finding) == (
        nulls["centre"],
        nulls["moved"]["median"],
        nulls["moved"]["p95"],
        None,
    )


def test_looking_at_the_middle_alone_is_right_but_not_grounded(case: Case, reader: User, planted: ModelVersion) -> None:
    """The planted focus gives 2.5 times chance, and a plain centre map gives about as much."""
    predict(planted, case)
    submit(case, reader, FOCUS, choice="A")
    score_case(case.pk)
    row = verdict()
    assert row.centre is not None
    assert row.value is not None
    assert (row.is_right, row.is_grounded) == (True, row.value > row.centre)


@pytest.mark.parametrize(
    ("choice", "roi", "quadrant"),
    [("A", OUTSIDE, "right_not_grounded"), ("B", OUTSIDE, "wrong_not_grounded")],
)
def test_quadrants_from_the_reading(
    choice: str, roi: dict[str, Any], quadrant: str, case: Case, reader: User, planted: ModelVersion
) -> None:
    without_answer(case)
    predict(planted, case)
    submit(case, reader, roi, choice=choice)
    score_case(case.pk)
    assert verdict().quadrant == verdict("reading").quadrant == quadrant


def test_a_model_that_looks_at_the_region_is_grounded(case: Case, reader: User) -> None:
    model = plant("corner", focus="0,0,0.25,0.25", gain="20")
    predict(model, case)
    submit(case, reader, OUTSIDE, choice="A")
    score_case(case.pk)
    assert verdict().quadrant == "right_grounded"


def test_gold_stands_for_the_case_and_the_source_for_its_answer(
    case: Case, reader: User, planted: ModelVersion
) -> None:
    Case.objects.filter(pk=case.pk).update(answer="B")
    give_gold(case, OUTSIDE)
    predict(planted, case)
    submit(case, reader, FOCUS, choice="A")
    score_case(case.pk)
    row = verdict()
    assert row.value == verdict("gold").value == pytest.approx(0.5)
    assert (row.is_right, verdict("gold").is_right, verdict("reading").is_right) == (False, None, True)


def test_a_gold_without_regions_leaves_them_to_the_readings(case: Case, reader: User, planted: ModelVersion) -> None:
    give_gold(case, answer={"choice": "B"})
    predict(planted, case)
    submit(case, reader, FOCUS, choice="A")
    score_case(case.pk)
    assert verdict().value == pytest.approx(2.5)
    assert verdict().is_right is False
    assert verdict("gold").why_unknown == "no_region"


def test_of_several_readings_rows_are_averaged_and_the_most_chosen_option_counts(
    case: Case, reader: User, other_reader: User, planted: ModelVersion, benchmark: Benchmark
) -> None:
    third = make_user("nora", Role.READER, benchmark)
    without_answer(case)
    predict(planted, case)
    submit(case, reader, FOCUS, choice="A")
    submit(case, other_reader, OUTSIDE, choice="A")
    submit(case, third, choice="B")
    score_case(case.pk)
    row = verdict()
    assert row.value == pytest.approx(1.5)
    assert (row.row_count, row.is_right) == (2, True)


def test_a_tie_of_readings_says_nothing_of_the_answer(
    case: Case, reader: User, other_reader: User, planted: ModelVersion
) -> None:
    without_answer(case)
    predict(planted, case)
    submit(case, reader, FOCUS, choice="A")
    submit(case, other_reader, FOCUS, choice="B")
    score_case(case.pk)
    assert (verdict().is_right, verdict().quadrant) == (None, "unknown")


def test_a_model_without_an_answer_is_not_right(case: Case, reader: User, planted: ModelVersion) -> None:
    prediction = predict(planted, case)
    prediction.choice = ""
    prediction.save()
    submit(case, reader, FOCUS, choice="A")
    score_case(case.pk)
    assert verdict().is_right is False


def test_a_prediction_nobody_read_yet_has_an_unknown_verdict(case: Case, planted: ModelVersion) -> None:
    predict(planted, case)
    score_case(case.pk)
    row = verdict()
    assert (row.quadrant, row.why_unknown, row.value, row.option_count) == ("unknown", "no_region", None, 2)


def test_a_frame_that_was_not_shown_is_told_as_the_reason(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, {**FOCUS, "frame": 7})
    score_case(case.pk)
    assert (verdict().why_unknown, verdict().rows_unavailable) == ("frame_not_shown", 1)


def test_an_enrolment_without_the_ratio_leaves_it_unscored(
    case: Case, reader: User, planted: ModelVersion, benchmark: Benchmark
) -> None:
    enrol(benchmark=benchmark, model=planted, metrics=["ebpg"])
    predict(planted, case)
    submit(case, reader, FOCUS)
    score_case(case.pk)
    assert verdict().why_unknown == "not_scored"


def test_a_newer_revision_makes_it_stale_until_it_is_scored(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, FOCUS)
    score_case(case.pk)
    assert why_stale(verdict()) == ""
    submit(case, reader, OUTSIDE)
    assert why_stale(verdict()) == "revision_superseded"
    score_case(case.pk)
    assert why_stale(verdict()) == ""
    assert verdict().value == pytest.approx(0.5)


def test_another_question_makes_it_stale_and_a_new_prediction_takes_its_place(
    case: Case, reader: User, planted: ModelVersion
) -> None:
    old = predict(planted, case)
    submit(case, reader, FOCUS)
    score_case(case.pk)
    Case.objects.filter(pk=case.pk).update(input_digest="other", version=2)
    case.refresh_from_db()
    assert why_stale(verdict()) == "input_changed"
    score_case(case.pk)
    assert verdict().value == pytest.approx(2.5)
    assert (verdict().prediction_id, why_stale(verdict())) == (old.pk, "input_changed")
    new = predict(planted, case)
    score_case(case.pk)
    assert set(Verdict.objects.values_list("prediction_id", flat=True)) == {new.pk}
    assert verdict().why_unknown == "no_region"  # the reading was of the other question


def test_readings_of_another_question_have_no_vote(case: Case, reader: User, planted: ModelVersion) -> None:
    without_answer(case)
    predict(planted, case)
    submit(case, reader, FOCUS, choice="A")
    score_case(case.pk)
    assert verdict().is_right is True
    Case.objects.filter(pk=case.pk).update(input_digest="other", version=2)
    case.refresh_from_db()
    predict(planted, case)
    score_case(case.pk)
    assert verdict().is_right is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"prediction": {"rendering": "0"}}, "rendering_changed"),
        ({"prediction": {"prompt_digest": "old"}}, "prompt_changed"),
        ({"case": {"version": 9}}, "revision_superseded"),
        ({"verdict": {"metric_version": "0"}}, "metric_changed"),
    ],
)
def test_each_change_is_told_by_its_name(
    change: dict[str, Any], reason: str, case: Case, reader: User, planted: ModelVersion
) -> None:
    prediction = predict(planted, case)
    submit(case, reader, FOCUS)
    score_case(case.pk)
    rows: dict[str, Any] = {
        "prediction": type(prediction).objects.all(),
        "case": Case.objects.all(),
        "verdict": Verdict.objects.all(),
    }
    for name, fields in change.items():
        rows[name].update(**fields)
    assert why_stale(verdict()) == reason


def test_recording_twice_changes_nothing(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, FOCUS)
    score_case(case.pk)
    before = list(Verdict.objects.order_by("pk").values())
    assert verdicts.record([case.pk]) == 2
    assert list(Verdict.objects.order_by("pk").values()) == before


def test_recording_costs_the_same_for_many_cases(
    benchmark: Benchmark, reader: User, planted: ModelVersion, django_assert_num_queries: Any
) -> None:
    cases = [make_case(benchmark, f"case-{index}") for index in range(6)]
    for one in cases:
        predict(planted, one)
        submit(one, reader, FOCUS)
    verdicts.record([one.pk for one in cases])
    with django_assert_num_queries(10):
        verdicts.record([one.pk for one in cases])
    with django_assert_num_queries(10):
        verdicts.record([cases[0].pk])


def test_rebuild_facts_finds_and_mends_what_differs(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)
    submit(case, reader, FOCUS)
    score_case(case.pk)
    call_command("rebuild_facts", stdout=StringIO())
    ScoringRun.objects.all().delete()
    call_command("rebuild_facts", "--check", stdout=StringIO())
    Verdict.objects.filter(target_kind="case").update(value=9.0)
    Verdict.objects.filter(target_kind="reading").delete()
    said = StringIO()
    with pytest.raises(Failed, match="4 facts differ"):
        call_command("rebuild_facts", "--check", stdout=said)
    assert "value: stored 9.0, computed 2.4999" in said.getvalue()
    call_command("rebuild_facts", stdout=StringIO())
    call_command("rebuild_facts", "--check", stdout=StringIO())


def test_a_case_whose_scoring_waits_is_not_called_different(case: Case, reader: User, planted: ModelVersion) -> None:
    predict(planted, case)  # leaves a queued run behind
    submit(case, reader, FOCUS)
    assert ScoringRun.objects.filter(case=case, state="queued").exists()
    assert verdicts.differing([case.pk]) == []
    ScoringRun.objects.all().delete()
    assert len(verdicts.differing([case.pk])) == 2
