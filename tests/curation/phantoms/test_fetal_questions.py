"""The five tasks: balanced answers, right answers, and evidence that lies where the answer is."""

from collections import Counter

import pytest

from curation.geometry import rasterize
from curation.phantoms.fetal import Lesion, Plane, draw
from curation.phantoms.fetal_questions import ANSWERS, IN_BOXES, MOST_OPTIONS, Item, Task, ask

SEEDS = range(1000, 1240)


@pytest.fixture(scope="module", params=list(Task))
def items(request: pytest.FixtureRequest) -> list[Item]:
    return [ask(request.param, seed) for seed in SEEDS]


def test_answers_are_balanced_and_letters_tell_nothing(items: list[Item]) -> None:
    answers = Counter(item.question.answer_text for item in items)
    wanted = ANSWERS[items[0].question.task]
    assert answers == dict.fromkeys(wanted, len(SEEDS) // len(wanted))
    letters = Counter(item.question.answer for item in items)
    options = min(len(wanted), MOST_OPTIONS)
    assert len(letters) == options
    assert min(letters.values()) > 0.6 * len(SEEDS) / options


def test_options_differ_and_hold_the_answer(items: list[Item]) -> None:
    for item in items:
        question = item.question
        texts = list(question.options.values())
        assert len(set(texts)) == len(texts) == min(len(ANSWERS[question.task]), MOST_OPTIONS)
        assert set(texts) <= set(ANSWERS[question.task])
        assert question.answer in question.options


def test_the_same_seed_asks_the_same(items: list[Item]) -> None:
    again = [ask(items[0].question.task, seed) for seed in SEEDS]
    assert again == items


def test_the_style_tells_nothing_of_the_answer(items: list[Item]) -> None:
    for answer in ANSWERS[items[0].question.task]:
        styles = Counter(item.scene.style for item in items if item.question.answer_text == answer)
        share = styles["sector"] / styles.total()
        assert 0.25 < share < 0.75, (answer, styles)


def test_each_answer_is_what_the_scene_says() -> None:
    for seed in SEEDS:
        assert ask(Task.PLANE, seed).question.answer_text == ask(Task.PLANE, seed).scene.plane
        viewed = ask(Task.CONFORMITY, seed)
        assert (viewed.question.answer_text == "yes") is viewed.scene.is_standard
        turned = ask(Task.ORIENTATION, seed)
        assert turned.question.answer_text == turned.scene.front
        assert turned.scene.missing != "cavum"
        classed = ask(Task.DIAGNOSIS, seed)
        assert classed.question.answer_text == classed.scene.lesion
        boxed = ask(Task.GROUNDING, seed)
        assert boxed.scene.plane is IN_BOXES[boxed.question.answer_text]
        assert boxed.question.evidence[0].name == boxed.question.answer_text


def test_evidence_is_where_the_question_is_decided() -> None:
    for seed in SEEDS:
        named = {task: [one.name for one in ask(task, seed).question.evidence] for task in Task}
        plane = ask(Task.PLANE, seed).scene.plane
        assert named[Task.PLANE] == {Plane.HEAD: ["skull"], Plane.ABDOMEN: ["skin"], Plane.FEMUR: ["bone"]}.get(
            plane, []
        )
        assert named[Task.ORIENTATION] == ["cavum"]
        has_lesion = ask(Task.DIAGNOSIS, seed).scene.lesion is not Lesion.NONE
        assert named[Task.DIAGNOSIS] == ["lesion"] * has_lesion
        viewed = ask(Task.CONFORMITY, seed)
        if viewed.scene.missing is not None:
            assert {one.name for one in viewed.question.evidence} == {viewed.scene.missing}
            assert not any(one.is_visible for one in viewed.question.evidence)
        else:
            assert all(one.is_visible for one in viewed.question.evidence)


@pytest.mark.parametrize("size", [(168, 168), (240, 320)])
def test_the_rectangle_holds_its_structure_and_no_other_whole_one(size: tuple[int, int]) -> None:
    for seed in range(60):
        item = ask(Task.GROUNDING, seed, size=size)
        box = item.question.box
        assert box is not None
        x0, y0, x1, y1 = box
        assert all(number == int(number) for number in box)
        held = rasterize("box", {"x0": x0, "y0": y0, "x1": x1, "y1": y1}, size)
        for structure in item.scene.structures:
            part = rasterize("ellipse", structure.geometry, size)
            if structure == item.question.evidence[0]:
                assert not (part & ~held).any()
            elif structure.name in IN_BOXES:
                assert (part & held).sum() < 0.35 * part.sum(), (seed, structure.name)


def test_only_the_grounding_task_has_a_rectangle(items: list[Item]) -> None:
    is_boxed = items[0].question.task is Task.GROUNDING
    assert all((item.question.box is not None) is is_boxed for item in items)


def test_a_picture_can_be_drawn_for_every_task() -> None:
    for task in Task:
        image = draw(ask(task, 7, size=(96, 128)).scene)
        assert image.shape == (96, 128)
        assert 10 < image.mean() < 150
