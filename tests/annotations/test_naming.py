"""What people are called: curators know who read what, everybody else knows R1, R2 and codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations import agreement
from annotations.models import Reading, ReadingRevision, ReadingState
from annotations.naming import CaseNames, Mask, numbers_of, without_names
from curation.models import Benchmark, Case, Membership, Role, User
from tests.annotations.contents import content
from tests.annotations.submitted import submitted
from tests.factories import make_benchmark, make_case
from tests.inference.conftest import FakeBroker

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

    Api = Callable[[User | None], APIClient]

pytestmark = pytest.mark.django_db
NAMES = ("rosa", "omar")


@pytest.fixture(autouse=True)
def nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curation.queues.current_app", FakeBroker())


@pytest.fixture
def read(case: Case, reader: User, other_reader: User, curator: User, api: Api) -> Case:
    """Rosa and then Omar have read the case, and all that could tell on them was said."""
    Membership.objects.filter(user__in=[reader, other_reader]).update(role=Role.READER)
    for user in (reader, other_reader):
        submitted(case, user, content())
    agreement.record([case.pk])
    address = reverse("case-comments", args=[case.pk])
    for user, text in ((reader, "I am sure."), (curator, "Are you, @rosa? Or @omar."), (other_reader, "So am I.")):
        assert api(user).post(address, {"text": text}, format="json").status_code == 201
    return case


def addresses(case: Case) -> list[str]:
    slug, reading = case.benchmark.slug, Reading.objects.filter(case=case).order_by("created_at").last()
    assert reading is not None
    of_case = ("case-consensus", "case-comments", "case-review", "case-agreement", "case-scores", "case-page", "case")
    of_benchmark = ("benchmark-agreement", "agreement-pairs", "agreement-page", "agreement-pairs-page", "review-queue")
    return [
        *(reverse(name, args=[case.pk]) for name in (*of_case, "review-page")),
        reverse("reading", args=[reading.pk]),
        *(reverse(name, args=[slug]) for name in (*of_benchmark, "benchmark-page", "benchmark-cases-page")),
        f"{reverse('agreement-page', args=[slug])}?shown=matched_iou",
        reverse("agreement-pairs-page", args=[slug]) + f"?reader={reading.reader_id}",
        reverse("mentions"),
    ]


def body(user: User, address: str) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(address)
    return answer.content.decode() if answer.status_code == 200 else ""


def test_no_page_or_endpoint_names_a_reader_to_a_reviewer_or_an_engineer(
    read: Case, reviewer: User, engineer: User
) -> None:
    for user in (reviewer, engineer):
        told = {address: body(user, address) for address in addresses(read)}
        assert sum(bool(text) for text in told.values()) >= 12
        assert {address: name for address, text in told.items() for name in NAMES if name in text} == {}


def test_a_curator_is_told(read: Case, curator: User) -> None:
    told = [body(curator, address) for address in addresses(read)]
    assert sum("omar" in text for text in told) >= 7


def test_the_numbers_are_those_of_the_consensus(read: Case, reviewer: User, reader: User, api: Api) -> None:
    client = api(reviewer)
    consensus = client.get(reverse("case-consensus", args=[read.pk])).json()["readings"]
    numbers = numbers_of([read.pk])[read.pk]
    rows = {str(row.pk): row.reader_id for row in Reading.objects.filter(case=read)}
    assert {one["reader"]: rows[one["reading"]] for one in consensus} == {f"R{n}": pk for pk, n in numbers.items()}
    comments = client.get(reverse("case-comments", args=[read.pk])).json()["results"]
    assert [one["author"]["name"] for one in comments] == ["R1", "carl", "R2"]
    assert comments[1]["text"] == "Are you, @R1? Or @R2."
    assert [one["name"] for one in comments[1]["mentions"]] == ["R1", "R2"]
    (pair,) = client.get(reverse("case-agreement", args=[read.pk])).json()["pairs"]
    assert {pair["a"]["name"], pair["b"]["name"]} == {"R1", "R2"}
    assert client.get(reverse("reading", args=[Reading.objects.get(reader=reader).pk])).json()["reader"] == {
        "id": None,
        "name": "R1",
    }
    scored = client.get(reverse("case-scores", args=[read.pk])).json()["readings"]
    assert [one["reader"] for one in scored] == ["R1", "R2"]


def test_a_number_stays_with_its_reader_when_one_who_began_before_submits(
    case: Case, reader: User, other_reader: User, reviewer: User, api: Api
) -> None:
    slow = Reading.objects.create(case=case, reader=other_reader, draft=content())
    submitted(case, reader, content())
    assert numbers_of([case.pk])[case.pk] == {reader.pk: 1}
    ReadingRevision.objects.create(
        reading=slow,
        revision=1,
        content=content(),
        digest="0" * 64,
        case_version=case.version,
        input_digest=case.input_digest,
        protocol_digest="0" * 64,
        submitted_at=timezone.now(),
    )
    Reading.objects.filter(pk=slow.pk).update(revision=1, state=ReadingState.SUBMITTED)
    assert numbers_of([case.pk])[case.pk] == {reader.pk: 1, other_reader.pk: 2}
    readings = api(reviewer).get(reverse("case-consensus", args=[case.pk])).json()["readings"]
    assert [(one["reader"], one["reading"] == str(slow.pk)) for one in readings] == [("R1", False), ("R2", True)]


def test_a_reader_knows_themselves_alone(read: Case, other_reader: User, api: Api) -> None:
    comments = reverse("case-comments", args=[read.pk])
    assert [one["author"]["name"] for one in api(other_reader).get(comments).json()["results"]] == ["carl", "omar"]
    assert api(other_reader).get(comments).json()["results"][0]["text"] == "Are you, @reader? Or @omar."


def test_staff_name_who_read_the_case_by_number(read: Case, reviewer: User, other_reader: User, api: Api) -> None:
    address = reverse("case-comments", args=[read.pk])
    said = api(reviewer).post(address, {"text": "@R2, is it?"}, format="json").json()
    assert said["text"] == "@R2, is it?"
    assert other_reader.mentions.filter(comment=said["id"]).exists()
    refused = api(other_reader).post(address, {"text": "@R1, is it?"}, format="json")
    assert refused.status_code == 400, "to a reader numbers would tell how many have read"


def test_a_name_one_writes_is_not_answered_with_a_number(read: Case, reviewer: User, api: Api) -> None:
    said = api(reviewer).post(reverse("case-comments", args=[read.pk]), {"text": "@omar?"}, format="json").json()
    assert (said["text"], said["mentions"][0]["name"]) == ("@omar?", "omar")
    assert "R2" not in json.dumps(said)


def test_a_name_one_writes_is_not_answered_with_the_id_of_its_pairs(
    read: Case, reviewer: User, other_reader: User, curator: User, api: Api
) -> None:
    address = reverse("case-comments", args=[read.pk])
    said = api(reviewer).post(address, {"text": "@omar and @carl?"}, format="json").json()
    assert [(one["name"], one["id"]) for one in said["mentions"]] == [("omar", None), ("carl", None)]
    assert str(other_reader.pk) not in json.dumps(said)
    told = api(curator).post(address, {"text": "@omar?"}, format="json").json()
    assert told["mentions"][0]["id"] == str(other_reader.pk)


def test_codes_hold_in_one_benchmark_only(
    benchmark: Benchmark, reader: User, other_reader: User, curator: User
) -> None:
    viewer = other_reader
    mask, elsewhere = Mask.of(viewer, benchmark), Mask.of(viewer, make_benchmark("elsewhere"))
    assert mask is not None
    assert elsewhere is not None
    assert mask.code(reader.pk) == mask.code(reader.pk) != elsewhere.code(reader.pk)
    assert mask.applied({reader.pk: "rosa", viewer.pk: "omar"}) == {reader.pk: mask.code(reader.pk), viewer.pk: "omar"}
    assert Mask.of(curator, benchmark) is None


def test_names_cost_two_queries_of_any_number_of_cases(
    benchmark: Benchmark, reviewer: User, reader: User, curator: User, django_assert_num_queries: Any
) -> None:
    cases = [make_case(benchmark, f"case {number}") for number in range(4)]
    for one in cases:
        submitted(one, reader, content())
    reviewer.roles_by_benchmark()
    curator.roles_by_benchmark()
    with django_assert_num_queries(2):
        names = CaseNames.of(reviewer, cases)
    assert {names.alias(reader.pk, one.pk) for one in cases} == {"R1"}
    with django_assert_num_queries(0):
        assert CaseNames.of(curator, cases).alias(reader.pk, cases[0].pk) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@omar.", "@R2."),
        ("(@omar, @omars, x@omar.org)", "(@R2, @omars, x@omar.org)"),
        ("nothing", "nothing"),
    ],
)
def test_only_whole_names_are_put_in_other_words(text: str, expected: str) -> None:
    assert without_names(text, {"omar": "R2"}) == expected
