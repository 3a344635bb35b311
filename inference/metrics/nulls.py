"""What a model that is not looking at the finding would score: three nulls for every grounding number.

A value above chance is not yet grounding. Beside it stand the value of a map that only prefers the middle of the image,
the values of the same region moved about the grid, and the value of another finding of the same image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.metrics.catalogue import GridMetric
from inference.metrics.grids import CellMask

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

CENTRE_SIGMA = 0.25
ALL_PLACES_UP_TO = 4096
SAMPLED_PLACES = 200
QUANTILE = 0.95


@dataclass(frozen=True)
class MovedNull:
    """Values of a region moved about the grid: median and 95th percentile at each layer, over n places."""

    median: NDArray[np.float64]  # (layers,)
    p95: NDArray[np.float64]  # (layers,)
    n: int


@dataclass(frozen=True)
class LayeredScore:
    """One metric of one region at every layer, with its nulls."""

    values: NDArray[np.float64]  # (layers,)
    centre: float
    moved: MovedNull
    other_finding: NDArray[np.float64] | None  # (layers,)


def centre_map(grid_shape: tuple[int, int]) -> NDArray[np.float64]:
    """A map that prefers the middle of the grid and knows nothing of the image.

    Cell (r, c) holds exp(-(dx^2 + dy^2) / (2 * 0.25^2)) with dx = (c + 1/2) / columns - 1/2 and
    dy = (r + 1/2) / rows - 1/2: a round bell with a standard deviation of a quarter of each side.

    Parameters
    ----------
    grid_shape
        (rows, columns).

    Returns
    -------
    float64 (rows, columns), in (0, 1].

    Raises
    ------
    ValueError
        If the grid has no cell.

    Examples
    --------
    >>> centre_map((3, 3)).round(3)
    array([[0.169, 0.411, 0.169],
           [0.411, 1.   , 0.411],
           [0.169, 0.411, 0.169]])
    """
    if min(grid_shape) < 1:
        raise ValueError(f"a grid needs rows and columns, not {grid_shape}")
    rows, columns = ((np.arange(count) + 0.5) / count - 0.5 for count in grid_shape)
    return np.asarray(np.exp(-(rows[:, None] ** 2 + columns[None, :] ** 2) / (2 * CENTRE_SIGMA**2)))


def centre_null(metric: GridMetric, cells: CellMask) -> float:
    """A metric's value for the centre map: what a bias towards the middle alone scores on this region.

    Examples
    --------
    >>> from inference.metrics.catalogue import GRID_METRICS
    >>> middle = np.zeros((3, 3), dtype=bool)
    >>> middle[1, 1] = True
    >>> round(centre_null(GRID_METRICS["attention_ratio"], middle), 2)
    2.71
    """
    return metric.function(centre_map((cells.shape[0], cells.shape[1])), cells)


def places_of(cells: CellMask, *, seed: int = 0) -> NDArray[np.intp]:
    """Where a region of this form fits on the grid: (row, column) of its bounding box, int (places, 2).

    All places, the region's own among them; on a grid with more than 4,096 of them, 200 drawn without replacement.

    Raises
    ------
    ValueError
        If the region has no cell.

    Examples
    --------
    >>> places_of(np.array([[True, True, False]])).tolist()
    [[0, 0], [0, 1]]
    """
    rows, columns = np.nonzero(cells)
    if not rows.size:
        raise ValueError(f"the region has no cell on the grid of shape {cells.shape}")
    free = (cells.shape[0] - int(np.ptp(rows)), cells.shape[1] - int(np.ptp(columns)))
    places = np.stack(np.unravel_index(np.arange(free[0] * free[1]), free), axis=1)
    if len(places) <= ALL_PLACES_UP_TO:
        return places
    chosen = np.random.default_rng(seed).choice(len(places), SAMPLED_PLACES, replace=False)
    return np.asarray(places[np.sort(chosen)])


def moved_null(
    metric: GridMetric,
    relative: NDArray[np.floating[Any]],
    cells: CellMask,
    *,
    seed: int = 0,
) -> MovedNull:
    """Values of the same region at the other places of the grid: what its size and form score by themselves.

    Parameters
    ----------
    metric
        A metric of the catalogue.
    relative
        Relative attention, float (layers, rows, columns).
    cells
        The region's cells, bool (rows, columns).
    seed
        Of the draw, where the grid has too many places to try them all.

    Returns
    -------
    Median and 95th percentile at each layer and the number of places. The percentile is taken towards the better
    side: of a metric whose low values are good it is the value that 95 % of the places do not get below.

    Raises
    ------
    ValueError
        As the metric.

    Examples
    --------
    >>> from inference.metrics.catalogue import GRID_METRICS
    >>> relative = np.array([[[0.0, 1.0, 2.0]]])
    >>> null = moved_null(GRID_METRICS["attention_ratio"], relative, np.array([[False, False, True]]))
    >>> null.n, null.median.round(6).tolist()
    (3, [1.0])
    """
    places = places_of(cells, seed=seed)
    values = metric.over_places(relative, cells, places)  # (layers, places)
    towards_better = QUANTILE if metric.higher_is_better else 1 - QUANTILE
    # -inf (no attention at all at a place) is a value like any other: "nearest" picks one instead of interpolating nan.
    # A layer that cannot be used is nan throughout, under either method, and changes nothing for the others.
    if not np.isinf(values).any():
        median, tail = np.quantile(values, [0.5, towards_better], axis=1)
    else:
        median, tail = np.quantile(values, [0.5, towards_better], axis=1, method="nearest")
    return MovedNull(median=median, p95=tail, n=len(places))


def other_finding_null(
    metric: GridMetric,
    relative: NDArray[np.floating[Any]],
    cells: CellMask,
    others: Sequence[CellMask],
) -> NDArray[np.float64] | None:
    """The value that another finding of the same image gets from the map of the question about this one.

    A model that marks whatever is abnormal scores as high there as on the finding that was asked for. Of several other
    findings the best value at each layer counts; one with the same cells as this one, or without cells, is no other.

    Returns
    -------
    float64 (layers,), or None where the image has no other finding.

    Raises
    ------
    ValueError
        As the metric.

    Examples
    --------
    >>> from inference.metrics.catalogue import GRID_METRICS
    >>> relative = np.array([[[3.0, 1.0]]])
    >>> this, that = np.array([[True, False]]), np.array([[False, True]])
    >>> other_finding_null(GRID_METRICS["ebpg"], relative, this, [that]).tolist()
    [0.25]
    """
    values = [
        metric.over_layers(relative, other) for other in others if other.any() and not np.array_equal(other, cells)
    ]
    if not values:
        return None
    return np.asarray((np.max if metric.higher_is_better else np.min)(values, axis=0))


def score_with_nulls(
    metric: GridMetric,
    relative: NDArray[np.floating[Any]],
    cells: CellMask,
    *,
    others: Sequence[CellMask] = (),
    seed: int = 0,
) -> LayeredScore:
    """A metric at every layer beside its three nulls: all that one stored score holds.

    Parameters
    ----------
    metric
        A metric of the catalogue.
    relative
        Relative attention, float (layers, rows, columns).
    cells
        The region's cells, bool (rows, columns).
    others
        The cells of the image's other findings.
    seed
        Of the moved null.

    Raises
    ------
    ValueError
        As the metric.

    Examples
    --------
    >>> from inference.metrics.catalogue import GRID_METRICS
    >>> score = score_with_nulls(GRID_METRICS["ebpg"], np.array([[[3.0, 1.0]]]), np.array([[True, False]]))
    >>> score.values.tolist(), score.moved.n, score.other_finding
    ([0.75], 2, None)
    """
    return LayeredScore(
        values=metric.over_layers(relative, cells),
        centre=centre_null(metric, cells),
        moved=moved_null(metric, relative, cells, seed=seed),
        other_finding=other_finding_null(metric, relative, cells, others),
    )
