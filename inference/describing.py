"""What goes out about models, predictions and scores, named field by field (INTERFACE.md section 3)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from inference.computing import UNDEFINED, frame_maps
from inference.currency import headline_layer, why_prediction_stale, why_score_stale

if TYPE_CHECKING:
    from inference.models import AttentionMap, Enrolment, MapKind, ModelVersion, Prediction, Score, ScoringRun, Verdict

NO_NULLS: dict[str, Any] = {"centre": None, "moved": None, "other_finding": None}


def describe_model(model: ModelVersion) -> dict[str, Any]:
    """A model's card. Where its weights lie on this machine is nobody's business."""
    return {
        "id": str(model.pk),
        "name": model.name,
        "family": model.family,
        "revision": model.revision,
        "is_trained": model.is_trained,
        "note": model.note,
        "layers": model.layer_count,
        "headline_layer": headline_layer(model),
        "weights_digest": model.weights_digest,
        "created_at": model.created_at,
    }


def describe_enrolment(enrolment: Enrolment) -> dict[str, Any]:
    """That a model reads a benchmark."""
    return {
        "id": str(enrolment.pk),
        "benchmark": enrolment.benchmark.slug,
        "model": describe_model(enrolment.model),
        "is_live": enrolment.is_live,
        "metrics": enrolment.metrics,
        "created_at": enrolment.created_at,
    }


def describe_run(run: ScoringRun, *, with_error: bool) -> dict[str, Any]:
    """A scoring run and how far it is."""
    return {
        "id": str(run.pk),
        "kind": run.kind,
        "benchmark": run.benchmark.slug,
        "model": run.model.name if run.model else None,
        "case": str(run.case_id) if run.case_id else None,
        "state": run.state,
        "is_stale_only": run.is_stale_only,
        "attempts": run.attempts,
        "error": run.error if with_error else "",
        "cases_total": run.cases_total,
        "cases_done": run.cases_done,
        "scores_written": run.scores_written,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }


def describe_prediction(prediction: Prediction) -> dict[str, Any]:
    """What a model said of a case, and of which frames there are maps; reads `model`, `case`, `steps` and `maps`."""
    because = why_prediction_stale(prediction)
    return {
        "id": str(prediction.pk),
        "case": str(prediction.case_id),
        "model": describe_model(prediction.model),
        "state": prediction.state,
        "error": prediction.error,
        "text": prediction.text,
        "choice": prediction.choice or None,
        "option_probabilities": prediction.option_probabilities,
        "steps": [{"id": str(step.pk), "number": step.number, "text": step.text} for step in prediction.steps.all()],
        "image_share": prediction.image_share,
        "shown_frames": prediction.shown_frames,
        "maps": [
            {"image": one.image, "frame": one.frame, "layers": one.layers, "rows": one.rows, "columns": one.columns}
            for one in prediction.maps.all()
        ],
        "latency_ms": prediction.latency_ms,
        "is_stale": bool(because),
        "stale_because": because or None,
        "created_at": prediction.created_at,
        "finished_at": prediction.finished_at,
    }


def describe_heatmap(stored: AttentionMap, *, kind: MapKind, layer: int) -> dict[str, Any]:
    """One layer of one map: a value a cell, row after row, and how the image's pixels came down to the cells."""
    values = frame_maps(stored).maps[kind][layer]
    return {
        "image": stored.image,
        "frame": stored.frame,
        "rows": stored.rows,
        "columns": stored.columns,
        "values": np.asarray(values, dtype=np.float64).ravel().tolist(),
        "layer": layer,
        "layers": stored.layers,
        "map": kind.value,
        "transform": stored.transform,
    }


def describe_scores(
    score: Score,
    *,
    prediction: Prediction,
    newest: Mapping[tuple[str, uuid.UUID], int],
    layers: Iterable[int] | None = None,
) -> list[dict[str, Any]]:
    """A score row as INTERFACE.md has it: one object a layer, or one without a layer where the row has none.

    Parameters
    ----------
    newest
        Newest revision by (target kind, target id).
    layers
        Only these layers; None gives all.
    """
    because = why_score_stale(score, prediction=prediction, newest=newest)
    shared = {
        "prediction": str(prediction.pk),
        "model": prediction.model.name,
        "revision": prediction.model.revision,
        "target": {"kind": score.target_kind, "id": str(score.target_id), "revision": score.target_revision},
        "image": score.image,
        "frame": score.frame,
        "map": score.map,
        "roi_rule": score.roi_rule,
        "metric": score.metric,
        "metric_version": score.metric_version,
        "n_cells": score.n_cells,
        "roi_cells": score.roi_cells,
        # Of one case there is one number; an interval needs several.
        "interval": None,
        "is_stale": bool(because),
        "stale_because": because or None,
        # Something newer was measured in its place, or there is nothing to measure any more.
        "is_replaced": score.superseded_at is not None,
    }
    if not score.values or score.map is None:
        value = score.values[0] if score.values else None
        return [{**shared, "layer": None, "value": value, "unavailable": score.unavailable or None, "nulls": NO_NULLS}]
    wanted = range(len(score.values)) if layers is None else [one for one in layers if one < len(score.values)]
    return [
        {
            **shared,
            "layer": layer,
            "value": score.values[layer],
            "unavailable": UNDEFINED if score.values[layer] is None else None,
            "nulls": score.nulls[layer],
        }
        for layer in wanted
    ]


def describe_verdict(verdict: Verdict) -> dict[str, Any]:
    """A verdict with the numbers it rests on; `with_staleness` must have looked at it."""
    because: str = verdict.stale_because  # type: ignore[attr-defined]  # annotated by with_staleness
    return {
        "prediction": str(verdict.prediction_id),
        "target": {"kind": verdict.target_kind, "id": str(verdict.target_id)},
        "quadrant": verdict.quadrant,
        "is_right": verdict.is_right,
        "is_grounded": verdict.is_grounded,
        "why_unknown": verdict.why_unknown or None,
        "layer": verdict.layer,
        "value": verdict.value,
        "rows": verdict.row_count,
        "rows_unavailable": verdict.rows_unavailable,
        "nulls": {
            "centre": verdict.centre,
            "moved": {"median": verdict.moved_median, "p95": verdict.moved_p95},
            "other_finding": verdict.other_finding,
        },
        "is_stale": bool(because),
        "stale_because": because or None,
    }
