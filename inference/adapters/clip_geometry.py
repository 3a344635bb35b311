"""Where an image's pixels go in the input of CLIP's and LLaVA's image processors. Plain numbers: no torch."""

from __future__ import annotations

from typing import Any

from inference.metrics.grids import GridTransform


def transform_of(processor: Any, image_size: tuple[int, int], grid: tuple[int, int], patch_px: int) -> GridTransform:
    """The way from an image's pixels to token cells, from the processor's own parameters.

    In the processor's order: pad to a square (first padding floor(difference / 2)), resize (the shortest edge, the
    longer one rounded down; or both edges), cut the centre out.

    Parameters
    ----------
    processor
        A CLIP or LLaVA image processor of transformers.
    image_size
        (height, width) of the image in pixels.
    grid
        (rows, columns) of its tokens.
    patch_px
        Side of a cell in input pixels.

    Raises
    ------
    ValueError
        If the processor resizes in a way that is not known here.
    """
    height, width = image_size
    top = left = 0
    if getattr(processor, "do_pad", False):
        side = max(height, width)
        top, left, height, width = (side - height) // 2, (side - width) // 2, side, side
    new_height, new_width = _resized(processor, height, width)
    scale_y, scale_x = new_height / height, new_width / width
    cut_top = cut_left = 0
    if processor.do_center_crop:
        cut_top = _cut(new_height, int(processor.crop_size["height"]))
        cut_left = _cut(new_width, int(processor.crop_size["width"]))
    return GridTransform(
        image_size=image_size,
        scale_xy=(scale_x, scale_y),
        offset_xy=(left * scale_x - cut_left, top * scale_y - cut_top),
        grid_shape=grid,
        cell_size=float(patch_px),
    )


def _resized(processor: Any, height: int, width: int) -> tuple[int, int]:
    if not processor.do_resize:
        return height, width
    size = {key: value for key, value in dict(processor.size).items() if value is not None}
    if set(size) == {"shortest_edge"}:
        edge, shortest, longest = int(size["shortest_edge"]), min(height, width), max(height, width)
        other = int(edge * longest / shortest)
        return (edge, other) if height <= width else (other, edge)
    if set(size) == {"height", "width"}:
        return int(size["height"]), int(size["width"])
    raise ValueError(f"the processor resizes to {size}, which has no known transform")


def _cut(resized: int, crop: int) -> int:
    # As centre_crop in inference.metrics.grids: a crop larger than the image pads, one pixel more at the start.
    return (resized - crop) // 2 if crop <= resized else -((crop - resized + 1) // 2)
