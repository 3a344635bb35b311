"""Training pictures: turned with their truth, and asked about truly."""

from collections import Counter
from functools import partial
from typing import Any

import numpy as np
import pytest

from curation.phantoms.organs import make_organ, make_organ_case
from curation.phantoms.questions import ANSWERS
from inference.adapters.demo.architecture import GRID, PATCH_PX
from inference.adapters.demo.examples import (
    GENERAL,
    TURNS,
    cells_of,
    draw_question,
    examples,
    fetal_example,
    general_asked,
    organ_example,
    picture_of,
    turned,
    with_options,
)

SHARES = {"size": 1.0, "edge": 1.0, "presence": 1.0, "vertical": 1.0, "horizontal": 1.0, GENERAL: 0.5}


@pytest.mark.parametrize("turn", range(TURNS))
def test_a_turned_picture_keeps_its_truth(turn):
    """A picture of nothing but the lesion goes the same way; its middle is where the words say."""
    for index in range(12):
        phantom = make_organ(21, index)
        before, after = picture_of(phantom), turned(picture_of(phantom), turn)
        for lesion, old, finding in zip(phantom.lesions, before.findings, after.findings, strict=True):
            mask = turned(type(before)(lesion.mask.astype(np.uint8), ""), turn).pixels.astype(bool)
            rows, columns = np.nonzero(mask)
            box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            assert np.array_equal(finding.cells, cells_of([box]))
            middle_y, middle_x = rows.mean() + 0.5, columns.mean() + 0.5
            if abs(middle_y - 84) > 5:
                assert finding.vertical == ("upper" if middle_y < 84 else "lower")
            if abs(middle_x - 84) > 5:
                assert finding.horizontal == ("left" if middle_x < 84 else "right")
            assert (finding.kind, finding.size, finding.edge) == (old.kind, old.size, old.edge)
            share = mask.reshape(GRID, PATCH_PX, GRID, PATCH_PX).mean(axis=(1, 3))
            assert np.array_equal(finding.covered, share > 0.12)


def test_turns_are_eight_different_ones():
    picture = picture_of(make_organ(21, 0))
    assert len({turned(picture, turn).pixels.tobytes() for turn in range(TURNS)}) == TURNS


def test_drawn_questions_are_true():
    rng = np.random.default_rng(0)
    seen: Counter[Any] = Counter()
    for index in range(60):
        case = [picture_of(phantom) for phantom in make_organ_case(22, index, images=1 + index % 3)]
        found = {finding.kind: (at, finding) for at, picture in enumerate(case) for finding in picture.findings}
        for _ in range(10):
            asked = draw_question(rng, case, SHARES)
            seen[asked.kind, asked.answer] += 1
            if asked.kind == GENERAL:
                assert asked.cells is not None
                assert asked.cells.all()
                continue
            (target,) = (kind for kind in ("cyst", "mass", "calcification", "vessel") if kind in asked.question)
            if asked.answer == "no":
                assert target not in found
                assert asked.cells is None
            else:
                at, finding = found[target]
                assert asked.answer == finding.attribute(asked.kind)
                assert asked.cells is None or np.array_equal(asked.cells[at], finding.cells)
                assert asked.cells is None or asked.cells.sum() == finding.cells.sum()
    for kind, answers in ANSWERS.items():
        assert all(seen[kind, answer] > 10 for answer in answers)


def test_options_are_shuffled_and_the_letter_is_right():
    rng = np.random.default_rng(1)
    case = [picture_of(make_organ(23, 0, kinds=["cyst", "mass"]))]
    letters: Counter[Any] = Counter()
    for _ in range(60):
        plain = draw_question(rng, case, {"size": 1.0})
        asked = with_options(rng, plain)
        assert f"{asked.answer}. {plain.answer}" in asked.prompt
        letters[asked.answer] += 1
    assert set(letters) == {"A", "B"}
    assert min(letters.values()) > 15


def test_general_questions_name_the_style():
    styles = {index: make_organ(24, index).style for index in range(20)}
    ultrasound = next(index for index, style in styles.items() if style == "ultrasound")
    radiograph = next(index for index, style in styles.items() if style == "radiograph")
    first, second = (picture_of(make_organ(24, index)) for index in (ultrasound, radiograph))
    assert general_asked([first]).answer == "ultrasound"
    assert general_asked([second, second]).answer == "radiograph"
    assert general_asked([first, second]).answer == "mixed"


def test_fetal_examples_are_asked_about_their_evidence():
    kinds: Counter[Any] = Counter()
    for index in range(20):
        example = fetal_example(index, seed=9)
        (asked,) = example.asked
        kinds[asked.kind] += 1
        assert asked.answer in asked.options
        assert (example.pictures[0].pixels.ndim == 3) == (asked.kind == "VG")
    assert set(kinds.values()) == {4}


def test_workers_change_nothing():
    maker = partial(organ_example, seed=25, images=1)
    for one, other in zip(examples(maker, 3), examples(maker, 3, workers=2), strict=True):
        assert np.array_equal(one.pictures[0].pixels, other.pictures[0].pixels)
