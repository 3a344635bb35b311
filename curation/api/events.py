"""The stream of live events."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.models import Q
from django.http import JsonResponse, StreamingHttpResponse
from django.urls import path
from django.utils import timezone
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from curation.hub import HUB, OVERLAP_IDS, Listener, Told
from curation.models import Event, Role, User

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from django.http import HttpRequest, HttpResponseBase

KEEP_ALIVE_S = 15.0
# A stream ends after this, and the browser comes back at once: so a log-out or a lost role takes effect.
LONGEST_STREAM_S = 300.0
MOST_REPLAYED = 1000
RECENT = dt.timedelta(seconds=30)
P = ParamSpec("P")
R = TypeVar("R")


@login_not_required
async def stream(request: HttpRequest) -> HttpResponseBase:
    """Server-sent events for whoever is signed in, by session or token."""
    if request.method != "GET":
        return _refusal(405, "method-not-allowed", f"{request.method} is not allowed here; GET is.")
    listener = await sync_to_async(_closing(_listener))(request)
    if listener is None:
        return _refusal(401, "not-signed-in", "Sign in, or send a valid token.")
    last = request.headers.get("Last-Event-ID", "")
    response = StreamingHttpResponse(
        _messages(listener, int(last) if last.isdecimal() and len(last) < 19 else None),
        content_type="text/event-stream",
    )
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def _closing(ask: Callable[P, R]) -> Callable[P, R]:
    """Give the database connection back after asking: a stream is open for minutes and needs none meanwhile."""

    @wraps(ask)
    def asked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return ask(*args, **kwargs)
        finally:
            # Inside a transaction it is somebody else's (a test's).
            if not connection.in_atomic_block:
                connection.close()

    return asked


def _refusal(status: int, kind: str, detail: str) -> JsonResponse:
    body = {"type": f"/problems/{kind}", "title": kind.replace("-", " ").capitalize(), "status": status}
    return JsonResponse(
        {**body, "detail": detail, "errors": []}, status=status, content_type="application/problem+json"
    )


def _listener(request: HttpRequest) -> Listener | None:
    user: object = request.user
    if not isinstance(user, User):
        try:
            found = TokenAuthentication().authenticate(Request(request))
        except AuthenticationFailed:
            return None
        user = found[0] if found else None
    if not isinstance(user, User) or not user.is_active:
        return None
    roles = dict(user.roles_by_benchmark())
    if user.is_superuser:
        roles[None] = roles.get(None, frozenset()) | {Role.ADMIN.value}
    return Listener(user_id=user.pk, roles=roles)


async def _messages(listener: Listener, last: int | None) -> AsyncIterator[str]:
    HUB.join(listener)
    try:
        yield "retry: 1000\n\n"
        if last is not None:
            for event in await sync_to_async(_closing(_missed))(listener, last):
                yield event.as_message()
        ends_at = time.monotonic() + LONGEST_STREAM_S
        while time.monotonic() < ends_at:
            try:
                heard = await asyncio.wait_for(listener.queue.get(), KEEP_ALIVE_S)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if heard is None:
                return
            yield heard.as_message()
    finally:
        HUB.leave(listener)


def _missed(listener: Listener, last: int) -> list[Told]:
    # Ids can commit out of order: what is recent is told again, since hearing an event twice does no harm.
    recent = Q(pk__gt=last - OVERLAP_IDS, created_at__gt=timezone.now() - RECENT)
    # Of too many the newest: the last one's id is where the browser goes on next time.
    newest = Event.objects.filter(Q(pk__gt=last) | recent).order_by("-pk")[:MOST_REPLAYED]
    told = [
        Told(row.pk, row.type, row.benchmark_id, row.least_role, row.reader_id, row.is_blinded, row.payload)
        for row in reversed(newest)
    ]
    return [event for event in told if listener.may_hear(event)]


urlpatterns = [path("events/", stream, name="events")]
