"""How a request gets from the event loop to a view and back."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import iscoroutinefunction
from asgiref.testing import ApplicationCommunicator
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse

from config.handler import AT_ONCE, ThreadedHandler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpRequest, HttpResponseBase

PATIENCE_S = 120
seen: list[int] = []


def recording(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """A middleware that tells its thread."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        seen.append(threading.get_ident())
        return get_response(request)

    return answer


def ending(_: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """A middleware that answers."""

    def answer(_: HttpRequest) -> HttpResponseBase:
        seen.append(threading.get_ident())
        return HttpResponse(b"here")

    return answer


def meeting(_: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """A middleware that answers once two requests are in it."""
    both = threading.Barrier(2)

    def answer(_: HttpRequest) -> HttpResponseBase:
        both.wait(timeout=PATIENCE_S)
        return HttpResponse(b"met")

    return answer


def counting(_: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """A middleware that tells how many are in it at once."""
    inside: list[None] = []

    def answer(_: HttpRequest) -> HttpResponseBase:
        inside.append(None)
        time.sleep(0.01)
        seen.append(len(inside))
        inside.pop()
        return HttpResponse(b"counted")

    return answer


def streaming(_: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """A middleware that asks the database, and streams blocks that tell whether its connection is still open."""

    def blocks() -> Iterator[bytes]:
        for number in range(5):
            seen.append(number)
            yield b"kept" if connection.connection else b"back"

    def answer(_: HttpRequest) -> HttpResponseBase:
        connection.ensure_connection()
        return StreamingHttpResponse(blocks())

    return answer


async def asked(handler: ThreadedHandler, path: str) -> list[dict[str, Any]]:
    """The messages of an answer."""
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [(b"host", b"localhost")]}
    caller = ApplicationCommunicator(handler, scope)
    await caller.send_input({"type": "http.request", "body": b""})
    told = [await caller.receive_output(PATIENCE_S), await caller.receive_output(PATIENCE_S)]
    await caller.wait(PATIENCE_S)
    return told


def test_everything_between_the_event_loop_and_the_view_runs_in_one_thread(settings: Any) -> None:
    settings.MIDDLEWARE = [f"{__name__}.recording", "django.middleware.common.CommonMiddleware", f"{__name__}.ending"]
    settings.ALLOWED_HOSTS = ["localhost"]
    seen.clear()
    start, body = asyncio.run(asked(ThreadedHandler(), "/"))
    assert start["status"] == 200
    assert body["body"] == b"here"
    assert len(seen) == 2
    assert len(set(seen)) == 1
    assert seen[0] != threading.get_ident()


def test_threads_are_lent_again(settings: Any) -> None:
    settings.MIDDLEWARE = [f"{__name__}.ending"]
    settings.ALLOWED_HOSTS = ["localhost"]
    seen.clear()
    handler = ThreadedHandler()

    async def three() -> None:
        for _ in range(3):
            await asked(handler, "/")

    asyncio.run(three())
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert len(handler.idle) == 1


def test_requests_at_the_same_time_have_threads_of_their_own(settings: Any) -> None:
    settings.MIDDLEWARE = [f"{__name__}.meeting"]
    settings.ALLOWED_HOSTS = ["localhost"]
    handler = ThreadedHandler()

    async def two() -> None:
        await asyncio.gather(asked(handler, "/"), asked(handler, "/"))

    asyncio.run(two())
    assert len(handler.idle) == 2


def test_no_middleware_of_ours_needs_the_event_loop() -> None:
    handler = ThreadedHandler()
    assert not iscoroutinefunction(vars(handler)["_middleware_chain"])


@pytest.mark.django_db
def test_a_view_that_is_a_coroutine_answers_through_it(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    start, body = asyncio.run(asked(ThreadedHandler(), "/api/v1/events/"))
    assert start["status"] == 401
    assert b"not-signed-in" in body["body"]


def test_a_few_run_at_once_and_the_others_wait_their_turn(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.handler.LONG_S", PATIENCE_S)
    settings.MIDDLEWARE = [f"{__name__}.counting"]
    settings.ALLOWED_HOSTS = ["localhost"]
    seen.clear()
    handler = ThreadedHandler()

    async def many() -> None:
        await asyncio.gather(*(asked(handler, "/") for _ in range(3 * AT_ONCE)))

    asyncio.run(many())
    assert len(seen) == 3 * AT_ONCE
    assert max(seen) <= AT_ONCE


def test_whoever_takes_long_lets_the_next_in(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.handler.LONG_S", 0.01)
    monkeypatch.setattr("config.handler.AT_ONCE", 1)
    settings.MIDDLEWARE = [f"{__name__}.meeting"]
    settings.ALLOWED_HOSTS = ["localhost"]
    handler = ThreadedHandler()

    async def two() -> list[list[dict[str, Any]]]:
        return list(await asyncio.gather(asked(handler, "/"), asked(handler, "/")))

    assert [told[1]["body"] for told in asyncio.run(two())] == [b"met", b"met"]


def test_nobody_waits_long_for_a_turn(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.handler.LONG_S", PATIENCE_S)
    monkeypatch.setattr("config.handler.MOST_WAIT_S", 0.01)
    monkeypatch.setattr("config.handler.AT_ONCE", 1)
    settings.MIDDLEWARE = [f"{__name__}.meeting"]
    settings.ALLOWED_HOSTS = ["localhost"]
    handler = ThreadedHandler()

    async def two() -> list[list[dict[str, Any]]]:
        return list(await asyncio.gather(asked(handler, "/"), asked(handler, "/")))

    assert [told[1]["body"] for told in asyncio.run(two())] == [b"met", b"met"]
    assert not handler.turns.locked(), "the one turn was given back, once"


@pytest.mark.django_db(transaction=True)
def test_a_client_that_does_not_take_its_stream_holds_no_connection_and_one_block(settings: Any) -> None:
    settings.MIDDLEWARE = [f"{__name__}.streaming"]
    settings.ALLOWED_HOSTS = ["localhost"]
    seen.clear()
    taken: list[bytes] = []

    async def slow() -> None:
        calls = iter([{"type": "http.request", "body": b""}])
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if (message := next(calls, None)) is not None:
                return message
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message.get("body"):
                taken.append(message["body"])
                if len(taken) == 2:
                    gone.set()
                    await asyncio.Event().wait()

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [(b"host", b"localhost")],
        }
        await asyncio.wait_for(ThreadedHandler()(scope, receive, send), PATIENCE_S)

    asyncio.run(slow())
    assert taken == [b"back", b"back"]
    assert seen == [0, 1], "what the client did not take is not read"
