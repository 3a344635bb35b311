"""What several readers' regions add up to, place by place: majority, STAPLE, and where they differ.

A place is one label on one frame of one image: a reader's regions of a label there are one mask, and a reader who drew
none has an empty one, since leaving a finding out says something too.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotations.metrics.consensus import majority, staple_fit
from curation.geometry import encode_rle, rasterize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from annotations.content import Frame

AREAS = frozenset({"box", "ellipse", "polygon", "freehand", "mask"})
# Around what was drawn, as a share of its longer side: STAPLE's prior is the share of pixels drawn within.
MARGIN = 0.1
LEAST_MARGIN_PX = 8
# Longer crops are computed on every second, third … pixel of either axis.
MOST_SIDE_PX = 384
# Of one reader at one place; more are counted and left out.
MOST_ROIS_A_PLACE = 200
INSIDE = 0.5
_DIFFERENCE_RGB = (240, 195, 106)  # --on-canvas-warn
_STAPLE_RGB = (79, 216, 255)  # --map-staple in review.css: no reader has it, and no tissue

Mask = NDArray[np.bool_]
Place = tuple[int, int, str]
"""(image, frame, label); no label is an empty text."""


@dataclass(frozen=True)
class Window:
    """The part of an image that is computed: pixels x0 to x1 and y0 to y1, each `step`th of them."""

    x0: int
    y0: int
    x1: int
    y1: int
    step: int

    def of(self, mask: Mask) -> Mask:
        """The part of a mask of the whole image."""
        return mask[self.y0 : self.y1 : self.step, self.x0 : self.x1 : self.step]

    def spread(self, small: Mask, size: tuple[int, int]) -> Mask:
        """A mask of the window as one of the whole image."""
        full = np.zeros(size, dtype=np.bool_)
        wide = small.repeat(self.step, axis=0).repeat(self.step, axis=1)
        full[self.y0 : self.y1, self.x0 : self.x1] = wide[: self.y1 - self.y0, : self.x1 - self.x0]
        return full


def region_consensus(readers: Sequence[Mapping[str, Any]], frame: Frame) -> list[dict[str, Any]]:
    """The consensus at every place where somebody drew an area.

    Parameters
    ----------
    readers
        Contents of the readings that count, one a reader; each is held to have looked at every place.
    frame
        Sizes of the images and shapes that labels allow.

    Returns
    -------
    list of dict
        By image, frame and label: `drawn_by` (places in `readers`), the `majority` as a mask (a tie is out) with its
        `area_px`, `roi` (the majority as a shape that the label allows, or None), and `staple`: its map and the map of
        disagreement as PNGs over `window`, its `mask` at 0.5, and each reader's sensitivity and specificity.
    """
    places = sorted({place for content in readers for place, _ in _areas(content)})
    return [_at(place, readers, frame) for place in places]


def uncounted_rois(readers: Sequence[Mapping[str, Any]]) -> int:
    """How many points and lines are in no consensus, since they have no area."""
    return sum(roi["shape"] not in AREAS for content in readers for roi in content["rois"])


def _areas(content: Mapping[str, Any]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    for roi in content["rois"]:
        if roi["shape"] in AREAS:
            yield (roi["image"], roi["frame"], roi["label"] or ""), roi


def _at(place: Place, readers: Sequence[Mapping[str, Any]], frame: Frame) -> dict[str, Any]:
    image, frame_number, label = place
    size = (frame.images[image].height, frame.images[image].width)
    found = [[roi for at, roi in _areas(content) if at == place] for content in readers]
    masks = [_union(rois[:MOST_ROIS_A_PLACE], size) for rois in found]
    most = majority(masks)
    window = _window(np.any(masks, axis=0))
    told: dict[str, Any] = {
        "image": image,
        "frame": frame_number,
        "label": label or None,
        "drawn_by": [number for number, rois in enumerate(found) if rois],
        "readers": len(readers),
        "rois_left_out": sum(max(0, len(rois) - MOST_ROIS_A_PLACE) for rois in found),
        "majority": encode_rle(most),
        "area_px": int(most.sum()),
        "roi": _as_roi(most, label, frame),
        "window": None,
        "staple": None,
        "difference": None,
    }
    if window is not None:
        small = [window.of(mask) for mask in masks]
        told |= {
            "window": {"x0": window.x0, "y0": window.y0, "x1": window.x1, "y1": window.y1, "step": window.step},
            "staple": _staple(small, window, size),
            "difference": _difference(small),
        }
    return told


def _union(rois: Sequence[Mapping[str, Any]], size: tuple[int, int]) -> Mask:
    mask = np.zeros(size, dtype=np.bool_)
    for roi in rois:
        mask |= rasterize(roi["shape"], roi["geometry"], size)
    return mask


def _window(drawn: Mask) -> Window | None:
    """Around every pixel that anybody drew; None where nobody drew a whole one."""
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    if not len(rows):
        return None
    x0, x1, y0, y1 = int(columns[0]), int(columns[-1]) + 1, int(rows[0]), int(rows[-1]) + 1
    margin = max(LEAST_MARGIN_PX, round(MARGIN * max(x1 - x0, y1 - y0)))
    x0, y0 = max(0, x0 - margin), max(0, y0 - margin)
    x1, y1 = min(drawn.shape[1], x1 + margin), min(drawn.shape[0], y1 + margin)
    return Window(x0, y0, x1, y1, -(-max(x1 - x0, y1 - y0) // MOST_SIDE_PX))


def _staple(masks: Sequence[Mask], window: Window, size: tuple[int, int]) -> dict[str, Any]:
    fit = staple_fit(masks)
    return {
        "png": _picture(fit.map, _STAPLE_RGB),
        "mask": encode_rle(window.spread(fit.map >= INSIDE, size)),
        "sensitivity": [_or_none(value) for value in fit.sensitivity],
        "specificity": [_or_none(value) for value in fit.specificity],
        "has_converged": fit.has_converged,
        "prior": fit.prior,
    }


def _difference(masks: Sequence[Mask]) -> str:
    """Clear where all agree; full where half of the readers drew the pixel."""
    share = np.mean(masks, axis=0)
    return _picture(2 * np.minimum(share, 1 - share), _DIFFERENCE_RGB)


def _picture(values: NDArray[np.float64], colour: tuple[int, int, int]) -> str:
    """Values in [0, 1] as the opacity of one colour: a PNG as a data address."""
    pixels = np.empty((*values.shape, 4), dtype=np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = np.round(np.clip(values, 0, 1) * 255)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _as_roi(mask: Mask, label: str, frame: Frame) -> dict[str, Any] | None:
    """A mask where the label allows it, else the box around it, else nothing."""
    allowed = frame.labels.get(label, ())
    if not mask.any():
        return None
    if not allowed or "mask" in allowed:
        return {"shape": "mask", "geometry": encode_rle(mask)}
    if "box" not in allowed:
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = {"x0": columns[0], "y0": rows[0], "x1": columns[-1] + 1, "y1": rows[-1] + 1}
    return {"shape": "box", "geometry": {name: float(value) for name, value in box.items()}}
