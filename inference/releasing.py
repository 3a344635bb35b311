"""Scores in exports: as they are when the export is written, over what was frozen."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch

from annotations.models import Reading
from annotations.releasing import frozen_revisions
from curation.digests import gold_record
from curation.exporting import ExportSection, SectionRows, same_gold
from curation.models import Gold, GoldRoi
from inference.currency import headline_layer, why_score_stale
from inference.models import JobState, Prediction, Score, TargetKind

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence

    from curation.models import Snapshot, SnapshotCase

    Key = tuple[str, uuid.UUID]

OTHER_INPUT = "scores of predictions made from another version of their case"
OTHER_TARGET = "scores against a reading or a gold that is not in the snapshot"

SCORE_COLUMNS = {
    "case": "string",
    "split": "string",
    "model": "string",
    "family": "string",
    "model_revision": "string",
    "is_trained": "bool",
    "prediction": "string",
    "input_digest": "string",
    "rendering": "string",
    "choice": "string",
    "target_kind": "string",
    "target": "string",
    "target_revision": "int64",
    "image": "int64",
    "frame": "int64",
    "map": "string",
    "roi_rule": "string",
    "metric": "string",
    "metric_version": "string",
    "headline_layer": "int64",
    "value": "float64",
    "values": ["float64"],
    "unavailable": "string",
    "n_cells": "int64",
    "roi_cells": "int64",
    "null_centre": ["float64"],
    "null_moved_median": ["float64"],
    "null_moved_p95": ["float64"],
    "null_moved_n": ["int64"],
    "null_other_finding": ["float64"],
    "is_stale": "bool",
    "stale_because": "string",
}


def _score_rows(_: Snapshot, cases: Sequence[SnapshotCase]) -> SectionRows:
    """Rows of a batch; the number of queries does not depend on its size."""
    by_case = {case.case_id: case for case in cases}
    predictions = (
        Prediction.objects.filter(case__in=list(by_case), state=JobState.DONE)
        .select_related("model", "case")
        .defer("text")
        .in_bulk()
    )
    scores = list(Score.objects.filter(prediction__in=list(predictions)))
    if not scores:
        return SectionRows(rows=[], rows_in=0)
    frozen = _frozen_targets(cases)
    newest = _newest(list(by_case))
    left_out: Counter[str] = Counter()
    rows = []
    for score in scores:
        prediction = predictions[score.prediction_id]
        case = by_case[prediction.case_id]
        if prediction.input_digest != case.input_digest:
            left_out[OTHER_INPUT] += 1
        elif score.target_revision not in frozen[(score.target_kind, score.target_id)]:
            left_out[OTHER_TARGET] += 1
        else:
            because = why_score_stale(score, prediction=prediction, newest=newest)
            rows.append((case, _row(case, prediction, score, because)))
    rows.sort(key=_order)
    return SectionRows(rows=rows, rows_in=len(scores), left_out=left_out)


def _frozen_targets(cases: Sequence[SnapshotCase]) -> dict[Key, set[int]]:
    """Revisions that are in the snapshot, by (target kind, target id)."""
    targets: dict[Key, set[int]] = defaultdict(set)
    for revisions in frozen_revisions(cases, is_content_wanted=False).values():
        for revision in revisions:
            targets[(TargetKind.READING.value, revision.reading_id)].add(revision.revision)
    golds = {case.case_id: case.record["gold"] for case in cases if case.record["gold"] is not None}
    stored = Gold.objects.filter(case__in=list(golds), is_withdrawn=False).prefetch_related(
        Prefetch("rois", GoldRoi.objects.all())
    )
    for gold in stored:
        if same_gold(golds[gold.case_id], gold_record(gold)):
            targets[(TargetKind.GOLD.value, gold.case_id)].add(gold.revision)
    return targets


def _newest(case_ids: list[uuid.UUID]) -> dict[Key, int]:
    """Newest revision of each target now: what decides whether a score is stale."""
    newest: dict[Key, int] = {
        (TargetKind.READING.value, pk): revision
        for pk, revision in Reading.objects.filter(case__in=case_ids).values_list("pk", "revision")
    }
    for case_id, revision in (
        Gold.objects.filter(case__in=case_ids).order_by("revision").values_list("case_id", "revision")
    ):
        newest[(TargetKind.GOLD.value, case_id)] = revision
    return newest


def _row(case: SnapshotCase, prediction: Prediction, score: Score, because: str) -> dict[str, Any]:
    model = prediction.model
    is_layered = score.map is not None and len(score.values) > 0
    layer = min(headline_layer(model), len(score.values) - 1) if is_layered else None
    value = score.values[layer or 0] if score.values else None
    plain = ("target_kind", "target_revision", "image", "frame", "map", "roi_rule", "metric", "metric_version")
    return {
        "case": case.key,
        "split": case.record["split"],
        "model": model.name,
        "family": model.family,
        "model_revision": model.revision,
        "is_trained": model.is_trained,
        "prediction": str(prediction.pk),
        "input_digest": prediction.input_digest,
        "rendering": prediction.rendering,
        "choice": prediction.choice or None,
        # The gold of a case is named by the case's key, which another installation knows too.
        "target": case.key if score.target_kind == TargetKind.GOLD else str(score.target_id),
        **{name: getattr(score, name) for name in plain},
        "headline_layer": layer,
        "value": value,
        "values": score.values,
        "unavailable": score.unavailable or None,
        "n_cells": score.n_cells,
        "roi_cells": score.roi_cells,
        **_nulls(score),
        "is_stale": bool(because),
        "stale_because": because or None,
    }


def _nulls(score: Score) -> dict[str, list[Any]]:
    moved = [null.get("moved") or {} for null in score.nulls]
    return {
        "null_centre": [null.get("centre") for null in score.nulls],
        "null_moved_median": [one.get("median") for one in moved],
        "null_moved_p95": [one.get("p95") for one in moved],
        "null_moved_n": [one.get("n") for one in moved],
        "null_other_finding": [null.get("other_finding") for null in score.nulls],
    }


def _order(pair: tuple[SnapshotCase, dict[str, Any]]) -> tuple[Any, ...]:
    """The same rows come in the same order in every export."""
    case, row = pair
    place = (row["image"] or 0, -1 if row["frame"] is None else row["frame"])
    names = ("model", "prediction", "target_kind", "target", "target_revision")
    rest = (row["map"] or "", row["roi_rule"] or "", row["metric"], row["metric_version"])
    return (case.pk, *(row[name] for name in names), *place, *rest)


export_scores = ExportSection(
    config="scores",
    about="one metric of one model's prediction against one reading or gold, `values` by layer, beside its nulls",
    columns=SCORE_COLUMNS,
    rows=_score_rows,
    notes=("text, steps and attention maps of the models: this format has no place for them",),
)
