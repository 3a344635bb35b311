"""Questions about organ phantoms that name their target: the answer lies in the target's region and nowhere else.

Public names: `questions_of(phantoms, seed)` (every question of a case, in a fixed order), the dataclass
`PhantomQuestion`, the values `QUESTION_KINDS`, `TEMPLATES` and `ANSWERS`. `phantoms` is what `make_organ` (as a tuple
of one) or `make_organ_case` of `curation.phantoms.organs` gave.

"Left" and "right" are the picture's as the viewer sees it. `is_conflict` marks the questions that cannot be answered by
looking at the wrong lesion: every other lesion that has the attribute at all has the other value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.phantoms.organs import EDGES, KINDS, SIZES, Box, Lesion, OrganPhantom

QUESTION_KINDS = ("size", "edge", "presence", "vertical", "horizontal")

ANSWERS: dict[str, tuple[str, str]] = {
    "size": SIZES,
    "edge": EDGES,
    "presence": ("yes", "no"),
    "vertical": ("upper", "lower"),
    "horizontal": ("left", "right"),
}

TEMPLATES: dict[str, tuple[str, ...]] = {
    "size": (
        "Is the {kind} small or large?",
        "What is the size of the {kind}, small or large?",
        "How large is the {kind}?",
    ),
    "edge": (
        "Is the edge of the {kind} smooth or spiculated?",
        "Does the {kind} have a smooth or a spiculated edge?",
        "How is the edge of the {kind}?",
    ),
    "presence": (
        "Is there a {kind} in the image?",
        "Does the image show a {kind}?",
        "Can you see a {kind}?",
    ),
    "vertical": (
        "Is the {kind} in the upper or the lower half of the image?",
        "Which half of the image holds the {kind}, upper or lower?",
        "Does the {kind} lie in the upper or in the lower half?",
    ),
    "horizontal": (
        "Is the {kind} in the left or the right half of the image?",
        "Which half of the image holds the {kind}, left or right?",
        "Does the {kind} lie in the left or in the right half?",
    ),
}


@dataclass(frozen=True)
class PhantomQuestion:
    """One question with its truth. `image` counts from 1; it and `boxes` are None and empty where the answer is no."""

    kind: str
    target: str
    paraphrase: int
    text: str
    options: dict[str, str]  # text by letter, in an order drawn for each question
    answer: str  # the option's text
    letter: str
    image: int | None
    boxes: tuple[Box, ...]
    is_conflict: bool


def questions_of(
    phantoms: Sequence[OrganPhantom],
    seed: int,
    *,
    is_presence_balanced: bool = False,
) -> tuple[PhantomQuestion, ...]:
    """Every question that a case allows, each in a phrasing and with an order of options drawn from the seed.

    Parameters
    ----------
    phantoms
        The pictures of the case, in order.
    seed
        Of phrasing and order of options; it changes no truth.
    is_presence_balanced
        Ask after as many kinds that are there as kinds that are not (where the case allows), so that "yes" is no guess.

    Raises
    ------
    ValueError
        If two lesions of the case are of one kind, so that its name would be ambiguous.

    Examples
    --------
    >>> from curation.phantoms.organs import make_organ
    >>> first = questions_of((make_organ(1, 0, kinds=["cyst"]),), 0)[0]
    >>> first.kind, first.target, first.answer == first.options[first.letter]
    ('size', 'cyst', True)
    """
    rng = np.random.default_rng([seed, 5])
    lesions = _by_kind(phantoms)
    asked = []
    for kind in ("size", "edge", "vertical", "horizontal"):
        for target, (number, lesion) in lesions.items():
            answer = attribute(lesion, kind)
            if answer is not None:
                clash = _is_conflict(lesions, target, kind)
                asked.append(_question(rng, kind, target, answer, number, lesion, is_conflict=clash))
    for target in _asked_after(rng, lesions, is_presence_balanced=is_presence_balanced):
        found = lesions.get(target)
        if found is None:
            asked.append(_question(rng, "presence", target, "no", None, None))
        else:
            asked.append(_question(rng, "presence", target, "yes", *found))
    return tuple(asked)


def attribute(lesion: Lesion, kind: str) -> str | None:
    """A lesion's answer to a kind of question, None where it has none."""
    return {
        "size": lesion.size,
        "edge": lesion.edge,
        "vertical": lesion.vertical,
        "horizontal": lesion.horizontal,
        "presence": "yes",
    }[kind]


def _by_kind(phantoms: Sequence[OrganPhantom]) -> dict[str, tuple[int, Lesion]]:
    found: dict[str, tuple[int, Lesion]] = {}
    for number, phantom in enumerate(phantoms, start=1):
        for lesion in phantom.lesions:
            if lesion.kind in found:
                raise ValueError(f"the case has two lesions of the kind {lesion.kind}, so its name is ambiguous")
            found[lesion.kind] = (number, lesion)
    return found


def _is_conflict(lesions: dict[str, tuple[int, Lesion]], target: str, kind: str) -> bool:
    own = attribute(lesions[target][1], kind)
    others = [attribute(lesion, kind) for name, (_, lesion) in lesions.items() if name != target]
    values = [value for value in others if value is not None]
    return bool(values) and own not in values


def _asked_after(
    rng: np.random.Generator,
    lesions: dict[str, tuple[int, Lesion]],
    *,
    is_presence_balanced: bool,
) -> list[str]:
    if not is_presence_balanced:
        return list(KINDS)
    absent = [kind for kind in KINDS if kind not in lesions]
    count = min(len(absent), len(lesions))
    return [*rng.permutation(list(lesions))[:count].tolist(), *rng.permutation(absent)[:count].tolist()]


def _question(
    rng: np.random.Generator,
    kind: str,
    target: str,
    answer: str,
    image: int | None,
    lesion: Lesion | None,
    *,
    is_conflict: bool = False,
) -> PhantomQuestion:
    paraphrase = int(rng.integers(len(TEMPLATES[kind])))
    texts = [ANSWERS[kind][place] for place in rng.permutation(2).tolist()]
    options = dict(zip("AB", texts, strict=True))
    return PhantomQuestion(
        kind=kind,
        target=target,
        paraphrase=paraphrase,
        text=TEMPLATES[kind][paraphrase].format(kind=target),
        options=options,
        answer=answer,
        letter=next(letter for letter, text in options.items() if text == answer),
        image=image,
        boxes=() if lesion is None else (lesion.box,),
        is_conflict=is_conflict,
    )
