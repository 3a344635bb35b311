"""What browsers and proxies may keep: nothing, unless a view says otherwise."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from django.utils.decorators import sync_and_async_middleware

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

NOT_KEPT = "private, no-store"


@sync_and_async_middleware
def keep_nothing(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Answers that say nothing of keeping are kept by nobody: cases, readings and pages are for who asked, and now.

    It stands below the middleware that serves static files, whose answers it never sees.
    """
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            return _marked(await get_response(request))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _marked(get_response(request))

    return answer


def _marked(response: HttpResponseBase) -> HttpResponseBase:
    # A 304 speaks of an answer that is kept already, by that answer's own rule.
    if not response.has_header("Cache-Control") and response.status_code != 304:
        response["Cache-Control"] = NOT_KEPT
    return response
