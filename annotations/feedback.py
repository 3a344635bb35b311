"""What a reader in training is told after a submit: the gold, and how the own reading stands to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotations.models import Arm, Reading, Review, ReviewState
from annotations.probe_results import against_gold
from curation import audit
from curation.digests import gold_record
from curation.models import Case, Gold

if TYPE_CHECKING:
    import uuid


class NoFeedback(Exception):
    """Nothing is told: the benchmark is not in training mode, or there is no submitted unaided reading."""


def feedback_on(*, reading_id: uuid.UUID) -> dict[str, Any]:
    """The gold of the case of a submitted reading, in a benchmark in training mode.

    Parameters
    ----------
    reading_id
        Of the reader who asks.

    Returns
    -------
    dict
        `is_known` (whether the case has gold at all), `is_right`, `region_iou`, the gold's `answer`, `rois` and
        `steps`, and the `reason` that its reviewer wrote. Of every case alike, so that training does not tell which
        cases are probes.

    Raises
    ------
    NoFeedback
        If the benchmark is not in training mode, whatever the case; or nothing was submitted unaided.

    Notes
    -----
    The look goes to the trail, so that a later revision of the reading is marked as made after it.
    """
    reading = Reading.objects.select_related("case__benchmark", "reader").get(pk=reading_id)
    if not reading.case.benchmark.is_training:
        raise NoFeedback("this benchmark is not in training mode: readers are not told its gold")
    if reading.arm != Arm.UNAIDED or not reading.revision:
        raise NoFeedback("submit your own reading of this case first")
    case = Case.objects.prefetch_related("images__asset").get(pk=reading.case_id)
    audit.look(user=reading.reader, case=case)
    gold = Gold.objects.in_force().filter(case=case).prefetch_related("rois").first()
    nothing: dict[str, Any] = {
        "is_right": None,
        "region_iou": None,
        "answer": None,
        "rois": [],
        "steps": [],
        "reason": "",
    }
    if gold is None:
        return {"reading": str(reading.pk), "case": str(case.pk), "is_known": False, **nothing}
    held = against_gold(reading.revisions.get(revision=reading.revision).content, gold, case)
    return {
        "reading": str(reading.pk),
        "case": str(case.pk),
        "is_known": True,
        "is_right": held.is_right,
        "region_iou": held.region_iou,
        **(gold_record(gold) or {}),
        "reason": _reason(gold),
    }


def _reason(gold: Gold) -> str:
    closed = Review.objects.filter(case=gold.case_id, state=ReviewState.CLOSED, gold_revision=gold.revision)
    return closed.values_list("reason", flat=True).first() or ""
