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


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """The result of each call, in their order; the first exception of any is raised."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Result]) -> Result:
        try:
            start.wait(timeout=30)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [waiting.result(timeout=60) for waiting in [pool.submit(run, call) for call in calls]]


def waiting_for_locks() -> int:
    """How many other connections to this database wait for a lock at this moment."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else one transaction sees the same all the time
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def until_waiting(number: int) -> None:
    """Return when so many other connections wait for a lock."""
    for _ in range(1000):
        if waiting_for_locks() >= number:
            return
        time.sleep(0.01)
    raise AssertionError(f"{waiting_for_locks()} connections wait, not {number}")
