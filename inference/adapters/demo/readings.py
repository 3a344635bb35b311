"""Every question of the held-out cases put to a weight set: what it answers, and where it looks.

Questions go through packed sequences (`packing`), which compute what the adapter computes with a prompt for each; the
tests hold the two equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from curation.phantoms.organs import OrganPhantom, make_organ_case
from curation.phantoms.questions import ANSWERS, PhantomQuestion, questions_of
from inference.adapters.demo.architecture import GRID
from inference.adapters.demo.examples import (
    Asked,
    Example,
    Picture,
    cells_of,
    fetal_example,
    general_asked,
    picture_of,
)
from inference.adapters.demo.losses import run
from inference.adapters.demo.packing import CELLS, Pack, Words, pack
from inference.metrics.grids import CellMask
from inference.prompts import question_prompt

Change = Callable[[Pack, Sequence[Asked]], Pack]
"""What an experiment does to a pack before it is run."""

DEVELOPMENT_SEED = 2
"""Looked at while the recipe was chosen, and for choosing the layer."""

HELD_OUT_SEED = 3
"""Of the card's numbers; no choice was made on it."""


@dataclass(frozen=True)
class Item:
    """One question about a case, with what scoring needs. `others` are the regions of the case's other lesions."""

    case: int
    asked: Asked
    image: int | None  # from 0
    is_conflict: bool
    others: tuple[tuple[int, CellMask], ...]  # image from 0, cells


@dataclass(frozen=True)
class HeldOut:
    """A case with every question that it allows; its phantoms where it is one of organs."""

    pictures: tuple[Picture, ...]
    items: tuple[Item, ...]
    phantoms: tuple[OrganPhantom, ...] = ()
    questions: tuple[PhantomQuestion, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What the model made of an item. Maps are of the last prompt token, mean over heads."""

    item: Item
    is_right: bool  # by forced choice over the options' words
    is_exact: bool  # what it would write by itself, word for word
    log_p: float  # of the right word's first token
    question: NDArray[np.float32]  # (layers, images, rows, columns)
    general: NDArray[np.float32]  # (layers, images, rows, columns)


def organ_cases(count: int, *, seed: int, images: int) -> list[HeldOut]:
    """Organ cases of a seed that no training picture comes from, with balanced questions of presence."""
    held = []
    for index in range(count):
        phantoms = make_organ_case(seed, index, images=images)
        questions = questions_of(phantoms, seed * 1_000_003 + index, is_presence_balanced=True)
        items = tuple(_item(index, phantoms, one) for one in questions)
        held.append(HeldOut(tuple(picture_of(phantom) for phantom in phantoms), items, phantoms, questions))
    return held


def fetal_cases(count: int, *, seed: int) -> list[HeldOut]:
    """Fetal phantoms of a seed, one question each, the five tasks in turn."""
    made: list[Example] = [fetal_example(index, seed=seed) for index in range(count)]
    return [
        HeldOut(one.pictures, (Item(index, one.asked[0], _only_image(one.asked[0]), is_conflict=False, others=()),))
        for index, one in enumerate(made)
    ]


@torch.inference_mode()
def read(
    model: Any,
    words: Words,
    held: Sequence[HeldOut],
    *,
    pictures: Sequence[Sequence[Picture]] | None = None,
    change: Change | None = None,
) -> list[Reading]:
    """Every item of some cases, read in order.

    Parameters
    ----------
    model, words
        A weight set and the tokenizer's tokens.
    held
        The cases.
    pictures
        Other pictures in the place of the cases' own, as many in each.
    change
        What to do to each case's pack before it is run.
    """
    readings = []
    for number, case in enumerate(held):
        shown = case.pictures if pictures is None else pictures[number]
        asked = [*(item.asked for item in case.items), general_asked(case.pictures)]
        packed = pack([shown], [asked], words)
        passed = run(model, packed if change is None else change(packed, asked))
        maps = passed.attention[:, 0].reshape(len(passed.attention), len(asked), packed.images, GRID, GRID)
        log_p = torch.log_softmax(passed.logits[0].double(), dim=-1)
        for at, item in enumerate(case.items):
            options = [words.answer(text) for text in item.asked.options]
            scores = [float(log_p[at, 0, option[0]]) for option in options]
            right = item.asked.options.index(item.asked.answer)
            label = packed.labels[0, at]
            readings.append(
                Reading(
                    item=item,
                    is_right=scores[right] > max(score for place, score in enumerate(scores) if place != right),
                    is_exact=bool(((passed.logits[0, at].argmax(-1) == label) | (label < 0)).all()),
                    log_p=scores[right],
                    question=maps[:, at].numpy(),
                    general=maps[:, -1].numpy(),
                )
            )
    return readings


def without_cells(packed: Pack, regions: Sequence[NDArray[np.bool_] | None]) -> Pack:
    """The pack with each question's text blind, in every layer, to some cells: (images, rows, columns), or None."""
    mask = packed.mask.clone()
    prefix = 1 + packed.images * CELLS
    length = (packed.ids.shape[1] - prefix) // len(regions)
    for number, region in enumerate(regions):
        if region is not None:
            columns = 1 + np.flatnonzero(region.ravel())
            rows = np.arange(prefix + number * length, prefix + (number + 1) * length)
            mask[:, 0, rows[:, None], columns[None, :]] = False
    return replace(packed, mask=mask)


def _item(case: int, phantoms: Sequence[OrganPhantom], one: PhantomQuestion) -> Item:
    cells = None
    if one.image is not None:
        cells = np.zeros((len(phantoms), GRID, GRID), dtype=bool)
        cells[one.image - 1] = cells_of(one.boxes)
    others = tuple(
        (at, cells_of([lesion.box]))
        for at, phantom in enumerate(phantoms)
        for lesion in phantom.lesions
        if lesion.kind != one.target
    )
    asked = Asked(one.kind, question_prompt(one.text), one.answer, cells, one.text, ANSWERS[one.kind])
    return Item(case, asked, None if one.image is None else one.image - 1, is_conflict=one.is_conflict, others=others)


def _only_image(asked: Asked) -> int | None:
    return None if asked.cells is None else 0
