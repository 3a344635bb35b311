"""How the models of a benchmark stand: every number with its interval, its nulls and what it was counted from."""

from __future__ import annotations

import hashlib
import math
import uuid
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db.models import (
    Aggregate,
    BinaryField,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    QuerySet,
    TextField,
)
from django.db.models.functions import Cast
from numpy.typing import NDArray

from annotations.metrics.agreement import bootstrap_means
from annotations.reweighting import Draws, Reweighted, describe_reweighted, draws_of, reweighted
from curation.models import SnapshotCase
from inference.currency import headline_layer, with_staleness
from inference.metrics.verdicts import FEWEST_CASES, Quadrant, SetVerdict, set_verdict
from inference.models import Enrolment, ModelVersion, Verdict, VerdictTarget

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from curation.models import Benchmark, Snapshot

SEED = 0
DRAWS = 1000
LEVEL = 0.95
NUMBERS = (
    "value",
    "absolute_value",
    "centre",
    "moved_median",
    "moved_p95",
    "other_finding",
    "kl_norm",
    "pointing_hit",
    "n_cells",
    "roi_share",
)
COUNTS = ("row_count", "rows_unavailable", "option_count", "position")
TRUTHS = ("is_right", "is_grounded")
CLUSTER_BYTES = 16
MOST_CLUSTERS = 10_000
"""Of more patients or images than this, some at random are drawn together: the interval is as wide, and quicker."""

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean over cases with how many there were; no interval under five of them."""

    value: float | None
    interval: tuple[float, float] | None
    n: int


@dataclass(frozen=True)
class Numbers:
    """What is computed of one model's cases."""

    accuracy: Estimate
    chance: float | None
    ratio: SetVerdict
    moved_p95: float | None
    absolute: Estimate
    kl_norm: Estimate
    pointing: Estimate
    grounded: Estimate
    quadrants: dict[str, Estimate]
    """Shares of the four fields among the cases that lie in one of them."""
    grid_cells: tuple[float, float] | None
    roi_share: float | None
    row_count: int
    rows_unavailable: int


@dataclass(frozen=True)
class OverAll:
    """What would stand there if every case were known: None where a plain mean says it already."""

    accuracy: Reweighted | None = None
    ratio: Reweighted | None = None
    grounded: Reweighted | None = None

    @property
    def is_any(self) -> bool:
        """Whether there is anything to show."""
        return any(one is not None for one in (self.accuracy, self.ratio, self.grounded))


@dataclass(frozen=True)
class Standing:
    """One model on one benchmark. Stale cases are counted in the numbers, and their number is told."""

    model: ModelVersion
    layer: int
    cases: int
    right: int
    grounded: int
    quadrants: dict[str, int]
    stale: dict[str, int]
    unknown: dict[str, int]
    numbers: Numbers
    over_all: OverAll

    @property
    def not_grounded(self) -> int:
        """Cases with a grounding verdict that are not grounded."""
        return self.numbers.grounded.n - self.grounded

    @property
    def stale_count(self) -> int:
        """Cases whose verdict is stale."""
        return sum(self.stale.values())


class Cases:
    """The cases of one model as columns; equal columns are equal, so that what follows from them is kept."""

    def __init__(self, columns: dict[str, Column], clusters: NDArray[Any]) -> None:
        self.columns = columns
        self.clusters = clusters
        whole = hashlib.sha256()
        for name in sorted(columns):
            whole.update(columns[name].tobytes())
        whole.update(clusters.tobytes())
        self.digest = whole.digest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cases) and self.digest == other.digest


def standings(*, benchmark: Benchmark, snapshot: Snapshot | None = None) -> list[Standing]:
    """How each model that reads a benchmark stands, by name; four queries, however many cases and models,
    and two more where cases were drawn unevenly.

    Parameters
    ----------
    snapshot
        Only its cases, and of those only what was predicted from the input as it was frozen. What experts and gold
        say is taken as it is now.

    Notes
    -----
    The same rows give the same numbers: the bootstrap has a fixed seed, and cases are taken in their order. Cases of
    one patient, or without one of the same first image, are drawn together.
    """
    enrolled = Enrolment.objects.filter(benchmark=benchmark).select_related("model").order_by("model__name")
    rows = Verdict.objects.filter(benchmark_id=benchmark.pk, target_kind=VerdictTarget.CASE)
    if snapshot is not None:
        frozen = SnapshotCase.objects.filter(
            snapshot=snapshot, case=OuterRef("case"), input_digest=OuterRef("prediction__input_digest")
        )
        rows = rows.filter(Exists(frozen))
    cases = _cases(rows)
    counts = _counts(rows)
    draws = draws_of(benchmark, snapshot)
    return [_standing(one.model, cases.get(one.model_id), counts.get(one.model_id, []), draws) for one in enrolled]


class Packed(Aggregate):
    """Numbers of a group as the bytes of big-endian float64, null as nan: a hundred thousand of them in one value.

    All aggregates of one query take its rows in one order, so that the n-th number of each is of the same row.
    """

    template = "string_agg(float8send(COALESCE((%(expressions)s)::float8, 'NaN')), ''::bytea)"
    output_field = BinaryField()


class Joined(Aggregate):
    """Texts of a group, one after the other."""

    template = "string_agg(%(expressions)s, '')"
    output_field = TextField()


def _cases(rows: QuerySet[Verdict]) -> dict[uuid.UUID, Cases]:
    """The cases of each model as columns, in the order of the cases; one query."""
    packed = {f"all_{name}": Packed(F(name)) for name in (*NUMBERS, *COUNTS)}
    packed |= {f"all_{name}": Packed(Cast(F(name), IntegerField())) for name in TRUTHS}
    found: Any = rows.order_by().values("model_id").annotate(**packed, all_clusters=Joined(F("cluster")))
    return {row["model_id"]: _unpacked(row) for row in found}


def _unpacked(row: dict[str, Any]) -> Cases:
    columns = {
        name: np.frombuffer(row[f"all_{name}"], dtype=">f8").astype(np.float64) for name in (*NUMBERS, *COUNTS, *TRUTHS)
    }
    clusters = np.frombuffer(row["all_clusters"].encode("ascii"), dtype=f"S{CLUSTER_BYTES}")
    if len(np.unique(clusters)) > MOST_CLUSTERS:
        # The name of a cluster is a hash: what is left over of it is a place at random.
        names = np.array([int(name, base=16) % MOST_CLUSTERS for name in clusters.tolist()])
        clusters = np.char.mod("%016d", names).astype(f"S{CLUSTER_BYTES}")
    order = np.argsort(columns["position"], kind="stable")
    return Cases({name: column[order] for name, column in columns.items()}, clusters[order])


def _no_cases() -> Cases:
    return Cases({name: np.empty(0) for name in (*NUMBERS, *COUNTS, *TRUTHS)}, np.empty(0, dtype=f"S{CLUSTER_BYTES}"))


def _counts(rows: QuerySet[Verdict]) -> dict[uuid.UUID, list[tuple[str, str, str, int]]]:
    """How often each (quadrant, why there is no verdict, why it is stale) stands for each model; one query."""
    grouped = with_staleness(rows).order_by().values_list("model_id", "quadrant", "why_unknown", "stale_because")
    found: dict[uuid.UUID, list[tuple[str, str, str, int]]] = {}
    for model_id, *words, count in grouped.annotate(count=Count("pk")):
        found.setdefault(model_id, []).append((*words, count))
    return found


def _standing(
    model: ModelVersion, cases: Cases | None, counts: list[tuple[str, str, str, int]], draws: Draws | None
) -> Standing:
    held = cases or _no_cases()
    quadrants = _counted((quadrant, count) for quadrant, _, _, count in counts)
    return Standing(
        model=model,
        layer=headline_layer(model),
        cases=len(held.clusters),
        right=int(np.nansum(held.columns["is_right"])),
        grounded=int(np.nansum(held.columns["is_grounded"])),
        quadrants={one.value: quadrants.get(one.value, 0) for one in Quadrant},
        stale=_counted((because, count) for _, _, because, count in counts),
        unknown=_counted((why, count) for _, why, _, count in counts),
        numbers=numbers_of(held),
        over_all=OverAll() if draws is None else over_all_of(held, draws),
    )


def _counted(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The sum of each word that is not empty, the most frequent first."""
    sums: Counter[str] = Counter()
    for word, count in pairs:
        if word:
            sums[word] += count
    return dict(sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])))


@lru_cache(maxsize=256)
def numbers_of(cases: Cases) -> Numbers:
    """Means, intervals and the verdict of a set of cases; kept, so that a page that is looked at again is quick."""
    columns = cases.columns
    names = ("absolute_value", "kl_norm", "pointing_hit", *TRUTHS)
    fields = _fields(columns["is_right"], columns["is_grounded"])
    told = [*(columns[name] for name in names), *fields.values()]
    bounds = bootstrap_means(np.stack(told, axis=1), groups=cases.clusters, n=DRAWS, level=LEVEL, seed=SEED)
    absolute, kl_norm = (_estimate(column, pair) for column, pair in zip(told[:2], bounds[:2], strict=True))
    pointing, right, grounded, *shares = (
        _share(column, pair, cases.clusters) for column, pair in zip(told[2:], bounds[2:], strict=True)
    )
    options = columns["option_count"][~np.isnan(columns["is_right"])]
    cells = columns["n_cells"][~np.isnan(columns["n_cells"])]
    return Numbers(
        accuracy=right,
        chance=float((1 / options).mean()) if options.size else None,
        ratio=set_verdict(
            columns["value"],
            {
                "centre": columns["centre"],
                "moved": columns["moved_median"],
                "other_finding": columns["other_finding"],
            },
            groups=cases.clusters,
            seed=SEED,
        ),
        moved_p95=_estimate(columns["moved_p95"], None).value,
        absolute=absolute,
        kl_norm=kl_norm,
        pointing=pointing,
        grounded=grounded,
        quadrants=dict(zip(fields, shares, strict=True)),
        grid_cells=(float(cells.min()), float(cells.max())) if cells.size else None,
        roi_share=_estimate(columns["roi_share"], None).value,
        row_count=int(columns["row_count"].sum()),
        rows_unavailable=int(columns["rows_unavailable"].sum()),
    )


@lru_cache(maxsize=256)
def over_all_of(cases: Cases, draws: Draws) -> OverAll:
    """Means over the whole benchmark from the cases that are known, by how likely each was drawn; kept as above."""
    asked = (
        ("accuracy", "is_right", draws.answered),
        ("ratio", "value", draws.marked),
        ("grounded", "is_grounded", draws.marked),
    )
    found = {
        name: reweighted(
            draws,
            positions=cases.columns["position"],
            values=cases.columns[column],
            groups=cases.clusters,
            anyway=anyway,
        )
        for name, column, anyway in asked
    }
    return OverAll(**found)


def _fields(right: Column, grounded: Column) -> dict[str, Column]:
    """For each of the four fields whether a case lies in it, nan where it lies in none."""
    return {
        Quadrant.RIGHT_GROUNDED.value: right * grounded,
        Quadrant.RIGHT_NOT_GROUNDED.value: right * (1 - grounded),
        Quadrant.WRONG_GROUNDED.value: (1 - right) * grounded,
        Quadrant.WRONG_NOT_GROUNDED.value: (1 - right) * (1 - grounded),
    }


def _estimate(column: Column, interval: tuple[float, float] | None) -> Estimate:
    there = column[~np.isnan(column)]
    is_told = interval is not None and len(there) >= FEWEST_CASES and not math.isnan(interval[0])
    return Estimate(float(there.mean()) if there.size else None, interval if is_told else None, len(there))


def _share(column: Column, interval: tuple[float, float], clusters: NDArray[Any]) -> Estimate:
    """A share of cases. Where all are alike the bootstrap has no width, and Clopper and Pearson's bound stands in."""
    found = _estimate(column, interval)
    if found.interval is None or found.value not in (0.0, 1.0):
        return found
    bound = (1 - LEVEL) / 2
    least = bound ** (1 / len(np.unique(clusters[~np.isnan(column)])))
    return Estimate(found.value, (0.0, 1 - least) if found.value == 0.0 else (least, 1.0), found.n)


def grids_differ(rows: Sequence[Standing]) -> bool:
    """Whether models that have a ratio have it from grids of different sizes: such ratios are not to be compared."""
    return len({cells for row in rows if (cells := row.numbers.grid_cells) is not None}) > 1


def describe_standing(row: Standing) -> dict[str, Any]:
    """One model's standing as JSON: every number beside its interval, its nulls and its counts."""
    numbers = row.numbers
    return {
        "model": row.model.name,
        "family": row.model.family,
        "revision": row.model.revision,
        "is_trained": row.model.is_trained,
        "note": row.model.note,
        "cases": row.cases,
        "accuracy": {
            **_describe(numbers.accuracy),
            "right": row.right,
            "chance": numbers.chance,
            "reweighted": describe_reweighted(row.over_all.accuracy),
        },
        "attention_ratio": {
            "value": numbers.ratio.mean,
            "interval": numbers.ratio.interval,
            "n": numbers.ratio.n,
            "chance": 1,
            "nulls": {
                "centre": numbers.ratio.nulls["centre"],
                "moved": {"median": numbers.ratio.nulls["moved"], "p95": numbers.moved_p95},
                "other_finding": numbers.ratio.nulls["other_finding"],
            },
            "is_grounded": numbers.ratio.is_grounded,
            "lost_to": numbers.ratio.lost_to or None,
            "layer": row.layer,
            "map": "relative",
            "roi_rule": "box",
            "rows": numbers.row_count,
            "rows_unavailable": numbers.rows_unavailable,
            "reweighted": describe_reweighted(row.over_all.ratio),
        },
        "attention_ratio_absolute": {**_describe(numbers.absolute), "chance": 1},
        "kl_norm": {**_describe(numbers.kl_norm), "chance": 0},
        "pointing_hit": {**_describe(numbers.pointing), "chance": numbers.roi_share},
        "grounded": {
            **_describe(numbers.grounded),
            "count": row.grounded,
            "reweighted": describe_reweighted(row.over_all.grounded),
        },
        "quadrants": row.quadrants,
        "unknown_because": row.unknown,
        "grid": {
            "n_cells": numbers.grid_cells and {"least": numbers.grid_cells[0], "most": numbers.grid_cells[1]},
            "roi_share": numbers.roi_share,
        },
        "stale": {"count": row.stale_count, "because": row.stale},
    }


def _describe(estimate: Estimate) -> dict[str, Any]:
    return {"value": estimate.value, "interval": estimate.interval, "n": estimate.n}
