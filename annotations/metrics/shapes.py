"""Drawn shapes as far as numbers need them: the pixels of an area, the distance of two points or lines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.metrics.overlap import Crop, crop_of
from curation.geometry import bounding_box, decode_rle, rasterize
from curation.polygons import fill_polygon
from curation.rle import mask_size, run_lengths

Array = NDArray[np.float64]
Shape = tuple[str, Mapping[str, Any]]
"""Kind (box, ellipse, polygon, freehand, line, point, mask) and geometry, as `curation.geometry` reads them."""

AREAS = frozenset({"box", "ellipse", "polygon", "freehand", "mask"})
_SAMPLES = 200
"""Places along a line at which its distance is taken: the mean is right to 1/400 of its length."""


def area_crop(shape: Shape, size: tuple[int, int]) -> Crop:
    """Pixels of an area in the image, hardly farther than it reaches; those that `curation.geometry.rasterize` sets.

    Examples
    --------
    >>> top, left, mask, count = area_crop(("box", {"x0": 1, "y0": 2, "x1": 3, "y1": 3}), (1000, 1000))
    >>> top, left, mask.astype(int).tolist(), count
    (1, 0, [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]], 2)
    """
    kind, geometry = shape
    if kind == "mask":
        return _mask_crop(geometry, size)
    x0, y0, x1, y1 = bounding_box(kind, geometry)
    # One pixel of room: an ellipse's box is rounded.
    left, right = max(math.floor(x0) - 1, 0), min(math.ceil(x1) + 1, size[1])
    top, bottom = max(math.floor(y0) - 1, 0), min(math.ceil(y1) + 1, size[0])
    if right <= left or bottom <= top:
        return (0, 0, np.zeros((0, 0), dtype=np.bool_), 0)
    if kind in ("polygon", "freehand"):  # its points are checked: reading them once more is half of the work
        points = np.asarray(geometry["points"], dtype=np.float64)
        mask = fill_polygon(points - (left, top), bottom - top, right - left)
    else:
        mask = rasterize(kind, _moved(geometry, left, top), (bottom - top, right - left))
    return (top, left, mask, int(np.count_nonzero(mask)))


def shape_distance(first: Shape, second: Shape, step: Array) -> float:
    """Distance of two points, or mean distance of two lines, in units of step (row, column) a pixel.

    Examples
    --------
    >>> shape_distance(("point", {"x": 0, "y": 0}), ("point", {"x": 4, "y": 3}), np.array([2.0, 2.0]))
    10.0
    """
    places = [_places(shape) * step[::-1] for shape in (first, second)]
    there, back = _mean_distance(places[0], places[1]), _mean_distance(places[1], places[0])
    return (there + back) / 2


def _moved(geometry: Mapping[str, Any], left: int, top: int) -> dict[str, Any]:
    """A box or an ellipse as seen from the pixel (left, top)."""
    offsets = {"x0": left, "x1": left, "cx": left, "y0": top, "y1": top, "cy": top, "rx": 0, "ry": 0, "angle": 0}
    return {key: float(geometry[key]) - offset for key, offset in offsets.items() if key in geometry}


def _mask_crop(geometry: Mapping[str, Any], size: tuple[int, int]) -> Crop:
    """Only the columns that hold a set pixel are unpacked: runs go down the columns."""
    height, width = mask_size(geometry)
    if (height, width) != tuple(size):
        raise ValueError(f"mask is {height} x {width}, the image {size[0]} x {size[1]}")
    runs = run_lengths(geometry)
    ends = np.cumsum(runs)
    is_set = np.flatnonzero((np.arange(runs.size) % 2 == 1) & (runs > 0))
    if not is_set.size:
        return (0, 0, np.zeros((0, 0), dtype=np.bool_), 0)
    left = int((ends[is_set[0]] - runs[is_set[0]]) // height)
    right = int((ends[is_set[-1]] - 1) // height) + 1
    inner = runs[is_set[0] : is_set[-1] + 1]
    before = int(ends[is_set[0]] - runs[is_set[0]]) - left * height
    after = right * height - int(ends[is_set[-1]])
    counts = [before, *inner.tolist(), after]
    top, inset, cut, count = crop_of(decode_rle({"size": [height, right - left], "counts": counts}))
    return (top, left + inset, cut, count)


def _places(shape: Shape) -> Array:
    """The x and y of a point or of a line's points, (points, 2); `bounding_box` has checked them."""
    kind, geometry = shape
    if kind == "point":
        return np.array([[geometry["x"], geometry["y"]]], dtype=np.float64)
    return np.asarray(geometry["points"], dtype=np.float64)


def _mean_distance(line: Array, other: Array) -> float:
    """Mean distance of the places along a line to the nearest place of another; of points their distance."""
    places = _along(line)  # (places, 2)
    starts, ways = (other, np.zeros_like(other)) if len(other) == 1 else (other[:-1], np.diff(other, axis=0))
    offsets = places[:, np.newaxis, :] - starts  # (places, segments, 2)
    lengths = (ways**2).sum(axis=1)
    share = np.clip((offsets * ways).sum(axis=2) / np.where(lengths > 0, lengths, 1), 0, 1)
    gaps = offsets - share[:, :, np.newaxis] * ways
    return float(np.sqrt((gaps**2).sum(axis=2).min(axis=1)).mean())


def _along(line: Array) -> Array:
    """Places in the middle of equal parts of a line's length; of a point, or a line without length, its start."""
    reached = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))]) if len(line) > 1 else np.zeros(1)
    if not reached[-1]:
        return line[:1]
    at = (np.arange(_SAMPLES) + 0.5) / _SAMPLES * reached[-1]
    return np.stack([np.interp(at, reached, line[:, axis]) for axis in (0, 1)], axis=1)
