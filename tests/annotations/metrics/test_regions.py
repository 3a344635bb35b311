"""Shapes held against each other: the same as their masks, points and lines by distance, and no shape left out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco

from annotations.metrics import regions
from annotations.metrics.outlines import hausdorff, hausdorff95, surface_dice
from annotations.metrics.overlap import dice, iou, match_rois
from annotations.metrics.regions import region_pairs, region_scores, union_overlap
from annotations.metrics.shapes import AREAS, Shape, area_crop
from curation.geometry import encode_rle, rasterize

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # others share the cores

SIZE = (30, 40)
quarters = st.integers(-20, 180).map(lambda number: number / 4)

boxes = st.tuples(quarters, quarters, st.integers(0, 60), st.integers(0, 60)).map(
    lambda box: ("box", {"x0": box[0], "y0": box[1], "x1": box[0] + box[2] / 4, "y1": box[1] + box[3] / 4})
)
ellipses = st.tuples(quarters, quarters, st.integers(1, 50), st.integers(1, 50), st.floats(-3, 3)).map(
    lambda one: ("ellipse", {"cx": one[0], "cy": one[1], "rx": one[2] / 4, "ry": one[3] / 4, "angle": one[4]})
)
polygons = st.tuples(
    st.sampled_from(["polygon", "freehand"]), st.lists(st.tuples(quarters, quarters), min_size=3, max_size=9)
).map(lambda one: (one[0], {"points": [list(point) for point in one[1]]}))
mask_shapes = hnp.arrays(np.bool_, SIZE, elements=st.booleans()).map(lambda mask: ("mask", encode_rle(mask)))
blobs = polygons.map(lambda shape: ("mask", encode_rle(rasterize(shape[0], shape[1], SIZE))))
areas = st.one_of(boxes, ellipses, polygons, mask_shapes, blobs)
pixel_areas = st.one_of(ellipses, polygons, mask_shapes, blobs)


def _filled(shape):
    kind, geometry = shape
    return rasterize(kind, geometry, SIZE)


def _box(x0, y0, x1, y1) -> Shape:
    return ("box", {"x0": x0, "y0": y0, "x1": x1, "y1": y1})


def _point(x, y) -> Shape:
    return ("point", {"x": x, "y": y})


def _line(*points) -> Shape:
    return ("line", {"points": [list(point) for point in points]})


def _scores(a, b, **settings):
    return region_scores(a, b, (100, 100), **{"point_tolerance": 5, **settings}).tolist()


@unhurried
@given(areas)
def test_a_crop_holds_exactly_the_pixels_of_the_shape(shape):
    top, left, mask, count = area_crop(shape, SIZE)
    painted = np.zeros(SIZE, dtype=np.bool_)
    painted[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    expected = _filled(shape)
    assert np.array_equal(painted, expected)
    assert count == np.count_nonzero(expected)


@unhurried
@given(st.lists(pixel_areas, max_size=3), st.lists(areas, max_size=3))
def test_scores_are_those_of_the_masks(a, b):
    found = region_scores(a, b, SIZE, point_tolerance=1)
    assert found.shape == (len(a), len(b))
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            assert found[i, j] == pytest.approx(np.nan_to_num(iou(_filled(one), _filled(other))))


@unhurried
@given(st.lists(mask_shapes, min_size=1, max_size=3), st.lists(blobs, min_size=1, max_size=3))
def test_masks_score_as_pycocotools_says(a, b):
    assume(all(_filled(shape).any() for shape in (*a, *b)))
    theirs = coco.iou([one[1] for one in a], [other[1] for other in b], [0] * len(b))
    assert region_scores(a, b, SIZE, point_tolerance=1) == pytest.approx(theirs)


def test_two_boxes_are_compared_by_their_sides():
    assert _scores([_box(0.0, 0.0, 2.5, 1.0)], [_box(0.5, 0.0, 3.0, 1.0)]) == [[pytest.approx(2 / 3)]]
    assert _scores([_box(-9, 0, 0, 1)], [_box(-9, 0, 0, 1)]) == [[1.0]]  # beyond the image too
    assert _scores([_box(1, 1, 1, 1)], [_box(1, 1, 1, 1)]) == [[0.0]]


@unhurried
@given(boxes, boxes)
def test_boxes_score_as_pycocotools_says(one, other):
    sides = [[g["x0"], g["y0"], g["x1"] - g["x0"], g["y1"] - g["y0"]] for _, g in (one, other)]
    assume(all(width * height for _, _, width, height in sides))
    theirs = coco.iou(np.array([sides[0]]), np.array([sides[1]]), [0])
    assert region_scores([one], [other], SIZE, point_tolerance=1) == pytest.approx(theirs)


def test_points_are_alike_within_the_tolerance():
    assert _scores([_point(10, 10)], [_point(10, 10), _point(13, 14), _point(13, 14.1)]) == [[1.0, 0.5, 0.0]]
    # 3 columns of 1 mm and 2 rows of 2 mm are 5 mm.
    assert _scores([_point(10, 10)], [_point(13, 12)], spacing=(2.0, 1.0)) == [[0.5]]
    # A rounding error above the tolerance is within.
    assert _scores([_point(0, 0)], [_point(3, 0)], spacing=(0.1, 0.1), point_tolerance=0.3) == [[0.5]]


def test_lines_are_alike_by_their_mean_distance():
    line = _line((10, 10), (30, 10))
    assert _scores([line], [_line((10, 12), (30, 12))])[0][0] == pytest.approx(1 - 2 / 10)
    assert _scores([line], [_line((30, 10), (20, 10), (10, 10))]) == [[1.0]]  # neither direction nor points matter
    assert _scores([line], [_line((10, 40), (30, 40))]) == [[0.0]]
    # Twice as long: its second half is 0 to 20 away, which is 5 on average over the whole; the short one's 0 halves it.
    assert _scores([line], [_line((10, 10), (50, 10))], point_tolerance=10)[0][0] == pytest.approx(1 - 2.5 / 20)


def test_a_line_without_length_is_a_place():
    assert _scores([_line((10, 10), (10, 10))], [_line((10, 13), (10, 13))])[0][0] == pytest.approx(0.7)


def test_shapes_of_different_classes_are_never_a_pair():
    shapes = [_box(0, 0, 9, 9), _point(4, 4), _line((0, 0), (9, 9))]
    scores = np.array(_scores(shapes, shapes))
    assert np.array_equal(scores, np.eye(3))


def test_every_kind_of_shape_matches_itself():
    shapes: list[Shape] = [
        _box(2, 2, 12, 9),
        ("ellipse", {"cx": 60, "cy": 20, "rx": 12, "ry": 6, "angle": 0.4}),
        ("polygon", {"points": [[5, 60], [25, 60], [15, 80]]}),
        ("freehand", {"points": [[60, 60], [80, 60], [82, 75], [61, 79]]}),
        ("mask", encode_rle(rasterize("box", {"x0": 40, "y0": 40, "x1": 50, "y1": 48}, (100, 100)))),
        _line((1, 90), (30, 95)),
        _point(95, 95),
    ]
    pairs = region_pairs(shapes, shapes[::-1], (100, 100), point_tolerance=2, surface_tolerance=1)
    assert [(pair.first, pair.second, pair.score) for pair in pairs] == [(i, 6 - i, 1.0) for i in range(7)]
    for (kind, _), pair in zip(shapes, pairs, strict=True):
        is_area = kind in AREAS
        assert math.isnan(pair.distance) == is_area
        assert [pair.iou, pair.dice, pair.surface_dice, pair.hausdorff, pair.hausdorff95] == pytest.approx(
            [1, 1, 1, 0, 0] if is_area else [math.nan] * 5, nan_ok=True
        )
        assert is_area or pair.distance == pytest.approx(0, abs=1e-12)


@unhurried
@given(st.lists(pixel_areas, max_size=3), st.lists(pixel_areas, max_size=3))
def test_pairs_measure_as_the_whole_masks_do(a, b):
    spacing = (0.5, 0.8)
    pairs = region_pairs(a, b, SIZE, point_tolerance=1, surface_tolerance=1, spacing=spacing, threshold=0.1)
    filled = [[_filled(shape) for shape in shapes] for shapes in (a, b)]
    known = match_rois(filled[0], filled[1], 0.1)
    assert sum(pair.score for pair in pairs) == pytest.approx(sum(score for _, _, score in known))
    for pair in pairs:
        one, other = filled[0][pair.first], filled[1][pair.second]
        assert pair.iou == pair.score == pytest.approx(iou(one, other))
        assert pair.dice == pytest.approx(dice(one, other))
        assert pair.hausdorff == pytest.approx(hausdorff(one, other, spacing))
        assert pair.hausdorff95 == pytest.approx(hausdorff95(one, other, spacing))
        assert pair.surface_dice == pytest.approx(surface_dice(one, other, spacing, 1))


def test_the_threshold_is_for_areas_the_tolerance_for_points():
    a, b = [_box(0, 0, 10, 10), _point(50, 50)], [_box(0, 0, 10, 3), _point(50, 53)]
    for threshold, expected in ((0.2, [0, 1]), (0.5, [1]), (0.9, [1])):
        pairs = region_pairs(a, b, (99, 99), point_tolerance=4, surface_tolerance=1, threshold=threshold)
        assert [pair.first for pair in pairs] == expected
        assert pairs[-1].distance == 3


@unhurried
@given(st.lists(areas, max_size=3), st.lists(areas, max_size=3))
def test_union_is_that_of_the_masks(a, b):
    one, other = (
        np.any([np.zeros(SIZE, dtype=np.bool_), *(_filled(shape) for shape in shapes)], axis=0) for shapes in (a, b)
    )
    assert union_overlap(a, b, SIZE) == pytest.approx((iou(one, other), dice(one, other)), nan_ok=True)


def test_unions_of_nothing():
    nothing, found = [_point(3, 3), _line((0, 0), (9, 9))], [_box(0, 0, 4, 4)]
    assert all(math.isnan(number) for number in union_overlap(nothing, [], SIZE))
    assert union_overlap(nothing, found, SIZE) == union_overlap(found, [], SIZE) == (0, 0)


def test_a_box_between_pixel_centres_has_an_iou_but_no_outline():
    small = _box(1.1, 1.1, 1.3, 1.3)
    [pair] = region_pairs([small], [small], SIZE, point_tolerance=1, surface_tolerance=1)
    assert pair.iou == 1
    assert math.isnan(pair.hausdorff)
    assert math.isnan(pair.surface_dice)


def test_what_is_kept_of_many_regions_is_bounded(monkeypatch):
    shapes: list[Shape] = [("polygon", {"points": [[k, 0], [k + 9, 0], [k + 9, 20], [k, 20]]}) for k in range(20)]
    expected = region_scores(shapes, shapes, SIZE, point_tolerance=1)
    monkeypatch.setattr(regions, "_MOST_HELD", 500)  # two of them
    assert np.array_equal(region_scores(shapes, shapes, SIZE, point_tolerance=1), expected)
    kept = regions._Regions(shapes, SIZE)
    for place in range(20):
        kept.crop(place)
        assert sum(crop[2].size for crop in kept._kept.values()) <= 500


def test_two_thousand_points_are_no_four_million_calls(monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.setattr(regions, "shape_distance", None)
    points = [_point(x, y) for x, y in rng.uniform(0, 1000, size=(500, 2)).tolist()]
    scores = region_scores(points, points[::-1], (1000, 1000), point_tolerance=1)
    assert np.array_equal(np.diag(scores[:, ::-1]), np.ones(500))


def test_no_region_gives_no_pair():
    for a, b in (([], []), ([_point(1, 1)], []), ([], [_point(1, 1)])):
        assert region_pairs(a, b, SIZE, point_tolerance=1, surface_tolerance=1) == []
        assert region_scores(a, b, SIZE, point_tolerance=1).shape == (len(a), len(b))


def test_golden_values():
    """Raise METRIC_VERSION when these change."""
    assert regions.METRIC_VERSION == "1"
    a: list[Shape] = [
        ("ellipse", {"cx": 15, "cy": 12, "rx": 9, "ry": 6, "angle": 0.3}),
        _line((2, 25), (20, 27), (38, 22)),
    ]
    b: list[Shape] = [
        ("polygon", {"points": [[7, 7], [23, 6], [25, 18], [10, 20]]}),
        _line((3, 24), (36, 25)),
    ]
    pairs = region_pairs(a, b, SIZE, point_tolerance=3, surface_tolerance=1, spacing=(0.5, 0.8))
    found = [pairs[0].iou, pairs[0].surface_dice, pairs[0].hausdorff, pairs[0].hausdorff95, pairs[1].distance]
    assert found == pytest.approx([0.7183098592, 0.8868413002, 1.7000000000, 1.5000000000, 0.7816570719])


scores_of: Any = region_scores
pairs_of: Any = region_pairs


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scores_of([_point(0, 0)], [], SIZE, point_tolerance=0), "above 0, not 0"),
        (lambda: scores_of([], [], SIZE, point_tolerance=math.nan), "above 0, not nan"),
        (lambda: pairs_of([], [], SIZE, point_tolerance=1, surface_tolerance=math.inf), "not inf"),
        (lambda: scores_of([], [], SIZE, point_tolerance=1, spacing=(0, 1)), r"not \(0, 1\)"),
        (lambda: scores_of([_point(math.nan, 0)], [], SIZE, point_tolerance=1), "x is not finite"),
        (lambda: scores_of([("star", {})], [], SIZE, point_tolerance=1), "unknown shape: 'star'"),
        (lambda: scores_of([("mask", encode_rle(np.ones((3, 3), dtype=bool)))], [], SIZE, point_tolerance=1), "3 x 3"),
        (
            lambda: pairs_of([_point(0, 0)], [_point(0, 0)], SIZE, point_tolerance=1, surface_tolerance=1, threshold=2),
            "not 2",
        ),
        (
            lambda: pairs_of([_box(0, 0, 3, 3)] * 2, [_box(0, 0, 3, 3)], SIZE, point_tolerance=1, surface_tolerance=-1),
            "-1",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
