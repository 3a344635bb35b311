"""Agreement of a benchmark as one document: what the endpoint answers and the command prints."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from annotations.agreement_coefficients import Kappas
from annotations.agreement_names import by_told_id, names, told_id
from annotations.agreement_pair import METRIC_VERSION, WHY
from annotations.agreement_read import (
    EVERYTHING,
    PairNumbers,
    between_models,
    by_label,
    by_modality,
    by_reader,
    by_reader_with_gold,
    ceiling,
    matrix,
    models,
    over_time,
    overview,
)
from annotations.agreement_rows import (
    DRAWS,
    FEW,
    LEVEL,
    NO_PAIRS,
    NO_SPREAD,
    ONE_CLUSTER,
    READERS,
    SEED,
    WITH_MODELS,
    Narrowed,
    Number,
    Slice,
)
from annotations.agreement_sides import in_told_order
from annotations.models import PartyKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from annotations.naming import Mask
    from curation.models import Benchmark

REASONS = {
    **WHY,
    FEW: "an interval needs five cases",
    ONE_CLUSTER: "an interval needs cases of two patients: those of one are not independent",
    NO_SPREAD: "all cases say the same: how far others would stray cannot be told from them",
    NO_PAIRS: "no two have said something that can be compared",
    "open_answers": "answers are free text: only the share of equal ones means something",
    "one_category": "everybody gave the same answer: nothing shows that cases are told apart",
    "mean_of_pairs": "a mean over pairs of readers; each pair has its own interval",
}
"""Why a number or its interval is undefined, in words."""
Document = dict[str, Any]


def document(benchmark: Benchmark, narrowed: Narrowed = EVERYTHING, *, parts: Collection[str] = ()) -> Document:
    """The parts asked for, all if none are: a number of queries that does not depend on how many cases there are."""
    asked = parts or tuple(PARTS)
    body: Document = {
        "benchmark": benchmark.slug,
        "arm": narrowed.arm.value,
        "level": narrowed.level,
        "interval": {"level": LEVEL, "draws": DRAWS, "seed": SEED, "by": "patient, else first image; kappas: case"},
        "metric_version": METRIC_VERSION,
        "only_own_cases": narrowed.opened_by is not None,
    }
    for name in asked:
        body[name] = PARTS[name](benchmark, narrowed)
    return body


def _overview(benchmark: Benchmark, narrowed: Narrowed) -> Document:
    found = overview(benchmark, narrowed)
    return {
        "cases": found.cases,
        "pairs": found.pairs,
        "readers": found.readers,
        "answers": _numbers(found.answers),
        "regions": _numbers(found.regions),
        "steps": _numbers(found.steps),
        "time": _numbers(found.time),
    }


def _numbers(numbers: Mapping[str, Number]) -> Document:
    return {name: number.as_json() for name, number in numbers.items()}


def _slices(found: Iterable[Slice], called: Mapping[str, str] | None = None) -> list[Document]:
    return [
        {
            "key": one.key,
            **({} if called is None else {"name": called.get(one.key, one.key)}),
            "cases": one.cases,
            "pairs": one.pairs,
            "numbers": _numbers(one.numbers),
        }
        for one in found
    ]


def _of_readers(found: list[Slice], narrowed: Narrowed) -> list[Document]:
    called = names((uuid.UUID(one.key) for one in found), narrowed.mask)
    told = {told_id(party, PartyKind.READER, narrowed.mask): name for party, name in called.items()}
    return _slices(by_told_id(found, narrowed.mask), told)


def _of_models(found: list[Slice]) -> list[Document]:
    called = names(uuid.UUID(one.key) for one in found)
    return _slices(found, {str(party): name for party, name in called.items()})


def _matrix(benchmark: Benchmark, narrowed: Narrowed) -> list[Document]:
    rows = in_told_order(matrix(benchmark, narrowed, kinds=(READERS, WITH_MODELS)), narrowed.mask)
    called = names((party for row in rows for party in (row.a, row.b)), narrowed.mask)
    return [_pair(row, called, narrowed.mask) for row in rows]


def _pair(row: PairNumbers, called: Mapping[uuid.UUID, str], mask: Mask | None) -> Document:
    a, b = told_id(row.a, row.a_kind, mask), told_id(row.b, row.b_kind, mask)
    return {
        "a": {"kind": row.a_kind.value, "id": a, "name": called.get(row.a, a)},
        "b": {"kind": row.b_kind.value, "id": b, "name": called.get(row.b, b)},
        "cases": row.cases,
        "numbers": _numbers(row.numbers),
        **_kappas(row.kappas),
    }


def _kappas(found: Kappas | None) -> Document:
    if found is None:
        return {"kappas": {}, "confusion": []}
    return {
        "kappas": _numbers(found.numbers),
        "confusion": [{"a": a, "b": b, "cases": count} for (a, b), count in found.confusion.items()],
    }


def _between(benchmark: Benchmark, narrowed: Narrowed) -> Document:
    return _slices([between_models(benchmark, narrowed)])[0]


PARTS: dict[str, Callable[[Benchmark, Narrowed], Any]] = {
    "overview": _overview,
    "ceiling": lambda benchmark, narrowed: _numbers(ceiling(benchmark, narrowed)),
    "matrix": _matrix,
    "readers": lambda benchmark, narrowed: _of_readers(by_reader(benchmark, narrowed), narrowed),
    "readers_with_gold": lambda benchmark, narrowed: _of_readers(by_reader_with_gold(benchmark, narrowed), narrowed),
    "labels": lambda benchmark, narrowed: _slices(by_label(benchmark, narrowed)),
    "modalities": lambda benchmark, narrowed: _slices(by_modality(benchmark, narrowed)),
    "weeks": lambda benchmark, narrowed: _slices(over_time(benchmark, narrowed)),
    "models": lambda benchmark, narrowed: _of_models(models(benchmark, narrowed)),
    "between_models": _between,
}
"""What each part of the document is made by."""
