"""Readings submitted as rows, for tests of what follows from them."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from annotations.models import Arm, Reading, ReadingRevision, ReadingState
from curation.models import Case, User
from tests.annotations.contents import content


def say(case: Case, reader: User, *, arm: Arm = Arm.UNAIDED, active_s: float | None = 60.0, **changes: Any) -> Reading:
    """The next submitted revision of a reading; nobody is told."""
    reading, _ = Reading.objects.get_or_create(case=case, reader=reader, arm=arm)
    reading.revision += 1
    reading.state = ReadingState.SUBMITTED
    reading.save()
    ReadingRevision.objects.create(
        reading=reading,
        revision=reading.revision,
        content=content(**changes),
        digest=uuid.uuid4().hex * 2,
        case_version=case.version,
        input_digest=case.input_digest,
        protocol_digest="0" * 64,
        active_s=active_s,
        submitted_at=timezone.now(),
    )
    return reading
