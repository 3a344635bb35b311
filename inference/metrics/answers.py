"""Which option a model's text chooses, or none: never a guess."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

METRIC_VERSION = "1"
"""Raised with any change of any answer below; golden values in the tests guard it."""

_CLOSED_THOUGHT = re.compile(r"^.*</think>", re.DOTALL | re.IGNORECASE)
_OPEN_THOUGHT = re.compile(r"<think>.*$", re.DOTALL | re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\s*\{\s*((?:\\text\s*\{[^{}]*\}|[^{}])*)\}")
_TAGGED = re.compile(r"<answer>(.*?)</answer>", re.DOTALL | re.IGNORECASE)
_LATEX_TEXT = re.compile(r"^\\text\s*\{([^{}]*)\}$")
_SAID = re.compile(
    r"\banswer\b[\s*_\"']*(?:is\b|:|=)?[\s*_:\"']*(?:option\b|choice\b)?[\s*_:\"']*",
    re.IGNORECASE,
)
_LETTER = re.compile(r"[(\[{]?\s*([A-Za-z])(?![A-Za-z0-9'\u2019])(?:\s*[)\]}])?")
_WHOLE = re.compile(r"^[\s*_\"'(\[{]*([A-Za-z])[\s*_\"')\]}.:]*$")
_LETTER_AND_TEXT = re.compile(
    r"^[\s*_\"'(\[{]*([A-Za-z])(?![A-Za-z0-9'\u2019])[\s*_\"')\]}.:\u2013\u2014-]*(\S.*)$",
    re.DOTALL,
)
_ANOTHER_LETTER = re.compile(
    r"^[\s*_]*(?:or|and|/|,|&)(?:\s*(?:or|and))?[\s*_]*[(\[{]?\s*([A-Za-z])(?![A-Za-z0-9'\u2019])",
    re.IGNORECASE,
)
_AFTER_AN_ARTICLE = re.compile(r"^\s+(?!(?:because|since|as|due|given|based)\b)\w", re.IGNORECASE)


class _Undecided(Exception):
    """The text names a verdict but not which option: reading on could only guess."""


def parse_choice(text: str, options: Mapping[str, str] | None) -> str | None:
    r"""Which option a reply chooses, or None where it does not say; never a guess.

    In this order: a JSON member `answer`, `\boxed{X}` or `<answer>X</answer>`; the last "answer (is)[:] X"; a letter
    that is the whole reply after a closed `<think>` block, with or without brackets, full stop or the option's text;
    the one option whose text occurs, ignoring case. The article "A" is no answer, and two letters without a verdict
    ("A or B") are none.

    Parameters
    ----------
    text
        The reply as the model wrote it.
    options
        Text of each option by its letter.

    Returns
    -------
    A key of `options`, or None.

    Notes
    -----
    Chance level: none, for nothing is guessed.
    Empty case: an empty reply, or no options, gives None; so does a thought that was never closed.

    Raises
    ------
    Nothing: every text is some model's reply.

    References
    ----------
    Ours: the answer parsing of MedThinkVQA (arXiv 2604.16506) is not released.

    Examples
    --------
    >>> options = {"A": "Pneumonia", "B": "Pleural effusion"}
    >>> parse_choice("<think>A or B?</think> The answer is (B).", options)
    'B'
    >>> parse_choice("A small effusion or a pneumonia", options)
    'A'
    >>> parse_choice("A or B", options) is None
    True
    """
    if not options:
        return None
    reply = _OPEN_THOUGHT.sub("", _CLOSED_THOUGHT.sub("", text)).strip()
    letters = {key.casefold(): key for key in options}
    for rule in (_marked, _said, _whole):
        try:
            choice = rule(reply, options, letters)
        except _Undecided:
            return None
        if choice is not None:
            return choice
    return _one_with_text(reply, options)


def _marked(reply: str, options: Mapping[str, str], letters: Mapping[str, str]) -> str | None:
    """The last JSON answer, box or tag; one that names no option leaves the reply undecided."""
    marks = [*_json_answers(reply)]
    marks += [(match.start(), match.group(1)) for pattern in (_BOXED, _TAGGED) for match in pattern.finditer(reply)]
    if not marks:
        return None
    value = max(marks)[1].strip()
    latex = _LATEX_TEXT.match(value)
    value = latex.group(1) if latex else value
    choice = _whole(value, options, letters) or _one_with_text(value, options)
    if choice is None:
        raise _Undecided
    return choice


def _json_answers(reply: str) -> Iterator[tuple[int, str]]:
    decoder = json.JSONDecoder()
    position = reply.find("{")
    while position != -1:
        end = position + 1
        try:
            value, end = decoder.raw_decode(reply, position)
        except (ValueError, RecursionError):  # not JSON, or nested beyond reason
            value = None
        if isinstance(value, dict):
            for name, answer in value.items():
                if name.casefold() == "answer" and isinstance(answer, str):
                    yield position, answer
        position = reply.find("{", end)


def _said(reply: str, options: Mapping[str, str], letters: Mapping[str, str]) -> str | None:
    """The last "answer is X", X a letter or an option's text."""
    for match in reversed(list(_SAID.finditer(reply))):
        rest = reply[match.end() :]
        named = _LETTER.match(rest)
        if named and named.group(1).casefold() in letters:
            after = rest[named.end() :]
            other = _ANOTHER_LETTER.match(after)
            if other and other.group(1).casefold() in letters:
                raise _Undecided
            key = letters[named.group(1).casefold()]
            if named.group(1) not in "aA" or rest[0] in "([{" or not _AFTER_AN_ARTICLE.match(after):
                return key
        by_text = [key for key, option in options.items() if option.strip() and _starts_with(rest, option)]
        longest = max((len(options[key]) for key in by_text), default=0)
        by_text = [key for key in by_text if len(options[key]) == longest]
        if len(by_text) == 1:
            return by_text[0]
    return None


def _whole(reply: str, options: Mapping[str, str], letters: Mapping[str, str]) -> str | None:
    """A letter that is all of the reply, alone or with its option's own text."""
    alone = _WHOLE.match(reply)
    if alone:
        return letters.get(alone.group(1).casefold())
    both = _LETTER_AND_TEXT.match(reply)
    if reply[:2].casefold() == "a ":  # an article: what follows is read by the next rule
        return None
    if both and both.group(1).casefold() in letters:
        key = letters[both.group(1).casefold()]
        if _plain(both.group(2)) == _plain(options[key]):
            return key
        matching = [other for other, option in options.items() if _plain(option) == _plain(both.group(2))]
        if matching:  # one option's letter, another's text
            raise _Undecided
    return None


def _one_with_text(reply: str, options: Mapping[str, str]) -> str | None:
    """The one option whose text occurs anywhere in the reply."""
    left, found = reply, set()
    # Longest first, and what is found is taken out: "effusion" does not occur in "pleural effusion" a second time.
    for key in sorted(options, key=lambda one: -len(options[one].strip())):
        option = options[key].strip()
        if not option:
            continue
        pattern = re.compile(rf"(?<!\w){re.escape(option)}(?!\w)", re.IGNORECASE)
        if pattern.search(left):
            twins = [other for other in options if options[other].strip().casefold() == option.casefold()]
            found.update(twins)
            left = pattern.sub("\0", left)
    return found.pop() if len(found) == 1 else None


def _starts_with(text: str, option: str) -> bool:
    pattern = rf"{re.escape(option.strip())}(?!\w)"
    return bool(option.strip()) and re.match(pattern, text, re.IGNORECASE) is not None


def _plain(text: str) -> str:
    return " ".join(text.split()).strip(" .*_\"'").casefold()
