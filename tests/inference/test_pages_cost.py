"""What pages cost the database: the same for few rows and for many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from curation.accounts import give_role
from curation.models import Benchmark, Role, User
from curation.snapshots import freeze
from tests.factories import make_asset, make_benchmark, make_case
from tests.releases import score, submit

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db


def queries(client: Any, user: User, address: str) -> int:
    client.force_login(user)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def costs(client: Any, user: User, address: str, grow: Callable[[int], None]) -> list[int]:
    """Queries of a page after each of two growths; the first look of a process may fill caches, and is not counted."""
    grow(1)
    queries(client, user, address)
    first = queries(client, user, address)
    grow(6)
    return [first, queries(client, user, address)]


def test_the_list_of_benchmarks(client: Any, admin: User, benchmark: Benchmark) -> None:
    def grow(count: int) -> None:
        for number in range(count):
            more = make_benchmark(f"more-{count}-{number}")
            give_role(name=admin.username, role=Role.CURATOR, benchmark=more)
            make_case(more)

    before, after = costs(client, admin, reverse("benchmarks-page"), grow)
    assert before == after


def test_benchmarks_are_paged_by_name(client: Any, admin: User) -> None:
    for number in range(51):
        give_role(name=admin.username, role=Role.CURATOR, benchmark=make_benchmark(f"b{number:02}"))
    client.force_login(admin)
    first = client.get(reverse("benchmarks-page")).content.decode()
    assert "b49" in first
    assert 'href="/benchmarks/b50/"' not in first
    second = client.get(reverse("benchmarks-page"), {"after": "b49"}).content.decode()
    assert 'href="/benchmarks/b50/"' in second


def test_the_readers_own_page(client: Any, reader: User, benchmark: Benchmark) -> None:
    def grow(count: int) -> None:
        for number in range(count):
            submit(make_case(benchmark, f"case-{count}-{number}"), reader)

    before, after = costs(client, reader, reverse("home"), grow)
    assert before == after


def test_the_list_of_snapshots(client: Any, curator: User, benchmark: Benchmark) -> None:
    def grow(count: int) -> None:
        for number in range(count):
            make_case(benchmark, f"case-{count}-{number}")
            freeze(benchmark=benchmark, name=f"name-{count}-{number}", actor=curator)

    before, after = costs(client, curator, reverse("snapshots-page", args=[benchmark.slug]), grow)
    assert before == after


def test_one_snapshot(client: Any, curator: User, benchmark: Benchmark) -> None:
    make_case(benchmark)
    small = freeze(benchmark=benchmark, name="small", actor=curator).snapshot
    for number in range(6):
        make_case(benchmark, f"more{number}")
    large = freeze(benchmark=benchmark, name="large", actor=curator).snapshot
    seen = [queries(client, curator, reverse("snapshot-page", args=[one.digest])) for one in (small, small, large)]
    assert seen[1] == seen[2]


def test_a_case_with_many_images_and_readings(client: Any, reviewer: User, benchmark: Benchmark) -> None:
    case = make_case(benchmark)
    readers = iter(range(100))

    def grow(count: int) -> None:
        for _ in range(count):
            number = next(readers)
            case.images.create(number=number + 10, asset=make_asset(seed=number + 10))
            person, _ = give_role(name=f"reader{number}", role=Role.READER, benchmark=benchmark)
            score(case, submit(case, person))

    before, after = costs(client, reviewer, reverse("case-page", args=[case.pk]), grow)
    assert before == after
