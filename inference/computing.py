"""Score rows of one prediction against one target: numbers from stored arrays, no model and no torch.

Every (image, frame) on which the target drew has one row for each map, ROI rule and metric, with a value for each
layer; where the model was not shown that frame, or no cell of its grid lies in the region, the row says why it has
none. A target without a region has no grid row, one without an option no answer row.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from curation.geometry import bounding_box, rasterize
from inference.metrics.catalogue import ANSWER_METRICS, GRID_METRICS, METRICS
from inference.metrics.grids import CellMask, GridTransform, mask_cells, union_of_boxes
from inference.metrics.grounding import relative_map
from inference.metrics.nulls import LayeredScore, score_with_nulls
from inference.models import AttentionMap, MapKind, Prediction, RoiRule, Score

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from inference.targets import Place, Region, Target

Layers = NDArray[np.float32]

FRAME_NOT_SHOWN = "frame_not_shown"
NO_CELL = "no_cell"
UNUSABLE_MAP = "unusable_map"
UNDEFINED = "undefined"
NO_ANSWER = "no_answer"
OPTION_UNKNOWN = "option_unknown"


@dataclass(frozen=True)
class FrameMaps:
    """Where a model looked on one frame: both maps, (layers, rows, columns), and how pixels came down to cells."""

    maps: dict[MapKind, Layers]
    transform: GridTransform


def frame_maps(row: AttentionMap) -> FrameMaps:
    """The arrays of a stored map."""
    question = attention_array(row, row.question)
    relative = relative_layers(question, attention_array(row, row.general))
    return FrameMaps({MapKind.RELATIVE: relative, MapKind.ABSOLUTE: question}, GridTransform.from_dict(row.transform))


def relative_layers(question: Layers, general: Layers) -> Layers:
    """The relative map of each layer; nan throughout where a layer holds numbers that are none."""
    relative = np.full_like(question, np.nan)
    for layer in range(len(question)):
        with suppress(ValueError):
            relative[layer] = relative_map(question[layer], general[layer])
    return relative


def attention_array(row: AttentionMap, stored: bytes | memoryview) -> Layers:
    """Stored little-endian float32 as float32 (layers, rows, columns)."""
    return np.frombuffer(stored, dtype="<f4").reshape(row.layers, row.rows, row.columns)


def region_cells(regions: Iterable[Region], transform: GridTransform, rule: RoiRule) -> CellMask:
    """Cells of the union of some regions, by their bounding boxes or by their own pixels."""
    if rule == RoiRule.BOX:
        return union_of_boxes([bounding_box(region.shape, region.geometry) for region in regions], transform)
    size = (int(transform.image_size[0]), int(transform.image_size[1]))
    pixels = np.zeros(size, dtype=np.bool_)
    for region in regions:
        pixels |= rasterize(region.shape, region.geometry, size)
    return mask_cells(pixels, transform)


def score_rows(
    prediction: Prediction,
    maps: dict[Place, FrameMaps],
    target: Target,
    *,
    others: dict[Place, list[list[Region]]],
    metrics: AbstractSet[str],
) -> list[Score]:
    """Every row of one prediction against one target, unsaved, in an order that never changes.

    Parameters
    ----------
    prediction
        A finished one.
    maps
        Its attention by (image, frame): the frames it was shown.
    target
        A reading's or the gold's newest revision.
    others
        Other findings of the same images (`targets.other_findings`).
    metrics
        Names of the catalogue to compute.
    """
    rows: list[Score] = []
    for place, regions in target.by_place().items():
        shown = maps.get(place)
        if shown is None:
            rows += _not_shown(prediction, target, place, metrics)
        else:
            rows += _place_rows(prediction, shown, target, place, regions, others.get(place, []), metrics)
    return rows + _answer_rows(prediction, target, metrics)


def _row(prediction: Prediction, target: Target, metric: str, **fields: Any) -> Score:
    return Score(
        prediction=prediction,
        target_kind=target.kind,
        target_id=target.id,
        target_revision=target.revision,
        metric=metric,
        metric_version=METRICS[metric].version,
        **fields,
    )


def _not_shown(prediction: Prediction, target: Target, place: Place, metrics: AbstractSet[str]) -> list[Score]:
    image, frame = place
    key = {"image": image, "frame": frame, "unavailable": FRAME_NOT_SHOWN}
    return [
        _row(prediction, target, name, map=kind, roi_rule=rule, **key)
        for kind in MapKind
        for rule in RoiRule
        for name in GRID_METRICS
        if name in metrics
    ]


def _place_rows(
    prediction: Prediction,
    shown: FrameMaps,
    target: Target,
    place: Place,
    regions: Sequence[Region],
    others: Sequence[Sequence[Region]],
    metrics: AbstractSet[str],
) -> list[Score]:
    rows: list[Score] = []
    cells = {rule: region_cells(regions, shown.transform, rule) for rule in RoiRule}
    other_cells = {rule: [region_cells(one, shown.transform, rule) for one in others] for rule in RoiRule}
    # A box drawn as a box has the same cells under both rules; its numbers are computed once.
    is_same = np.array_equal(cells[RoiRule.BOX], cells[RoiRule.MASK]) and all(
        map(np.array_equal, other_cells[RoiRule.BOX], other_cells[RoiRule.MASK])
    )
    for kind in MapKind:
        computed: dict[str, LayeredScore | str] = {}
        for rule in RoiRule:
            if not is_same or not computed:
                computed = {
                    name: _computed(name, shown.maps[kind], cells[rule], other_cells[rule])
                    for name in GRID_METRICS
                    if name in metrics
                }
            size = {"n_cells": shown.transform.cells, "roi_cells": int(cells[rule].sum())}
            place_of = {"image": place[0], "frame": place[1], "map": kind, "roi_rule": rule, **size}
            rows += [_row(prediction, target, name, **place_of, **_numbers(one)) for name, one in computed.items()]
    return rows


def _computed(name: str, layers: Layers, cells: CellMask, others: Sequence[CellMask]) -> LayeredScore | str:
    if not cells.any():
        return NO_CELL
    try:
        return score_with_nulls(GRID_METRICS[name], layers, cells, others=others)
    except ValueError:
        # No layer with attention and numbers that are such: the map is at fault, not the reading.
        return UNUSABLE_MAP


def _numbers(score: LayeredScore | str) -> dict[str, Any]:
    if isinstance(score, str):
        return {"unavailable": score}
    values = [_finite(value) for value in score.values]
    return {
        "values": values,
        "unavailable": UNDEFINED if all(value is None for value in values) else "",
        "nulls": [
            {
                "centre": _finite(score.centre),
                "moved": {
                    "median": _finite(score.moved.median[layer]),
                    "p95": _finite(score.moved.p95[layer]),
                    "n": score.moved.n,
                },
                "other_finding": None if score.other_finding is None else _finite(score.other_finding[layer]),
            }
            for layer in range(len(values))
        ],
    }


def _finite(value: float) -> float | None:
    """JSON knows no nan and no infinity: a value that is not defined is null."""
    return float(value) if math.isfinite(value) else None


def _answer_rows(prediction: Prediction, target: Target, metrics: AbstractSet[str]) -> list[Score]:
    if target.choice is None:
        return []
    rows = []
    for name, metric in ANSWER_METRICS.items():
        if name not in metrics:
            continue
        try:
            value = _finite(
                metric.function(
                    target.choice,
                    probabilities=prediction.option_probabilities,
                    choice=prediction.choice or None,
                )
            )
            why = NO_ANSWER if value is None else ""
        except ValueError:
            value, why = None, OPTION_UNKNOWN
        rows.append(_row(prediction, target, name, values=[] if value is None else [value], unavailable=why))
    return rows
