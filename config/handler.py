"""Requests on threads: every middleware and every view but one is synchronous, so a request is handed over once.

Django's own handler offers middleware to run on the event loop, and each that only can is wrapped: one synchronous
middleware among others that could be both sends a request back and forth between loop and thread a dozen times, which
costs more than most requests do. It also starts a thread for each request, with new objects for the database in it, and
tells of a request's start and end by two further calls into it. Here threads are lent, and one call does all of it.

Threads of one process take turns in running Python anyway, so a few requests at a time are let into theirs: more only
take the interpreter, the processor's caches and PostgreSQL's locks from each other. One that takes long (it waits for a
lock, decodes a study) lets the next one in, and behind many of those nobody waits for ever.

What is streamed takes as long as the client likes: it keeps a thread meanwhile, but no connection to the database, and
of a file no more than a block in memory.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import IO, TYPE_CHECKING, Any

import django
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db import close_old_connections
from django.http import FileResponse, StreamingHttpResponse
from django.urls import set_script_prefix

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from django.http import HttpRequest, HttpResponseBase

# More are only kept while as many requests and streams are open.
MOST_IDLE_THREADS = 40
# Requests in their threads at once, not counting those that take longer than LONG_S.
AT_ONCE = 4
LONG_S = 0.2
# Nobody waits longer for a turn: a hundred requests that wait for a lock must not hold up one that needs none.
MOST_WAIT_S = 1.0
BLOCK_BYTES = 2**20


class ThreadedHandler(ASGIHandler):
    """As Django's, but what stands between the event loop and a view runs in the request's thread, in one call.

    A view that is a coroutine runs on the event loop all the same, and so does what it streams.
    """

    def __init__(self) -> None:
        super().__init__()
        self.idle: list[ThreadPoolExecutor] = []
        self.turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request in a thread that is lent to it."""
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is answered here, not {scope['type']}")
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        try:
            async with self._thread():
                await self._answer(scope, body, receive, send)
        finally:
            body.close()

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002 the signature is Django's
        """Build the chain for a thread, whatever the caller runs on."""
        super().load_middleware(is_async=False)

    async def _answer(self, scope: dict[str, Any], body: IO[bytes], receive: Any, send: Any) -> None:
        async with self._turn():
            response = await sync_to_async(self._respond)(scope, body)
        if not response.streaming:
            await self.send_response(response, send)
            return
        try:
            await self._stream(response, receive, send)
        finally:
            await sync_to_async(response.close)()

    def _respond(self, scope: dict[str, Any], body: IO[bytes]) -> HttpResponseBase:
        """The answer, found in the request's thread; one that is whole is closed there too, which ends the request."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = refusal if request is None else self._found(request)
        response._handler_class = type(self)
        if response.streaming:
            close_old_connections()
        else:
            response.close()
        found: HttpResponseBase = response
        return found

    def _found(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, FileResponse):
            response.block_size = BLOCK_BYTES
        return response

    async def _stream(self, response: HttpResponseBase, receive: Any, send: Any) -> None:
        """Send a stream until it ends or the client hangs up."""
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            blocks: Any = response.streaming_content
            response.streaming_content = _one_by_one(blocks)
        sending = asyncio.ensure_future(self.send_response(response, send))
        leaving = asyncio.ensure_future(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            told = await asyncio.gather(sending, leaving, return_exceptions=True)
        if isinstance(told[0], Exception):
            raise told[0]

    @asynccontextmanager
    async def _thread(self) -> AsyncIterator[None]:
        thread = self.idle.pop() if self.idle else ThreadPoolExecutor(max_workers=1, thread_name_prefix="request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                yield
        finally:
            if len(self.idle) < MOST_IDLE_THREADS:
                self.idle.append(thread)
            else:
                thread.shutdown(wait=False)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """One of `AT_ONCE` turns, given back at the end, or before if it lasts long; none if that takes too long."""
        is_held = await self._gets_turn()

        def give_back() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self.turns.release()

        late = asyncio.get_running_loop().call_later(LONG_S, give_back)
        try:
            yield
        finally:
            late.cancel()
            give_back()

    async def _gets_turn(self) -> bool:
        try:
            async with asyncio.timeout(MOST_WAIT_S):
                await self.turns.acquire()
        except TimeoutError:
            return False
        return True


async def _one_by_one(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """What the request's thread reads, when the client has taken what was before it; Django would read all first."""

    def read() -> bytes | None:
        return next(blocks, None)

    while (block := await sync_to_async(read)()) is not None:
        yield block


def get_threaded_application() -> ThreadedHandler:
    """Set Django up and return its handler, as `django.core.asgi.get_asgi_application` does."""
    django.setup(set_prefix=False)
    return ThreadedHandler()
