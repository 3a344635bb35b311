"""The metrics that scoring iterates over, with what a page says about each.

A grid metric takes one relative map and one region; an answer metric takes the expert's option and the model's answer.
To add a metric: write it in its module with a docstring of the house's form, add its row here, and its golden value in
the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.metrics import disagreement, grounding, layered
from inference.metrics.grids import CellMask

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """What every metric has: a name that is stored, a title and a chance level that are shown, and a version."""

    name: str
    title: str
    chance: str
    higher_is_better: bool
    version: str


@dataclass(frozen=True)
class GridMetric(Metric):
    """A metric of one relative map against the cells of one region."""

    function: Callable[[grounding.Grid, CellMask], float]
    terms: Callable[[Array, int], layered.Terms]
    close: Callable[[Array, int, int], Array]

    def over_layers(self, relative: NDArray[np.floating[Any]], cells: CellMask) -> Array:
        """`function` at every layer of float (layers, rows, columns): float64 (layers,)."""
        return layered.over_layers(relative, cells, self.terms, self.close)

    def over_places(
        self,
        relative: NDArray[np.floating[Any]],
        cells: CellMask,
        places: NDArray[np.intp],
    ) -> Array:
        """`function` with the region moved to each place, at every layer: float64 (layers, places)."""
        return layered.over_places(relative, cells, places, self.terms, self.close)


@dataclass(frozen=True)
class AnswerMetric(Metric):
    """A metric of the expert's option against the model's answer."""

    function: Callable[..., float]


def _same(sums: Array, _n: int, _size: int) -> Array:
    return sums


def _log2(sums: Array, _n: int, _size: int) -> Array:
    with np.errstate(divide="ignore"):  # no attention at all inside is -inf by definition
        return np.asarray(np.log2(np.maximum(sums, 0.0)), dtype=np.float64)


def _normalised(sums: Array, n: int, size: int) -> Array:
    if n == size:
        return np.full_like(sums, np.nan)
    return np.asarray(1.0 - sums / np.log(size / n), dtype=np.float64)


def _one_minus(sums: Array, _n: int, _size: int) -> Array:
    return np.asarray(1.0 - sums, dtype=np.float64)


GRID_METRICS: dict[str, GridMetric] = {
    metric.name: metric
    for metric in (
        GridMetric(
            name="attention_ratio",
            title="Attention ratio",
            chance="1",
            higher_is_better=True,
            version=grounding.METRIC_VERSION,
            function=grounding.attention_ratio,
            terms=layered.attention_ratio_terms,
            close=_same,
        ),
        GridMetric(
            name="log2_attention_ratio",
            title="Attention ratio (log2)",
            chance="0",
            higher_is_better=True,
            version=grounding.METRIC_VERSION,
            function=grounding.log2_attention_ratio,
            terms=layered.attention_ratio_terms,
            close=_log2,
        ),
        GridMetric(
            name="kl",
            title="KL divergence",
            chance="ln(N/|G|)",
            higher_is_better=False,
            version=grounding.METRIC_VERSION,
            function=grounding.kl_divergence,
            terms=layered.kl_terms,
            close=_same,
        ),
        GridMetric(
            name="js",
            title="JS divergence",
            chance="ln 2 + (f ln f - (1 + f) ln(1 + f)) / 2, f = |G|/N",
            higher_is_better=False,
            version=grounding.METRIC_VERSION,
            function=grounding.js_divergence,
            terms=layered.js_terms,
            close=_same,
        ),
        GridMetric(
            name="kl_norm",
            title="Normalised KL",
            chance="0",
            higher_is_better=True,
            version=grounding.METRIC_VERSION,
            function=grounding.normalized_kl,
            terms=layered.kl_terms,
            close=_normalised,
        ),
        GridMetric(
            name="ebpg",
            title="Energy inside the region",
            chance="|G|/N",
            higher_is_better=True,
            version=grounding.METRIC_VERSION,
            function=grounding.energy_pointing_game,
            terms=layered.energy_terms,
            close=_same,
        ),
        GridMetric(
            name="pointing_hit",
            title="Pointing hit",
            chance="|G|/N",
            higher_is_better=True,
            version=grounding.METRIC_VERSION,
            function=grounding.pointing_hit,
            terms=layered.pointing_terms,
            close=_same,
        ),
        GridMetric(
            name="auroc",
            title="AUROC over cells",
            chance="0.5",
            higher_is_better=True,
            version=grounding.METRIC_VERSION,
            function=grounding.grid_auroc,
            terms=layered.auroc_terms,
            close=_same,
        ),
        GridMetric(
            name="region_disagreement",
            title="Disagreement on the region",
            chance="0.5",
            higher_is_better=False,
            version=disagreement.METRIC_VERSION,
            function=disagreement.region_disagreement,
            terms=layered.auroc_terms,
            close=_one_minus,
        ),
    )
}

ANSWER_METRICS: dict[str, AnswerMetric] = {
    "answer_disagreement": AnswerMetric(
        name="answer_disagreement",
        title="Disagreement on the answer",
        chance="1 - 1/options",
        higher_is_better=False,
        version=disagreement.METRIC_VERSION,
        function=disagreement.answer_disagreement,
    ),
}

METRICS: dict[str, Metric] = {**GRID_METRICS, **ANSWER_METRICS}
