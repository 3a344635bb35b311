"""This app's part of the history of a case: who was handed it, how it was drawn, and what each reading said when."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db.models import Q

from annotations.models import Arm, Assignment, Draw, Reading, ReadingRevision
from annotations.models.assignments import Origin
from curation.case_trail import LOOKS, Moment, TrailSection, Voice, Wanted
from curation.saying import Content

if TYPE_CHECKING:
    import datetime as dt

    from curation.models import AuditEvent, Case

SUBMITTING = ("reading.submitted", "reading.surplus_accepted")


def _moments(case: Case, wanted: Wanted) -> list[Moment]:
    if wanted.shown == LOOKS:
        return []
    # Those that a curator assigned have an event of their own.
    own = Assignment.objects.filter(case=case).exclude(origin=Origin.PUSHED)
    handed = wanted.of(own.select_related("reader"), "created_at")
    begun = wanted.of(Reading.objects.filter(case=case).select_related("reader").defer("draft"), "created_at")
    drawn = wanted.of(Draw.objects.filter(case=case), "created_at")
    return [
        *(_handed(one) for one in handed),
        *(_begun(one) for one in begun if one.arm == Arm.AIDED),
        *(_drawn(one) for one in drawn),
    ]


def _handed(row: Assignment) -> Moment:
    did = "was handed the case " + ("as a probe" if row.origin == Origin.PROBE else "by the queue")
    return Moment(row.created_at, f"a{row.pk}", "queue", did, who=row.reader.username)


def _begun(row: Reading) -> Moment:
    return Moment(row.created_at, f"r{row.pk}", "reading", "began an aided reading", who=row.reader.username)


def _drawn(row: Draw) -> Moment:
    how = "at random" if row.is_random else "for its disagreement"
    after = [
        ("draw", f"{row.number:,}"),
        ("probability", f"{row.probability:.4g}"),
        ("pool", f"{row.pool:,} cases"),
        ("random share", f"{row.random_share:g}"),
        ("disagreement", "not known" if row.value is None else f"{row.value:.2f}"),
    ]
    return Moment(row.created_at, f"d{row.pk:019d}", "queue", f"was drawn {how}", who="the queue", after=after)


def _explain(case: Case, events: Sequence[AuditEvent]) -> dict[int, tuple[Content | None, Content]]:
    """What each submission said, and what the one before it of the same reading; one query."""
    wanted = {event.pk: named for event in events if (named := _revision_named(event)) is not None}
    if not wanted:
        return {}
    either = Q()
    for reading_id, revision in wanted.values():
        either |= Q(reading=reading_id, revision__in=[revision - 1, revision])
    rows = ReadingRevision.objects.filter(either, reading__case=case).order_by()
    said = {(row.reading_id, row.revision): _content(row) for row in rows}
    return {
        number: (said.get((reading_id, revision - 1)), said[reading_id, revision])
        for number, (reading_id, revision) in wanted.items()
        if (reading_id, revision) in said
    }


def _revision_named(event: AuditEvent) -> tuple[uuid.UUID, int] | None:
    revision = event.after.get("revision") if isinstance(event.after, dict) else None
    if event.action not in SUBMITTING or not isinstance(revision, int):
        return None
    try:
        return (uuid.UUID(event.object_id), revision)
    except ValueError:
        return None


def _content(row: ReadingRevision) -> Content:
    return Content(row.content.get("answer"), row.content.get("rois") or [], row.content.get("steps") or [])


def _voices(case: Case, at: dt.datetime) -> list[Voice]:
    """The newest revision of each reading by then; one query."""
    rows = ReadingRevision.objects.filter(reading__case=case, submitted_at__lte=at).select_related("reading__reader")
    newest = rows.defer("reading__draft").order_by("reading__created_at", "reading_id", "-revision")
    found: dict[uuid.UUID, ReadingRevision] = {}
    for row in newest:
        found.setdefault(row.reading_id, row)
    return [
        Voice(
            "reading",
            row.reading.reader.username,
            row.submitted_at,
            f"revision {row.revision}",
            _content(row),
            note="aided" if row.reading.arm == Arm.AIDED else "",
        )
        for row in found.values()
    ]


section = TrailSection(moments=_moments, voices=_voices, explain=_explain)
