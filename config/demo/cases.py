"""The demo's cases over pydicom's own DICOM files. Every statement here stands in a header or is plain to a lay eye."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydicom.data import get_testdata_file

SLUG = "demo"
TITLE = "Multi-image sample"
DESCRIPTION = (
    "Real CT, MR, ultrasound and nuclear medicine images, with questions that a header or a lay eye answers. "
    "Not clinically validated: it shows how reading, scoring and releasing work, and says nothing about patients."
)
LICENCE = "MIT"
ATTRIBUTION = "Test data of pydicom (https://github.com/pydicom/pydicom). Not clinically validated."
SOURCE = "pydicom test data"

CONFIG: dict[str, Any] = {
    "overlap": 2,
    "labels": [
        {"id": "evidence", "name": "Evidence", "colour": "#56b4e9", "key": "1"},
        {"id": "structure", "name": "Structure", "colour": "#e69f00", "line_style": "dotted", "key": "2"},
        {"id": "text", "name": "Text or marks", "colour": "#cc79a7", "line_style": "dashed", "key": "3"},
    ],
}

CT_HEAD = {"path": "J2K_pixelrep_mismatch.dcm", "caption": "CT, 512 x 512 pixels; the header names the body part HEAD."}
CT_SPINE = {"path": "CT_small.dcm", "caption": "CT, 128 x 128 pixels; an axial slice."}
MR_ABDOMEN = {
    "path": "examples_overlay.dcm",
    "caption": "MR, 484 x 300 pixels; the header names the body part ABDOMEN.",
}
MR_DETAIL = {"path": "MR_small.dcm", "caption": "MR, 64 x 64 pixels; spin echo, 3D."}
NM_BODY = {"path": "JPEG2000.dcm", "caption": "Nuclear medicine, 256 x 1024 pixels; an emission image."}
US_COLOUR = {"path": "examples_jpeg2k.dcm", "caption": "Ultrasound in colour, 640 x 480 pixels."}
US_COLOUR_SMALL = {"path": "examples_rgb_color.dcm", "caption": "Ultrasound in colour, 320 x 240 pixels."}
US_MARKS = {"path": "examples_palette.dcm", "caption": "Ultrasound, 800 x 350 pixels, with two + marks."}
US_CINE = {"path": "examples_ybr_color.dcm", "caption": "Ultrasound cine, 30 frames, 33.333 ms apart."}


def _case(key: str, question: str, options: dict[str, str], answer: str, *images: dict[str, str]) -> dict[str, Any]:
    return {
        "id": key,
        "split": "demo",
        "question": question,
        "options": options,
        "answer": answer,
        "history": "",
        "images": [dict(image) for image in images],
        "source": SOURCE,
        "licence": LICENCE,
        "attribution": ATTRIBUTION,
    }


CASES: list[dict[str, Any]] = [
    _case(
        "demo-moving",
        "Which image is a sequence of frames rather than a single picture?",
        {"A": "Image 1", "B": "Image 2", "C": "Image 3"},
        "B",
        CT_HEAD,
        US_CINE,
        MR_ABDOMEN,
    ),
    _case(
        "demo-head",
        "Which image shows a slice through the head?",
        {"A": "Image 1", "B": "Image 2", "C": "Image 3"},
        "C",
        MR_ABDOMEN,
        CT_SPINE,
        CT_HEAD,
    ),
    _case(
        "demo-same-picture",
        "Two of the three images show the same picture at different sizes. Which two?",
        {"A": "Images 1 and 2", "B": "Images 1 and 3", "C": "Images 2 and 3"},
        "B",
        US_COLOUR,
        US_CINE,
        US_COLOUR_SMALL,
    ),
    _case(
        "demo-colour",
        "Which image holds areas coloured yellow and red between its grey tissue?",
        {"A": "Image 1", "B": "Image 2", "C": "Image 3"},
        "B",
        US_MARKS,
        US_COLOUR,
        US_CINE,
    ),
    _case(
        "demo-whole-body",
        "Which image shows a person from head to foot?",
        {"A": "Image 1", "B": "Image 2", "C": "Image 3", "D": "Image 4"},
        "D",
        CT_SPINE,
        MR_ABDOMEN,
        MR_DETAIL,
        NM_BODY,
    ),
    _case(
        "demo-marks",
        "In image 1 a dotted line joins two + marks. In which half of the image does it lie?",
        {"A": "The upper half", "B": "The lower half"},
        "B",
        US_MARKS,
        US_COLOUR,
    ),
]


def image_folder() -> Path:
    """Where pydicom keeps its files; nothing is downloaded."""
    found = get_testdata_file("CT_small.dcm", download=False)
    if not isinstance(found, str):
        raise FileNotFoundError("pydicom's test files are not installed: CT_small.dcm is not there")
    return Path(found).parent
