"""Stored samples to what a model, an export and a thumbnail show: windowed 8-bit RGB. Versioned.

The window is the file's first; a file without one is shown through its first VOI look-up table, and one without either
from its least to its greatest value. Formulas: DICOM PS3.3 C.11.2.1.2 (windows), C.11.2.1.1 (tables), C.7.6.3.1.2
(MONOCHROME1).
Any change of a rendered pixel needs a new RENDERING_VERSION: predictions are keyed by it.
"""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curation.formats.canonical import canonical_digest
from curation.formats.decoded import VoiLut, Window

RENDERING_VERSION = "1"


def render_frame(
    samples: NDArray[np.generic],
    *,
    photometric: str,
    slope: float = 1.0,
    intercept: float = 0.0,
    window: Window | None = None,
    voi_lut: VoiLut | None = None,
) -> NDArray[np.uint8]:
    """Render the stored samples of one frame.

    Parameters
    ----------
    samples : integer array, (rows, columns) or (rows, columns, 3)
        As stored. Colour is shown as it is, its highest 8 bits if it has more; the rest of the arguments is for grey.
    photometric : str
        MONOCHROME1 (the least value is white), MONOCHROME2 or RGB.
    slope, intercept : float
        Rescale to output units, in which windows and tables speak.
    window : Window, optional
    voi_lut : VoiLut, optional
        Used where there is no window. Without either: least to greatest value of the frame.

    Returns
    -------
    uint8 array, (rows, columns, 3)

    Raises
    ------
    ValueError
        If the shape and the photometric interpretation do not fit, or the samples are not whole numbers.

    Examples
    --------
    >>> shown = render_frame(np.array([[0, 100, 200]], dtype=np.int16), photometric="MONOCHROME2")
    >>> shown[..., 0].tolist()
    [[0, 128, 255]]
    """
    if samples.dtype.kind not in "iu":
        raise ValueError(f"samples are whole numbers, not {samples.dtype}")
    if photometric == "RGB":
        if samples.ndim != 3 or samples.shape[2] != 3 or samples.dtype.kind != "u":
            raise ValueError(
                f"RGB samples are unsigned of shape (rows, columns, 3), not {samples.dtype} {samples.shape}"
            )
        return np.ascontiguousarray((samples >> (8 * samples.dtype.itemsize - 8)).astype(np.uint8))  # type: ignore[operator]
    if photometric not in ("MONOCHROME1", "MONOCHROME2") or samples.ndim != 2:
        raise ValueError(f"samples of shape {samples.shape} are not {photometric}")
    window = window or (None if voi_lut else default_window(samples, windows=(), slope=slope, intercept=intercept))
    low, high = int(samples.min()), int(samples.max())
    if high - low < 1 << 16:
        # As many values as a table holds: each is worked out once, not once a pixel.
        table = _shown(np.arange(low, high + 1), photometric, slope, intercept, window, voi_lut)
        grey = table[samples.astype(np.int64) - low]
    else:
        grey = _shown(samples, photometric, slope, intercept, window, voi_lut)
    return np.repeat(grey[..., np.newaxis], 3, axis=2)


def default_window(
    samples: NDArray[np.generic],
    *,
    windows: Sequence[Window],
    slope: float = 1.0,
    intercept: float = 0.0,
    voi_luts: Sequence[VoiLut] = (),
) -> Window | None:
    """The window that an image is shown through unless a person chooses another.

    The file's first; None for colour and where the file's first VOI table is to be used instead; else one from the
    frame's least to its greatest value.

    Examples
    --------
    >>> default_window(np.array([[-10, 30]], dtype=np.int16), windows=())
    Window(centre=10.0, width=40.0, explanation='least to greatest value', function='LINEAR_EXACT')
    """
    if samples.ndim == 3:
        return None
    if windows:
        return windows[0]
    if voi_luts:
        return None
    ends = (int(samples.min()) * slope + intercept, int(samples.max()) * slope + intercept)
    low, high = min(ends), max(ends)
    return Window((low + high) / 2, (high - low) or 1.0, "least to greatest value", "LINEAR_EXACT")


def choose_frames(frames: int, count: int = 1) -> list[int]:
    """Frames that a model sees: ``count`` evenly spaced ones, by default the middle one; never chosen by a region.

    Raises
    ------
    ValueError
        If either number is below 1.

    Examples
    --------
    >>> choose_frames(30), choose_frames(30, 3), choose_frames(2, 5)
    ([15], [5, 15, 25], [0, 1])
    """
    if frames < 1 or count < 1:
        raise ValueError(f"frames and count are at least 1, not {frames} and {count}")
    count = min(count, frames)
    return [(2 * index + 1) * frames // (2 * count) for index in range(count)]


def with_box(pixels: NDArray[np.uint8], box: Sequence[float]) -> NDArray[np.uint8]:
    """A copy with a red frame around a box, for questions that ask what the box holds.

    Parameters
    ----------
    pixels : uint8 array, (rows, columns, 3)
    box : (x0, y0, x1, y1)
        In pixels; the frame lies around it, and within it only where the image ends.

    Returns
    -------
    uint8 array, (rows, columns, 3)
        The frame is 1/150 of the shorter side wide, at least 1 pixel.

    Examples
    --------
    >>> with_box(np.zeros((5, 5, 3), np.uint8), (2, 2, 3, 3))[..., 0].tolist()[1]
    [0, 255, 255, 255, 0]
    """
    rows, columns = pixels.shape[:2]
    width = max(1, round(min(rows, columns) / 150))
    x0, y0 = int(np.floor(box[0])), int(np.floor(box[1]))
    x1, y1 = int(np.ceil(box[2])), int(np.ceil(box[3]))
    framed = pixels.copy()
    framed[max(y0 - width, 0) : y1 + width, max(x0 - width, 0) : x1 + width] = (255, 0, 0)
    inner = (
        slice(max(y0, width), max(min(y1, rows - width), width)),
        slice(max(x0, width), max(min(x1, columns - width), width)),
    )
    framed[inner] = pixels[inner]
    return framed


def describe_rendering(
    *,
    frame: int,
    photometric: str,
    slope: float,
    intercept: float,
    window: Window | None,
    voi_lut: VoiLut | None = None,
) -> dict[str, Any]:
    """Everything that decides how a frame is rendered, as JSON can hold it."""
    shown = None
    if window is not None:
        shown = {"centre": window.centre, "width": window.width, "function": window.function}
    table = None
    if window is None and voi_lut is not None:
        table = canonical_digest([voi_lut.first, voi_lut.bits, list(voi_lut.values)])
    return {
        "version": RENDERING_VERSION,
        "frame": frame,
        "photometric": photometric,
        "slope": slope,
        "intercept": intercept,
        "window": shown,
        "voi_lut": table,
    }


def content_address(sha256: str, description: dict[str, Any]) -> str:
    """Name of a rendered frame: sha256, in hex, over the stored image's sha256 and the description of the rendering."""
    return canonical_digest({"image": sha256, "rendering": description})


def thumbnail_png(pixels: NDArray[np.uint8], max_side: int = 256) -> bytes:
    """PNG of rendered pixels, (rows, columns, 3), at most ``max_side`` pixels a side; never enlarged."""
    image = Image.fromarray(pixels)
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    image.save(target, format="PNG")
    return target.getvalue()


def _shown(
    samples: NDArray[Any],
    photometric: str,
    slope: float,
    intercept: float,
    window: Window | None,
    voi_lut: VoiLut | None,
) -> NDArray[np.uint8]:
    values = samples.astype(np.float64) * slope + intercept
    if window is not None:
        share = _through_window(values, window)
    elif voi_lut is not None:
        share = _through_table(values, voi_lut)
    else:
        raise ValueError("neither a window nor a table to show samples through")
    if photometric == "MONOCHROME1":
        share = 1.0 - share
    return np.floor(share * 255.0 + 0.5).astype(np.uint8)


def _through_window(values: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    """Share of full brightness, 0 to 1."""
    centre, width = window.centre, window.width
    if window.function == "SIGMOID":
        if width <= 0:
            raise ValueError(f"a SIGMOID window has a width above 0, not {width}")
        with np.errstate(over="ignore"):
            return np.asarray(1.0 / (1.0 + np.exp(-4.0 * (values - centre) / width)))
    if window.function == "LINEAR_EXACT":
        if width <= 0:
            raise ValueError(f"a LINEAR_EXACT window has a width above 0, not {width}")
        return np.asarray(np.clip((values - centre) / width + 0.5, 0.0, 1.0))
    if window.function != "LINEAR":
        raise ValueError(f"unknown window function: {window.function!r:.40}")
    if width < 1:
        raise ValueError(f"a LINEAR window has a width of at least 1, not {width}")
    if width == 1:
        return np.asarray(np.where(values > centre - 0.5, 1.0, 0.0))
    return np.asarray(np.clip((values - (centre - 0.5)) / (width - 1.0) + 0.5, 0.0, 1.0))


def _through_table(values: NDArray[np.float64], voi_lut: VoiLut) -> NDArray[np.float64]:
    table = np.asarray(voi_lut.values, dtype=np.float64) / float((1 << voi_lut.bits) - 1)
    places = np.clip(np.floor(values + 0.5) - voi_lut.first, 0, table.size - 1).astype(np.int64)
    return np.asarray(np.clip(table[places], 0.0, 1.0))
