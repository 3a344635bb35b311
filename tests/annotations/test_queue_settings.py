"""Changing a queue's order, overlap and openness, over HTTP and on its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from annotations.assigning import HandedOut, NothingLeft, next_case
from annotations.models import Assignment
from curation.models import AuditEvent, Benchmark, Case, Event, User
from tests.factories import make_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client
    from rest_framework.test import APIClient

    Api = Callable[[User | None], APIClient]


def patch(api: Api, curator: User, benchmark: Benchmark, body: Any, name: str = "queue") -> Any:
    return api(curator).patch(reverse(name, args=[benchmark.slug]), body, format="json")


def key_given(reader: User, benchmark: Benchmark) -> str:
    benchmark.refresh_from_db()
    given = next_case(reader=reader, benchmark=benchmark)
    return given.assignment.case.key if isinstance(given, HandedOut) else given.reason


def test_all_at_once(api: Api, curator: User, benchmark: Benchmark, case: Case) -> None:
    body = {"order_policy": "disagreement", "order_seed": 7, "random_share": 0.5, "overlap": 3, "is_paused": True}
    answer = patch(api, curator, benchmark, body)
    assert answer.status_code == 200, answer.content
    assert {name: answer.json()[name] for name in body} == body
    assert answer.json()["open"] == 1
    assert benchmark.protocol.config["overlap"] == 3, "the protocol says the same"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"order_policy": "whim"}, "order_policy"),
        ({"order_seed": -1}, "order_seed"),
        ({"random_share": 0}, "random_share"),
        ({"random_share": 1.5}, "random_share"),
        ({"overlap": 0}, "overlap"),
        ({"overlap": 51}, "overlap"),
        ({"is_paused": "yes"}, "is_paused"),
        ({"probe_rate": 0.1}, "probe_rate"),
    ],
)
def test_what_is_refused_changes_nothing(body: Any, path: str, api: Api, curator: User, benchmark: Benchmark) -> None:
    answer = patch(api, curator, benchmark, {"is_push_only": True, **body})
    assert answer.status_code == 400
    assert [row["path"] for row in answer.json()["errors"]] == [path]
    benchmark.refresh_from_db()
    assert not benchmark.is_push_only
    assert not AuditEvent.objects.filter(action__startswith="queue.").exists()


def test_a_case_may_want_more_readings_than_the_rest(
    api: Api, curator: User, reader: User, other_reader: User, benchmark: Benchmark, case: Case
) -> None:
    assert key_given(reader, benchmark) == "case1"
    assert key_given(other_reader, benchmark) == "leased"
    answer = patch(api, curator, benchmark, {"cases": ["case1"], "overlap": 2}, "queue-cases")
    assert answer.json() == {"changed": {"overlap": 1}}
    assert key_given(other_reader, benchmark) == "case1"
    assert Assignment.objects.count() == 2


def test_priority_leads_where_it_should(api: Api, curator: User, reader: User, benchmark: Benchmark) -> None:
    for number in range(3):
        make_case(benchmark, f"c{number}")
    patch(api, curator, benchmark, {"cases": ["c2"], "priority": 5}, "queue-cases")
    patch(api, curator, benchmark, {"order_policy": "priority"})
    assert key_given(reader, benchmark) == "c2"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"cases": ["case1"]}, ""),
        ({"cases": ["nope"], "priority": 1}, "cases[0]"),
        ({"cases": "case1", "priority": 1}, "cases"),
        ({"cases": ["case1"], "priority": 40_000}, "priority"),
        ({"cases": ["case1"], "overlap": 0}, "overlap"),
        ({"priority": 1}, "cases"),
    ],
)
def test_what_single_cases_cannot_have(
    body: Any, path: str, api: Api, curator: User, benchmark: Benchmark, case: Case
) -> None:
    answer = patch(api, curator, benchmark, body, "queue-cases")
    assert answer.status_code == 400
    assert path in [row["path"] for row in answer.json()["errors"]]


class TestThePage:
    @pytest.fixture
    def desk(self, client: Client, curator: User) -> Client:
        client.force_login(curator)
        return client

    def post(self, desk: Client, benchmark: Benchmark, name: str, **form: str) -> str:
        answer = desk.post(reverse(name, args=[benchmark.slug]), form, follow=True)
        return " ".join(str(message) for message in answer.context["messages"])

    def test_saving(self, desk: Client, benchmark: Benchmark, case: Case, reader: User) -> None:
        form = {"policy": "random", "seed": "11", "share": "12.5", "overlap": "2", "push_only": "on"}
        assert "The queue is changed" in self.post(desk, benchmark, "queue-settings", **form)
        benchmark.refresh_from_db()
        kept = (benchmark.order_policy, benchmark.order_seed, benchmark.random_share, benchmark.overlap)
        assert kept == ("random", 11, 0.125, 2)
        assert next_case(reader=reader, benchmark=benchmark) == NothingLeft("not_assigned")
        # Readers' pages that wait for a case hear of it: of another order, another overlap, and of who gets cases.
        assert Event.objects.filter(type="queue.changed", least_role="reader", reader_id=None).count() == 3

    @pytest.mark.parametrize(
        ("form", "why"),
        [
            ({"policy": "whim"}, "'whim' is no order"),
            ({"policy": "given", "seed": "many"}, "the seed 'many' is no whole number"),
            ({"policy": "given", "share": "0"}, "the random share 0 is not above 0"),
            ({"policy": "given", "share": "a lot"}, "'a lot' is no percentage"),
            ({"policy": "given", "overlap": "51"}, "51 is not between 1 and 50"),
        ],
    )
    def test_a_fault_is_said_and_changes_nothing(
        self, desk: Client, benchmark: Benchmark, form: dict[str, str], why: str
    ) -> None:
        before = Benchmark.objects.values().get(pk=benchmark.pk)
        assert why in self.post(desk, benchmark, "queue-settings", **form)
        assert Benchmark.objects.values().get(pk=benchmark.pk) == before

    def test_single_cases(self, desk: Client, benchmark: Benchmark, case: Case) -> None:
        assert self.post(desk, benchmark, "queue-single", keys="case1", overlap="4", priority="2") == "1 case changed."
        case.refresh_from_db()
        assert (case.overlap, case.priority) == (4, 2)
        assert self.post(desk, benchmark, "queue-single", keys="case1", reset="on") == "1 case changed."
        case.refresh_from_db()
        assert case.overlap is None
        assert "name at least one case" in self.post(desk, benchmark, "queue-single", overlap="4")
        assert "give an overlap" in self.post(desk, benchmark, "queue-single", keys="case1")
