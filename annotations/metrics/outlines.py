"""How far apart the outlines of two drawn regions are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

Mask = NDArray[np.bool_]
Array = NDArray[np.float64]
Places = NDArray[np.intp]
"""Rows and columns, (places, 2)."""
Spacing = tuple[float, float] | None

_TILE = 16
"""Pixels: the farthest of so small a square is nearly as far as the others there."""
_SLACK = 1e-9
"""A distance this little above the tolerance still counts: three pixels of 0.1 mm are 0.30000000000000004 mm."""


def hausdorff(a: Mask, b: Mask, spacing: Spacing = None) -> float:
    """Hausdorff distance between two regions' boundary pixels, in mm (pixels without spacing), in [0, inf].

    The farthest that either outline strays from the other: 3 mm means that somewhere one reader's outline is 3 mm from
    the other's, and nowhere more. A single stray pixel decides it; `hausdorff95` forgives that.

    Parameters
    ----------
    a, b
        bool, (rows, columns), of one image.
    spacing
        (row_mm, column_mm): distance of neighbouring pixel centres. None: 1 pixel.

    Returns
    -------
    The greater of the two directed distances between the centres of boundary pixels. A boundary pixel is one of the
    region with a neighbour above, below, left or right that is not of it; beyond the image nothing is.

    Notes
    -----
    Chance level: none.
    Empty case: both empty is nan, one empty is inf: no outline is near one that is not there.

    Raises
    ------
    ValueError
        As `overlap.iou`, or if spacing is not two numbers above 0.

    References
    ----------
    Huttenlocher et al. 1993, DOI 10.1109/34.232073; Metrics Reloaded, DOI 10.1038/s41592-023-02151-z.

    Examples
    --------
    >>> left, right = np.zeros((3, 6), dtype=bool), np.zeros((3, 6), dtype=bool)
    >>> left[1, 0] = right[1, 4] = True
    >>> hausdorff(left, right), hausdorff(left, right, (0.5, 0.25))
    (4.0, 1.0)
    """
    return boundary_distances(a, b, spacing, (100,))[0]


def hausdorff95(a: Mask, b: Mask, spacing: Spacing = None) -> float:
    """95th percentile of the distance between two outlines, in mm (pixels without spacing), in [0, inf].

    As `hausdorff`, but the worst twentieth of each outline is left out: 3 mm means that 95% of both outlines lie
    within 3 mm of the other.

    Parameters
    ----------
    a, b, spacing
        As `hausdorff`.

    Returns
    -------
    The greater of the two directed 95th percentiles, linearly interpolated between boundary pixels. (Others take one
    percentile of both directions together, which lets a long outline hide a short one.)

    Notes
    -----
    Chance level: none.
    Empty case: both empty is nan, one empty is inf.

    Raises
    ------
    ValueError
        As `hausdorff`.

    References
    ----------
    Metrics Reloaded, DOI 10.1038/s41592-023-02151-z.

    Examples
    --------
    >>> square = np.zeros((30, 30), dtype=bool)
    >>> square[5:20, 5:20] = True
    >>> speck = square.copy()
    >>> speck[28, 28] = True
    >>> round(hausdorff(square, speck), 3), hausdorff95(square, speck)
    (12.728, 0.0)
    """
    return boundary_distances(a, b, spacing, (95,))[0]


def boundary_distances(a: Mask, b: Mask, spacing: Spacing, percents: Sequence[float]) -> list[float]:
    """Percentiles of the distance between two regions' boundary pixels: of both directions the greater one.

    Examples
    --------
    >>> boundary_distances(np.array([[True, False]]), np.array([[False, True]]), None, (100, 95))
    [1.0, 1.0]
    """
    check_masks(a, b)
    step = steps_of(spacing)
    first, second = (_boundary(mask) for mask in _cropped(a, b))
    if not len(first) or not len(second):
        return [float("inf") if len(first) or len(second) else float("nan")] * len(percents)
    both = ((first, second), (second, first))
    if tuple(percents) == (100,):
        return [max(_farthest(one, other, step) for one, other in both)]
    directed = [np.percentile(_nearest(one, other, step), percents) for one, other in both]
    return [float(greater) for greater in np.maximum(*directed)]


def surface_dice(a: Mask, b: Mask, spacing: Spacing, tolerance: float) -> float:
    """Share of the two outlines that lies within a tolerance of the other, in [0, 1].

    1 means that nobody would have to move an outline by more than the tolerance; 0.8 that a fifth of the outlines is
    farther off. Unlike Dice it does not reward size: set the tolerance to how far apart two experts are anyway.

    Parameters
    ----------
    a, b
        bool, (rows, columns), of one image.
    spacing
        (row_mm, column_mm), or None for pixels.
    tolerance
        In mm (pixels without spacing), not negative; a distance equal to it is within.

    Returns
    -------
    Length of outline within the tolerance over length of outline, both outlines together.

    Notes
    -----
    Chance level: none.
    Empty case: both empty is nan, one empty is 0.
    The outline is that of DeepMind's surface-distance in two dimensions: an element at each pixel corner whose four
    pixels differ, as long as the line marching squares draws there (a pixel's side, or half its diagonal, or all of it
    where opposite corners meet), and its distance is to the nearest such corner of the other. Two differences: a
    distance above the tolerance by less than a rounding error (one part in 10^9) is within, where theirs would be out;
    and one empty mask is 0 and both empty nan without the warnings or errors of their version 0.1.

    Raises
    ------
    ValueError
        As `hausdorff`, or if the tolerance is negative or not finite.

    References
    ----------
    Nikolov et al. 2021, DOI 10.2196/26151 (arXiv:1809.04430).

    Examples
    --------
    >>> square = np.zeros((10, 10), dtype=bool)
    >>> square[2:6, 2:6] = True
    >>> moved = np.roll(square, 1, axis=1)
    >>> surface_dice(square, moved, None, 1.0), round(surface_dice(square, moved, None, 0.5), 3)
    (1.0, 0.5)
    """
    check_masks(a, b)
    step = steps_of(spacing)
    check_tolerance(tolerance)
    first, second = _cropped(a, b)
    corners_a, lengths_a = _outline(first, step)
    corners_b, lengths_b = _outline(second, step)
    total = lengths_a.sum() + lengths_b.sum()
    if not lengths_a.size or not lengths_b.size:
        return 0.0 if total else float("nan")
    limit = tolerance * (1 + _SLACK)
    near_a = lengths_a[_nearest(corners_a, corners_b, step, limit) <= limit].sum()
    near_b = lengths_b[_nearest(corners_b, corners_a, step, limit) <= limit].sum()
    return float(min((near_a + near_b) / total, 1.0))


def check_masks(a: Mask, b: Mask) -> None:
    """Refuse what is no mask, and two masks of different shapes."""
    for mask in (a, b):
        if np.ndim(mask) != 2 or np.asarray(mask).dtype != np.bool_:
            what = f"{np.asarray(mask).dtype} of shape {np.shape(mask)}"
            raise ValueError(f"a mask is a bool array of two dimensions, not {what}")
    if a.shape != b.shape:
        raise ValueError(f"masks differ in shape: {a.shape} and {b.shape}")


def check_tolerance(tolerance: float) -> None:
    """Refuse a tolerance that is negative or not finite."""
    if not (tolerance >= 0 and math.isfinite(tolerance)):
        raise ValueError(f"tolerance is a finite distance and not negative, not {tolerance}")


def steps_of(spacing: Spacing) -> Array:
    """(row, column) distance of pixel centres, checked; 1 each without spacing."""
    if spacing is None:
        return np.ones(2)
    steps = np.asarray(spacing, dtype=np.float64)
    if steps.shape != (2,) or not (np.isfinite(steps) & (steps > 0)).all():
        raise ValueError(f"spacing is (row_mm, column_mm), both above 0, or None, not {spacing!r:.80}")
    return steps


def _cropped(a: Mask, b: Mask) -> tuple[Mask, Mask]:
    """Both masks where either has pixels, with one row and column of nothing all around."""
    rows = np.flatnonzero(a.any(axis=1) | b.any(axis=1))
    columns = np.flatnonzero(a.any(axis=0) | b.any(axis=0))
    if not rows.size:
        return a[:0, :0], b[:0, :0]
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    return np.pad(a[window], 1), np.pad(b[window], 1)


def _boundary(padded: Mask) -> Places:
    """(row, column) of each boundary pixel, (pixels, 2)."""
    inner = padded[1:-1, 1:-1]
    around = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return _set_places(inner & ~around)


def _set_places(mask: Mask) -> Places:
    """As `np.argwhere`, three times as fast."""
    return np.stack(np.divmod(np.flatnonzero(mask), max(mask.shape[1], 1)), axis=1)


def _outline(padded: Mask, step: Array) -> tuple[Places, Array]:
    """(row, column) of each pixel corner on the outline, and the length of outline there in units of `step`."""
    quads = (padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:])  # each corner's four pixels
    top, bottom = quads[0] ^ quads[1], quads[2] ^ quads[3]
    corners = _set_places(top | bottom | (quads[0] ^ quads[2]))
    rows, columns = corners.T
    top_left, top_right, bottom_left, bottom_right = (quad[rows, columns] for quad in quads)
    half_diagonal = 0.5 * math.hypot(step[0], step[1])
    lengths = np.full(len(corners), half_diagonal)  # one pixel unlike the other three
    is_level = (top_left == top_right) & (bottom_left == bottom_right)
    is_upright = (top_left == bottom_left) & (top_right == bottom_right)
    is_crossing = (top_left == bottom_right) & (top_right == bottom_left)
    lengths[is_level], lengths[is_upright], lengths[is_crossing] = step[1], step[0], 2 * half_diagonal
    return corners, lengths


def _nearest(points: Places, others: Places, step: Array, limit: float = math.inf) -> Array:
    """Distance of each point to the nearest of the others, from whole differences; inf where it is above a limit."""
    reach = limit + 0.01 * float(step.min())  # what rounding may add to a distance that is the limit
    _, nearest = _tree(others, step).query(points * step, distance_upper_bound=reach)
    found = np.full(len(points), math.inf)
    is_near = nearest < len(others)
    found[is_near] = _gaps(points[is_near], others[nearest[is_near]], step)
    return found


def _farthest(points: Places, others: Places, step: Array) -> float:
    """The greatest distance of a point to the nearest of the others.

    One point of each tile is looked up first. No other point of the tile is farther off than that one and the way to
    it, so that most need no look.
    """
    tree = _tree(others, step)
    tiles = points // _TILE
    names = tiles[:, 0] * (tiles[:, 1].max() + 1) + tiles[:, 1]
    _, first, tile = np.unique(names, return_index=True, return_inverse=True)
    known = _gaps(points[first], others[tree.query(points[first] * step)[1]], step)
    most = known[tile] + _gaps(points, points[first][tile], step)
    open_points = points[most > known.max() * (1 - _SLACK)]
    if not len(open_points):
        return float(known.max())
    rest = _gaps(open_points, others[tree.query(open_points * step)[1]], step)
    return float(max(known.max(), rest.max()))


def _tree(places: Places, step: Array) -> KDTree:
    return KDTree(places * step, compact_nodes=False, balanced_tree=False)


def _gaps(points: Places, others: Places, step: Array) -> Array:
    """Distance of each point to the one beside it."""
    return np.asarray(np.hypot(*((points - others) * step).T))
