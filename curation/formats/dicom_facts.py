"""What a DICOM data set says about its samples: rescale, windows, spacing, timing. Nothing of it is guessed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pydicom import Dataset

from curation.deidentification.elements import clean_number, window_name
from curation.formats.decoded import UndecodableError, VoiLut, Window

_CENTIMETRE = 3  # PhysicalUnitsXDirection, PS3.3 C.8.5.5.1.3
_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
_MOST_WINDOWS = 16
_MOST_TABLES = 4
_PRINTABLE = frozenset(range(0x20, 0x7F))


@dataclass(frozen=True)
class Spacing:
    """Distance of neighbouring pixels, (row_mm, column_mm), and which element says so."""

    mm: tuple[float, float] | None
    source: str


def numbers(dataset: Dataset, keyword: str) -> list[float]:
    """An element's values as numbers; empty if it is absent or any of them is none."""
    try:
        value = dataset.get(keyword)
    except (ValueError, TypeError, NotImplementedError, OverflowError):
        return []
    if value is None:
        return []
    values = [value] if isinstance(value, str | int | float) or not isinstance(value, Sequence) else list(value)
    cleaned = [clean_number(item) for item in values]
    return [number for number in cleaned if number is not None] if None not in cleaned else []


def functional_groups(dataset: Dataset, macro: str) -> list[Dataset]:
    """Items of one functional group macro: the shared one, or one a frame."""
    shared = _first_item(dataset, "SharedFunctionalGroupsSequence")
    if shared is not None and (item := _first_item(shared, macro)) is not None:
        return [item]
    frames = dataset.get("PerFrameFunctionalGroupsSequence") or []
    items = [_first_item(frame, macro) for frame in frames]
    return [item for item in items if item is not None]


def rescale(dataset: Dataset) -> tuple[float, float]:
    """(slope, intercept) to the output units; (1, 0) where the file gives none.

    Raises
    ------
    UndecodableError
        If frames differ in it, or the slope is 0.
    """
    groups = functional_groups(dataset, "PixelValueTransformationSequence")
    pairs = {_slope_and_intercept(group) for group in (groups or [dataset])}
    if len(pairs) > 1:
        raise UndecodableError(f"has {len(pairs)} different rescales among its frames; one for all is taken")
    slope, intercept = pairs.pop()
    if slope == 0:
        raise UndecodableError("has a rescale slope of 0, which makes every sample equal")
    return slope, intercept


def windows(dataset: Dataset) -> tuple[Window, ...]:
    """Windows in the order of the file; of frames that differ, the first frame's. Unusable ones are left out."""
    groups = functional_groups(dataset, "FrameVOILUTSequence")
    source = groups[0] if groups else dataset
    centres, widths = numbers(source, "WindowCenter"), numbers(source, "WindowWidth")
    if len(centres) != len(widths):
        return ()
    function = str(source.get("VOILUTFunction") or "LINEAR").strip().upper()
    function = function if function in _FUNCTIONS else "LINEAR"
    names = source.get("WindowCenterWidthExplanation") or []
    names = [names] if isinstance(names, str) else list(names)
    found = []
    for index, (centre, width) in enumerate(zip(centres, widths, strict=True)):
        if width >= 1 if function == "LINEAR" else width > 0:
            name = window_name(names[index]) if index < len(names) else ""
            found.append(Window(centre=centre, width=width, explanation=name, function=function))
    return tuple(found[:_MOST_WINDOWS])


def voi_luts(dataset: Dataset, *, signed: bool) -> tuple[VoiLut, ...]:
    """Look-up tables of the VOI LUT sequence, four at most; what is no display curve, such as text, is left out."""
    groups = functional_groups(dataset, "FrameVOILUTSequence")
    source = groups[0] if groups and "VOILUTSequence" in groups[0] else dataset
    found = []
    for item in list(source.get("VOILUTSequence") or [])[:_MOST_WINDOWS]:
        lut = _read_lut(item, signed=signed)
        if lut is not None:
            found.append(lut)
    return tuple(found[:_MOST_TABLES])


def spacing(dataset: Dataset) -> Spacing:
    """Pixel spacing, only where the file gives it: in the patient, at the detector, or of its ultrasound regions."""
    measures = functional_groups(dataset, "PixelMeasuresSequence")
    given = {tuple(numbers(item, "PixelSpacing")) for item in measures}
    candidates = [given.pop()] if len(given) == 1 else []
    candidates.append(tuple(numbers(dataset, "PixelSpacing")))
    for pair in candidates:
        if _is_spacing(pair):
            return Spacing((pair[0], pair[1]), "PixelSpacing")
    pair = tuple(numbers(dataset, "ImagerPixelSpacing"))
    if _is_spacing(pair):
        return Spacing((pair[0], pair[1]), "ImagerPixelSpacing")
    return _ultrasound_spacing(dataset)


def frame_time_ms(dataset: Dataset) -> float | None:
    """Milliseconds from frame to frame, or None where the file does not say one."""
    vector = numbers(dataset, "FrameTimeVector")[1:]
    candidates = numbers(dataset, "FrameTime")
    if vector and max(vector) == min(vector):
        candidates.append(vector[0])
    for keyword in ("CineRate", "RecommendedDisplayFrameRate"):
        candidates += [1000.0 / rate for rate in numbers(dataset, keyword) if rate > 0]
    return next((candidate for candidate in candidates if candidate > 0), None)


def _ultrasound_spacing(dataset: Dataset) -> Spacing:
    """One spacing if every region measured in centimetres has the same; several regions that differ have none."""
    found = set()
    for region in dataset.get("SequenceOfUltrasoundRegions") or []:
        units = numbers(region, "PhysicalUnitsXDirection") + numbers(region, "PhysicalUnitsYDirection")
        deltas = numbers(region, "PhysicalDeltaX") + numbers(region, "PhysicalDeltaY")
        if len(units) == 2 and len(deltas) == 2 and units == [_CENTIMETRE, _CENTIMETRE] and all(deltas):
            found.add((round(abs(deltas[1]) * 10, 9), round(abs(deltas[0]) * 10, 9)))
        else:
            found.add((0.0, 0.0))  # a region without lengths: what is drawn there has no millimetres
    if len(found) != 1:
        return Spacing(None, "")
    pair = found.pop()
    return Spacing(pair, "UltrasoundRegion") if _is_spacing(pair) else Spacing(None, "")


def _is_spacing(pair: tuple[float, ...]) -> bool:
    return len(pair) == 2 and all(0 < side < 1000 for side in pair)


def _slope_and_intercept(source: Dataset) -> tuple[float, float]:
    slope, intercept = numbers(source, "RescaleSlope"), numbers(source, "RescaleIntercept")
    return slope[0] if slope else 1.0, intercept[0] if intercept else 0.0


def _first_item(dataset: Dataset, keyword: str) -> Dataset | None:
    items = dataset.get(keyword)
    return items[0] if items else None


def _read_lut(item: Dataset, *, signed: bool) -> VoiLut | None:
    descriptor: Any = item.get("LUTDescriptor")
    data: Any = item.get("LUTData")
    if descriptor is None or data is None or len(descriptor) != 3:
        return None
    try:
        length, first, bits = (int(part) for part in descriptor)
        length = length or 65536  # PS3.3 C.11.2.1.1: 0 stands for 2**16
        values = _lut_values(data, length)
    except (ValueError, TypeError):
        return None
    if signed and first > 32767:
        first -= 65536  # written as US though the samples are signed
    if not 8 <= bits <= 16 or len(values) != length or not _is_curve(values, bits):
        return None
    return VoiLut(first=first, bits=bits, explanation="", values=tuple(values))


def _lut_values(data: Any, length: int) -> list[int]:
    if not isinstance(data, bytes):
        return [int(value) for value in (data if isinstance(data, Sequence) else [data])]
    if len(data) == length + length % 2 and length > 1:  # one byte an entry, and one to make it even
        return list(data[:length])
    return [int.from_bytes(data[start : start + 2], "little") for start in range(0, len(data), 2)]


def _is_curve(values: list[int], bits: int) -> bool:
    """Whether a table can be a display curve: it only rises or only falls, within its bits, and is not plain text."""
    if not 0 <= min(values) < max(values) < 1 << bits:
        return False
    steps = [after - before for before, after in pairwise(values)]
    if min(steps) < 0 < max(steps):
        return False
    # Two or three letters may happen to be in order; no curve keeps to printable bytes alone.
    text = {byte for value in values for byte in (value & 0xFF, value >> 8)} - {0}
    return not text <= _PRINTABLE
