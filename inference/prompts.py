"""What a model is asked, word for word. Pure text: no tokenizer, no model.

Attention is taken as VGMED takes it (arXiv 2603.14323): under the question with its suffix, and under a general prompt,
the same image or images in both. The answer is asked for with history and options, where a case has them; history and
options stay out of the attention prompt, because they name things that the question does not ask about.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

PROMPT_VERSION = "1"
SUFFIX = " Answer the question using a single word or phrase."
GENERAL = "Write a general description of the image." + SUFFIX
LETTER_SUFFIX = "Answer with the letter of one option."


def question_prompt(question: str) -> str:
    """The prompt under which attention is taken.

    Examples
    --------
    >>> question_prompt("Is there a cyst?")
    'Is there a cyst? Answer the question using a single word or phrase.'
    """
    return question.strip() + SUFFIX


def general_prompt() -> str:
    """The prompt whose attention is divided out: what an image draws to itself whatever is asked."""
    return GENERAL


def options_block(options: Mapping[str, str]) -> str:
    """The options, one a line, in the order of their letters.

    Examples
    --------
    >>> print(options_block({"B": "no", "A": "yes"}))
    A. yes
    B. no
    """
    return "\n".join(f"{letter}. {options[letter].strip()}" for letter in sorted(options))


def answer_prompt(question: str, options: Mapping[str, str] | None, history: str) -> str:
    """The prompt for the answer: history, question and options where the case has them, else the question prompt.

    Examples
    --------
    >>> print(answer_prompt("Which?", {"A": "yes", "B": "no"}, "A cough."))
    History: A cough.
    Which?
    A. yes
    B. no
    Answer with the letter of one option.
    """
    lines = [f"History: {history.strip()}"] if history.strip() else []
    if options:
        lines += [question.strip(), options_block(options), LETTER_SUFFIX]
    else:
        lines.append(question_prompt(question))
    return "\n".join(lines)


def without_special(text: str, special: Iterable[str]) -> str:
    """The text with a blank put into every string that a tokenizer would read as a special token.

    A question that quotes "<image>" must stay a question: the token would claim an image that is not there.

    Raises
    ------
    ValueError
        If a special string is still there afterwards, naming it.

    Examples
    --------
    >>> without_special("what is <image> here</s>", ["<image>", "</s>"])
    'what is < image> here< /s>'
    """
    tokens = sorted({token for token in special if len(token) > 1}, key=lambda token: (-len(token), token))
    for token in tokens:
        text = text.replace(token, f"{token[0]} {token[1:]}")
    for token in tokens:
        if token in text:
            raise ValueError(f"the special token {token!r} cannot be taken out of the text")
    return text


def prompt_digest(chat_template: str = "") -> str:
    """sha256 of everything that turns a case into a prompt, in hex: a prediction made by other words is another one.

    Examples
    --------
    >>> prompt_digest() == prompt_digest("{{ messages }}")
    False
    """
    probe = answer_prompt("{question}", {"A": "{a}", "B": "{b}"}, "{history}")
    parts = [PROMPT_VERSION, SUFFIX, GENERAL, probe, chat_template]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
