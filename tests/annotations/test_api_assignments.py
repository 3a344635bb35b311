"""Pulling cases and keeping leases over HTTP, by each of the cast."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from annotations.assigning import HandedOut, next_case
from annotations.models import Assignment, AssignmentState
from curation.models import Benchmark, Case, Membership, User
from tests.factories import make_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

    Api = Callable[[User | None], APIClient]

CAST = ["reader", "other_reader", "reviewer", "curator", "engineer", "admin", "outsider"]


@pytest.fixture
def lease(reader: User, benchmark: Benchmark, case: Case) -> Assignment:
    given = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(given, HandedOut)
    return given.assignment


def act(client: APIClient, name: str, pk: object, body: Any = None) -> Any:
    return client.post(reverse(f"assignment-{name}", args=[pk]), body, format="json")


@pytest.mark.parametrize("name", CAST)
def test_who_pulls_a_case(
    name: str, request: pytest.FixtureRequest, api: Api, benchmark: Benchmark, case: Case
) -> None:
    answer = api(request.getfixturevalue(name)).post(reverse("next-case", args=[benchmark.slug]))
    if name == "outsider":
        assert answer.status_code == 404
    elif name in ("reader", "other_reader"):
        assert (answer.status_code, answer.json()["case"]["id"]) == (200, str(case.pk))
    else:
        assert answer.json() == {"case": None, "reason": "not_assigned", "until": None}
    assert Assignment.objects.count() == (1 if "reader" in name else 0)


def test_nobody_pulls_nothing(api: Api, benchmark: Benchmark, case: Case) -> None:
    assert api(None).post(reverse("next-case", args=[benchmark.slug])).status_code in (401, 403)


def test_a_look_takes_no_lease(api: Api, reader: User, benchmark: Benchmark, case: Case) -> None:
    assert api(reader).get(reverse("next-case", args=[benchmark.slug])).status_code == 405
    assert not Assignment.objects.exists()


def test_pulling_twice_gives_the_same_lease(api: Api, reader: User, benchmark: Benchmark, case: Case) -> None:
    make_case(benchmark, "two")
    client, address = api(reader), reverse("next-case", args=[benchmark.slug])
    first, again = client.post(address).json(), client.post(address).json()
    assert first["assignment"] == again["assignment"]
    assert first["reading"]["id"] == again["reading"]["id"]


def test_a_case_comes_with_what_a_viewer_needs(api: Api, reader: User, benchmark: Benchmark, case: Case) -> None:
    image = api(reader).post(reverse("next-case", args=[benchmark.slug])).json()["case"]["images"][0]
    asset = case.images.get().asset
    assert (image["number"], image["sha256"], image["width"], image["height"]) == (1, asset.sha256, 64, 48)
    assert (image["frames"], image["dtype"], image["channels"]) == (1, "uint8", 1)
    assert (image["photometric"], image["slope"], image["intercept"]) == ("MONOCHROME2", 1.0, 0.0)
    assert (image["windows"], image["spacing_mm"], image["frame_time_ms"]) == ([], None, None)


def test_says_until_when_all_are_leased(api: Api, lease: Assignment, other_reader: User, benchmark: Benchmark) -> None:
    answer = api(other_reader).post(reverse("next-case", args=[benchmark.slug])).json()
    assert (answer["case"], answer["reason"]) == (None, "leased")
    assert dt.datetime.fromisoformat(answer["until"]) == lease.lease_expires_at


@pytest.mark.parametrize("name", CAST)
@pytest.mark.parametrize("what", ["heartbeat", "release", "skip"])
def test_a_lease_is_its_readers_alone(
    what: str, name: str, request: pytest.FixtureRequest, api: Api, lease: Assignment
) -> None:
    answer = act(api(request.getfixturevalue(name)), what, lease.pk, {"reason": "blurred"})
    assert answer.status_code == (200 if name == "reader" else 404)
    lease.refresh_from_db()
    touched = {
        "heartbeat": AssignmentState.LEASED,
        "release": AssignmentState.RELEASED,
        "skip": AssignmentState.SKIPPED,
    }
    assert lease.state == (touched[what] if name == "reader" else AssignmentState.LEASED)


@pytest.mark.parametrize("what", ["heartbeat", "release", "skip"])
def test_nobody_touches_no_lease(what: str, api: Api, lease: Assignment) -> None:
    assert act(api(None), what, lease.pk).status_code in (401, 403)


@pytest.mark.parametrize("what", ["heartbeat", "release", "skip"])
def test_who_no_longer_reads_there_has_no_lease(what: str, api: Api, lease: Assignment) -> None:
    Membership.objects.all().delete()
    fresh = User.objects.get(pk=lease.reader_id)
    assert act(api(fresh), what, lease.pk, {"reason": "x"}).status_code == 404


def test_an_unknown_lease_is_not_found(api: Api, reader: User) -> None:
    assert act(api(reader), "heartbeat", uuid.uuid4()).status_code == 404


def test_a_heartbeat_says_until_when(api: Api, reader: User, lease: Assignment) -> None:
    Assignment.objects.update(lease_expires_at=timezone.now() + dt.timedelta(seconds=50))
    body = act(api(reader), "heartbeat", lease.pk).json()
    lease.refresh_from_db()
    assert dt.datetime.fromisoformat(body["lease_expires_at"]) == lease.lease_expires_at
    assert lease.lease_expires_at > timezone.now() + dt.timedelta(minutes=1)


def test_a_lost_place_is_a_conflict(
    api: Api, reader: User, other_reader: User, benchmark: Benchmark, lease: Assignment
) -> None:
    Assignment.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    next_case(reader=other_reader, benchmark=benchmark)
    answer = act(api(reader), "heartbeat", lease.pk)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/overlap-reached")
    assert answer["Content-Type"] == "application/problem+json"


def test_a_heartbeat_after_the_end_is_a_conflict(api: Api, reader: User, lease: Assignment) -> None:
    act(api(reader), "release", lease.pk)
    answer = act(api(reader), "heartbeat", lease.pk)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/lease-ended")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "reason"),
        ({"reason": "  "}, "reason"),
        ({"reason": 4}, "reason"),
        ({"reason": "x" * 301}, "reason"),
        ([], ""),
    ],
)
def test_a_skip_gives_its_reason(body: Any, path: str, api: Api, reader: User, lease: Assignment) -> None:
    answer = act(api(reader), "skip", lease.pk, body)
    assert answer.status_code == 400
    assert path in {error["path"] for error in answer.json()["errors"]}
    lease.refresh_from_db()
    assert lease.state == AssignmentState.LEASED
