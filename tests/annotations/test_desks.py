"""My cases: what is assigned, due, begun and held, and that nothing shows what others do."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotations.assigning import HandedOut, next_case
from annotations.desks import Waiting, desks_of, progress_of
from annotations.drafting import save_draft
from annotations.models import Assignment
from annotations.pushing import assign
from annotations.submission import submit
from curation.accounts import give_role
from curation.models import Benchmark, Case, Role, User
from tests.annotations.submitted import submitted
from tests.factories import make_benchmark, make_case

if TYPE_CHECKING:
    from django.test import Client

DAY = dt.timedelta(days=1)


@pytest.fixture
def cases(benchmark: Benchmark) -> list[Case]:
    return [make_case(benchmark, f"c{number}") for number in range(6)]


def push(cases: list[Case], reader: User, curator: User, *, due_at: dt.datetime | None = None) -> None:
    ids = [case.pk for case in cases]
    done = assign(benchmark=cases[0].benchmark, case_ids=ids, reader=reader, curator=curator, due_at=due_at)
    assert not done.refused


def push_only(benchmark: Benchmark) -> None:
    benchmark.is_push_only = True
    benchmark.save()


def words(client: Client, reader: User) -> str:
    """The text of the benchmark's card."""
    client.force_login(reader)
    page = client.get(reverse("home")).content.decode()
    card = page.split('<div class="desks"')[1].split('<table class="table">')[0]
    return " ".join(re.sub(r"<[^>]+>", " ", card.split(">", 1)[1]).split())


def test_what_is_assigned_is_counted_with_its_next_due_day(
    client: Client, benchmark: Benchmark, cases: list[Case], reader: User, other_reader: User, curator: User
) -> None:
    now = timezone.now()
    late, soon = now - 2 * DAY, now + 3 * DAY
    push(cases[:1], reader, curator, due_at=late)
    push(cases[1:2], reader, curator, due_at=soon)
    push(cases[2:3], reader, curator, due_at=soon + DAY)
    push(cases[3:4], other_reader, curator, due_at=now + DAY)
    desk = desks_of(reader)[0]
    assert desk.waiting == Waiting(assigned=3, overdue=1, overdue_since=late, next_due=soon)
    said = words(client, reader)
    assert f"3 cases are assigned to you, the next due {soon.day} {soon:%b}." in said
    assert f"1 is overdue, since {late.day} {late:%b}." in said


def test_without_a_day_nothing_is_due(client: Client, cases: list[Case], reader: User, curator: User) -> None:
    push(cases[:1], reader, curator)
    said = words(client, reader)
    assert "1 case is assigned to you." in said
    assert "overdue" not in said


def test_the_case_held_keeps_its_day(client: Client, cases: list[Case], reader: User, curator: User) -> None:
    due = timezone.now() + DAY
    push(cases[:2], reader, curator, due_at=due)
    given = next_case(reader=reader, benchmark=cases[0].benchmark)
    assert isinstance(given, HandedOut)
    said = words(client, reader)
    assert f"It is due {due.day} {due:%b}." in said
    assert "1 more case is assigned to you" in said
    Assignment.objects.filter(pk=given.assignment.pk).update(due_at=timezone.now() - DAY)
    assert "It was due" in words(client, reader)


def test_where_cases_only_come_by_assignment_only_those_count(
    client: Client, benchmark: Benchmark, cases: list[Case], reader: User, curator: User
) -> None:
    push_only(benchmark)
    said = words(client, reader)
    assert "No case is assigned to you" in said
    assert "Read the next case" not in said
    assert "of 6" not in said
    assert progress_of(reader, benchmark) == {"done": 0, "total": 0}

    push(cases[:2], reader, curator)
    assert progress_of(reader, benchmark) == {"done": 0, "total": 2}
    assert "0 of 2 cases read" in words(client, reader)
    for key in ("one", "two"):
        given = next_case(reader=reader, benchmark=benchmark)
        assert isinstance(given, HandedOut)
        submit(reading_id=given.reading.pk, version=0, key=key)
    assert progress_of(reader, benchmark) == {"done": 2, "total": 2}
    said = words(client, reader)
    assert "All 2 cases assigned to you read" in said
    assert "Read the next case" not in said


def test_a_draft_whose_lease_ran_out_is_told(client: Client, cases: list[Case], reader: User) -> None:
    given = next_case(reader=reader, benchmark=cases[0].benchmark)
    assert isinstance(given, HandedOut)
    save_draft(reading_id=given.reading.pk, version=0, content={"confidence": 0.5})
    past = timezone.now() - DAY
    Assignment.objects.filter(pk=given.assignment.pk).update(lease_expires_at=past)
    assert desks_of(reader)[0].waiting.begun == 1
    assert "1 draft of yours waits to be finished, if a place is still free." in words(client, reader)


def test_a_paused_benchmark_says_so_and_offers_no_case(
    client: Client, benchmark: Benchmark, cases: list[Case], reader: User, curator: User
) -> None:
    push(cases[:1], reader, curator)
    benchmark.is_paused = True
    benchmark.save()
    said = words(client, reader)
    assert "Paused by a curator: no case is handed out for now." in said
    assert "1 case is assigned to you." in said
    assert "Read the next case" not in said


def test_what_others_do_and_what_is_a_probe_changes_nothing(
    client: Client, benchmark: Benchmark, cases: list[Case], reader: User, other_reader: User, curator: User
) -> None:
    """Word for word the same page, whatever others hold or submitted and whichever cases are probes."""
    before = words(client, reader)
    submitted(cases[0], other_reader, {"answer": {"choice": "A"}})
    push(cases[1:3], other_reader, curator, due_at=timezone.now() + DAY)
    next_case(reader=other_reader, benchmark=benchmark)
    Case.objects.filter(pk__in=[cases[4].pk, cases[5].pk]).update(is_probe=True)
    assert words(client, reader) == before
    assert progress_of(reader, benchmark) == {"done": 0, "total": 6}
    submitted(cases[4], reader, {"answer": {"choice": "A"}})  # a probe counts as any other case
    assert progress_of(reader, benchmark) == {"done": 1, "total": 6}


def test_the_cost_does_not_grow(client: Any, benchmark: Benchmark, reader: User, curator: User) -> None:
    def afresh() -> User:
        return User.objects.get(pk=reader.pk)  # a user remembers their roles

    def grow(name: str, count: int) -> None:
        more = make_benchmark(name)
        give_role(name=reader.username, role=Role.READER, benchmark=more)
        push([make_case(more, f"{name}-{n}") for n in range(count)], afresh(), curator, due_at=timezone.now() + DAY)

    def cost() -> int:
        user = afresh()
        with CaptureQueriesContext(connection) as asked:
            desks_of(user)
        return len(asked)

    grow("first", 1)
    one = cost()
    grow("second", 5)
    grow("third", 1)
    assert cost() == one


def ahead(client: Client, reader: User, benchmark: Benchmark) -> list[str]:
    client.force_login(reader)
    answer = client.get(reverse("next-images", args=[benchmark.slug]))
    assert (set(answer.json()), answer["Cache-Control"]) == ({"images"}, "no-store")
    return [image["sha256"] for image in answer.json()["images"]]


def test_images_of_an_assigned_case_come_ahead_and_nothing_is_leased(
    client: Client, benchmark: Benchmark, cases: list[Case], reader: User, curator: User
) -> None:
    """Where the queue decides there is nothing to tell: a page that only looks must not draw, nor show a probe."""
    assert ahead(client, reader, benchmark) == []
    now = timezone.now()
    push(cases[1:2], reader, curator)
    push(cases[2:3], reader, curator, due_at=now + 2 * DAY)
    push(cases[3:4], reader, curator, due_at=now + DAY)
    for _ in range(3):
        told = ahead(client, reader, benchmark)
        assert not Assignment.objects.filter(reader=reader, state="leased").exists()
        given = next_case(reader=reader, benchmark=benchmark)
        assert isinstance(given, HandedOut)
        assert told == [row.asset_id for row in given.assignment.case.images.order_by("number")]
        submit(reading_id=given.reading.pk, version=0, key="k")
    assert ahead(client, reader, benchmark) == []


def test_a_paused_benchmark_shows_nothing_ahead(
    client: Client, benchmark: Benchmark, cases: list[Case], reader: User, curator: User
) -> None:
    push(cases[:1], reader, curator)
    benchmark.is_paused = True
    benchmark.save()
    assert ahead(client, reader, benchmark) == []


def test_what_is_to_be_read_comes_before_what_is_read(
    client: Client, benchmark: Benchmark, cases: list[Case], reader: User, curator: User
) -> None:
    benchmarks = [make_benchmark(name) for name in ("a-read", "b-unread", "c-assigned", "d-held")]
    for one in benchmarks:
        give_role(name=reader.username, role=Role.READER, benchmark=one)
        make_case(one, "case")
    user = User.objects.get(pk=reader.pk)
    submitted(benchmarks[0].cases.get(), user, {"answer": {"choice": "A"}})
    assign(benchmark=benchmarks[2], case_ids=[benchmarks[2].cases.get().pk], reader=user, curator=curator)
    assert isinstance(next_case(reader=user, benchmark=benchmarks[3]), HandedOut)
    order = [desk.benchmark.slug for desk in desks_of(user)]
    assert order == ["d-held", "c-assigned", "b-unread", benchmark.slug, "a-read"]
