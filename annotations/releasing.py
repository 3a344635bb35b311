"""Readings in snapshots and exports."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from django.conf import settings

from annotations.models import ReadingRevision, ReadingState
from annotations.reweighting import selection_of
from curation.exporting import ExportSection, SectionRows, box_around

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence

    from curation.models import Snapshot, SnapshotCase

PSEUDONYM_LENGTH = 10

ROI_COLUMNS = {
    "id": "string",
    "number": "int64",
    "image": "int64",
    "frame": "int64",
    "label": "string",
    "shape": "string",
    "geometry": "string",
    "x0": "float64",
    "y0": "float64",
    "x1": "float64",
    "y1": "float64",
    "origin": "string",
}
STEP_COLUMNS = {
    "id": "string",
    "number": "int64",
    "kind": "string",
    "image": "int64",
    "text": "string",
    "evidence": ["string"],
    "regions": ["string"],
    "is_critical": "bool",
    "confidence": "float64",
    "topic": "string",
    "state": "string",
}
READING_COLUMNS = {
    "case": "string",
    "split": "string",
    "reading": "string",
    "reader": "string",
    "arm": "string",
    "revision": "int64",
    "is_newest": "bool",
    "is_after_looking": "bool",
    "digest": "string",
    "is_of_frozen_input": "bool",
    "protocol_digest": "string",
    "choice": "string",
    "text": "string",
    "boxes": [["float64"]],
    "confidence": "float64",
    "rois": [ROI_COLUMNS],
    "steps": [STEP_COLUMNS],
    "content": "string",
    "selection_probability": "float64",
    "draw": "int64",
    "pool": "int64",
}
READING_ABOUT = (
    "one submitted revision of one reader on one case, with regions, steps and answer. Where the queue preferred cases "
    "with high disagreement, `selection_probability` is how likely it was that this case came up at draw number `draw` "
    "among the `pool` cases left; with these three an estimate over all cases can be reweighted (levelled unbiased "
    "risk estimator, arXiv 2101.11665). Null: the case came up in another way"
)


def snapshot_readings(case_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """Digests of every submitted revision, in every arm, of readings that are neither closed nor surplus; one query.

    A reading whose next revision is being written stays in with what was submitted of it.
    """
    rows = (
        ReadingRevision.objects.filter(reading__case__in=case_ids)
        .exclude(reading__state__in=[ReadingState.CLOSED, ReadingState.SURPLUS])
        .order_by("digest")
        .values_list("reading__case_id", "digest")
    )
    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    for case_id, digest in rows:
        found[case_id].append(digest)
    return dict(found)


def frozen_revisions(
    cases: Sequence[SnapshotCase], *, is_content_wanted: bool = True
) -> dict[uuid.UUID, list[ReadingRevision]]:
    """The revisions that frozen cases name by digest, in the order they were submitted; one query.

    Two readers may have said the very same, so that two revisions share a digest: as many as were frozen, the first
    ones, since a revision submitted later was not there yet.
    """
    wanted = {case.case_id: Counter(case.reading_digests) for case in cases}
    rows = (
        ReadingRevision.objects.filter(reading__case__in=list(wanted))
        .select_related("reading")
        .defer("reading__draft")
        .order_by("submitted_at", "reading_id", "revision")
    )
    if not is_content_wanted:
        rows = rows.defer("content", "reading__draft")
    found: dict[uuid.UUID, list[ReadingRevision]] = defaultdict(list)
    for row in rows:
        left = wanted[row.reading.case_id]
        if left[row.digest]:
            left[row.digest] -= 1
            found[row.reading.case_id].append(row)
    return dict(found)


def pseudonym(snapshot: Snapshot, reader_id: uuid.UUID) -> str:
    """What a reader is called in every export of a snapshot, such as `R3f0c2a91b7`.

    An HMAC under the installation's secret key over the snapshot's digest and the reader's id: the same in every
    export of one snapshot, different in another, and back to a person only for who holds the key and the database.
    """
    message = f"{snapshot.digest}:{reader_id}".encode()
    key = b"reader pseudonym:" + settings.SECRET_KEY.encode()
    return "R" + hmac.new(key, message, hashlib.sha256).hexdigest()[:PSEUDONYM_LENGTH]


def _reading_rows(snapshot: Snapshot, cases: Sequence[SnapshotCase]) -> SectionRows:
    revisions = frozen_revisions(cases)
    drawn = selection_of([case.case_id for case in cases])
    rows = [
        (case, {**_row(snapshot, case, revision, newest), **_selection(drawn.get(case.case_id))})
        for case in cases
        for newest in [_newest(revisions.get(case.case_id, []))]
        for revision in revisions.get(case.case_id, [])
    ]
    expected = sum(len(case.reading_digests) for case in cases)
    gone = {"readings that were frozen are no longer stored": expected - len(rows)}
    return SectionRows(rows=rows, rows_in=expected, left_out=Counter(gone))


def _selection(drawn: tuple[int, int, float] | None) -> dict[str, Any]:
    """How the case came to be read; a draw comes before the first reading of its case, and so before any snapshot."""
    number, pool, probability = drawn or (None, None, None)
    return {"selection_probability": probability, "draw": number, "pool": pool}


def _newest(revisions: Sequence[ReadingRevision]) -> dict[uuid.UUID, int]:
    newest: dict[uuid.UUID, int] = {}
    for revision in revisions:
        newest[revision.reading_id] = max(revision.revision, newest.get(revision.reading_id, 0))
    return newest


def _row(
    snapshot: Snapshot, case: SnapshotCase, revision: ReadingRevision, newest: dict[uuid.UUID, int]
) -> dict[str, Any]:
    content, reading = revision.content, revision.reading
    answer = content["answer"] or {}
    return {
        "case": case.key,
        "split": case.record["split"],
        "reading": str(reading.pk),
        "reader": pseudonym(snapshot, reading.reader_id),
        "arm": reading.arm,
        "revision": revision.revision,
        "is_newest": newest[reading.pk] == revision.revision,
        "is_after_looking": revision.is_after_looking,
        "digest": revision.digest,
        "is_of_frozen_input": revision.input_digest == case.input_digest,
        "protocol_digest": revision.protocol_digest,
        "choice": answer.get("choice"),
        "text": answer.get("text"),
        "boxes": answer.get("boxes"),
        "confidence": content["confidence"],
        "rois": [roi_row(roi, number) for number, roi in enumerate(content["rois"], 1)],
        "steps": [{**step, "number": number} for number, step in enumerate(content["steps"], 1)],
        "content": json.dumps(content, ensure_ascii=False),
    }


def roi_row(roi: dict[str, Any], number: int) -> dict[str, Any]:
    """A ROI of a reading's content as a row: its geometry as JSON, and the box around it (none around no pixel)."""
    return {**roi, "number": number, "geometry": json.dumps(roi["geometry"]), **box_around(roi)}


READING_NOTES = ("who the readers are, when they submitted, and drafts: readers are pseudonyms within this snapshot",)

export_readings = ExportSection(
    config="readings",
    about=READING_ABOUT,
    columns=READING_COLUMNS,
    rows=_reading_rows,
    notes=READING_NOTES,
)
