"""Requests on threads: every middleware and every view but one is synchronous, so a request changes thread once.

Django's own handler offers middleware to run on the event loop, and each that only can is wrapped: one synchronous
middleware among others that could be both sends a request back and forth between loop and thread a dozen times, which
costs more than most requests do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase


class ThreadedHandler(ASGIHandler):
    """As Django's, but what stands between the event loop and a view runs in the request's thread.

    A view that is a coroutine runs on the event loop all the same, and so does what it streams.
    """

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
