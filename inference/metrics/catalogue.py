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

    def over_layers(
        self, relative: NDArray[np.floating[Any]], cells: CellMask
    ) -> Array:
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


def _same(sums: Array, n: int, size: int) -> Array:
    return sums


def _log2(sums: Array, n: int, size: int) -> Array:
    with np.errstate(
        divide="ignore"
    ):  # no attention at all inside is -inf by definition
        return np.asarray(np.log2(np.maximum(sums, 0.0)), dtype=np.float64)


def _normalised(sums: Array, n: int, size: int) -> Array:
    if n == size:
        return np.full_like(sums, np.nan)
    return np.asarray(1.0 - sums / np.log(size / n), dtype=np.float64)


def _one_minus(sums: Array, n: int, size: int) -> Array:
    return np.asarray(1.0 - sums, dtype=np.float64)


_GROUNDING, _DISAGREEMENT = grounding.METRIC_VERSION, disagreement.METRIC_VERSION

GRID_METRICS: dict[str, GridMetric] = {
    metric.name: metric
    for metric in (
        GridMetric(
            "attention_ratio",
            "Attention ratio",
            "1",
            True,
            _GROUNDING,
            grounding.attention_ratio,
            layered.attention_ratio_terms,
            _same,
        ),
        GridMetric(
            "log2_attention_ratio",
            "Attention ratio (log2)",
            "0",
            True,
            _GROUNDING,
            grounding.log2_attention_ratio,
            layered.attention_ratio_terms,
            _log2,
        ),
        GridMetric(
            "kl",
            "KL divergence",
            "ln(N/|G|)",
            False,
            _GROUNDING,
            grounding.kl_divergence,
            layered.kl_terms,
            _same,
        ),
        GridMetric(
            "js",
            "JS divergence",
            "ln 2 + (f ln f - (1 + f) ln(1 + f)) / 2, f = |G|/N",
            False,
            _GROUNDING,
            grounding.js_divergence,
            layered.js_terms,
            _same,
        ),
        GridMetric(
            "kl_norm",
            "Normalised KL",
            "0",
            True,
            _GROUNDING,
            grounding.normalized_kl,
            layered.kl_terms,
            _normalised,
        ),
        GridMetric(
            "ebpg",
            "Energy inside the region",
            "|G|/N",
            True,
            _GROUNDING,
            grounding.energy_pointing_game,
            layered.energy_terms,
            _same,
        ),
        GridMetric(
            "pointing_hit",
            "Pointing hit",
            "|G|/N",
            True,
            _GROUNDING,
            grounding.pointing_hit,
            layered.pointing_terms,
            _same,
        ),
        GridMetric(
            "auroc",
            "AUROC over cells",
            "0.5",
            True,
            _GROUNDING,
            grounding.grid_auroc,
            layered.auroc_terms,
            _same,
        ),
        GridMetric(
            "region_disagreement",
            "Disagreement on the region",
            "0.5",
            False,
            _DISAGREEMENT,
            disagreement.region_disagreement,
            layered.auroc_terms,
            _one_minus,
        ),
    )
}

ANSWER_METRICS: dict[str, AnswerMetric] = {
    metric.name: metric
    for metric in (
        AnswerMetric(
            "answer_disagreement",
            "Disagreement on the answer",
            "1 - 1/options",
            False,
            _DISAGREEMENT,
            disagreement.answer_disagreement,
        ),
    )
}

METRICS: dict[str, Metric] = {**GRID_METRICS, **ANSWER_METRICS}
