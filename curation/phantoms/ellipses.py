"""Ellipses in millimetres: what a caliper would read from an ellipse drawn in pixels.

`ellipse_perimeter` is exact (the complete elliptic integral, by the arithmetic-geometric mean); `scaled_ellipse` maps
an ellipse through unequal scales, which is what anisotropic pixels do to it; `circumference_mm` puts the two together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

#: Differences of the two means beyond which the series adds nothing to a double.
_NEGLIGIBLE = 1e-16


def ellipse_perimeter(a: float, b: float) -> float:
    """Length of an ellipse's edge, in the unit of its semi-axes.

    Parameters
    ----------
    a, b
        Semi-axes, in either order; positive and finite.

    Returns
    -------
    float
        4·a·E(e) to double precision, with E the complete elliptic integral of the second kind; not Ramanujan's
        approximation. A circle of radius r gives 2πr.

    Raises
    ------
    ValueError
        If a semi-axis is not a positive finite number.

    Notes
    -----
    E(e) = π / (2·M(1, q)) · (1 − Σ 2^(n−1)·c_n²) with q = b/a, M the arithmetic-geometric mean and c_0² = 1 − q²
    (Abramowitz and Stegun, 17.6). The mean converges quadratically: at most a dozen rounds.

    Examples
    --------
    >>> ellipse_perimeter(1, 1) == 2 * math.pi
    True
    >>> round(ellipse_perimeter(55, 44), 6)
    311.978347
    """
    for axis in (a, b):
        if not (math.isfinite(axis) and axis > 0):
            raise ValueError(f"a semi-axis must be a positive finite number: {axis}")
    longer, shorter = max(a, b), min(a, b)
    mean, geometric = 1.0, shorter / longer
    weight, total = 0.5, 0.5 * (1.0 - geometric * geometric)
    while mean - geometric > _NEGLIGIBLE * mean and weight < 2.0**40:
        half = (mean - geometric) / 2
        mean, geometric = (mean + geometric) / 2, math.sqrt(mean * geometric)
        weight *= 2
        total += weight * half * half
    return 2 * math.pi * longer / mean * (1.0 - total)


def scaled_ellipse(geometry: Mapping[str, float], scale_xy: tuple[float, float]) -> dict[str, float]:
    """The ellipse that an ellipse becomes when x and y are stretched by factors of their own.

    Parameters
    ----------
    geometry
        cx, cy, rx, ry, angle in radians clockwise on screen, as in INTERFACE.md section 5.
    scale_xy
        Factors of x and of y: (column_mm, row_mm) takes pixels to millimetres.

    Returns
    -------
    dict
        The same five numbers, rx the longer semi-axis, angle in [0, π).

    Raises
    ------
    ValueError
        If a radius or a factor is not a positive finite number.

    Examples
    --------
    >>> scaled_ellipse({"cx": 2, "cy": 3, "rx": 1, "ry": 1, "angle": 0}, (2, 1))
    {'cx': 4.0, 'cy': 3.0, 'rx': 2.0, 'ry': 1.0, 'angle': 0.0}
    """
    x_scale, y_scale = scale_xy
    rx, ry = float(geometry["rx"]), float(geometry["ry"])
    for number in (x_scale, y_scale, rx, ry):
        if not (math.isfinite(number) and number > 0):
            raise ValueError(f"radii and factors must be positive finite numbers: {number}")
    cos, sin = math.cos(geometry["angle"]), math.sin(geometry["angle"])
    # Columns: where the two semi-axes go. The image of the unit circle has the singular values as its semi-axes.
    axes = np.array([[x_scale * cos * rx, -x_scale * sin * ry], [y_scale * sin * rx, y_scale * cos * ry]])
    directions, lengths, _ = np.linalg.svd(axes)
    angle = math.atan2(directions[1, 0], directions[0, 0]) % math.pi
    return {
        "cx": float(geometry["cx"] * x_scale),
        "cy": float(geometry["cy"] * y_scale),
        "rx": float(lengths[0]),
        "ry": float(lengths[1]),
        "angle": 0.0 if math.isclose(angle, math.pi) else float(angle),
    }


def circumference_mm(geometry: Mapping[str, float], spacing_mm: tuple[float, float]) -> float:
    """Length of an ellipse's edge in millimetres: a head circumference, of the outer edge of the skull.

    Parameters
    ----------
    geometry
        The ellipse in pixels, as in INTERFACE.md section 5.
    spacing_mm
        (row_mm, column_mm): the height and the width of a pixel. They may differ; the ellipse is then stretched
        before it is measured, since no factor on its perimeter would be right.

    Raises
    ------
    ValueError
        As `scaled_ellipse`.

    Examples
    --------
    >>> circle = {"cx": 0, "cy": 0, "rx": 50, "ry": 50, "angle": 0}
    >>> round(circumference_mm(circle, (0.5, 0.5)), 3) == round(50 * math.pi, 3)
    True
    >>> circumference_mm(circle, (0.5, 1.0)) == ellipse_perimeter(25, 50)
    True
    """
    row_mm, column_mm = spacing_mm
    stretched = scaled_ellipse(geometry, (column_mm, row_mm))
    return ellipse_perimeter(stretched["rx"], stretched["ry"])
