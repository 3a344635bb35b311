"""How far experts agree among themselves tells of others' readings: nobody who still reads here is shown it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from annotations import agreement
from curation.models import Benchmark, Case, Membership, Role, User
from tests.annotations.saying import say
from tests.factories import make_case, make_user

if TYPE_CHECKING:
    from inference.models import ModelVersion

pytestmark = pytest.mark.django_db

STAFF = [Role.REVIEWER, Role.ENGINEER, Role.CURATOR, Role.ADMIN]
OVERVIEW = "/benchmarks/thorax/"
PAGES = [OVERVIEW, f"{OVERVIEW}?model=planted", f"{OVERVIEW}progress/", f"{OVERVIEW}readers/", f"{OVERVIEW}cases/"]
CEILING = "/api/v1/benchmarks/thorax/agreement/?parts=ceiling"


@pytest.fixture
def read(benchmark: Benchmark, reader: User, other_reader: User) -> list[Case]:
    """Seven cases, on five of which two experts give the same answer."""
    cases = [make_case(benchmark, f"read-{number}") for number in range(7)]
    for number, case in enumerate(cases):
        say(case, reader, answer={"choice": "A"})
        say(case, other_reader, answer={"choice": "A" if number < 5 else "B"})
        agreement.record_case(case.pk)
    return cases


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("role", STAFF)
def test_staff_who_do_not_read_see_it(
    benchmark: Benchmark, read: list[Case], planted: ModelVersion, role: Role
) -> None:
    client = signed_in(make_user("staff", role, benchmark))
    assert re.search(r"two experts, same answer <a[^>]*>0\.71</a>", client.get(OVERVIEW).content.decode())
    assert client.get(CEILING).json()["ceiling"]["same_answer"]["value"] == pytest.approx(5 / 7)


@pytest.mark.parametrize("where", ["here", "everywhere"])
@pytest.mark.parametrize("role", STAFF)
def test_staff_who_read_as_well_do_not(
    benchmark: Benchmark, read: list[Case], planted: ModelVersion, role: Role, where: str
) -> None:
    both = make_user("both", role, benchmark)
    Membership.objects.create(user=both, benchmark=benchmark if where == "here" else None, role=Role.READER)
    client = signed_in(both)
    for address in PAGES:
        answer = client.get(address)
        assert answer.status_code in (200, 403), address
        assert "experts" not in answer.content.decode(), address
        assert not any("experts" in layer for layer in answer.context or ()), address
    body = client.get(CEILING).json()
    assert (body["only_own_cases"], body["ceiling"]["same_answer"]["value"]) == (True, None)
    say(read[6], both, answer={"choice": "B"})
    agreement.record_case(read[6].pk)
    number = client.get(CEILING).json()["ceiling"]["same_answer"]
    assert (number["n"], number["pairs"], number["value"]) == (1, 3, pytest.approx(1 / 3))
