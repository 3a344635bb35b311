"""This app's part of the facts that lists filter and sort by, and that the queue goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, OuterRef, Q

from annotations.models import Arm, Assignment, CasePriority, Origin, Reading, ReadingState
from curation import facts
from curation.statements import Statement

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable

STARTED = (ReadingState.DRAFT, ReadingState.SURPLUS)
_COUNTED = ("readings_submitted", "readings_open", "readings_begun")
# As `reading_facts`, of one case, with the row of its facts locked: a fifth of what the same costs through the ORM.
_ONE_CASE = Statement("""
    SELECT r.submitted, r.open, r.begun, EXISTS (SELECT FROM annotations_assignment WHERE case_id = %(case)s)
    FROM curation_casefacts f CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE revision > 0) AS submitted,
            count(*) FILTER (WHERE state IN ('draft', 'surplus')) AS open, count(*) AS begun
        FROM annotations_reading r
        WHERE case_id = %(case)s AND arm = 'unaided' AND NOT EXISTS (
            SELECT FROM annotations_assignment a
            WHERE a.case_id = r.case_id AND a.reader_id = r.reader_id AND a.origin = 'probe'
        )
    ) r
    WHERE f.case_id = %(case)s
    FOR NO KEY UPDATE OF f""")


def reading_facts(case_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[str, Any]]:
    """Count the readings of each case that fill its places: unaided ones that are not of probes.

    Returns
    -------
    dict
        For every id given: `readings_submitted` (with at least one revision), `readings_open` (a draft is being
        written, or waits for a curator) and `readings_begun` (in any state). None depends on the clock, so that they
        can be proved equal to their sources at any time; a lease that ran out therefore still counts as open while its
        draft is kept.
    """
    wanted = list(case_ids)
    as_probe = Assignment.objects.filter(case=OuterRef("case"), reader=OuterRef("reader"), origin=Origin.PROBE)
    rows = (
        Reading.objects.filter(~Exists(as_probe), case__in=wanted, arm=Arm.UNAIDED)
        .values("case_id")
        .annotate(
            submitted=Count("pk", filter=Q(revision__gt=0)),
            open=Count("pk", filter=Q(state__in=STARTED)),
            begun=Count("pk"),
        )
    )
    found = {row["case_id"]: (row["submitted"], row["open"], row["begun"]) for row in rows}
    return {case_id: dict(zip(_COUNTED, found.get(case_id, (0, 0, 0)), strict=True)) for case_id in wanted}


def queue_facts(case_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[str, Any]]:
    """Whether each case was ever handed out (`is_drawn`), and its `disagreement`, or None where there is none."""
    wanted = list(case_ids)
    given = set(Assignment.objects.filter(case__in=wanted).values_list("case_id", flat=True))
    values = dict(CasePriority.objects.filter(case__in=wanted).values_list("case_id", "value"))
    return {case_id: {"is_drawn": case_id in given, "disagreement": values.get(case_id)} for case_id in wanted}


def record_readings(case_id: uuid.UUID) -> None:
    """Count the readings of a case that the caller has locked, and store its facts that go by them; two statements.

    What images and models say of the case is left as it is, which is most of what `curation.facts.record` costs.
    """
    found = _ONE_CASE.row(case=case_id)
    if found is None:
        facts.record([case_id])
        return
    submitted, opened, begun, is_drawn = found
    facts.record_readings(case_id, submitted=submitted, opened=opened, begun=begun, is_drawn=is_drawn)
