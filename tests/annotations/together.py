"""Running the same thing in several threads, each with a database connection of its own, all let go at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar

from django.db import connections

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
