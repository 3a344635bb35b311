"""Agreement over HTTP: what each of the cast gets, what stays hidden from who still reads, and hostile arguments."""

from __future__ import annotations

import io
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.urls import reverse

from annotations import agreement
from annotations.models import AgreementScore
from curation.management.command import Failed, Misused
from curation.models import AuditEvent, Benchmark, Case, Membership, Role, User
from tests.annotations.contents import roi
from tests.annotations.saying import say
from tests.factories import make_case, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

    Api = Callable[[User | None], APIClient]


@pytest.fixture
def read(benchmark: Benchmark, case: Case, reader: User, other_reader: User) -> list[Case]:
    """Six cases that two readers have read; their boxes lie ever farther apart, their answers differ on two."""
    cases = [case, *(make_case(benchmark, f"more{number}") for number in range(5))]
    for number, one in enumerate(cases):
        for shift, who in ((0, reader), (number, other_reader)):
            box = roi(geometry={"x0": 5.0 + shift, "y0": 5, "x1": 15.0 + shift, "y1": 15})
            letter = "B" if who == reader and number < 2 else "A"
            say(one, who, answer={"choice": letter}, rois=[box], steps=[], entities=[])
        agreement.record_case(one.pk)
    return cases


def get(client: APIClient, name: str, *args: Any, **query: Any) -> Any:
    return client.get(reverse(name, args=args), query)


def test_staff_get_a_case_and_the_look_is_recorded(
    read: list[Case], reader: User, other_reader: User, curator: User, api: Api
) -> None:
    answer = get(api(curator), "case-agreement", read[3].pk)
    assert answer.status_code == 200
    [pair] = answer.json()["pairs"]
    assert answer.json()["readers"] == 2
    assert answer.json()["answers"] == {"A": 2}
    assert (pair["is_same_answer"], pair["iou"]) == (True, pytest.approx(70 / 130))
    assert {pair["a"]["name"], pair["b"]["name"]} == {reader.display_name, other_reader.display_name}
    assert pair["labels"] == [{"label": "", "matched": 1, "only_a": 0, "only_b": 0, "iou": pair["iou"]}]
    assert AuditEvent.objects.filter(action="case.looked", object_id=str(read[3].pk)).exists()


def test_a_reader_gets_nothing_of_other_readers(read: list[Case], reader: User, api: Api) -> None:
    body = get(api(reader), "case-agreement", read[0].pk).json()
    assert (body["pairs"], body["readers"], body["answers"], body["computed_at"]) == ([], None, None, None)


def test_who_still_reads_a_case_gets_nothing(read: list[Case], benchmark: Benchmark, api: Api) -> None:
    both = make_user("both", Role.READER, benchmark)
    Membership.objects.create(user=both, benchmark=benchmark, role=Role.CURATOR)
    assert get(api(both), "case-agreement", read[0].pk).status_code == 403
    body = get(api(both), "benchmark-agreement", benchmark.slug).json()
    assert body["only_own_cases"] is True
    assert (body["overview"]["cases"], body["overview"]["pairs"], body["matrix"], body["weeks"]) == (0, 0, [], [])
    assert {number["value"] for number in body["overview"]["answers"].values()} == {None}
    assert get(api(both), "agreement-pairs", benchmark.slug).json()["results"] == []
    say(read[0], both, answer={"choice": "A"})
    agreement.record_case(read[0].pk)
    assert get(api(both), "case-agreement", read[0].pk).status_code == 200
    body = get(api(both), "benchmark-agreement", benchmark.slug).json()
    assert (body["overview"]["cases"], body["overview"]["pairs"]) == (1, 3)
    listed = get(api(both), "agreement-pairs", benchmark.slug).json()["results"]
    assert {row["case"] for row in listed} == {str(read[0].pk)}


def test_a_benchmark_with_every_part(
    read: list[Case], benchmark: Benchmark, reader: User, other_reader: User, curator: User, api: Api
) -> None:
    body = get(api(curator), "benchmark-agreement", benchmark.slug, level="ordinal").json()
    answers = body["overview"]["answers"]
    assert answers["percent_agreement"]["value"] == pytest.approx(4 / 6)
    assert set(answers) >= {"alpha_ordinal", "alpha_interval", "cohen_linear", "cohen_quadratic", "fleiss_kappa"}
    assert body["ceiling"]["same_answer"]["value"] == pytest.approx(4 / 6)
    assert len(body["matrix"]) == 1
    assert sum(cell["cases"] for cell in body["matrix"][0]["confusion"]) == 6
    assert {row["name"] for row in body["readers"]} == {reader.display_name, other_reader.display_name}
    assert body["between_models"]["numbers"]["same_answer"]["value"] is None
    few = get(api(curator), "benchmark-agreement", benchmark.slug, parts="ceiling").json()
    assert few["ceiling"] == body["ceiling"]
    assert "matrix" not in few


def test_pairs_come_worst_first_and_page_by_page(
    read: list[Case], benchmark: Benchmark, curator: User, api: Api
) -> None:
    client, values = api(curator), []
    cursor: str | None = ""
    while cursor is not None:
        query = {"cursor": cursor} if cursor else {}
        body = get(client, "agreement-pairs", benchmark.slug, metric="iou", limit=2, **query).json()
        values += [row["value"] for row in body["results"]]
        cursor = body["next"]
    assert len(values) == 6
    assert values == sorted(values)
    far = get(client, "agreement-pairs", benchmark.slug, metric="hausdorff_px").json()["results"]
    assert [row["value"] for row in far] == pytest.approx([5, 4, 3, 2, 1, 0])
    same = get(client, "agreement-pairs", benchmark.slug, metric="same_answer").json()["results"]
    assert [row["value"] for row in same] == [0, 0, 1, 1, 1, 1]
    undefined = get(client, "agreement-pairs", benchmark.slug, metric="step_f1", undefined=1, limit=4).json()
    assert {row["why"]["step_f1"] for row in undefined["results"]} == {"no_steps"}
    rest = get(
        client, "agreement-pairs", benchmark.slug, metric="step_f1", undefined=1, limit=4, cursor=undefined["next"]
    )
    assert len(rest.json()["results"]) == 2


def test_pairs_are_narrowed_by_party_and_label(
    read: list[Case], benchmark: Benchmark, reader: User, curator: User, api: Api
) -> None:
    client = api(curator)
    assert len(get(client, "agreement-pairs", benchmark.slug, a=reader.pk).json()["results"]) == 6
    assert get(client, "agreement-pairs", benchmark.slug, a=reader.pk, b=uuid.uuid4()).json()["results"] == []
    assert len(get(client, "agreement-pairs", benchmark.slug, metric="iou", label="").json()["results"]) == 6
    assert get(client, "agreement-pairs", benchmark.slug, metric="iou", label="other").json()["results"] == []
    assert get(client, "agreement-pairs", benchmark.slug, of="gold").json()["results"] == []


@pytest.mark.parametrize(
    ("name", "query", "path"),
    [
        ("benchmark-agreement", {"reader": "x"}, "reader"),
        ("benchmark-agreement", {"reader": "\0"}, "reader"),
        ("benchmark-agreement", {"label": "x" * 65}, "label"),
        ("benchmark-agreement", {"label": "\x1b"}, "label"),
        ("benchmark-agreement", {"arm": "both"}, "arm"),
        ("benchmark-agreement", {"level": "ratio"}, "level"),
        ("benchmark-agreement", {"since": "yesterday"}, "since"),
        ("benchmark-agreement", {"since": "0001-01-01T00:00:00+23:59"}, "since"),
        ("agreement-pairs", {"until": "9999-12-31T23:59:59-23:59"}, "until"),
        ("benchmark-agreement", {"until": "9" * 400}, "until"),
        ("benchmark-agreement", {"parts": "overview,secrets"}, "parts"),
        ("benchmark-agreement", {"colour": "red"}, "colour"),
        ("agreement-pairs", {"metric": "percent_agreement"}, "metric"),
        ("agreement-pairs", {"metric": "dice", "label": "a"}, "metric"),
        ("agreement-pairs", {"of": "nobody"}, "of"),
        ("agreement-pairs", {"cursor": "x"}, "cursor"),
        ("agreement-pairs", {"cursor": "nan_3"}, "cursor"),
        ("agreement-pairs", {"cursor": "1_99999999999999999999999"}, "cursor"),
        ("agreement-pairs", {"limit": "100000"}, "limit"),
        ("agreement-pairs", {"undefined": "2"}, "undefined"),
        ("agreement-plan", {"metric": "beauty"}, "metric"),
        ("agreement-plan", {"half_width": "0"}, "half_width"),
        ("agreement-plan", {"half_width": "nan"}, "half_width"),
    ],
)
def test_hostile_arguments_are_named(
    benchmark: Benchmark, curator: User, api: Api, name: str, query: dict[str, str], path: str
) -> None:
    answer = get(api(curator), name, benchmark.slug, **query)
    assert answer.status_code == 400
    assert [error["path"] for error in answer.json()["errors"]] == [path]


@pytest.mark.parametrize("name", ["agreement-pairs", "agreement-pairs-page"])
def test_a_list_of_what_readers_said_is_a_look_at_each_case_of_it(
    name: str, read: list[Case], benchmark: Benchmark, curator: User, api: Api
) -> None:
    client = api(curator)
    client.force_login(curator)
    for _ in range(2):
        assert get(client, name, benchmark.slug).status_code == 200
    looked = AuditEvent.objects.filter(action="case.looked", actor=curator, benchmark_id=benchmark.pk)
    assert sorted(looked.values_list("object_id", flat=True)) == sorted(str(case.pk) for case in read)


@pytest.mark.parametrize(
    "since", ["0001-01-01", "9999-12-31T23:59:59", "2026-01-01T00:00:00+14:00", "2026-01-01T00:00:00+23:59"]
)
def test_far_dates_are_no_fault(benchmark: Benchmark, curator: User, api: Api, since: str) -> None:
    assert get(api(curator), "benchmark-agreement", benchmark.slug, since=since, until=since).status_code == 200


def test_a_plan_says_how_many_more(read: list[Case], benchmark: Benchmark, curator: User, api: Api) -> None:
    body = get(api(curator), "agreement-plan", benchmark.slug, metric="percent_agreement", half_width="0.1").json()
    assert body["number"]["n"] == 6
    assert body["readings"] > 20
    assert body["is_reliable"] is False  # six cases are few
    assert body["why_not"]
    nothing = get(api(curator), "agreement-plan", benchmark.slug, metric="step_f1").json()
    assert nothing["readings"] is None


def test_the_command_prints_what_the_endpoint_answers(
    read: list[Case], benchmark: Benchmark, curator: User, api: Api
) -> None:
    out = io.StringIO()
    call_command("agreement", benchmark.slug, "--json", "--plan", "percent_agreement=0.1", stdout=out)
    said = json.loads(out.getvalue())
    body = get(api(curator), "benchmark-agreement", benchmark.slug).json()
    assert said["overview"] == body["overview"]
    assert said["matrix"] == body["matrix"]
    assert said["plans"][0]["readings"] > 20
    out = io.StringIO()
    call_command("agreement", benchmark.slug, "--plan", "iou=0.1", stdout=out)
    assert "percent_agreement  0.67 [" in out.getvalue()
    assert "(n = 6)" in out.getvalue()
    with pytest.raises(Misused, match="no number 'beauty'"):
        call_command("agreement", benchmark.slug, "--plan", "beauty=0.1", stdout=io.StringIO())
    with pytest.raises(Misused, match="iou=much"):
        call_command("agreement", benchmark.slug, "--plan", "iou=much", stdout=io.StringIO())
    with pytest.raises(Failed):
        call_command("agreement", "nowhere", stdout=io.StringIO())


@pytest.mark.parametrize("cases", [2, 6])
def test_the_list_of_pairs_takes_as_many_queries_however_long(
    read: list[Case], benchmark: Benchmark, curator: User, api: Api, django_assert_num_queries: Any, cases: int
) -> None:
    AgreementScore.objects.filter(case__in=[case.pk for case in read[cases:]]).delete()
    client = api(curator)
    get(client, "agreement-pairs", benchmark.slug)
    with django_assert_num_queries(10):
        assert len(get(client, "agreement-pairs", benchmark.slug).json()["results"]) == cases
