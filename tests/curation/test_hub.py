"""Live events: who hears what, and what a lost connection costs."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any, cast

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections, transaction
from django.test import AsyncClient

from curation.api.events import _missed
from curation.events import publish, publish_cases
from curation.hub import HUB, Hub, Listener, Told
from curation.models import Benchmark, Event, Role, User
from curation.people import deactivate
from tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

PATIENCE_S = 60
HERE = uuid.uuid4()
ELSEWHERE = uuid.uuid4()
ROSA = uuid.uuid4()


def told(**fields: Any) -> Told:
    values: dict[str, Any] = {
        "id": 1,
        "type": "score.changed",
        "benchmark_id": HERE,
        "least_role": Role.REVIEWER,
        "reader_id": None,
        "is_blinded": False,
        "payload": {"case": "c"},
    }
    return Told(**{**values, **fields})


def listener(*roles: Role, benchmark: uuid.UUID | None = HERE, user_id: uuid.UUID = ROSA) -> Listener:
    return Listener(user_id=user_id, roles={benchmark: frozenset(role.value for role in roles)})


@pytest.mark.parametrize(
    ("who", "event", "hears"),
    [
        (listener(Role.READER), told(), False),
        (listener(Role.REVIEWER), told(), True),
        (listener(Role.CURATOR), told(), True),
        (listener(Role.ADMIN, benchmark=None), told(), True),
        (listener(Role.ADMIN, benchmark=ELSEWHERE), told(), False),
        (listener(), told(), False),
        (listener(Role.READER), told(least_role=Role.READER), True),
        (listener(Role.REVIEWER, Role.READER), told(is_blinded=True), False),
        (listener(Role.REVIEWER), told(is_blinded=True), True),
        (listener(Role.READER), told(reader_id=ROSA), True),
        (listener(Role.ADMIN, user_id=uuid.uuid4()), told(reader_id=ROSA), False),
        (listener(benchmark=ELSEWHERE), told(reader_id=ROSA), False),
    ],
)
def test_the_audience_decides(who: Listener, event: Told, hears: bool) -> None:
    assert who.may_hear(event) is hears


def test_a_message_is_one_server_sent_event() -> None:
    lines = told(payload={"case": "a\nb"}).as_message().split("\n")
    assert lines[0] == "id: 1"
    assert json.loads(lines[1].removeprefix("data: ")) == {"type": "score.changed", "id": 1, "case": "a\nb"}
    assert lines[2:] == ["", ""]


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run on a loop of its own; connections that its threads opened are closed."""

    async def bounded() -> None:
        await asyncio.wait_for(work, 4 * PATIENCE_S)
        await sync_to_async(connections.close_all)()

    asyncio.run(bounded())


async def heard(who: Listener) -> str:
    event = await asyncio.wait_for(who.queue.get(), PATIENCE_S)
    assert event is not None
    return event.payload["case"]


async def joined(hub: Hub, who: Listener) -> None:
    """Join, and wait until the hub listens: an event sent before that is history, not news."""
    hub.join(who)
    async with asyncio.timeout(PATIENCE_S):
        while not await sync_to_async(listening)():
            await asyncio.sleep(0.02)


HUBS = (
    "FROM pg_stat_activity WHERE state = 'idle' AND datname = current_database() AND pid <> pg_backend_pid() "
    "AND query LIKE '%%benchmark_id, least_role%%FROM curation_event%%'"
)


def listening() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {HUBS}")
        return bool(cursor.fetchone()[0])


def say(benchmark: Benchmark, case: str, *, commit: bool = True) -> None:
    with transaction.atomic():
        publish("score.changed", benchmark_id=benchmark.pk, least_role=Role.READER, case=case)
        if not commit:
            transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_an_event_is_heard_at_commit_and_never_after_a_rollback(benchmark: Benchmark) -> None:
    async def work() -> None:
        hub, who = Hub(), listener(Role.READER, benchmark=benchmark.pk)
        await joined(hub, who)
        await sync_to_async(say)(benchmark, "undone", commit=False)
        await sync_to_async(say)(benchmark, "done")
        assert await heard(who) == "done"
        assert who.queue.empty()
        await hub.stop()

    run(work())


@pytest.mark.django_db(transaction=True)
def test_a_person_shut_out_hears_no_more(benchmark: Benchmark) -> None:
    rosa = make_user("rosa", Role.READER, benchmark)
    chief = make_user("cleo", Role.ADMIN)

    async def work() -> None:
        hub, hers = Hub(), listener(Role.READER, benchmark=benchmark.pk, user_id=rosa.pk)
        other = listener(Role.READER, benchmark=benchmark.pk)
        await joined(hub, hers)
        hub.join(other)
        await sync_to_async(deactivate)(person=rosa, actor=chief)
        assert await asyncio.wait_for(hers.queue.get(), PATIENCE_S) is None
        await sync_to_async(say)(benchmark, "news")
        assert await heard(other) == "news"
        assert hers.queue.empty()
        await hub.stop()

    run(work())


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_is_made_again_and_nothing_is_missed(benchmark: Benchmark) -> None:
    def cut() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_terminate_backend(pid) {HUBS}")
            assert cursor.rowcount == 1

    async def work() -> None:
        hub, who = Hub(), listener(Role.READER, benchmark=benchmark.pk)
        await joined(hub, who)
        await sync_to_async(say)(benchmark, "before")
        assert await heard(who) == "before"
        await sync_to_async(cut)()
        await sync_to_async(say)(benchmark, "while down")
        assert await heard(who) == "while down"
        await hub.stop()

    run(work())


@pytest.mark.django_db(transaction=True)
def test_a_round_that_fails_ends_no_stream(
    benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("curation.hub.RECONNECT_S", 0.01)

    async def work() -> None:
        hub, who = Hub(), listener(Role.READER, benchmark=benchmark.pk)
        await joined(hub, who)
        await sync_to_async(Event.objects.create)(type="score.changed", benchmark_id=benchmark.pk, least_role="nobody")
        await sync_to_async(say)(benchmark, "after")
        assert await heard(who) == "after"
        await hub.stop()

    run(work())
    (record,) = caplog.records
    assert record.getMessage() == "the event listener failed and tries again"
    assert record.exc_info is not None
    assert "'nobody' is not a valid Role" in str(record.exc_info[1])


@pytest.mark.django_db
def test_of_too_many_missed_events_the_newest_are_told(benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curation.api.events.MOST_REPLAYED", 3)
    say(benchmark, "before")
    last = Event.objects.latest("pk").pk
    cases = [uuid.uuid4() for _ in range(5)]
    publish_cases("case.changed", cases, benchmark_id=benchmark.pk, least_role=Role.READER)
    missed = _missed(listener(Role.READER, benchmark=benchmark.pk), last)
    assert [event.payload for event in missed] == [{"case": str(case)} for case in cases[2:]]


@pytest.mark.django_db(transaction=True)
def test_a_stream_replays_what_was_missed_and_only_what_may_be_heard(benchmark: Benchmark, reader: User) -> None:
    publish("case.changed", benchmark_id=benchmark.pk, least_role=Role.READER, case="first")
    last = Event.objects.latest("pk").pk
    publish("case.changed", benchmark_id=benchmark.pk, least_role=Role.READER, case="missed")
    publish("score.changed", benchmark_id=benchmark.pk, least_role=Role.REVIEWER, case="not for readers")
    Event.objects.update(created_at="2020-01-01T00:00:00Z")

    async def work() -> None:
        client = AsyncClient()
        await sync_to_async(client.force_login)(reader)
        response = await client.get("/api/v1/events/", headers={"Last-Event-ID": str(last)})
        assert response.status_code == 200
        assert response["Content-Type"] == "text/event-stream"
        chunks: Any = response
        stream = cast("AsyncGenerator[bytes]", aiter(chunks.streaming_content))
        assert await anext(stream) == b"retry: 1000\n\n"
        message = (await anext(stream)).decode()
        assert '"case": "missed"' in message
        # A hundred open pages must not hold a hundred connections.
        assert await sync_to_async(lambda: connection.connection is None)()
        await stream.aclose()
        await sync_to_async(response.close)()
        await HUB.stop()

    run(work())


@pytest.mark.django_db(transaction=True)
def test_nobody_hears_nothing() -> None:
    async def work() -> None:
        response = await AsyncClient().get("/api/v1/events/")
        assert response.status_code == 401
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["type"] == "/problems/not-signed-in"

    run(work())
