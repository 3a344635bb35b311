"""The one way to start a Celery task from anywhere: by name, after the transaction commits."""

from __future__ import annotations

import logging
import time

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

# After a failed send, this long without trying: a request that starts a thousand jobs must not wait for each of them.
PAUSE_S = 5.0

logger = logging.getLogger(__name__)
_paused_until = 0.0


def send(task_name: str, **ids: str) -> None:
    """Send a task by its dotted name when the current transaction commits; never if it rolls back.

    Parameters
    ----------
    task_name
        Registered name, such as ``"inference.tasks.predict_case"``. Its queue comes from the settings' routes.
    **ids
        Keyword ids and strings only.

    Notes
    -----
    A broker that cannot be reached raises nothing here: the job's row is in PostgreSQL and `sweep` sends it again.
    """
    # A lambda: `robust` asks a failing callback for its name, which a partial does not have.
    transaction.on_commit(lambda: _publish(task_name, ids), robust=True)


def _publish(task_name: str, ids: dict[str, str]) -> None:
    global _paused_until
    if time.monotonic() < _paused_until:
        return
    try:
        current_app.send_task(task_name, kwargs=ids)
    except (OperationalError, OSError) as error:
        _paused_until = time.monotonic() + PAUSE_S
        logger.warning("the broker cannot be reached (%s); %s and what follows waits for the sweep", error, task_name)
