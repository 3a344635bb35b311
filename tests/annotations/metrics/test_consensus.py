"""Majority and STAPLE: against SimpleITK and a loop over pixels, and their properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from annotations.metrics import consensus
from annotations.metrics.consensus import majority, posterior_entropy, staple, staple_fit, staple_performance

MASKS = arrays.arrays(np.bool_, st.tuples(st.integers(1, 6), st.integers(1, 5), st.integers(1, 5)))


def drawn_masks(raters, shape, *, noise=0.02, seed=0):
    """Disks about the middle, each a bit elsewhere and with a few pixels flipped."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    masks = []
    for _ in range(raters):
        centre_row, centre_column = np.array(shape) / 2 + rng.normal(0, 2, 2)
        disk = (rows - centre_row) ** 2 + (columns - centre_column) ** 2 < (min(shape) / 4 + rng.normal(0, 1)) ** 2
        masks.append(disk ^ (rng.random(shape) < noise))
    return np.array(masks)


def staple_by_loops(masks, iterations):
    """The paper's equations one pixel at a time, products instead of log odds."""
    raters, pixels = len(masks), [tuple(map(bool, pixel)) for pixel in masks.reshape(len(masks), -1).T]
    prior = sum(map(sum, pixels)) / (len(pixels) * raters)
    weights = [sum(pixel) / raters for pixel in pixels]
    for step in range(iterations + 1):
        p = [sum(w for w, d in zip(weights, pixels, strict=True) if d[r]) / sum(weights) for r in range(raters)]
        outside = sum(1 - w for w in weights)
        q = [sum(1 - w for w, d in zip(weights, pixels, strict=True) if not d[r]) / outside for r in range(raters)]
        if step == iterations:
            return np.array(weights).reshape(masks.shape[1:]), np.array(p), np.array(q)
        for place, pixel in enumerate(pixels):
            inside, out = prior, 1 - prior
            for r in range(raters):
                inside *= p[r] if pixel[r] else 1 - p[r]
                out *= 1 - q[r] if pixel[r] else q[r]
            weights[place] = inside / (inside + out)
    raise AssertionError("not reached")


@pytest.mark.parametrize(("raters", "shape"), [(2, (20, 20)), (3, (64, 48)), (5, (40, 50)), (9, (30, 30))])
def test_staple_agrees_with_simpleitk(raters, shape):
    masks = drawn_masks(raters, shape)
    theirs = SimpleITK.STAPLEImageFilter()
    theirs.SetForegroundValue(1)
    image = theirs.Execute([SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in masks])
    ours = staple_fit(masks)
    assert ours.has_converged
    assert ours.map == pytest.approx(SimpleITK.GetArrayFromImage(image), abs=2e-5)  # theirs stops at 7 digits
    assert ours.sensitivity == pytest.approx(theirs.GetSensitivity(), abs=1e-6)
    assert ours.specificity == pytest.approx(theirs.GetSpecificity(), abs=1e-6)


@pytest.mark.parametrize("iterations", [1, 3, 10])
def test_patterns_give_what_a_loop_over_every_pixel_gives(iterations):
    masks = drawn_masks(4, (12, 15), noise=0.05)
    ours = staple_fit(masks, most_iterations=iterations)
    chances, sensitivity, specificity = staple_by_loops(masks, iterations)
    assert ours.n_iterations == iterations
    assert ours.map == pytest.approx(chances, abs=1e-12)
    assert ours.sensitivity == pytest.approx(sensitivity, abs=1e-12)
    assert ours.specificity == pytest.approx(specificity, abs=1e-12)


def test_golden_values():
    """Raise METRIC_VERSION when these change."""
    assert consensus.METRIC_VERSION == "1"
    masks = drawn_masks(3, (16, 16), noise=0.05)
    fit = staple_fit(masks)
    assert fit.map.sum() == pytest.approx(63.713801, abs=1e-6)
    assert fit.sensitivity == pytest.approx([0.8955401, 0.5873282, 0.9266321], abs=1e-6)
    assert fit.prior == pytest.approx(masks.mean())
    assert int(majority(masks).sum()) == 61


def test_staple_trusts_the_able_raters_more_than_the_majority_does():
    truth = drawn_masks(1, (40, 40), noise=0)[0]
    rng = np.random.default_rng(5)
    able = [truth ^ (rng.random(truth.shape) < 0.02) for _ in range(2)]
    unable = [truth ^ (rng.random(truth.shape) < 0.35) for _ in range(3)]
    masks = [*able, *unable]
    assert ((staple(masks) >= 0.5) != truth).sum() < 0.7 * (majority(masks) != truth).sum()
    sensitivity, specificity = staple_performance(masks)
    assert min(sensitivity[:2]) > max(sensitivity[2:])
    assert min(specificity[:2]) > max(specificity[2:])


@given(MASKS)
def test_the_map_is_a_probability_of_one_masks_shape_whatever_the_raters_order(masks):
    chances = staple(masks)
    assert chances.shape == masks.shape[1:]
    assert ((chances >= 0) & (chances <= 1)).all()
    some, turned = (staple_fit(these, most_iterations=5) for these in (masks, masks[::-1]))
    assert turned.map == pytest.approx(some.map, abs=1e-6)
    assert turned.sensitivity == pytest.approx(some.sensitivity[::-1], abs=1e-6, nan_ok=True)


@given(MASKS)
def test_what_all_drew_alike_is_settled(masks):
    same = np.stack([masks[0]] * 3)
    assert staple(same) == pytest.approx(masks[0].astype(float), abs=1e-9)
    assert (majority(same) == masks[0]).all()
    assert staple(masks[:1]) == pytest.approx(masks[0].astype(float), abs=1e-9)


@given(MASKS)
def test_the_majority_is_more_than_half(masks):
    assert (majority(masks) == (masks.mean(axis=0) > 0.5)).all()


def test_more_raters_than_bits_in_a_number():
    masks = drawn_masks(90, (10, 10), noise=0.2)
    fit = staple_fit(masks)
    chances, _, _ = staple_by_loops(masks, fit.n_iterations)
    assert fit.has_converged
    assert fit.map == pytest.approx(chances, abs=1e-9)


def test_the_empty_cases():
    nothing, everything = np.zeros((2, 3, 3), dtype=bool), np.ones((2, 3, 3), dtype=bool)
    assert not majority(nothing).any()
    assert (staple(nothing) == 0).all()
    assert (staple(everything) == 1).all()
    sensitivity, specificity = staple_performance(nothing)
    assert np.isnan(sensitivity).all()
    assert (specificity == 1).all()
    sensitivity, specificity = staple_performance(everything)
    assert (sensitivity == 1).all()
    assert np.isnan(specificity).all()
    assert staple(np.zeros((2, 0, 4), dtype=bool)).shape == (0, 4)


@pytest.mark.parametrize("consensus_of", [majority, staple, staple_performance])
def test_bad_masks_raise(consensus_of):
    with pytest.raises(ValueError, match="at least one mask, got none"):
        consensus_of([])
    with pytest.raises(ValueError, match=r"masks differ in shape: \(3, 4\) and \(4, 3\)"):
        consensus_of([np.zeros((3, 4), dtype=bool), np.zeros((4, 3), dtype=bool)])
    with pytest.raises(ValueError, match="masks must be bool, not float64"):
        consensus_of([np.zeros((3, 4))])
    with pytest.raises(ValueError, match="not be a single value"):
        consensus_of([np.True_])


def test_entropy_by_hand():
    assert posterior_entropy(np.array([[0.25] * 4, [1, 0, 0, 0], [0.5, 0.25, 0.25, 0]])) == pytest.approx([2, 0, 1.5])
    inside = np.array([[0.5, 1.0], [0.0, 0.11]])
    assert posterior_entropy(np.stack([1 - inside, inside], axis=-1)) == pytest.approx(
        np.array([[1, 0], [0, 0.499916]]), abs=1e-6
    )
    assert math.isnan(posterior_entropy([[math.nan, math.nan]])[0])
    assert posterior_entropy(np.zeros((0, 3))).size == 0


@pytest.mark.parametrize(
    ("chances", "message"),
    [([[0.5, 0.6]], "add up to 1.1, not 1"), ([[-0.1, 1.1]], "not -0.1"), (1.0, "1 is a single number")],
)
def test_bad_posteriors_raise(chances, message):
    with pytest.raises(ValueError, match=message):
        posterior_entropy(chances)
