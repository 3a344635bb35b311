"""The page of the trail: who sees which events, filters, pages, words and seals."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from curation import audit
from curation.looking import TRAIL_SEEN, Page, see_image, see_page
from curation.models import AuditEvent, Benchmark, Case, Membership, Role, User
from curation.sealing import seal_waiting
from curation.trail import WORDS, in_words
from tests.factories import make_benchmark, make_user

if TYPE_CHECKING:
    from django.test import Client

PAGE = reverse("audit-page")


@pytest.fixture
def chief(db: None) -> User:
    return make_user("cleo", Role.ADMIN)


@pytest.fixture
def as_chief(client: Client, chief: User) -> Client:
    client.force_login(chief)
    return client


def numbers(client: Client, query: str = "") -> list[int]:
    """The events of the page, as they stand on it, but that the page itself was looked at before."""
    rows = client.get(PAGE + query).context["rows"]
    return [row.event.pk for row in rows if row.event.action != TRAIL_SEEN]


def record(action: str = "benchmark.changed", **fields: Any) -> AuditEvent:
    return audit.record(action, **{"actor": None, **fields})


class TestScope:
    def test_an_admin_sees_all_the_newest_first(self, as_chief: Client, benchmark: Benchmark) -> None:
        first, second = record(benchmark_id=benchmark.pk), record()
        assert numbers(as_chief) == [second.pk, first.pk]

    def test_a_curator_sees_the_own_benchmarks(self, client: Client, curator: User, benchmark: Benchmark) -> None:
        mine = record(benchmark_id=benchmark.pk)
        record(benchmark_id=make_benchmark("elsewhere").pk)
        record()
        client.force_login(curator)
        assert numbers(client) == [mine.pk]
        assert numbers(client, "?benchmark=elsewhere") == []

    def test_who_reads_there_is_blind_here_too(self, client: Client, curator: User, benchmark: Benchmark) -> None:
        Membership.objects.create(user=curator, benchmark=benchmark, role=Role.READER)
        record("reading.submitted", benchmark_id=benchmark.pk)
        client.force_login(curator)
        assert numbers(client) == []
        assert "since you read there" in client.get(PAGE).content.decode()

    def test_an_admin_who_reads_somewhere_misses_only_that(
        self, as_chief: Client, chief: User, benchmark: Benchmark
    ) -> None:
        Membership.objects.create(user=chief, benchmark=benchmark, role=Role.READER)
        record("reading.submitted", benchmark_id=benchmark.pk)
        others = [record(benchmark_id=make_benchmark("elsewhere").pk), record()]
        assert numbers(as_chief) == [event.pk for event in reversed(others)]


class TestFilters:
    def test_who(self, as_chief: Client, chief: User) -> None:
        hers, nobodys = record(actor=chief), record()
        assert (numbers(as_chief, "?who=cleo"), numbers(as_chief, "?who=-")) == ([hers.pk], [nobodys.pk])

    def test_what(self, as_chief: Client) -> None:
        record()
        found = record("export.asked")
        assert numbers(as_chief, "?what=export.asked") == [found.pk]

    def test_object_and_case(self, as_chief: Client, case: Case) -> None:
        record(object_type="benchmark", object_id="thorax")
        looked = record("case.looked", object_type="case", object_id=str(case.pk))
        read = record("reading.submitted", object_type="reading", object_id="r", after={"case": str(case.pk)})
        assert numbers(as_chief, f"?case={case.pk}") == [read.pk, looked.pk]
        assert numbers(as_chief, "?object=r") == [read.pk]

    def test_looks_are_left_out_or_alone(self, as_chief: Client, case: Case, chief: User) -> None:
        change = record()
        audit.look(user=chief, case=case)
        see_image(user=chief, sha256=case.images.get().asset_id)
        see_page(user=chief, benchmark=case.benchmark, page=Page.AGREEMENT)
        looks = list(AuditEvent.objects.filter(once__isnull=False).order_by("-pk").values_list("pk", flat=True))
        assert numbers(as_chief, "?show=changes") == [change.pk]
        assert numbers(as_chief, "?show=looks") == looks
        rows = [row for row in as_chief.get(PAGE + "?show=looks").context["rows"] if row.event.action != TRAIL_SEEN]
        assert [(row.did, row.after) for row in rows] == [
            ("looked at a benchmark as a whole", [("page", "agreement")]),
            ("saw the images", []),
            ("looked at a case", []),
        ]
        assert [row.object_name for row in rows] == ["", case.key, case.key]

    def test_when(self, as_chief: Client) -> None:
        event = record()
        today = timezone.now().date()
        tomorrow, yesterday = today + dt.timedelta(days=1), today - dt.timedelta(days=1)
        assert numbers(as_chief, f"?from={today}&to={today}") == [event.pk]
        assert numbers(as_chief, f"?from={tomorrow}") == numbers(as_chief, f"?to={yesterday}") == []

    @pytest.mark.parametrize(
        "query",
        [
            "?whom=x",
            "?what=murder",
            "?show=all",
            "?who=%00",
            "?object=" + "x" * 151,
            "?case=case1",
            "?from=yesterday",
            "?to=9999-12-31",
            "?from=22.11.2026",
            "?before=-1",
            "?before=" + "9" * 40,
            "?before=²",
        ],
    )
    def test_a_wrong_one_is_named(self, as_chief: Client, query: str) -> None:
        answer = as_chief.get(PAGE + query)
        assert answer.status_code == 400
        assert query[1:].split("=")[0] in answer.content.decode()


class TestPage:
    def test_pages_follow_one_another_and_keep_the_filter(self, as_chief: Client, monkeypatch: Any) -> None:
        monkeypatch.setattr("curation.views_audit.EVENTS_A_PAGE", 2)
        events = [record().pk for _ in range(5)]
        record("export.asked")
        query, seen = "?what=benchmark.changed", []
        for _ in range(3):
            context = as_chief.get(PAGE + query).context
            seen += [row.event.pk for row in context["rows"]]
            query = "?" + context["next_query"]
        assert (seen, query) == (events[::-1], "?")

    def test_queries_do_not_grow(
        self, as_chief: Client, case: Case, reader: User, django_assert_num_queries: Any
    ) -> None:
        def some() -> None:
            record(object_type="user", object_id=str(reader.pk), benchmark_id=case.benchmark_id)
            record("case.looked", object_type="case", object_id=str(case.pk))

        some()
        with django_assert_num_queries(13):
            as_chief.get(PAGE)
        for _ in range(20):
            some()
        seal_waiting()
        with django_assert_num_queries(13):
            as_chief.get(PAGE)

    def test_seals_are_told(self, as_chief: Client) -> None:
        assert "Nothing is sealed yet" in as_chief.get(PAGE).content.decode()
        sealed = record()
        seal_waiting()
        record()
        page = as_chief.get(PAGE).content.decode()
        assert f'Sealed up to event <span class="num">{sealed.pk}</span>' in page
        assert "1 waiting" in page

    def test_before_and_after_stand_in_words(self, as_chief: Client, benchmark: Benchmark, chief: User) -> None:
        record(actor=chief, benchmark_id=benchmark.pk, before={"is_paused": False}, after={"is_paused": True})
        page = as_chief.get(PAGE).content.decode()
        assert "<dt>is paused</dt><dd>no</dd>" in page
        assert "<dt>is paused</dt><dd>yes</dd>" in page
        assert "changed a benchmark" in page

    def test_stored_text_is_no_markup(self, as_chief: Client) -> None:
        record(object_type="<i>", object_id="<b>x</b>", after={"<script>": "<script>alert(1)</script>"})
        page = as_chief.get(PAGE).content.decode()
        assert "<script>alert" not in page
        assert "<b>x</b>" not in page

    def test_a_case_leads_to_its_trail(self, client: Client, curator: User, case: Case) -> None:
        client.force_login(curator)
        page = client.get(reverse("case-page", args=[case.pk])).content.decode()
        history = reverse("case-trail-page", args=[case.pk])
        assert f'href="{history}"' in page
        assert f"{PAGE}?case={case.pk}" in client.get(history).content.decode()
        assert "looked at a case" in client.get(f"{PAGE}?case={case.pk}").content.decode()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, []),
        ("text", [("", "text")]),
        (3, [("", "3")]),
        ({"a": {"b": [1]}}, [("a", '{"b": [1]}')]),
        ({"a": [], "b": [True, 2.5]}, [("a", "none"), ("b", "yes, 2.5")]),
    ],
)
def test_values_in_words(value: Any, told: list[tuple[str, str]]) -> None:
    assert in_words(value) == told


def test_every_action_fits_its_column() -> None:
    assert all(len(action) <= 64 for action in WORDS)
