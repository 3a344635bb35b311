"""Polygons by the even-odd rule: which pixel centres are inside, and how large the inside is."""

import numpy as np
from numpy.typing import NDArray

_PAIRS_AT_ONCE = 4_000_000  # (edge, row) pairs held at a time: about 200 MB at most, whatever the polygon


def fill_polygon(points: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
    """Pixels of an image whose centre is inside a polygon, by a scanline over its edges.

    An edge is walked from its upper end (xa, ya) to its lower end (xb, yb). It is crossed by the centre (x, y) iff
    ya <= y < yb and (x - xa)(yb - ya) >= (y - ya)(xb - xa); the centre is inside iff it crosses an odd number of edges.
    Products rather than a quotient: they are exact for coordinates in binary fractions of a pixel, so a centre that
    lies on a slope is on it in every language.

    Parameters
    ----------
    points : float array, (points, 2)
        x and y of each corner; the last is joined to the first.
    height, width : int
        Of the image in pixels.

    Returns
    -------
    bool array, (rows, columns)
    """
    upper, lower = _edges(points)
    first = _first_centres(upper[:, 1], height)
    spans = _first_centres(lower[:, 1], height) - first
    mask = np.zeros((height, width), dtype=np.bool_)
    used = spans > 0
    if not used.any():
        return mask
    upper, lower, first, spans = upper[used], lower[used], first[used], spans[used]
    top, bottom = int(first.min()), int((first + spans).max())
    flips = np.zeros((bottom - top, width + 1), dtype=np.uint8)
    ends = np.cumsum(spans)
    start = 0
    while start < spans.size:
        stop = max(int(np.searchsorted(ends, (ends[start - 1] if start else 0) + _PAIRS_AT_ONCE)), start + 1)
        _flip(flips, upper[start:stop], lower[start:stop], first[start:stop], spans[start:stop], top)
        start = stop
    mask[top:bottom] = np.bitwise_xor.accumulate(flips, axis=1)[:, :width].view(np.bool_)
    return mask


def even_odd_area(points: NDArray[np.float64]) -> float:
    """Area inside a polygon by the even-odd rule, in square pixels; exact also where it crosses itself.

    The plane is cut into slabs at every corner's height and, inside a slab, wherever two edges cross; within such a
    slab the inside is a row of trapezoids.
    """
    upper, lower = _edges(points)
    heights = np.unique(points[:, 1])
    total = 0.0
    order = np.argsort(upper[:, 1], kind="stable")
    upper, lower = upper[order], lower[order]
    slope = (lower[:, 0] - upper[:, 0]) / (lower[:, 1] - upper[:, 1])
    begun = np.searchsorted(upper[:, 1], heights, side="right")
    active = np.zeros(0, dtype=np.int64)
    known = 0
    for top, bottom, until in zip(heights[:-1], heights[1:], begun[:-1], strict=True):
        active = np.concatenate((active[lower[active, 1] > top], np.arange(known, until)))
        active = active[lower[active, 1] > top]
        known = int(until)
        x_top = upper[active, 0] + (top - upper[active, 1]) * slope[active]
        x_bottom = upper[active, 0] + (bottom - upper[active, 1]) * slope[active]
        total += _slab_area(x_top, x_bottom, float(bottom - top))
    return total


def _slab_area(x_top: NDArray[np.float64], x_bottom: NDArray[np.float64], height: float) -> float:
    cuts = np.array([0.0, 1.0])
    order = np.lexsort((x_bottom, x_top))
    if (np.diff(x_bottom[order]) < 0).any():
        gap_top = x_top[:, np.newaxis] - x_top[np.newaxis, :]
        gap_bottom = x_bottom[:, np.newaxis] - x_bottom[np.newaxis, :]
        crossing = (gap_top < 0) & (gap_bottom > 0)
        cuts = np.unique(np.concatenate((cuts, gap_top[crossing] / (gap_top[crossing] - gap_bottom[crossing]))))
    middles = (cuts[1:] + cuts[:-1]) / 2
    across = np.sort(x_top + middles[:, np.newaxis] * (x_bottom - x_top), axis=1)  # (slabs, edges)
    inside = (across[:, 1::2] - across[:, 0::2]).sum(axis=1)
    return float((inside * np.diff(cuts)).sum() * height)


def _edges(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Upper and lower end of each edge that is not horizontal, (edges, 2) each."""
    following = np.roll(points, -1, axis=0)
    slanted = points[:, 1] != following[:, 1]
    begin, end = points[slanted], following[slanted]
    downward = (begin[:, 1] < end[:, 1])[:, np.newaxis]
    return np.where(downward, begin, end), np.where(downward, end, begin)


def _first_centres(edges: NDArray[np.float64], limit: int) -> NDArray[np.int64]:
    return np.clip(np.ceil(edges - 0.5), 0, limit).astype(np.int64)


def _flip(
    flips: NDArray[np.uint8],
    upper: NDArray[np.float64],
    lower: NDArray[np.float64],
    first: NDArray[np.int64],
    spans: NDArray[np.int64],
    top: int,
) -> None:
    """Mark, for each edge and each row that it spans, the first column whose centre crosses it."""
    width = flips.shape[1] - 1
    edge = np.repeat(np.arange(spans.size), spans)
    rows = np.arange(edge.size) - np.repeat(np.cumsum(spans) - spans - first, spans)
    run, rise = (lower - upper)[edge, 0], (lower - upper)[edge, 1]
    xa = upper[edge, 0]
    reach = (rows + 0.5 - upper[edge, 1]) * run
    columns = np.clip(np.ceil(xa + reach / rise - 0.5), 0, width)
    # The quotient is rounded: the products decide about the column found and its left neighbour.
    columns = np.where((columns > 0) & ((columns - 0.5 - xa) * rise >= reach), columns - 1, columns)
    columns = np.where((columns < width) & ((columns + 0.5 - xa) * rise < reach), columns + 1, columns)
    np.bitwise_xor.at(flips, (rows - top, columns.astype(np.int64)), np.uint8(1))
