"""From regions in image pixels to cells of a model's token grid, through the transform that the processor applied.

Nothing is upsampled: an attention map keeps one number a token, and the expert's region comes down to the tokens.
Names ending in `_xy` are ordered (x, y); every other pair is (rows, columns) or (height, width), as numpy orders it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CellMask = NDArray[np.bool_]
"""Cells of a token grid, bool (rows, columns)."""

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the original image, left and top edges inside."""

# A box edge this near to a cell edge, in cells, lies on it: 125 px scaled by 336/500 is 84.00000000000001.
_SNAP = 1e-9


@dataclass(frozen=True)
class GridTransform:
    """How a pixel of the original image reaches a cell of the token grid.

    A point (x, y) of the image goes to `(x * scale_xy[0] + offset_xy[0], y * scale_xy[1] + offset_xy[1])` in pixels of
    the model's input, and from there to the cell whose sides are `cell_size`.

    Parameters
    ----------
    image_size
        (height, width) of the original image in pixels.
    scale_xy
        Input pixels for each image pixel, (x, y).
    offset_xy
        Where the image's top-left corner lies in the input, in input pixels: positive where the processor pads,
        negative where it crops.
    grid_shape
        (rows, columns) of the token grid.
    cell_size
        (height, width) of a cell in input pixels; one number stands for a square cell.

    Raises
    ------
    ValueError
        If a size, scale or cell is not positive and finite.

    Examples
    --------
    >>> transform = GridTransform((100, 200), (1.0, 1.0), (0.0, 50.0), (4, 4), 50)
    >>> transform.cell_size
    (50.0, 50.0)
    """

    image_size: tuple[int, int]
    scale_xy: tuple[float, float]
    offset_xy: tuple[float, float]
    grid_shape: tuple[int, int]
    cell_size: tuple[float, float] | float

    def __post_init__(self) -> None:
        cell = self.cell_size
        pair = (float(cell), float(cell)) if isinstance(cell, (int, float)) else (float(cell[0]), float(cell[1]))
        object.__setattr__(self, "cell_size", pair)
        for name in ("image_size", "scale_xy", "grid_shape", "cell_size"):
            value = getattr(self, name)
            if len(value) != 2 or not all(math.isfinite(part) and part > 0 for part in value):
                raise ValueError(f"{name} must be two positive finite numbers, not {value!r}")
        if not all(math.isfinite(part) for part in self.offset_xy):
            raise ValueError(f"offset_xy must be two finite numbers, not {self.offset_xy!r}")

    @property
    def cells(self) -> int:
        """N, the number of cells of the grid."""
        return self.grid_shape[0] * self.grid_shape[1]

    @property
    def cell_hw(self) -> tuple[float, float]:
        """(height, width) of a cell in input pixels."""
        assert isinstance(self.cell_size, tuple)  # __post_init__ made it a pair
        return self.cell_size

    def to_dict(self) -> dict[str, list[float]]:
        """The transform as JSON holds it; `from_dict` reads it back."""
        return {
            "image_size": list(self.image_size),
            "scale_xy": list(self.scale_xy),
            "offset_xy": list(self.offset_xy),
            "grid_shape": list(self.grid_shape),
            "cell_size": list(self.cell_hw),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> GridTransform:
        """The transform that `to_dict` wrote.

        Examples
        --------
        >>> transform = squash((100, 200), (336, 336), (24, 24))
        >>> GridTransform.from_dict(transform.to_dict()) == transform
        True
        """
        height, width = stored["image_size"]
        rows, columns = stored["grid_shape"]
        return cls(
            image_size=(int(height), int(width)),
            scale_xy=(float(stored["scale_xy"][0]), float(stored["scale_xy"][1])),
            offset_xy=(float(stored["offset_xy"][0]), float(stored["offset_xy"][1])),
            grid_shape=(int(rows), int(columns)),
            cell_size=(float(stored["cell_size"][0]), float(stored["cell_size"][1])),
        )


def squash(
    image_size: tuple[int, int],
    input_size: tuple[int, int],
    grid_shape: tuple[int, int],
) -> GridTransform:
    """The transform of a processor that stretches the whole image to its input, losing the aspect ratio.

    Examples
    --------
    >>> squash((100, 200), (336, 336), (24, 24)).scale_xy
    (1.68, 3.36)
    """
    return GridTransform(
        image_size=image_size,
        scale_xy=(input_size[1] / image_size[1], input_size[0] / image_size[0]),
        offset_xy=(0.0, 0.0),
        grid_shape=grid_shape,
        cell_size=(input_size[0] / grid_shape[0], input_size[1] / grid_shape[1]),
    )


def pad_to_square(image_size: tuple[int, int], input_side: int, grid_shape: tuple[int, int]) -> GridTransform:
    """The transform of a processor that pads the shorter side equally on both ends, then resizes to a square.

    The padding before the image is floor(difference / 2) image pixels, as LLaVA's processor rounds it.

    Examples
    --------
    >>> pad_to_square((100, 200), 336, (24, 24)).offset_xy
    (0.0, 84.0)
    """
    height, width = image_size
    longest = max(height, width)
    scale = input_side / longest
    return GridTransform(
        image_size=image_size,
        scale_xy=(scale, scale),
        offset_xy=((longest - width) // 2 * scale, (longest - height) // 2 * scale),
        grid_shape=grid_shape,
        cell_size=(input_side / grid_shape[0], input_side / grid_shape[1]),
    )


def centre_crop(
    image_size: tuple[int, int],
    resized_size: tuple[int, int],
    crop_size: tuple[int, int],
    grid_shape: tuple[int, int],
) -> GridTransform:
    """The transform of a processor that resizes, then cuts the middle out; what was cut away has no cell.

    The cut starts at floor((resized - crop) / 2); where the crop is larger than the image, the image is centred in it.

    Examples
    --------
    >>> centre_crop((100, 200), (336, 672), (336, 336), (24, 24)).offset_xy
    (-168.0, 0.0)
    """
    top, left = (_crop_start(resized_size[axis], crop_size[axis]) for axis in (0, 1))
    return GridTransform(
        image_size=image_size,
        scale_xy=(resized_size[1] / image_size[1], resized_size[0] / image_size[0]),
        offset_xy=(float(-left), float(-top)),
        grid_shape=grid_shape,
        cell_size=(crop_size[0] / grid_shape[0], crop_size[1] / grid_shape[1]),
    )


def _crop_start(resized: int, crop: int) -> int:
    # A crop larger than the image pads first, one pixel more at the start than at the end when the gap is odd.
    return (resized - crop) // 2 if crop <= resized else -math.ceil((crop - resized) / 2)


def touched_cells(box_xyxy: Box | Iterable[float], transform: GridTransform) -> CellMask:
    """Cells that a box touches: floor(x0 / w) <= column < ceil(x1 / w) in pixels of the input, likewise for rows.

    Every touched cell counts, however little of it is covered. The box is first cut to the image, so it never reaches
    padding, and then to the grid, so a part that the processor cropped away has no cells. A box without width or
    height that lies on the image touches one cell in that direction.

    Parameters
    ----------
    box_xyxy
        x0, y0, x1, y1 in pixels of the original image.
    transform
        The processor's transform of that image.

    Returns
    -------
    bool (rows, columns); no cell at all where the box lies outside the image or outside the crop.

    Raises
    ------
    ValueError
        If a coordinate is nan or infinite, or the box ends before it starts.

    Examples
    --------
    >>> transform = squash((100, 100), (40, 40), (4, 4))
    >>> touched_cells((0, 0, 26, 25), transform).astype(int)
    array([[1, 1, 0, 0],
           [0, 0, 0, 0],
           [0, 0, 0, 0],
           [0, 0, 0, 0]])
    """
    x0, y0, x1, y1 = (float(part) for part in box_xyxy)
    if not all(math.isfinite(part) for part in (x0, y0, x1, y1)):
        raise ValueError(f"a box needs finite coordinates, not {(x0, y0, x1, y1)}")
    if x0 > x1 or y0 > y1:
        raise ValueError(f"a box must not end before it starts: {(x0, y0, x1, y1)}")
    cells = np.zeros(transform.grid_shape, dtype=np.bool_)
    height, width = transform.cell_hw
    rows = _touched(
        y0,
        y1,
        transform.image_size[0],
        transform.scale_xy[1],
        transform.offset_xy[1],
        height,
        transform.grid_shape[0],
    )
    columns = _touched(
        x0,
        x1,
        transform.image_size[1],
        transform.scale_xy[0],
        transform.offset_xy[0],
        width,
        transform.grid_shape[1],
    )
    cells[rows, columns] = True
    return cells


def _touched(
    low: float,
    high: float,
    extent: int,
    scale: float,
    offset: float,
    cell: float,
    count: int,
) -> slice:
    start, stop = max(low, 0.0), min(high, float(extent))
    if start > stop or (start == stop and low < high):
        return slice(0, 0)
    first, last = (_snapped((edge * scale + offset) / cell) for edge in (start, stop))
    if first == last:  # a point, or thinner than rounding: the cell to its right, or the last at the image's far edge
        if not 0 <= first <= count:
            return slice(0, 0)
        index = min(math.floor(first), count - 1)
        return slice(index, index + 1)
    return slice(min(max(math.floor(first), 0), count), min(max(math.ceil(last), 0), count))


def _snapped(position: float) -> float:
    nearest = round(position)
    return float(nearest) if abs(position - nearest) < _SNAP else position


def union_of_boxes(boxes: Iterable[Box], transform: GridTransform) -> CellMask:
    """Cells that any of several boxes touches (the ROI rule `box`); no box, no cell.

    Examples
    --------
    >>> transform = squash((100, 100), (40, 40), (4, 4))
    >>> int(union_of_boxes([(0, 0, 25, 25), (0, 0, 25, 50)], transform).sum())
    2
    """
    cells = np.zeros(transform.grid_shape, dtype=np.bool_)
    for box in boxes:
        cells |= touched_cells(box, transform)
    return cells


def mask_cells(mask: NDArray[np.bool_], transform: GridTransform) -> CellMask:
    """Cells that a mask's pixels touch (the ROI rule `mask`).

    Pixel (column c, row r) counts as the box (c, r, c + 1, r + 1), so a full rectangle gives what its box gives.

    Parameters
    ----------
    mask
        bool (height, width) of the original image.
    transform
        The processor's transform of that image.

    Returns
    -------
    bool (rows, columns); no cell where no pixel is set or none survives the crop.

    Raises
    ------
    ValueError
        If the mask's shape is not the image's size.

    Examples
    --------
    >>> mask = np.zeros((100, 100), dtype=bool)
    >>> mask[24:26, 0:25] = True
    >>> mask_cells(mask, squash((100, 100), (40, 40), (4, 4))).astype(int)
    array([[1, 0, 0, 0],
           [1, 0, 0, 0],
           [0, 0, 0, 0],
           [0, 0, 0, 0]])
    """
    if mask.shape != tuple(transform.image_size):
        raise ValueError(f"mask and image differ in shape: {mask.shape} and {tuple(transform.image_size)}")
    cells = np.zeros(transform.grid_shape, dtype=np.bool_)
    set_rows, set_columns = (
        np.flatnonzero(mask.any(axis=1)),
        np.flatnonzero(mask.any(axis=0)),
    )
    if not set_rows.size:
        return cells
    height, width = transform.cell_hw
    by_row = _incidence(
        set_rows,
        transform.scale_xy[1],
        transform.offset_xy[1],
        height,
        transform.grid_shape[0],
    )
    by_column = _incidence(
        set_columns,
        transform.scale_xy[0],
        transform.offset_xy[0],
        width,
        transform.grid_shape[1],
    )
    kept = mask[np.ix_(set_rows, set_columns)].astype(np.float32)
    return np.asarray(by_row @ kept @ by_column.T > 0, dtype=np.bool_)


def _incidence(pixels: NDArray[np.intp], scale: float, offset: float, cell: float, count: int) -> NDArray[np.float32]:
    """Which cells of one axis each pixel of that axis touches, 0 or 1, (cells, pixels)."""
    edges = (np.stack([pixels, pixels + 1]) * scale + offset) / cell
    nearest = np.rint(edges)
    edges = np.where(np.abs(edges - nearest) < _SNAP, nearest, edges)
    index = np.arange(count)[:, None]
    touched = (index >= np.floor(edges[0])) & (index < np.ceil(edges[1]))
    return np.asarray(touched, dtype=np.float32)
