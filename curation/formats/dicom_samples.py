"""Samples of a DICOM file, frame by frame: decompressed, unused bits cleared, palette and YBR turned into RGB."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
from pydicom.pixels.utils import get_expected_length, iter_pixels, pixel_array

from curation.formats.decoded import UndecodableError

_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")


@dataclass(frozen=True)
class Layout:
    """What the header claims about the samples, checked for sense before any of them is read."""

    rows: int
    columns: int
    frames: int
    samples: int
    allocated: int
    stored: int
    high: int
    signed: bool
    photometric: str


def read_layout(dataset: Dataset, *, max_pixels: int, max_content_bytes: int) -> Layout:
    """Check what the header claims about the samples.

    Raises
    ------
    UndecodableError
        If there are no pixels, a size is missing or absurd, or the kind of samples is not one that an image has.
    """
    _check_has_pixels(dataset)
    layout = Layout(
        rows=_whole(dataset, "Rows"),
        columns=_whole(dataset, "Columns"),
        frames=_whole(dataset, "NumberOfFrames", 1),
        samples=_whole(dataset, "SamplesPerPixel", 1),
        allocated=_whole(dataset, "BitsAllocated"),
        stored=_whole(dataset, "BitsStored", _whole(dataset, "BitsAllocated")),
        high=_whole(dataset, "HighBit", _whole(dataset, "BitsStored", _whole(dataset, "BitsAllocated")) - 1, least=0),
        signed=bool(_whole(dataset, "PixelRepresentation", 0, least=0)),
        photometric=str(dataset.get("PhotometricInterpretation", "")).strip(),
    )
    pixels = layout.rows * layout.columns
    if pixels > max_pixels:
        raise UndecodableError(
            f"is {layout.columns} x {layout.rows} = {pixels / 1e6:.0f} megapixels; the limit is {max_pixels / 1e6:g}"
        )
    _check_samples(layout)
    channels = 3 if layout.photometric == "PALETTE COLOR" else layout.samples
    size = pixels * layout.frames * channels * layout.allocated // 8
    if size > max_content_bytes:
        raise UndecodableError(
            f"claims {layout.frames} frames of {layout.columns} x {layout.rows}, {size / 1e6:.0f} MB of samples; "
            f"the limit is {max_content_bytes / 1e6:.0f} MB"
        )
    _check_length(dataset, layout)
    return layout


def iter_samples(dataset: Dataset, layout: Layout) -> Iterator[NDArray[np.generic]]:
    """Frames in order, (rows, columns) or (rows, columns, 3), in the machine's byte order.

    Raises
    ------
    UndecodableError
        If a frame cannot be decoded, is missing, or has another shape than the header claims.
    """
    shape = (layout.rows, layout.columns, 3) if layout.samples == 3 else (layout.rows, layout.columns)
    seen = 0
    for frame in _frames(dataset, layout):
        if seen == layout.frames:
            raise UndecodableError(f"claims {layout.frames} frames but holds more")
        if frame.shape != shape:
            raise UndecodableError(f"claims {shape} but a frame is {frame.shape}")
        yield _finish(frame, dataset, layout)
        seen += 1
    if seen != layout.frames:
        raise UndecodableError(f"claims {layout.frames} frames but holds {seen}")


def _frames(dataset: Dataset, layout: Layout) -> Iterator[NDArray[np.generic]]:
    """Decoded frames; a lone one by pydicom's whole-array way, whose arrays it may correct in place."""
    # pydicom takes the stored bits to be the lowest: where they sit higher, they are cut out below.
    corrected = _has_low_bits(dataset, layout)
    if layout.frames == 1:
        yield pixel_array(dataset, index=0, correct_unused_bits=corrected)
    else:
        yield from iter_pixels(dataset, correct_unused_bits=corrected)


def _has_low_bits(dataset: Dataset, layout: Layout) -> bool:
    """Whether decoded samples begin at bit 0: compressed ones always do, whatever the high bit says."""
    return layout.high + 1 == layout.stored or dataset.file_meta.TransferSyntaxUID.is_encapsulated


def _finish(frame: NDArray[np.generic], dataset: Dataset, layout: Layout) -> NDArray[np.generic]:
    frame = _stored_bits(frame, layout, 0 if _has_low_bits(dataset, layout) else layout.high + 1 - layout.stored)
    if layout.photometric == "PALETTE COLOR":
        return np.asarray(apply_color_lut(frame, dataset))[..., :3]
    if "ModalityLUTSequence" in dataset:
        table = np.asarray(apply_modality_lut(frame, dataset))
        return table if table.dtype.kind in "iu" else frame
    return frame


def _stored_bits(frame: NDArray[np.generic], layout: Layout, shift: int) -> NDArray[np.generic]:
    """The stored bits alone: overlays and rubbish may sit in the others (PS3.5 8.1.1)."""
    bits = frame.dtype.itemsize * 8
    if layout.samples == 3 or layout.stored == bits:
        return frame
    unsigned = frame.view(f"u{frame.dtype.itemsize}") << (bits - layout.stored - shift)
    return unsigned.view(frame.dtype) >> (bits - layout.stored)


def _check_has_pixels(dataset: Dataset) -> None:
    if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
        raise UndecodableError("holds floating-point pixels; whole-number samples are taken")
    if "PixelData" in dataset and dataset.PixelData:
        return
    modality = str(dataset.get("Modality", "")).strip()[:16]
    if "DirectoryRecordSequence" in dataset:
        raise UndecodableError("is a DICOMDIR, a table of contents, and has no pixels")
    raise UndecodableError(f"has no pixels{f' (modality {modality})' if modality.isalnum() else ''}")


def _check_samples(layout: Layout) -> None:
    if layout.allocated not in (8, 16, 32):
        raise UndecodableError(f"has {layout.allocated} bits a sample; 8, 16 and 32 are taken")
    if not 1 <= layout.stored <= layout.allocated or not layout.stored - 1 <= layout.high < layout.allocated:
        raise UndecodableError(
            f"claims {layout.stored} stored bits up to bit {layout.high} of {layout.allocated}, which cannot be"
        )
    if layout.photometric in _GREY or layout.photometric == "PALETTE COLOR":
        wanted = 1
    elif layout.photometric in _COLOUR:
        wanted = 3
    else:
        raise UndecodableError(f"has the photometric interpretation {layout.photometric[:24]!r}, which is not taken")
    if layout.samples != wanted or (wanted == 3 and layout.signed):
        raise UndecodableError(
            f"claims {layout.samples} {'signed ' if layout.signed else ''}samples a pixel as {layout.photometric}"
        )


def _check_length(dataset: Dataset, layout: Layout) -> None:
    """Uncompressed pixel data must be as long as the sizes say: else one of them lies, and which one is not known."""
    if dataset["PixelData"].is_undefined_length or dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    expected, found = int(get_expected_length(dataset)), len(dataset.PixelData)
    if found < expected:
        raise UndecodableError(
            f"claims {layout.frames} x {layout.rows} x {layout.columns} pixels, {expected} bytes, "
            f"but holds {found} bytes"
        )
    frame_bytes = max(expected // layout.frames, 2)
    if found - expected >= frame_bytes:
        raise UndecodableError(
            f"claims {layout.frames} frames of {frame_bytes} bytes, but holds {found} bytes, at least a frame more"
        )


def _whole(dataset: Dataset, keyword: str, default: int | None = None, *, least: int = 1) -> int:
    try:
        value = dataset.get(keyword)
        if value is None or value == "":
            if default is None:
                raise UndecodableError(f"does not say its {keyword}")
            return default
        number = int(value)
    except (TypeError, OverflowError):
        raise UndecodableError(f"has no readable {keyword}") from None
    except ValueError as error:
        if isinstance(error, UndecodableError):
            raise
        raise UndecodableError(f"has no readable {keyword}") from None
    if number < least:
        raise UndecodableError(f"claims a {keyword} of {number}")
    return number
