"""What makes a drawing look like ultrasound: distances to an ellipse's edge, blur, speckle, the transducer's fan."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]  # (rows, columns)


def pixel_centres(size: tuple[int, int]) -> tuple[Field, Field]:
    """The x and y of every pixel's centre, each (rows, columns), broadcastable; (0, 0) is the image's corner."""
    height, width = size
    x = np.arange(width, dtype=np.float32)[None, :] + np.float32(0.5)
    y = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)
    return x, y


def signed_distance(geometry: Mapping[str, float], size: tuple[int, int]) -> Field:
    """Distance of every pixel's centre from an ellipse's edge in pixels, negative inside; exact to first order."""
    x, y = pixel_centres(size)
    x, y = x - np.float32(geometry["cx"]), y - np.float32(geometry["cy"])
    cos, sin = np.float32(math.cos(geometry["angle"])), np.float32(math.sin(geometry["angle"]))
    along, across = (x * cos + y * sin) / np.float32(geometry["rx"]), (y * cos - x * sin) / np.float32(geometry["ry"])
    radius = np.sqrt(along**2 + across**2)
    slope = np.sqrt((along / np.float32(geometry["rx"])) ** 2 + (across / np.float32(geometry["ry"])) ** 2)
    slope = slope / np.maximum(radius, np.float32(1e-6))
    # In the very centre the slope is undefined; anything well inside will do.
    distance: Field = ((radius - 1) / np.maximum(slope, 1e-6)).astype(np.float32)
    distance[radius < 1e-3] = -min(geometry["rx"], geometry["ry"])
    return distance


def coverage(distance: Field) -> Field:
    """How much of a pixel lies inside, from its distance to the edge: 1 inside, 0 outside, a ramp of one pixel."""
    inside: Field = np.clip(np.float32(0.5) - distance, 0, 1)
    return inside


def blur(field: Field, sigma_px: float) -> Field:
    """Gaussian blur, the edge repeated."""
    reach = max(1, math.ceil(2.5 * sigma_px))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_px) ** 2)
    taps = (taps / taps.sum()).astype(np.float32)
    for axis in (0, 1):
        room = [(reach, reach) if axis == number else (0, 0) for number in (0, 1)]
        padded, length = np.pad(field, room, mode="edge"), field.shape[axis]
        field = sum(
            (tap * np.take(padded, range(at, at + length), axis=axis) for at, tap in enumerate(taps)),
            start=np.zeros_like(field),
        )
    return field


def shading(rng: np.random.Generator, size: tuple[int, int], *, knots: int = 4) -> Field:
    """A slow random field with mean about 0 and values within ±1."""
    rows, columns = (np.linspace(0, knots - 1, count, dtype=np.float32) for count in size)
    grid = rng.uniform(-1, 1, (knots, knots)).astype(np.float32)
    by_row = np.stack([np.interp(rows, np.arange(knots), grid[:, column]) for column in range(knots)], axis=1)
    field: Field = np.stack([np.interp(columns, np.arange(knots), line) for line in by_row]).astype(np.float32)
    return field


def speckled(echo: Field, rng: np.random.Generator, *, grain_px: float, strength: float) -> Field:
    """Multiply by Rayleigh noise of mean 1, with grains that are wider than deep as a transducer's beam makes them."""
    noise = rng.rayleigh(math.sqrt(2 / math.pi), echo.shape).astype(np.float32) - 1
    smooth = blur(noise, grain_px)
    smooth *= np.float32(strength) / max(float(smooth.std()), 1e-6)
    bright: Field = np.maximum(echo * (1 + smooth), np.float32(0))
    return bright


def fan(size: tuple[int, int]) -> Field:
    """Weights of a curved transducer's field of view: 1 inside, 0 outside; its apex lies above the image."""
    height, width = size
    x, y = pixel_centres(size)
    across, down = x - np.float32(width / 2), y + np.float32(0.30 * height)
    reach = np.sqrt(across**2 + down**2)
    is_reached = (reach > 0.36 * height) & (reach < 1.28 * height)
    weights: Field = (is_reached & (np.abs(across) < math.tan(math.radians(47)) * down)).astype(np.float32)
    return weights
