"""Which option a reply chooses: the rule, its order, and never a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.metrics import answers
from inference.metrics.answers import parse_choice

OPTIONS = {
    "A": "Pneumonia",
    "B": "Pleural effusion",
    "C": "Effusion",
    "D": "Mass",
    "E": "Normal",
}

GOLDEN = [
    # 1. marked verdicts
    ('{"answer": "B"}', "B"),
    ('Here:\n```json\n{"reason": "fluid", "answer": "b. Pleural effusion"}\n```', "B"),
    (r"so \boxed{C}", "C"),
    (r"\boxed{\text{D}}", "D"),
    ("<answer>pleural effusion</answer>", "B"),
    ("<answer>A</answer> no, <answer>D</answer>", "D"),
    ("<answer>A or B</answer>", None),
    ("<answer>Z</answer> mass", None),
    ('{"answer": 3} mass', "D"),
    ("the answer is A <answer>E</answer>", "E"),
    # 2. said verdicts, the last one
    ("The answer is B.", "B"),
    ("Answer: (C)", "C"),
    ("**Answer:** D", "D"),
    ("The correct answer is option E", "E"),
    ("answer d", "D"),
    ("The answer is A. No, the answer is D.", "D"),
    ("The answer is A because of the air bronchogram", "A"),
    ("The answer is pleural effusion, not pneumonia", "B"),
    ("The answer is A or B", None),
    ("Answer: A, B", None),
    ("The answer is a mass", "D"),
    ("The answer is a small nodule", None),
    ("The answer to the question is unclear", None),
    # 3. the whole reply
    ("b", "B"),
    ("a", "A"),
    ("(B)", "B"),
    ("[A]", "A"),
    ("B.", "B"),
    ("B. Pleural effusion", "B"),
    ("b) pleural effusion.", "B"),
    ("B. Pneumonia", None),
    ("<think>A? The answer is A?</think>C", "C"),
    ("z", None),
    # 4. the one option whose text occurs
    ("There is a pleural effusion.", "B"),
    ("effusion", "C"),
    ("A mass is seen", "D"),
    ("mass and pneumonia", None),
    ("massive", None),
    # 5. none
    ("", None),
    ("A or B", None),
    ("A small nodule", None),
    ("I think so", None),
    ("<think>the answer is B", None),
    ("C is my pick", None),
]


@pytest.mark.parametrize(("text", "choice"), GOLDEN)
def test_golden_answers_of_this_metric_version(text, choice):
    """A change here is a change of METRIC_VERSION: every stored choice becomes stale."""
    assert answers.METRIC_VERSION == "1"
    assert parse_choice(text, OPTIONS) == choice


def test_no_options_no_choice():
    assert parse_choice("B", {}) is None
    assert parse_choice("B", None) is None


def test_identical_options_are_never_told_apart_by_text():
    twins = {"A": "Cyst", "B": "cyst", "C": "Mass"}
    assert parse_choice("a cyst", twins) is None
    assert parse_choice("B", twins) == "B"


def test_empty_option_texts_never_occur():
    assert parse_choice("anything", {"A": "", "B": " "}) is None


def test_the_key_comes_back_as_the_options_write_it():
    assert parse_choice("B", {"a": "x", "b": "y"}) == "b"


@given(st.text(max_size=200))
def test_every_text_has_an_answer_or_none(text):
    assert parse_choice(text, OPTIONS) in {*OPTIONS, None}


@given(
    st.sampled_from(list(OPTIONS)),
    st.sampled_from(["The answer is {}", "({})", "{}.", "<answer>{}</answer>"]),
)
def test_a_plain_verdict_is_read_in_either_case(letter, form):
    assert parse_choice(form.format(letter), OPTIONS) == letter
    assert parse_choice(form.format(letter.lower()), OPTIONS) == letter


@pytest.mark.parametrize(
    "text",
    [
        "{" * 20_000,
        '{"a":' * 5_000,
        "(" * 50_000,
        "answer " * 5_000,
        r"\boxed{" * 5_000,
    ],
)
def test_hostile_replies_are_read_quickly(text):
    assert parse_choice(text, OPTIONS) is None
