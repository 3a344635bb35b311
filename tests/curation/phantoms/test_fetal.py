"""Fetal phantoms: what a scene says of a picture is what its pixels show."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.geometry import check_geometry, rasterize
from curation.phantoms.ellipses import circumference_mm
from curation.phantoms.fetal import (
    FRONTS,
    LANDMARKS,
    RIM_PX,
    STYLES,
    Lesion,
    Plane,
    Scene,
    Structure,
    compose,
    draw,
    with_red_box,
)

MANY = range(400)


def moments_ellipse(mask: np.ndarray) -> dict[str, float]:
    """The ellipse whose filled shape has a mask's area moments: found from the pixels alone."""
    rows, columns = np.nonzero(mask)
    points = np.stack([columns + 0.5, rows + 0.5], axis=1)
    values, vectors = np.linalg.eigh(np.cov(points.T))
    cx, cy = points.mean(axis=0)
    angle = math.atan2(vectors[1, 1], vectors[0, 1])
    rx, ry = 2 * np.sqrt(values[::-1])
    return {"cx": float(cx), "cy": float(cy), "rx": float(rx), "ry": float(ry), "angle": angle}


def contrast(image: np.ndarray, structure: Structure, scene: Scene) -> float:
    """Mean inside a structure minus mean in a ring around it."""
    inside = rasterize("ellipse", structure.geometry, scene.size)
    wide = {**structure.geometry, "rx": structure.geometry["rx"] + 5, "ry": structure.geometry["ry"] + 5}
    ring = rasterize("ellipse", wide, scene.size) & ~inside
    return float(image[inside].mean() - image[ring].mean())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_head_circumference_is_found_again_in_the_masks_own_pixels(seed: int) -> None:
    scene = compose(seed, plane=Plane.HEAD)
    found = moments_ellipse(rasterize("ellipse", scene.structures[0].geometry, scene.size))
    pixel_mm = max(scene.spacing_mm)
    assert scene.hc_mm is not None
    assert abs(circumference_mm(found, scene.spacing_mm) - scene.hc_mm) < pixel_mm
    assert 155 < scene.hc_mm < 335


@pytest.mark.parametrize("seed", range(12))
def test_the_skull_is_drawn_with_its_outer_edge_on_the_ellipse(seed: int) -> None:
    scene = compose(seed, plane=Plane.HEAD, lesion=Lesion.NONE, missing="midline")
    image, skull = draw(scene).astype(float), scene.structures[0].geometry

    def mean_of_band(outer: float, inner: float) -> float:
        large, small = (
            rasterize("ellipse", {**skull, "rx": skull["rx"] + grown, "ry": skull["ry"] + grown}, scene.size)
            for grown in (outer, inner)
        )
        return float(image[large & ~small].mean())

    bands = {at: mean_of_band(at + 1, at) for at in range(-8, 8)}
    brightest = max(bands, key=lambda at: bands[at])
    assert -RIM_PX <= brightest < 0
    # Half of the rise lies at the edge, to within a pixel.
    outside = bands[6]
    half = (bands[brightest] + outside) / 2
    assert bands[-2] > half > bands[1]


def test_how_large_a_head_looks_says_nothing_of_how_large_it_is() -> None:
    scenes = [compose(seed, plane=Plane.HEAD) for seed in MANY]
    radii, circumferences = zip(*((s.structures[0].geometry["rx"], s.hc_mm) for s in scenes), strict=True)
    assert abs(np.corrcoef(radii, circumferences)[0, 1]) < 0.15
    anisotropic = sum(scene.spacing_mm[0] != scene.spacing_mm[1] for scene in scenes)
    assert 150 < anisotropic < 250


@pytest.mark.parametrize("seed", range(40))
def test_every_structure_lies_in_the_picture_and_parts_do_not_touch(seed: int) -> None:
    for plane in Plane:
        scene = compose(seed, plane=plane)
        for structure in scene.structures:
            assert check_geometry("ellipse", dict(structure.geometry), scene.size[1], scene.size[0]) == []
            x0, y0, x1, y1 = structure.box
            assert 0 < x0 < x1 < scene.size[1]
            assert 0 < y0 < y1 < scene.size[0]
        parts = [rasterize("ellipse", one.geometry, scene.size) for one in scene.structures[1:]]
        assert not any((one & other).any() for one, other in combinations(parts, 2))
        if plane in (Plane.HEAD, Plane.ABDOMEN):
            outline = rasterize("ellipse", scene.structures[0].geometry, scene.size)
            assert not any((part & ~outline).any() for part in parts)


@pytest.mark.parametrize(
    ("plane", "name", "is_brighter"),
    [
        (Plane.HEAD, "midline", True),
        (Plane.HEAD, "thalamus", False),
        (Plane.ABDOMEN, "stomach", False),
        (Plane.ABDOMEN, "spine", True),
        (Plane.FEMUR, "bone", True),
    ],
)
def test_a_region_holds_the_structure_that_it_names(plane: Plane, name: str, is_brighter: bool) -> None:
    for seed in range(12):
        scene = compose(seed, plane=plane, missing=None, lesion=Lesion.NONE)
        image = draw(scene)
        for structure in scene.named(name):
            assert (contrast(image, structure, scene) > 12) is is_brighter
            assert (contrast(image, structure, scene) < -12) is not is_brighter


def test_a_missing_landmark_is_not_drawn_and_its_place_is_known() -> None:
    for seed in range(12):
        for plane, landmarks in LANDMARKS.items():
            for missing in landmarks:
                scene = compose(seed, plane=plane, missing=missing, lesion=Lesion.NONE)
                assert not scene.is_standard
                places = scene.named(missing)
                assert places
                assert not any(place.is_visible for place in places)
                whole = compose(seed, plane=plane, missing=None, lesion=Lesion.NONE)
                assert whole.is_standard
                assert [one.geometry for one in whole.structures] == [one.geometry for one in scene.structures]
                changed = draw(scene).astype(int) != draw(whole).astype(int)
                there = np.zeros(scene.size, dtype=bool)
                for place in places:
                    x0, y0, x1, y1 = place.box
                    there[int(y0) - 4 : int(y1) + 5, int(x0) - 4 : int(x1) + 5] = True
                assert changed[there].any()
                assert not changed[~there].any()


def test_the_front_is_where_the_cavum_lies() -> None:
    for seed in MANY:
        scene = compose(seed, plane=Plane.HEAD)
        skull, cavum = scene.structures[0].geometry, scene.named("cavum")[0].geometry
        x, y = cavum["cx"] - skull["cx"], cavum["cy"] - skull["cy"]
        sides = {"right": x, "left": -x, "down": y, "up": -y}
        assert max(sides, key=lambda side: sides[side]) == scene.front
        assert sides[str(scene.front)] > 2 * min(abs(x), abs(y))


def test_both_lesions_are_bright_and_only_one_has_spikes() -> None:
    for seed in range(12):
        scenes = {lesion: compose(seed, plane=Plane.HEAD, lesion=lesion, missing=None) for lesion in Lesion}
        smooth, spiked = (draw(scenes[lesion]) for lesion in (Lesion.BENIGN, Lesion.MALIGNANT))
        where = scenes[Lesion.BENIGN].named("lesion")[0]
        assert where == scenes[Lesion.MALIGNANT].named("lesion")[0]
        assert scenes[Lesion.NONE].named("lesion") == ()
        assert contrast(smooth, where, scenes[Lesion.BENIGN]) > 30
        inner = {**where.geometry, "rx": where.geometry["rx"] * 0.4, "ry": where.geometry["ry"] * 0.4}
        middle = rasterize("ellipse", inner, scenes[Lesion.NONE].size)
        rim = rasterize("ellipse", where.geometry, scenes[Lesion.NONE].size) & ~middle
        assert smooth[middle].mean() == pytest.approx(spiked[middle].mean(), abs=12)
        assert smooth[rim].mean() > spiked[rim].mean() + 15


def test_fixing_one_property_changes_no_other() -> None:
    for seed in range(50):
        free = compose(seed, plane=Plane.HEAD)
        turned = compose(seed, plane=Plane.HEAD, lesion=Lesion.MALIGNANT)
        assert (free.front, free.missing, free.style, free.hc_mm, free.spacing_mm) == (
            turned.front,
            turned.missing,
            turned.style,
            turned.hc_mm,
            turned.spacing_mm,
        )


def test_no_property_tells_of_another() -> None:
    scenes = [compose(seed, plane=(Plane.HEAD, Plane.ABDOMEN)[seed % 2]) for seed in range(1200)]
    drawn: dict[str, list[object]] = {
        "style": [scene.style for scene in scenes],
        "lesion": [scene.lesion for scene in scenes],
        "standard": [scene.is_standard for scene in scenes],
        "plane": [scene.plane for scene in scenes],
        "anisotropic": [scene.spacing_mm[0] != scene.spacing_mm[1] for scene in scenes],
    }
    for one, other in combinations(drawn, 2):
        table = Counter(zip(drawn[one], drawn[other], strict=True))
        totals, across = Counter(drawn[one]), Counter(drawn[other])
        for (a, b), count in table.items():
            expected = totals[a] * across[b] / len(scenes)
            # Four standard deviations of a count: what chance leaves.
            assert abs(count - expected) < 4 * math.sqrt(expected), (one, a, other, b)


def test_every_property_takes_every_value() -> None:
    scenes = [compose(seed) for seed in MANY]
    assert {scene.plane for scene in scenes} == set(Plane)
    assert {scene.front for scene in scenes} == {*FRONTS, None}
    assert {scene.style for scene in scenes} == set(STYLES)
    assert {scene.lesion for scene in scenes} == set(Lesion)
    assert all(scene.hc_mm is None for scene in scenes if scene.plane is not Plane.HEAD)


@pytest.mark.parametrize("size", [(168, 168), (240, 320)])
def test_one_seed_gives_one_picture(size: tuple[int, int]) -> None:
    first, second = (draw(compose(31, size=size)) for _ in range(2))
    assert first.shape == size
    assert first.dtype == np.uint8
    assert (first == second).all()
    assert (first != draw(compose(32, size=size))).any()


def test_what_cannot_be_composed_is_named() -> None:
    with pytest.raises(ValueError, match="a femur plane has no landmark 'cavum': none"):
        compose(1, plane=Plane.FEMUR, missing="cavum")
    with pytest.raises(ValueError, match="'inward' is no side: one of right, down, left, up"):
        compose(1, front="inward")


def test_a_red_box_covers_nothing_that_it_holds() -> None:
    image = draw(compose(5, plane=Plane.HEAD))
    shown = with_red_box(image, (40.0, 50.0, 90.0, 80.0), width_px=2)
    assert (shown[50:80, 40:90] == image[50:80, 40:90, None]).all()
    red = (shown == (255, 32, 32)).all(axis=2)
    assert red[48:50, 38:92].all()
    assert red[50:80, 90:92].all()
    assert red.sum() == 54 * 34 - 50 * 30
