"""Agreement of a benchmark from stored rows, held against independent programs on the same readings."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from typing import Any
from unittest import mock

import krippendorff
import numpy as np
import pytest
from django.utils import timezone
from sklearn.metrics import cohen_kappa_score

from annotations import agreement
from annotations.agreement_pairs import pairs
from annotations.agreement_plan import plan_of
from annotations.agreement_read import by_label, by_modality, by_reader, ceiling, matrix, over_time, overview
from annotations.agreement_rows import FEWEST_CASES, READERS, Narrowed
from annotations.models import AgreementScore, Arm, CaseAgreement
from curation.models import Benchmark, Case, User
from tests.annotations.contents import roi
from tests.annotations.saying import say
from tests.factories import make_benchmark, make_case, make_user

CASES, LETTERS = 24, "ABCD"


def shifted(by: int, label: str | None = None) -> dict[str, Any]:
    return roi(label=label, geometry={"x0": 5.0 + by, "y0": 5, "x1": 15.0 + by, "y1": 15})


@pytest.fixture
def ratings(db: None) -> tuple[Benchmark, np.ndarray]:
    """Four readers of whom each leaves some cases out: places of letters, nan where one is missing."""
    rng = np.random.default_rng(4)
    benchmark = make_benchmark(overlap=4)
    readers = [make_user(f"reader{number}") for number in range(4)]
    truth = rng.integers(0, 4, CASES)
    said = np.where(rng.random((4, CASES)) < 0.6, truth, rng.integers(0, 4, (4, CASES))).astype(float)
    said[rng.random((4, CASES)) < 0.2] = np.nan
    for number in range(CASES):
        case = make_case(benchmark, f"case{number}", options=dict.fromkeys(LETTERS, "x"), patient=f"p{number // 2}")
        for reader, told in zip(readers, said[:, number], strict=True):
            if not math.isnan(told):
                box = shifted(int(rng.integers(0, 4)), "mass" if number % 2 else "cyst")
                say(case, reader, answer={"choice": LETTERS[int(told)]}, rois=[box], steps=[], entities=[])
        agreement.record_case(case.pk)
    order = np.argsort([str(reader.pk) for reader in readers])
    return benchmark, said[order]


def test_coefficients_are_those_of_independent_programs(ratings: tuple[Benchmark, np.ndarray]) -> None:
    benchmark, said = ratings
    found = overview(benchmark, Narrowed(level="ordinal"))
    for level in ("nominal", "ordinal", "interval"):
        oracle = krippendorff.alpha(said, level_of_measurement=level)
        number = found.answers[f"alpha_{level}"]
        assert number.value == pytest.approx(oracle, abs=1e-12)
        assert number.interval is not None
        assert number.interval[0] < oracle < number.interval[1]
    per_pair = []
    for a, b in itertools.combinations(range(4), 2):
        both = ~np.isnan(said[a]) & ~np.isnan(said[b])
        per_pair.append([cohen_kappa_score(said[a][both], said[b][both], weights=w) for w in (None, "linear")])
    light = np.mean(per_pair, axis=0)
    assert found.answers["cohen_kappa"].value == pytest.approx(light[0], abs=1e-12)
    assert found.answers["cohen_linear"].value == pytest.approx(light[1], abs=1e-12)
    assert found.answers["cohen_kappa"].why == "mean_of_pairs"
    rows = matrix(benchmark, Narrowed(level="ordinal"))
    assert len(rows) == 6
    for row, told in zip(rows, per_pair, strict=True):
        assert row.kappas is not None
        assert row.kappas.numbers["cohen_kappa"].value == pytest.approx(told[0], abs=1e-12)
        assert row.kappas.numbers["cohen_linear"].value == pytest.approx(told[1], abs=1e-12)
        assert row.kappas.numbers["cohen_kappa"].interval is not None


def test_shares_and_regions_are_means_over_cases(ratings: tuple[Benchmark, np.ndarray]) -> None:
    benchmark, said = ratings
    shares = []
    for column in said.T:
        told = column[~np.isnan(column)]
        if len(told) > 1:
            shares.append(np.mean([one == other for one, other in itertools.combinations(told, 2)]))
    found = overview(benchmark)
    percent, best = found.answers["percent_agreement"], ceiling(benchmark)["same_answer"]
    assert percent.value == pytest.approx(np.mean(shares), abs=1e-12)
    assert best.value == pytest.approx(np.mean(shares), abs=1e-9)  # the means of cases are kept to 1e-9
    assert percent.n == best.n == len(shares) == found.cases
    assert percent.pairs == best.pairs == AgreementScore.objects.count()
    assert percent.interval == pytest.approx(best.interval, abs=0.05)
    by_case: dict[Any, list[float]] = {}
    for row in AgreementScore.objects.all():
        by_case.setdefault(row.case_id, []).append(row.iou or 0.0)
    assert found.regions["iou"].value == pytest.approx(np.mean([np.mean(values) for values in by_case.values()]))
    assert found.regions["hausdorff_mm"].value is None
    assert found.regions["hausdorff_mm"].why == "no_pairs"
    assert found.readers == 4


def test_split_by_reader_label_modality_and_time(ratings: tuple[Benchmark, np.ndarray]) -> None:
    benchmark, _ = ratings
    one = by_reader(benchmark)
    assert len(one) == 4
    assert sum(part.pairs for part in one) == 2 * AgreementScore.objects.count()
    labels = {part.key: part for part in by_label(benchmark)}
    assert set(labels) == {"cyst", "mass"}
    assert sum(part.cases for part in labels.values()) == overview(benchmark).cases
    assert overview(benchmark, Narrowed(label="mass")).regions["iou"] == labels["mass"].numbers["iou"]
    assert by_modality(benchmark) == []  # the images say none
    [week] = over_time(benchmark)
    assert week.numbers["same_answer"].value == overview(benchmark).answers["percent_agreement"].value
    assert over_time(benchmark, Narrowed(until=CaseAgreement.objects.order_by("said_at")[0].said_at)) == []


def test_a_span_of_time_means_the_same_for_every_number(db: None) -> None:
    """A case stands where it was last read, with all of its pairs, those of two earlier readings too."""
    benchmark = make_benchmark(overlap=3)
    readers = [make_user(name) for name in ("one", "two", "three")]
    days = [dt.datetime(2026, 3, day, 12, tzinfo=dt.UTC) for day in (2, 9, 16)]
    for number in range(6):
        case = make_case(benchmark, f"case{number}")
        for place, reader in enumerate(readers[: 2 + number % 2]):
            with mock.patch.object(timezone, "now", return_value=days[place]):
                say(case, reader, answer={"choice": "AB"[number == 0 and place]}, rois=[], steps=[], entities=[])
        agreement.record_case(case.pk)
    assert [(week.key, week.cases, week.pairs) for week in over_time(benchmark)] == [
        ("2026-03-09", 3, 3),
        ("2026-03-16", 3, 9),
    ]
    for narrowed, cases, count in (
        (Narrowed(since=days[2]), 3, 9),
        (Narrowed(until=days[2]), 3, 3),
        (Narrowed(since=days[0], until=days[1]), 0, 0),
        (Narrowed(since=days[1]), 6, 12),
    ):
        found = overview(benchmark, narrowed)
        told = found.answers["percent_agreement"]
        assert (found.cases, found.pairs, told.n, told.pairs) == (cases, count, cases, count)
        same = ceiling(benchmark, narrowed)["same_answer"]
        assert (same.value, same.pairs) == (told.value and pytest.approx(told.value), count)
        assert len(pairs(benchmark, "same_answer", narrowed).pairs) == count
        assert sum(row.cases for row in matrix(benchmark, narrowed)) == count


def test_narrowed_to_one_reader(ratings: tuple[Benchmark, np.ndarray]) -> None:
    benchmark, _ = ratings
    part = by_reader(benchmark)[0]
    reader = matrix(benchmark)[0].a
    found = overview(benchmark, Narrowed(reader=reader))
    assert str(reader) == part.key
    assert found.answers["same_answer"] == part.numbers["same_answer"]
    assert set(found.answers) == {"same_answer", "cohen_kappa"}


def test_nothing_to_compare_is_undefined(db: None) -> None:
    found = overview(make_benchmark())
    assert (found.cases, found.pairs, found.readers) == (0, 0, 0)
    assert {number.value for number in found.answers.values()} == {None}
    assert {number.why for number in found.answers.values()} == {"no_pairs"}
    assert ceiling(make_benchmark("other"))["iou"].value is None
    assert matrix(make_benchmark("third"), kinds=[READERS]) == []


def test_all_alike_is_no_kappa_and_no_certainty(db: None) -> None:
    benchmark = make_benchmark()
    readers = [make_user(name) for name in ("one", "two")]
    for number in range(FEWEST_CASES):
        case = make_case(benchmark, f"case{number}")
        for reader in readers:
            say(case, reader)
        agreement.record_case(case.pk)
    found = overview(benchmark)
    assert found.answers["percent_agreement"].value == 1.0
    assert found.answers["percent_agreement"].interval == pytest.approx((0.025 ** (1 / FEWEST_CASES), 1.0))
    for name in ("alpha_nominal", "fleiss_kappa", "gwet_ac1", "cohen_kappa"):
        assert (found.answers[name].value, found.answers[name].why) == (None, "one_category")


def test_what_is_alike_in_every_case_is_not_shown_as_certain(db: None) -> None:
    """The same overlap each time, the same distance each time, both answers always shared: no spread to draw from."""
    benchmark = make_benchmark()
    readers = [make_user(name) for name in ("one", "two")]
    for number in range(FEWEST_CASES + 1):
        case = make_case(benchmark, f"case{number}", patient=f"p{number}")
        for place, reader in enumerate(readers):
            box = shifted(5 * place)
            say(case, reader, answer={"choice": "AB"[number % 2]}, rois=[box], steps=[], entities=[])
        agreement.record_case(case.pk)
    found = overview(benchmark)
    there = 0.025 ** (1 / (FEWEST_CASES + 1))
    iou = found.regions["iou"]
    assert iou.value == pytest.approx(1 / 3)
    assert iou.interval == pytest.approx((there / 3, there / 3 + 1 - there))
    assert found.answers["percent_agreement"].interval == pytest.approx((there, 1.0))
    assert found.regions["detection_f1"].interval == pytest.approx((0.0, 1 - there))
    distance = found.regions["hausdorff_px"]
    assert (distance.value, distance.interval, distance.why) == (5.0, None, "no_spread")
    for name in ("alpha_nominal", "fleiss_kappa", "gwet_ac1", "cohen_kappa"):
        assert (found.answers[name].value, found.answers[name].interval) == (1.0, None), name
        assert found.answers[name].why == "no_spread"
    assert plan_of(found.answers["alpha_nominal"], benchmark, 0.05).readings is None
    assert (plan_of(iou, benchmark, 0.05).readings or 0) > 0


def test_who_was_read_once_and_one_patient_give_no_certainty(db: None) -> None:
    """Many cases that one person answered say nothing of the spread of those that two did."""
    benchmark = make_benchmark()
    readers = [make_user(name) for name in ("one", "two")]

    def read(number: int, patient: str, *who: User) -> None:
        case = make_case(benchmark, f"case{number}", patient=patient)
        for reader in who:
            say(case, reader, answer={"choice": "A"})
        agreement.record_case(case.pk)

    for number in range(FEWEST_CASES):
        read(number, "the same", *readers)
    for number in range(10, 30):
        read(number, f"p{number}", readers[0])
    found = overview(benchmark)
    for told in (found.answers["percent_agreement"], found.regions["iou"]):
        assert (told.value, told.interval, told.n, told.why) == (1.0, None, FEWEST_CASES, "one_cluster")
    for number in range(40, 42):
        read(number, f"p{number}", *readers)
    found = overview(benchmark)
    for told in (found.answers["percent_agreement"], found.regions["iou"]):
        assert told.interval == pytest.approx((0.025 ** (1 / 3), 1.0))  # of three patients


def test_free_text_has_shares_but_no_kappa(db: None) -> None:
    benchmark = make_benchmark()
    readers = [make_user(name) for name in ("one", "two")]
    for number in range(70):
        case = make_case(benchmark, f"case{number}", options=None)
        for place, reader in enumerate(readers):
            text = f"finding {number}" if number % 7 else f"finding {number} {place}"
            say(case, reader, answer={"text": text.upper() if place else text}, rois=[], steps=[], entities=[])
        agreement.record_case(case.pk)
    found = overview(benchmark)
    assert found.answers["percent_agreement"].value == pytest.approx(60 / 70)
    assert found.answers["alpha_nominal"].why == "open_answers"


def test_the_aided_arm_is_its_own(db: None) -> None:
    benchmark = make_benchmark()
    case: Case = make_case(benchmark)
    for name, letter in (("one", "A"), ("two", "B")):
        reader = make_user(name)
        say(case, reader, answer={"choice": letter})
        say(case, reader, arm=Arm.AIDED, answer={"choice": "A"})
    agreement.record_case(case.pk)
    assert overview(benchmark).answers["percent_agreement"].value == 0.0
    assert overview(benchmark, Narrowed(arm=Arm.AIDED)).answers["percent_agreement"].value == 1.0


@pytest.mark.parametrize("cases", [2, 6])
def test_queries_do_not_grow(db: None, django_assert_num_queries: Any, cases: int) -> None:
    benchmark = make_benchmark()
    readers = [make_user(name) for name in ("one", "two", "three")]
    for number in range(cases):
        case = make_case(benchmark, f"case{number}")
        for reader in readers:
            say(case, reader)
        agreement.record_case(case.pk)
    with django_assert_num_queries(6):
        overview(benchmark)
    with django_assert_num_queries(4):
        matrix(benchmark)
    with django_assert_num_queries(2):
        ceiling(benchmark)
