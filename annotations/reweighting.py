"""Numbers of a whole benchmark where the queue preferred some cases: each drawn case counts by how likely it was.

Cases that are known without having been drawn (their gold came with them, or they were read under another order)
stand for themselves. Those drawn by disagreement stand for themselves and for all that nobody has read yet, each by
its weight of `annotations.metrics.sampling.lure_weights`.
"""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db.models import Avg, FloatField, IntegerField
from django.db.models.functions import Cast
from numpy.typing import NDArray

from annotations.metrics.sampling import effective_size, lure_weights, weighted_interval, weighted_mean
from annotations.models import AgreementScore, Arm, Draw, PartyKind
from curation.models import Case, SnapshotCase

if TYPE_CHECKING:
    from curation.models import Benchmark, Snapshot

FEWEST = 5
"""Drawn cases under which no interval is told."""
SEED = 0
_EVEN = 1e-9

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """The draws of a benchmark in their order: the place of each case, the pool it came from, and its probability.

    Hashable, so that what follows from them can be kept.
    """

    positions: tuple[int, ...]
    pools: tuple[int, ...]
    probabilities: tuple[float, ...]
    cases: int
    """How many cases the benchmark or the snapshot holds, probes left out: what an estimate is an estimate of."""


@dataclass(frozen=True)
class Reweighted:
    """An estimate over the whole benchmark, of `n` known cases of `cases`, `drawn` of them by an uneven draw."""

    value: float
    interval: tuple[float, float] | None
    n: int
    drawn: int
    effective_n: float
    cases: int


def draws_of(benchmark: Benchmark, snapshot: Snapshot | None = None) -> Draws | None:
    """The draws of a benchmark; None where there is none or all were even, so that plain means are right.

    One query where nothing was drawn, else two.
    """
    rows = list(
        Draw.objects.filter(benchmark=benchmark).order_by("number").values_list("case__position", "pool", "probability")
    )
    if all(abs(pool * probability - 1) < _EVEN for _, pool, probability in rows):
        return None
    positions, pools, probabilities = zip(*rows, strict=True)
    held: Any = Case.objects.filter(benchmark=benchmark, is_probe=False)
    if snapshot is not None:
        held = SnapshotCase.objects.filter(snapshot=snapshot)
    return Draws(positions, pools, probabilities, held.count())


def reweighted(draws: Draws, *, positions: Array, values: Array, groups: Any = None) -> Reweighted | None:
    """The mean of a number over the whole benchmark, from the cases on which it is known.

    Parameters
    ----------
    positions, values
        Place and number of each case, float (cases,); nan is a case without a number.
    groups
        The cluster of each case, drawn whole for the interval.

    Returns
    -------
    The estimate; None where no uneven draw has a number, or every case has one: then a plain mean says it.

    Notes
    -----
    The value is normalised: inside the range of the values, with a bias that vanishes as cases are drawn.
    """
    is_known = ~np.isnan(values)
    known, numbers = positions[is_known], values[is_known]
    unknown = draws.cases - len(numbers)
    weights, drawn = _weights(draws, known, unknown)
    if weights is None:
        return None
    clusters = None if groups is None else np.asarray(groups)[is_known]
    low, high = weighted_interval(numbers, weights, groups=clusters, is_normalised=True, seed=SEED)
    is_told = len(numbers) >= FEWEST and not math.isnan(low)
    return Reweighted(
        value=weighted_mean(numbers, weights, is_normalised=True),
        interval=(low, high) if is_told else None,
        n=len(numbers),
        drawn=drawn,
        effective_n=effective_size(weights),
        cases=draws.cases,
    )


def _weights(draws: Draws, known: Array, unknown: int) -> tuple[Array | None, int]:
    """What each known case counts for, and how many of them were drawn; None where a plain mean says the same."""
    place = {position: at for at, position in enumerate(known.tolist())}
    rows = [row for row in zip(draws.positions, draws.pools, draws.probabilities, strict=True) if row[0] in place]
    if unknown <= 0 or not rows or all(abs(pool * chance - 1) < _EVEN for _, pool, chance in rows):
        return None, len(rows)
    whole = len(rows) + unknown
    # The pool may have been smaller than what is estimated now, as cases came later or some were held back; how much a
    # case was preferred to an even draw is what counts, and stays.
    left = [whole - number for number in range(len(rows))]
    chances = [min(1.0, pool * chance / rest) for (_, pool, chance), rest in zip(rows, left, strict=True)]
    of_draws = lure_weights(chances, whole)
    weights = np.ones(len(known))
    # Together they stand for exactly as many cases as there are beside those that stand for themselves.
    weights[[place[position] for position, *_ in rows]] = of_draws * whole / of_draws.sum()
    return weights, len(rows)


@dataclass(frozen=True)
class Named:
    """One estimate beside the plain mean that it corrects."""

    words: str
    plain: float | None
    over_all: Reweighted


def agreement_over_all(benchmark: Benchmark, draws: Draws) -> list[Named]:
    """How far readers agree on all cases of the benchmark: answers, and overlap of regions; one query.

    Of each case the mean over its pairs of readers, unaided.
    """
    pairs = AgreementScore.objects.filter(
        benchmark_id=benchmark.pk, arm=Arm.UNAIDED, a_kind=PartyKind.READER, b_kind=PartyKind.READER
    )
    same = Avg(Cast("is_same_answer", IntegerField()), output_field=FloatField())
    rows = list(
        pairs.order_by().values_list("case__position").annotate(same=same, overlap=Avg("matched_iou")).order_by("case")
    )
    if not rows:
        return []
    columns = np.array(rows, dtype=np.float64)  # (cases, 3); null becomes nan
    named = (("Two readers give the same answer", 1), ("Overlap of two readers' regions, matched IoU", 2))
    found = [
        (words, columns[:, at], reweighted(draws, positions=columns[:, 0], values=columns[:, at]))
        for words, at in named
    ]
    return [Named(words, float(np.nanmean(values)), one) for words, values, one in found if one is not None]


def describe_reweighted(found: Reweighted | None) -> dict[str, Any] | None:
    """As JSON."""
    if found is None:
        return None
    return {
        "value": found.value,
        "interval": found.interval,
        "n": found.n,
        "drawn": found.drawn,
        "effective_n": found.effective_n,
        "cases": found.cases,
    }


def selection_of(case_ids: list[uuid.UUID]) -> dict[uuid.UUID, tuple[int, int, float]]:
    """Number, pool and probability of the draw of each case that was drawn; one query."""
    rows = Draw.objects.filter(case__in=case_ids).values_list("case_id", "number", "pool", "probability")
    return {case_id: (number, pool, probability) for case_id, number, pool, probability in rows}
