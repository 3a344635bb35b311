"""The pixel convention: the shared fixture, the rule spelt out naively, and pycocotools as an independent codec."""

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from curation.geometry import area_px, bounding_box, check_geometry, decode_rle, encode_rle, rasterize, stored_geometry

CASES = json.loads((Path(__file__).parents[1] / "fixtures" / "geometry.json").read_text())
HALF = Fraction(1, 2)


def rows_of(mask: Any) -> list[str]:
    return ["".join("1" if cell else "0" for cell in row) for row in mask]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_fixture(case: dict[str, Any]) -> None:
    mask = rasterize(case["shape"], case["geometry"], tuple(case["size"]))
    assert mask.dtype == np.bool_
    assert rows_of(mask) == case["pixels"]
    assert bounding_box(case["shape"], case["geometry"]) == pytest.approx(case["bounding_box"])
    assert area_px(case["shape"], case["geometry"]) == pytest.approx(case["area_px"])


def is_inside_polygon(points: list[tuple[float, float]], x: Fraction, y: Fraction) -> bool:
    crossed = 0
    for begin, end in zip(points, points[1:] + points[:1], strict=True):
        (xa, ya), (xb, yb) = sorted((begin, end), key=lambda corner: corner[1])
        exact = [Fraction(number) for number in (xa, ya, xb, yb)]
        if exact[1] <= y < exact[3]:
            crossed += (x - exact[0]) * (exact[3] - exact[1]) >= (y - exact[1]) * (exact[2] - exact[0])
    return crossed % 2 == 1


eighths = st.integers(-40, 120).map(lambda number: number / 8)
halves = st.integers(-6, 30).map(lambda number: number / 2)
corners = st.lists(st.tuples(eighths, eighths), min_size=3, max_size=12) | st.lists(
    st.tuples(halves, halves), min_size=3, max_size=12
)


@settings(max_examples=150, deadline=None)
@given(corners)
def test_polygon_fills_as_the_rule_says(points: list[tuple[float, float]]) -> None:
    mask = rasterize("polygon", {"points": points}, (11, 13))
    expected = [[is_inside_polygon(points, c + HALF, r + HALF) for c in range(13)] for r in range(11)]
    assert mask.tolist() == expected


@settings(max_examples=100, deadline=None)
@given(corners, st.randoms(use_true_random=False))
def test_polygon_does_not_depend_on_start_or_sense(points: list[tuple[float, float]], random: Any) -> None:
    mask = rasterize("polygon", {"points": points}, (11, 13))
    turn = random.randrange(len(points))
    assert (rasterize("polygon", {"points": points[turn:] + points[:turn]}, (11, 13)) == mask).all()
    assert (rasterize("polygon", {"points": points[::-1]}, (11, 13)) == mask).all()


@settings(max_examples=60, deadline=None)
@given(corners)
def test_even_odd_area_is_what_ever_finer_pixels_count(points: list[tuple[float, float]]) -> None:
    finer = 16
    moved = [((x + 6) * finer, (y + 6) * finer) for x, y in points]
    counted = rasterize("polygon", {"points": moved}, (22 * finer, 22 * finer)).sum() / finer**2
    outline = sum(math.dist(a, b) for a, b in zip(points, points[1:] + points[:1], strict=True))
    assert area_px("polygon", {"points": points}) == pytest.approx(counted, abs=1e-9 + outline / finer)


@settings(max_examples=100, deadline=None)
@given(eighths, eighths, eighths, eighths)
def test_a_box_and_its_polygon_have_the_same_pixels(xa: float, ya: float, xb: float, yb: float) -> None:
    x0, x1, y0, y1 = min(xa, xb), max(xa, xb), min(ya, yb), max(ya, yb)
    box = rasterize("box", {"x0": x0, "y0": y0, "x1": x1, "y1": y1}, (11, 13))
    outline = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
    assert (rasterize("polygon", {"points": outline}, (11, 13)) == box).all()


def test_neighbouring_polygons_share_no_pixel_and_leave_none_out() -> None:
    fan = [(0.0, 0.0), (12.0, 0.0), (12.0, 9.0), (0.0, 9.0)]
    middle = (5.5, 3.5)
    parts = [
        rasterize("polygon", {"points": [a, b, middle]}, (9, 12)) for a, b in zip(fan, fan[1:] + fan[:1], strict=True)
    ]
    assert (np.sum(parts, axis=0) == 1).all()


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_rle_agrees_with_pycocotools(height: int, width: int, density: float, seed: int) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < density
    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    ours = encode_rle(mask)
    assert ours == {"size": [height, width], "counts": theirs["counts"].decode()}
    assert (decode_rle(ours) == mask).all()
    assert area_px("mask", ours) == mask.sum()


def test_rle_of_long_runs() -> None:
    mask = np.zeros((3000, 2000), dtype=np.bool_)
    mask[100:2900, 7] = True
    mask[:, 1500:] = True
    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert encode_rle(mask)["counts"] == theirs["counts"].decode()
    assert (decode_rle(encode_rle(mask)) == mask).all()


@pytest.mark.parametrize(
    ("rle", "message"),
    [
        ({"size": [2, 2], "counts": [2, 3]}, "add up to 5"),
        ({"size": [2, 2], "counts": [5, -1]}, "whole numbers"),
        ({"size": [2, 2], "counts": [4.0]}, "whole numbers"),
        ({"size": [2, 2], "counts": [True, 3]}, "whole numbers"),
        ({"size": [2, 2], "counts": "2\x7f"}, "no compressed RLE"),
        ({"size": [2, 2], "counts": "2é"}, "no compressed RLE"),
        ({"size": [2, 2], "counts": "P"}, "middle of a run"),
        ({"size": [2, 2], "counts": "o" * 40 + "0"}, "longer than any mask"),
        ({"size": [2, 2], "counts": "oooooooooo0" * 30}, "longer than any mask"),
        ({"size": [2, 2], "counts": "4N"}, "negative"),
        ({"size": [2, 2], "counts": ""}, "add up to 0"),
        ({"size": [2, 2], "counts": 4}, "string or a list"),
        ({"size": [100_000, 100_000], "counts": [10**10]}, "above the limit"),
        ({"size": [2], "counts": [2]}, "two positive"),
        ({"size": [True, 4], "counts": [4]}, "two positive"),
        ({"size": [0, 4], "counts": []}, "two positive"),
        ({"counts": [4]}, "two positive"),
    ],
)
def test_malformed_rle_is_refused(rle: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode_rle(rle)


@pytest.mark.parametrize(
    ("shape", "geometry", "message"),
    [
        ("box", {"x0": math.nan, "y0": 0, "x1": 1, "y1": 1}, "x0 is not finite"),
        ("box", {"x0": 0, "y0": 0, "x1": math.inf, "y1": 1}, "x1 is not finite"),
        ("box", {"x0": 3, "y0": 0, "x1": 1, "y1": 1}, "inside out"),
        ("box", {"x0": 0, "y0": 0, "x1": 1}, "y1 is missing"),
        ("ellipse", {"cx": 1, "cy": 1, "rx": 0, "ry": 1, "angle": 0}, "not positive"),
        ("ellipse", {"cx": 1, "cy": 1, "rx": 1, "ry": 1, "angle": math.nan}, "angle is not finite"),
        ("polygon", {"points": [[0, 0], [1, 1]]}, "at least 3"),
        ("polygon", {"points": [[0, 0], [1, 1], [1, math.inf]]}, r"points\[2\]\[1\]"),
        ("polygon", {"points": [[0, 0], [1, 1], [1]]}, r"points\[2\] is not"),
        ("line", {"points": [[0, 0]]}, "at least 2"),
        ("point", {"x": 1, "y": "2"}, "y is not a number"),
        ("mask", {"size": [3, 4], "counts": [12]}, "the image 4 x 4"),
        ("circle", {"x": 1}, "unknown shape"),
    ],
)
def test_rasterize_raises(shape: str, geometry: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rasterize(shape, geometry, (4, 4))


def test_far_away_coordinates_are_no_error() -> None:
    assert rasterize("polygon", {"points": [[-1e60, -1e60], [1e60, -1e60], [1e60, 1e60], [-1e60, 1e60]]}, (3, 4)).all()
    assert not rasterize("box", {"x0": 1e60, "y0": 0, "x1": 2e60, "y1": 4}, (3, 4)).any()


def test_an_empty_mask_has_no_bounding_box() -> None:
    with pytest.raises(ValueError, match="without a set pixel"):
        bounding_box("mask", {"size": [2, 2], "counts": [4]})


@pytest.mark.parametrize(
    ("shape", "geometry", "paths"),
    [
        ("box", {"x0": 0, "y0": 0, "x1": 8, "y1": 6}, []),
        ("box", {"x0": -0.5, "y0": 0, "x1": 8.5, "y1": 6}, ["geometry.x0", "geometry.x1"]),
        ("box", {"x0": 4, "y0": 3, "x1": 4, "y1": 3}, ["geometry.x1", "geometry.y1"]),
        (
            "box",
            {"x0": math.nan, "y0": math.inf, "x1": True, "y1": "6"},
            ["geometry.x0", "geometry.y0", "geometry.x1", "geometry.y1"],
        ),
        ("box", {"x0": 0, "y0": 0, "x1": 10**400, "y1": 6}, ["geometry.x1"]),
        ("box", {"x0": 0, "y0": 0, "x1": 8}, ["geometry.y1"]),
        ("box", {"x0": 0, "y0": 0, "x1": 8, "y1": 6, "z": 1}, ["geometry.z"]),
        ("ellipse", {"cx": 8, "cy": 6, "rx": 20, "ry": 0.1, "angle": -3}, []),
        (
            "ellipse",
            {"cx": 9, "cy": 6, "rx": 0, "ry": -1, "angle": math.inf},
            ["geometry.cx", "geometry.rx", "geometry.ry", "geometry.angle"],
        ),
        ("polygon", {"points": [[0, 0], [8, 0], [8, 6]]}, []),
        ("polygon", {"points": [[0, 0], [8, 0]]}, ["geometry.points"]),
        ("polygon", {"points": [[0, 0]] * 20_001}, ["geometry.points"]),
        ("polygon", {"points": [[0, 0], [8, 7], [8]]}, ["geometry.points.1.1", "geometry.points.2"]),
        ("polygon", {"points": "abc"}, ["geometry.points"]),
        ("freehand", {"points": [[0, 0], [8, 0], [8, None]]}, ["geometry.points.2.1"]),
        ("line", {"points": [[0, 0], [8, 6]]}, []),
        ("line", {"points": [[0, 0]]}, ["geometry.points"]),
        ("point", {"x": 8, "y": 6}, []),
        ("point", {"x": 8, "y": -1e-9}, ["geometry.y"]),
        ("mask", {"size": [6, 8], "counts": [40, 8]}, []),
        ("mask", {"size": [8, 6], "counts": [40, 8]}, ["geometry.size"]),
        ("mask", {"size": [10**9, 10**9], "counts": [10**18]}, ["geometry.size"]),
        ("mask", {"size": [6, 8], "counts": [10**30]}, ["geometry.counts"]),
        ("mask", {"size": [6, 8], "counts": [48]}, ["geometry.counts"]),
        ("mask", {"size": [6, 8], "counts": "zzzz"}, ["geometry.counts"]),
        ("box", None, ["geometry"]),
        ("box", [], ["geometry"]),
        ("circle", {}, ["shape"]),
        (None, {}, ["shape"]),
        (["box"], {}, ["shape"]),
    ],
)
def test_check_geometry_names_the_field(shape: object, geometry: object, paths: list[str]) -> None:
    assert sorted(path for path, _ in check_geometry(shape, geometry, 8, 6)) == sorted(paths)


def test_a_mask_is_stored_compressed_and_other_shapes_as_they_came() -> None:
    listed = {"size": [6, 8], "counts": [40, 8]}
    stored = stored_geometry("mask", listed)
    assert isinstance(stored["counts"], str)
    assert (decode_rle(stored) == decode_rle(listed)).all()
    assert stored_geometry("point", {"x": 1.5, "y": 2}) == {"x": 1.5, "y": 2}
