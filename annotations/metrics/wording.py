"""How alike two sentences of a rationale are, in any script, without a model, and whether one denies the other.

A text becomes the character trigrams of its words (after NFKC and case folding), each either asserted or denied. Denied
is what stands in the reach of a word such as "no", "without", "kein", "sin" or "无":

- "no"-like words reach from themselves to the end of the sentence ("no effusion, consolidation or pneumothorax"),
- "not"-like words the whole phrase between commas ("the heart is not enlarged"),
- "excluded"-like words turn the phrase round ("effusion is excluded"; "cannot be excluded" is asserted again),
- a sentence ends at . ; : ! ? or a line's end, and at words such as "but", "aber", "mais", "pero".

How alike two texts are is then lessened by what they do not name alike (`claims.common_words`): another noun in the
same sentence is another finding. Texts of which one denies what the other asserts contradict each other, and so do two
of which one names only the left side and the other only the right, two that mean opposites (benign, malignant), and two
whose measures differ, as far as they do (`claims`). The words known are those of English, German, French,
Spanish, Italian, Portuguese, Dutch, Russian, Chinese, Japanese and Korean; in other languages a text is compared as if
it asserted everything. Prefixes (afebrile) and synonyms are letters like any other.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotations.metrics.claims import (
    WORD,
    Claims,
    claims_of,
    common_words,
    mismeasured,
    opposed,
    stem_of,
    weight_of,
    words_of,
)

METRIC_VERSION = "2"
"""Raised with any change of any number below; golden values in the tests guard it."""

MOST_CHARACTERS = 1000
"""What of a text counts: its beginning, about 150 words; a pasted report does not cost what 50 steps cost."""

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Flags = NDArray[np.bool_]
Grams = tuple[NDArray[np.int64], Flags]
"""The trigrams of a text, one after another, and which of them are denied."""

_MOST_GRAMS = 8192
"""Different trigrams told apart in one comparison; readings hold 1,000 to 3,000. Above, several share a place."""

_SENTENCE_END = re.compile(r"[.。](?=\s|$)|。|[;:!?\n；：！？，]")
_PHRASE_END = re.compile(r"[,、]")

_REACH = {
    word: reach
    for reach, words in {
        "onwards": "no without none never neither nor kein keine keinen keiner keinem keines ohne weder noch sans aucun"
        " aucune ni sin ningún ninguna ninguno senza nessun nessuna nessuno né sem nenhum nenhuma não geen zonder"
        " нет без",
        "phrase": "not cannot absent absence negative denies denied nicht pas ausente ausencia absente assente non niet"
        " не отсутствует отсутствуют",
        "reversed": "exclude excluded excludes ausgeschlossen exclu exclue excluir excluido excluida escluso"
        " uitgesloten",
        "contrast": "but however although except aber jedoch mais cependant pero aunque ma però mas maar но однако",
    }.items()
    for word in words.split()
}
_SYMBOLS = {
    **dict.fromkeys(("未见", "未見", "未发现", "没有", "沒有", "无", "無", "否认"), "onwards"),
    **dict.fromkeys(("認めず", "認めない", "なし", "ない", "없"), "sentence"),
}
_SYMBOL = re.compile("|".join(_SYMBOLS))
_LEFT = re.compile(
    r"\b(?:left|link(?:s|e|en|er|es)|gauches?|izquierd[oa]s?|sinistr[oaie]|esquerd[oa]s?|лев\w*|слева)\b|左|왼|좌측"
)
_RIGHT = re.compile(
    r"\b(?:right|recht(?:s|e|en|er|es)|droite?s?|derech[oa]s?|destr[oaie]|direit[oa]s?|прав\w*|справа)\b|右|오른|우측"
)


def text_similarity(a: Sequence[str], b: Sequence[str]) -> tuple[Array, Array]:
    """How alike each text of `a` is to each of `b`, and how far one denies what the other says, both in [0, 1].

    Similarity is the Bhattacharyya coefficient of the two texts' shares of trigrams, asserted and denied ones told
    apart, times the part of their words that they have in common (`claims.common_words`): 1 for the same words in any
    order, 0 with no trigram or no word in common. Contradiction is the greatest of: the part of one text's denied
    trigrams that the other asserts; 1 for opposite sides; `claims.opposed`; `claims.mismeasured`. What it means: above
    0.5 two radiologists' sentences mostly speak of the same thing, below 0.3 mostly not; "no effusion" and "effusion"
    have similarity 0 and contradiction 1, "left" and "right" or "benign" and "malignant" contradiction 1 whatever else
    they share, "a large vessel" and "a large cyst" a similarity below 0.2.

    Parameters
    ----------
    a, b
        Texts in any script; beyond `MOST_CHARACTERS` they are not looked at.

    Returns
    -------
    (similarity, contradiction), float (texts of a, texts of b) each.

    Notes
    -----
    Chance level: none in closed form; sentences of one language on different findings have about 0.1 to 0.3.
    Empty case: a text without letters or digits has similarity 0 with every text but the very same one, and an empty
    text with all.
    Above 8192 different trigrams in all, some share a place, which can only raise the similarity.

    Raises
    ------
    Nothing: any string is a text.

    References
    ----------
    Trigrams: Cavnar and Trenkle 1994, N-Gram-Based Text Categorization. Bhattacharyya 1943. Words: as
    `claims.common_words`. Opposites and numbers: de Marneffe, Rafferty and Manning 2008, ACL P08-1118. Reach of
    negation after Chapman et al. 2001 (NegEx), DOI 10.1006/jbin.2001.1029, simplified as this module says.

    Examples
    --------
    >>> similarity, contradiction = text_similarity(["No pleural effusion."], ["Pleural effusion.", "Without effusion"])
    >>> similarity.round(2), contradiction.round(2)
    (array([[0. , 0.73]]), array([[1., 0.]]))
    """
    likeness = text_likeness(a, b)
    return likeness.similarity, likeness.contradiction


class Likeness(NamedTuple):
    """How texts stand to one another, float (texts of a, texts of b) each."""

    similarity: Array
    contradiction: Array
    subject: Array
    """How far both speak of the same thing, whatever they say of it: as the similarity, denied or not."""


def text_likeness(a: Sequence[str], b: Sequence[str]) -> Likeness:
    """`text_similarity`, and beside it how far two texts are about the same, in [0, 1] each.

    Range, meaning, parameters, chance level, empty case, source: as `text_similarity`. The subject of "no effusion" is
    that of "effusion".

    Returns
    -------
    Likeness.

    Raises
    ------
    Nothing: any string is a text.

    Examples
    --------
    >>> text_likeness(["No pleural effusion."], ["Pleural effusion.", "Rib fracture"]).subject.round(2)
    array([[1., 0.]])
    """
    first, second = [_normalised(text) for text in a], [_normalised(text) for text in b]
    read_a, read_b = ([_read(text) for text in side] for side in (first, second))
    one, other = _counted([grams for grams, _ in read_a], [grams for grams, _ in read_b])
    says_a, says_b = ([claims for _, claims in side] for side in (read_a, read_b))
    named = common_words(says_a, says_b)
    similarity = np.minimum(one.shares() @ other.shares().T, 1.0).astype(np.float64) * named
    subject = np.minimum(one.all_shares() @ other.all_shares().T, 1.0).astype(np.float64) * named
    contradiction = np.maximum(_contradicted(one, other), _contradicted(other, one).T)
    contradiction = np.maximum.reduce([contradiction, opposed(says_a, says_b), mismeasured(says_a, says_b)])
    contradiction[_sides(first)[:, None] * _sides(second) < 0] = 1.0
    number = {text: place for place, text in enumerate(dict.fromkeys([*first, *second]))}
    rows, columns = (np.array([number[text] if text else -1 for text in side]) for side in (first, second))
    is_same = (rows[:, None] == columns) & (rows[:, None] >= 0)
    similarity[is_same] = subject[is_same] = 1.0
    contradiction[is_same] = 0.0
    return Likeness(similarity, contradiction, subject)


def differing_words(texts: Sequence[str]) -> list[list[tuple[int, int]]]:
    """Where each text has a word that not all the others have, to be marked where they stand side by side.

    Words that carry something count (`claims.weight_of`), in any form of theirs; so do words that deny, of which one is
    as good as another.

    Parameters
    ----------
    texts
        Sentences that are about the same.

    Returns
    -------
    list of list of (int, int)
        Start and end of each such word, in characters (code points) of its text.

    Notes
    -----
    Empty case: with fewer than two texts nothing differs.

    Examples
    --------
    >>> texts = ["A 12 mm nodule on the left", "Nodule of 12 mm, on the right", "No nodule"]
    >>> [[text[start:end] for start, end in spans] for text, spans in zip(texts, differing_words(texts))]
    [['12', 'left'], ['12', 'right'], ['No']]
    """
    said = [[(start, end, _marked(word)) for start, end, word in words_of(text[:MOST_CHARACTERS])] for text in texts]
    had = [{stem for *_, stem in text} for text in said]
    return [
        [(start, end) for start, end, stem in text if stem and any(stem not in others for others in had)]
        for text in said
    ]


_DENIAL = "\N{NOT SIGN}"


def _marked(word: str) -> str:
    """The word as it is compared; empty for one that carries nothing."""
    plain = _normalised(word)
    if _reach(plain) not in (None, "contrast"):
        return _DENIAL
    return stem_of(plain) if weight_of(plain) else ""


class _Counts:
    """How often each text asserts and denies each trigram, (texts, trigrams) each."""

    def __init__(self, asserted: Single, denied: Single) -> None:
        self.asserted, self.denied = asserted, denied

    def shares(self) -> Single:
        """Roots of the shares, asserted and denied side by side: rows of length 1."""
        return _roots(np.hstack([self.asserted, self.denied]))

    def all_shares(self) -> Single:
        """The same of all, asserted or denied."""
        return _roots(self.asserted + self.denied)


def _roots(counts: Single) -> Single:
    result: Single = np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    return result


def _contradicted(one: _Counts, other: _Counts) -> Array:
    """Of what each text of one denies, the part that each of the other asserts and does not deny too."""
    denies = (one.denied > 0).astype(np.float32)
    asserts = ((other.asserted > 0) & (other.denied == 0)).astype(np.float32)
    many = denies.sum(axis=1, keepdims=True)
    result: Array = ((denies @ asserts.T) / np.maximum(many, 1)).astype(np.float64)
    return result


def _counted(a: Sequence[Grams], b: Sequence[Grams]) -> tuple[_Counts, _Counts]:
    """Both sides' trigrams counted over one set of places."""
    sides = [*a, *b]
    keys = np.concatenate([np.empty(0, dtype=np.int64), *(keys for keys, _ in sides)])
    is_denied = np.concatenate([np.empty(0, dtype=np.bool_), *(denied for _, denied in sides)])
    different, place = np.unique(keys, return_inverse=True)
    width = max(1, min(len(different), _MOST_GRAMS))
    row = np.repeat(np.arange(len(sides)), [len(keys) for keys, _ in sides])
    cells = row * width + place % width
    asserted, denied = (
        np.bincount(cells[chosen], minlength=len(sides) * width).reshape(len(sides), width).astype(np.float32)
        for chosen in (~is_denied, is_denied)
    )
    return _Counts(asserted[: len(a)], denied[: len(a)]), _Counts(asserted[len(a) :], denied[len(a) :])


def _sides(texts: Sequence[str]) -> NDArray[np.int64]:
    """-1 of a text that names the left side alone, 1 of one that names the right alone, else 0."""
    return np.array([bool(_RIGHT.search(text)) - bool(_LEFT.search(text)) for text in texts], dtype=np.int64)


def _normalised(text: str) -> str:
    """The text's beginning in one form: width, ligatures, case and apostrophes do not tell texts apart."""
    start = text[:MOST_CHARACTERS]
    if not start.isascii():
        start = unicodedata.normalize("NFKC", start)[:MOST_CHARACTERS].replace("\u2019", "'")
    return start.casefold()[:MOST_CHARACTERS].strip()


# Remembered, since the rows of a review hold each text against several others; of the longest some 30 MiB at most.
@lru_cache(maxsize=1024)
def _read(text: str) -> tuple[Grams, Claims]:
    """What one text holds; the arrays are shared and must not be written to."""
    flags = _denied(text)
    return _grams(text, *flags), claims_of(text, *flags)


def _grams(text: str, is_denied: Flags, kept: Flags) -> Grams:
    """The trigrams of the words kept, of scripts without spaces the bigrams too, and which of them are denied."""
    codes = np.full(len(text) + 2, 32, dtype=np.int64)
    codes[1:-1] = np.where(kept, np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32), 32)
    before, middle, after = codes[:-2], codes[1:-1], codes[2:]
    keys = (before << 42) | (middle << 21) | after
    in_word = middle != 32
    pairs = (middle << 21) | after
    is_pair = (middle >= 0x2E80) & (after >= 0x2E80)  # from here on scripts such as Chinese, mostly two signs a word
    return np.concatenate([keys[in_word], pairs[is_pair]]), np.concatenate([is_denied[in_word], is_denied[is_pair]])


def _denied(text: str) -> tuple[Flags, Flags]:
    """Which characters are denied, and which are letters or digits of words other than the denying ones."""
    words = [(match.start(), match.end(), _reach(match.group())) for match in WORD.finditer(text)]
    sentence_ends = [0, *(match.start() for match in _SENTENCE_END.finditer(text)), len(text)]
    sentence_ends += [start for start, _, reach in words if reach == "contrast"]
    phrase_ends = sentence_ends + [match.start() for match in _PHRASE_END.finditer(text)]
    sentence_ends.sort()
    phrase_ends.sort()
    cues = [cue for cue in words if cue[2] not in (None, "contrast")]
    if not text.isascii():
        cues += [(match.start(), match.end(), _SYMBOLS[match.group()]) for match in _SYMBOL.finditer(text)]
    denied: list[tuple[int, int]] = []
    reversed_: list[tuple[int, int]] = []
    for start, end, reach in cues:
        ends = phrase_ends if reach in ("phrase", "reversed") else sentence_ends
        after = bisect_right(ends, start)
        (reversed_ if reach == "reversed" else denied).append(
            (end if reach == "onwards" else ends[after - 1], ends[after])
        )
    kept = _covered(len(text), [(start, end) for start, end, _ in words])
    kept &= ~_covered(len(text), [(start, end) for start, end, _ in cues])
    return _covered(len(text), denied) ^ _covered(len(text), reversed_), kept


def _reach(word: str) -> str | None:
    return _REACH.get(word) or ("phrase" if word.endswith("n't") else None)


def _covered(length: int, stretches: Sequence[tuple[int, int]]) -> Flags:
    """Which of so many places lie in one of the stretches [start, end)."""
    if not stretches:
        return np.zeros(length, dtype=np.bool_)
    starts, ends = np.array(stretches).T
    open_now = np.cumsum(np.bincount(starts, minlength=length + 1) - np.bincount(ends, minlength=length + 1))
    result: Flags = open_now[:length] > 0
    return result
