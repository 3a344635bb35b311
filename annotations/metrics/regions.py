"""Drawn regions of two readers held against each other by their shapes, without a mask of the whole image.

Areas (box, ellipse, polygon, freehand, mask) are compared by their IoU: two boxes by their sides, all others by pixels,
rasterised no farther than they reach. Points and lines have no area: two points are alike when they are near, two lines
when each runs near the other on average. An IoU of discs and ribbons grown around them would hang on the width chosen,
while a distance in millimetres is what a clinician would measure. Shapes of different classes (an area, a line, a
point) are never a pair.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations.metrics.outlines import Mask, Spacing, boundary_distances, check_tolerance, steps_of, surface_dice
from annotations.metrics.overlap import Crop, assign, check_threshold, crop_iou, dice, iou
from annotations.metrics.shapes import AREAS, Shape, area_crop, shape_distance
from curation.geometry import bounding_box

__all__ = ["AREAS", "RegionPair", "Shape", "area_crop", "region_pairs", "region_scores", "union_overlap"]

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

Array = NDArray[np.float64]
_MOST_HELD = 2**28
"""Pixels of shapes held for one side, a byte each: two thousand outlines around a whole radiograph are 10 GB."""
AT_TOLERANCE = 0.5
"""Score of two points or lines exactly as far apart as is tolerated."""


@dataclass(frozen=True, slots=True)
class RegionPair:
    """Two regions that belong together; distances in mm, or in pixels without spacing. nan where not defined."""

    first: int
    """Place in the first reader's list."""
    second: int
    score: float
    """IoU of two areas; of points and lines 1 - distance / (2 tolerance)."""
    iou: float
    dice: float
    surface_dice: float
    hausdorff: float
    hausdorff95: float
    distance: float
    """Of two points, or the mean one of two lines; nan of areas."""


def region_scores(
    a: Sequence[Shape], b: Sequence[Shape], size: tuple[int, int], *, point_tolerance: float, spacing: Spacing = None
) -> Array:
    """How alike each region of one reader is to each of another, in [0, 1].

    1 is the same place, 0 nothing in common. Areas by IoU; points and lines by 1 - distance / (2 tolerance) up to the
    tolerance, where it is 0.5, and 0 beyond.

    Parameters
    ----------
    a, b
        Shapes of one image.
    size
        (height, width) of the image in pixels.
    point_tolerance
        How far apart two points, or two lines on average, may be and still mean the same, above 0; in mm (pixels
        without spacing).
    spacing
        (row_mm, column_mm), or None for pixels. IoU does not depend on it.

    Returns
    -------
    float (regions of a, regions of b). 0 for different classes of shape, and where either area has no pixel.

    Notes
    -----
    Chance level: that of `overlap.iou`; for points the share of the image within the tolerance.
    Empty case: no region on a side gives an empty array.
    The distance of two lines is the mean, over both, of the mean distance along one to the nearest place of the other,
    so that direction and number of points do not matter; its score does not see where one line goes on alone, its
    distance does.
    Two boxes: by their sides, also beyond the image; a box beside another kind: by pixel centres, as it is drawn.

    Raises
    ------
    ValueError
        If a shape is malformed (as `curation.geometry`), a mask has another size than the image, or the tolerance or
        spacing is not above 0.

    References
    ----------
    Chamfer distance of lines: Barrow et al. 1977, Parametric correspondence and chamfer matching.

    Examples
    --------
    >>> box = ("box", {"x0": 0, "y0": 0, "x1": 4, "y1": 2})
    >>> half = ("box", {"x0": 0, "y0": 0, "x1": 2, "y1": 2})
    >>> point = ("point", {"x": 1.0, "y": 1.0})
    >>> region_scores([box, point], [half, point], (10, 10), point_tolerance=5).tolist()
    [[0.5, 0.0], [0.0, 1.0]]
    """
    first, second = _Regions(a, size), _Regions(b, size)
    return _scores(first, second, point_tolerance, steps_of(spacing))


def region_pairs(
    a: Sequence[Shape],
    b: Sequence[Shape],
    size: tuple[int, int],
    *,
    point_tolerance: float,
    surface_tolerance: float,
    spacing: Spacing = None,
    threshold: float = 0.5,
) -> list[RegionPair]:
    """Which regions of two readers belong together, and how alike those are.

    As `overlap.match_rois`, of shapes of every kind and with all measures of a pair. The rest of a's and of b's regions
    was drawn by one of them only: `detection_f1(len(pairs), len(a) - len(pairs), len(b) - len(pairs))`.

    Parameters
    ----------
    a, b, size, point_tolerance, spacing
        As `region_scores`.
    surface_tolerance
        Of `outlines.surface_dice`, in mm (pixels without spacing).
    threshold
        In [0, 1]: two areas of less IoU are no pair. Points and lines are a pair within the tolerance.

    Returns
    -------
    Pairs of greatest total score (Hungarian assignment), by place in a.

    Notes
    -----
    Chance level: none.
    Empty case: no region on one side gives no pair.

    Raises
    ------
    ValueError
        As `region_scores`, or if the threshold or the surface tolerance is out of range.

    References
    ----------
    As `overlap.match_rois` and `outlines.surface_dice`.

    Examples
    --------
    >>> box = ("box", {"x0": 0, "y0": 0, "x1": 4, "y1": 2})
    >>> [pair] = region_pairs([box], [box], (10, 10), point_tolerance=5, surface_tolerance=1)
    >>> pair.iou, pair.dice, pair.hausdorff, pair.surface_dice
    (1.0, 1.0, 0.0, 1.0)
    """
    first, second = _Regions(a, size), _Regions(b, size)
    scores = _scores(first, second, point_tolerance, steps_of(spacing))
    check_threshold(threshold)
    check_tolerance(surface_tolerance)
    needed = np.array([[threshold if kind in AREAS else AT_TOLERANCE] for kind, _ in a]).reshape(len(a), 1)
    allowed = np.where(scores >= needed, scores, 0.0)
    pairs = assign(allowed, min(threshold, AT_TOLERANCE))
    return [_pair(first, second, match, spacing, surface_tolerance) for match in pairs]


def union_overlap(a: Sequence[Shape], b: Sequence[Shape], size: tuple[int, int]) -> tuple[float, float]:
    """(IoU, Dice) of everything that one reader drew and everything that another drew, each in [0, 1].

    What is left of a disagreement when it does not matter into how many regions a finding was cut.

    Parameters
    ----------
    a, b
        Shapes of one image; points and lines have no pixels and count for nothing.
    size
        (height, width) of the image in pixels.

    Returns
    -------
    `overlap.iou` and `overlap.dice` of the two unions, by pixel centres within the image.

    Notes
    -----
    Chance level: as `overlap.iou`.
    Empty case: neither has a pixel: (nan, nan); only one: (0, 0).

    Raises
    ------
    ValueError
        As `curation.geometry.rasterize`.

    References
    ----------
    As `overlap.iou` and `overlap.dice`.

    Examples
    --------
    >>> left, right = ({"x0": x, "y0": 0, "x1": x + 2, "y1": 2} for x in (0, 2))
    >>> union_overlap([("box", left), ("box", right)], [("box", {"x0": 0, "y0": 0, "x1": 4, "y1": 2})], (9, 9))
    (1.0, 1.0)
    """
    first, second = (_union((area_crop(shape, size) for shape in side if shape[0] in AREAS), size) for side in (a, b))
    return iou(first, second), dice(first, second)


class _Regions:
    """One side's shapes, the boxes around them, and the pixels of those that were asked for."""

    def __init__(self, shapes: Sequence[Shape], size: tuple[int, int]) -> None:
        self.shapes, self.size = shapes, size
        self.kinds = np.array([kind for kind, _ in shapes], dtype=np.str_)
        self.is_area = np.isin(self.kinds, sorted(AREAS))
        self._kept: dict[int, Crop] = {}
        self._held = 0
        self.boxes = np.array([self._box(place) for place in range(len(shapes))]).reshape(-1, 4)  # x0, y0, x1, y1

    def crop(self, place: int) -> Crop:
        """Pixels of a shape; kept for the next time unless all that is kept grows too large."""
        if place not in self._kept:
            crop = area_crop(self.shapes[place], self.size)
            if self._held + crop[2].size > _MOST_HELD:
                self._kept, self._held = {}, 0
            self._held += crop[2].size
            self._kept[place] = crop
        return self._kept[place]

    def _box(self, place: int) -> tuple[float, float, float, float]:
        kind, geometry = self.shapes[place]
        if kind != "mask":
            return bounding_box(kind, geometry)
        top, left, mask, _ = self.crop(place)
        return (left, top, left + mask.shape[1], top + mask.shape[0])


def _scores(first: _Regions, second: _Regions, point_tolerance: float, step: Array) -> Array:
    if not (point_tolerance > 0 and math.isfinite(point_tolerance)):
        raise ValueError(f"point_tolerance is a distance above 0, not {point_tolerance}")
    scores = np.zeros((len(first.shapes), len(second.shapes)))
    low = np.maximum(first.boxes[:, np.newaxis, :2], second.boxes[:, :2])
    high = np.minimum(first.boxes[:, np.newaxis, 2:], second.boxes[:, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)  # (regions of a, regions of b)
    apart = np.hypot(*np.moveaxis(np.clip(low - high, 0, None) * step[::-1], 2, 0))
    is_same = first.kinds[:, np.newaxis] == second.kinds
    is_meeting = first.is_area[:, np.newaxis] & second.is_area & (common > 0)
    is_boxes = is_same & (first.kinds == "box")[:, np.newaxis]
    sides = [(side.boxes[:, 2:] - side.boxes[:, :2]).prod(axis=1) for side in (first, second)]
    either = sides[0][:, np.newaxis] + sides[1] - common
    scores[is_meeting & is_boxes] = (common / np.where(either > 0, either, 1))[is_meeting & is_boxes]
    for i, j in np.argwhere(is_meeting & ~is_boxes).tolist():
        scores[i, j] = np.nan_to_num(crop_iou(first.crop(i), second.crop(j)))
    is_points = is_same & (first.kinds == "point")[:, np.newaxis]
    scores[is_points] = _nearness(apart[is_points], point_tolerance)
    is_lines = is_same & (first.kinds == "line")[:, np.newaxis] & (apart <= 2 * point_tolerance)
    for i, j in np.argwhere(is_lines).tolist():
        gap = shape_distance(first.shapes[i], second.shapes[j], step)
        scores[i, j] = _nearness(np.array(gap), point_tolerance)
    return scores


def _pair(
    first: _Regions, second: _Regions, match: tuple[int, int, float], spacing: Spacing, surface_tolerance: float
) -> RegionPair:
    nan = float("nan")
    i, j, score = match
    if not first.is_area[i]:
        gap = shape_distance(first.shapes[i], second.shapes[j], steps_of(spacing))
        return RegionPair(i, j, score, nan, nan, nan, nan, nan, gap)
    one, other = _painted(first.crop(i), second.crop(j))
    farthest, most = boundary_distances(one, other, spacing, (100, 95))
    return RegionPair(
        first=i,
        second=j,
        score=score,
        iou=score,
        dice=2 * score / (1 + score),
        surface_dice=surface_dice(one, other, spacing, surface_tolerance),
        hausdorff=farthest,
        hausdorff95=most,
        distance=nan,
    )


def _painted(first: Crop, second: Crop) -> tuple[Mask, Mask]:
    """Both crops in the smallest window that holds them."""
    filled = [crop for crop in (first, second) if crop[3]]
    if not filled:
        nothing = np.zeros((0, 0), dtype=np.bool_)
        return nothing, nothing
    top, left = min(crop[0] for crop in filled), min(crop[1] for crop in filled)
    bottom, right = (max(crop[axis] + crop[2].shape[axis] for crop in filled) for axis in (0, 1))
    window = (bottom - top, right - left)
    return _union([first], window, top, left), _union([second], window, top, left)


def _union(crops: Iterable[Crop], size: tuple[int, int], top: int = 0, left: int = 0) -> Mask:
    """All crops in one mask, whose first pixel is (top, left)."""
    mask = np.zeros(size, dtype=np.bool_)
    for row, column, cut, count in crops:
        if count:
            row, column = row - top, column - left
            mask[row : row + cut.shape[0], column : column + cut.shape[1]] |= cut
    return mask


def _nearness(gaps: Array, tolerance: float) -> Array:
    scores = np.round(1 - gaps / (2 * tolerance), 12)  # three pixels of 0.1 mm are within 0.3 mm
    return np.where(scores >= AT_TOLERANCE, scores, 0.0)
