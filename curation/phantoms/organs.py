"""Organs that do not exist, with lesions whose kind, size, edge and place are known to the pixel.

Public names: `make_organ(seed, index)`, `make_organ_case(seed, index, images)`, `paint_over(phantom, region, seed)`,
`moved_region(phantom, lesion, seed)`, `grown(mask, px)`, the dataclasses `OrganPhantom` and `Lesion`, the values
`KINDS`, `SIZES`, `EDGES`, `STYLES`, `EDGED_KINDS`, `SIDE_PX`, `LICENSE` and `LABEL`. The questions that belong to
them are in `curation.phantoms.questions`.

A picture is 168 x 168 grey pixels: an ellipse with a bright rim and two to four lesions in it, each of another kind,
so that a kind's name points at one lesion. Size and edge are drawn for each lesion by itself: nothing about a lesion
can be read from another one. Only places repel one another, since lesions do not overlap. Boxes are (x0, y0, x1, y1)
in pixels, x1 and y1 one past the last pixel, and equal the extent of the lesion's mask.

The same seed and index give the same picture, byte for byte, whatever was made before. Pictures are CC0 and synthetic:
they look a little like ultrasound or like a radiograph and show nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

SIDE_PX = 168
KINDS = ("cyst", "mass", "calcification", "vessel")
EDGED_KINDS = ("cyst", "mass")
SIZES = ("small", "large")
EDGES = ("smooth", "spiculated")
STYLES = ("ultrasound", "radiograph")
LICENSE = "CC0-1.0"
LABEL = "synthetic phantom: generated, shows no patient"

RADIUS_PX = {"small": (8.5, 10.5), "large": (15.5, 18.5)}
LESIONS_SHARES = {2: 0.20, 3: 0.45, 4: 0.35}
MIDLINE_PX = 5.0  # a centre nearer to a midline than this would make "left" or "upper" a matter of taste
GAP_PX = 4.0
RIM_PX = 4.0
TRIES = 256

Mask = NDArray[np.bool_]
Float = NDArray[np.float64]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Lesion:
    """One lesion of a phantom. `edge` is None for the kinds that have no edge to speak of."""

    kind: str
    size: str
    edge: str | None
    centre_xy: tuple[float, float]
    radius_px: float
    box: Box
    mask: Mask  # (168, 168)

    @property
    def vertical(self) -> str:
        """Half of the picture that holds the centre: upper or lower."""
        return "upper" if self.centre_xy[1] < SIDE_PX / 2 else "lower"

    @property
    def horizontal(self) -> str:
        """Half of the picture that holds the centre, as the viewer sees it: left or right."""
        return "left" if self.centre_xy[0] < SIDE_PX / 2 else "right"


@dataclass(frozen=True)
class OrganPhantom:
    """One picture with its truth. `tissue` is the organ without lesions and before the style's noise, in [0, 1]."""

    image: NDArray[np.uint8]  # (168, 168)
    lesions: tuple[Lesion, ...]
    style: str
    organ: Mask  # (168, 168)
    tissue: Float  # (168, 168)

    def lesion(self, kind: str) -> Lesion | None:
        """The lesion of a kind; there is one at most."""
        return next((lesion for lesion in self.lesions if lesion.kind == kind), None)


@dataclass(frozen=True)
class _Plan:
    """A lesion before it has a place."""

    kind: str
    size: str
    edge: str | None
    radius_px: float


@dataclass(frozen=True)
class _Ellipse:
    centre_xy: tuple[float, float]
    semi_axes: tuple[float, float]
    angle: float

    def distance(self, x: Float, y: Float, shrink: Float | float = 0.0) -> Float:
        """1 on the ellipse with semi-axes shorter by `shrink`, less inside, more outside."""
        dx, dy = x - self.centre_xy[0], y - self.centre_xy[1]
        along = dx * np.cos(self.angle) + dy * np.sin(self.angle)
        across = dy * np.cos(self.angle) - dx * np.sin(self.angle)
        a, b = self.semi_axes
        return np.asarray(np.hypot(along / (a - shrink), across / (b - shrink)))


def make_organ(seed: int, index: int = 0, *, kinds: Sequence[str] | None = None) -> OrganPhantom:
    """The phantom of a seed and an index.

    Parameters
    ----------
    seed, index
        Whole numbers from 0; each pair is a picture of its own.
    kinds
        The kinds of its lesions, each once; None draws two to four of the four kinds.

    Raises
    ------
    ValueError
        If a kind is unknown or named twice.

    Examples
    --------
    >>> phantom = make_organ(1, 7)
    >>> phantom.image.shape, 2 <= len(phantom.lesions) <= 4
    ((168, 168), True)
    >>> [lesion.kind for lesion in make_organ(1, 7, kinds=["cyst"]).lesions]
    ['cyst']
    """
    rng = np.random.default_rng([seed, index, 1])
    return _made(rng, _checked(kinds) if kinds is not None else _drawn_kinds(rng))


def make_organ_case(seed: int, index: int = 0, *, images: int) -> tuple[OrganPhantom, ...]:
    """Several pictures that make one case: every kind lies in one of them at most, so its name points at one lesion.

    Each picture has one lesion at least; with one picture it is that of `make_organ`.

    Raises
    ------
    ValueError
        If `images` is not between 1 and the number of kinds.

    Examples
    --------
    >>> [len(phantom.lesions) >= 1 for phantom in make_organ_case(1, 7, images=3)]
    [True, True, True]
    """
    if not 1 <= images <= len(KINDS):
        raise ValueError(f"a case has 1 to {len(KINDS)} images, one kind of lesion at least in each, not {images}")
    if images == 1:
        return (make_organ(seed, index),)
    rng = np.random.default_rng([seed, index, images + 1])
    kinds = [str(kind) for kind in rng.permutation(KINDS)][: int(rng.integers(images, len(KINDS) + 1))]
    place = [*range(images), *rng.integers(0, images, len(kinds) - images).tolist()]
    groups = [[kind for kind, at in zip(kinds, place, strict=True) if at == number] for number in range(images)]
    return tuple(_made(rng, group) for group in groups)


def paint_over(phantom: OrganPhantom, region: Mask, seed: int) -> NDArray[np.uint8]:
    """The picture with a region covered by fresh healthy tissue; every other pixel is what it was.

    Examples
    --------
    >>> phantom = make_organ(1, 7)
    >>> painted = paint_over(phantom, phantom.lesions[0].mask, 3)
    >>> bool((painted == phantom.image)[~phantom.lesions[0].mask].all())
    True
    """
    if region.shape != phantom.image.shape:
        raise ValueError(f"region and picture differ in shape: {region.shape} and {phantom.image.shape}")
    fresh = _NOISE[phantom.style](phantom.tissue, np.random.default_rng([seed, 3]))
    return np.where(region, fresh, phantom.image)


def moved_region(phantom: OrganPhantom, region: Mask, seed: int) -> Mask | None:
    """A region's shape moved to where it meets no lesion and stays in the organ; None where there is no such place."""
    taken = ~phantom.organ
    for lesion in phantom.lesions:
        taken = taken | grown(lesion.mask, 3)
    rows, columns = np.nonzero(region)
    height, width = int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
    shape = region[rows.min() : rows.min() + height, columns.min() : columns.min() + width]
    rng = np.random.default_rng([seed, 4])
    tops, lefts = rng.integers(0, [[SIDE_PX - height + 1], [SIDE_PX - width + 1]], (2, 4 * TRIES))
    for top, left in zip(tops.tolist(), lefts.tolist(), strict=True):
        if not (taken[top : top + height, left : left + width] & shape).any():
            moved = np.zeros_like(region)
            moved[top : top + height, left : left + width] = shape
            return moved
    return None


def grown(mask: Mask, px: int) -> Mask:
    """A mask grown by some pixels in every direction (a square brush), within the picture.

    Examples
    --------
    >>> grown(np.array([[False, False, False, True]]), 1).tolist()
    [[False, False, True, True]]
    """
    brush = ImageFilter.MaxFilter(2 * px + 1)
    return np.asarray(Image.fromarray(mask.astype(np.uint8)).filter(brush)).astype(bool)


def _drawn_kinds(rng: np.random.Generator) -> list[str]:
    count = int(rng.choice(list(LESIONS_SHARES), p=list(LESIONS_SHARES.values())))
    return [str(kind) for kind in rng.permutation(KINDS)[:count]]


def _checked(kinds: Sequence[str]) -> list[str]:
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(f"lesion kind {kind!r} is none of {', '.join(KINDS)}")
    if len(set(kinds)) != len(kinds):
        raise ValueError(f"each kind may be named once, not {', '.join(kinds)}")
    return list(kinds)


def _made(rng: np.random.Generator, kinds: Sequence[str]) -> OrganPhantom:
    style = STYLES[int(rng.integers(2))]
    plans = [_plan(rng, kind) for kind in kinds]
    ellipse, places = _placed(rng, [plan.radius_px for plan in plans])
    x, y = _pixel_centres()
    tissue = _tissue(rng, ellipse, x, y)
    scene, lesions = tissue, []
    for plan, place in zip(plans, places, strict=True):
        dx, dy = x - place[0], y - place[1]
        level, mask = _DRAW[plan.kind](rng, plan, dx, dy)
        scene = np.where(np.isnan(level), scene, level)
        lesions.append(Lesion(plan.kind, plan.size, plan.edge, place, plan.radius_px, _extent(mask), mask))
    return OrganPhantom(
        image=_NOISE[style](scene, rng),
        lesions=tuple(lesions),
        style=style,
        organ=ellipse.distance(x, y, RIM_PX) < 1,
        tissue=tissue,
    )


def _plan(rng: np.random.Generator, kind: str) -> _Plan:
    size, edge = SIZES[int(rng.integers(2))], EDGES[int(rng.integers(2))]
    return _Plan(kind, size, edge if kind in EDGED_KINDS else None, float(rng.uniform(*RADIUS_PX[size])))


def _placed(rng: np.random.Generator, radii: Sequence[float]) -> tuple[_Ellipse, list[tuple[float, float]]]:
    """An organ and a place for each lesion. Sizes are fixed before, so that a crowded picture does not shrink them."""
    radius = np.array(radii)
    while True:
        ellipse = _Ellipse(
            centre_xy=(SIDE_PX / 2 + rng.uniform(-3, 3), SIDE_PX / 2 + rng.uniform(-3, 3)),
            semi_axes=(rng.uniform(62, 80), rng.uniform(62, 80)),
            angle=rng.uniform(0, np.pi),
        )
        places = rng.uniform(0, SIDE_PX, (TRIES, len(radii), 2))
        is_good = (ellipse.distance(places[..., 0], places[..., 1], radius + RIM_PX) < 1).all(axis=1)
        is_good &= (np.abs(places - SIDE_PX / 2) >= MIDLINE_PX).all(axis=(1, 2))
        apart = np.linalg.norm(places[:, :, None] - places[:, None], axis=-1)
        needed = radius[:, None] + radius[None] + GAP_PX
        is_good &= (apart >= np.where(np.eye(len(radii), dtype=bool), 0, needed)).all(axis=(1, 2))
        if is_good.any():
            return ellipse, [(float(px), float(py)) for px, py in places[int(np.argmax(is_good))]]


def _pixel_centres() -> tuple[Float, Float]:
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] + 0.5
    return x, y


def _tissue(rng: np.random.Generator, ellipse: _Ellipse, x: Float, y: Float) -> Float:
    inside = ellipse.distance(x, y)
    rim = ellipse.distance(x, y, RIM_PX)
    coarse = Image.fromarray(rng.normal(0, 0.05, (5, 5)).astype(np.float32))
    shading = np.asarray(coarse.resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC), dtype=np.float64)
    organ = np.where(rim < 1, 0.42 + shading, 0.72)
    return np.asarray(np.clip(np.where(inside < 1, organ, 0.10 + shading / 2), 0.02, 1.0))


def _outline(rng: np.random.Generator, plan: _Plan, dx: Float, dy: Float) -> Mask:
    """A round form with a smooth outline, or one with ten to fourteen spikes; both reach the plan's radius."""
    angle = np.arctan2(dy, dx) + rng.uniform(0, 2 * np.pi)
    if plan.edge == "spiculated":
        spikes = int(rng.integers(10, 15))
        saw = np.abs((angle * spikes / np.pi) % 2 - 1)
        reach = plan.radius_px * (0.66 + 0.34 * saw)
    else:
        reach = plan.radius_px * (0.97 + 0.03 * np.cos(2 * angle))
    return np.asarray(np.hypot(dx, dy) < reach)


def _cyst(rng: np.random.Generator, plan: _Plan, dx: Float, dy: Float) -> tuple[Float, Mask]:
    mask = _outline(rng, plan, dx, dy)
    return np.where(mask, rng.uniform(0.04, 0.10), np.nan), mask


def _mass(rng: np.random.Generator, plan: _Plan, dx: Float, dy: Float) -> tuple[Float, Mask]:
    mask = _outline(rng, plan, dx, dy)
    return np.where(mask, rng.uniform(0.78, 0.90), np.nan), mask


def _calcification(rng: np.random.Generator, plan: _Plan, dx: Float, dy: Float) -> tuple[Float, Mask]:
    """Bright dots within the radius, two of them at its ends; the mask takes in a margin about each dot."""
    count = int(rng.integers(6, 9)) if plan.size == "small" else int(rng.integers(14, 19))
    angle = rng.uniform(0, 2 * np.pi, count)
    reach = (plan.radius_px - 3.0) * np.sqrt(rng.uniform(0, 1, count))
    reach[:2], angle[1] = plan.radius_px - 3.0, angle[0] + np.pi
    away = np.hypot(dx[..., None] - reach * np.cos(angle), dy[..., None] - reach * np.sin(angle))
    radius = rng.uniform(1.3, 1.9, count)
    is_dot = (away < radius).any(axis=-1)
    return np.where(is_dot, 1.0, np.nan), np.asarray((away < radius + 1.5).any(axis=-1))


def _vessel(rng: np.random.Generator, plan: _Plan, dx: Float, dy: Float) -> tuple[Float, Mask]:
    """A bent dark tube between bright walls, as long as the radius allows."""
    angle = rng.uniform(0, np.pi)
    along = dx * np.cos(angle) + dy * np.sin(angle)
    across = dy * np.cos(angle) - dx * np.sin(angle)
    bend = rng.uniform(-0.2, 0.2) * plan.radius_px
    off = np.abs(across - bend * (1 - 2 * (along / plan.radius_px) ** 2) / 2)
    half = 2.2 if plan.size == "small" else 3.2
    is_within = np.abs(along) < np.sqrt(max(plan.radius_px**2 - (half + 2 + abs(bend) / 2) ** 2, 1.0))
    mask = np.asarray(is_within & (off < half + 1.8))
    return np.where(mask, np.where(off < half, 0.05, 0.88), np.nan), mask


def _ultrasound(scene: Float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Multiplicative Rayleigh speckle with grains of about two pixels."""
    grain = rng.rayleigh(1.0, scene.shape)
    grain = (grain + np.roll(grain, 1, axis=1) + 0.5 * np.roll(grain, 1, axis=0)) / 2.5
    return _as_bytes(scene * (0.35 + 0.65 * grain / 1.2533))  # 1.2533: a Rayleigh variable's mean


def _radiograph(scene: Float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A soft picture with additive noise. Blurred before the noise, so that the noise stays sharp."""
    soft = np.mean([np.roll(scene, shift, axis) for axis in (0, 1) for shift in (-1, 0, 1)], axis=0)
    return _as_bytes(soft + rng.normal(0, 0.035, scene.shape))


def _as_bytes(values: Float) -> NDArray[np.uint8]:
    return np.asarray(np.clip(values * 255, 0, 255).round().astype(np.uint8))


def _extent(mask: Mask) -> Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


_DRAW: dict[str, Callable[[np.random.Generator, _Plan, Float, Float], tuple[Float, Mask]]] = {
    "cyst": _cyst,
    "mass": _mass,
    "calcification": _calcification,
    "vessel": _vessel,
}
_NOISE: dict[str, Callable[[Float, np.random.Generator], NDArray[np.uint8]]] = {
    "ultrasound": _ultrasound,
    "radiograph": _radiograph,
}
