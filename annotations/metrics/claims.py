"""What a sentence of a rationale names, how it stands to opposites, and what it measures.

Letters alone make "a large calcification" and "a large vessel" nearly the same sentence. Here a text is the set of its
words that carry something: words of grammar and of reporting ("there is", "seen") count nothing, words of size, side,
place and degree a quarter, all others one. Forms of a word are told by its beginning (enlarged, enlargement); of
scripts without spaces each sign is a word. Nothing here knows synonyms: "cardiomegaly" and
"enlarged heart" have no word in common. The lists of words are mostly English, with the commonest of German, French,
Spanish, Italian, Portuguese and Dutch; a word that is on no list counts as a name.

Its numbers belong to `wording.METRIC_VERSION`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
MODIFIER_WEIGHT = 0.25
MOST_WORDS = 200
"""What of a text counts, about what `wording.MOST_CHARACTERS` hold."""
DEGREE_CONTRADICTION = 0.5
"""How far small contradicts large, and mild severe: a matter of degree, unlike benign and malignant."""
_MOST_STEMS = 8192
_LEAST_INFLECTED, _LEAST_STEM, _MOST_STEM = 5, 4, 7
_ENDINGS = ("ation", "ment", "ness", "ing", "ed", "al", "ic", "ly", "en", "er")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_EMPTY = _listed(
    "the and with there this that these those are was were has have had been being seen noted visible shown shows show"
    " demonstrates demonstrated evidence consistent suggests suggesting suggestive suggest likely probably possible"
    " possibly appears appear which from into within for also its due can may than then both other part region area"
    " zone side sided picture image slice view"
    " der die das den dem des ein eine einen einem einer eines und mit ist sind auf von bei vom zum zur nach zeigt"
    " les des une est sont avec dans pour sur par aux los las una con del por para está gli della del nel nella dei"
    " uma com dos das nos nas het een van met zijn"
)
_MODIFIERS = _listed(
    "left right upper lower middle mid central peripheral anterior posterior lateral medial superior inferior proximal"
    " distal bilateral unilateral small large tiny big huge"
    " little minimal mild moderate severe marked massive slight subtle extensive new old stable unchanged normal"
    " abnormal unremarkable increased decreased reduced enlarged dilated acute chronic benign malignant"
    " links rechts linke rechte linken rechten gauche droite izquierda derecha izquierdo derecho sinistra destra"
    " esquerda direita klein kleiner kleine groß großer große petit petite grand grande"
)


@dataclass(frozen=True, slots=True)
class _Opposites:
    """Words of two sides of which a sentence that means one does not mean the other."""

    one: re.Pattern[str]
    other: re.Pattern[str]
    is_quality: bool = True
    """A quality that is denied is its opposite; a place that is denied is still that place."""
    contradiction: float = 1.0


def _stems(*pairs: tuple[str, str], **how: bool | float) -> list[_Opposites]:
    return [_Opposites(re.compile(rf"(?:{a})$"), re.compile(rf"(?:{b})$"), **how) for a, b in pairs]  # type: ignore[arg-type]


_OPPOSITES = (
    *_stems(
        (r"benign\w*|bénin\w*|gutartig\w*", r"mal[ií]gn\w*|malin\w?|bösartig\w*|cancerous"),
        (
            r"normal\w*|unremarkable|unauffällig\w*",
            r"abnormal\w*|enlarg\w+|dilat\w+|thicken\w+|widen\w+|patholog\w+|vergrößert\w*|erweitert\w*",
        ),
        (r"increas\w+|progress\w*|worse\w*|growing|grown", r"decreas\w+|reduc\w+|regress\w*|improv\w+|shrunk\w*"),
        (r"acute|akut\w*|aigu[eë]?\w*|agud[oa]s?", r"chroni\w+|crónic[oa]s?|cronic[oa]s?"),
        (r"hyper\w{3,}", r"hypo\w{3,}"),
        (r"symmetri\w+", r"asymmetri\w+"),
        (r"regular\w*", r"irregular\w*"),
    ),
    *_stems(
        (r"upper\w*|superior\w*|ober\w{2,}", r"lower|inferior\w*|unter[en]\w*"),
        (r"anterior\w*|ventral\w*|vorder\w*", r"posterior\w*|dorsal\w*|hinter[en]\w*"),
        (r"medial\w*", r"lateral\w*"),
        (r"proximal\w*", r"distal\w*"),
        (r"unilateral\w*|einseitig\w*", r"bilateral\w*|beidseit\w*"),
        is_quality=False,
    ),
    *_stems(
        (
            r"small\w*|tiny|minimal\w*|mild\w*|slight\w*|klein\w*|gering\w*|petite?s?|pequeñ[oa]s?",
            r"large\w*|big|huge|massive\w*|severe\w*|marked\w*|extensive\w*|groß\w*|grande?s?",
        ),
        is_quality=False,
        contradiction=DEGREE_CONTRADICTION,
    ),
)

MOST_MEASURES = 16
"""What counts of the measures of one unit in one text, the first; a list of a hundred sizes is no sentence."""
_NUMBER = r"\d{1,9}(?:[.,]\d+)?"
# Of so many numbers at most, since every beginning of a chain without a unit is looked at to its end.
_MEASURE = re.compile(
    rf"(?<![\w.,])({_NUMBER}(?:\s*(?:x|×|by|mal|par|por)\s*{_NUMBER}){{0,3}})\s*"
    r"(mm|cm|ml|cc|l|hu|%|percent|prozent|degrees?|°)(?!\w)"
)
_FACTORS = {"cm": ("mm", 10.0), "cc": ("ml", 1.0), "l": ("ml", 1000.0), "percent": ("%", 1.0), "prozent": ("%", 1.0)}


@dataclass(frozen=True, slots=True)
class Claims:
    """What one text says, apart from whether it asserts or denies it."""

    words: Mapping[str, float]
    """The stems of what it names, with what each counts."""
    poles: tuple[int, ...]
    """Of each pair of opposites: 1 the first alone, -1 the second alone, 0 both or neither."""
    measures: Mapping[str, tuple[float, ...]]
    """Its measures by unit, the greatest first."""


def claims_of(text: str, is_denied: Flags, is_kept: Flags) -> Claims:
    """What a text says.

    Parameters
    ----------
    text
        In one form: case folded, width and ligatures told apart no more.
    is_denied, is_kept
        Bool (characters,): which are denied, and which belong to words other than denying ones.

    Returns
    -------
    Claims.

    Examples
    --------
    >>> text = "there is a 1.2 cm nodule"
    >>> said = claims_of(text, np.zeros(len(text), dtype=bool), np.ones(len(text), dtype=bool))
    >>> dict(said.words), dict(said.measures)
    ({'nodul': 1.0}, {'mm': (12.0,)})
    """
    measures: dict[str, list[float]] = {}
    is_measured = np.zeros(len(text), dtype=np.bool_)
    for match in _MEASURE.finditer(text):
        unit, factor = _FACTORS.get(match[2], (match[2], 1.0))
        values = [factor * float(number.replace(",", ".")) for number in re.findall(_NUMBER, match[1])]
        measures.setdefault(unit.removesuffix("s"), []).extend(values)
        is_measured[slice(*match.span())] = True
    words: dict[str, float] = {}
    standing: list[set[int]] = [set() for _ in _OPPOSITES]
    for start, _, word in words_of(text)[:MOST_WORDS]:
        if is_measured[start] or not is_kept[start]:
            continue
        weight = weight_of(word)
        if weight:
            words[stem_of(word)] = max(weight, words.get(stem_of(word), 0.0))
        for at, pole in _poles_of(word):
            standing[at].add(-pole if _OPPOSITES[at].is_quality and is_denied[start] else pole)
    poles = tuple(side.copy().pop() if len(side) == 1 else 0 for side in standing)
    sorted_measures = {unit: tuple(sorted(found[:MOST_MEASURES], reverse=True)) for unit, found in measures.items()}
    return Claims(words, poles, sorted_measures)


@lru_cache(maxsize=1 << 16)
def _poles_of(word: str) -> tuple[tuple[int, int], ...]:
    """Which opposites a word belongs to, and to which side."""
    sides = ((bool(one.one.match(word)) - bool(one.other.match(word))) for one in _OPPOSITES)
    return tuple((at, pole) for at, pole in enumerate(sides) if pole)


def words_of(text: str) -> list[tuple[int, int, str]]:
    """Start, end and letters of each word; of scripts without spaces each sign is one."""
    found: list[tuple[int, int, str]] = []
    for match in WORD.finditer(text):
        start, word = match.start(), match.group()
        if word.isascii() or not _UNSPACED.search(word):
            found.append((start, match.end(), word))
        else:
            found += [(start + at, start + at + 1, sign) for at, sign in enumerate(word)]
    return found


def weight_of(word: str) -> float:
    """What a word counts: 0, a quarter or 1."""
    if word in _EMPTY or (len(word) < 3 and not word.isdigit() and not _UNSPACED.match(word)):
        return 0.0
    return MODIFIER_WEIGHT if word in _MODIFIERS else 1.0


@lru_cache(maxsize=1 << 16)
def stem_of(word: str) -> str:
    """What forms of a word have in common: without the commonest English endings, its first seven letters.

    Examples
    --------
    >>> [stem_of(word) for word in ("enlarged", "enlargement", "opacities", "pneumonia", "pneumothorax")]
    ['enlarg', 'enlarg', 'opacity', 'pneumon', 'pneumot']
    """
    if len(word) < _LEAST_INFLECTED or not word.isalpha():
        return word
    stem = word
    if stem.endswith("ies"):
        stem = f"{stem[:-3]}y"
    elif stem.endswith(("sses", "xes", "ches")):
        stem = stem[:-2]
    elif stem.endswith("s") and not stem.endswith(("ss", "us", "is")):
        stem = stem[:-1]
    ending = next((one for one in _ENDINGS if stem.endswith(one) and len(stem) >= len(one) + _LEAST_STEM), "")
    stem = stem.removesuffix(ending)[:_MOST_STEM]
    return stem.removesuffix("e") if len(stem) > _LEAST_STEM else stem


def common_words(a: Sequence[Claims], b: Sequence[Claims]) -> Array:
    """How much of what the one of two texts names that names less is named by the other, in [0, 1].

    The overlap coefficient of their weighted words: a text that only adds to another has 1, one that puts another noun
    into the same sentence far less. What it means: below about 0.6 two sentences are about different things, whatever
    letters they share.

    Parameters
    ----------
    a, b
        What the texts say.

    Returns
    -------
    Float (texts of a, texts of b).

    Notes
    -----
    Chance level: none in closed form; about 0 for sentences on different findings.
    Above 8192 different words in all, some share a place, which can only raise it.
    Empty case: 1 where a text names nothing; there is nothing to differ in.

    Raises
    ------
    Nothing.

    References
    ----------
    Overlap coefficient: Szymkiewicz 1934; Simpson 1943.

    Examples
    --------
    >>> vessel, cyst = (Claims({"small": 0.25, "lower": 0.25, noun: 1.0}, (), {}) for noun in ("vessel", "cyst"))
    >>> common_words([vessel], [cyst]).round(2)
    array([[0.33]])
    """
    stems = dict.fromkeys(stem for said in [*a, *b] for stem in said.words)
    column = {stem: place % _MOST_STEMS for place, stem in enumerate(stems)}
    one, other = (_weights(side, column) for side in (a, b))
    common = np.sqrt(one) @ np.sqrt(other).T
    least = np.minimum(one.sum(axis=1)[:, None], other.sum(axis=1))
    result: Array = np.divide(common, least, out=np.ones_like(common), where=least > 0)
    return np.minimum(result, 1.0)


def _weights(side: Sequence[Claims], column: Mapping[str, int]) -> Array:
    table = np.zeros((len(side), min(len(column), _MOST_STEMS)))
    for row, said in enumerate(side):
        table[row, [column[stem] for stem in said.words]] = list(said.words.values())
    return table


def opposed(a: Sequence[Claims], b: Sequence[Claims]) -> Array:
    """How far each two texts mean opposites, in [0, 1]: 0 or 1, and a half where they differ in degree.

    Of each pair of opposites (benign and malignant, normal and abnormal, upper and lower, …) a text means one where it
    names that one alone; a quality that it denies is the other one. What it means: 1 is a contradiction in terms.

    Parameters
    ----------
    a, b
        What the texts say.

    Returns
    -------
    Float (texts of a, texts of b).

    Notes
    -----
    Chance level: 0. Empty case: a text that names neither or both of a pair opposes nothing by it.

    Raises
    ------
    Nothing.

    References
    ----------
    Antonyms and numbers as signs of contradiction: de Marneffe, Rafferty and Manning 2008, ACL P08-1118.

    Examples
    --------
    >>> from annotations.metrics.wording import text_similarity
    >>> text_similarity(["A normal liver"], ["An enlarged liver", "A small liver"])[1].round(2)
    array([[1., 0.]])
    """
    result = np.zeros((len(a), len(b)))
    if not result.size:
        return result
    one, other = (np.array([said.poles for said in side], dtype=np.int64) for side in (a, b))
    for at, opposites in enumerate(_OPPOSITES):
        is_opposite = one[:, at, None] * other[:, at] < 0
        result = np.maximum(result, np.where(is_opposite, opposites.contradiction, 0.0))
    return result


def mismeasured(a: Sequence[Claims], b: Sequence[Claims]) -> Array:
    """How far the measures of each two texts differ, in [0, 1): 1 - the smaller over the greater, of the worst.

    Measures of one unit are set against each other by size, greatest with greatest, as far as both go. What it means:
    12 mm against 13 mm is 0.08, 12 mm against 21 mm 0.43; a text without a measure contradicts none.

    Parameters
    ----------
    a, b
        What the texts say.

    Returns
    -------
    Float (texts of a, texts of b).

    Notes
    -----
    Chance level: none in closed form. Empty case: 0 without a common unit.

    Raises
    ------
    Nothing.

    References
    ----------
    As `opposed`.

    Examples
    --------
    >>> mismeasured([Claims({}, (), {"mm": (12.0, 8.0)})], [Claims({}, (), {"mm": (16.0,)}), Claims({}, (), {})])
    array([[0.25, 0.  ]])
    """
    result = np.zeros((len(a), len(b)))
    for unit in {unit for said in a for unit in said.measures} & {unit for said in b for unit in said.measures}:
        for one, other in zip(_sized(a, unit), _sized(b, unit), strict=False):
            greater = np.maximum(one[:, None], other)
            part = np.minimum(one[:, None], other)
            # Not where one has no measure (NaN), nor where both are 0.
            np.divide(part, greater, out=part, where=greater > 0)
            result = np.where(greater > 0, np.maximum(result, 1 - part), result)
    return result


def _sized(side: Sequence[Claims], unit: str) -> Array:
    """The texts' measures of a unit, the greatest in the first row, NaN where there is none: (most measures, texts)."""
    found = [said.measures.get(unit, ()) for said in side]
    table = np.full((max(map(len, found)), len(side)), np.nan)
    for column, sizes in enumerate(found):
        table[: len(sizes), column] = sizes
    return table
