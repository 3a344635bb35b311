"""The demo's MedThinkVQA benchmark: several phantom pictures a case, a history, five options, findings, a discussion.

The five options describe lesions; one of them is in the pictures. Where another has a kind that is there, its size or
edge is another one, so that the name alone does not do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from config.demo.pictures import LABEL, LICENCE, MODALITIES, SEED, SOURCE, first_number, save_picture, save_rows
from curation.phantoms.organs import EDGED_KINDS, EDGES, KINDS, SIZES, Lesion, OrganPhantom, make_organ_case

SLUG = "phantom-thinking"
TITLE = "Thinking with several images: phantom organs"
DESCRIPTION = (
    f"{LABEL}. Two to four pictures of organs that do not exist. Say what each picture shows, sum up, weigh the five "
    "options and answer: one of them describes a lesion that is there."
)
# A region may say which lesion it shows: then it can be told which ones readers take for one another.
CONFIG: dict[str, Any] = {
    "labels": [
        {"id": "cyst", "name": "Cyst", "colour": "#56b4e9", "key": "1"},
        {"id": "mass", "name": "Mass", "colour": "#e69f00", "line_style": "dashed", "key": "2"},
        {"id": "calcification", "name": "Calcification", "colour": "#f0e442", "line_style": "dotted", "key": "3"},
        {"id": "vessel", "name": "Vessel", "colour": "#cc79a7", "key": "4"},
    ]
}
CASES_A_SPLIT = 12
CASES = 2 * CASES_A_SPLIT
IMAGES = (2, 3, 4)
LETTERS = "ABCDE"
QUESTION = "Which of these lesions is in one of the pictures?"


def write(folder: Path, split: str) -> None:
    """The rows and pictures of one split, as MedThinkVQA lays them out."""
    start = first_number(split, CASES_A_SPLIT)
    save_rows((_row(folder, number) for number in range(start, start + CASES_A_SPLIT)), folder / "medthinkvqa.jsonl")


def _row(folder: Path, number: int) -> dict[str, Any]:
    organs = make_organ_case(SEED, number, images=IMAGES[number % len(IMAGES)])
    rng = np.random.default_rng([SEED, number])
    options, answer = _options(organs, rng)
    title = number + 1
    row: dict[str, Any] = {
        "title": f"Case number {title}",
        "CLINICAL_HISTORY": (
            f"Synthetic case of {len(organs)} pictures. No patient: an organ was drawn by formula and lesions were put "
            "into it."
        ),
        "question": QUESTION,
        "IMAGING_FINDINGS": " ".join(f"Picture {at}: {_seen(organ)}" for at, organ in enumerate(organs, 1)),
        "discussion": _discussion(organs, options, answer),
        "options": options,
        "correct_answer": answer,
        "correct_answer_text": options[answer],
        "ICD Chapter": "",
        "ICD Block": "",
        "ICD Category": "",
        "is_longitudinal": False,
        "timepoint_count": 1,
        "interval_text": "",
        "image_count": len(organs),
        "source": SOURCE,
        "license": LICENCE,
        "attribution": LABEL,
    }
    for at, organ in enumerate(organs, 1):
        name = f"phantom{title:05}-{at}"
        row |= {
            f"image_{at:02}_id": name,
            f"image_{at:02}_path": save_picture(organ.image, folder, f"images/case{title:05}/{name}.png"),
            f"image_{at:02}_caption": _seen(organ),
            f"image_{at:02}_modality": MODALITIES[organ.style],
            f"image_{at:02}_sub_modality": "Phantom",
        }
    return row


def _named(kind: str, size: str, edge: str | None) -> str:
    """A lesion in words, as the options have it."""
    return f"A {size} {edge} {kind}" if edge else f"A {size} {kind}"


def _words(lesion: Lesion) -> str:
    return _named(lesion.kind, lesion.size, lesion.edge)


def _seen(organ: OrganPhantom) -> str:
    """What a picture shows, by construction."""
    lesions = [f"{_words(one)} in the {one.vertical} {one.horizontal} part of the picture." for one in organ.lesions]
    return " ".join(lesions)


def _drawn(rng: np.random.Generator) -> str:
    """Some lesion. Its kind is drawn first, as in the pictures, so that no kind is more often right than wrong."""
    kind, size, edge = (values[int(rng.integers(len(values)))] for values in (KINDS, SIZES, EDGES))
    return _named(kind, size, edge if kind in EDGED_KINDS else None)


def _options(organs: tuple[OrganPhantom, ...], rng: np.random.Generator) -> tuple[dict[str, str], str]:
    """Five options by letter, and the letter of the one that is there."""
    there = [_words(lesion) for organ in organs for lesion in organ.lesions]
    wanted = there[int(rng.integers(len(there)))]
    texts = [wanted]
    while len(texts) < len(LETTERS):
        text = _drawn(rng)
        if text not in (*there, *texts):
            texts.append(text)
    options = dict(zip(LETTERS, rng.permutation(texts).tolist(), strict=True))
    return options, next(letter for letter, text in options.items() if text == wanted)


def _discussion(organs: tuple[OrganPhantom, ...], options: dict[str, str], answer: str) -> str:
    where = next(
        at for at, organ in enumerate(organs, 1) if options[answer] in [_words(lesion) for lesion in organ.lesions]
    )
    there = {lesion.kind: _words(lesion) for organ in organs for lesion in organ.lesions}
    steps = [f"Option {answer} is right: {options[answer].lower()} is in picture {where}."]
    for letter, text in options.items():
        if letter != answer:
            kind = text.split()[-1]
            found = there.get(kind)
            why = f"the {kind} there is {found.lower()}" if found else f"no picture shows a {kind}"
            steps.append(f"Option {letter} is wrong: {why}.")
    return " ".join(steps)
