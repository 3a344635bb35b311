"""Readings that are submitted, written straight into the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from annotations.models import Arm, Assignment, AssignmentState, Reading, ReadingRevision, ReadingState
from curation.formats.canonical import canonical_digest

if TYPE_CHECKING:
    from curation.models import Case, User


def submitted(
    case: Case, reader: User, content: dict[str, Any], *, arm: Arm = Arm.UNAIDED, is_after_looking: bool = False
) -> Reading:
    """A reading whose next revision says this."""
    now = timezone.now()
    Assignment.objects.update_or_create(
        case=case, reader=reader, defaults={"state": AssignmentState.SUBMITTED, "lease_expires_at": now}
    )
    reading, _ = Reading.objects.get_or_create(case=case, reader=reader, arm=arm)
    reading.state, reading.draft = ReadingState.SUBMITTED, content
    reading.revision += 1
    reading.save()
    ReadingRevision.objects.create(
        reading=reading,
        revision=reading.revision,
        content=content,
        digest=canonical_digest(content),
        case_version=case.version,
        input_digest=case.input_digest,
        protocol_digest="0" * 64,
        submitted_at=now,
        is_after_looking=is_after_looking,
    )
    return reading
