"""Rows shaped like MedThinkVQA's, with texts and pictures of our own."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from PIL import Image

from tests.curation.sources import png

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = {"A": "Striped blob", "B": "Dotted blob", "C": "Hollow blob", "D": "Twin blob", "E": "No blob"}
PARTS = ("id", "path", "caption", "modality", "sub_modality")


def slot(case: int, number: int, **changes: Any) -> dict[str, Any]:
    """The five columns of a used slot."""
    given = {
        "id": f"im{number}",
        "path": f"images/case{case:05d}/im{number}.jpg",
        "caption": f"A drawn blob, view {number}.",
        "modality": "CT",
        "sub_modality": "Drawn CT",
        **changes,
    }
    return {f"image_{number:02d}_{part}": given[part] for part in PARTS}


def row(case: int = 19001, images: int = 2, **changes: Any) -> dict[str, Any]:
    """A row with some used slots and, as in JSON, no others."""
    whole: dict[str, Any] = {
        "title": f"Case number {case}",
        "CLINICAL_HISTORY": "A drawing was found on a desk.",
        "IMAGING_FINDINGS": "Both views show dots inside the blob.",
        "discussion": "Stripes would run across; only dots are seen.",
        "options": OPTIONS,
        "correct_answer": "B",
        "correct_answer_text": "Dotted blob",
        "ICD Chapter": "Chapter of shapes",
        "ICD Block": "Block of blobs",
        "ICD Category": "Category of dots",
        "is_longitudinal": False,
        "timepoint_count": 1,
        "interval_text": "",
        "image_count": images,
    }
    for number in range(1, images + 1):
        whole |= slot(case, number)
    return {**whole, **changes}


def rgba_png(size: tuple[int, int] = (12, 9)) -> bytes:
    """A red picture, half see-through."""
    buffer = io.BytesIO()
    Image.new("RGBA", size, (200, 0, 0, 128)).save(buffer, "PNG")
    return buffer.getvalue()


def write_images(folder: Path, case: int = 19001, images: int = 2) -> None:
    """Pictures where the slots' paths say."""
    below = folder / "images" / f"case{case:05d}"
    below.mkdir(parents=True, exist_ok=True)
    for number in range(1, images + 1):
        (below / f"im{number}.jpg").write_bytes(png(100 * case + number))
