"""Means of stored pairs by whatever a page splits them by, with bootstrap intervals; the database does the adding up.

A case counts once, with the mean of its pairs, however many readers it has: a probe that everybody reads would
otherwise drown the others. Cases of one patient, or else of one first image, are drawn together.
"""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection

from annotations.agreement_pair import MEANS
from annotations.metrics.clusters import bootstrap_ratios
from annotations.models import Arm, CaseAgreement, PartyKind
from curation.models import Role

if TYPE_CHECKING:
    from curation.models import Benchmark, User

DRAWS, LEVEL, SEED = 1000, 0.95, 0
FEWEST_CASES = 5
"""Under so many cases a number stands without an interval."""
MOST_CLUSTERS = 400
"""Of more cases than this, clusters are put together at random in 256: the interval is as wide, and quicker."""
FEW, NO_PAIRS = "few_cases", "no_pairs"

METRICS: dict[str, str] = {
    "same_answer": "score.is_same_answer::int::float8",
    "detection_f1": "score.detection_f1",
    "matched_iou": "score.matched_iou",
    "iou": "score.iou",
    "dice": "score.dice",
    "surface_dice": "score.surface_dice",
    "hausdorff_mm": "CASE WHEN score.hausdorff_unit = 'mm' THEN score.hausdorff END",
    "hausdorff_px": "CASE WHEN score.hausdorff_unit = 'px' THEN score.hausdorff END",
    "step_f1": "score.step_f1",
    "step_order": "score.step_order",
    "critical_f1": "score.critical_f1",
    "time_ratio": "LEAST(score.a_active_s, score.b_active_s) / NULLIF(GREATEST(score.a_active_s, score.b_active_s), 0)",
    "attention_ratio": "score.attention_ratio",
}
"""Each number of a pair in SQL."""
OF_LABELS: dict[str, str] = {
    "detection_f1": "2.0 * label.matched / NULLIF(2 * label.matched + label.only_a + label.only_b, 0)",
    "iou": "label.iou",
}
"""As METRICS, of one label's regions."""
SHARES = frozenset({"same_answer"})
LOWER_IS_BETTER = frozenset({"hausdorff_mm", "hausdorff_px"})
READERS = (PartyKind.READER, PartyKind.READER)
WITH_MODELS = (PartyKind.READER, PartyKind.MODEL)
WITH_GOLD = (PartyKind.READER, PartyKind.GOLD)
BETWEEN_MODELS = (PartyKind.MODEL, PartyKind.MODEL)
MODEL_AND_GOLD = (PartyKind.MODEL, PartyKind.GOLD)

Kinds = tuple[PartyKind, PartyKind]


@dataclass(frozen=True)
class Narrowed:
    """Which pairs count.

    `level` is of the answers: nominal unless whoever looks says that options have an order. `opened_by` leaves only the
    cases that this person has submitted: to a curator who also reads, nothing may tell of others (see `for_viewer`).
    """

    reader: uuid.UUID | None = None
    label: str | None = None
    modality: str | None = None
    arm: Arm = Arm.UNAIDED
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    level: str = "nominal"
    opened_by: uuid.UUID | None = None


@dataclass(frozen=True)
class Number:
    """A number beside its interval and what it was counted from. Without a value, or an interval, `why` says why."""

    value: float | None
    interval: tuple[float, float] | None
    n: int
    """Cases."""
    pairs: int
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """For an endpoint or a command."""
        return {
            "value": self.value,
            "interval": list(self.interval) if self.interval else None,
            "n": self.n,
            "pairs": self.pairs,
            "why": self.why,
        }


@dataclass(frozen=True)
class Slice:
    """The numbers of one part: a reader, a label, a modality, a week, or two parties."""

    key: str
    numbers: Mapping[str, Number]
    cases: int
    pairs: int


@dataclass(frozen=True)
class Split:
    """By what pairs are split: expressions, what they need joined, and whether a part has one pair a case at most."""

    keys: tuple[str, ...]
    joins: str = ""
    is_single: bool = False


WHOLE = Split(("'all'",))
BY_READER = Split(("side.party",), "CROSS JOIN LATERAL (VALUES (score.a_party), (score.b_party)) AS side (party)")
BY_A = Split(("score.a_party",))
BY_B = Split(("score.b_party",))
BY_PAIR = Split(("score.a_party", "score.b_party"), is_single=True)
BY_MODALITY = Split(
    ("part.modality",), "CROSS JOIN LATERAL unnest(string_to_array(score.modalities, ' ')) AS part (modality)"
)
BY_LABEL = Split(("label.label",))
BY_WEEK = Split(("date_trunc('week', score.said_at AT TIME ZONE 'UTC')::date",))
BY_DAY = Split(("(score.said_at AT TIME ZONE 'UTC')::date",))
OPENED = "SELECT case_id FROM annotations_reading WHERE reader_id = %s AND arm = 'unaided' AND revision > 0"
"""As `annotations.blinding.opened_cases` of somebody who reads in the benchmark."""
_LABELS = "JOIN annotations_agreementlabel label ON label.score_id = score.id"


def for_viewer(narrowed: Narrowed, user: User, benchmark: Benchmark) -> Narrowed:
    """What somebody may see of it: who reads here, whatever else they are, only cases that they have submitted."""
    reads_here = Role.READER.value in user.roles_in(benchmark.pk)
    return replace(narrowed, opened_by=user.pk) if reads_here else narrowed


def where(benchmark: Benchmark, narrowed: Narrowed, kinds: Kinds) -> tuple[str, list[Any]]:
    """The condition on `score`, and on `label` if one is named, with its arguments."""
    parts = ["score.benchmark_id = %s", "score.arm = %s", "score.a_kind = %s", "score.b_kind = %s"]
    given: list[Any] = [benchmark.pk, narrowed.arm.value, kinds[0].value, kinds[1].value]
    if narrowed.reader is not None:
        parts.append("(score.a_party = %s OR score.b_party = %s)")
        given += [narrowed.reader, narrowed.reader]
    if narrowed.modality is not None:
        parts.append("%s = ANY(string_to_array(score.modalities, ' '))")
        given.append(narrowed.modality)
    if narrowed.since is not None:
        parts.append("score.said_at >= %s")
        given.append(narrowed.since)
    if narrowed.until is not None:
        parts.append("score.said_at < %s")
        given.append(narrowed.until)
    if narrowed.opened_by is not None:
        parts.append(f"score.case_id IN ({OPENED})")
        given.append(narrowed.opened_by)
    if narrowed.label is not None:
        parts.append("label.label = %s")
        given.append(narrowed.label)
    return " AND ".join(parts), given


def slices(
    benchmark: Benchmark,
    narrowed: Narrowed,
    split: Split,
    *,
    kinds: Kinds = READERS,
    metrics: Sequence[str] = tuple(METRICS),
) -> list[Slice]:
    """Numbers of each part of the pairs, by key; two queries, however many cases, pairs and parts.

    With a label, or by label, only what is known of a label's regions: OF_LABELS.
    """
    is_by_label = narrowed.label is not None or split == BY_LABEL
    known = OF_LABELS if is_by_label else METRICS
    names = [name for name in metrics if name in known]
    if not names:  # nothing of this is known of one label's regions
        return []
    if kinds == READERS and split in (WHOLE, BY_MODALITY) and _is_kept(narrowed) and set(names) <= set(MEANS):
        return _slices(_of_cases(benchmark, narrowed, split, names), names, len(split.keys))
    joins = f"{_LABELS if is_by_label else ''} {split.joins}"
    condition, given = where(benchmark, narrowed, kinds)
    statement = _single if split.is_single else _by_case
    with connection.cursor() as cursor:
        cursor.execute(
            statement(split.keys, [known[name] for name in names], joins, condition, cluster_digits(benchmark)), given
        )
        found = cursor.fetchall()
    return _slices(found, names, len(split.keys))


def _is_kept(narrowed: Narrowed) -> bool:
    """Whether cases keep the means that are asked for: over all their unaided readers."""
    return replace(narrowed, modality=None, level="nominal", opened_by=None) == Narrowed()


def _of_cases(benchmark: Benchmark, narrowed: Narrowed, split: Split, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """As `_by_case`, from the means that cases keep."""
    values = [f"score.means[{MEANS.index(name) + 1}]" for name in names]
    sums = ", ".join(f"sum({value}), count({value})" for value in values)
    [key] = split.keys
    given: list[Any] = [benchmark.pk]
    condition = "score.benchmark_id = %s AND score.pairs > 0"
    if narrowed.modality is not None:
        condition += " AND %s = ANY(string_to_array(score.modalities, ' '))"
        given.append(narrowed.modality)
    if narrowed.opened_by is not None:
        condition += f" AND score.case_id IN ({OPENED})"
        given.append(narrowed.opened_by)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {key}, left(score.cluster, {cluster_digits(benchmark)}), sum(score.pairs), count(*), {sums}
            FROM annotations_caseagreement score {split.joins} WHERE {condition} GROUP BY 1, 2
            """,  # noqa: S608 of this module's own constants; what is given goes as arguments
            given,
        )
        return list(cursor.fetchall())


def _single(keys: Sequence[str], values: Sequence[str], joins: str, condition: str, digits: int) -> str:
    """Sums of pairs by key and cluster, where a case has one pair of each key."""
    sums = ", ".join(f"sum({value}), count({value})" for value in values)
    named = ", ".join(keys)
    return f"""
        SELECT {named}, left(score.cluster, {digits}), count(*), count(*), {sums}
        FROM annotations_agreementscore score {joins} WHERE {condition} GROUP BY {named}, left(score.cluster, {digits})
    """  # noqa: S608 of this module's own constants; what is given goes as arguments


def _by_case(keys: Sequence[str], values: Sequence[str], joins: str, condition: str, digits: int) -> str:
    """Sums of the cases' means by key and cluster."""
    means = ", ".join(f"avg({value}) AS m{place}" for place, value in enumerate(values))
    sums = ", ".join(f"sum(m{place}), count(m{place})" for place in range(len(values)))
    inner = ", ".join(f"{key} AS k{place}" for place, key in enumerate(keys))
    outer = ", ".join(f"k{place}" for place in range(len(keys)))
    return f"""
        WITH by_case AS (
            SELECT {inner}, score.case_id, min(score.cluster) AS cluster, count(*) AS pairs, {means}
            FROM annotations_agreementscore score {joins} WHERE {condition} GROUP BY {outer}, score.case_id
        )
        SELECT {outer}, left(cluster, {digits}), sum(pairs), count(*), {sums}
        FROM by_case GROUP BY {outer}, left(cluster, {digits})
    """  # noqa: S608 of this module's own constants; what is given goes as arguments


def _slices(found: Sequence[tuple[Any, ...]], names: Sequence[str], width: int) -> list[Slice]:
    """From rows (keys, cluster, pairs, cases, sum and count of each number); all parts are drawn at once."""
    keys = {key: place for place, key in enumerate(sorted({tuple(map(str, row[:width])) for row in found}))}
    clusters = {name: place for place, name in enumerate(sorted({row[width] for row in found}))}
    sums, counts = (np.zeros((len(clusters), len(keys), len(names))) for _ in range(2))
    totals = np.zeros((len(keys), 2), dtype=np.int64)
    for row in found:
        part, cluster = keys[tuple(map(str, row[:width]))], clusters[row[width]]
        totals[part] += [int(row[width + 1]), int(row[width + 2])]
        numbers = row[width + 3 :]
        sums[cluster, part] = [0.0 if value is None else float(value) for value in numbers[::2]]
        counts[cluster, part] = numbers[1::2]
    flat = (len(clusters), len(keys) * len(names))
    bounds = bootstrap_ratios(sums.reshape(flat), counts.reshape(flat), n=DRAWS, level=LEVEL, seed=SEED)
    slices_found = []
    for key, place in keys.items():
        pairs, cases = (int(total) for total in totals[place])
        told = {
            name: _number(name, sums[:, place, at], counts[:, place, at], bounds[place * len(names) + at], pairs)
            for at, name in enumerate(names)
        }
        slices_found.append(Slice(" ".join(key), told, cases, pairs))
    return slices_found


def cluster_digits(benchmark: Benchmark) -> int:
    """How many digits of a cluster's name tell those apart that are drawn."""
    return 16 if CaseAgreement.objects.filter(benchmark_id=benchmark.pk).count() <= MOST_CLUSTERS else 2


def _number(name: str, sums: Any, counts: Any, interval: tuple[float, float], pairs: int) -> Number:
    n = int(counts.sum())
    if not n:
        return Number(None, None, 0, 0, NO_PAIRS)
    value = float(sums.sum() / n)
    shown = interval_of(value, interval, cases=n, clusters=int((counts > 0).sum()), is_share=name in SHARES)
    return Number(value, shown, n, pairs, "" if shown else FEW)


def interval_of(
    value: float, interval: tuple[float, float], *, cases: int, clusters: int, is_share: bool
) -> tuple[float, float] | None:
    """What may be shown: nothing under five cases; of a share that is 0 or 1 throughout, Clopper and Pearson's bound.

    There the bootstrap has no width, which would say certainty.
    """
    if cases < FEWEST_CASES or math.isnan(interval[0]):
        return None
    if is_share and value in (0.0, 1.0):
        least = ((1 - LEVEL) / 2) ** (1 / clusters)
        return (0.0, 1 - least) if value == 0.0 else (least, 1.0)
    return interval
