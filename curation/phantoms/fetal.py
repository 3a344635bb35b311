"""Phantoms in the manner of fetal ultrasound: drawn by formula from a seed, CC0, synthetic. No fetus is shown.

`compose(seed)` decides what a picture holds (a `Scene`: plane, landmarks, direction, lesion, head circumference, pixel
spacing), `draw(scene)` paints it, `with_red_box` marks a place. Each property comes from a random stream of its own, so
that fixing one changes no other, and none tells anything about another. The questions are in
`curation.phantoms.fetal_questions`, the millimetres in `curation.phantoms.ellipses`.

Planes: `Plane.HEAD` (skull, midline, cavum at the front, two thalami), `Plane.ABDOMEN` (skin, stomach bubble, spine),
`Plane.FEMUR` (one bright bone), `Plane.OTHER` (tissue and fluid, no landmark). A head or abdomen that lacks one of its
`LANDMARKS` is not standard; its place is known all the same (`Structure.is_visible` is False).
Lesions: `Lesion.BENIGN` is a bright spot with a smooth edge, `Lesion.MALIGNANT` one with spikes. The names are those of
the FETAL-GAUGE tasks; they mean the drawn shape and nothing clinical.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from curation.geometry import bounding_box
from curation.phantoms.ellipses import circumference_mm, ellipse_perimeter, scaled_ellipse
from curation.phantoms.speckle import (
    Field,
    blur,
    coverage,
    fan,
    pixel_centres,
    shading,
    signed_distance,
    speckled,
)

SIZE = (168, 168)
RED = (255, 32, 32)
RIM_PX = 3.0
FRONTS = ("right", "down", "left", "up")  # clockwise, a quarter turn each


class Plane(StrEnum):
    """What is cut through."""

    HEAD = "head"
    ABDOMEN = "abdomen"
    FEMUR = "femur"
    OTHER = "other"


class Lesion(StrEnum):
    """A drawn shape that stands for a class; nothing clinical."""

    NONE = "normal"
    BENIGN = "benign-like"
    MALIGNANT = "malignant-like"


STYLES = ("sector", "linear")
LANDMARKS: dict[Plane, tuple[str, ...]] = {
    Plane.HEAD: ("midline", "cavum", "thalamus"),
    Plane.ABDOMEN: ("stomach", "spine"),
    Plane.FEMUR: (),
    Plane.OTHER: (),
}
OUTLINES = {Plane.HEAD: "skull", Plane.ABDOMEN: "skin", Plane.FEMUR: "bone"}

# (name, u, v, half length, half width) in the outline's own axes: u runs to the front, both reach 1 at the edge.
_Part = tuple[str, float, float, float, float]
_PARTS: dict[Plane, tuple[_Part, ...]] = {
    Plane.HEAD: (
        ("midline", -0.28, 0.0, 0.58, 0.028),
        ("cavum", 0.56, 0.0, 0.15, 0.13),
        ("thalamus", -0.04, 0.30, 0.24, 0.17),
        ("thalamus", -0.04, -0.30, 0.24, 0.17),
    ),
    Plane.ABDOMEN: (("stomach", 0.10, -0.45, 0.26, 0.19), ("spine", -0.72, 0.0, 0.15, 0.15)),
    Plane.FEMUR: (),
    Plane.OTHER: (),
}
# Where a lesion may lie without touching a part.
_SPOTS: dict[Plane, tuple[tuple[float, float], ...]] = {
    Plane.HEAD: ((-0.56, 0.44), (-0.56, -0.44), (0.42, 0.52), (0.42, -0.52)),
    Plane.ABDOMEN: ((0.50, 0.34), (-0.22, 0.50), (0.58, -0.22)),
}
_LESION_REACH = 0.17
_SPIKES = 7


@dataclass(frozen=True)
class Structure:
    """A named thing in the picture, as an ellipse in pixels (INTERFACE.md section 5)."""

    name: str
    geometry: Mapping[str, float]
    is_visible: bool = True

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 in pixels, tight around the ellipse."""
        return bounding_box("ellipse", self.geometry)


@dataclass(frozen=True)
class Scene:
    """Everything that is true of a picture before it is drawn.

    `spacing_mm` is (row_mm, column_mm); `hc_mm` the circumference of the skull's outer edge, None but in a head plane;
    `front` the side to which the cavum points, None but in a head plane.
    """

    seed: int
    plane: Plane
    missing: str | None
    front: str | None
    lesion: Lesion
    style: str
    size: tuple[int, int]
    spacing_mm: tuple[float, float]
    hc_mm: float | None
    structures: tuple[Structure, ...]

    @property
    def is_standard(self) -> bool:
        """Whether the plane has landmarks and shows every one of them."""
        return bool(LANDMARKS[self.plane]) and self.missing is None

    def named(self, name: str) -> tuple[Structure, ...]:
        """The structures of a name, visible or not; two of a thalamus."""
        return tuple(one for one in self.structures if one.name == name)


def stream(seed: int, name: str) -> np.random.Generator:
    """The random stream of one property of one picture."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def compose(
    seed: int,
    *,
    plane: Plane | None = None,
    missing: str | None = "any",
    front: str | None = None,
    lesion: Lesion | None = None,
    size: tuple[int, int] = SIZE,
) -> Scene:
    """Decide what a picture holds; whatever is not given comes from the seed.

    Parameters
    ----------
    seed
        Names the picture: the same arguments give the same scene on every machine.
    missing
        A landmark to leave out, None for none, or ``"any"``: none in half of the pictures.
    front
        One of `FRONTS`; of no effect but in a head plane.
    lesion
        Of no effect in planes that have no room for one (femur, other).
    size
        (height, width) in pixels.

    Raises
    ------
    ValueError
        If the plane has no landmark of the name in `missing`, or `front` is no side.
    """
    planes = list(Plane)
    plane = planes[stream(seed, "plane").integers(len(planes))] if plane is None else plane
    landmarks = LANDMARKS[plane]
    if missing == "any":
        rng = stream(seed, "missing")
        missing = None if not landmarks or rng.random() < 0.5 else landmarks[rng.integers(len(landmarks))]
    if missing is not None and missing not in landmarks:
        raise ValueError(f"a {plane} plane has no landmark {missing!r}: {', '.join(landmarks) or 'none'}")
    if front is not None and front not in FRONTS:
        raise ValueError(f"{front!r} is no side: one of {', '.join(FRONTS)}")
    lesions = list(Lesion)
    lesion = lesions[stream(seed, "lesion").integers(len(lesions))] if lesion is None else lesion
    lesion = lesion if plane in _SPOTS else Lesion.NONE
    front = FRONTS[stream(seed, "front").integers(len(FRONTS))] if front is None else front
    spacing, outline = _outline(seed, plane, front, size)
    structures = _structures(seed, plane, missing, lesion, spacing, outline)
    return Scene(
        seed=seed,
        plane=plane,
        missing=missing,
        front=front if plane is Plane.HEAD else None,
        lesion=lesion,
        style=STYLES[stream(seed, "style").integers(len(STYLES))],
        size=size,
        spacing_mm=spacing,
        hc_mm=circumference_mm(structures[0].geometry, spacing) if plane is Plane.HEAD else None,
        structures=structures,
    )


def _outline(
    seed: int, plane: Plane, front: str, size: tuple[int, int]
) -> tuple[tuple[float, float], dict[str, float]]:
    """Pixel spacing, and the outer ellipse in millimetres with `angle` pointing to the front."""
    rng = stream(seed, "outline")
    unit = min(size)
    longer = rng.uniform(0.30, 0.365) * unit
    shorter = longer * {Plane.HEAD: rng.uniform(0.74, 0.84), Plane.FEMUR: 0.13}.get(plane, rng.uniform(0.88, 0.97))
    # Circumference and size in pixels are drawn apart: how large a head looks says nothing of how large it is.
    wanted_mm = rng.uniform(160, 330)
    mean_mm = wanted_mm / ellipse_perimeter(longer, shorter)
    ratio = rng.uniform(0.87, 1.15) if rng.random() < 0.5 else 1.0
    spacing = (round(mean_mm * ratio, 5), round(mean_mm / ratio, 5))
    angle = rng.uniform(0, 2 * math.pi)
    if plane is Plane.HEAD:
        angle = math.radians(90 * FRONTS.index(front) + rng.uniform(-20, 20))
    cx = size[1] / 2 + rng.uniform(-0.03, 0.03) * unit
    cy = size[0] * 0.52 + rng.uniform(-0.03, 0.03) * unit
    return spacing, {
        "cx": cx * spacing[1],
        "cy": cy * spacing[0],
        "rx": longer * mean_mm,
        "ry": shorter * mean_mm,
        "angle": angle,
    }


def _structures(
    seed: int,
    plane: Plane,
    missing: str | None,
    lesion: Lesion,
    spacing_mm: tuple[float, float],
    outline: dict[str, float],
) -> tuple[Structure, ...]:
    row_mm, column_mm = spacing_mm

    def placed(name: str, part: tuple[float, float, float, float], *, is_visible: bool = True) -> Structure:
        u, v, length, width = part
        cos, sin = math.cos(outline["angle"]), math.sin(outline["angle"])
        along, across = u * outline["rx"], v * outline["ry"]
        millimetres = {
            "cx": outline["cx"] + along * cos - across * sin,
            "cy": outline["cy"] + along * sin + across * cos,
            "rx": length,
            "ry": width,
            "angle": outline["angle"],
        }
        return Structure(name, scaled_ellipse(millimetres, (1 / column_mm, 1 / row_mm)), is_visible)

    found = []
    if plane in OUTLINES:
        found.append(placed(OUTLINES[plane], (0, 0, outline["rx"], outline["ry"])))
    found += [
        placed(name, (u, v, length * outline["rx"], width * outline["ry"]), is_visible=name != missing)
        for name, u, v, length, width in _PARTS[plane]
    ]
    if lesion is not Lesion.NONE:
        spots = _SPOTS[plane]
        u, v = spots[stream(seed, "spot").integers(len(spots))]
        reach = _LESION_REACH * outline["rx"]
        found.append(placed("lesion", (u, v, reach, reach)))
    return tuple(found)


# --- drawing ----------------------------------------------------------------------------------------------------


def draw(scene: Scene) -> NDArray[np.uint8]:
    """The picture, 8-bit grey, (rows, columns)."""
    rng = stream(scene.seed, "texture")
    scale = min(scene.size) / SIZE[0]
    echo = 0.30 + 0.09 * shading(rng, scene.size)
    if scene.plane is Plane.OTHER:
        echo = _pockets(echo, scene, scale)
    for structure in scene.structures:
        if structure.is_visible:
            echo = _painted(echo, structure, scene, scale)
    echo = blur(echo.astype(np.float32), 0.7 * scale)
    _, y = pixel_centres(scene.size)
    echo *= np.exp(-rng.uniform(0.0, 0.5) * y / scene.size[0]) * np.float32(rng.uniform(0.9, 1.15))
    strength = rng.uniform(0.22, 0.34)
    echo = speckled(echo, rng, grain_px=rng.uniform(0.7, 1.1) * scale, strength=strength)
    if scene.style == "sector":
        echo *= fan(scene.size)
    return np.clip(np.round(255 * echo), 0, 255).astype(np.uint8)


def _painted(echo: Field, structure: Structure, scene: Scene, scale: float) -> Field:
    distance = signed_distance(structure.geometry, scene.size)
    rim = RIM_PX * scale
    if structure.name in ("skull", "skin"):
        bright = 0.95 if structure.name == "skull" else 0.55
        echo = _filled(echo, distance, 0.24 if structure.name == "skull" else 0.36)
        return _filled(echo, np.abs(distance + np.float32(rim / 2)) - np.float32(rim / 2), bright)
    if structure.name == "lesion":
        return _lesion(echo, structure, scene)
    if structure.name == "spine":
        return _spine(echo, structure, scene.size)
    if structure.name == "cavum":
        echo = _filled(echo, distance, 0.85)
        return _filled(echo, distance + 0.6 * rim, 0.03)
    level = {"midline": 0.78, "thalamus": 0.10, "stomach": 0.02, "bone": 0.97}[structure.name]
    return _filled(echo, distance, level)


def _filled(echo: Field, distance: Field, level: float) -> Field:
    inside = coverage(distance)
    return echo * (1 - inside) + np.float32(level) * inside


def _spine(echo: Field, structure: Structure, size: tuple[int, int]) -> Field:
    """Three bright dots in a triangle, within the structure's ellipse."""
    at, reach = structure.geometry, min(structure.geometry["rx"], structure.geometry["ry"])
    for turn in range(3):
        angle = at["angle"] + turn * 2 * math.pi / 3
        dot = {
            "cx": at["cx"] + 0.58 * reach * math.cos(angle),
            "cy": at["cy"] + 0.58 * reach * math.sin(angle),
            "rx": 0.36 * reach,
            "ry": 0.36 * reach,
            "angle": 0.0,
        }
        echo = _filled(echo, signed_distance(dot, size), 0.95)
    return echo


def _lesion(echo: Field, structure: Structure, scene: Scene) -> Field:
    at = structure.geometry
    distance = signed_distance(at, scene.size)
    if scene.lesion is Lesion.BENIGN:
        return _filled(echo, distance, 0.80)
    x, y = pixel_centres(scene.size)
    around = np.arctan2(y - np.float32(at["cy"]), x - np.float32(at["cx"]))
    # Spikes reach the ellipse; between them the edge draws back by nearly half.
    retreat = 0.5 * min(at["rx"], at["ry"]) * (0.5 - 0.5 * np.cos(_SPIKES * around))
    return _filled(echo, distance + retreat.astype(np.float32), 0.80)


def _pockets(echo: Field, scene: Scene, scale: float) -> Field:
    """Tissue without a landmark: dark pockets of any shape and faint bands."""
    rng = stream(scene.seed, "pockets")
    height, width = scene.size
    for _ in range(int(rng.integers(2, 5))):
        pocket = {
            "cx": rng.uniform(0.25, 0.75) * width,
            "cy": rng.uniform(0.25, 0.8) * height,
            "rx": rng.uniform(14, 34) * scale,
            "ry": rng.uniform(6, 11) * scale,
            "angle": rng.uniform(0, math.pi),
        }
        distance = signed_distance(pocket, scene.size)
        echo = _filled(echo, np.abs(distance) - np.float32(0.8 * scale), 0.45)
        echo = _filled(echo, distance, rng.uniform(0.05, 0.22))
    return echo


def with_red_box(
    image: NDArray[np.uint8], box: tuple[float, float, float, float], *, width_px: int = 1
) -> NDArray[np.uint8]:
    """The picture in colour with a red rectangle whose inner edge is the box; (rows, columns, 3).

    The line lies outside the box, so that nothing inside it is covered.
    """
    shown = np.repeat(image[:, :, None], 3, axis=2)
    x0, y0, x1, y1 = math.floor(box[0]), math.floor(box[1]), math.ceil(box[2]), math.ceil(box[3])
    frame = np.zeros(image.shape, dtype=np.bool_)
    frame[max(y0 - width_px, 0) : y1 + width_px, max(x0 - width_px, 0) : x1 + width_px] = True
    frame[max(y0, 0) : y1, max(x0, 0) : x1] = False
    shown[frame] = RED
    return shown
