"""The queue's page: what curators see of it and do there."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from annotations.models import Assignment, AssignmentState, Reading, ReadingState
from curation.models import Benchmark, Case, User
from tests.factories import make_case

if TYPE_CHECKING:
    from django.test import Client


@pytest.fixture
def desk(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


def address(benchmark: Benchmark) -> str:
    return reverse("queue-page", args=[benchmark.slug])


def said(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def test_who_holds_what(desk: Client, benchmark: Benchmark, case: Case, reader: User) -> None:
    soon = timezone.now() + dt.timedelta(minutes=5)
    Assignment.objects.create(case=case, reader=reader, lease_expires_at=soon)
    answer = desk.get(address(benchmark))
    assert [row.case.key for row in answer.context["held"]] == ["case1"]
    assert [(line.reader.username, line.leased) for line in answer.context["lines"]] == [("rosa", 1)]
    assert "Take back" in answer.content.decode()


def test_a_lease_that_ran_out_holds_nothing(desk: Client, benchmark: Benchmark, case: Case, reader: User) -> None:
    Assignment.objects.create(case=case, reader=reader, lease_expires_at=timezone.now() - dt.timedelta(minutes=1))
    answer = desk.get(address(benchmark))
    assert not answer.context["held"]
    assert "Nobody holds a case at this moment." in answer.content.decode()


def test_assigning_the_next_ones(desk: Client, benchmark: Benchmark, reader: User) -> None:
    for number in range(4):
        make_case(benchmark, f"c{number}")
    form = {"reader": "rosa", "count": "3"}
    answer = desk.post(reverse("queue-assign", args=[benchmark.slug]), form, follow=True)
    assert "3 cases assigned to" in said(answer)
    assert sorted(Assignment.objects.values_list("case__key", flat=True)) == ["c0", "c1", "c2"]


def test_assigning_by_key_says_which_were_not(
    desk: Client, benchmark: Benchmark, reader: User, other_reader: User
) -> None:
    cases = [make_case(benchmark, f"c{number}") for number in range(2)]
    Assignment.objects.create(
        case=cases[0], reader=other_reader, state=AssignmentState.ASSIGNED, lease_expires_at=timezone.now()
    )
    form = {"reader": "rosa", "keys": "c0, c1", "count": "10"}
    answer = desk.post(reverse("queue-assign", args=[benchmark.slug]), form, follow=True)
    assert said(answer) == "1 case assigned to rosa. Not assigned: c0: all 1 places are taken."


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"reader": "otto", "count": "1"}, "nobody called 'otto' reads in Thorax"),
        ({"reader": "rosa", "count": "0"}, "'0' is no number of cases from 1 to 1000"),
        ({"reader": "rosa", "count": "²"}, "'²' is no number of cases"),
        ({"reader": "rosa", "count": "9" * 50}, "is no number of cases"),
        ({"reader": "rosa", "keys": "case1 nope"}, "'nope' is no case of Thorax"),
        ({"reader": "rosa", "count": "1", "due": "2001-01-01"}, "2001-01-01 is over"),
        ({"reader": "rosa", "count": "1", "due": "2026-13-45"}, "'2026-13-45' is no date"),
        ({"reader": "rosa\0", "count": "1", "due": "never"}, "'never' is no date"),
        ({"reader": "rosa", "keys": "x" * 300_000}, "300000 characters"),
    ],
)
def test_what_cannot_be_assigned_is_said_by_name(
    desk: Client, benchmark: Benchmark, case: Case, reader: User, outsider: User, form: Any, why: str
) -> None:
    answer = desk.post(reverse("queue-assign", args=[benchmark.slug]), form, follow=True)
    assert "Nothing was assigned" in said(answer)
    assert why in said(answer)
    assert not Assignment.objects.exists()


def test_taking_back_needs_a_reason(desk: Client, benchmark: Benchmark, case: Case, reader: User) -> None:
    soon = timezone.now() + dt.timedelta(minutes=5)
    row = Assignment.objects.create(case=case, reader=reader, lease_expires_at=soon)
    back = reverse("queue-take-back", args=[benchmark.slug, row.pk])
    assert "Give a reason" in said(desk.post(back, {"reason": " "}, follow=True))
    row.refresh_from_db()
    assert row.state == AssignmentState.LEASED
    assert "free again" in said(desk.post(back, {"reason": "on leave"}, follow=True))
    row.refresh_from_db()
    assert row.state == AssignmentState.RELEASED


@pytest.mark.parametrize(("act", "state"), [("accept", ReadingState.SUBMITTED), ("close", ReadingState.CLOSED)])
def test_a_surplus_draft_is_accepted_or_closed(
    act: str, state: str, desk: Client, benchmark: Benchmark, case: Case, reader: User
) -> None:
    Assignment.objects.create(case=case, reader=reader, lease_expires_at=timezone.now())
    reading = Reading.objects.create(case=case, reader=reader, state=ReadingState.SURPLUS, version=1)
    assert [row.pk for row in desk.get(address(benchmark)).context["surplus"]] == [reading.pk]
    settle = reverse("queue-settle", args=[benchmark.slug, reading.pk])
    assert "Nothing was changed" in said(desk.post(settle, {"act": act}, follow=True))
    desk.post(settle, {"act": act, "reason": "well read"})
    reading.refresh_from_db()
    assert reading.state == state
    assert "not surplus" in said(desk.post(settle, {"act": act, "reason": "again"}, follow=True))


def test_nothing_of_another_benchmark_is_touched(
    desk: Client, benchmark: Benchmark, reader: User, outsider: User
) -> None:
    elsewhere = make_case(Benchmark.objects.get(slug="elsewhere"), "far")
    row = Assignment.objects.create(case=elsewhere, reader=outsider, lease_expires_at=timezone.now())
    back = reverse("queue-take-back", args=[benchmark.slug, row.pk])
    assert desk.post(back, {"reason": "x"}).status_code == 404


def test_the_page_asks_the_same_of_few_and_of_many(
    desk: Client, benchmark: Benchmark, reader: User, other_reader: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        Assignment.objects.create(
            case=make_case(benchmark, f"c{number}"),
            reader=reader if number % 2 else other_reader,
            state=AssignmentState.ASSIGNED,
            lease_expires_at=timezone.now(),
        )
    with django_assert_max_num_queries(12):
        desk.get(address(benchmark))


def behind_tabs(desk: Client, benchmark: Benchmark) -> dict[str, int]:
    """Every address that tabs name, on the page asked first and on each that they lead to; what each answers."""
    found: dict[str, int] = {}
    ahead = [address(benchmark)]
    while ahead:
        answer = desk.get(ahead[-1])
        found[ahead.pop()] = answer.status_code
        shown = re.findall(r'<nav class="(?:tabs sections|subsections)".*?</nav>', answer.content.decode(), re.DOTALL)
        named = {one for part in shown for one in re.findall(r'href="([^"]+)"', part)}
        ahead += sorted(named - set(found) - set(ahead))
    return found


def test_no_tab_leads_a_curator_who_reads_to_a_page_that_is_closed_to_readers(
    desk: Client, benchmark: Benchmark, case: Case, curator: User
) -> None:
    names = ("progress-page", "readers-page", "benchmark-wrong-reason-page")
    closed = {reverse(name, args=[benchmark.slug]) for name in names}
    before = behind_tabs(desk, benchmark)
    assert closed <= set(before)
    assert set(before.values()) == {200}
    curator.memberships.create(benchmark=benchmark, role="reader")
    after = behind_tabs(desk, benchmark)
    assert set(after) == set(before) - closed
    assert set(after.values()) == {200}
    assert [desk.get(one).status_code for one in sorted(closed)] == [403, 403, 403]
