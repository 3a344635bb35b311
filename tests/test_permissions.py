"""Deny by default: every address, tried by everybody. An address without an expectation fails here.

A row of tests/expectations.py says, for one route and method, what each of the cast gets: who is not signed in 401
(API) or 302 to the log-in page (pages), an outsider 404 as if the thing did not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from curation.models import Role, User
from tests.expectations import CAST, EXPECTED, Row, World, build_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curation.models import Benchmark

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """(name, route) of every address, those of the admin as one."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace == "admin":
                yield "admin:index", prefix + str(pattern.pattern)
            else:
                yield from routes(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield pattern.name or "", prefix + str(pattern.pattern)


# Django's own pages answer other methods in their own way.
OURS = [row for row in EXPECTED if not row.name.startswith("admin:")]
ALL = sorted(set(routes(get_resolver().url_patterns)))


def test_every_address_states_who_may_use_it() -> None:
    nameless = [route for name, route in ALL if not name]
    assert not nameless
    stated = {row.name for row in EXPECTED}
    assert {name for name, _ in ALL} == stated


def test_no_two_addresses_share_a_name() -> None:
    names = [name for name, _ in ALL]
    assert sorted(set(names)) == names


@pytest.fixture
def world(benchmark: Benchmark, reader: User) -> World:
    return build_world(benchmark, reader)


def try_it(row: Row, world: World, user: User | None) -> int:
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
    path = reverse(row.name, kwargs={key: world.ids[key_of] for key, key_of in row.kwargs.items()})
    body: dict[str, Any] = {"data": row.body(world) if row.body else "", "content_type": row.content_type}
    if row.method == "GET":
        body = {}
    response = getattr(client, row.method.lower())(path + row.query, headers=dict(row.headers), **body)
    # A stream is not read here: tests/curation/test_hub.py listens to one.
    return int(response.status_code)


@pytest.mark.django_db
@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: f"{row.method}-{row.name}")
@pytest.mark.parametrize("who", CAST)
def test_everybody_gets_what_is_stated(
    row: Row,
    who: str,
    world: World,
    reader: User,
    reviewer: User,
    engineer: User,
    curator: User,
    admin: User,
    outsider: User,
) -> None:
    cast: dict[str, User | None] = {
        "nobody": None,
        "outsider": outsider,
        "reader": reader,
        "reviewer": reviewer,
        "engineer": engineer,
        "curator": curator,
        "admin": admin,
    }
    assert try_it(row, world, cast[who]) == row.expected[who]


@pytest.mark.django_db
@pytest.mark.parametrize("row", OURS, ids=lambda row: f"{row.method}-{row.name}")
def test_a_stated_method_is_the_only_one(row: Row, world: World, admin: User) -> None:
    stated = {other.method for other in EXPECTED if other.name == row.name}
    client = Client(raise_request_exception=False)
    client.force_login(admin)
    path = reverse(row.name, kwargs={key: world.ids[key_of] for key, key_of in row.kwargs.items()})
    for method in METHODS:
        if method not in stated:
            assert getattr(client, method.lower())(path).status_code in {403, 405}, method


def test_roles_are_ranked() -> None:
    assert sorted(Role, key=lambda role: role.rank)[0] == Role.READER
