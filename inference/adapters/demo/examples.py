"""What the demo model is trained and tried on: phantoms as cases, turned about, and questions drawn about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.phantoms.fetal import draw, with_red_box
from curation.phantoms.fetal_questions import Item, Task, ask
from curation.phantoms.organs import KINDS, SIDE_PX, Box, Lesion, OrganPhantom, make_organ_case
from curation.phantoms.questions import ANSWERS, TEMPLATES
from inference.adapters.demo.architecture import GRID, PATCH_PX
from inference.adapters.demo.vocabulary import MIXED
from inference.metrics.grids import CellMask, squash, union_of_boxes
from inference.prompts import answer_prompt, general_prompt, question_prompt

GENERAL = "general"
COVERED = 0.12
"""A cell is a lesion's, for the dense loss, if the lesion covers more than this share of it."""

TURNS = 8
_TRANSFORM = squash((SIDE_PX, SIDE_PX), (SIDE_PX, SIDE_PX), (GRID, GRID))


@dataclass(frozen=True)
class Finding:
    """A lesion as it stands in a picture that may have been turned."""

    kind: str
    size: str
    edge: str | None
    vertical: str
    horizontal: str
    cells: CellMask  # every cell that the box touches
    covered: CellMask  # the cells that show it

    def attribute(self, kind: str) -> str | None:
        """Its answer to a kind of question, None where it has none."""
        return "yes" if kind == "presence" else getattr(self, kind)


@dataclass(frozen=True)
class Picture:
    """One image with its findings."""

    pixels: NDArray[np.uint8]  # (168, 168) or (168, 168, 3)
    style: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A prompt, its answer, and the cells of each image that hold the answer; None where nothing in particular does."""

    kind: str
    prompt: str
    answer: str
    cells: NDArray[np.bool_] | None  # (images, rows, columns)
    question: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """A case to learn from. `asked` is fixed for pictures that may not be turned, and empty for organs."""

    pictures: tuple[Picture, ...]
    asked: tuple[Asked, ...] = ()


def cells_of(boxes: Sequence[Box | tuple[float, float, float, float]]) -> CellMask:
    """Every cell that a box touches, as the metrics count them."""
    return union_of_boxes(boxes, _TRANSFORM)


def picture_of(phantom: OrganPhantom) -> Picture:
    """A phantom as the model sees it."""
    return Picture(phantom.image, phantom.style, tuple(_finding(lesion) for lesion in phantom.lesions))


def turned(picture: Picture, turn: int) -> Picture:
    """The picture under one of the eight flips and transposes; its findings' places follow, nothing else changes."""
    if turn == 0:
        return picture
    return replace(
        picture,
        pixels=_turn(picture.pixels, turn),
        findings=tuple(_turned_finding(finding, turn) for finding in picture.findings),
    )


def organ_example(index: int, *, seed: int, images: int) -> Example:
    """The organ case of a seed and an index."""
    return Example(tuple(picture_of(phantom) for phantom in make_organ_case(seed, index, images=images)))


def fetal_example(index: int, *, seed: int) -> Example:
    """A fetal phantom and its question; tasks go round with the index. It is never turned: its answers name sides."""
    task = list(Task)[index % len(Task)]
    item = ask(task, seed * 1_000_003 + index // len(Task))
    return Example((Picture(fetal_pixels(item), "fetal"),), (_fetal_asked(item),))


def fetal_pixels(item: Item) -> NDArray[np.uint8]:
    """The item's picture, in colour where a red rectangle belongs to the question."""
    pixels = draw(item.scene)
    return pixels if item.question.box is None else with_red_box(pixels, item.question.box)


def examples(maker: partial[Example], count: int, *, workers: int = 1) -> list[Example]:
    """`maker(0) ... maker(count - 1)`, the same list whatever the number of workers."""
    if workers <= 1:
        return [maker(index) for index in range(count)]
    with get_context("fork").Pool(workers) as pool:
        return pool.map(maker, range(count), chunksize=32)


def draw_question(
    rng: np.random.Generator, pictures: Sequence[Picture], shares: Mapping[str, float], *, letters: float = 0.0
) -> Asked:
    """One training question about a case: its kind by share, then a target that has it, then the phrasing.

    A share `letters` of the questions comes with its options and is answered by a letter.
    """
    asked = _drawn(rng, pictures, shares)
    return with_options(rng, asked) if rng.random() < letters and asked.kind != GENERAL else asked


def with_options(rng: np.random.Generator, asked: Asked) -> Asked:
    """The same question with its options in an order drawn anew, to be answered by a letter."""
    texts = asked.options or ANSWERS[asked.kind]
    options = dict(zip("ABCDE", (texts[int(at)] for at in rng.permutation(len(texts))), strict=False))
    letter = next(letter for letter, text in options.items() if text == asked.answer)
    return replace(asked, prompt=answer_prompt(asked.question, options, ""), answer=letter)


def _drawn(rng: np.random.Generator, pictures: Sequence[Picture], shares: Mapping[str, float]) -> Asked:
    kinds = list(shares)
    kind = str(rng.choice(kinds, p=np.array(list(shares.values())) / sum(shares.values())))
    if kind == GENERAL:
        return general_asked(pictures)
    placed = [(at, finding) for at, picture in enumerate(pictures) for finding in picture.findings]
    fitting = [pair for pair in placed if pair[1].attribute(kind) is not None]
    present = {finding.kind for _, finding in placed}
    absent = [name for name in KINDS if name not in present]
    if (kind == "presence" and absent and rng.random() < 0.5) or not fitting:
        target = str(rng.choice(absent)) if absent else placed[0][1].kind
        return _asked(rng, "presence", target, "yes" if target in present else "no", None)
    at, finding = fitting[int(rng.integers(len(fitting)))]
    cells = np.zeros((len(pictures), GRID, GRID), dtype=bool)
    cells[at] = finding.cells
    return _asked(rng, kind, finding.kind, str(finding.attribute(kind)), cells)


def general_asked(pictures: Sequence[Picture]) -> Asked:
    """The general prompt: answered by the style of the images, which every cell shows."""
    styles = {picture.style for picture in pictures}
    answer = styles.pop() if len(styles) == 1 else MIXED
    return Asked(GENERAL, general_prompt(), answer, np.ones((len(pictures), GRID, GRID), dtype=bool))


def _asked(rng: np.random.Generator, kind: str, target: str, answer: str, cells: NDArray[np.bool_] | None) -> Asked:
    template = TEMPLATES[kind][int(rng.integers(len(TEMPLATES[kind])))]
    question = template.format(kind=target)
    return Asked(kind, question_prompt(question), answer, cells, question, ANSWERS[kind])


def _fetal_asked(item: Item) -> Asked:
    boxes = [one.box for one in item.question.evidence]
    if item.question.box is not None:
        boxes = [item.question.box]
    cells = cells_of(boxes)[None] if boxes else None
    return Asked(
        kind=str(item.question.task),
        prompt=question_prompt(item.question.text),
        answer=item.question.answer_text,
        cells=cells,
        question=item.question.text,
        options=tuple(item.question.options.values()),
    )


def _finding(lesion: Lesion) -> Finding:
    shares = lesion.mask.reshape(GRID, PATCH_PX, GRID, PATCH_PX).mean(axis=(1, 3))
    return Finding(
        kind=lesion.kind,
        size=lesion.size,
        edge=lesion.edge,
        vertical=lesion.vertical,
        horizontal=lesion.horizontal,
        cells=cells_of([lesion.box]),
        covered=shares > COVERED,
    )


def _turn(values: NDArray[Any], turn: int) -> NDArray[Any]:
    """Transposed (4), then rows reversed (2), then columns reversed (1)."""
    if turn & 4:
        values = values.swapaxes(0, 1)
    if turn & 2:
        values = values[::-1]
    return values[:, ::-1] if turn & 1 else values


def _turned_finding(finding: Finding, turn: int) -> Finding:
    is_low, is_right = finding.vertical == "lower", finding.horizontal == "right"
    if turn & 4:
        is_low, is_right = is_right, is_low
    return replace(
        finding,
        vertical="lower" if is_low != bool(turn & 2) else "upper",
        horizontal="right" if is_right != bool(turn & 1) else "left",
        cells=_turn(finding.cells, turn),
        covered=_turn(finding.covered, turn),
    )
