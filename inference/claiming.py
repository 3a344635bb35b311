"""Holding a job: claimed once by a conditional update, kept by a heartbeat, given up with its error.

A claim is fenced by who began it and when: whoever was taken for dead and comes back finds that a later claim holds the
row, and its result is thrown away. The number of attempts is no fence, since a job that a person starts anew counts
from nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import threading
import time
import uuid
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn, Self

from django.db import DatabaseError, IntegrityError, connections, transaction
from django.db.models import F
from django.utils import timezone

from inference.models import JobState, Prediction, ScoringRun
from inference.models.jobs import MOST_ATTEMPTS

HEARTBEAT_S = 5.0
LONGEST_ERROR = 2000
EXIT_STATUS = os.EX_TEMPFAIL
"""Of a worker whose model hung: nothing is wrong with the worker, and it is started again."""
SUPERSEDED = "another run of this case is queued and covers this one"

logger = logging.getLogger(__name__)
JobTable = type[Prediction] | type[ScoringRun]


@dataclass(frozen=True)
class Claim:
    """One attempt at one job."""

    table: JobTable
    pk: uuid.UUID
    attempt: int
    worker: str
    started_at: dt.datetime

    def held(self) -> Any:
        """The row as a queryset, empty once somebody else holds it or it was cancelled."""
        return self.table.objects.filter(
            pk=self.pk, state=JobState.RUNNING, worker=self.worker, started_at=self.started_at
        )


def worker_name() -> str:
    """This process, as a person finds it: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"[:128]


@transaction.atomic
def claim(table: JobTable, pk: uuid.UUID) -> Claim | None:
    """Take a queued job; None where it is not queued (any more), so that a message that comes twice runs once."""
    now, worker = timezone.now(), worker_name()
    taken = table.objects.filter(pk=pk, state=JobState.QUEUED).update(
        state=JobState.RUNNING,
        attempts=F("attempts") + 1,
        worker=worker,
        started_at=now,
        heartbeat_at=now,
        error="",
    )
    if not taken:
        return None
    # Read under the row lock that the update took, so that this is the attempt just begun.
    attempt = table.objects.values_list("attempts", flat=True).get(pk=pk)
    return Claim(table, pk, attempt, worker, now)


def give_back(held: Any, *, attempt: int, error: str, is_counted: bool = True) -> JobState | None:
    """Queue a failed or abandoned job again, or park it after its last attempt.

    Parameters
    ----------
    held
        The row as a queryset that is empty if somebody else holds it.
    attempt
        How many attempts were made.
    error
        What went wrong, for a person.
    is_counted
        Whether the attempt failed. One that came further and only ran out of time is not counted, and queued again.

    Returns
    -------
    The new state; None where the row was no longer held. Whoever gets QUEUED sends the job again.
    """
    state = JobState.QUEUED if attempt < MOST_ATTEMPTS or not is_counted else JobState.PARKED
    now = timezone.now()
    changes: dict[str, Any] = {"error": error[:LONGEST_ERROR], "worker": "", "heartbeat_at": None}
    if not is_counted:
        changes["attempts"] = attempt - 1
    ended = None if state == JobState.QUEUED else now
    while True:
        try:
            with transaction.atomic():
                changed = held.update(state=state, sent_at=now, finished_at=ended, **changes)
        except IntegrityError:
            # One queued run a case: a newer one came meanwhile, and it is made to cover what this one would have.
            cancelled = _hand_over(held, **{**changes, "error": SUPERSEDED, "finished_at": now})
            if cancelled is None:
                continue  # a worker took the newer one between the two statements: the place is free
            return JobState.CANCELLED if cancelled else None
        return state if changed else None


@transaction.atomic
def _hand_over(held: Any, **changes: Any) -> int | None:
    """Cancel a case's run in favour of the one that is queued, which replaces numbers if this one would have.

    Returns how many it cancelled: 0 where somebody else holds it; None where none is queued any more.
    """
    run = held.select_for_update(no_key=True).first()
    if run is None:
        return 0
    newer = ScoringRun.objects.select_for_update().filter(kind=run.kind, case_id=run.case_id, state=JobState.QUEUED)
    covering = newer.first()
    if covering is None:
        return None
    if covering.is_stale_only and not run.is_stale_only:
        covering.is_stale_only = False
        covering.save(update_fields=["is_stale_only"])
    return int(held.update(state=JobState.CANCELLED, **changes))


class Heartbeat:
    """Signs of life of a claimed job from a thread of its own, while the work itself may be deep in a model.

    A model that hangs cannot be interrupted: past the deadline the whole process ends with EXIT_STATUS, whoever runs it
    starts it again, and the sweep takes the job back.

    Parameters
    ----------
    what
        The work, for the log.
    deadline_s
        Seconds after which the work counts as hung.
    """

    def __init__(self, held: Claim, *, what: str, deadline_s: float, every_s: float = HEARTBEAT_S) -> None:
        self._claim = held
        self._what = what
        self._deadline_s = deadline_s
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat-{held.pk}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        ends_at, is_held = time.monotonic() + self._deadline_s, True
        try:
            while not self._stop.wait(max(0.0, min(self._every_s, ends_at - time.monotonic()))):
                if time.monotonic() >= ends_at:
                    self._end_process()
                # What was cancelled or taken over may hang as well: the deadline stays.
                is_held = is_held and self._show_life()
        finally:
            # The thread's own connection.
            connections.close_all()

    def _show_life(self) -> bool:
        try:
            return bool(self._claim.held().update(heartbeat_at=timezone.now()))
        except DatabaseError:
            # A database that restarts must not end the work; the next beat opens a new connection.
            logger.warning("no heartbeat for %s", self._claim.pk, exc_info=True)
            connections.close_all()
            return True

    def _end_process(self) -> NoReturn:
        logger.critical(
            "%s did not end within %g s: this worker ends with status %d, and the job is taken back",
            self._what,
            self._deadline_s,
            EXIT_STATUS,
        )
        os._exit(EXIT_STATUS)
