"""What one decoded file is, apart from where it came from: the stored bytes and the facts that describe them."""

import io
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Little-endian sample types that a stored image may have.
DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32")


class UndecodableError(ValueError):
    """A file that is not taken; the message is the cause, in words for the person who sent it."""


@dataclass(frozen=True)
class Window:
    """A window of DICOM PS3.3 C.11.2.1.2, in output units of the rescale."""

    centre: float
    width: float
    explanation: str = ""
    function: str = "LINEAR"  # LINEAR | LINEAR_EXACT | SIGMOID


@dataclass(frozen=True)
class VoiLut:
    """A look-up table of DICOM PS3.3 C.11.2.1.1: ``values[i]`` is the display value of ``first + i``."""

    first: int
    bits: int
    explanation: str
    values: tuple[int, ...]


@dataclass(frozen=True)
class DecodedImage:
    """One image, decoded once: what is stored and what is known of it."""

    kind: str  # png | jpeg | dicom: what the bytes were, not what the name said
    content: bytes = field(repr=False)
    content_type: str
    sha256: str  # of content
    source_sha256: str  # of the bytes given
    width: int
    height: int
    frames: int
    channels: int  # 1 | 3
    dtype: str
    pixel_offset: int | None  # of frame 0 in content; None where content is a PNG
    photometric: str  # MONOCHROME1 | MONOCHROME2 | RGB
    slope: float
    intercept: float
    windows: tuple[Window, ...]
    voi_luts: tuple[VoiLut, ...]
    spacing_mm: tuple[float, float] | None  # (row_mm, column_mm)
    spacing_source: str  # "" | PixelSpacing | ImagerPixelSpacing | UltrasoundRegion
    frame_time_ms: float | None
    modality: str
    acquisition: dict[str, str | float | int]
    needs_text_check: bool


def frame_extent(
    *, frame: int, width: int, height: int, frames: int, channels: int, dtype: str, pixel_offset: int
) -> tuple[int, int]:
    """(offset, length) in bytes of one frame's samples in stored DICOM content: enough to read that frame alone.

    Raises
    ------
    ValueError
        If there is no such frame.
    """
    if not 0 <= frame < frames:
        raise ValueError(f"frame {frame} does not exist: the image has {frames}, counted from 0")
    length = width * height * channels * np.dtype(dtype).itemsize
    return pixel_offset + frame * length, length


def frame_samples(
    content: bytes | memoryview,
    *,
    frame: int,
    width: int,
    height: int,
    frames: int,
    channels: int,
    dtype: str,
    pixel_offset: int | None,
) -> NDArray[np.generic]:
    """Stored samples of one frame, without rescale or window.

    Parameters
    ----------
    content : bytes
        As stored.
    frame : int
        From 0.
    width, height, frames, channels, dtype, pixel_offset
        The facts stored beside the content.

    Returns
    -------
    array of dtype, (rows, columns) or (rows, columns, 3)
        Little-endian, read-only.

    Raises
    ------
    ValueError
        If there is no such frame or the content is not as the facts say.
    """
    shape = (height, width) if channels == 1 else (height, width, channels)
    stored = np.dtype(dtype).newbyteorder("<")
    if pixel_offset is None:
        frame_extent(
            frame=frame, width=width, height=height, frames=frames, channels=channels, dtype=dtype, pixel_offset=0
        )
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            samples = np.asarray(image).astype(stored, copy=False)
        if samples.shape != shape:
            raise ValueError(f"content holds {samples.shape}, its facts say {shape}")
        samples.flags.writeable = False
        return samples
    offset, length = frame_extent(
        frame=frame,
        width=width,
        height=height,
        frames=frames,
        channels=channels,
        dtype=dtype,
        pixel_offset=pixel_offset,
    )
    part = memoryview(content)[offset : offset + length]
    if len(part) != length:
        raise ValueError(f"content ends before frame {frame}: {len(part)} of {length} bytes")
    return np.frombuffer(part, dtype=stored).reshape(shape)
