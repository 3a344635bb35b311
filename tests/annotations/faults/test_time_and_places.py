"""What goes wrong between a reader and the queue: leases that run out, clocks that lie, places that go, replays."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from annotations.assigning import HandedOut, next_case
from annotations.models import Assignment, Reading, ReadingRevision, ReadingState
from curation.models import Benchmark, Case, User
from tests.annotations.contents import content
from tests.annotations.together import at_once
from tests.factories import make_case

if TYPE_CHECKING:
    from collections.abc import Callable

    Api = Callable[[User | None], APIClient]

EIGHT_HOURS = dt.timedelta(hours=8)


def pull(client: APIClient, benchmark: Benchmark) -> dict[str, Any]:
    return dict(client.post(reverse("next-case", args=[benchmark.slug])).json())


def save(client: APIClient, reading: str, version: int, **headers: str) -> Any:
    body = {**content(answer={"choice": "A"}), "version": version}
    return client.put(reverse("reading-draft", args=[reading]), body, format="json", headers=headers)


def submit(client: APIClient, reading: str, version: int, key: str, **headers: str) -> Any:
    address = reverse("reading-submit", args=[reading])
    return client.post(address, {"version": version}, format="json", headers={"Idempotency-Key": key, **headers})


def let_time_pass(passed: dt.timedelta) -> None:
    """As if it were later: every lease lies that much further back."""
    for row in Assignment.objects.all():
        Assignment.objects.filter(pk=row.pk).update(lease_expires_at=row.lease_expires_at - passed)


def test_back_after_eight_hours_the_place_still_free(api: Api, reader: User, benchmark: Benchmark, case: Case) -> None:
    client = api(reader)
    reading = pull(client, benchmark)["reading"]["id"]
    assert save(client, reading, 0).json()["version"] == 1
    let_time_pass(EIGHT_HOURS)
    before = timezone.now()
    assert save(client, reading, 1).json()["version"] == 2
    lease = Assignment.objects.get()
    assert lease.state == "leased"
    assert lease.lease_expires_at > before, "the save took the place up again"
    assert submit(client, reading, 2, "k").status_code == 200


def test_back_after_eight_hours_when_another_has_read_it(
    api: Api, reader: User, other_reader: User, benchmark: Benchmark, case: Case
) -> None:
    late, early = api(reader), api(other_reader)
    mine = pull(late, benchmark)["reading"]["id"]
    save(late, mine, 0)
    let_time_pass(EIGHT_HOURS)
    theirs = pull(early, benchmark)["reading"]["id"]
    assert submit(early, theirs, 0, "k").status_code == 200
    saved = save(late, mine, 1)
    assert saved.json()["version"] == 2, "the draft is kept all the same"
    refused = submit(late, mine, 2, "k")
    assert (refused.status_code, refused.json()["type"].split("/")[-1]) == (409, "overlap-reached")
    kept = Reading.objects.get(pk=mine)
    assert (kept.state, kept.version, kept.draft["answer"]) == (ReadingState.SURPLUS, 2, {"choice": "A"})


def test_a_lease_that_runs_out_between_save_and_submit(
    api: Api, reader: User, benchmark: Benchmark, case: Case
) -> None:
    client = api(reader)
    reading = pull(client, benchmark)["reading"]["id"]
    save(client, reading, 0)
    let_time_pass(EIGHT_HOURS)
    assert submit(client, reading, 1, "k").status_code == 200


@pytest.mark.parametrize("year", [1970, 2099])
def test_a_clock_that_lies_moves_nothing(year: int, api: Api, reader: User, benchmark: Benchmark, case: Case) -> None:
    lies = f"Thu, 01 Jan {year} 00:00:00 GMT"
    client, before = api(reader), timezone.now()
    reading = pull(client, benchmark)["reading"]["id"]
    saved = save(client, reading, 0, Date=lies, **{"If-Unmodified-Since": lies})
    done = submit(client, reading, 1, "k", Date=lies)
    assert (saved.status_code, done.status_code) == (200, 200)
    row = Reading.objects.get()
    assert row.saved_at is not None
    assert before <= row.saved_at <= timezone.now()
    assert 0 <= row.active_s <= (timezone.now() - before).total_seconds()
    assert before <= ReadingRevision.objects.get().submitted_at <= timezone.now()


@pytest.mark.parametrize("told", ["saved_at", "submitted_at", "lease_expires_at", "active_s"])
def test_no_time_is_taken_from_a_body(told: str, api: Api, reader: User, benchmark: Benchmark, case: Case) -> None:
    client = api(reader)
    reading = pull(client, benchmark)["reading"]["id"]
    body = {**content(), "version": 0, told: "2099-01-01T00:00:00Z"}
    answer = client.put(reverse("reading-draft", args=[reading]), body, format="json")
    assert answer.status_code == 400
    assert [row["path"] for row in answer.json()["errors"]] == [told]


def test_overlap_lowered_below_what_is_submitted(
    api: Api, reader: User, other_reader: User, curator: User, benchmark: Benchmark
) -> None:
    third = User.objects.create_user(username="nora")
    third.memberships.create(benchmark=benchmark, role="reader")
    keeper, address = api(curator), reverse("benchmark", args=[benchmark.slug])
    assert keeper.patch(address, {"overlap": 3}, format="json").status_code == 200
    case = make_case(benchmark, "thrice")
    clients = [api(reader), api(other_reader), api(third)]
    readings = [pull(client, benchmark)["reading"]["id"] for client in clients]
    for client, reading in zip(clients[:2], readings[:2], strict=True):
        assert submit(client, reading, 0, "k").status_code == 200
    assert keeper.patch(address, {"overlap": 1}, format="json").status_code == 200
    save(clients[2], readings[2], 0)
    late = submit(clients[2], readings[2], 1, "k")
    states = Counter(Reading.objects.filter(case=case).values_list("state", flat=True))
    # An open lease was a promise: what it covers is taken.
    assert (late.status_code, states) == (200, {"submitted": 3})
    newcomer = User.objects.create_user(username="olga")
    newcomer.memberships.create(benchmark=benchmark, role="reader")
    assert pull(api(newcomer), benchmark)["reason"] == "done"
    assert keeper.patch(address, {"overlap": 4}, format="json").status_code == 200
    assert pull(api(newcomer), benchmark)["case"]["key"] == "thrice", "raised again, it is open again"


@pytest.mark.django_db(transaction=True)
class TestTheSameSubmit:
    @pytest.fixture
    def held(self, reader: User, benchmark: Benchmark, case: Case) -> Reading:
        given = next_case(reader=reader, benchmark=benchmark)
        assert isinstance(given, HandedOut)
        return given.reading

    def test_replayed_by_eight_at_once_is_one(self, api: Api, reader: User, held: Reading) -> None:
        answers = at_once([partial(submit, api(reader), str(held.pk), 0, "the-key") for _ in range(8)])
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1, "each was answered the same"
        assert ReadingRevision.objects.count() == 1

    def test_crossed_by_other_tabs_one_wins_and_the_rest_are_told(self, api: Api, reader: User, held: Reading) -> None:
        answers = at_once([partial(submit, api(reader), str(held.pk), 0, f"tab {number}") for number in range(8)])
        assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
        kinds = {answer.json()["type"].split("/")[-1] for answer in answers if answer.status_code == 409}
        assert kinds == {"reading-locked"}
        assert ReadingRevision.objects.count() == 1

    def test_crossed_by_a_save_either_is_first(self, api: Api, reader: User, held: Reading) -> None:
        saved, done = at_once(
            [partial(save, api(reader), str(held.pk), 0), partial(submit, api(reader), str(held.pk), 0, "k")]
        )
        held.refresh_from_db()
        if saved.status_code == 200:
            assert done.status_code == 409
            assert (held.state, held.version) == (ReadingState.DRAFT, 1)
        else:
            assert (saved.status_code, done.status_code) == (409, 200)
            assert held.state == ReadingState.SUBMITTED

    def test_delayed_until_after_a_revision_it_is_still_answered_as_then(
        self, api: Api, reader: User, held: Reading
    ) -> None:
        client, reading = api(reader), str(held.pk)
        first = submit(client, reading, 0, str(uuid.UUID(int=1)))
        version = client.post(reverse("reading-revise", args=[reading])).json()["version"]
        version = save(client, reading, version).json()["version"]
        second = submit(client, reading, version, str(uuid.UUID(int=2)))
        again = submit(client, reading, 0, str(uuid.UUID(int=1)))
        assert again.content == first.content != second.content
        assert ReadingRevision.objects.count() == 2
