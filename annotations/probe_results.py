"""How probes were read: each first reading of a probe held against the gold that was in force then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from annotations.agreement_pair import answer_key
from annotations.agreement_regions import Plane, compare_regions, drawn_of, roi_scores
from annotations.models import Arm, Assignment, Origin, ProbeResult, ReadingRevision
from curation.digests import gold_record
from curation.models import Benchmark, Case, Gold

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping

BATCH = 200


@dataclass(frozen=True)
class Held:
    """A reading's content against gold; None is undefined: gold without an option, or without regions."""

    is_right: bool | None
    region_iou: float | None


def planes_of(case: Case) -> dict[int, Plane]:
    """The pixels of each image, by number; one query, or none where images and assets are loaded."""
    return {
        image.number: Plane(image.asset.height, image.asset.width, image.asset.spacing_mm)
        for image in case.images.all()
    }


def against_gold(content: Mapping[str, Any], gold: Gold, case: Case) -> Held:
    """Whether the answer is the gold's option, and the mean IoU of the regions matched with the gold's.

    Parameters
    ----------
    content
        Of a submitted revision.
    gold
        With its regions loaded.
    case
        With its images and their assets loaded.

    Returns
    -------
    `is_right` is None where the gold names no option (an open answer is not marked by a machine), and False where the
    reader gave none. `region_iou` is None where the gold has no region; a region that one of both lacks counts 0, so
    that drawing everywhere does not pay.
    """
    record = gold_record(gold) or {"answer": None, "rois": []}
    options = case.options or {}
    truth = answer_key(record["answer"], options)
    is_right = None if truth not in options else answer_key(content.get("answer"), options) == truth
    planes = planes_of(case)
    golden = drawn_of(record["rois"], planes)
    if not golden:
        return Held(is_right, None)
    drawn = drawn_of(content.get("rois", []), planes)
    compared = compare_regions(drawn, golden, roi_scores(drawn, golden, planes), planes)
    return Held(is_right, compared.matched_iou)


@transaction.atomic
def score_missing(benchmark_id: uuid.UUID) -> int:
    """Store the result of every probe reading that lacks one; returns how many. Twice is the same as once.

    Called in a worker after a submit, and again whenever somebody looks at drift, so that a lost message loses nothing.
    Not in the request of the submit: there the time it takes would tell a probe from another case.
    """
    # One at a time: the number of a result counts those before it.
    Benchmark.objects.select_for_update(no_key=True).get(pk=benchmark_id)
    handed = Assignment.objects.filter(
        case=OuterRef("reading__case"), reader=OuterRef("reading__reader"), origin=Origin.PROBE
    )
    golden = Gold.objects.filter(case=OuterRef("reading__case"), created_at__lte=OuterRef("submitted_at"))
    firsts = ReadingRevision.objects.filter(
        Exists(handed),
        Exists(golden),
        reading__case__benchmark=benchmark_id,
        reading__arm=Arm.UNAIDED,
        reading__probe_result=None,
        revision=1,
    )
    rows = firsts.select_related("reading__case").order_by("submitted_at", "pk")
    rows = rows.prefetch_related("reading__case__images__asset", "reading__case__golds__rois")
    return sum(_store(revision, benchmark_id) for revision in rows[:BATCH])


def _store(revision: ReadingRevision, benchmark_id: uuid.UUID) -> bool:
    reading = revision.reading
    gold = _gold_then(reading.case.golds.all(), revision)
    if gold is None:
        return False
    held = against_gold(revision.content, gold, reading.case)
    before = ProbeResult.objects.filter(benchmark_id=benchmark_id, reader_id=reading.reader_id).count()
    ProbeResult.objects.create(
        reading=reading,
        revision=revision.revision,
        gold_revision=gold.revision,
        benchmark_id=benchmark_id,
        reader_id=reading.reader_id,
        number=before + 1,
        is_right=held.is_right,
        region_iou=held.region_iou,
        submitted_at=revision.submitted_at,
    )
    return True


def _gold_then(golds: Iterable[Gold], revision: ReadingRevision) -> Gold | None:
    """The gold that was in force at the submit."""
    known = [gold for gold in golds if gold.created_at <= revision.submitted_at]
    newest = max(known, key=lambda gold: gold.revision, default=None)
    return None if newest is None or newest.is_withdrawn else newest
