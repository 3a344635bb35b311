"""Overlap of masks and matching of regions: by hand, edge cases, against SimpleITK, pycocotools and all matchings."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import SimpleITK
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco

from annotations.metrics import overlap
from annotations.metrics.overlap import (
    assign,
    crop_iou,
    crop_of,
    detection_counts,
    detection_f1,
    dice,
    iou,
    match_rois,
)

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # others share the cores

masks = hnp.arrays(np.bool_, (6, 7))
some_masks = st.lists(masks, max_size=4)
unchecked: Any = overlap
"""For what the types forbid."""


def _square(top, left, side=4, size=(20, 24)):
    mask = np.zeros(size, dtype=np.bool_)
    mask[top : top + side, left : left + side] = True
    return mask


def test_by_hand():
    a, b = _square(2, 2), _square(4, 2)
    assert iou(a, b) == pytest.approx(8 / 24)
    assert dice(a, b) == pytest.approx(16 / 32)
    assert iou(a, a) == dice(a, a) == 1
    assert iou(a, _square(10, 10)) == dice(a, _square(10, 10)) == 0


def test_golden_values():
    """Raise METRIC_VERSION when these change."""
    assert overlap.METRIC_VERSION == "1"
    a, b = np.random.default_rng(5).random((2, 30, 40)) < 0.3
    assert (iou(a, b), dice(a, b)) == pytest.approx((0.1847649919, 0.3119015048))
    regions = [_square(2, 2), _square(2, 12), _square(12, 12)]
    assert match_rois(regions, [_square(12, 13), _square(2, 2), _square(3, 14)], 0.2) == [
        (0, 1, 1.0),
        (1, 2, pytest.approx(6 / 26)),
        (2, 0, pytest.approx(12 / 20)),
    ]


@unhurried
@given(masks, masks)
def test_equal_simpleitks(a, b):
    assume(a.any() or b.any())
    measures = SimpleITK.LabelOverlapMeasuresImageFilter()
    measures.Execute(*(SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in (a, b)))
    assert dice(a, b) == pytest.approx(measures.GetDiceCoefficient())
    assert iou(a, b) == pytest.approx(measures.GetJaccardCoefficient())


@unhurried
@given(masks, masks)
def test_equals_pycocotools(a, b):
    assume(a.any() and b.any())
    encoded = [coco.encode(np.asfortranarray(mask.astype(np.uint8))) for mask in (a, b)]
    assert iou(a, b) == pytest.approx(coco.iou([encoded[0]], [encoded[1]], [0])[0, 0])


@unhurried
@given(masks, masks)
def test_symmetry_range_and_the_relation_of_the_two(a, b):
    assume(a.any() or b.any())
    assert iou(a, b) == iou(b, a)
    assert dice(a, b) == dice(b, a)
    assert 0 <= iou(a, b) <= dice(a, b) <= 1
    assert dice(a, b) == pytest.approx(2 * iou(a, b) / (1 + iou(a, b)))


def test_empty_masks():
    nothing, square = np.zeros((20, 24), dtype=np.bool_), _square(2, 2)
    assert math.isnan(iou(nothing, nothing))
    assert math.isnan(dice(nothing, nothing))
    assert iou(nothing, square) == dice(square, nothing) == 0
    assert match_rois([nothing], [nothing]) == []
    assert match_rois([nothing, square], [square]) == [(1, 0, 1.0)]
    assert match_rois([], [square]) == match_rois([square], []) == match_rois([], []) == []


@unhurried
@given(masks, masks)
def test_crops_give_the_same_iou(a, b):
    assert crop_iou(crop_of(a), crop_of(b)) == pytest.approx(iou(a, b), nan_ok=True)


@unhurried
@given(some_masks, some_masks, st.sampled_from([0.0, 0.1, 0.3, 0.5]))
def test_no_other_matching_has_a_greater_sum(a, b, threshold):
    pairs = match_rois(a, b, threshold)
    assert len({i for i, _, _ in pairs}) == len({j for _, j, _ in pairs}) == len(pairs)
    assert all(score >= threshold and score > 0 and score == iou(a[i], b[j]) for i, j, score in pairs)
    scores = [[iou(one, other) for other in b] for one in a]
    short, long = sorted((range(len(a)), range(len(b))), key=len)
    best = 0.0
    for chosen in itertools.permutations(long, len(short)):
        found = [
            scores[one][other] if len(a) <= len(b) else scores[other][one]
            for one, other in zip(short, chosen, strict=True)
        ]
        best = max(best, sum(score for score in found if score >= threshold))
    assert sum(score for _, _, score in pairs) == pytest.approx(best)


@unhurried
@given(some_masks, some_masks, st.randoms(use_true_random=False))
def test_order_and_side_do_not_matter(a, b, random):
    total = sum(score for _, _, score in match_rois(a, b))
    matched, only_a, only_b = detection_counts(a, b)
    assert sum(score for _, _, score in match_rois(b, a)) == pytest.approx(total)
    assert matched + only_a == len(a)
    assert matched + only_b == len(b)
    random.shuffle(a)
    assert sum(score for _, _, score in match_rois(a, b)) == pytest.approx(total)


def test_matching_is_not_greedy():
    # The best single pair would leave the other two alone.
    assert assign(np.array([[0.9, 0.8], [0.8, 0.1]]), 0.5) == [(0, 1, 0.8), (1, 0, 0.8)]


def test_a_pair_below_the_threshold_does_not_stand_in_the_way():
    assert assign(np.array([[0.6, 0.49], [0.49, 0.0]]), 0.5) == [(0, 0, 0.6)]


def test_a_pair_at_the_threshold_is_one():
    left, right = _square(2, 2, 3), _square(2, 3, 3)  # 6 of 12 pixels
    assert match_rois([left], [right]) == [(0, 0, 0.5)]


def test_detections():
    a = [_square(2, 2), _square(12, 12)]
    b = [_square(2, 3), _square(2, 12), _square(12, 2)]
    assert detection_counts(a, b) == (1, 1, 2)
    assert detection_f1(1, 1, 2) == pytest.approx(2 / 5)
    assert detection_f1(3, 0, 0) == 1
    assert detection_f1(0, 2, 0) == 0
    assert math.isnan(detection_f1(0, 0, 0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: iou(np.zeros((3, 4), dtype=bool), np.zeros((4, 3), dtype=bool)), r"\(3, 4\) and \(4, 3\)"),
        (lambda: dice(np.zeros((3, 4), dtype=bool), np.zeros((4, 3), dtype=bool)), r"\(3, 4\) and \(4, 3\)"),
        (lambda: unchecked.iou(np.zeros((3, 4)), np.zeros((3, 4))), "bool array of two dimensions, not float64"),
        (lambda: iou(np.zeros(3, dtype=bool), np.zeros(3, dtype=bool)), r"shape \(3,\)"),
        (
            lambda: match_rois([np.zeros((3, 4), dtype=bool)], [np.zeros((4, 3), dtype=bool)]),
            r"\(3, 4\) and \(4, 3\)",
        ),
        (lambda: match_rois([_square(2, 2)], [_square(2, 2)], 1.5), "not 1.5"),
        (lambda: match_rois([], [], math.nan), "not nan"),
        (lambda: detection_f1(-1, 0, 0), "not negative: -1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
