"""Running the same thing in several threads, each with a database connection of its own, all let go at once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar

from django.db import connection, connections

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Result = TypeVar("Result")
# Never waited for in vain: long enough for a machine that does five other things.
PATIENCE_S = 180


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """The result of each call, in their order; the first exception of any is raised."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Result]) -> Result:
        try:
            start.wait(timeout=PATIENCE_S)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [waiting.result(timeout=PATIENCE_S) for waiting in [pool.submit(run, call) for call in calls]]


def waiting_for_locks() -> int:
    """How many other connections to this database wait for a lock at this moment."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else one transaction sees the same all the time
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            " AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])


def until_waiting(number: int) -> None:
    """Return when so many other connections wait for a lock."""
    deadline = time.monotonic() + PATIENCE_S
    while (waiting := waiting_for_locks()) < number:
        assert time.monotonic() < deadline, f"{waiting} connections wait, not {number}"
        time.sleep(0.01)
