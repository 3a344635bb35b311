"""Accuracy by kind of question and attention by layer, with intervals and nulls, by the house's own metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations.metrics.agreement import bootstrap_interval
from inference.adapters.demo.examples import GENERAL
from inference.adapters.demo.readings import Reading
from inference.metrics.catalogue import GRID_METRICS
from inference.metrics.grids import CellMask
from inference.metrics.grounding import relative_map
from inference.metrics.nulls import centre_null, moved_null
from inference.metrics.verdicts import SetVerdict, set_verdict

RATIO = GRID_METRICS["attention_ratio"]
SPREADS = ("kl_norm", "js", "pointing_hit", "auroc")


@dataclass(frozen=True)
class Share:
    """A mean over questions with its interval over cases."""

    mean: float
    interval: tuple[float, float]
    n: int


@dataclass(frozen=True)
class AccuracyRow:
    """How often one kind of question is answered rightly. `conflict` is None where no question of the kind is one."""

    kind: str
    chance: float
    forced: Share
    exact: Share
    conflict: Share | None


@dataclass(frozen=True)
class LayerRow:
    """Attention of one layer, over every question with a region. `ratio` holds the relative map's nulls and verdict."""

    layer: int
    ratio: SetVerdict
    moved_p95: float
    absolute: Share
    spreads: dict[str, Share]


def accuracy(readings: Sequence[Reading]) -> list[AccuracyRow]:
    """One row a kind of question, in the order in which the kinds first occur."""
    kinds = dict.fromkeys(reading.item.asked.kind for reading in readings)
    return [_accuracy_row(kind, [one for one in readings if one.item.asked.kind == kind]) for kind in kinds]


def share_of(readings: Sequence[Reading], value: Callable[[Reading], float]) -> Share:
    """Mean of a number over readings, with its interval: whole cases are drawn, their questions being alike."""
    values = [float(value(one)) for one in readings]
    groups = [one.item.case for one in readings]
    return Share(float(np.mean(values)), bootstrap_interval(values, np.mean, groups=groups), len(values))


def layers(readings: Sequence[Reading]) -> list[LayerRow]:
    """One row a layer, over the questions whose answer lies in a region; the general prompt is not one of them."""
    asked = [one for one in readings if one.item.image is not None and one.item.asked.kind != GENERAL]
    rows = [_Numbers(one) for one in asked]
    groups = [one.item.case for one in asked]
    return [_layer_row(number, rows, groups) for number in range(len(asked[0].question))]


def best_layer(rows: Sequence[LayerRow]) -> int:
    """The layer to look at, from rows of the development cases: the highest lower bound of the attention ratio."""
    return max(rows, key=lambda row: row.ratio.interval[0] if row.ratio.interval else 0.0).layer


def image_found(readings: Sequence[Reading], layer: int) -> Share:
    """How often the image that holds the target gets most of the attention; only for cases of several images."""
    asked = [one for one in readings if one.item.image is not None]
    return share_of(asked, lambda one: float(one.question[layer].sum(axis=(1, 2)).argmax() == one.item.image))


class _Numbers:
    """Everything about one question's maps, each number for all layers."""

    def __init__(self, reading: Reading) -> None:
        item, at = reading.item, reading.item.image
        assert at is not None  # asked for by the caller
        assert item.asked.cells is not None
        cells: CellMask = item.asked.cells[at]
        relative = relative_map(reading.question[:, at], reading.general[:, at])
        self.ratio = RATIO.over_layers(relative, cells)
        self.absolute = RATIO.over_layers(reading.question[:, at], cells)
        self.spreads = {name: GRID_METRICS[name].over_layers(relative, cells) for name in SPREADS}
        self.centre = centre_null(RATIO, cells)
        moved = moved_null(RATIO, relative, cells)
        self.moved, self.moved_p95 = moved.median, moved.p95
        others = [RATIO.over_layers(relative, other) for image, other in item.others if image == at]
        self.other: NDArray[np.float64] = np.mean(others, axis=0) if others else np.full(len(relative), np.nan)


def _layer_row(number: int, rows: Sequence[_Numbers], groups: Sequence[int]) -> LayerRow:
    nulls = {
        "centre": [row.centre for row in rows],
        "moved": [row.moved[number] for row in rows],
        "other_finding": [row.other[number] for row in rows],
    }
    return LayerRow(
        layer=number,
        ratio=set_verdict([row.ratio[number] for row in rows], nulls, groups=groups),
        moved_p95=float(np.mean([row.moved_p95[number] for row in rows])),
        absolute=_share([row.absolute[number] for row in rows], groups),
        spreads={name: _share([row.spreads[name][number] for row in rows], groups) for name in SPREADS},
    )


def _share(values: Sequence[float], groups: Sequence[int]) -> Share:
    return Share(float(np.nanmean(values)), bootstrap_interval(values, np.mean, groups=groups), len(values))


def _accuracy_row(kind: str, readings: Sequence[Reading]) -> AccuracyRow:
    clashing = [one for one in readings if one.item.is_conflict]
    return AccuracyRow(
        kind=kind,
        chance=float(np.mean([1 / len(one.item.asked.options) for one in readings])),
        forced=share_of(readings, lambda one: one.is_right),
        exact=share_of(readings, lambda one: one.is_exact),
        conflict=share_of(clashing, lambda one: one.is_right) if clashing else None,
    )
