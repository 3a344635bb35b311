"""Files for import tests: real DICOM, small pictures, and what should be refused."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid


def dicom_file(name: str) -> Path:
    found = get_testdata_file(name, download=False)
    assert isinstance(found, str), name
    return Path(found)


def png(seed: int = 0, size: tuple[int, int] = (12, 9)) -> bytes:
    """A grey picture of (width, height) with seeded pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0]), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def huge_png_header() -> bytes:
    """A valid header that claims 60,000 x 60,000 pixels, and nothing after it."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


MARKERS = ("ZEBEDEE^QUAGMIRE", "MRN-77041-XQ", "19270314", "CONFIDENTIAL HOSPITAL", "DR^OBSCURE")


def identified_dicom(instance: int = 1, series: int = 1, offset: int = 0) -> bytes:
    """CT_small with identity in standard, private and nested places, and pixels of its own."""
    dataset = dcmread(dicom_file("CT_small.dcm"))
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate, dataset.InstitutionName = MARKERS[:4]
    dataset.ReferringPhysicianName = MARKERS[4]
    dataset.ImageComments = f"seen by {MARKERS[4]}"
    dataset.SOPInstanceUID = generate_uid()
    dataset.InstanceNumber, dataset.SeriesNumber = instance, series
    dataset.private_block(0x0041, "QUAGMIRE PRIVATE", create=True).add_new(1, "LO", MARKERS[1])
    pixels = dataset.pixel_array + offset
    dataset.PixelData = pixels.astype("<i2").tobytes()
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def write_records(folder: Path, records: list[Any], name: str = "cases.jsonl") -> Path:
    file = folder / name
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return file


def record(key: str, *images: dict[str, Any] | str, **fields: Any) -> dict[str, Any]:
    rows = [{"path": image} if isinstance(image, str) else image for image in images]
    return {"id": key, "question": f"What is {key}?", "images": rows, **fields}
