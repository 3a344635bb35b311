"""Drawn regions of two readers held against each other by their shapes, without a mask of the whole image.

Areas (box, ellipse, polygon, freehand, mask) are compared by their IoU: two boxes by their sides, all others by pixels,
rasterised no farther than they reach. Points and lines have no area: two points are alike when they are near, two lines
when each runs near the other on average. An IoU of discs and ribbons grown around them would hang on the width chosen,
while a distance in millimetres is what a clinician would measure. Shapes of different classes (an area, a line, a
point) are never a pair.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations.metrics.outlines import Mask, Spacing, boundary_distances, check_tolerance, steps_of, surface_dice
from annotations.metrics.overlap import Crop, assign, check_threshold, crop_iou, dice, iou
from annotations.metrics.shapes import AREAS, Shape, area_crop, shape_distance
from curation.geometry import bounding_box

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

Array = NDArray[np.float64]
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
    float (regions of a, regions of b). nan for two areas without a pixel, 0 for different classes of shape.

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
    first, second = [_Region(shape, size) for shape in a], [_Region(shape, size) for shape in b]
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
    first, second = [_Region(shape, size) for shape in a], [_Region(shape, size) for shape in b]
    scores = _scores(first, second, point_tolerance, steps_of(spacing))
    check_threshold(threshold)
    check_tolerance(surface_tolerance)
    needed = np.array([[threshold if kind in AREAS else AT_TOLERANCE] for kind, _ in a]).reshape(len(a), 1)
    allowed = np.where(scores >= needed, scores, 0.0)
    pairs = assign(allowed, min(threshold, AT_TOLERANCE))
    return [_pair(first[i], second[j], (i, j, score), spacing, surface_tolerance) for i, j, score in pairs]


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
    crops = [[area_crop(shape, size) for shape in shapes if shape[0] in AREAS] for shapes in (a, b)]
    first, second = _painted(*crops)
    return iou(first, second), dice(first, second)


class _Region:
    """A shape with its box, and its pixels once they are asked for."""

    def __init__(self, shape: Shape, size: tuple[int, int]) -> None:
        self.shape, self.size = shape, size
        self.group = "area" if shape[0] in AREAS else shape[0]
        self._crop = area_crop(shape, size) if shape[0] == "mask" else None
        if self._crop is None:
            self.box = bounding_box(*shape)
        else:
            top, left, mask, _ = self._crop
            self.box = (float(left), float(top), float(left + mask.shape[1]), float(top + mask.shape[0]))

    def crop(self) -> Crop:
        if self._crop is None:
            self._crop = area_crop(self.shape, self.size)
        return self._crop

    def iou(self, other: _Region) -> float:
        wide = min(self.box[2], other.box[2]) - max(self.box[0], other.box[0])
        high = min(self.box[3], other.box[3]) - max(self.box[1], other.box[1])
        both = max(wide, 0.0) * max(high, 0.0)
        if self.shape[0] == other.shape[0] == "box":
            sides = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (self.box, other.box)]
            return both / (sum(sides) - both) if sum(sides) else float("nan")
        if not both and (self.crop()[3] or other.crop()[3]):
            return 0.0
        return crop_iou(self.crop(), other.crop())


def _scores(first: Sequence[_Region], second: Sequence[_Region], point_tolerance: float, step: Array) -> Array:
    if not (point_tolerance > 0 and math.isfinite(point_tolerance)):
        raise ValueError(f"point_tolerance is a distance above 0, not {point_tolerance}")
    scores = np.zeros((len(first), len(second)))
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            if one.group == other.group == "area":
                scores[i, j] = one.iou(other)
            elif one.group == other.group:
                scores[i, j] = _nearness(shape_distance(one.shape, other.shape, step), point_tolerance)
    return scores


def _pair(
    first: _Region, second: _Region, match: tuple[int, int, float], spacing: Spacing, surface_tolerance: float
) -> RegionPair:
    nan = float("nan")
    i, j, score = match
    if first.group != "area":
        gap = shape_distance(first.shape, second.shape, steps_of(spacing))
        return RegionPair(i, j, score, nan, nan, nan, nan, nan, gap)
    one, other = _painted([first.crop()], [second.crop()])
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


def _painted(first: Sequence[Crop], second: Sequence[Crop]) -> tuple[Mask, Mask]:
    """The union of each side's crops, both in the smallest window that holds all."""
    filled = [crop for crop in (*first, *second) if crop[3]]
    if not filled:
        nothing = np.zeros((0, 0), dtype=np.bool_)
        return nothing, nothing
    top, left = min(crop[0] for crop in filled), min(crop[1] for crop in filled)
    bottom, right = (max(crop[axis] + crop[2].shape[axis] for crop in filled) for axis in (0, 1))
    sides = []
    for crops in (first, second):
        side = np.zeros((bottom - top, right - left), dtype=np.bool_)
        for row, column, mask, count in crops:
            if count:
                side[row - top : row - top + mask.shape[0], column - left : column - left + mask.shape[1]] |= mask
        sides.append(side)
    return sides[0], sides[1]


def _nearness(gap: float, tolerance: float) -> float:
    score = round(1 - gap / (2 * tolerance), 12)  # three pixels of 0.1 mm are within 0.3 mm
    return score if score >= AT_TOLERANCE else 0.0
