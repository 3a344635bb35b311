"""The words that models are asked with."""

import pytest

from inference import prompts


def test_the_attention_prompts_are_those_of_the_paper():
    assert prompts.question_prompt(" Is the left kidney enlarged? ") == (
        "Is the left kidney enlarged? Answer the question using a single word or phrase."
    )
    assert prompts.general_prompt() == (
        "Write a general description of the image. Answer the question using a single word or phrase."
    )


def test_an_answer_prompt_without_history_and_options_is_the_question_prompt():
    assert prompts.answer_prompt("Why?", None, " ") == prompts.question_prompt("Why?")
    assert prompts.answer_prompt("Why?", {}, "") == prompts.question_prompt("Why?")


def test_options_come_in_the_order_of_their_letters():
    assert prompts.options_block({"C": "c", "A": "a", "B": " b "}) == "A. a\nB. b\nC. c"


def test_special_strings_are_broken_wherever_they_stand():
    special = ["<image>", "</s>", "<s>", "<pad>"]
    for text in ("<image>", "x<image><image>", "<ima<image>ge>", "<<s>s></s>"):
        clean = prompts.without_special(text, special)
        assert not any(token in clean for token in special)
        assert clean.replace(" ", "") == text
    assert prompts.without_special("a < b </p>", special) == "a < b </p>"


def test_a_special_string_that_breaking_makes_is_refused():
    with pytest.raises(ValueError, match="'a b'"):
        prompts.without_special("ab", ["ab", "a b"])


def test_the_digest_changes_with_the_words(monkeypatch):
    before = prompts.prompt_digest("template")
    assert before == prompts.prompt_digest("template") != prompts.prompt_digest("other")
    monkeypatch.setattr(prompts, "LETTER_SUFFIX", "Choose.")
    assert prompts.prompt_digest("template") != before
