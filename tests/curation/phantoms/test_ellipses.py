"""Ellipses in millimetres, against numerical integration, SciPy and a caliper's common sense."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ellipe

from curation.phantoms.ellipses import circumference_mm, ellipse_perimeter, scaled_ellipse

AXES = st.floats(0.01, 1e4)


def edge(geometry: dict[str, float], count: int = 20_000) -> np.ndarray:
    """Points of an ellipse's edge, (count, 2)."""
    turns = np.linspace(0, 2 * np.pi, count, endpoint=False)
    along, across = geometry["rx"] * np.cos(turns), geometry["ry"] * np.sin(turns)
    cos, sin = math.cos(geometry["angle"]), math.sin(geometry["angle"])
    return np.stack([geometry["cx"] + along * cos - across * sin, geometry["cy"] + along * sin + across * cos], axis=1)


def length(points: np.ndarray) -> float:
    """Length of the closed polygon through the points."""
    return float(np.hypot(*(np.roll(points, -1, axis=0) - points).T).sum())


@given(AXES, AXES)
def test_the_perimeter_is_the_elliptic_integral(a: float, b: float) -> None:
    longer, shorter = max(a, b), min(a, b)
    wanted = 4 * longer * ellipe(1 - (shorter / longer) ** 2)
    assert ellipse_perimeter(a, b) == pytest.approx(wanted, rel=1e-12)
    assert ellipse_perimeter(b, a) == ellipse_perimeter(a, b)


@pytest.mark.parametrize(("a", "b"), [(55.0, 44.0), (60.0, 1.0), (3.0, 3.0)])
def test_the_perimeter_is_what_integrating_along_the_edge_gives(a: float, b: float) -> None:
    walked = length(edge({"cx": 0, "cy": 0, "rx": a, "ry": b, "angle": 0.3}))
    assert ellipse_perimeter(a, b) == pytest.approx(walked, rel=1e-6)


def test_an_ellipse_without_height_is_walked_there_and_back() -> None:
    assert ellipse_perimeter(10, 1e-9) == pytest.approx(40)


@pytest.mark.parametrize("axis", [0.0, -1.0, math.inf, math.nan])
def test_a_semi_axis_that_is_none_is_named(axis: float) -> None:
    with pytest.raises(ValueError, match=f"positive finite number: {axis}"):
        ellipse_perimeter(10, axis)


@given(st.floats(1, 100), st.floats(1, 100), st.floats(-4, 4), st.floats(0.2, 5), st.floats(0.2, 5), st.floats(-50, 50))
def test_stretching_the_ellipse_stretches_its_edge(
    rx: float, ry: float, angle: float, x_scale: float, y_scale: float, cx: float
) -> None:
    given_ellipse = {"cx": cx, "cy": 7.0, "rx": rx, "ry": ry, "angle": angle}
    stretched = scaled_ellipse(given_ellipse, (x_scale, y_scale))
    points = edge(given_ellipse, 64) * (x_scale, y_scale) - (stretched["cx"], stretched["cy"])
    cos, sin = math.cos(stretched["angle"]), math.sin(stretched["angle"])
    along = (points[:, 0] * cos + points[:, 1] * sin) / stretched["rx"]
    across = (points[:, 1] * cos - points[:, 0] * sin) / stretched["ry"]
    assert np.allclose(along**2 + across**2, 1, atol=1e-6)
    assert stretched["rx"] >= stretched["ry"]
    assert 0 <= stretched["angle"] < math.pi


def test_an_ellipse_that_cannot_be_stretched_says_why() -> None:
    with pytest.raises(ValueError, match="positive finite numbers: 0"):
        scaled_ellipse({"cx": 0, "cy": 0, "rx": 1, "ry": 1, "angle": 0}, (1, 0))


def test_anisotropic_pixels_are_measured_in_millimetres_along_each_axis() -> None:
    geometry = {"cx": 80.0, "cy": 90.0, "rx": 60.0, "ry": 45.0, "angle": 0.6}
    walked = length(edge(geometry) * (0.8, 0.5))  # x by column_mm, y by row_mm
    assert circumference_mm(geometry, (0.5, 0.8)) == pytest.approx(walked, rel=1e-6)
    # Neither the swapped spacing nor its mean would do: that is what this helper is for.
    assert circumference_mm(geometry, (0.8, 0.5)) != pytest.approx(walked, rel=1e-2)
    assert circumference_mm(geometry, (0.65, 0.65)) != pytest.approx(walked, rel=1e-3)
