"""The demo's FETAL-GAUGE benchmark: all five tasks over phantoms in the manner of fetal ultrasound. No fetus is shown.

`box_xyxy` is the red box of the grounding task and, in the others, the box around what decides the question. Head
planes carry their pixel spacing and head circumference, known from the drawing, in columns of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.demo.pictures import LABEL, LICENCE, SEED, SOURCE, first_number, save_picture, save_rows
from curation.phantoms.fetal import draw, with_red_box
from curation.phantoms.fetal_questions import Box, Item, Task, ask

SLUG = "phantom-fetal"
TITLE = "Five questions of a scan: fetal phantoms"
DESCRIPTION = (
    f"{LABEL}. Drawings in the manner of fetal ultrasound, and no fetus: plane, conformity, orientation, a synthetic "
    "lesion class, and what lies in a red box."
)
ITEMS = 4  # of each task, in each split
# A whole head comes first: it says at a glance what the drawings are.
ORDER = (Task.ORIENTATION, Task.PLANE, Task.CONFORMITY, Task.DIAGNOSIS, Task.GROUNDING)
CASES = 2 * ITEMS * len(ORDER)
SIDE_PX = 252
LINE_PX = 2


def write(folder: Path, split: str) -> None:
    """The rows and pictures of one split."""
    save_rows((_row(folder, split, task, at) for at in range(ITEMS) for task in ORDER), folder / "fetal_gauge.jsonl")


def _row(folder: Path, split: str, task: Task, at: int) -> dict[str, Any]:
    # A range of numbers for each task: no two items show the same picture, and within a range the answers go round.
    place = first_number(split, ITEMS) + at
    number = SEED + 1000 * ORDER.index(task) + place
    item = ask(task, number, size=(SIDE_PX, SIDE_PX))
    pixels, asked = draw(item.scene), item.question.box
    clean = save_picture(pixels, folder, f"images/{number}.png")
    shown = clean
    if asked is not None:
        shown = save_picture(with_red_box(pixels, asked, width_px=LINE_PX), folder, f"images/{number}-box.png")
    box = asked or _around(item)
    return {
        "id": f"phantom-{task.value.lower()}-{place + 1}",
        "image": shown,
        "image_clean": clean,
        "task": task.value,
        "question": item.question.text,
        "options": item.question.options,
        "answer": item.question.answer,
        "answer_text": item.question.answer_text,
        "label_raw": item.question.answer_text,
        "source_dataset": SOURCE,
        "source_id": str(number),
        "patient_id": f"phantom-{number - SEED:04}",
        "split": split,
        "domain": "phantom",
        "box_xyxy": None if box is None else list(box),
        "image_width": SIDE_PX,
        "image_height": SIDE_PX,
        "box_area_frac": None if box is None else _area(box) / SIDE_PX**2,
        "license": LICENCE,
        **_known(item),
    }


def _around(item: Item) -> Box | None:
    """The smallest box around all that decides the question; None where the answer is that there is nothing."""
    boxes = [one.box for one in item.question.evidence]
    if not boxes:
        return None
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _known(item: Item) -> dict[str, Any]:
    """What the drawing knows besides; columns of ours, kept with the case."""
    scene = item.scene
    evidence = [
        {"name": one.name, "is_visible": one.is_visible, "ellipse": dict(one.geometry)}
        for one in item.question.evidence
    ]
    return {
        "attribution": LABEL,
        "row_mm": scene.spacing_mm[0],
        "column_mm": scene.spacing_mm[1],
        "head_circumference_mm": scene.hc_mm,
        "evidence": evidence,
    }
