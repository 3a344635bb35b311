"""Requests on threads: every middleware and every view but one is synchronous, so a request is handed over once.

Django's own handler offers middleware to run on the event loop, and each that only can is wrapped: one synchronous
middleware among others that could be both sends a request back and forth between loop and thread a dozen times, which
costs more than most requests do. It also starts a thread for each request, with new objects for the database in it, and
tells of a request's start and end by two further calls into it. Here threads are lent, and one call does all of it.

Threads of one process take turns in running Python anyway, so a few requests at a time are let into theirs: more only
take the interpreter, the processor's caches and PostgreSQL's locks from each other. One that takes long (it waits for a
lock, decodes a study) lets the next one in.
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
from django.http import FileResponse
from django.urls import set_script_prefix

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from django.http import HttpRequest, HttpResponseBase

# More are only kept while as many requests and streams are open.
MOST_IDLE_THREADS = 40
# Requests in their threads at once, not counting those that take longer than LONG_S.
AT_ONCE = 4
LONG_S = 0.2


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
        if not response.streaming:
            response.close()
        found: HttpResponseBase = response
        return found

    def _found(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        return response

    async def _stream(self, response: HttpResponseBase, receive: Any, send: Any) -> None:
        """Send a stream until it ends or the client hangs up."""
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
        """One of `AT_ONCE` turns, given back at the end, or before if it lasts long."""
        await self.turns.acquire()
        is_held = True

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


def get_threaded_application() -> ThreadedHandler:
    """Set Django up and return its handler, as `django.core.asgi.get_asgi_application` does."""
    django.setup(set_prefix=False)
    return ThreadedHandler()
