"""Drafts and submissions over HTTP, by each of the cast, with good and hostile bodies."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.api.bodies import MOST_BYTES
from annotations.assigning import HandedOut, next_case
from annotations.models import Assignment, Reading, ReadingRevision, ReadingState
from curation.models import Benchmark, Case, Membership, Protocol, Role, User
from tests.annotations.contents import content, roi, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

    Api = Callable[[User | None], APIClient]

CAST = ["reader", "other_reader", "reviewer", "curator", "engineer", "admin", "outsider"]


@pytest.fixture
def reading(reader: User, benchmark: Benchmark, case: Case) -> Reading:
    given = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(given, HandedOut)
    return given.reading


@pytest.fixture
def surplus(reading: Reading, reader: User, other_reader: User, benchmark: Benchmark, api: Api) -> Reading:
    """Rosa's draft, whose place went to Omar."""
    put(api(reader), reading, {"version": 0, **content()})
    Assignment.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    next_case(reader=other_reader, benchmark=benchmark)
    return reading


def put(client: APIClient, reading: Reading, body: Any) -> Any:
    return client.put(reverse("reading-draft", args=[reading.pk]), body, format="json")


def put_text(client: APIClient, reading: Reading, body: str | bytes) -> Any:
    return client.put(reverse("reading-draft", args=[reading.pk]), body, content_type="application/json")


def submit(client: APIClient, reading: Reading, version: Any = 0, **headers: str) -> Any:
    address = reverse("reading-submit", args=[reading.pk])
    return client.post(address, {"version": version}, format="json", headers={"Idempotency-Key": "k", **headers})


def post(client: APIClient, name: str, reading: Reading, body: Any = None) -> Any:
    return client.post(reverse(f"reading-{name}", args=[reading.pk]), body, format="json")


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


# Who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("reader", 200),
        ("other_reader", 404),
        ("reviewer", 200),
        ("curator", 200),
        ("engineer", 200),
        ("admin", 200),
        ("outsider", 404),
    ],
)
def test_who_sees_a_reading(name: str, status: int, request: pytest.FixtureRequest, api: Api, reading: Reading) -> None:
    answer = api(request.getfixturevalue(name)).get(reverse("reading", args=[reading.pk]))
    assert answer.status_code == status


@pytest.mark.parametrize("name", [name for name in CAST if name != "reader"])
@pytest.mark.parametrize("what", ["draft", "submit", "revise"])
def test_only_its_reader_writes_a_reading(
    what: str, name: str, request: pytest.FixtureRequest, api: Api, reading: Reading
) -> None:
    client = api(request.getfixturevalue(name))
    calls = {
        "draft": lambda: put(client, reading, {"version": 0, **content()}),
        "submit": lambda: submit(client, reading),
        "revise": lambda: post(client, "revise", reading),
    }
    assert calls[what]().status_code == (404 if name in ("other_reader", "outsider") else 403)
    reading.refresh_from_db()
    assert (reading.version, reading.revision, reading.state) == (0, 0, ReadingState.DRAFT)


@pytest.mark.parametrize("name", ["reader", "other_reader", "reviewer", "engineer", "outsider"])
@pytest.mark.parametrize("what", ["accept", "close"])
def test_only_a_curator_decides_on_a_surplus_draft(
    what: str, name: str, request: pytest.FixtureRequest, api: Api, surplus: Reading, reader: User
) -> None:
    assert submit(api(reader), surplus, 1).status_code == 409
    answer = post(api(request.getfixturevalue(name)), what, surplus, {"reason": "x"})
    assert answer.status_code == (404 if name in ("other_reader", "outsider") else 403)
    surplus.refresh_from_db()
    assert surplus.state == ReadingState.SURPLUS


@pytest.mark.parametrize("what", ["draft", "submit", "revise", "accept", "close"])
def test_nobody_does_nothing(what: str, api: Api, reading: Reading) -> None:
    address = reverse(f"reading-{what}", args=[reading.pk])
    client = api(None)
    answer = client.put(address, {}, format="json") if what == "draft" else client.post(address, {}, format="json")
    assert answer.status_code in (401, 403)
    assert client.get(reverse("reading", args=[reading.pk])).status_code in (401, 403)


def test_who_no_longer_reads_there_writes_nothing(api: Api, reading: Reading) -> None:
    Membership.objects.all().delete()
    client = api(User.objects.get(pk=reading.reader_id))
    assert put(client, reading, {"version": 0}).status_code == 404
    assert client.get(reverse("reading", args=[reading.pk])).status_code == 404


# Drafts ----------------------------------------------------------------------------------------------------------


def test_a_draft_is_saved_and_found_again(api: Api, reader: User, reading: Reading) -> None:
    given = content()
    saved = put(api(reader), reading, {"version": 0, **given})
    assert saved.status_code == 200
    assert set(saved.json()) == {"version", "saved_at"}
    found = api(reader).get(reverse("reading", args=[reading.pk])).json()
    assert (found["version"], found["content"], found["saved_at"]) == (1, given, saved.json()["saved_at"])
    again = api(reader).post(reverse("next-case", args=[reading.case.benchmark.slug])).json()
    assert again["reading"]["content"] == given


def test_a_stale_draft_shows_both(api: Api, reader: User, reading: Reading) -> None:
    mine, other = content(), content()
    put(api(reader), reading, {"version": 0, **other})
    answer = put(api(reader), reading, {"version": 0, **mine})
    assert problem(answer) == (409, "stale-draft")
    assert (answer.json()["yours"], answer.json()["theirs"], answer.json()["version"]) == (mine, other, 1)


def test_a_stale_but_equal_draft_is_a_retry(api: Api, reader: User, reading: Reading) -> None:
    body = {"version": 0, **content()}
    first = put(api(reader), reading, body)
    again = put(api(reader), reading, body)
    assert (again.status_code, again.json()) == (200, first.json())


def test_a_submitted_reading_takes_no_draft(api: Api, reader: User, reading: Reading) -> None:
    submit(api(reader), reading)
    assert problem(put(api(reader), reading, {"version": 0})) == (409, "reading-locked")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"version": 0, "rois": [roi(geometry={"x0": 9, "y0": 0, "x1": 65, "y1": 1})]}, "rois[0].geometry.x1"),
        (
            {"version": 0, "rois": [roi(), roi(shape="polygon", geometry={"points": [[0, 0], [1, 1]]})]},
            "rois[1].geometry.points",
        ),
        ({"version": 0, "rois": [roi(frame=3)]}, "rois[0].frame"),
        ({"version": 0, "steps": [step(evidence=[str(uuid.uuid4())])]}, "steps[0].evidence[0]"),
        ({"version": 0, "steps": [step(kind="differential")]}, "steps[0].kind"),
        ({"version": 0, "answer": {"choice": "E"}}, "answer.choice"),
        ({"version": 0, "case": "x"}, "case"),
        ({"version": 0, "answer": {"\ud800": 1}}, "answer.\\ud800"),
        ({"confidence": 0.5}, "version"),
        ({"version": "1"}, "version"),
        ({"version": -1}, "version"),
        ({"version": True}, "version"),
        ({"version": 2**40}, "version"),
        ([1], ""),
    ],
)
def test_bad_content_is_refused_with_its_path(body: Any, path: str, api: Api, reader: User, reading: Reading) -> None:
    answer = put_text(api(reader), reading, json.dumps(body))
    assert problem(answer) == (400, "invalid")
    assert path in {error["path"] for error in answer.json()["errors"]}
    reading.refresh_from_db()
    assert (reading.version, reading.draft) == (0, {})


@pytest.mark.parametrize(
    "body",
    [
        '{"version": 0, "confidence": NaN}',
        '{"version": 0, "confidence": Infinity}',
        '{"version": 0, "confidence": -Infinity}',
        '{"version": 0, "confidence": 1e400}',
        '{"version": 0,',
        "",
        b"\xff\xfe",
        "[" * 200_000,
        '{"version": ' + "9" * 5000 + "}",
        '{"version": 0, "answer": {"text": "\\u0000"}}',
        '{"version": 0, "answer": {"text": "\\ud83d"}}',
    ],
)
def test_json_that_is_none_is_refused(body: str | bytes, api: Api, reader: User, reading: Reading) -> None:
    answer = put_text(api(reader), reading, body)
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    reading.refresh_from_db()
    assert reading.version == 0


def test_a_body_is_read_no_further_than_the_limit(api: Api, reader: User, reading: Reading) -> None:
    answer = put_text(api(reader), reading, b'{"version": 0, "answer": {"text": "' + b"x" * MOST_BYTES + b'"}}')
    assert problem(answer) == (413, "too-large")


def test_a_form_is_no_draft(api: Api, reader: User, reading: Reading) -> None:
    answer = api(reader).put(reverse("reading-draft", args=[reading.pk]), "version=0", content_type="text/plain")
    assert answer.status_code == 415


# Submitting ------------------------------------------------------------------------------------------------------


def test_a_submit_is_answered_the_same_way_again(api: Api, reader: User, reading: Reading) -> None:
    first = submit(api(reader), reading)
    assert first.status_code == 200
    assert first.json() == {
        "reading": str(reading.pk),
        "revision": 1,
        "submitted_at": ReadingRevision.objects.get().submitted_at.isoformat().replace("+00:00", "Z"),
    }
    assert submit(api(reader), reading).json() == first.json()
    assert problem(submit(api(reader), reading, **{"Idempotency-Key": "other"})) == (409, "reading-locked")


@pytest.mark.parametrize("key", ["", "  ", "x" * 129, "é", "a\tb"])
def test_a_submit_needs_a_key(key: str, api: Api, reader: User, reading: Reading) -> None:
    answer = submit(api(reader), reading, **{"Idempotency-Key": key})
    assert problem(answer) == (400, "invalid")
    assert answer.json()["errors"][0]["path"] == "Idempotency-Key"
    assert not ReadingRevision.objects.exists()


@pytest.mark.parametrize("version", [None, "0", -1, 1.5, True])
def test_a_submit_names_a_version(version: object, api: Api, reader: User, reading: Reading) -> None:
    answer = submit(api(reader), reading, version)
    assert problem(answer) == (400, "invalid")
    assert answer.json()["errors"][0]["path"] == "version"


def test_a_stale_submit_is_a_conflict(api: Api, reader: User, reading: Reading) -> None:
    put(api(reader), reading, {"version": 0, **content()})
    answer = submit(api(reader), reading, 0)
    assert problem(answer) == (409, "stale-draft")
    assert answer.json()["version"] == 1


def test_what_is_required_is_named(api: Api, reader: User, reading: Reading, benchmark: Benchmark) -> None:
    now = benchmark.protocol
    config = {**now.config, "required": ["answer", "rois"]}
    Protocol.objects.create(benchmark=benchmark, version=2, kind=now.kind, config=config, digest="1" * 64)
    answer = submit(api(reader), reading)
    assert problem(answer) == (400, "invalid")
    assert [error["path"] for error in answer.json()["errors"]] == ["answer", "rois"]


def test_a_lost_place_keeps_the_draft_as_surplus(api: Api, reader: User, surplus: Reading) -> None:
    assert problem(submit(api(reader), surplus, 1)) == (409, "overlap-reached")
    found = api(reader).get(reverse("reading", args=[surplus.pk])).json()
    assert (found["state"], found["content"]["answer"]) == ("surplus", {"choice": "B"})


# Afterwards ------------------------------------------------------------------------------------------------------


def test_a_correction_starts_from_what_was_submitted(api: Api, reader: User, reading: Reading) -> None:
    given = content()
    put(api(reader), reading, {"version": 0, **given})
    submit(api(reader), reading, 1)
    opened = post(api(reader), "revise", reading).json()
    assert (opened["state"], opened["version"], opened["revision"], opened["content"]) == ("draft", 2, 1, given)
    assert submit(api(reader), reading, 2, **{"Idempotency-Key": "k2"}).json()["revision"] == 2


def test_nothing_to_revise_is_a_conflict(api: Api, reader: User, reading: Reading) -> None:
    assert problem(post(api(reader), "revise", reading)) == (409, "not-submitted")


@pytest.mark.parametrize("name", ["curator", "admin"])
def test_a_curator_accepts_or_closes_a_surplus_draft(
    name: str, request: pytest.FixtureRequest, api: Api, reader: User, surplus: Reading
) -> None:
    submit(api(reader), surplus, 1)
    client = api(request.getfixturevalue(name))
    assert client.get(reverse("reading", args=[surplus.pk])).json()["content"]["confidence"] == 0.8
    assert problem(post(client, "accept", surplus, {"reason": ""})) == (400, "invalid")
    if name == "curator":
        assert post(client, "accept", surplus, {"reason": "kept"}).json()["revision"] == 1
    else:
        assert post(client, "close", surplus, {"reason": "late"}).json()["state"] == "closed"
    assert problem(post(client, "close", surplus, {"reason": "late"})) == (409, "not-surplus")


def test_a_draft_costs_so_many_queries(api: Api, reading: Reading, django_assert_num_queries: Any) -> None:
    client = api(User.objects.get(pk=reading.reader_id))
    body = {"version": 0, **content()}
    with django_assert_num_queries(7):
        assert put(client, reading, body).status_code == 200


def test_a_blind_curator_is_not_told_what_is_wrong_in_somebodys_draft(
    api: Api, curator: User, benchmark: Benchmark, surplus: Reading
) -> None:
    Reading.objects.filter(pk=surplus.pk).update(draft={"answer": {"choice": "effusion"}}, state=ReadingState.SURPLUS)
    told = post(api(curator), "accept", surplus, {"reason": "kept"})
    assert (told.status_code, b"effusion" in told.content) == (400, True)
    Membership.objects.create(user=curator, benchmark=benchmark, role=Role.READER)
    blind = User.objects.get(pk=curator.pk)
    told = post(api(blind), "accept", surplus, {"reason": "kept"})
    assert (told.status_code, b"effusion" in told.content, b"answer" in told.content) == (400, False, False)
    page = Client()
    page.force_login(blind)
    page.post(reverse("queue-settle", args=[benchmark.slug, surplus.pk]), {"act": "accept", "reason": "kept"})
    assert b"effusion" not in page.get(reverse("queue-page", args=[benchmark.slug])).content
