"""The demo's VGMED benchmark: organ phantoms, a question that names its target, the target's box, and no answer.

Three questions a picture, about three lesions where it has as many: what is asked of one is the null of the others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.demo.pictures import LABEL, LICENCE, MODALITIES, SEED, SOURCE, first_number, save_picture, save_rows
from curation.phantoms.organs import SIDE_PX, OrganPhantom, make_organ
from curation.phantoms.questions import PhantomQuestion, questions_of

SLUG = "phantom-grounding"
TITLE = "Where does it look? Phantom organs"
DESCRIPTION = (
    f"{LABEL}. Organs that do not exist, with two to four lesions each. A question names one lesion; draw the region "
    "that decides it. There is no answer to give: what is measured is whether a model looks there."
)
PICTURES = 6  # a split
# The first names its target alone, as VGMED's localization questions do; the others ask for an attribute of it.
ASKED = {"localization": (("presence",),), "attribute": (("size",), ("edge", "vertical", "horizontal"))}
CASES = 2 * PICTURES * sum(len(kinds) for kinds in ASKED.values())


def write(folder: Path, split: str) -> None:
    """The files of one split, as VGMED names them."""
    start = first_number(split, PICTURES)
    rows: dict[str, list[dict[str, Any]]] = {task: [] for task in ASKED}
    for number in range(start, start + PICTURES):
        organ = make_organ(SEED, number)
        picture = save_picture(organ.image, folder, f"images/organ-{number:04}.png")
        for task, question in _asked(organ, number):
            rows[task].append(_row(organ, question, picture))
    for task, found in rows.items():
        save_rows(found, folder / f"VGMED_{task}.jsonl")


def _asked(organ: OrganPhantom, number: int) -> list[tuple[str, PhantomQuestion]]:
    """Questions of the kinds in ASKED, each about the next lesion of the picture in turn."""
    questions = questions_of((organ,), SEED + number)
    chosen, turn = [], number
    for task, asked in ASKED.items():
        for kinds in asked:
            target = organ.lesions[turn % len(organ.lesions)].kind
            about = {question.kind: question for question in questions if question.target == target}
            chosen.append((task, next(about[kind] for kind in kinds if kind in about)))
            turn += 1
    return chosen


def _row(organ: OrganPhantom, question: PhantomQuestion, picture: str) -> dict[str, Any]:
    (x0, y0, x1, y1) = question.boxes[0]
    return {
        "image": picture,
        "question": question.text,
        "bbox": [[x0, y0, x1, y1]],
        "modality": MODALITIES[organ.style],
        "label": question.target,
        "ratio": (x1 - x0) * (y1 - y0) / SIDE_PX**2,
        "source": SOURCE,
        "license": LICENCE,
        "attribution": LABEL,
    }
