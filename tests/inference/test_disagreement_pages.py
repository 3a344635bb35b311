"""The disagreement score where people see it: case page, API, and cases right for the wrong reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from curation.models import AuditEvent, Benchmark, Case, CaseFacts, Role, User
from inference import wrong_reasons
from inference.enrolling import enrol
from inference.metrics.priority import WEIGHTS
from inference.models import ModelVersion
from inference.scoring import score_case
from tests.factories import make_case, make_user
from tests.inference.conftest import box, plant, predict, submit

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]

FOCUS = box(17, 13, 47, 35)
CORNER = box(1, 1, 15, 11)
WRONG = "/benchmarks/thorax/wrong-reason/"


@pytest.fixture
def taught(planted: ModelVersion) -> ModelVersion:
    """The planted model, said to be trained."""
    planted.is_trained = True
    planted.save()
    return planted


def page(user: User, address: str, status: int = 200) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def read(benchmark: Benchmark, model: ModelVersion, reader: User, key: str, roi: dict[str, Any]) -> Case:
    """A case that the model answers rightly, with an expert's region."""
    case = make_case(benchmark, key, answer="A")
    predict(model, case)
    submit(case, reader, roi, choice="A")
    score_case(case.pk)
    return case


def test_the_case_page_shows_every_part(
    benchmark: Benchmark, taught: ModelVersion, reader: User, other_reader: User, curator: User
) -> None:
    case = read(benchmark, taught, reader, "c", FOCUS)
    submit(case, other_reader, FOCUS, choice="B")
    score_case(case.pk)
    html = page(curator, f"/cases/{case.pk}/")
    assert re.findall(r'data-part="(\w+)"', html) == list(WEIGHTS)
    assert "2 readers" in html
    assert 'data-live="priority.changed" data-live-where="case=' in html
    assert re.search(r'data-figure="disagreement">0\.\d\d', html)


def test_a_case_without_anything_to_compare_says_so(case: Case, curator: User) -> None:
    html = page(curator, f"/cases/{case.pk}/")
    assert "Nobody to compare yet" in html
    assert 'data-figure="disagreement">–' in html


def test_a_reader_is_not_shown_it_before_or_after_submitting(
    case: Case, reader: User, other_reader: User, api: Api
) -> None:
    submit(case, other_reader, choice="B")
    score_case(case.pk)
    assert "case-disagreement" not in page(reader, f"/cases/{case.pk}/")
    submit(case, reader, choice="A")
    score_case(case.pk)
    assert "case-disagreement" not in page(reader, f"/cases/{case.pk}/")
    assert api(reader).get(f"/api/v1/cases/{case.pk}/disagreement/").status_code == 403


def test_a_curator_who_must_still_read_is_refused(case: Case, other_reader: User, api: Api) -> None:
    both = make_user("bea", Role.READER, case.benchmark)
    both.memberships.create(benchmark=case.benchmark, role=Role.CURATOR)
    answer = api(both).get(f"/api/v1/cases/{case.pk}/disagreement/")
    assert (answer.status_code, "blind" in answer.json()["detail"]) == (403, True)
    assert "case-disagreement" not in page(both, f"/cases/{case.pk}/")
    page(both, WRONG, status=403)


def test_the_api_gives_value_weight_and_count_of_each_part(
    case: Case, reader: User, other_reader: User, curator: User, api: Api
) -> None:
    submit(case, reader, choice="A")
    submit(case, other_reader, choice="B")
    score_case(case.pk)
    told = api(curator).get(f"/api/v1/cases/{case.pk}/disagreement/").json()
    first = told["parts"][0]
    assert (told["value"], first["name"], first["value"], first["n"]) == (1.0, "reader_answers", 1.0, 2)
    assert (first["weight"], first["full_weight"]) == (1.0, 0.25)
    assert told["parts"][1]["value"] is None
    assert AuditEvent.objects.filter(action="case.looked", object_id=str(case.pk)).exists()
    assert api(curator).get(f"/api/v1/cases/{case.pk}/disagreement/?odd=1").status_code == 400


def test_right_for_the_wrong_reason_is_one_click_away(
    benchmark: Benchmark, taught: ModelVersion, reader: User, curator: User
) -> None:
    enrol(benchmark=benchmark, model=taught)
    for key, roi, apart in (("a", CORNER, 0.2), ("b", FOCUS, 0.9), ("c", CORNER, 0.7), ("d", CORNER, None)):
        case = read(benchmark, taught, reader, key, roi)
        CaseFacts.objects.filter(case=case).update(disagreement=apart)
    overview = page(curator, "/benchmarks/thorax/")
    assert f'<a class="badge warn end" href="{WRONG}">' in overview
    assert re.search(rf'<a href="{WRONG}">.*?Wrong reason <span class="num t3">3</span>', overview)
    html = page(curator, WRONG)
    assert re.findall(r'<a class="med num" href="/cases/[^"]+">([^<]+)</a>', html) == ["c", "a", "d"]
    assert "planted: attention ratio" in html
    assert "?model=planted&amp;verdict=right_not_grounded&amp;sort=disagreement" in html


def test_a_control_is_no_wrong_reason(benchmark: Benchmark, planted: ModelVersion, reader: User, curator: User) -> None:
    enrol(benchmark=benchmark, model=planted)
    read(benchmark, planted, reader, "a", CORNER)
    assert "No trained model reads this benchmark" in page(curator, WRONG)


def test_its_list_goes_on_where_it_stopped(
    benchmark: Benchmark, taught: ModelVersion, reader: User, curator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(benchmark=benchmark, model=taught)
    for at in range(5):
        case = read(benchmark, taught, reader, f"case-{at}", CORNER)
        CaseFacts.objects.filter(case=case).update(disagreement=None if at > 2 else 0.5)
    monkeypatch.setattr(wrong_reasons, "PAGE", 2)
    seen: list[str] = []
    address: str | None = WRONG
    while address:
        html = page(curator, address)
        seen += re.findall(r'<a class="med num" href="/cases/[^"]+">([^<]+)</a>', html)
        (following,) = re.findall(r'<a class="btn sm" href="([^"]+)">Next', html) or [None]
        address = None if following is None else WRONG + following
    assert seen == [f"case-{at}" for at in range(5)]
    for after in ("x", "%00", "2_1", "-1_" + "9" * 40):
        assert len(re.findall(r'class="med num"', page(curator, f"{WRONG}?after={after}"))) == 2


def test_it_asks_as_much_of_many_cases(
    benchmark: Benchmark, taught: ModelVersion, reader: User, curator: User, django_assert_num_queries: Any
) -> None:
    enrol(benchmark=benchmark, model=taught)
    client = Client()
    client.force_login(curator)

    def grow(first: int, count: int) -> None:
        for at in range(first, first + count):
            read(benchmark, taught, reader, f"case-{at}", CORNER)

    grow(0, 1)
    with django_assert_num_queries(12):
        client.get(WRONG)
    grow(1, 6)
    enrol(benchmark=benchmark, model=plant("second"))
    with django_assert_num_queries(12):
        client.get(WRONG)
