"""How far two parties drew the same on a case: `metrics.regions` over every image and frame on which either drew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.metrics.outlines import hausdorff, surface_dice
from annotations.metrics.overlap import Crop, assign, detection_f1, dice, iou
from annotations.metrics.regions import region_scores
from annotations.metrics.shapes import AREAS, Shape, area_crop

THRESHOLD = 0.5
"""Least IoU of two areas that count as the same finding; points and lines count by distance, on the same scale."""
TOLERANCE_MM = 2.0
TOLERANCE_PX = 3.0
"""How far outlines may be apart in surface Dice, and points and lines in a match: where the image says how large a
pixel is, and where it does not."""
NO_REGION, ONE_EMPTY, NO_AREA = "no_region", "one_empty", "no_area"
OF_UNIONS = ("iou", "dice", "surface_dice", "hausdorff")

Place = tuple[int, int]
"""(image number, frame)."""
Mask = NDArray[np.bool_]
Scores = NDArray[np.float64]
Unions = dict[Place, tuple[Mask, Mask]]
"""All areas that each of two drew on a place."""


@dataclass(frozen=True)
class Plane:
    """The pixels that ROIs of an image lie on; spacing is (row, column) in millimetres."""

    height: int
    width: int
    spacing: tuple[float, float] | None

    @property
    def tolerance(self) -> float:
        """In millimetres where there is spacing, else in pixels."""
        return TOLERANCE_PX if self.spacing is None else TOLERANCE_MM


@dataclass(frozen=True)
class Drawn:
    """A ROI."""

    id: str
    place: Place
    label: str
    shape: Shape


@dataclass(frozen=True)
class LabelOverlap:
    """The regions of one label: how many both, only the first and only the second drew, and the IoU of the unions."""

    label: str
    matched: int
    only_a: int
    only_b: int
    iou: float | None


@dataclass(frozen=True)
class RegionOverlap:
    """Regions of two parties compared; None where there is nothing to say, and `why` by name."""

    rois_a: int = 0
    rois_b: int = 0
    rois_matched: int = 0
    detection_f1: float | None = None
    matched_iou: float | None = None
    iou: float | None = None
    dice: float | None = None
    surface_dice: float | None = None
    hausdorff: float | None = None
    hausdorff_unit: str = ""
    labels: tuple[LabelOverlap, ...] = ()
    why: Mapping[str, str] = field(default_factory=dict)


def drawn_of(rois: Iterable[Mapping[str, Any]], planes: Mapping[int, Plane]) -> tuple[Drawn, ...]:
    """ROIs as a reading's content holds them; one on an image that the case has not is left out."""
    return tuple(
        Drawn(
            id=str(roi.get("id", "")),
            place=(roi["image"], roi.get("frame", 0)),
            label=roi.get("label") or "",
            shape=(roi["shape"], roi["geometry"]),
        )
        for roi in rois
        if roi["image"] in planes
    )


def roi_scores(a: Sequence[Drawn], b: Sequence[Drawn], planes: Mapping[int, Plane]) -> Scores:
    """How alike each ROI of the one is to each of the other, (ROIs of a, ROIs of b); 0 on different places."""
    found = np.zeros((len(a), len(b)))
    there = _by_place(b)
    for place, rows in _by_place(a).items():
        columns = there.get(place, [])
        if columns:
            plane = planes[place[0]]
            found[np.ix_(rows, columns)] = region_scores(
                [a[i].shape for i in rows],
                [b[j].shape for j in columns],
                (plane.height, plane.width),
                point_tolerance=plane.tolerance,
                spacing=plane.spacing,
            )
    return np.nan_to_num(found)  # two areas without a pixel are not the same finding


def compare_regions(
    a: Sequence[Drawn], b: Sequence[Drawn], scores: Scores, planes: Mapping[int, Plane]
) -> RegionOverlap:
    """Compare what two parties drew.

    Parameters
    ----------
    scores
        `roi_scores(a, b)`.
    planes
        By image number.

    Returns
    -------
    Numbers as `AgreementScore` describes them. Area and outlines are of all that each drew on a place (image and
    frame), as a mean over the places: of IoU and Dice where either drew an area, of outlines where both did. Distances
    are millimetres if every such image says how large a pixel is. Where one drew and the other did not, overlap is 0
    and the distance of outlines undefined; where neither did, all is undefined, which is no disagreement.
    """
    if not a and not b:
        return RegionOverlap(why=dict.fromkeys(("detection_f1", "matched_iou", *OF_UNIONS), NO_REGION))
    matched = len(assign(scores, THRESHOLD))
    pairs = assign(scores, 0.0)
    unions = _unions(a, b, planes)
    both = {place: masks for place, masks in unions.items() if masks[0].any() and masks[1].any()}
    share, distance, unit = _outlines(both, planes)
    why = dict.fromkeys(OF_UNIONS, NO_AREA) if not unions else {}
    why |= dict.fromkeys(OF_UNIONS[2:], ONE_EMPTY) if unions and not both else {}
    return RegionOverlap(
        rois_a=len(a),
        rois_b=len(b),
        rois_matched=matched,
        detection_f1=detection_f1(matched, len(a) - matched, len(b) - matched),
        matched_iou=sum(score for *_, score in pairs) / (len(a) + len(b) - len(pairs)),
        iou=_mean(iou(*masks) for masks in unions.values()),
        dice=_mean(dice(*masks) for masks in unions.values()),
        surface_dice=share,
        hausdorff=distance,
        hausdorff_unit=unit,
        labels=tuple(_labels(a, b, scores, planes, unions)),
        why=why,
    )


def _outlines(
    both: Mapping[Place, tuple[Mask, Mask]], planes: Mapping[int, Plane]
) -> tuple[float | None, float | None, str]:
    """Surface Dice, Hausdorff distance and its unit."""
    is_mm = all(planes[image].spacing is not None for image, _ in both)
    shares, distances = [], []
    for (image, _), (one, other) in both.items():
        plane = planes[image]
        shares.append(surface_dice(one, other, plane.spacing, plane.tolerance))
        distances.append(hausdorff(one, other, plane.spacing if is_mm else None))
    return _mean(shares), _mean(distances), "" if not both else "mm" if is_mm else "px"


def _labels(
    a: Sequence[Drawn], b: Sequence[Drawn], scores: Scores, planes: Mapping[int, Plane], whole: Unions
) -> Iterable[LabelOverlap]:
    """Each label by itself: a region that the other gave another name counts as drawn by one alone."""
    names = sorted({one.label for one in (*a, *b)})
    for label in names:
        rows = [i for i, one in enumerate(a) if one.label == label]
        columns = [j for j, one in enumerate(b) if one.label == label]
        matched = len(assign(scores[np.ix_(rows, columns)], THRESHOLD))
        unions = whole if len(names) == 1 else _unions([a[i] for i in rows], [b[j] for j in columns], planes)
        share = _mean(iou(*masks) for masks in unions.values())
        yield LabelOverlap(label, matched, len(rows) - matched, len(columns) - matched, share)


def _by_place(drawn: Sequence[Drawn]) -> dict[Place, list[int]]:
    places: dict[Place, list[int]] = defaultdict(list)
    for number, one in enumerate(drawn):
        places[one.place].append(number)
    return places


def _unions(a: Sequence[Drawn], b: Sequence[Drawn], planes: Mapping[int, Plane]) -> Unions:
    """All areas that each drew on a place, within the smallest window that holds both; only places with a pixel."""
    found: Unions = {}
    sides = [_by_place(a), _by_place(b)]
    for place in sorted({*sides[0], *sides[1]}):
        plane = planes[place[0]]
        crops = [
            [
                area_crop(drawn[i].shape, (plane.height, plane.width))
                for i in side.get(place, [])
                if drawn[i].shape[0] in AREAS
            ]
            for drawn, side in zip((a, b), sides, strict=True)
        ]
        if any(crop[3] for crop in (*crops[0], *crops[1])):
            found[place] = _painted(*crops)
    return found


def _painted(first: Sequence[Crop], second: Sequence[Crop]) -> tuple[Mask, Mask]:
    filled = [crop for crop in (*first, *second) if crop[3]]
    top, left = min(crop[0] for crop in filled), min(crop[1] for crop in filled)
    size = (
        max(crop[0] + crop[2].shape[0] for crop in filled) - top,
        max(crop[1] + crop[2].shape[1] for crop in filled) - left,
    )
    masks = (np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_))
    for mask, crops in zip(masks, (first, second), strict=True):
        for row, column, part, count in crops:
            if count:
                mask[row - top : row - top + part.shape[0], column - left : column - left + part.shape[1]] |= part
    return masks


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return fmean(listed) if listed else None
