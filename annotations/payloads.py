"""What goes out about cases and readings, named field by field, so that nothing leaves because a column was added.

A case as a reader gets it holds only what may be seen blind (BENCHMARKS.md section 3): no caption, no source's answer,
no gold, no `extra`, no patient, no source or attribution (a link to the published case gives its diagnosis away). Of
`extra` only the kind of the question and the box it speaks of leave, as `curation.asking` checks them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotations.assigning import NothingLeft
from annotations.drafting import content_of
from annotations.models import ReadingState
from annotations.naming import CaseNames
from curation.asking import Asked, asked
from curation.describing import describe_images

if TYPE_CHECKING:
    from annotations.assigning import HandedOut
    from annotations.models import Assignment, Reading, ReadingRevision
    from curation.models import Case, User


def blind_case(case: Case) -> dict[str, Any]:
    """A case without anything that somebody said of it. One query, for the images."""
    images = describe_images(case.pk)
    first = images[0] if images else None
    question = asked(case.extra, width=first["width"], height=first["height"]) if first else Asked()
    return {
        "id": str(case.pk),
        "key": case.key,
        "question": case.question,
        "options": case.options,
        "history": case.history,
        "task": question.task,
        "question_box": question.question_box,
        "images": images,
    }


def images_ahead(case: Case | None) -> dict[str, Any]:
    """Images that a reader's page may fetch in advance, as a blind case has them: not whose case they are."""
    return {"images": describe_images(case.pk) if case else []}


def own_reading(reading: Reading) -> dict[str, Any]:
    """A reading as its reader gets it: the draft, with the version to save over."""
    return {
        "id": str(reading.pk),
        "case": str(reading.case_id),
        "arm": reading.arm,
        "state": reading.state,
        "version": reading.version,
        "revision": reading.revision,
        "saved_at": reading.saved_at,
        "content": content_of(reading),
    }


def someones_reading(reading: Reading, viewer: User) -> dict[str, Any]:
    """A reading as reviewers and curators get it: what was submitted, or the surplus draft that waits for them.

    A draft that is being written is its reader's own: its content is null here.
    """
    content: dict[str, Any] | None = None
    if reading.state in (ReadingState.SURPLUS, ReadingState.CLOSED):
        content = content_of(reading)
    elif reading.revision:
        content = reading.revisions.get(revision=reading.revision).content
    reader = CaseNames.of(viewer, [reading.case]).person(reading.reader, reading.case_id)
    return {
        **own_reading(reading),
        "reader": reader and {"id": reader["id"], "name": reader["name"]},
        "content": content,
    }


def submitted(revision: ReadingRevision) -> dict[str, Any]:
    """The answer to a submit."""
    return {
        "reading": str(revision.reading_id),
        "revision": revision.revision,
        "submitted_at": revision.submitted_at,
    }


def lease(assignment: Assignment) -> dict[str, Any]:
    """Where an assignment stands."""
    return {
        "assignment": str(assignment.pk),
        "state": assignment.state,
        "lease_expires_at": assignment.lease_expires_at,
    }


def handed_out(given: HandedOut | NothingLeft) -> dict[str, Any]:
    """The answer to `next/`: a case with its lease and reading, or why there is none."""
    if isinstance(given, NothingLeft):
        return {"case": None, "reason": given.reason, "until": given.until}
    return {
        "assignment": str(given.assignment.pk),
        "lease_expires_at": given.assignment.lease_expires_at,
        "case": blind_case(given.assignment.case),
        "reading": own_reading(given.reading),
    }
