"""Frames with the own and the gold's regions over them, as shapes of an inline SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curation.geometry import bounding_box

if TYPE_CHECKING:
    from curation.models import Case

OWN, GOLD = "own", "gold"


@dataclass(frozen=True)
class Outline:
    """One SVG element: its name, and its attributes by name, numbers of ours only."""

    whose: str
    element: str
    attributes: dict[str, str]


@dataclass
class Picture:
    """A frame and what lies over it."""

    number: int
    frame: int
    sha256: str
    width: int
    height: int
    outlines: list[Outline] = field(default_factory=list)

    def count(self, whose: str) -> int:
        """How many regions are somebody's."""
        return sum(outline.whose == whose for outline in self.outlines)

    @property
    def own(self) -> int:
        """The reader's regions here."""
        return self.count(OWN)

    @property
    def gold(self) -> int:
        """The gold's regions here."""
        return self.count(GOLD)


def pictures_of(case: Case, *, own: Iterable[Mapping[str, Any]], gold: Iterable[Mapping[str, Any]]) -> list[Picture]:
    """A picture of each frame on which either drew, in order; of the first image where neither did."""
    images = {image.number: image.asset for image in case.images.select_related("asset").order_by("number")}
    found: dict[tuple[int, int], Picture] = {}
    drawn = [(OWN, roi) for roi in own] + [(GOLD, roi) for roi in gold]
    places = {(roi["image"], roi["frame"]) for _, roi in drawn if roi["image"] in images} or {(1, 0)} & {
        (number, 0) for number in images
    }
    for number, frame in sorted(places):
        asset = images[number]
        found[number, frame] = Picture(number, frame, asset.sha256, asset.width, asset.height)
    for whose, roi in drawn:
        picture = found.get((roi["image"], roi["frame"]))
        if picture is not None:
            picture.outlines.append(outline_of(whose, roi["shape"], roi["geometry"]))
    return list(found.values())


def outline_of(whose: str, shape: str, geometry: Mapping[str, Any]) -> Outline:
    """A region as one SVG element; of a mask its bounding box."""
    if shape == "ellipse":
        turn = math.degrees(geometry["angle"])
        numbers = {name: f"{geometry[name]:g}" for name in ("cx", "cy", "rx", "ry")}
        numbers["transform"] = f"rotate({turn:g} {geometry['cx']:g} {geometry['cy']:g})"
        return Outline(whose, "ellipse", numbers)
    if shape in {"polygon", "freehand", "line"}:
        points = " ".join(f"{x:g},{y:g}" for x, y in geometry["points"])
        return Outline(whose, "polyline" if shape == "line" else "polygon", {"points": points})
    if shape == "point":
        return Outline(whose, "path", {"d": f"M{geometry['x']:g} {geometry['y']:g}h0"})
    x0, y0, x1, y1 = bounding_box(shape, geometry)
    box = {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0}
    return Outline(whose, "rect", {name: f"{value:g}" for name, value in box.items()})
