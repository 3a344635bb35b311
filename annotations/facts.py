"""This app's part of the facts that lists filter and sort by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q

from annotations.models import Arm, Reading, ReadingState

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable

STARTED = (ReadingState.DRAFT, ReadingState.SURPLUS)


def reading_facts(case_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[str, Any]]:
    """Count the unaided readings of each case.

    Returns
    -------
    dict
        For every id given: `readings_submitted` (with at least one revision) and `readings_open` (a draft is being
        written, or waits for a curator). Neither depends on the clock, so that they can be proved equal to their
        sources at any time; a lease that ran out therefore still counts as open while its draft is kept.
    """
    wanted = list(case_ids)
    rows = (
        Reading.objects.filter(case__in=wanted, arm=Arm.UNAIDED)
        .values("case_id")
        .annotate(submitted=Count("pk", filter=Q(revision__gt=0)), open=Count("pk", filter=Q(state__in=STARTED)))
    )
    found = {row["case_id"]: (row["submitted"], row["open"]) for row in rows}
    return {
        case_id: dict(zip(("readings_submitted", "readings_open"), found.get(case_id, (0, 0)), strict=True))
        for case_id in wanted
    }
