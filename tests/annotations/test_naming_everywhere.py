"""Every address that a reviewer or an engineer may get, with readings of others there: none tells who a reader is."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations import agreement
from annotations.models import AgreementScore, Assignment, Comment, PartyKind, Reading, Review
from annotations.naming import Mask
from curation.models import Benchmark, Case, Event, Membership, Role, User
from inference.models import ModelVersion
from tests.annotations.contents import content
from tests.annotations.submitted import submitted
from tests.expectations import EXPECTED, World, build_world
from tests.factories import make_benchmark, make_case
from tests.inference.conftest import FakeBroker

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

    Api = Callable[[User | None], APIClient]

pytestmark = pytest.mark.django_db
EXCUSED = {"events": "a stream, which never ends: what is sent on it is looked at in the table of events"}
WALKED = sorted({row.name: row for row in EXPECTED if row.method == "GET"}.items())
FILTERED = (
    "?of=gold",
    "?of=models",
    "?undefined=1",
    "?undefined=yes",
    "?kind=gold",
    "?shown=matched_iou",
    "?parts=readers",
)
PLOTS = ("matrix", "by-reader", "by-label", "models", "over-time", "by-modality")


@pytest.fixture(autouse=True)
def nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curation.queues.current_app", FakeBroker())


@pytest.fixture
def read(benchmark: Benchmark, reader: User, other_reader: User, curator: User, api: Api) -> Case:
    """Rosa and Omar, who are nothing but readers, have read a case and spoken of it."""
    Membership.objects.filter(user__in=[reader, other_reader]).update(role=Role.READER)
    case = make_case(benchmark, "read")
    read_by(case, reader, other_reader)
    address = reverse("case-comments", args=[case.pk])
    for user, text in ((reader, "I am sure."), (curator, "Are you, @rosa? Or @omar."), (other_reader, "So am I.")):
        assert api(user).post(address, {"text": text}, format="json").status_code == 201
    return case


def read_by(case: Case, *readers: User) -> None:
    for number, user in enumerate(readers):
        submitted(case, user, content(answer={"choice": "AB"[number % 2]}))
    agreement.record([case.pk])


def worlds(read: Case, reader: User, curator: User) -> list[World]:
    """One of everything as the table of permissions has it, and the same of the case that both have read."""
    world = build_world(read.benchmark, reader)
    Review.objects.filter(pk=world.ids["review"]).update(opened_by=curator)
    of_read = {
        "case": read.pk,
        "reading": Reading.objects.get(case=read, reader=reader).pk,
        "assignment": Assignment.objects.filter(case=read).latest("created_at").pk,
        "comment": Comment.objects.filter(case=read).latest("created_at").pk,
    }
    return [world, replace(world, ids={**world.ids, **of_read})]


def told(user: User, address: str) -> str:
    """Everything of an answer that is not a refusal: headers and body."""
    client = Client()
    client.force_login(user)
    answer = client.get(address)
    if answer.status_code >= 400:
        return ""
    return f"{answer.headers}\n{answer.getvalue().decode(errors='replace')}"


def ids_of(*users: User) -> list[str]:
    return [text for one in users for text in (str(one.pk), one.pk.hex, one.username)]


def addresses(world: World) -> list[str]:
    slug = world.ids["slug"]
    plain = [
        reverse(name, kwargs={key: world.ids[key_of] for key, key_of in row.kwargs.items()}) + row.query
        for name, row in WALKED
        if name not in EXCUSED and not name.startswith("admin:")
    ]
    lists = [reverse(name, args=[slug]) for name in ("agreement-page", "agreement-pairs-page", "agreement-pairs")]
    return [
        *plain,
        *(address + query for address in (*lists, reverse("benchmark-agreement", args=[slug])) for query in FILTERED),
        *(f"{lists[0]}?format=csv&plot={plot}" for plot in PLOTS),
    ]


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.ENGINEER])
def test_no_address_tells_who_a_reader_is(
    read: Case, role: Role, reader: User, other_reader: User, reviewer: User, engineer: User, curator: User
) -> None:
    user = reviewer if role == Role.REVIEWER else engineer
    found = {
        address: text
        for world in worlds(read, reader, curator)
        for address in addresses(world)
        if (text := told(user, address))
    }
    assert len(found) >= 60
    wrong = ids_of(reader, other_reader)
    assert {address: one for address, text in found.items() for one in wrong if one in text} == {}


def test_no_event_to_all_tells_who_a_reader_is(read: Case, reader: User, other_reader: User) -> None:
    payloads = [str(row.payload) for row in Event.objects.filter(reader_id=None)]
    assert payloads
    assert [one for one in payloads for id_ in ids_of(reader, other_reader) if id_ in one] == []


def test_a_curator_is_told_ids(read: Case, reader: User, curator: User) -> None:
    for name in ("agreement-page", "agreement-pairs", "benchmark-agreement"):
        assert str(reader.pk) in told(curator, reverse(name, args=[read.benchmark.slug]))


def test_a_code_stands_for_the_reader_wherever_an_id_is_asked_for(
    read: Case, reader: User, other_reader: User, reviewer: User, curator: User, api: Api
) -> None:
    address = reverse("agreement-pairs", args=[read.benchmark.slug])
    (pair,) = api(reviewer).get(address).json()["results"]
    codes = {pair[side]["id"] for side in "ab"}
    mask = Mask.of(reviewer, read.benchmark)
    assert mask is not None
    assert codes == {mask.told_id(one.pk) for one in (reader, other_reader)}
    code = mask.told_id(reader.pk)
    other_code = mask.told_id(other_reader.pk)
    assert len(api(reviewer).get(address, {"a": code, "b": other_code}).json()["results"]) == 1
    document = reverse("benchmark-agreement", args=[read.benchmark.slug])
    mine = api(reviewer).get(document, {"reader": code}).json()["overview"]
    assert mine == api(curator).get(document, {"reader": str(reader.pk)}).json()["overview"]
    assert mine["pairs"] == 1
    told_of = api(reviewer).get(document).json()
    assert [one["key"] for one in told_of["readers"]] == sorted(codes)
    assert {one["name"] for one in told_of["readers"]} == {mask.code(one.pk) for one in (reader, other_reader)}
    page = told(reviewer, reverse("agreement-page", args=[read.benchmark.slug]) + f"?reader={code}")
    assert f'<option value="{code}" selected>' in page
    pairs = told(reviewer, reverse("agreement-pairs-page", args=[read.benchmark.slug]) + f"?reader={code}")
    assert f"with {mask.code(reader.pk)}" in pairs
    assert f"reader={code}" in pairs


@pytest.mark.parametrize("name", ["reader", "a", "b"])
def test_an_id_is_refused_alike_whether_or_not_a_reader_has_it(
    name: str, read: Case, reader: User, reviewer: User, api: Api
) -> None:
    address = reverse("agreement-pairs", args=[read.benchmark.slug])
    bodies = []
    for given in (reader.pk, uuid.uuid4()):
        answer = api(reviewer).get(address, {name: str(given)})
        assert answer.status_code == 400
        bodies.append(answer.content.decode().replace(str(given)[:40], "?"))
    assert bodies[0] == bodies[1]
    elsewhere = Mask.of(reviewer, make_benchmark("elsewhere"))
    assert elsewhere is not None
    assert api(reviewer).get(address, {name: elsewhere.told_id(reader.pk)}).status_code == 400


@pytest.mark.parametrize("route", ["agreement-page", "agreement-pairs-page"])
def test_a_page_knows_no_ids_of_readers(route: str, read: Case, reader: User, reviewer: User) -> None:
    client = Client()
    client.force_login(reviewer)
    address = reverse(route, args=[read.benchmark.slug])
    for given in (reader.pk, uuid.uuid4()):
        assert client.get(f"{address}?reader={given}").status_code == 404


def test_models_gold_and_oneself_are_asked_for_by_their_ids(read: Case, reviewer: User, api: Api) -> None:
    model = ModelVersion.objects.create(
        name="planted", family="planted", prompt_digest="p", decoding_digest="d", layer_count=4
    )
    address = reverse("agreement-pairs", args=[read.benchmark.slug])
    for known in (model.pk, read.pk, reviewer.pk):
        assert api(reviewer).get(address, {"b": str(known)}).status_code == 200


def test_who_reads_as_well_knows_their_own_id(read: Case, reviewer: User, reader: User, api: Api) -> None:
    Membership.objects.create(user=reviewer, benchmark=read.benchmark, role=Role.READER)
    read_by(read, reader, reviewer)
    found = api(reviewer).get(reverse("case-agreement", args=[read.pk])).json()["pairs"]
    ids = {pair[side]["id"] for pair in found for side in "ab"}
    assert ids == {"R1", "R2", str(reviewer.pk)}


def test_staff_who_read_are_told_by_a_code_too(read: Case, reviewer: User, curator: User, api: Api) -> None:
    """Who opened a review is told by name and id; nothing that is told of them as a reader equals it."""
    Membership.objects.create(user=curator, benchmark=read.benchmark, role=Role.READER)
    read_by(read, curator)
    Review.objects.create(case=read, number=1, opened_by=curator)
    held = told(reviewer, reverse("case-review", args=[read.pk]))
    assert str(curator.pk) in held
    slug = read.benchmark.slug
    for address in (
        reverse("case-agreement", args=[read.pk]),
        *(reverse(name, args=[slug]) for name in ("agreement-pairs", "benchmark-agreement", "agreement-page")),
        f"{reverse('agreement-page', args=[slug])}?format=csv&plot=matrix",
    ):
        text = told(reviewer, address)
        assert text
        assert [one for one in ids_of(curator) if one in text] == [], address


def test_the_order_of_two_readers_is_another_in_another_benchmark(
    benchmark: Benchmark, reader: User, other_reader: User, reviewer: User, api: Api
) -> None:
    """Stored pairs stand in the order of ids, by which readers of two benchmarks could be told to be the same."""
    case = make_case(benchmark, "turned")
    read_by(case, reader, other_reader)
    AgreementScore.objects.filter(case=case).update(a_active_s=10.0, b_active_s=20.0)
    stored = AgreementScore.objects.get(case=case, a_kind=PartyKind.READER, b_kind=PartyKind.READER)
    said = {
        str(stored.a_said): (stored.a_answer, stored.a_active_s),
        str(stored.b_said): (stored.b_answer, stored.b_active_s),
    }
    for where in (reverse("agreement-pairs", args=[benchmark.slug]), reverse("case-agreement", args=[case.pk])):
        body: Any = api(reviewer).get(where).json()
        (pair,) = body.get("results") or body["pairs"]
        assert {pair[s]["said"]: (pair[s]["answer"], pair[f"{s}_active_s"]) for s in "ab"} == said
    (pair,) = api(reviewer).get(reverse("agreement-pairs", args=[benchmark.slug])).json()["results"]
    assert pair["a"]["id"] < pair["b"]["id"]
    (row,) = api(reviewer).get(reverse("benchmark-agreement", args=[benchmark.slug])).json()["matrix"]
    assert row["a"]["id"] == pair["a"]["id"]
    assert row["confusion"] == [{"a": pair["a"]["answer"], "b": pair["b"]["answer"], "cases": 1}]
