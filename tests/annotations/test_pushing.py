"""Assigning cases by name: who gets them, when not, taking them back, and readers who leave."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from annotations import pushing
from annotations.assigning import HandedOut, NothingLeft, next_case
from annotations.models import Assignment, AssignmentState, Origin, Reading
from annotations.pushing import NotAssigned, NotReader, Pushed, assign, let_go, let_go_of_removed, take_back
from annotations.submission import submit
from curation import people
from curation.models import AuditEvent, Benchmark, Case, Event, Membership, Role, User
from inference.supervising import sweep_missing
from tests.annotations.together import at_once
from tests.factories import make_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient


def push(benchmark: Benchmark, cases: list[Case], reader: User, curator: User, **more: Any) -> Pushed:
    return assign(benchmark=benchmark, case_ids=[case.pk for case in cases], reader=reader, curator=curator, **more)


def given_to(reader: User, benchmark: Benchmark) -> Case | str:
    given = next_case(reader=reader, benchmark=benchmark)
    return given.assignment.case if isinstance(given, HandedOut) else given.reason


def read(reader: User, benchmark: Benchmark) -> Reading:
    given = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(given, HandedOut)
    submit(reading_id=given.reading.pk, version=0, key="first")
    return given.reading


def test_an_assigned_case_comes_before_all_others(benchmark: Benchmark, reader: User, curator: User) -> None:
    cases = [make_case(benchmark, f"c{n}") for n in range(4)]
    push(benchmark, [cases[2]], reader, curator)
    assert given_to(reader, benchmark) == cases[2]
    row = Assignment.objects.get(case=cases[2])
    assert (row.state, row.origin) == (AssignmentState.LEASED, Origin.PUSHED)


def test_an_assigned_case_holds_its_place(
    benchmark: Benchmark, case: Case, reader: User, other_reader: User, curator: User
) -> None:
    push(benchmark, [case], reader, curator)
    given = next_case(reader=other_reader, benchmark=benchmark)
    assert isinstance(given, NothingLeft)
    done = push(benchmark, [case], other_reader, curator)
    assert [row.reason for row in done.refused] == ["all 1 places are taken"]
    assert given_to(reader, benchmark) == case


def test_only_a_reader_is_given_cases(benchmark: Benchmark, case: Case, curator: User, outsider: User) -> None:
    with pytest.raises(NotReader, match="otto does not read in thorax"):
        push(benchmark, [case], outsider, curator)
    assert not Assignment.objects.exists()


def test_one_case_stops_no_other(benchmark: Benchmark, reader: User, other_reader: User, curator: User) -> None:
    cases = [make_case(benchmark, f"c{n}") for n in range(3)]
    push(benchmark, [cases[1]], other_reader, curator)
    done = push(benchmark, cases, reader, curator)
    assert [row.case for row in done.assigned] == [cases[0], cases[2]]
    assert [row.case for row in done.refused] == [cases[1]]


def test_twice_is_told_and_changes_nothing(benchmark: Benchmark, case: Case, reader: User, curator: User) -> None:
    first = push(benchmark, [case], reader, curator).assigned[0]
    again = push(benchmark, [case], reader, curator)
    assert [row.reason for row in again.refused] == ["is assigned to rosa already"]
    assert Assignment.objects.get() == first


def test_what_was_read_is_not_assigned_again(benchmark: Benchmark, case: Case, reader: User, curator: User) -> None:
    read(reader, benchmark)
    assert [row.reason for row in push(benchmark, [case], reader, curator).refused] == ["rosa has read it"]


def test_a_skipped_case_can_be_assigned(benchmark: Benchmark, case: Case, reader: User, curator: User) -> None:
    Assignment.objects.create(
        case=case, reader=reader, state=AssignmentState.SKIPPED, skip_reason="too dark", lease_expires_at=timezone.now()
    )
    assert len(push(benchmark, [case], reader, curator).assigned) == 1
    assert given_to(reader, benchmark) == case


def test_taking_back_frees_the_place_and_keeps_the_draft(
    benchmark: Benchmark, case: Case, reader: User, other_reader: User, curator: User
) -> None:
    push(benchmark, [case], reader, curator)
    given_to(reader, benchmark)
    Reading.objects.filter(case=case, reader=reader).update(draft={"answer": {"choice": "A"}}, version=1)
    held = Assignment.objects.get(case=case, reader=reader)
    take_back(assignment_id=held.pk, curator=curator, reason="on leave")
    take_back(assignment_id=held.pk, curator=curator, reason="on leave")
    assert given_to(other_reader, benchmark) == case
    assert Reading.objects.get(case=case, reader=reader).draft == {"answer": {"choice": "A"}}
    assert AuditEvent.objects.filter(action="assignment.taken_back").count() == 1


def test_a_submitted_one_is_not_taken_back(benchmark: Benchmark, case: Case, reader: User, curator: User) -> None:
    read(reader, benchmark)
    row = Assignment.objects.get()
    with pytest.raises(NotAssigned, match="submitted"):
        take_back(assignment_id=row.pk, curator=curator, reason="x")


def test_a_push_only_benchmark_hands_out_nothing_else(
    benchmark: Benchmark, case: Case, reader: User, curator: User
) -> None:
    Benchmark.objects.update(is_push_only=True)
    benchmark.refresh_from_db()
    assert given_to(reader, benchmark) == "not_assigned"
    push(benchmark, [case], reader, curator)
    assert given_to(reader, benchmark) == case


def test_the_next_ones_follow_the_order_and_pass_over_what_is_held(
    benchmark: Benchmark, reader: User, other_reader: User, curator: User, django_assert_num_queries: Any
) -> None:
    cases = [make_case(benchmark, f"c{n}") for n in range(5)]
    push(benchmark, [cases[0]], other_reader, curator)
    push(benchmark, [cases[1]], reader, curator)
    with django_assert_num_queries(1):
        found = pushing.next_unassigned(benchmark=benchmark, reader=reader, count=2)
    assert found == [cases[2].pk, cases[3].pk]


def test_whoever_is_no_reader_any_more_holds_nothing(
    benchmark: Benchmark, reader: User, other_reader: User, curator: User
) -> None:
    cases = [make_case(benchmark, f"c{n}") for n in range(2)]
    push(benchmark, cases, reader, curator)
    given_to(reader, benchmark)
    assert let_go(reader_id=reader.pk, benchmark_id=benchmark.pk, reason="left") == 0
    Membership.objects.filter(user=reader).delete()
    assert sweep_missing().places_freed == 2
    assert let_go_of_removed() == 0
    assert let_go(reader_id=reader.pk, benchmark_id=benchmark.pk, reason="left") == 0
    assert given_to(other_reader, benchmark) == cases[0]


@pytest.mark.django_db(transaction=True)
def test_pushing_and_pulling_at_once_never_exceeds_the_places(
    benchmark: Benchmark, reader: User, other_reader: User, curator: User
) -> None:
    cases = [make_case(benchmark, f"c{n}") for n in range(6)]
    calls: list[Callable[[], object]] = [
        *(lambda: push(benchmark, cases, reader, curator) for _ in range(4)),
        *(lambda: next_case(reader=other_reader, benchmark=benchmark) for _ in range(4)),
    ]
    at_once(calls)
    for case in cases:
        assert Assignment.objects.holding_a_place(timezone.now()).filter(case=case).count() <= 1


class TestOverHttp:
    def test_cases_by_key(
        self,
        api: Callable[[User | None], APIClient],
        benchmark: Benchmark,
        case: Case,
        reader: User,
        curator: User,
    ) -> None:
        # A zone that Python knows and PostgreSQL does not.
        due = (timezone.now() + dt.timedelta(days=2)).astimezone(dt.timezone(dt.timedelta(hours=20))).isoformat()
        address = reverse("assignments", args=[benchmark.slug])
        answer = api(curator).post(address, {"reader": "rosa", "cases": ["case1"], "due_at": due}, format="json")
        assert answer.status_code == 200, answer.content
        assert [(row["key"], row["state"]) for row in answer.json()["assigned"]] == [("case1", "assigned")]
        listed = api(curator).get(address, {"reader": "rosa", "state": "assigned"}).json()
        assert [row["key"] for row in listed["results"]] == ["case1"]

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({"reader": "rosa"}, "cases"),
            ({"reader": "rosa", "cases": ["nope"]}, "cases[0]"),
            ({"reader": "otto", "cases": ["case1"]}, "reader"),
            ({"reader": "rosa", "cases": ["case1"], "next": 1}, "cases"),
            ({"reader": "rosa", "next": 0}, "next"),
            ({"reader": "rosa", "next": 2, "due_at": "tomorrow"}, "due_at"),
            ({"reader": "rosa", "next": 2, "due_at": "2001-01-01T00:00:00Z"}, "due_at"),
            ({"reader": 7, "next": 2}, "reader"),
            ({"reader": "rosa", "cases": [7]}, "cases[0]"),
            ({"reader": "rosa", "next": 2, "colour": "red"}, "colour"),
        ],
    )
    def test_what_is_refused(
        self,
        body: Any,
        path: str,
        api: Callable[[User | None], APIClient],
        benchmark: Benchmark,
        case: Case,
        reader: User,
        outsider: User,
        curator: User,
    ) -> None:
        answer = api(curator).post(reverse("assignments", args=[benchmark.slug]), body, format="json")
        assert answer.status_code == 400
        assert path in [row["path"] for row in answer.json()["errors"]]
        assert not Assignment.objects.exists()

    def test_a_curator_who_still_reads_is_not_told_why_others_skipped(
        self,
        api: Callable[[User | None], APIClient],
        benchmark: Benchmark,
        case: Case,
        reader: User,
        curator: User,
    ) -> None:
        Assignment.objects.create(
            case=case, reader=reader, state="skipped", skip_reason="clearly a tumour", lease_expires_at=timezone.now()
        )
        address = reverse("assignments", args=[benchmark.slug])
        assert api(curator).get(address).json()["results"][0]["skip_reason"] == "clearly a tumour"
        Membership.objects.create(user=curator, benchmark=benchmark, role="reader")
        again = User.objects.get(pk=curator.pk)
        assert api(again).get(address).json()["results"][0]["skip_reason"] is None

    def test_a_list_asks_the_same_of_few_and_of_many(
        self,
        api: Callable[[User | None], APIClient],
        benchmark: Benchmark,
        reader: User,
        curator: User,
        django_assert_num_queries: Any,
    ) -> None:
        push(benchmark, [make_case(benchmark, f"c{n}") for n in range(9)], reader, curator)
        fresh = User.objects.get(pk=curator.pk)
        with django_assert_num_queries(4):  # and that it was looked at
            api(fresh).get(reverse("assignments", args=[benchmark.slug]))


@pytest.mark.parametrize("how", ["role", "account"])
def test_a_reader_removed_with_open_leases_frees_their_places_at_once(
    how: str,
    benchmark: Benchmark,
    reader: User,
    other_reader: User,
    curator: User,
    admin: User,
    django_capture_on_commit_callbacks: Any,
) -> None:
    cases = [make_case(benchmark, f"c{n}") for n in range(2)]
    push(benchmark, [cases[1]], reader, curator)
    Assignment.objects.create(case=cases[0], reader=reader, lease_expires_at=timezone.now() + dt.timedelta(hours=1))
    draft = Reading.objects.create(case=cases[0], reader=reader, draft={"answer": {"choice": "A"}}, version=3)
    with django_capture_on_commit_callbacks(execute=True):
        if how == "role":
            people.take_role(person=reader, role=Role.READER, benchmark=benchmark, actor=admin)
        else:
            people.deactivate(person=reader, actor=admin)
    assert not Assignment.objects.filter(reader=reader).exclude(state=AssignmentState.RELEASED).exists()
    assert given_to(other_reader, benchmark) == cases[0]
    draft.refresh_from_db()
    assert (draft.draft, draft.version) == ({"answer": {"choice": "A"}}, 3)


def test_only_the_reader_hears_of_their_assignments(
    benchmark: Benchmark, reader: User, other_reader: User, curator: User
) -> None:
    """Assigning many is one event; pages of others hear neither that nor what is taken back."""
    cases = [make_case(benchmark, f"c{n}") for n in range(3)]
    push(benchmark, cases, reader, curator)
    push(benchmark, cases, other_reader, curator)  # refused: nothing to tell
    row = Assignment.objects.get(case=cases[0])
    take_back(assignment_id=row.pk, curator=curator, reason="on leave")
    told = Event.objects.filter(type__startswith="assignment.").values_list("type", "reader_id", "payload")
    assert list(told) == [
        ("assignment.assigned", reader.pk, {}),
        ("assignment.taken_back", reader.pk, {"assignment": str(row.pk)}),
    ]


def test_an_assigned_case_that_was_opened_and_left_comes_again_and_keeps_its_place(
    benchmark: Benchmark, case: Case, reader: User, other_reader: User, curator: User
) -> None:
    Benchmark.objects.update(is_push_only=True)
    benchmark.refresh_from_db()
    push(benchmark, [case], reader, curator)
    assert given_to(reader, benchmark) == case
    Assignment.objects.update(lease_expires_at=timezone.now() - dt.timedelta(hours=8))
    assert [row.reason for row in push(benchmark, [case], other_reader, curator).refused] == ["all 1 places are taken"]
    Benchmark.objects.update(is_push_only=False)
    assert given_to(other_reader, benchmark) == "done"
    assert given_to(reader, benchmark) == case
