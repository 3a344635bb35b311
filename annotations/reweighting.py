"""Numbers of a whole benchmark where the queue preferred some cases: each drawn case counts by how likely it was.

Cases that are known whatever was drawn (their gold was there before) stand for themselves, also where they were drawn.
The other drawn ones stand for themselves and for all of which nothing is known, each by its weight of
`annotations.metrics.sampling.history_weights`: taken over all draws in their order, also those of cases without a
number. One that was handed out in another order, after some draws, stands for itself in the share of later draws.
"""

from __future__ import annotations

import math
import uuid
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db.models import Avg, Exists, FloatField, IntegerField, OuterRef, Subquery
from django.db.models.functions import Cast
from numpy.typing import NDArray

from annotations.metrics.sampling import effective_size, history_weights, weighted_interval, weighted_mean
from annotations.models import AgreementScore, Arm, Assignment, Draw, Origin, PartyKind
from curation.models import Case, Gold, GoldRoi, SnapshotCase

if TYPE_CHECKING:
    import datetime as dt

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
    otherwise: tuple[tuple[int, int], ...] = ()
    """Cases handed out in another order after the first draw: place, and how many draws there were before."""
    answered: frozenset[int] = frozenset()
    """Places of those whose right answer was known before they were handed out, from gold or the source."""
    marked: frozenset[int] = frozenset()
    """Places of those whose gold had regions before they were handed out."""


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

    One query where nothing was drawn, else three.
    """
    known = {name: _known_before(name, "case", "created_at") for name in _BEFORE}
    rows = list(
        Draw.objects.filter(benchmark=benchmark)
        .order_by("number")
        .annotate(**known)
        .values_list("case__position", "pool", "probability", "created_at", *known)
    )
    if all(abs(pool * probability - 1) < _EVEN for _, pool, probability, *_ in rows):
        return None
    positions, pools, probabilities, times, *is_known = zip(*rows, strict=True)
    held: Any = Case.objects.filter(benchmark=benchmark, is_probe=False)
    if snapshot is not None:
        held = SnapshotCase.objects.filter(snapshot=snapshot)
    others = _handed_otherwise(benchmark, times[0])
    before = [
        frozenset(place for place, is_it in (*zip(positions, column, strict=True), *rest) if is_it)
        for column, rest in zip(is_known, ([(row[0], row[at]) for row in others] for at in (2, 3)), strict=True)
    ]
    otherwise = tuple((place, bisect_right(times, at)) for place, at, *_ in others)
    return Draws(positions, pools, probabilities, held.count(), otherwise, *before)


def _handed_otherwise(benchmark: Benchmark, since: dt.datetime) -> list[tuple[int, dt.datetime, bool, bool]]:
    """Place of each case that was first handed out later than that and never drawn, when, and what was known then."""
    given = Assignment.objects.filter(case=OuterRef("pk")).exclude(origin=Origin.PROBE).order_by("created_at")
    cases = (
        Case.objects.filter(benchmark=benchmark, is_probe=False, draw=None, facts__is_drawn=True)
        .annotate(first=Subquery(given.values("created_at")[:1]))
        .filter(first__gt=since)
        .annotate(**{name: _known_before(name, "pk", "first") for name in _BEFORE})
    )
    return list(cases.order_by("position").values_list("position", "first", *_BEFORE))


_BEFORE = ("answered", "marked")


def _known_before(what: str, case: str, moment: str) -> Any:
    """Whether gold said it of a case before a moment, or the source."""
    if what == "marked":
        return Exists(GoldRoi.objects.filter(gold__case=OuterRef(case), gold__created_at__lt=OuterRef(moment)))
    gold = Gold.objects.filter(case=OuterRef(case), created_at__lt=OuterRef(moment), answer__isnull=False)
    source = Case.objects.filter(pk=OuterRef(case)).exclude(answer="")
    return Exists(gold) | Exists(source)


def reweighted(
    draws: Draws, *, positions: Array, values: Array, groups: Any = None, anyway: frozenset[int] = frozenset()
) -> Reweighted | None:
    """The mean of a number over the whole benchmark, from the cases on which it is known.

    Parameters
    ----------
    positions, values
        Place and number of each case, float (cases,); nan is a case without a number.
    groups
        The cluster of each case, drawn whole for the interval.
    anyway
        Places of cases whose number would be known had nobody been handed them.

    Returns
    -------
    The estimate; None where no uneven draw has a number, or every case has one: then a plain mean says it.

    Notes
    -----
    The value is normalised: inside the range of the values, with a bias that vanishes as cases are drawn.
    """
    is_known = ~np.isnan(values)
    known, numbers = positions[is_known], values[is_known]
    weights, drawn = _weights(draws, known, anyway)
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


def _weights(draws: Draws, known: Array, anyway: frozenset[int]) -> tuple[Array | None, int]:
    """What each known case counts for, and how many of them are known by a draw; None where a plain mean says it."""
    place = {position: at for at, position in enumerate(known.tolist())}
    rows = [
        (number, place[position])
        for number, position in enumerate(draws.positions)
        if position in place and position not in anyway
    ]
    uneven = any(abs(draws.pools[number] * draws.probabilities[number] - 1) >= _EVEN for number, _ in rows)
    if draws.cases <= len(known) or not uneven:
        return None, len(rows)
    of_draws, shares = history_weights(draws.probabilities, draws.pools)
    weights = np.ones(len(known))
    for position, before in draws.otherwise:
        if position in place and position not in anyway:
            weights[place[position]] = shares[before:].sum()
    numbers, at = (np.array(column) for column in zip(*rows, strict=True))
    weights[at] = 0
    # Together they stand for exactly as many cases as there are beside what stands for itself.
    weights[at] = of_draws[numbers] * (draws.cases - weights.sum()) / of_draws[numbers].sum()
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
