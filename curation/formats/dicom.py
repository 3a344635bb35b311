"""DICOM to the stored form: an uncompressed Explicit VR Little Endian file that holds allow-listed elements only."""

import hashlib
import io
import logging
import warnings
from dataclasses import dataclass

import numpy as np
from pydicom import Dataset, FileDataset, config, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from curation.deidentification.elements import METHOD, kept_elements
from curation.formats import dicom_facts
from curation.formats.decoded import DecodedImage, UndecodableError, VoiLut
from curation.formats.dicom_samples import Layout, iter_samples, read_layout

_IMPLEMENTATION = "2.25.312684029151137386403187204913620421"
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
# Classes whose objects stay what they are without functional groups, names or dates; the others become captures.
_KEPT_CLASSES = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{suffix}" for suffix in ("1", "1.1", "2", "3.1", "4", "6.1", "7", "12.1", "20", "128")
)
_MULTI_FRAME_CAPTURE = {8: "1.2.840.10008.5.1.4.1.1.7.2", 16: "1.2.840.10008.5.1.4.1.1.7.3"}
# Elements of PS3.3 type 2 that readers expect to be there, always written empty.
_EMPTY = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
          "AccessionNumber", "ReferringPhysicianName", "Manufacturer")  # fmt: skip
_ACQUISITION_LEFT_OUT = frozenset(("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction",
                                   "SequenceOfUltrasoundRegions", "RescaleSlope", "RescaleIntercept"))  # fmt: skip


@dataclass(frozen=True)
class _Stored:
    """Samples in stored form and what they turned out to be."""

    samples: bytearray
    dtype: np.dtype[np.generic]
    channels: int
    bits: int
    photometric: str


def decode_dicom(data: bytes, *, max_pixels: int, max_content_bytes: int) -> DecodedImage:
    """Decode a DICOM file.

    Parameters
    ----------
    data : bytes
        With or without preamble and file meta information.
    max_pixels : int
        Rows x columns above which the header is refused.
    max_content_bytes : int
        Bytes of uncompressed samples, all frames, above which the header is refused.

    Raises
    ------
    UndecodableError
        If it has no pixels, lies about them, or holds a kind that is not taken.
    """
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    config.settings.reading_validation_mode = config.IGNORE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _decode(data, max_pixels, max_content_bytes)
        except (UndecodableError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  pydicom and its codecs raise nearly every type on a damaged file
            cause = " ".join(str(error).split())[:300] or type(error).__name__
            raise UndecodableError(f"is damaged or of a kind that is not taken: {cause}") from None


def _decode(data: bytes, max_pixels: int, max_content_bytes: int) -> DecodedImage:
    dataset = _read(data)
    layout = read_layout(dataset, max_pixels=max_pixels, max_content_bytes=max_content_bytes)
    slope, intercept = (1.0, 0.0) if "ModalityLUTSequence" in dataset else dicom_facts.rescale(dataset)
    luts = dicom_facts.voi_luts(dataset, signed=layout.signed or intercept < 0)
    spacing = dicom_facts.spacing(dataset)
    stored = _store_samples(dataset, layout, max_content_bytes)
    kept = kept_elements(dataset)
    colour = stored.channels == 3
    windows = () if colour else dicom_facts.windows(dataset)
    acquisition = _acquisition(kept)
    _keep_measures(kept, dataset, spacing, colour=colour, slope=slope, intercept=intercept)
    content, offset = _write(dataset, kept, stored, layout, luts=() if colour else luts)
    return DecodedImage(
        kind="dicom",
        content=content,
        content_type="application/dicom",
        sha256=hashlib.sha256(content).hexdigest(),
        source_sha256=hashlib.sha256(data).hexdigest(),
        width=layout.columns,
        height=layout.rows,
        frames=layout.frames,
        channels=stored.channels,
        dtype=stored.dtype.name,
        pixel_offset=offset,
        photometric=stored.photometric,
        slope=1.0 if colour else slope,
        intercept=0.0 if colour else intercept,
        windows=windows,
        voi_luts=() if colour else luts,
        spacing_mm=spacing.mm,
        spacing_source=spacing.source,
        frame_time_ms=dicom_facts.frame_time_ms(dataset) if layout.frames > 1 else None,
        modality=str(kept.get("Modality", "")),
        acquisition=acquisition,
        needs_text_check=True,
    )


def _read(data: bytes) -> FileDataset:
    try:
        dataset = dcmread(io.BytesIO(data), force=True)
    except Exception as error:  # noqa: BLE001  the reader raises nearly every type on hostile bytes
        raise UndecodableError(f"cannot be read as DICOM: {str(error)[:200]}") from None
    if not len(dataset):
        raise UndecodableError("begins like DICOM but holds no element")
    if not dataset.file_meta.get("TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = UID(
            "1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1" if little else "1.2.840.10008.1.2.2"
        )
    return dataset


def _store_samples(dataset: Dataset, layout: Layout, max_content_bytes: int) -> _Stored:
    """All frames, little-endian and interleaved, each as wide as the first."""
    samples, first = bytearray(), None
    for frame in iter_samples(dataset, layout):
        if first is None:
            first = frame
        elif frame.dtype != first.dtype or frame.shape != first.shape:
            raise UndecodableError(f"has frames of different kinds: {first.dtype.name} and {frame.dtype.name}")
        samples += np.ascontiguousarray(frame, dtype=frame.dtype.newbyteorder("<")).data.cast("B")
        if len(samples) > max_content_bytes:
            raise UndecodableError(f"holds more than the limit of {max_content_bytes / 1e6:.0f} MB of samples")
    if first is None:
        raise UndecodableError("has no frame")
    colour = first.ndim == 3
    dtype = first.dtype.newbyteorder("=")
    is_table = layout.photometric == "PALETTE COLOR" or "ModalityLUTSequence" in dataset or colour
    return _Stored(
        samples=samples,
        dtype=dtype,
        channels=3 if colour else 1,
        bits=dtype.itemsize * 8 if is_table else layout.stored,
        photometric="RGB" if colour else layout.photometric,
    )


def _acquisition(kept: Dataset) -> dict[str, str | float | int]:
    """Kept elements by keyword, as JSON can hold them; several values joined as DICOM joins them."""
    found: dict[str, str | float | int] = {}
    for element in kept:
        if element.keyword in _ACQUISITION_LEFT_OUT or element.VR == "SQ":
            continue
        if element.VM > 1:
            found[element.keyword] = "\\".join(str(value) for value in element.value)
        elif element.VR == "IS":
            found[element.keyword] = int(element.value)
        elif element.VR in ("DS", "FD", "FL", "US", "SS", "UL", "SL"):
            found[element.keyword] = float(element.value)
        else:
            found[element.keyword] = str(element.value)
    return found


def _keep_measures(
    kept: Dataset, source: Dataset, spacing: dicom_facts.Spacing, *, colour: bool, slope: float, intercept: float
) -> None:
    """Carry what was read from functional groups to the top level, and drop what no longer holds of the samples."""
    if spacing.mm is not None and spacing.source == "PixelSpacing":
        kept.PixelSpacing = [f"{side:.9g}" for side in spacing.mm]
    for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType", "PresentationLUTShape"):
        if keyword in kept and (colour or keyword != "RescaleType"):
            delattr(kept, keyword)
    for keyword in ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction"):
        if keyword in kept:
            delattr(kept, keyword)
    if colour:
        return
    kept.RescaleSlope, kept.RescaleIntercept = f"{slope:.9g}", f"{intercept:.9g}"
    if "RescaleType" not in kept:
        kept.RescaleType = "US"  # unspecified, PS3.3 C.11.1.1.2
    windows = dicom_facts.windows(source)
    if windows:
        kept.WindowCenter = [f"{window.centre:.9g}" for window in windows]
        kept.WindowWidth = [f"{window.width:.9g}" for window in windows]
        kept.VOILUTFunction = windows[0].function
        if all(window.explanation for window in windows):
            kept.WindowCenterWidthExplanation = [window.explanation for window in windows]


def _write(
    source: Dataset, kept: Dataset, stored: _Stored, layout: Layout, *, luts: tuple[VoiLut, ...]
) -> tuple[bytes, int]:
    """(content, offset of the first sample); UIDs come from the hash of everything else."""
    kept.Rows, kept.Columns, kept.SamplesPerPixel = layout.rows, layout.columns, stored.channels
    kept.PhotometricInterpretation = stored.photometric
    kept.BitsAllocated, kept.BitsStored, kept.HighBit = stored.dtype.itemsize * 8, stored.bits, stored.bits - 1
    kept.PixelRepresentation = int(stored.dtype.kind == "i")
    if stored.channels == 3:
        kept.PlanarConfiguration = 0
    if layout.frames > 1:
        kept.NumberOfFrames = layout.frames
    for keyword in _EMPTY:
        setattr(kept, keyword, "")
    kept.PatientIdentityRemoved, kept.DeidentificationMethod = "YES", METHOD
    if luts:
        kept.VOILUTSequence = [_lut_item(lut, signed=stored.dtype.kind == "i" or lut.first < 0) for lut in luts]
    kept.SOPClassUID = _class_uid(source, layout, stored)
    if layout.frames > 1 and "FrameTime" in kept:
        kept.FrameIncrementPointer = 0x00181063
    seed = hashlib.sha256(stored.samples)
    seed.update(_encoded(kept, meta=False))
    for level in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        digest = hashlib.sha256(level.encode() + seed.digest()).digest()
        setattr(kept, level, f"2.25.{int.from_bytes(digest[:16], 'big')}")
    head = _encoded(kept, meta=True)
    padding = b"\0" * (len(stored.samples) % 2)
    value_type = b"OB" if stored.dtype.itemsize == 1 else b"OW"
    length = (len(stored.samples) + len(padding)).to_bytes(4, "little")
    tag = b"\xe0\x7f\x10\x00" + value_type + b"\0\0" + length
    return b"".join((head, tag, stored.samples, padding)), len(head) + len(tag)


def _encoded(kept: Dataset, *, meta: bool) -> bytes:
    target = io.BytesIO()
    if not meta:
        kept.save_as(target, implicit_vr=False, little_endian=True)
        return target.getvalue()
    file_meta = FileMetaDataset()
    file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file_meta.MediaStorageSOPClassUID = kept.SOPClassUID
    file_meta.MediaStorageSOPInstanceUID = kept.SOPInstanceUID
    file_meta.ImplementationClassUID = UID(_IMPLEMENTATION)
    file_meta.ImplementationVersionName = "SIGHTLINE"
    written = FileDataset("", kept, preamble=b"\0" * 128, file_meta=file_meta)
    written.save_as(target, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return target.getvalue()


def _class_uid(source: Dataset, layout: Layout, stored: _Stored) -> UID:
    given = str(source.get("SOPClassUID", ""))
    if given in _KEPT_CLASSES:
        return UID(given)
    if layout.frames == 1:
        return UID(_SECONDARY_CAPTURE)
    if stored.channels == 3:
        return UID("1.2.840.10008.5.1.4.1.1.7.4")
    return UID(_MULTI_FRAME_CAPTURE.get(stored.dtype.itemsize * 8, _SECONDARY_CAPTURE))


def _lut_item(lut: VoiLut, *, signed: bool) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if signed else "US", [_as_short(len(lut.values), signed), lut.first, lut.bits])
    item.add_new("LUTData", "OW", b"".join(value.to_bytes(2, "little") for value in lut.values))
    return item


def _as_short(length: int, signed: bool) -> int:
    length %= 65536  # 65536 entries are written as 0
    return length - 65536 if signed and length > 32767 else length
