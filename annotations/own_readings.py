"""What a reader submitted last, as their own page lists it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import F

from annotations.models import ReadingRevision
from curation.models import Case
from curation.pictures import first_pictures

if TYPE_CHECKING:
    import datetime as dt
    import uuid

    from curation.models import User

MOST_RECENT = 20


@dataclass(frozen=True)
class Submitted:
    """A reading as it was submitted last, on its case, and the case's first images by sha256."""

    reading_id: uuid.UUID
    arm: str
    revision: int
    submitted_at: dt.datetime
    case: Case
    pictures: list[str]


def submitted_last(user: User) -> list[Submitted]:
    """The user's latest readings, each once whatever its revisions, the newest first; three queries.

    The rows to sort, all that a reader ever submitted, hold no draft, content or text: those shown are read after it.
    """
    latest = ReadingRevision.objects.filter(reading__reader=user, revision=F("reading__revision"))
    rows = latest.order_by("-submitted_at", "reading_id").values_list(
        "reading_id", "reading__arm", "revision", "submitted_at", "reading__case_id"
    )
    found = list(rows[:MOST_RECENT])
    shown = {row[-1] for row in found}
    named = Case.objects.select_related("benchmark").only("key", "benchmark__slug", "benchmark__title")
    cases, pictures = named.in_bulk(shown), first_pictures(shown)
    return [
        Submitted(reading_id, arm, revision, submitted_at, cases[case_id], pictures.get(case_id, []))
        for reading_id, arm, revision, submitted_at, case_id in found
    ]
