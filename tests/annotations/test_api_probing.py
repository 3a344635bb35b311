"""Rate, training and marks over HTTP, and what a reader in training is told."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from annotations.aided import open_aided
from annotations.assigning import HandedOut, next_case
from annotations.drafting import save_draft
from annotations.models import Reading, Review, ReviewState
from annotations.submission import revise, submit
from curation.models import AuditEvent, Benchmark, Case, Gold, GoldRoi, User
from tests.annotations.contents import content
from tests.factories import make_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient


@pytest.fixture
def golden_case(benchmark: Benchmark) -> Case:
    case = make_case(benchmark, "golden")
    gold = Gold.objects.create(case=case, revision=1, answer="A", steps=[{"text": "the square is bright"}])
    GoldRoi.objects.create(gold=gold, image=1, shape="box", geometry={"x0": 1, "y0": 1, "x1": 5, "y1": 5})
    return case


def address(benchmark: Benchmark, name: str = "benchmark-probing") -> str:
    return reverse(name, args=[benchmark.slug])


def test_rate_training_and_marks_in_one_call(
    benchmark: Benchmark, golden_case: Case, curator: User, api: Callable[[User], APIClient]
) -> None:
    body = {"probe_rate": 0.1, "is_training": True, "mark": [str(golden_case.pk)]}
    expected = {"probe_rate": 0.1, "is_training": True, "probes": 1, "cases_with_gold": 1, "results": 0}
    assert api(curator).patch(address(benchmark), body, format="json").json() == expected
    assert api(curator).get(address(benchmark)).json() == expected
    (row,) = api(curator).get(address(benchmark, "benchmark-probes")).json()["results"]
    assert row == {"case": str(golden_case.pk), "key": "golden", "gold_revision": 1, "times_read": 0}
    changed = AuditEvent.objects.get(action="benchmark.probing_changed")
    assert (changed.before, changed.after) == (
        {"probe_rate": 0.0, "is_training": False},
        {"probe_rate": 0.1, "is_training": True},
    )
    gone = api(curator).patch(address(benchmark), {"unmark": [str(golden_case.pk)]}, format="json")
    assert gone.json()["probes"] == 0


@pytest.mark.parametrize(
    ("body", "path", "detail"),
    [
        ({}, "", "the body says nothing"),
        ([], "", "the body is not an object"),
        ({"rate": 0.1}, "rate", ""),
        ({"probe_rate": 0.6}, "probe_rate", "0.6"),
        ({"probe_rate": "much"}, "probe_rate", "much"),
        ({"probe_rate": 10**400}, "probe_rate", ""),
        ({"is_training": 1}, "is_training", "neither true nor false"),
        ({"mark": "all"}, "mark", ""),
        ({"mark": ["x"]}, "mark[0]", "is not a UUID"),
        ({"mark": [str(uuid.UUID(int=7))]}, "mark", "is no case of this benchmark"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_path(
    benchmark: Benchmark,
    golden_case: Case,
    curator: User,
    api: Callable[[User], APIClient],
    body: Any,
    path: str,
    detail: str,
) -> None:
    answer = api(curator).patch(address(benchmark), body, format="json")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["path"] == path
    assert detail in error["detail"]
    assert Benchmark.objects.get().probe_rate == 0


def test_nothing_changes_where_one_case_has_no_gold(
    benchmark: Benchmark, golden_case: Case, case: Case, curator: User, api: Callable[[User], APIClient]
) -> None:
    body = {"probe_rate": 0.1, "mark": [str(golden_case.pk), str(case.pk)]}
    answer = api(curator).patch(address(benchmark), body, format="json")
    assert answer.json()["errors"] == [{"path": "mark", "detail": "no gold is in force for case1"}]
    assert not Case.objects.filter(is_probe=True).exists()
    assert Benchmark.objects.get().probe_rate == 0


def test_the_list_costs_the_same_however_long(
    benchmark: Benchmark, curator: User, api: Callable[[User], APIClient], django_assert_num_queries: Any
) -> None:
    counts: list[int] = []
    for number in range(12):
        case = make_case(benchmark, f"case{number}", is_probe=True)
        Gold.objects.create(case=case, revision=1, answer="A")
    client = api(curator)
    client.get(address(benchmark, "benchmark-probes"))
    with django_assert_num_queries(4):  # and that it was looked at
        counts.append(len(client.get(address(benchmark, "benchmark-probes")).json()["results"]))
    assert counts == [12]


def read(reader: User, benchmark: Benchmark) -> Reading:
    handed = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(handed, HandedOut)
    save_draft(reading_id=handed.reading.pk, version=0, content=content())
    submit(reading_id=handed.reading.pk, version=1, key="k")
    return handed.reading


def test_in_training_the_gold_is_told_after_the_submit(
    benchmark: Benchmark, golden_case: Case, reader: User, curator: User, api: Callable[[User], APIClient]
) -> None:
    Review.objects.create(
        case=golden_case,
        number=1,
        state=ReviewState.CLOSED,
        reason="both readers missed it",
        opened_by=curator,
        closed_by=curator,
        closed_at=timezone.now(),
        gold_revision=1,
    )
    Benchmark.objects.update(is_training=True)
    handed = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(handed, HandedOut)
    early = api(reader).get(reverse("reading-feedback", args=[handed.reading.pk]))
    assert (early.status_code, early.json()["type"]) == (403, "/problems/no-feedback")
    reading = read(reader, benchmark)
    told = api(reader).get(reverse("reading-feedback", args=[reading.pk])).json()
    assert (told["is_known"], told["is_right"], told["answer"]) == (True, False, "A")
    assert (told["region_iou"], told["reason"]) == (0.0, "both readers missed it")
    assert told["rois"][0]["geometry"] == {"x0": 1, "y0": 1, "x1": 5, "y1": 5}
    assert told["steps"] == [{"text": "the square is bright"}]
    version = revise(reading_id=reading.pk).version
    assert submit(reading_id=reading.pk, version=version, key="k2").is_after_looking is True


def test_a_case_without_gold_says_so(
    benchmark: Benchmark, case: Case, reader: User, api: Callable[[User], APIClient]
) -> None:
    Benchmark.objects.update(is_training=True)
    told = api(reader).get(reverse("reading-feedback", args=[read(reader, benchmark).pk])).json()
    assert (told["is_known"], told["answer"], told["rois"]) == (False, None, [])


@pytest.mark.parametrize("is_golden", [True, False])
def test_outside_training_nothing_is_told_and_nothing_gives_gold_away(
    benchmark: Benchmark, reader: User, api: Callable[[User], APIClient], is_golden: bool
) -> None:
    case = make_case(benchmark)
    if is_golden:
        Gold.objects.create(case=case, revision=1, answer="A")
    reading = read(reader, benchmark)
    answer = api(reader).get(reverse("reading-feedback", args=[reading.pk]))
    assert answer.status_code == 403
    assert answer.json() == {
        "type": "/problems/no-feedback",
        "title": "There is no feedback",
        "status": 403,
        "detail": "this benchmark is not in training mode: readers are not told its gold",
        "errors": [],
    }
    assert not AuditEvent.objects.filter(action="case.looked").exists()


def test_of_an_aided_reading_and_to_others_nothing_is_told(
    benchmark: Benchmark,
    golden_case: Case,
    reader: User,
    other_reader: User,
    curator: User,
    api: Callable[[User], APIClient],
) -> None:
    Benchmark.objects.update(is_training=True)
    reading = read(reader, benchmark)
    aided = open_aided(reading_id=reading.pk)
    assert api(reader).get(reverse("reading-feedback", args=[aided.pk])).status_code == 403
    assert api(other_reader).get(reverse("reading-feedback", args=[reading.pk])).status_code == 404
    assert api(curator).get(reverse("reading-feedback", args=[reading.pk])).status_code == 403
