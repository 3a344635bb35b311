"""What Celery says of sealing each second stays out of the log; what goes wrong does not."""

from __future__ import annotations

import logging

import pytest

from config.logs import WithoutHeartbeat


@pytest.mark.parametrize(
    ("name", "level", "message", "is_kept"),
    [
        ("celery.beat", logging.INFO, "Scheduler: Sending due task seal-audit (curation.tasks.seal_audit)", False),
        ("celery.worker.strategy", logging.INFO, "Task curation.tasks.seal_audit[1] received", False),
        ("celery.app.trace", logging.ERROR, "Task curation.tasks.seal_audit[1] raised", True),
        ("celery.beat", logging.INFO, "Scheduler: Sending due task sweep (inference.tasks.sweep)", True),
        ("curation.tasks", logging.INFO, "seal_audit", True),
    ],
)
def test_only_the_heartbeat_is_left_out(name: str, level: int, message: str, is_kept: bool) -> None:
    record = logging.LogRecord(name, level, "", 0, "%s", (message,), None)
    assert WithoutHeartbeat().filter(record) is is_kept
