"""The page that stands where somebody may not go."""

from __future__ import annotations

import pytest
from django.test import Client

from curation.models import Role
from tests.factories import make_benchmark, make_user

pytestmark = pytest.mark.django_db


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 403
    return answer.content.decode()


def test_the_page_is_named_and_whom_to_ask(client: Client) -> None:
    thorax, other = make_benchmark("thorax"), make_benchmark("other")
    make_user("ann", Role.CURATOR, thorax)
    make_user("walter", Role.CURATOR, other)
    client.force_login(make_user("cy", Role.READER, thorax))

    said = shown(client, "/benchmarks/thorax/runs/")
    assert "You cannot open the runs of a benchmark" in said
    assert "This needs the role reviewer, engineer, curator or admin in thorax." in said
    assert "You hold: Reader" in said
    assert "<b>ann</b> can give you a role in Thorax" in said
    assert "walter" not in said

    said = shown(client, "/users/")
    assert "You cannot open the list of users" in said
    assert "<b>ann</b> can give you a role;" in said


def test_an_admin_is_named_where_nobody_curates(client: Client) -> None:
    thorax = make_benchmark("thorax")
    make_user("root", Role.ADMIN, None)
    client.force_login(make_user("cy", Role.READER, thorax))
    assert "<b>root</b> can give you a role" in shown(client, "/benchmarks/thorax/runs/")


def test_nobody_is_named_where_there_is_nobody(client: Client) -> None:
    client.force_login(make_user("cy", Role.READER, make_benchmark("thorax")))
    assert "An admin of this site can give you the role." in shown(client, "/audit/")
