"""The aided arm: the same case again by the same reader, with model output in view; the unaided reading stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from annotations import assigning
from annotations.drafting import content_of
from annotations.models import Arm, Reading, ReadingState
from curation import audit, events
from curation.models import Role
from curation.statements import Statement

if TYPE_CHECKING:
    import uuid

_LOOKED = Statement("""
    SELECT 1 FROM curation_auditevent
    WHERE action = %(action)s AND actor_id = %(actor)s AND object_type = 'case' AND object_id = %(case)s
    LIMIT 1""")


class NotYetSubmitted(Exception):
    """The aided arm opens only once the unaided reading is submitted, and not while it is being revised."""

    def __init__(self, reading: Reading) -> None:
        said = "is being revised: submit that revision first" if reading.revision else "is not submitted yet"
        super().__init__(f"the unaided reading {said}")


class AidedOpened(Exception):
    """The unaided reading is final: its reader has read the case again with models in view."""

    def __init__(self) -> None:
        super().__init__(
            "the case was opened again with models in view, so the unaided reading is final; change the aided one"
        )


@transaction.atomic
def open_aided(*, reading_id: uuid.UUID) -> Reading:
    """Open the aided arm of a reading; twice is the same as once.

    Parameters
    ----------
    reading_id
        Of the unaided reading, or of its aided one, which is then answered as it is.

    Returns
    -------
    Reading
        The aided reading. A new one starts as what was submitted unaided, ids and origins of its regions kept, so that
        what the reader changes is a difference from it. It needs no assignment and takes no place at the case.

    Raises
    ------
    NotYetSubmitted
        If the unaided reading has no submitted revision, is being revised, or was closed.

    Notes
    -----
    From now on the unaided reading cannot be revised: a correction made with models in view would pass for an unaided
    one (`refuse_after_aided`).
    """
    unaided = Reading.objects.select_related("reader").get(pk=reading_id)
    if unaided.arm == Arm.AIDED:
        return unaided
    case = assigning.lock_case(unaided.case_id)
    # Read again under the lock: a revision may have been taken up since.
    unaided.refresh_from_db(fields=["state", "revision", "draft"])
    found = Reading.objects.filter(case=case, reader=unaided.reader, arm=Arm.AIDED).first()
    if found is not None:
        return found
    if unaided.state != ReadingState.SUBMITTED:
        raise NotYetSubmitted(unaided)
    aided = Reading.objects.create(
        case=case, reader=unaided.reader, arm=Arm.AIDED, draft=_submitted_content(unaided), version=1
    )
    audit.record(
        "reading.aided_opened",
        actor=unaided.reader,
        benchmark_id=case.benchmark_id,
        object_type="reading",
        object_id=str(aided.pk),
        after={"case": str(case.pk), "unaided": str(unaided.pk), "revision": unaided.revision},
    )
    events.publish(
        "reading.opened",
        benchmark_id=case.benchmark_id,
        least_role=Role.READER,
        reader_id=unaided.reader_id,
        case=str(case.pk),
        reading=str(aided.pk),
    )
    return aided


def refuse_after_aided(reading: Reading) -> None:
    """Raise `AidedOpened` if this is an unaided reading whose aided arm was opened, under the case's lock."""
    if (
        reading.arm == Arm.UNAIDED
        and Reading.objects.filter(case_id=reading.case_id, reader_id=reading.reader_id, arm=Arm.AIDED).exists()
    ):
        raise AidedOpened


def has_looked(reading: Reading) -> bool:
    """Whether the reader has looked at what others said of the case, as the trail tells; of an aided reading always.

    A first unaided revision may be marked too: somebody who looked as a curator and was made a reader afterwards.
    """
    return reading.arm == Arm.AIDED or bool(
        _LOOKED.row(action=audit.LOOKED, actor=reading.reader_id, case=str(reading.case_id))
    )


def _submitted_content(reading: Reading) -> dict[str, object]:
    content: dict[str, object] = reading.revisions.get(revision=reading.revision).content
    return {**content_of(reading), **content}
