"""FETAL-GAUGE's tasks (arXiv 2512.22278) in our own row: no schema of theirs is published.

A row holds id, image, image_clean, task, question, options, answer, answer_text, label_raw, source_dataset, source_id,
patient_id, split, domain, box_xyxy, image_width, image_height, box_area_frac, license. The clean original is what is
stored and shown. The copy with the red box drawn in is never taken for it: its path and sha256 are kept beside the
case, and the box itself is the question's (VG), to be drawn over the clean image.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from curation.formats.rows import Columns, corners, read_rows
from curation.formats.sightline import FaultyRecord, image_file, is_key
from curation.formats.sources import Rejection, SourceCase, SourceImage

# Plane identification, view conformity, fetal orientation, clinical diagnosis, visual grounding.
TASKS = ("PI", "VC", "FO", "CD", "VG")
BOX_TASK = "VG"
DOMAINS = ("phantom", "clinical")
LABEL = "structure"


def read_file(path: Path) -> Iterator[SourceCase | Rejection]:
    """Cases of a record file, or of every record file directly in a folder; images lie below the folder of the file.

    Raises
    ------
    FileNotFoundError
        If a folder holds no record file.
    """
    return read_rows(path, parse_row, named=_key)


def _key(row: Mapping[str, Any]) -> str | None:
    return row["id"][:128] if isinstance(row.get("id"), str) else None


def parse_row(row: Mapping[str, Any], index: int, file: Path) -> SourceCase:
    """One row.

    Raises
    ------
    FaultyRecord
        At the column, naming the value.
    """
    columns = Columns(row)
    key = columns.needed("id")
    if not is_key(key):
        raise FaultyRecord("id", f"{key!r:.140} is no key: no slashes, control characters or a dot in front")
    task = _one_of(columns, "task", TASKS)
    if columns.look("domain") is not None:
        _one_of(columns, "domain", DOMAINS)
    options = columns.options()
    if options is None:
        raise FaultyRecord("options", "is missing")
    answer = columns.choice("answer", options)
    name, image, notes = _images(columns, task, file.parent)
    box = _box(columns, task)
    warnings = _warnings(columns, options, answer)
    return SourceCase(
        index=index,
        id=key,
        images=(SourceImage(file=image, modality="US"),),
        question=columns.needed("question"),
        options=options,
        answer=answer,
        gold=_gold(answer, box),
        split=columns.text("split"),
        patient=columns.first_text("patient_id"),
        source=columns.first_text("source_dataset"),
        licence=columns.first_text("license", "licence"),
        attribution=columns.text("attribution"),
        extra=columns.rest(),
        columns={"images[0].path": name, "gold.rois[0].geometry": "box_xyxy", "size": "image_width, image_height"},
        notes={
            "task": task,
            **({"question_box": list(box.values())} if box is not None and task == BOX_TASK else {}),
            **notes,
            **({"warnings": warnings} if warnings else {}),
        },
        size=_size(columns),
    )


def _one_of(columns: Columns, name: str, known: tuple[str, ...]) -> str:
    value = columns.look(name)
    if value not in known:
        raise FaultyRecord(name, f"{value!r:.80} is none of {', '.join(known)}")
    return str(value)


def _images(columns: Columns, task: str, folder: Path) -> tuple[str, Path, dict[str, Any]]:
    """The column and the file of the image that is stored, and what is noted of the other one."""
    given, clean = columns.look("image"), columns.look("image_clean")
    if clean in (None, ""):
        if task == BOX_TASK:
            raise FaultyRecord("image_clean", "is missing: the copy with the box drawn in is not shown as the source")
        return "image", image_file(given, "image", folder), {}
    stored = image_file(clean, "image_clean", folder)
    if given in (None, ""):
        return "image_clean", stored, {}
    other = image_file(given, "image", folder)
    if other == stored:
        if task == BOX_TASK:
            raise FaultyRecord("image_clean", f"{clean!r:.200} is the image with the box drawn in as well")
        return "image_clean", stored, {}
    try:
        with other.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise FaultyRecord("image", f"{other.name}: {error.strerror}") from None
    return "image_clean", stored, {"image_sha256": digest}


def _box(columns: Columns, task: str) -> dict[str, float] | None:
    value = columns.look("box_xyxy")
    if value is None:
        if task == BOX_TASK:
            raise FaultyRecord("box_xyxy", f"is missing: a {BOX_TASK} question is about a box")
        return None
    return corners(value, "box_xyxy", is_xywh=False)


def _gold(answer: str | None, box: dict[str, float] | None) -> dict[str, Any] | None:
    if answer is None and box is None:
        return None
    rois = [] if box is None else [{"image": 1, "frame": 0, "label": LABEL, "shape": "box", "geometry": box}]
    return {"answer": None if answer is None else {"choice": answer}, "rois": rois, "steps": []}


def _size(columns: Columns) -> tuple[int, int] | None:
    """What the row says of the original's width and height; both or nothing."""
    width, height = columns.look("image_width"), columns.look("image_height")
    if width is None and height is None:
        return None
    for name, value in (("image_width", width), ("image_height", height)):
        if type(value) is not int or not 0 < value <= 1_000_000:
            raise FaultyRecord(name, f"{value!r:.80} is no number of pixels")
    return width, height


def _warnings(columns: Columns, options: Mapping[str, str], answer: str | None) -> list[str]:
    said = columns.look("answer_text")
    if answer is None or not isinstance(said, str) or said.strip() == options[answer].strip():
        return []
    return [f"answer_text is {said!r:.80}, option {answer} says {options[answer]!r:.80}"]
