"""How models stand: counts, estimates with intervals and nulls, staleness, snapshots, and the command."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client

from annotations.metrics.agreement import bootstrap_interval
from annotations.models import Draw
from annotations.reweighting import draws_of, reweighted
from curation.management.command import Failed
from curation.models import Benchmark, Case, Role, Snapshot, SnapshotCase, User
from inference import standing
from inference.enrolling import enrol
from inference.metrics.verdicts import set_verdict
from inference.models import ModelVersion, Verdict, VerdictTarget
from inference.scoring import score_case
from inference.standing import Standing, describe_standing, grids_differ, standings
from tests.factories import make_case, make_user
from tests.inference.conftest import box, plant, predict, submit

pytestmark = pytest.mark.django_db

FOCUS = box(17, 13, 47, 35)
CORNER = box(1, 1, 15, 11)


@pytest.fixture
def cases(benchmark: Benchmark) -> list[Case]:
    """Seven cases: the planted answer A is right on four of them."""
    return [make_case(benchmark, f"case-{at}", answer="A" if at < 4 else "B") for at in range(7)]


@pytest.fixture
def read(cases: list[Case], reader: User, planted: ModelVersion, benchmark: Benchmark) -> list[Case]:
    """Read by the planted control, and by an expert who points at its focus on three cases and elsewhere on four."""
    enrol(benchmark=benchmark, model=planted)
    for at, case in enumerate(cases):
        predict(planted, case)
        submit(case, reader, FOCUS if at % 2 else CORNER, choice=case.answer)
        score_case(case.pk)
    return cases


def only(benchmark: Benchmark, **wanted: Any) -> Standing:
    (row,) = standings(benchmark=benchmark, **wanted)
    return row


def test_counts_and_estimates_are_those_of_the_verdicts(read: list[Case], benchmark: Benchmark) -> None:
    row = only(benchmark)
    stored = Verdict.objects.filter(target_kind=VerdictTarget.CASE).order_by("position")
    assert (row.cases, row.right, row.numbers.accuracy.n, row.numbers.chance) == (7, 4, 7, 0.5)
    right = [float(bool(one.is_right)) for one in stored]
    assert row.numbers.accuracy.value == pytest.approx(4 / 7)
    images = [one.cluster for one in stored]
    assert row.numbers.accuracy.interval == pytest.approx(bootstrap_interval(right, np.mean, groups=images))
    ratios = [one.value for one in stored]
    nulls = {"centre": [one.centre for one in stored], "moved": [one.moved_median for one in stored]}
    by_hand = set_verdict(ratios, nulls, groups=images)  # type: ignore[arg-type]  # none of them is missing
    assert row.numbers.ratio.mean == by_hand.mean
    assert row.numbers.ratio.interval == pytest.approx(by_hand.interval)
    assert (row.numbers.ratio.is_grounded, row.numbers.ratio.nulls["other_finding"]) == (False, None)
    assert sum(row.quadrants.values()) == 7
    assert row.grounded == sum(bool(one.is_grounded) for one in stored) == 3
    assert sum(found.value or 0.0 for found in row.numbers.quadrants.values()) == pytest.approx(1)
    assert row.numbers.grid_cells == (16, 16)


def test_the_same_rows_give_the_same_numbers(read: list[Case], benchmark: Benchmark) -> None:
    assert only(benchmark).numbers == only(benchmark).numbers


def test_four_queries_however_many_cases_and_models(
    read: list[Case], benchmark: Benchmark, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(4):
        standings(benchmark=benchmark)
    enrol(benchmark=benchmark, model=plant("second"))
    with django_assert_num_queries(4):
        assert len(standings(benchmark=benchmark)) == 2


def test_a_model_without_cases_has_nothing_and_no_zero(benchmark: Benchmark, planted: ModelVersion) -> None:
    enrol(benchmark=benchmark, model=planted)
    row = only(benchmark)
    assert (row.cases, row.numbers.accuracy.value, row.numbers.ratio.mean, row.numbers.chance) == (0, None, None, None)
    assert row.numbers.grid_cells is None


def test_under_five_cases_there_is_no_interval(
    cases: list[Case], reader: User, planted: ModelVersion, benchmark: Benchmark
) -> None:
    enrol(benchmark=benchmark, model=planted)
    for case in cases[:4]:
        predict(planted, case)
        submit(case, reader, FOCUS)
        score_case(case.pk)
    numbers = only(benchmark).numbers
    assert (numbers.accuracy.value, numbers.accuracy.interval, numbers.accuracy.n) == (1.0, None, 4)
    assert (numbers.ratio.interval, numbers.ratio.is_grounded) == (None, None)


def test_a_share_of_none_or_all_has_the_exact_bound(
    cases: list[Case], reader: User, planted: ModelVersion, benchmark: Benchmark
) -> None:
    """A bootstrap of seven equal answers has no width, which would say certainty."""
    enrol(benchmark=benchmark, model=planted)
    for case in cases:
        Case.objects.filter(pk=case.pk).update(answer="A")
        predict(planted, case)
        submit(case, reader, CORNER)
        score_case(case.pk)
    numbers = only(benchmark).numbers
    assert numbers.accuracy.interval == pytest.approx((0.025 ** (1 / 7), 1.0))
    assert numbers.grounded.interval == pytest.approx((0.0, 1 - 0.025 ** (1 / 7)))


def test_cases_of_one_patient_are_drawn_together(read: list[Case], benchmark: Benchmark) -> None:
    alone = only(benchmark).numbers.accuracy.interval
    Case.objects.filter(pk__in=[case.pk for case in read[:4]]).update(patient="p1")
    Case.objects.filter(pk__in=[case.pk for case in read[4:]]).update(patient="p2")
    for case in read:
        score_case(case.pk)
    together = only(benchmark).numbers.accuracy.interval
    assert alone is not None
    assert together == (0.0, 1.0)
    assert together != alone


def test_stale_cases_count_and_are_told(read: list[Case], benchmark: Benchmark) -> None:
    Case.objects.filter(pk=read[0].pk).update(input_digest="other")
    row = only(benchmark)
    assert (row.cases, row.stale, row.stale_count) == (7, {"input_changed": 1}, 1)


def test_a_snapshot_has_its_cases_alone_as_they_were_frozen(read: list[Case], benchmark: Benchmark) -> None:
    snapshot = Snapshot.objects.create(
        digest="ab" * 32, benchmark=benchmark, protocol={}, case_count=2, image_count=2, reading_count=2
    )
    for case, digest in ((read[0], read[0].input_digest), (read[1], "as it was before")):
        SnapshotCase.objects.create(
            snapshot=snapshot, case=case, key=case.key, record={}, record_digest="0" * 64, input_digest=digest
        )
    assert only(benchmark, snapshot=snapshot).cases == 1


def test_grids_of_different_sizes_are_told(read: list[Case], benchmark: Benchmark) -> None:
    finer = plant("finer", rows="8", columns="8")
    enrol(benchmark=benchmark, model=finer)
    assert not grids_differ(standings(benchmark=benchmark))
    predict(finer, read[0])
    score_case(read[0].pk)
    assert grids_differ(standings(benchmark=benchmark))


def test_a_model_that_looks_where_the_experts_do_is_grounded_and_the_others_are_not(
    cases: list[Case], reader: User, benchmark: Benchmark
) -> None:
    looks = plant("looks", focus="0,0,0.25,0.25", gain="20")
    centre = plant("centre")
    for model in (looks, centre):
        enrol(benchmark=benchmark, model=model)
        for case in cases:
            predict(model, case)
    for case in cases:
        submit(case, reader, CORNER)
        score_case(case.pk)
    rows = {row.model.name: row for row in standings(benchmark=benchmark)}
    assert (rows["looks"].numbers.ratio.is_grounded, rows["looks"].grounded) == (True, 7)
    assert (rows["centre"].numbers.ratio.is_grounded, rows["centre"].grounded) == (False, 0)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("leaderboard", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_every_number_beside_its_nulls(read: list[Case], benchmark: Benchmark) -> None:
    said = run(benchmark.slug)
    for words in ("planted (planted, not trained): 7 cases", "chance 0.50", "centre map", "ROI moved", "not grounded"):
        assert words in said


def test_the_command_as_json(read: list[Case], benchmark: Benchmark) -> None:
    document = json.loads(run(benchmark.slug, "--json"))
    (row,) = document["results"]
    assert document["interval"] == {"level": 0.95, "draws": 1000, "seed": 0, "by": "patient, else first image"}
    assert set(row["attention_ratio"]["nulls"]) == {"centre", "moved", "other_finding"}
    assert (row["accuracy"]["right"], row["accuracy"]["n"], row["accuracy"]["chance"]) == (4, 7, 0.5)
    assert row["grid"]["n_cells"] == {"least": 16, "most": 16}
    assert row["grounded"]["count"] == 3
    assert json.loads(run(benchmark.slug, "--json")) == document


def test_the_command_finds_a_snapshot_by_digest_or_name(read: list[Case], benchmark: Benchmark) -> None:
    snapshot = Snapshot.objects.create(
        digest="ab" * 32, benchmark=benchmark, protocol={}, case_count=0, image_count=0, reading_count=0
    )
    snapshot.names.create(name="2026.1")
    for given in (snapshot.digest, "abababab", "2026.1"):
        assert json.loads(run(benchmark.slug, "--snapshot", given, "--json"))["snapshot"] == snapshot.digest
    with pytest.raises(Failed, match="no snapshot 'cdcdcdcd'"):
        run(benchmark.slug, "--snapshot", "cdcdcdcd")


def test_the_command_says_what_there_is_not(benchmark: Benchmark) -> None:
    assert "no model is enrolled in thorax" in run(benchmark.slug)
    with pytest.raises(Failed, match="no benchmark 'nothing'"):
        run("nothing")


def test_a_second_reader_does_not_double_a_case(read: list[Case], benchmark: Benchmark) -> None:
    second = make_user("nora", Role.READER, benchmark)
    submit(read[0], second, FOCUS)
    score_case(read[0].pk)
    assert only(benchmark).cases == 7


def test_very_many_clusters_are_drawn_in_larger_ones_and_the_interval_stays(
    read: list[Case], benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = only(benchmark).numbers
    monkeypatch.setattr(standing, "MOST_CLUSTERS", 5)
    merged = only(benchmark).numbers
    assert merged.accuracy.value == alone.accuracy.value
    assert merged.accuracy.interval is not None
    assert merged.accuracy.interval != alone.accuracy.interval


def test_uneven_draws_are_reweighted_beside_the_plain_numbers(
    read: list[Case], benchmark: Benchmark, curator: User, django_assert_num_queries: Any
) -> None:
    assert only(benchmark).over_all.ratio is None
    told = describe_standing(only(benchmark))
    assert told["attention_ratio"]["reweighted"] is None
    Case.objects.update(answer="")  # else accuracy is known whatever is drawn
    for at in range(5):
        make_case(benchmark, f"unread-{at}", answer="")
    for number, case in enumerate(read, start=1):
        chance = 0.9 if number < 5 else 0.02
        Draw.objects.create(
            case=case, benchmark=benchmark, number=number, pool=13 - number, probability=chance, is_random=number > 4,
            random_share=0.2,
        )  # fmt: skip
    with django_assert_num_queries(6):
        standings(benchmark=benchmark)
    row = only(benchmark)
    ratio = row.over_all.ratio
    assert ratio is not None
    assert (ratio.n, ratio.drawn, ratio.cases) == (7, 7, 12)
    assert ratio.effective_n < 7
    assert ratio.interval is not None
    draws = draws_of(benchmark)
    assert draws is not None
    stored = Verdict.objects.filter(target_kind=VerdictTarget.CASE).order_by("position")
    by_hand = reweighted(
        draws,
        positions=np.array([one.position for one in stored], float),
        values=np.array([one.value for one in stored], float),
    )
    assert by_hand is not None
    assert ratio.value == by_hand.value != row.numbers.ratio.mean
    told = describe_standing(row)
    assert told["attention_ratio"]["reweighted"]["value"] == ratio.value
    assert told["accuracy"]["reweighted"]["effective_n"] == told["grounded"]["reweighted"]["effective_n"]
    out = StringIO()
    call_command("leaderboard", benchmark.slug, stdout=out)
    assert out.getvalue().count("    reweighted       ") == 3
    assert "7 cases drawn by disagreement, 12 in all, effective n" in out.getvalue()
    client = Client()
    client.force_login(curator)
    html = client.get(f"/benchmarks/{benchmark.slug}/").content.decode()
    assert html.count("data-over-all=") == 3
    assert "Effective n" in html


def test_even_draws_show_nothing(read: list[Case], benchmark: Benchmark, curator: User) -> None:
    make_case(benchmark, "unread")
    for number, case in enumerate(read, start=1):
        pool = 9 - number
        Draw.objects.create(
            case=case, benchmark=benchmark, number=number, pool=pool, probability=1 / pool, is_random=True,
            random_share=1,
        )  # fmt: skip
    assert not only(benchmark).over_all.is_any
    client = Client()
    client.force_login(curator)
    assert "data-over-all=" not in client.get(f"/benchmarks/{benchmark.slug}/").content.decode()
