"""Questions about organ phantoms: they name their target, and its region alone holds the answer."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from curation.phantoms.organs import OrganPhantom, make_organ, make_organ_case
from curation.phantoms.questions import ANSWERS, QUESTION_KINDS, TEMPLATES, attribute, questions_of


@pytest.fixture(scope="module")
def asked():
    cases: list[tuple[OrganPhantom, ...]] = [(make_organ(11, index),) for index in range(60)]
    cases += [make_organ_case(12, index, images=3) for index in range(30)]
    return [(case, questions_of(case, number)) for number, case in enumerate(cases)]


def test_a_question_names_its_target_and_its_answer_is_an_option(asked):
    for _, questions in asked:
        for one in questions:
            assert one.target in one.text
            assert one.text == TEMPLATES[one.kind][one.paraphrase].format(kind=one.target)
            assert sorted(one.options) == ["A", "B"]
            assert sorted(one.options.values()) == sorted(ANSWERS[one.kind])
            assert one.options[one.letter] == one.answer


def test_the_answer_is_the_targets_and_its_box_is_the_region(asked):
    for case, questions in asked:
        for one in questions:
            found = [
                (number, lesion)
                for number, phantom in enumerate(case, start=1)
                for lesion in phantom.lesions
                if lesion.kind == one.target
            ]
            if one.answer == "no":
                assert (found, one.image, one.boxes) == ([], None, ())
                continue
            ((number, lesion),) = found
            assert (one.image, one.boxes) == (number, (lesion.box,))
            assert one.answer == attribute(lesion, one.kind)


def test_conflicts_are_the_questions_that_no_other_lesion_answers(asked):
    seen: Counter[Any] = Counter()
    for case, questions in asked:
        lesions = [lesion for phantom in case for lesion in phantom.lesions]
        for one in questions:
            others = {attribute(lesion, one.kind) for lesion in lesions if lesion.kind != one.target} - {None}
            expected = one.kind != "presence" and bool(others) and one.answer not in others
            assert one.is_conflict == expected
            seen[one.kind, one.is_conflict] += 1
    for kind in ("size", "edge", "vertical", "horizontal"):
        assert seen[kind, True] > 10


def test_every_kind_phrasing_and_order_occurs(asked):
    questions = [one for _, several in asked for one in several]
    assert {one.kind for one in questions} == set(QUESTION_KINDS)
    assert {(one.kind, one.paraphrase) for one in questions} == {(k, n) for k in TEMPLATES for n in range(3)}
    first = Counter(one.options["A"] for one in questions if one.kind == "size")
    assert 0.35 < first["small"] / sum(first.values()) < 0.65


def test_the_seed_changes_words_and_no_truth():
    case = (make_organ(11, 3),)
    first, second = questions_of(case, 1), questions_of(case, 2)
    assert first == questions_of(case, 1)
    assert first != second
    for one, other in zip(first, second, strict=True):
        assert (one.kind, one.target, one.answer, one.boxes) == (other.kind, other.target, other.answer, other.boxes)


def test_presence_can_be_balanced():
    answers: Counter[Any] = Counter()
    for index in range(80):
        for one in questions_of((make_organ(13, index),), index, is_presence_balanced=True):
            answers[one.answer] += one.kind == "presence"
    assert answers["yes"] == answers["no"] > 20


def test_answers_are_balanced():
    answers = Counter(one.answer for index in range(150) for one in questions_of((make_organ(14, index),), index))
    for kind in ("size", "edge", "vertical", "horizontal"):
        first, second = (answers[text] for text in ANSWERS[kind])
        assert abs(first - second) < 4 * np.sqrt(first + second)


def test_two_lesions_of_one_kind_are_ambiguous():
    with pytest.raises(ValueError, match="two lesions of the kind cyst"):
        questions_of((make_organ(1, 0, kinds=["cyst"]), make_organ(1, 1, kinds=["cyst"])), 0)
