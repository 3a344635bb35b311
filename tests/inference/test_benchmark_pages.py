"""The overview of a benchmark and its list of cases: what staff see, what blind readers do not, what it costs."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from annotations.blinding import is_blind
from curation.models import Benchmark, Case, CaseFacts, Role, User
from inference import case_list
from inference.currency import INPUT_CHANGED, STALE_REASONS
from inference.enrolling import enrol
from inference.models import ModelVersion, Verdict
from inference.scoring import request_benchmark_scoring, score_case
from tests.factories import make_case, make_user
from tests.inference.conftest import box, plant, predict, submit

pytestmark = pytest.mark.django_db

FOCUS = box(17, 13, 47, 35)
CORNER = box(1, 1, 15, 11)
OVERVIEW = "/benchmarks/thorax/"
CASES = "/benchmarks/thorax/cases/"


@pytest.fixture
def other(benchmark: Benchmark) -> User:
    """Whose readings stand beside the model; the pages are looked at by others."""
    return make_user("nora", Role.READER, benchmark)


def fill(benchmark: Benchmark, model: ModelVersion, reader: User, count: int, *, start: int = 0) -> list[Case]:
    """Cases read by a model and an expert: by turns right and grounded, and right and not grounded."""
    enrol(benchmark=benchmark, model=model)
    cases = []
    for at in range(start, start + count):
        case = make_case(benchmark, f"case-{at}", answer="A")
        predict(model, case)
        submit(case, reader, FOCUS if at % 2 else CORNER, choice="A" if at % 3 else "B")
        score_case(case.pk)
        cases.append(case)
    return cases


def page(user: User, address: str, status: int = 200) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def keys(html: str) -> list[str]:
    return re.findall(r'<a class="med num" href="/cases/[^"]+">([^<]+)</a>', html)


def test_the_overview_says_how_far_reading_is(
    benchmark: Benchmark, planted: ModelVersion, other: User, curator: User
) -> None:
    fill(benchmark, planted, other, 6)
    make_case(benchmark, "waiting")
    html = page(curator, OVERVIEW)
    assert re.search(r'data-figure="closed">6 <small>of 7', html)
    assert re.search(r'data-figure="readings">6 <small>of 7', html)
    assert "0 under way, 1 waiting" in html


def test_probes_and_a_cases_own_overlap_count_as_the_queue_has_them(
    benchmark: Benchmark, planted: ModelVersion, other: User, curator: User
) -> None:
    cases = fill(benchmark, planted, other, 4)
    make_case(benchmark, "hard", overlap=3)
    Case.objects.filter(pk=cases[0].pk).update(is_probe=True)
    overview, listed = page(curator, OVERVIEW), page(curator, CASES)
    assert re.search(r'data-figure="closed">3 <small>of 4', overview)
    assert re.search(r'data-figure="readings">3 <small>of 6', overview)
    assert "0 under way, 1 waiting, 1 probe beside" in overview
    assert "5 cases, 3 of 6 readings submitted" in listed
    assert listed.count(">probe</span>") == 1
    blind = page(other, CASES)
    assert "5 cases." in blind
    assert "probe" not in blind
    progress = page(curator, OVERVIEW + "progress/")
    assert "3 <small>of 6" in progress or "3 of 6 readings submitted" in progress


def test_each_quadrant_has_its_count_and_opens_its_cases(
    benchmark: Benchmark, planted: ModelVersion, other: User, curator: User
) -> None:
    fill(benchmark, planted, other, 7)
    html = page(curator, OVERVIEW)
    found = dict(
        re.findall(r'data-quadrant="(\w+)" href="[^"]+"><span class="row between"><span class="big">(\d+)', html)
    )
    assert found == {
        "right_grounded": "3",
        "right_not_grounded": "4",
        "wrong_grounded": "0",
        "wrong_not_grounded": "0",
    }
    (address,) = re.findall(r'data-quadrant="right_not_grounded" href="([^"]+)"', html)
    assert keys(page(curator, address.replace("&amp;", "&"))) == ["case-0", "case-2", "case-4", "case-6"]


def test_every_number_of_a_model_stands_beside_its_nulls_and_interval(
    benchmark: Benchmark, planted: ModelVersion, other: User, curator: User
) -> None:
    fill(benchmark, planted, other, 6)
    html = page(curator, OVERVIEW)
    row = html[html.index('<tr data-model="planted">') : html.index("</tr>", html.index('<tr data-model="planted">'))]
    for words in ("chance 0.50", "centre ", "ROI moved ", "95th percentile", "other finding", "|G|/N", "layer 1"):
        assert words in row
    assert len(re.findall(r"\[[−0-9.]+, [−0-9.]+\]", row)) >= 5
    assert row.count('<svg class="mark"') == 2
    assert "Show numbers" in html


def test_a_model_that_looks_at_one_spot_of_the_region_is_told_apart(
    benchmark: Benchmark, planted: ModelVersion, other: User, curator: User
) -> None:
    """Grounded by its ratio, and yet a worse fit to the region than looking everywhere alike."""
    one_cell = plant("one-cell", rows="12", columns="12", gain="5000", focus="0.09,0.09,0.16,0.16")
    for at in range(6):
        case = make_case(benchmark, f"case-{at}", answer="A", patient=f"patient-{at}")
        for model in (planted, one_cell):
            enrol(benchmark=benchmark, model=model)
            predict(model, case)
        submit(case, other, CORNER, choice="A")
        score_case(case.pk)
    html = page(curator, OVERVIEW)
    rows = {
        name: html[html.index(f'<tr data-model="{name}">') :].partition("</tr>")[0] for name in ("planted", "one-cell")
    }
    assert "grounded</span>" in rows["one-cell"]
    assert "not grounded" not in rows["one-cell"]
    assert [name for name, row in rows.items() if "on few cells" in row] == ["one-cell"]


def test_cases_are_sorted_by_disagreement(
    benchmark: Benchmark, planted: ModelVersion, other: User, curator: User
) -> None:
    fill(benchmark, planted, other, 4)
    for key, value in (("case-2", 0.9), ("case-0", 0.8), ("case-3", 0.7), ("case-1", 0.1)):
        CaseFacts.objects.filter(case__key=key).update(disagreement=value)
    wanted = ["case-2", "case-0", "case-3", "case-1"]
    assert keys(page(curator, OVERVIEW))[:4] == wanted
    assert keys(page(curator, f"{CASES}?sort=disagreement")) == wanted


def test_stale_numbers_say_how_many_and_why(
    benchmark: Benchmark, planted: ModelVersion, other: User, curator: User
) -> None:
    cases = fill(benchmark, planted, other, 3)
    Case.objects.filter(pk=cases[0].pk).update(input_digest="other")
    html = page(curator, OVERVIEW)
    assert "1 stale" in html
    assert f"1: {STALE_REASONS[INPUT_CHANGED]}" in html


def test_recent_runs_and_what_failed(benchmark: Benchmark, planted: ModelVersion, engineer: User) -> None:
    make_case(benchmark)
    enrol(benchmark=benchmark, model=planted)
    run = request_benchmark_scoring(benchmark=benchmark, model=planted, is_stale_only=True)
    type(run).objects.update(state="parked", attempts=3, error="ValueError: <b>seven</b>")
    html = page(engineer, OVERVIEW)
    assert "parked after 3 tries" in html
    assert "ValueError: &lt;b&gt;seven&lt;/b&gt;" in html


def test_a_benchmark_without_answers_is_divided_by_grounding_alone(
    benchmark: Benchmark, planted: ModelVersion, other: User, curator: User
) -> None:
    enrol(benchmark=benchmark, model=planted)
    case = make_case(benchmark, answer=None, options=None)
    predict(planted, case)
    submit(case, other, CORNER, choice=None)
    score_case(case.pk)
    html = page(curator, OVERVIEW)
    assert "No case here has an answer to hold the model&#x27;s against" in html or "has an answer to hold" in html
    (address,) = re.findall(r'data-quadrant="not_grounded" href="([^"]+)"', html)
    assert keys(page(curator, address.replace("&amp;", "&"))) == ["case1"]
    assert keys(page(curator, f"{CASES}?model=planted&verdict=grounded")) == []


def test_a_model_with_verdicts_is_shown_before_one_without(
    benchmark: Benchmark, planted: ModelVersion, other: User, curator: User
) -> None:
    enrol(benchmark=benchmark, model=plant("a model that read nothing"))
    fill(benchmark, planted, other, 2)
    assert "Cases grounded, planted" in page(curator, OVERVIEW)
    assert "Cases grounded, a model that read nothing" in page(curator, f"{OVERVIEW}?model=a+model+that+read+nothing")
    assert "Cases grounded, planted" in page(curator, f"{OVERVIEW}?model=%00nobody")


@pytest.mark.parametrize("prepare", ["nothing", "cases", "model"])
def test_empty_states_say_what_comes(prepare: str, benchmark: Benchmark, planted: ModelVersion, curator: User) -> None:
    words = {"nothing": "No cases yet", "cases": "No model is enrolled", "model": "has read no case yet"}
    if prepare != "nothing":
        make_case(benchmark)
    if prepare == "model":
        enrol(benchmark=benchmark, model=planted)
    assert words[prepare] in page(curator, OVERVIEW)


@pytest.mark.parametrize("address", [OVERVIEW, f"{CASES}?model=planted&verdict=right_grounded&sort=disagreement"])
def test_a_reader_sees_the_cases_and_nothing_that_a_model_or_another_said(
    address: str, benchmark: Benchmark, planted: ModelVersion, other: User, reader: User
) -> None:
    cases = fill(benchmark, planted, other, 3)
    assert is_blind(reader, cases[0])
    html = page(reader, address)
    assert keys(html) == ["case-0", "case-1", "case-2"]
    for word in (
        "planted",
        "grounded",
        "disagreement",
        "quadrant",
        "leaderboard",
        "Attention ratio",
        "1 of 1",
        "Accuracy",
    ):
        assert word.lower() not in html.lower().replace("model output of a case", ""), word
    numbers = Verdict.objects.values("value", "centre", "moved_p95").first()
    assert numbers is not None
    assert not [value for value in numbers.values() if f"{value:.2f}" in html]


def test_a_curator_who_also_reads_is_blind_here_too(benchmark: Benchmark, planted: ModelVersion, other: User) -> None:
    both = make_user("bea", Role.READER, benchmark)
    both.memberships.create(benchmark=benchmark, role=Role.CURATOR)
    fill(benchmark, planted, other, 3)
    assert "planted" not in page(both, OVERVIEW)


def test_the_list_goes_on_where_it_stopped(
    benchmark: Benchmark, planted: ModelVersion, other: User, curator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at, case in enumerate(fill(benchmark, planted, other, 7)):
        # Two are as far apart as one another: then their places decide.
        CaseFacts.objects.filter(case=case).update(disagreement=at // 2 / 10)
    monkeypatch.setattr(case_list, "PAGE", 2)
    for query in ("", "?sort=disagreement", "?model=planted&verdict=right_not_grounded"):
        seen: list[str] = []
        address: str | None = CASES + query
        while address:
            html = page(curator, address)
            seen += keys(html)
            (following,) = re.findall(r'<a class="btn sm" href="([^"]+)">Next', html) or [None]
            address = None if following is None else CASES + following.replace("&amp;", "&")
            if address and "verdict" in query:
                assert parse_qs(urlsplit(address).query)["verdict"] == ["right_not_grounded"]
        assert len(seen) == len(set(seen)) == (4 if "verdict" in query else 7)


@pytest.mark.parametrize(
    "query",
    [
        "sort=size",
        "verdict=lucky&model=planted",
        "verdict=right_grounded",
        "model=nobody",
        "model=%00",
        "verdict=%F0%9F&model=planted",
    ],
)
def test_a_list_that_there_is_not_is_not_found(
    query: str, benchmark: Benchmark, planted: ModelVersion, curator: User
) -> None:
    enrol(benchmark=benchmark, model=planted)
    page(curator, f"{CASES}?{query}", status=404)


@pytest.mark.parametrize("after", ["9" * 5000, "-1", "nan_1", "0.5", "0.5_x", "inf_3", "%00", "٣", "0.5_" + "9" * 40])
@pytest.mark.parametrize("sort", ["", "disagreement"])
def test_a_place_that_this_list_did_not_give_out_begins_anew(
    after: str, sort: str, benchmark: Benchmark, planted: ModelVersion, other: User, curator: User
) -> None:
    fill(benchmark, planted, other, 1)
    CaseFacts.objects.update(disagreement=0.4)
    assert keys(page(curator, f"{CASES}?sort={sort}&after={after}")) == ["case-0"]


def test_the_overview_asks_as_much_of_3_cases_as_of_30(
    benchmark: Benchmark, planted: ModelVersion, other: User, curator: User, django_assert_num_queries: Any
) -> None:
    client = Client()
    client.force_login(curator)
    lists = (OVERVIEW, f"{CASES}?model=planted&verdict=right_grounded", f"{CASES}?sort=disagreement")
    fill(benchmark, planted, other, 3)
    CaseFacts.objects.update(disagreement=0.5)
    wanted = dict(zip(lists, (19, 13, 11), strict=True))
    for address, count in wanted.items():
        with django_assert_num_queries(count):
            client.get(address)
    fill(benchmark, planted, other, 27, start=3)
    CaseFacts.objects.update(disagreement=0.5)
    for name in ("second", "third"):
        enrol(benchmark=benchmark, model=plant(name))
    for address, count in wanted.items():
        with django_assert_num_queries(count):
            client.get(address)


def test_a_case_shows_its_first_images_in_order_and_the_readings_wanted_of_it(
    benchmark: Benchmark, curator: User
) -> None:
    case = make_case(benchmark, images=6)
    make_case(benchmark, "bare", images=0)
    benchmark.cases.filter(pk=case.pk).update(overlap=4)
    html = page(curator, CASES)
    (first, second) = re.findall(r'<span class="mini">(.*?)</span>', html)
    wanted = [image.asset_id for image in case.images.order_by("number")[:4]]
    assert re.findall(r'src="/api/v1/images/(\w+)/thumbnail/" alt="" loading="lazy">', first) == wanted
    assert second == ""
    assert "0 of 4" in html
    assert f"0 of {benchmark.overlap}<" in html
