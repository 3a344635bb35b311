"""Every grid metric over many layers and many places of one region at once.

For a region of n cells each metric of `grounding` is a closing step over `base + sum over the region of term`, where
`base` and `term` depend on the map and on n but not on where the region lies. A region moved to every place of the
grid thus costs a few additions a cell, not a whole evaluation a place. The tests hold this equal to `grounding`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.metrics.grids import CellMask
from inference.metrics.grounding import (
    JS_EPSILON,
    KL_FLOOR,
    RATIO_EPSILON,
    SUM_EPSILON,
    checked,
    midranks,
)

Layers = NDArray[np.float64]
Terms = tuple[NDArray[np.float64], NDArray[np.float64]]
"""base (layers,) and term (layers, cells)."""


def attention_ratio_terms(layers: Layers, n: int) -> Terms:
    """Terms of the attention ratio; the sum is the ratio itself."""
    return _no_base(layers), layers / (n / layers.shape[1] * _sums(layers) + RATIO_EPSILON)


def energy_terms(layers: Layers, _n: int) -> Terms:
    """Terms of the share of attention inside; the sum is the share itself."""
    return _no_base(layers), layers / _sums(layers)


def kl_terms(layers: Layers, n: int) -> Terms:
    """Terms of the KL divergence: what a cell adds inside the region less what it adds outside."""
    p = np.clip(layers / (_sums(layers) + SUM_EPSILON), KL_FLOOR, 1.0)
    outside = KL_FLOOR * np.log(KL_FLOOR / p)
    g = np.clip(1 / n, KL_FLOOR, 1.0)
    return outside.sum(axis=1), g * np.log(g / p) - outside


def js_terms(layers: Layers, n: int) -> Terms:
    """Terms of the JS divergence: what a cell adds inside the region less what it adds outside."""
    p = layers / (_sums(layers) + SUM_EPSILON)
    outside = p * np.log((p + JS_EPSILON) / (p / 2 + JS_EPSILON)) / 2
    m = (p + 1 / n) / 2
    inside = (p * np.log((p + JS_EPSILON) / (m + JS_EPSILON)) + np.log((1 / n + JS_EPSILON) / (m + JS_EPSILON)) / n) / 2
    return outside.sum(axis=1), inside - outside


def pointing_terms(layers: Layers, _n: int) -> Terms:
    """Terms of the pointing hit: a maximal cell's share of the hit."""
    is_peak = layers == layers.max(axis=1, keepdims=True)
    return _no_base(layers), is_peak / is_peak.sum(axis=1, keepdims=True)


def auroc_terms(layers: Layers, n: int) -> Terms:
    """Terms of the AUROC in its Mann-Whitney form: ranks over the number of pairs."""
    outside = layers.shape[1] - n
    if outside == 0:
        return np.full(len(layers), np.nan), np.zeros_like(layers)
    ranks = np.stack([midranks(layer) for layer in layers])
    return np.full(len(layers), -(n + 1) / 2 / outside), ranks / (n * outside)


def over_layers(
    relative: NDArray[np.floating[Any]],
    cells: CellMask,
    terms: Callable[[Layers, int], Terms],
    close: Callable[[NDArray[np.float64], int, int], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """One metric of one region at every layer, float64 (layers,); nan at a layer whose map cannot be used.

    Parameters
    ----------
    relative
        float (layers, rows, columns).
    cells
        The region's cells, bool (rows, columns).
    terms, close
        The metric's terms, and its closing step, which takes (sums, n, N).

    Raises
    ------
    ValueError
        As `grounding.attention_ratio`, if no layer can be used.
    """
    layers, is_usable = usable_layers(relative, cells)
    n = int(cells.sum())
    base, term = terms(layers, n)
    return _in_place(close(base + term[:, cells.ravel()].sum(axis=1), n, cells.size), is_usable)


def over_places(
    relative: NDArray[np.floating[Any]],
    cells: CellMask,
    places: NDArray[np.intp],
    terms: Callable[[Layers, int], Terms],
    close: Callable[[NDArray[np.float64], int, int], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """One metric of one region moved to several places, at every layer, float64 (layers, places); as `over_layers`.

    `places` holds the (row, column) of the region's bounding box for each place, (places, 2).
    """
    layers, is_usable = usable_layers(relative, cells)
    n = int(cells.sum())
    base, term = terms(layers, n)
    rows, columns = np.nonzero(cells)
    rows, columns = rows - rows.min(), columns - columns.min()
    starts = places[:, 0] * cells.shape[1] + places[:, 1]
    sums = np.repeat(base[:, None], len(places), axis=1)
    for offset in rows * cells.shape[1] + columns:  # one addition a cell of the region, all places and layers at once
        sums += np.take(term, starts + offset, axis=1)
    return _in_place(close(sums, n, cells.size), is_usable)


def usable_layers(relative: NDArray[np.floating[Any]], cells: CellMask) -> tuple[Layers, NDArray[np.bool_]]:
    """The usable layers of a map as float64 (usable layers, cells), and which they are, bool (layers,).

    Raises
    ------
    ValueError
        If no layer can be used, naming the first and what is wrong with it; other layers do not suffer from a bad one.
    """
    if relative.ndim != 3 or not len(relative):
        raise ValueError(f"a map of layers must be (layers, rows, columns), not of shape {relative.shape}")
    flat: list[NDArray[np.float64]] = []
    faults: dict[int, ValueError] = {}
    for number, layer in enumerate(relative):
        try:
            flat.append(checked(layer, cells)[0].ravel())
        except ValueError as error:
            faults[number] = error
    if not flat:
        raise ValueError(f"no layer can be used; layer 0: {faults[0]}") from faults[0]
    return np.stack(flat), np.array([number not in faults for number in range(len(relative))])


def _in_place(values: NDArray[np.float64], is_usable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Values of the usable layers where they belong among all layers, nan elsewhere."""
    if is_usable.all():
        return values
    spread = np.full((len(is_usable), *values.shape[1:]), np.nan)
    spread[is_usable] = values
    return spread


def _no_base(layers: Layers) -> NDArray[np.float64]:
    return np.zeros(len(layers))


def _sums(layers: Layers) -> NDArray[np.float64]:
    return np.asarray(layers.sum(axis=1, keepdims=True), dtype=np.float64)
