"""What this app does when something happens below, and when a reading is submitted."""

from __future__ import annotations

import uuid
from typing import Any

from django.dispatch import receiver

from annotations import pushing
from curation.signals import reader_left


@receiver(reader_left, dispatch_uid="annotations.reader_left")
def on_reader_left(*, user_id: uuid.UUID, benchmark_id: uuid.UUID | None, **_: Any) -> None:
    """Free what somebody held who reads no more; the sweep finds what this misses."""
    pushing.let_go(reader_id=user_id, benchmark_id=benchmark_id, reason="no longer a reader")
