"""Agreement of a benchmark as pages, endpoints and the command show it: from stored rows alone, nothing recomputed.

`overview` has every coefficient with its interval; `by_reader`, `by_label`, `by_modality`, `over_time` and `models`
split it; `ceiling` is how far experts agree among themselves, the line on every plot of a model. The pairs behind a
number are `agreement_pairs.pairs`, who is who `agreement_names.names`, how many more readings `agreement_plan.plan`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from annotations.agreement_coefficients import Kappas, coefficients, kappas, light
from annotations.agreement_rows import (
    BETWEEN_MODELS,
    BY_A,
    BY_B,
    BY_DAY,
    BY_LABEL,
    BY_MODALITY,
    BY_PAIR,
    BY_READER,
    BY_WEEK,
    METRICS,
    NO_PAIRS,
    READERS,
    WHOLE,
    WITH_GOLD,
    WITH_MODELS,
    Kinds,
    Narrowed,
    Number,
    Slice,
    slices,
)
from annotations.models import PartyKind

if TYPE_CHECKING:
    from curation.models import Benchmark

REGIONS = ("detection_f1", "matched_iou", "iou", "dice", "surface_dice", "hausdorff_mm", "hausdorff_px")
STEPS = ("step_f1", "step_order", "critical_f1")
TIME = ("time_ratio",)
OF_READERS = ("same_answer", *REGIONS, *STEPS, *TIME)
OF_MODELS = ("same_answer", *STEPS, "attention_ratio")
OF_CEILING = ("same_answer", "matched_iou", "iou", "step_f1")
EVERYTHING = Narrowed()
MISSING = Number(None, None, 0, 0, NO_PAIRS)


@dataclass(frozen=True)
class Overview:
    """What the readers of a benchmark agree on; every number with its interval and counts, undefined as None."""

    cases: int
    """With two readers or more."""
    pairs: int
    readers: int
    answers: Mapping[str, Number]
    """percent_agreement, fleiss_kappa, gwet_ac1, alpha_nominal and cohen_kappa (Light's: mean over pairs of readers;
    with two readers theirs, with its interval). Of ordered answers alpha_ordinal, alpha_interval, cohen_linear and
    cohen_quadratic as well. Narrowed to one reader only same_answer and Cohen's, of that reader's pairs."""
    regions: Mapping[str, Number]
    steps: Mapping[str, Number]
    time: Mapping[str, Number]


@dataclass(frozen=True)
class PairNumbers:
    """Two parties on all cases that both have said something of."""

    a_kind: PartyKind
    a: uuid.UUID
    b_kind: PartyKind
    b: uuid.UUID
    cases: int
    numbers: Mapping[str, Number]
    kappas: Kappas | None
    """Cohen's, by weights; None where no case has two answers."""


def overview(benchmark: Benchmark, narrowed: Narrowed = EVERYTHING) -> Overview:
    """Agreement of readers with one another; five queries, however many cases."""
    whole = _only(slices(benchmark, narrowed, WHOLE, metrics=OF_READERS))
    found = kappas(benchmark, narrowed)
    answers = light(found, narrowed.level)
    if narrowed.label is not None:
        answers = {}
    elif narrowed.reader is None:
        answers = {**coefficients(benchmark, narrowed), **answers}
    else:
        answers = {"same_answer": whole.numbers.get("same_answer", MISSING), **answers}
    readers = {party for pair in found for party in pair}
    return Overview(
        cases=whole.cases,
        pairs=whole.pairs,
        readers=len(readers),
        answers=answers,
        regions={name: whole.numbers[name] for name in REGIONS if name in whole.numbers},
        steps={name: whole.numbers[name] for name in STEPS if name in whole.numbers},
        time={name: whole.numbers[name] for name in TIME if name in whole.numbers},
    )


def matrix(
    benchmark: Benchmark, narrowed: Narrowed = EVERYTHING, *, kinds: Sequence[Kinds] = (READERS,)
) -> list[PairNumbers]:
    """Each two parties, by their ids; three queries for each of `kinds`: readers, and readers with models or gold."""
    found = []
    for one in kinds:
        of_answers = kappas(benchmark, narrowed, kinds=one, has_intervals=True)
        names = OF_READERS if PartyKind.MODEL not in one else OF_MODELS
        for row in slices(benchmark, narrowed, BY_PAIR, kinds=one, metrics=names):
            a, b = (uuid.UUID(party) for party in row.key.split())
            found.append(PairNumbers(one[0], a, one[1], b, row.cases, row.numbers, of_answers.get((a, b))))
    return found


def by_reader(benchmark: Benchmark, narrowed: Narrowed = EVERYTHING) -> list[Slice]:
    """Each reader (the key is the id) with all others."""
    return slices(benchmark, narrowed, BY_READER, metrics=OF_READERS)


def by_reader_with_gold(benchmark: Benchmark, narrowed: Narrowed = EVERYTHING) -> list[Slice]:
    """Each reader against the gold, where a case has one."""
    return slices(benchmark, narrowed, BY_A, kinds=WITH_GOLD, metrics=("same_answer", *REGIONS, *STEPS))


def by_label(benchmark: Benchmark, narrowed: Narrowed = EVERYTHING) -> list[Slice]:
    """The regions of each label: detection F1 and IoU; "" is regions without a label, "answer" boxes as an answer."""
    return slices(benchmark, narrowed, BY_LABEL)


def by_modality(benchmark: Benchmark, narrowed: Narrowed = EVERYTHING) -> list[Slice]:
    """Cases with an image of each modality."""
    return slices(benchmark, narrowed, BY_MODALITY, metrics=OF_READERS)


def over_time(
    benchmark: Benchmark, narrowed: Narrowed = EVERYTHING, *, every: Literal["week", "day"] = "week"
) -> list[Slice]:
    """Cases by when they were last read, each with all its pairs; the key is the (first) day, in UTC."""
    return slices(benchmark, narrowed, BY_DAY if every == "day" else BY_WEEK, metrics=OF_READERS)


def models(benchmark: Benchmark, narrowed: Narrowed = EVERYTHING) -> list[Slice]:
    """Each model (the key is its id) with the readers, by the same functions."""
    return slices(benchmark, narrowed, BY_B, kinds=WITH_MODELS, metrics=OF_MODELS)


def between_models(benchmark: Benchmark, narrowed: Narrowed = EVERYTHING) -> Slice:
    """Models with one another."""
    return _only(slices(benchmark, narrowed, WHOLE, kinds=BETWEEN_MODELS, metrics=("same_answer",)))


def ceiling(benchmark: Benchmark, narrowed: Narrowed = EVERYTHING) -> dict[str, Number]:
    """How far experts agree with one another: the line on every plot of a model; two queries.

    `same_answer` (the chance that another expert gives the same answer, to hold a model's accuracy against),
    `matched_iou`, `iou` (regions) and `step_f1`. A model above it agrees with experts more than they do. To whoever
    reads in the benchmark it tells of others: narrow it by `for_viewer`, or do not show it.
    """
    numbers = _only(slices(benchmark, narrowed, WHOLE, metrics=OF_CEILING)).numbers
    return {name: numbers.get(name, MISSING) for name in OF_CEILING}


def _only(found: Sequence[Slice]) -> Slice:
    """The one slice of a whole; without a pair an empty one."""
    return found[0] if found else Slice("", dict.fromkeys(METRICS, MISSING), 0, 0)
