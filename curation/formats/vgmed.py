"""VGMED's rows (arXiv 2603.14323): an image, a question that names its target, and the target's boxes; no answer.

The box trap: a path that begins with ``Slake`` holds x, y, width, height; other rows of VGMED hold corners; rows of
COCO files hold x, y, width, height. Boxes are in pixels of the original image.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from curation.formats.rows import Columns, corners, read_rows
from curation.formats.sightline import FaultyRecord, image_file
from curation.formats.sources import Rejection, SourceCase, SourceImage

TASKS = ("attribute", "localization")
LABEL = "target"
_TASK = re.compile(rf"_({'|'.join(TASKS)})(?![a-z])", re.IGNORECASE)
# Of the two, the one that is certainly in pixels of the original image comes first.
_BOX_COLUMNS = ("original_bboxes", "bbox")


def read_file(path: Path) -> Iterator[SourceCase | Rejection]:
    """Cases of VGMED_attribute.jsonl, VGMED_localization.jsonl, COCO_…, or of all of them in a folder.

    Images are looked for below the folder of the file. What a question is about stands in the file's name.

    Raises
    ------
    FileNotFoundError
        If a folder holds no record file.
    """
    return read_rows(path, parse_row)


def is_xywh(file: str, image: str) -> bool:
    """Whether boxes of a row are given as corner, width and height.

    Examples
    --------
    >>> is_xywh("VGMED_attribute.jsonl", "Slake/a.png"), is_xywh("VGMED_attribute.jsonl", "CT/a.png")
    (True, False)
    >>> is_xywh("COCO_attribute.jsonl", "val2017/a.png")
    True
    """
    return image.startswith("Slake") or file.upper().startswith("COCO")


def task_of(file: str) -> str:
    """What questions of a file are about, by its name; "" if it does not say.

    Examples
    --------
    >>> task_of("VGMED_localization.jsonl"), task_of("rows.jsonl")
    ('localization', '')
    """
    found = _TASK.search(file)
    return found[1].lower() if found else ""


def parse_row(row: Mapping[str, Any], index: int, file: Path) -> SourceCase:
    """One row.

    Raises
    ------
    FaultyRecord
        At the column, naming the value.
    """
    columns = Columns(row)
    named = columns.look("image")
    found = image_file(named, "image", file.parent)
    given_as_size, task = is_xywh(file.name, str(named)), task_of(file.name)
    boxes, paths = _boxes(columns, given_as_size)
    question, options = columns.needed("question"), columns.options()
    answer = columns.take("answer")
    gold = {
        "answer": {"choice": answer} if isinstance(answer, str) and answer in (options or {}) else None,
        "rois": [{"image": 1, "frame": 0, "label": LABEL, "shape": "box", "geometry": box} for box in boxes],
        "steps": [],
    }
    return SourceCase(
        index=index,
        id=None,
        images=(SourceImage(file=found, modality=columns.fitting("modality", most=32)),),
        question=question,
        options=options,
        answer=answer,
        gold=gold,
        split=columns.text("split"),
        patient=columns.text("patient"),
        source=columns.text("source"),
        licence=columns.first_text("licence", "license"),
        attribution=columns.text("attribution"),
        extra=columns.rest(),
        columns={
            "images[0].path": "image",
            **{f"gold.rois[{number}].geometry": path for number, path in enumerate(paths)},
        },
        notes={"task": task, "boxes": "xywh" if given_as_size else "xyxy"},
        key_parts=(f"vgmed {task}".strip(), tuple(boxes)),
    )


def _boxes(columns: Columns, given_as_size: bool) -> tuple[list[dict[str, float]], list[str]]:
    """The boxes as corners, and the path of each; the column stays in `extra` as it came."""
    name = next((name for name in _BOX_COLUMNS if columns.look(name) is not None), None)
    if name is None:
        raise FaultyRecord("bbox", "is missing, and so is original_bboxes")
    value = columns.look(name)
    if not isinstance(value, list) or not value:
        raise FaultyRecord(name, f"{value!r:.80} is no box and no list of boxes")
    if any(isinstance(item, list) for item in value):
        paths = [f"{name}[{number}]" for number in range(len(value))]
    else:
        value, paths = [value], [name]
    return [corners(box, path, is_xywh=given_as_size) for box, path in zip(value, paths, strict=True)], paths
