"""What the API takes as a shape on an image: findings by field, never an exception, whatever JSON arrives."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from curation.rle import compress_runs, mask_size, run_lengths

#: A freehand outline at one point a pixel around the largest image stays far below it.
MAX_POINTS = 20_000

Finding = tuple[str, str]
_KEYS: dict[str, tuple[str, ...]] = {
    "box": ("x0", "y0", "x1", "y1"),
    "ellipse": ("cx", "cy", "rx", "ry", "angle"),
    "polygon": ("points",),
    "freehand": ("points",),
    "line": ("points",),
    "point": ("x", "y"),
    "mask": ("size", "counts"),
}
_LEAST_POINTS = {"polygon": 3, "freehand": 3, "line": 2}


def check_geometry(shape: object, geometry: object, width: int, height: int) -> list[Finding]:
    """What is wrong with a shape drawn on an image of width x height pixels.

    Parameters
    ----------
    shape, geometry : object
        Anything that JSON can hold.
    width, height : int
        Of the image, in pixels.

    Returns
    -------
    list of (path, message)
        Empty if the API takes the shape (INTERFACE.md section 5). Paths are within the ROI: ``shape``, ``geometry``,
        ``geometry.x0``, ``geometry.points.3.1``.

    Examples
    --------
    >>> check_geometry("point", {"x": 5, "y": 2}, 4, 4)
    [('geometry.x', '5 is outside of 0 to 4')]
    """
    if not isinstance(shape, str) or shape not in _KEYS:
        return [("shape", f"{shape!r:.80} is no shape; one of {', '.join(_KEYS)}")]
    if not isinstance(geometry, Mapping):
        return [("geometry", f"is {type(geometry).__name__}, not an object")]
    expected = _KEYS[shape]
    wrong = [(f"geometry.{key}", "is missing") for key in expected if key not in geometry]
    unknown = [key for key in geometry if key not in expected]
    wrong += [(f"geometry.{str(key)[:80]}", f"is no part of a {shape}") for key in unknown[:10]]
    return wrong or _CHECKS[shape](geometry, width, height)


def stored_geometry(shape: str, geometry: Mapping[str, Any]) -> dict[str, Any]:
    """A checked geometry in the form it is stored in: numbers as they came, a mask's runs as a compressed string."""
    if shape == "mask":
        return {"size": list(mask_size(geometry)), "counts": compress_runs(run_lengths(geometry))}
    return dict(geometry)


def _number(value: object, path: str, low: float = -math.inf, high: float = math.inf) -> list[Finding]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return [(path, f"{value!r:.80} is not a number")]
    if isinstance(value, float) and not math.isfinite(value):
        return [(path, f"{value} is not finite")]
    if not low <= value <= high:
        return [(path, f"{value!r:.80} is outside of {low:g} to {high:g}")]
    return []


def _check_box(geometry: Mapping[str, Any], width: int, height: int) -> list[Finding]:
    wrong = []
    for axis, limit in (("x", width), ("y", height)):
        low, high = geometry[f"{axis}0"], geometry[f"{axis}1"]
        found = _number(low, f"geometry.{axis}0", 0, limit) + _number(high, f"geometry.{axis}1", 0, limit)
        if not found and low >= high:
            found = [(f"geometry.{axis}1", f"{high} is not above {axis}0 = {low}")]
        wrong += found
    return wrong


def _check_ellipse(geometry: Mapping[str, Any], width: int, height: int) -> list[Finding]:
    wrong = _number(geometry["cx"], "geometry.cx", 0, width) + _number(geometry["cy"], "geometry.cy", 0, height)
    farthest = 10.0 * (
        width + height
    )  # a radius has no edge to stop at; beyond this the ellipse is no region of the image
    for key in ("rx", "ry"):
        found = _number(geometry[key], f"geometry.{key}", 0, farthest)
        if not found and geometry[key] == 0:
            found = [(f"geometry.{key}", "0 is not above 0")]
        wrong += found
    return wrong + _number(geometry["angle"], "geometry.angle", -1e6, 1e6)


def _check_points(shape: str, geometry: Mapping[str, Any], width: int, height: int) -> list[Finding]:
    points = geometry["points"]
    if not isinstance(points, list | tuple):
        return [("geometry.points", f"is {type(points).__name__}, not a list")]
    least = _LEAST_POINTS[shape]
    if not least <= len(points) <= MAX_POINTS:
        return [("geometry.points", f"{len(points)} points, a {shape} has {least} to {MAX_POINTS}")]
    wrong: list[Finding] = []
    for index, point in enumerate(points):
        path = f"geometry.points.{index}"
        if not isinstance(point, list | tuple) or len(point) != 2:
            wrong.append((path, f"{point!r:.80} is not [x, y]"))
            continue
        wrong += _number(point[0], f"{path}.0", 0, width) + _number(point[1], f"{path}.1", 0, height)
        if len(wrong) >= 20:
            break
    return wrong


def _check_point(geometry: Mapping[str, Any], width: int, height: int) -> list[Finding]:
    return _number(geometry["x"], "geometry.x", 0, width) + _number(geometry["y"], "geometry.y", 0, height)


def _check_mask(geometry: Mapping[str, Any], width: int, height: int) -> list[Finding]:
    try:
        size = mask_size(geometry)
    except ValueError as error:
        return [("geometry.size", str(error))]
    if size != (height, width):
        return [("geometry.size", f"{list(size)} is not the image's [{height}, {width}]")]
    try:
        runs = run_lengths(geometry)
    except ValueError as error:
        return [("geometry.counts", str(error))]
    if not np.any(runs[1::2]):
        return [("geometry.counts", "the mask has no pixel set")]
    return []


_CHECKS: dict[str, Callable[[Mapping[str, Any], int, int], list[Finding]]] = {
    "box": _check_box,
    "ellipse": _check_ellipse,
    "polygon": partial(_check_points, "polygon"),
    "freehand": partial(_check_points, "freehand"),
    "line": partial(_check_points, "line"),
    "point": _check_point,
    "mask": _check_mask,
}
