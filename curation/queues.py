"""The one way to start a Celery task from anywhere: by name, after the transaction commits."""

from __future__ import annotations

from functools import partial

from celery import current_app
from django.db import transaction


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
    transaction.on_commit(
        partial(current_app.send_task, task_name, kwargs=ids), robust=True
    )
