"""One LISTEN a process, fanned out in memory to every browser that holds a stream open.

NOTIFY only says that there is something new; the rows of `Event` are what is told. Serial ids can commit out of order,
so that each look goes back over the last few ids and skips those already told.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import connections
from psycopg.conninfo import make_conninfo

from curation.events import CHANNEL
from curation.models import Role

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

OVERLAP_IDS = 200
QUEUE_LENGTH = 1000
RECONNECT_S = 1.0
COLUMNS = "id, type, benchmark_id, least_role, reader_id, is_blinded, payload"


@dataclass(frozen=True)
class Told:
    """One event as it is told, with its audience."""

    id: int
    type: str
    benchmark_id: uuid.UUID
    least_role: str
    reader_id: uuid.UUID | None
    is_blinded: bool
    payload: dict[str, str]

    def as_message(self) -> str:
        """The event as one server-sent message."""
        body = json.dumps({"type": self.type, "id": self.id, **self.payload})
        return f"id: {self.id}\ndata: {body}\n\n"


@dataclass(frozen=True, eq=False)
class Listener:
    """Who listens: their roles by benchmark (None: everywhere), and their queue."""

    user_id: uuid.UUID
    roles: Mapping[uuid.UUID | None, frozenset[str]]
    queue: asyncio.Queue[Told | None] = field(default_factory=lambda: asyncio.Queue(QUEUE_LENGTH))

    def may_hear(self, event: Told) -> bool:
        """Compare the event's audience with this person; see `Event`."""
        roles = self.roles.get(event.benchmark_id, frozenset()) | self.roles.get(None, frozenset())
        if event.reader_id is not None:
            return event.reader_id == self.user_id and bool(roles)
        if event.is_blinded and Role.READER.value in roles:
            return False
        rank = max((Role(role).rank for role in roles), default=0)
        return rank >= Role(event.least_role).rank


class Hub:
    """Listens on one connection of its own and hands each event to whoever may hear it."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._told: deque[int] = deque(maxlen=4 * OVERLAP_IDS)
        self._last = 0
        self._task: asyncio.Task[None] | None = None

    def join(self, listener: Listener) -> None:
        """Add a listener, and start listening with the first one."""
        self._listeners.add(listener)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def leave(self, listener: Listener) -> None:
        """Remove a listener."""
        self._listeners.discard(listener)

    async def stop(self) -> None:
        """End the listening task."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                logger.warning("the event listener lost PostgreSQL and tries again: %s", error)
            except Exception:  # whatever it was: without this task nobody hears anything any more
                logger.exception("the event listener failed and tries again")
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self) -> None:
        async with await connect() as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            if not self._last:
                await self._start_at_newest(connection)
            # What was written while the connection was down.
            await self._tell_new(connection)
            while True:
                # notifies() holds the connection while it waits, so it is left before each query.
                async for heard in connection.notifies(stop_after=1):
                    self._hang_up(heard.payload)
                await self._tell_new(connection)

    async def _start_at_newest(self, connection: psycopg.AsyncConnection[Any]) -> None:
        rows = await (
            await connection.execute("SELECT id FROM curation_event ORDER BY id DESC LIMIT %s", [self._told.maxlen])
        ).fetchall()
        self._told.extend(row[0] for row in reversed(rows))
        self._last = rows[0][0] if rows else 0

    async def _tell_new(self, connection: psycopg.AsyncConnection[Any]) -> None:
        for event in await read_events(connection, after=self._last - OVERLAP_IDS, skip=self._told):
            self._told.append(event.id)
            self._last = max(self._last, event.id)
            for listener in tuple(self._listeners):
                if listener.may_hear(event):
                    self._hand(listener, event)

    def _hand(self, listener: Listener, event: Told) -> None:
        try:
            listener.queue.put_nowait(event)
        except asyncio.QueueFull:
            # Too slow: its stream ends, and the browser comes back with Last-Event-ID.
            self._end(listener)

    def _hang_up(self, user_id: str) -> None:
        for listener in tuple(self._listeners):
            if str(listener.user_id) == user_id:
                self._end(listener)

    def _end(self, listener: Listener) -> None:
        self.leave(listener)
        if listener.queue.full():
            listener.queue.get_nowait()
        listener.queue.put_nowait(None)


async def connect() -> psycopg.AsyncConnection[Any]:
    """A connection of the hub's own, in autocommit, to the database that Django uses."""
    wanted = connections["default"].settings_dict
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    given = {key: str(wanted[name]) for key, name in named.items() if wanted[name]}
    options = {key: value for key, value in wanted["OPTIONS"].items() if isinstance(value, str)}
    return await psycopg.AsyncConnection.connect(make_conninfo(**given, **options), autocommit=True)


async def read_events(connection: psycopg.AsyncConnection[Any], *, after: int, skip: deque[int]) -> list[Told]:
    """Events with a greater id than `after` that are not in `skip`, oldest first."""
    cursor = await connection.execute(
        f"SELECT {COLUMNS} FROM curation_event WHERE id > %s AND id <> ALL(%s) ORDER BY id",  # noqa: S608 fixed columns
        [after, list(skip)],
    )
    return [Told(*row) for row in await cursor.fetchall()]


HUB = Hub()
