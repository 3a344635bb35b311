"""Writing the gold of cases: revisions that are added and never edited, and who must hear of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from curation import events
from curation.digests import case_record, content_digest, gold_record, with_record_parts
from curation.models import Case, Gold, GoldRoi, Role
from curation.signals import cases_changed

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence

_ROI_FIELDS = ("image", "frame", "shape", "geometry")
WITHDRAWN: dict[str, Any] = {"answer": None, "rois": [], "steps": []}


def add_revisions(golds: Sequence[tuple[Case, dict[str, Any]]], *, is_withdrawn: bool = False) -> list[Gold]:
    """Add the next revision of the gold of each case, in three statements; the caller holds the cases' locks.

    Parameters
    ----------
    golds
        Cases, each once, with section 6's `gold`, complete and checked.
    is_withdrawn
        Whether these revisions say that there is no gold any more.
    """
    known = [case.pk for case, _ in golds]
    revisions = dict(
        Gold.objects.filter(case__in=known)
        .values("case_id")
        .annotate(last=Max("revision"))
        .values_list("case_id", "last")
    )
    rows = Gold.objects.bulk_create(
        Gold(
            case=case,
            revision=revisions.get(case.pk, 0) + 1,
            answer=gold["answer"],
            steps=gold["steps"],
            is_withdrawn=is_withdrawn,
        )
        for case, gold in golds
    )
    GoldRoi.objects.bulk_create(
        GoldRoi(
            gold=row,
            number=number,
            client_id=roi["id"],
            label=roi["label"] or "",
            **{name: roi[name] for name in _ROI_FIELDS},
        )
        for row, (_, gold) in zip(rows, golds, strict=True)
        for number, roi in enumerate(gold["rois"], 1)
    )
    return rows


def gold_at(case: Case, revision: int) -> dict[str, Any] | None:
    """Section 6's `gold` of one revision of a case; None for revision 0 and for one that withdraws."""
    found = Gold.objects.filter(case=case, revision=revision, is_withdrawn=False).prefetch_related("rois").first()
    return gold_record(found)


@transaction.atomic
def write_gold(*, case_id: uuid.UUID, gold: dict[str, Any] | None) -> Gold:
    """Write the next revision of a case's gold, outside of an import.

    Parameters
    ----------
    case_id
        Its row is locked to the end of the transaction.
    gold
        Section 6's `gold`, checked; None withdraws the gold there is.

    Returns
    -------
    Gold
        The revision now in force, or the one that says that none is.

    Notes
    -----
    The case's `version` and `content_digest` follow, its `input_digest` stays: scores are computed anew after the
    commit, and no model reads the case again. Who may still read it blind hears nothing. The caller writes the trail.
    """
    case = Case.objects.select_for_update(no_key=True).get(pk=case_id)
    (row,) = add_revisions([(case, WITHDRAWN if gold is None else gold)], is_withdrawn=gold is None)
    (as_it_is,) = with_record_parts([case.pk])
    Case.objects.filter(pk=case.pk).update(
        version=F("version") + 1, content_digest=content_digest(case_record(as_it_is)), updated_at=timezone.now()
    )
    events.publish(
        "case.changed",
        benchmark_id=case.benchmark_id,
        least_role=Role.REVIEWER,
        is_blinded=True,
        case=str(case.pk),
    )
    # The gold is in, whatever becomes of those who hear of it; the sweep finds what was not asked for.
    transaction.on_commit(partial(cases_changed.send_robust, sender=Case, case_ids=[case.pk]))
    return row
