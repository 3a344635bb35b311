"""Requests on threads: every middleware and every view but one is synchronous, so a request changes thread once.

Django's own handler offers middleware to run on the event loop, and each that only can is wrapped: one synchronous
middleware among others that could be both sends a request back and forth between loop and thread a dozen times, which
costs more than most requests do. It also starts a thread for each request, with new objects for the database in it;
here threads are lent.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import django
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

# More are only kept while as many requests and streams are open.
MOST_IDLE_THREADS = 40


class ThreadedHandler(ASGIHandler):
    """As Django's, but what stands between the event loop and a view runs in the request's thread.

    A view that is a coroutine runs on the event loop all the same, and so does what it streams.
    """

    def __init__(self) -> None:
        super().__init__()
        self.idle: list[ThreadPoolExecutor] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request in a thread that is lent to it."""
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is answered here, not {scope['type']}")
        thread = self.idle.pop() if self.idle else ThreadPoolExecutor(max_workers=1, thread_name_prefix="request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.handle(scope, receive, send)
        finally:
            if len(self.idle) < MOST_IDLE_THREADS:
                self.idle.append(thread)
            else:
                thread.shutdown(wait=False)

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002 the signature is Django's
        """Build the chain for a thread, whatever the caller runs on."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, found in the request's thread."""
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)


def get_threaded_application() -> ThreadedHandler:
    """Set Django up and return its handler, as `django.core.asgi.get_asgi_application` does."""
    django.setup(set_prefix=False)
    return ThreadedHandler()
