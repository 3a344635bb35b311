"""Shapes to pixels: the one pixel convention of the product (INTERFACE.md sections 5 and 7).

(0, 0) is the top-left corner of the upright stored image, x runs right and y down. Pixel (column c, row r) is in a
shape iff its centre (c + 1/2, r + 1/2) is inside: left and top edges belong, right and bottom edges do not, polygons
fill by the even-odd rule. A line and a point have no inside, so they have no pixels and no area; their bounding box
still says where they are. The TypeScript of the reading page follows the same rule; tests/fixtures/geometry.json holds
both.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.geometry_checks import check_geometry, stored_geometry
from curation.polygons import even_odd_area, fill_polygon
from curation.rle import decode_rle, encode_rle, run_lengths

__all__ = [
    "area_px",
    "bounding_box",
    "check_geometry",
    "decode_rle",
    "encode_rle",
    "rasterize",
    "stored_geometry",
]

SHAPES = ("box", "ellipse", "polygon", "freehand", "line", "point", "mask")
#: Beyond it products of coordinates leave the range of a double, and a shape cannot be told from its rounding.
_FARTHEST = 1e100


def rasterize(shape: str, geometry: Mapping[str, Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels of an image that lie inside a shape.

    Parameters
    ----------
    shape : str
        box, ellipse, polygon, freehand, line, point or mask.
    geometry : mapping
        The shape's numbers in pixels, as in INTERFACE.md section 5; an ellipse's angle is in radians, clockwise on
        screen.
    size : (height, width)
        Of the image, in pixels.

    Returns
    -------
    bool array, (rows, columns)
        Parts outside the image have no pixels and are no error. A line and a point have no inside: all False.

    Raises
    ------
    ValueError
        If the shape is unknown, a number is missing, nan or infinite, a box is turned inside out, a radius is not
        positive, a polygon has fewer than three points, or a mask is malformed or of another size than the image.

    Examples
    --------
    >>> rasterize("box", {"x0": 0.5, "y0": 0, "x1": 2.5, "y1": 1}, (2, 4)).astype(int).tolist()
    [[1, 1, 0, 0], [0, 0, 0, 0]]
    """
    height, width = _checked_size(size)
    if shape == "mask":
        mask = decode_rle(geometry)
        if mask.shape != (height, width):
            raise ValueError(f"mask is {mask.shape[0]} x {mask.shape[1]}, the image {height} x {width}")
        return mask
    if shape == "ellipse":
        return _fill_ellipse(*_ellipse(geometry), height, width)
    if shape == "box":
        x0, y0, x1, y1 = _box(geometry)
        mask = np.zeros((height, width), dtype=np.bool_)
        mask[
            _first_centre(y0, height) : _first_centre(y1, height), _first_centre(x0, width) : _first_centre(x1, width)
        ] = True
        return mask
    points = _points(shape, geometry)
    if shape in ("polygon", "freehand"):
        return fill_polygon(points, height, width)
    return np.zeros((height, width), dtype=np.bool_)


def bounding_box(shape: str, geometry: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Smallest upright box around a shape, (x0, y0, x1, y1) in pixels.

    Of a mask it is the box of the set pixels' outer edges; of a point all four numbers are the point.

    Raises
    ------
    ValueError
        As `rasterize`, and if a mask has no pixel set.

    Examples
    --------
    >>> bounding_box("line", {"points": [[4, 1], [2, 5]]})
    (2.0, 1.0, 4.0, 5.0)
    """
    if shape == "box":
        return _box(geometry)
    if shape == "ellipse":
        cx, cy, rx, ry, angle = _ellipse(geometry)
        half_width = math.hypot(rx * math.cos(angle), ry * math.sin(angle))
        half_height = math.hypot(rx * math.sin(angle), ry * math.cos(angle))
        return cx - half_width, cy - half_height, cx + half_width, cy + half_height
    if shape == "mask":
        mask = decode_rle(geometry)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if rows.size == 0:
            raise ValueError("a mask without a set pixel has no bounding box")
        return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
    points = _points(shape, geometry)
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def area_px(shape: str, geometry: Mapping[str, Any]) -> float:
    """Area of the shape itself in square pixels, wherever the image ends; not a count of pixel centres.

    A polygon that crosses itself counts by the even-odd rule, as its pixels do. A mask's area is its number of set
    pixels; a line and a point have none.

    Raises
    ------
    ValueError
        As `rasterize`.

    Examples
    --------
    >>> area_px("box", {"x0": 10.5, "y0": 20, "x1": 60, "y1": 48})
    1386.0
    """
    if shape == "box":
        x0, y0, x1, y1 = _box(geometry)
        return (x1 - x0) * (y1 - y0)
    if shape == "ellipse":
        _, _, rx, ry, _ = _ellipse(geometry)
        return math.pi * rx * ry
    if shape == "mask":
        return float(run_lengths(geometry)[1::2].sum())
    points = _points(shape, geometry)
    return even_odd_area(points) if shape in ("polygon", "freehand") else 0.0


def _first_centre(edge: float, limit: int) -> int:
    """Index of the first pixel whose centre is not before the edge, within the image."""
    return int(min(max(math.ceil(edge - 0.5), 0), limit))


def _fill_ellipse(
    cx: float, cy: float, rx: float, ry: float, angle: float, height: int, width: int
) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), dtype=np.bool_)
    box = bounding_box("ellipse", {"cx": cx, "cy": cy, "rx": rx, "ry": ry, "angle": angle})
    # One pixel of room on each side: the box is rounded, the inequality below decides.
    left, right = _first_centre(box[0] - 1, width), _first_centre(box[2] + 1, width)
    top, bottom = _first_centre(box[1] - 1, height), _first_centre(box[3] + 1, height)
    dx = np.arange(left, right)[np.newaxis, :] + 0.5 - cx
    dy = np.arange(top, bottom)[:, np.newaxis] + 0.5 - cy
    cosine, sine = math.cos(angle), math.sin(angle)
    along, across = dx * cosine + dy * sine, -dx * sine + dy * cosine
    mask[top:bottom, left:right] = along * along / (rx * rx) + across * across / (ry * ry) < 1.0
    return mask


def _checked_size(size: tuple[int, int]) -> tuple[int, int]:
    height, width = int(size[0]), int(size[1])
    if height < 0 or width < 0:
        raise ValueError(f"size is (height, width) and not negative, not {size}")
    return height, width


def _number(geometry: Mapping[str, Any], key: str) -> float:
    if key not in geometry:
        raise ValueError(f"{key} is missing")
    return _finite(geometry[key], key)


def _finite(value: Any, name: str) -> float:
    if isinstance(value, bool | str | bytes):
        raise ValueError(f"{name} is not a number: {value!r:.80}")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} is not a number: {value!r:.80}") from None
    if not math.isfinite(number) or abs(number) > _FARTHEST:
        raise ValueError(f"{name} is not finite or beyond {_FARTHEST:g}: {number}")
    return number


def _box(geometry: Mapping[str, Any]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (_number(geometry, key) for key in ("x0", "y0", "x1", "y1"))
    if x1 < x0 or y1 < y0:
        raise ValueError(f"box is turned inside out: x0={x0}, x1={x1}, y0={y0}, y1={y1}")
    return x0, y0, x1, y1


def _ellipse(geometry: Mapping[str, Any]) -> tuple[float, float, float, float, float]:
    cx, cy, rx, ry = (_number(geometry, key) for key in ("cx", "cy", "rx", "ry"))
    angle = _number(geometry, "angle") if "angle" in geometry else 0.0
    if rx <= 0 or ry <= 0:
        raise ValueError(f"radii are not positive: rx={rx}, ry={ry}")
    return cx, cy, rx, ry, angle


def _points(shape: str, geometry: Mapping[str, Any]) -> NDArray[np.float64]:
    """Points of a polygon, freehand, line or point, (points, 2), checked."""
    if shape == "point":
        return np.array([[_number(geometry, "x"), _number(geometry, "y")]])
    least = {"polygon": 3, "freehand": 3, "line": 2}.get(shape)
    if least is None:
        raise ValueError(f"unknown shape: {shape!r:.80}; one of {', '.join(SHAPES)}")
    points = geometry.get("points")
    if not isinstance(points, list | tuple | np.ndarray):
        raise ValueError(f"points is missing or no list in a {shape}")
    if len(points) < least:
        raise ValueError(f"a {shape} has at least {least} points, not {len(points)}")
    checked = np.empty((len(points), 2), dtype=np.float64)
    for index, point in enumerate(points):
        if len(point) != 2:
            raise ValueError(f"points[{index}] is not [x, y]: {point!r:.80}")
        checked[index] = _finite(point[0], f"points[{index}][0]"), _finite(point[1], f"points[{index}][1]")
    return checked
