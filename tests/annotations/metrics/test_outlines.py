"""Distances of outlines: by hand, edge cases, against SimpleITK, SciPy and DeepMind's surface-distance."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
import SimpleITK
import surface_distance
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from scipy.spatial import distance

from annotations.metrics import outlines
from annotations.metrics.outlines import hausdorff, hausdorff95, surface_dice

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # others share the cores

masks = hnp.arrays(np.bool_, (7, 9))
spacings = st.tuples(st.sampled_from([0.1, 0.5, 0.7, 1.0, 2.0]), st.sampled_from([0.2, 0.7, 1.0, 3.0]))
unchecked: Any = outlines
"""For what the types forbid."""


def _square(top, left, side=4, size=(24, 24)):
    mask = np.zeros(size, dtype=np.bool_)
    mask[top : top + side, left : left + side] = True
    return mask


def _boundary(mask):
    """Set pixels with an unset one beside them, beyond the image nothing is set."""
    return mask & ~ndimage.binary_erosion(mask, border_value=0)


def _surface_distance(a, b, spacing, tolerance):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it names SciPy's old modules
        distances = surface_distance.compute_surface_distances(a, b, spacing)
    return surface_distance.compute_surface_dice_at_tolerance(distances, tolerance)


def test_hausdorff_by_hand():
    a, b = _square(2, 2), _square(2, 5)
    assert hausdorff(a, b) == 3
    assert hausdorff(a, b, (2.0, 0.5)) == 1.5
    assert hausdorff(a, _square(5, 6)) == 5
    ring = _square(2, 2, 9)
    ring[3:10, 3:10] = False
    assert hausdorff(ring, _square(2, 2, 9)) == 0  # the same outline: what is inside has none


def test_surface_dice_by_hand():
    # Four corners of half a diagonal and twelve sides each; in the row between the shared columns 3 to 6 are near.
    a, b = _square(2, 2), _square(2, 3)
    length = 12 + 4 * math.sqrt(0.5)
    assert surface_dice(a, b, None, 0) == pytest.approx(2 * (3 + math.sqrt(0.5)) / length)
    assert surface_dice(a, b, None, 1) == 1
    assert surface_dice(a, b, (1.0, 2.0), 1) < 1
    assert surface_dice(a, b, (1.0, 2.0), 2) == 1


def test_golden_values():
    """Raise METRIC_VERSION when these change."""
    assert outlines.METRIC_VERSION == "1"
    a, b = ndimage.gaussian_filter(np.random.default_rng(5).random((2, 40, 50)), (0, 2, 2)) > 0.53
    found = (hausdorff(a, b, (0.5, 0.8)), hausdorff95(a, b, (0.5, 0.8)), surface_dice(a, b, (0.5, 0.8), 1.0))
    assert found == pytest.approx((6.8, 5.6, 0.4533907887))


@unhurried
@given(masks, masks, spacings)
def test_hausdorff_equals_simpleitks_and_scipys_of_the_boundaries(a, b, spacing):
    assume(a.any() and b.any())
    images = [SimpleITK.GetImageFromArray(_boundary(mask).astype(np.uint8)) for mask in (a, b)]
    for image in images:
        image.SetSpacing(spacing[::-1])
    measure = SimpleITK.HausdorffDistanceImageFilter()
    measure.Execute(*images)
    assert hausdorff(a, b, spacing) == pytest.approx(measure.GetHausdorffDistance(), rel=1e-5)
    points = [np.argwhere(_boundary(mask)) * spacing for mask in (a, b)]
    directed = [distance.directed_hausdorff(one, other)[0] for one, other in (points, points[::-1])]
    assert hausdorff(a, b, spacing) == pytest.approx(max(directed))


@unhurried
@given(masks, masks, spacings)
def test_hausdorff95_is_the_percentile_of_every_distance(a, b, spacing):
    assume(a.any() and b.any())
    points = [np.argwhere(_boundary(mask)) * spacing for mask in (a, b)]
    between = distance.cdist(*points)
    expected = max(np.percentile(between.min(axis=axis), 95) for axis in (0, 1))
    assert hausdorff95(a, b, spacing) == pytest.approx(expected)
    assert hausdorff95(a, b, spacing) <= hausdorff(a, b, spacing) + 1e-12


@unhurried
@given(masks, masks, spacings, st.sampled_from([0.0, 0.35, 1.03, 2.51]))
def test_surface_dice_equals_deepminds(a, b, spacing, tolerance):
    assume(a.any() and b.any())
    assert surface_dice(a, b, spacing, tolerance) == pytest.approx(
        _surface_distance(a, b, spacing, tolerance), abs=1e-12
    )


@pytest.mark.parametrize("seed", range(16))
def test_outlines_of_many_tiles_equal_every_distance_and_deepminds(seed):
    """Of large masks most distances are not looked up: what is left out must not matter."""
    rng = np.random.default_rng(seed)
    a, b = (np.zeros((130, 170), dtype=np.bool_) for _ in range(2))
    for mask in (a, b):
        for _ in range(rng.integers(1, 5)):
            top, left = rng.integers(0, 110), rng.integers(0, 150)
            mask[top : top + rng.integers(1, 60), left : left + rng.integers(1, 60)] = True
    if seed % 4 == 0:
        b = a ^ (rng.random(a.shape) < 0.002)  # specks
    spacing = None if seed % 2 else (float(rng.choice([0.1, 0.7, 2.0])), float(rng.choice([0.3, 1.0])))
    step = np.array(spacing or (1.0, 1.0))
    places = [np.argwhere(_boundary(mask)) * step for mask in (a, b)]
    every = distance.cdist(*places)
    directed = [every.min(axis=1), every.min(axis=0)]
    assert hausdorff(a, b, spacing) == pytest.approx(max(one.max() for one in directed), rel=1e-12)
    assert hausdorff95(a, b, spacing) == pytest.approx(max(np.percentile(one, 95) for one in directed), rel=1e-12)
    for tolerance in (0.0, 0.35, 3.0, 1000.0):
        oracle = _surface_distance(a, b, spacing or (1.0, 1.0), tolerance)
        assert surface_dice(a, b, spacing, tolerance) == pytest.approx(oracle, abs=1e-12)


def test_a_distance_a_rounding_error_above_the_tolerance_is_within():
    a, b = _square(2, 2), _square(2, 5)
    assert 3 * 0.1 > 0.3
    assert surface_dice(a, b, (0.1, 0.1), 0.3) == 1
    assert _surface_distance(a, b, (0.1, 0.1), 0.3) < 1


@unhurried
@given(masks, masks, st.one_of(st.none(), spacings))
def test_symmetry_range_and_reflection(a, b, spacing):
    assume(a.any() and b.any())
    for measure in (hausdorff, hausdorff95, lambda one, other, step: surface_dice(one, other, step, 1.0)):
        number = measure(a, b, spacing)
        assert number == pytest.approx(measure(b, a, spacing))
        assert number == pytest.approx(measure(a[::-1, ::-1], b[::-1, ::-1], spacing))
        assert number >= 0
    assert surface_dice(a, b, spacing, 1.0) <= 1
    assert surface_dice(a, a, spacing, 0.0) == 1
    assert hausdorff(a, a, spacing) == hausdorff95(a, a, spacing) == 0


def test_a_larger_tolerance_never_gives_less():
    rng = np.random.default_rng(2)
    a, b = ndimage.gaussian_filter(rng.random((2, 30, 30)), (0, 2, 2)) > 0.5
    shares = [surface_dice(a, b, (0.7, 0.4), tolerance) for tolerance in np.linspace(0, 4, 20)]
    assert shares == sorted(shares)


def test_the_place_in_the_image_does_not_matter_even_at_its_edge():
    a, b = _square(8, 8), _square(9, 10)
    corner = [mask[8:, 8:] for mask in (a, b)]
    assert hausdorff(a, b) == hausdorff(corner[0], corner[1])
    assert surface_dice(a, b, None, 1) == surface_dice(corner[0], corner[1], None, 1)


def test_empty_masks():
    nothing, square = np.zeros((24, 24), dtype=np.bool_), _square(2, 2)
    for measure in (hausdorff, hausdorff95):
        assert math.isnan(measure(nothing, nothing))
        assert measure(nothing, square) == measure(square, nothing) == math.inf
    assert math.isnan(surface_dice(nothing, nothing, None, 1))
    assert surface_dice(nothing, square, None, 1) == surface_dice(square, nothing, None, 100) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hausdorff(np.zeros((3, 4), dtype=bool), np.zeros((4, 3), dtype=bool)), r"\(3, 4\) and \(4, 3\)"),
        (lambda: unchecked.hausdorff(np.zeros((3, 4)), np.zeros((3, 4))), "not float64"),
        (lambda: hausdorff(_square(2, 2), _square(2, 2), (0.0, 1.0)), r"not \(0.0, 1.0\)"),
        (lambda: hausdorff(_square(2, 2), _square(2, 2), (math.nan, 1.0)), r"not \(nan, 1.0\)"),
        (lambda: unchecked.hausdorff95(_square(2, 2), _square(2, 2), (1.0,)), r"not \(1.0,\)"),
        (lambda: surface_dice(_square(2, 2), _square(2, 2), None, -1), "not -1"),
        (lambda: surface_dice(_square(2, 2), _square(2, 2), None, math.inf), "not inf"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
