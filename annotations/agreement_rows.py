"""Means of stored pairs by whatever a page splits them by, with bootstrap intervals.

A case counts once, with the mean of its pairs, however many readers it has: a probe that everybody reads would
otherwise drown the others. Cases of one patient, or else of one first image, are drawn together.

The sums come from running tallies where a benchmark is large and what is asked is kept there, else from the pairs
themselves; both are whole multiples of 1 / FIXED and the same (`agreement_tallies` says why). A case stands in the
week, day and span of time in which it was read last.
"""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection

from annotations import agreement_tallies as tallies
from annotations.agreement_pair import NUMBERS
from annotations.agreement_tallies import FIXED, LABEL_NUMBERS, MOST, PARTS, RULE, WHOLE_KEY, part_of
from annotations.metrics.clusters import bootstrap_ratios
from annotations.metrics.resampling import interval_of_equals
from annotations.models import Arm, CaseAgreement, PartyKind, Reading
from annotations.naming import Mask
from curation.models import Role

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from curation.models import Benchmark, User

DRAWS, LEVEL, SEED = 1000, 0.95, 0
FEWEST_CASES = 5
"""Under so many cases a number stands without an interval."""
NO_WIDTH = 1e-12
"""An interval no wider than rounding errors has none."""
MOST_CLUSTERS = 400
"""Of more cases than this, clusters are put together at random in 256: the interval is as wide, and quicker."""
FEW, NO_PAIRS, NO_SPREAD, ONE_CLUSTER = "few_cases", "no_pairs", "no_spread", "one_cluster"

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
    "time_ratio": "CASE WHEN score.a_active_s IS NOT NULL AND score.b_active_s IS NOT NULL THEN"
    " LEAST(score.a_active_s, score.b_active_s) / NULLIF(GREATEST(score.a_active_s, score.b_active_s), 0) END",
    "attention_ratio": "score.attention_ratio",
}
"""Each number of a pair in SQL."""
OF_LABELS: dict[str, str] = {
    "detection_f1": "2.0::float8 * label.matched / NULLIF(2 * label.matched + label.only_a + label.only_b, 0)",
    "iou": "label.iou",
}
"""As METRICS, of one label's regions."""
UNBOUNDED = frozenset({"hausdorff_mm", "hausdorff_px", "attention_ratio"})
"""Numbers that may be larger than 1."""
RANGES = {name: (-1.0 if name == "step_order" else 0.0, 1.0) for name in METRICS if name not in UNBOUNDED}
"""Between which values a number lies, where it cannot be larger."""
LOWER_IS_BETTER = frozenset({"hausdorff_mm", "hausdorff_px"})
Kinds = tallies.Kinds
READERS = tallies.READERS
WITH_MODELS = (PartyKind.READER, PartyKind.MODEL)
WITH_GOLD = (PartyKind.READER, PartyKind.GOLD)
BETWEEN_MODELS = (PartyKind.MODEL, PartyKind.MODEL)
MODEL_AND_GOLD = (PartyKind.MODEL, PartyKind.GOLD)


@dataclass(frozen=True)
class Narrowed:
    """Which pairs count.

    `level` is of the answers: nominal unless whoever looks says that options have an order. `opened_by` leaves only the
    cases that this person has submitted: to a curator who also reads, nothing may tell of others (see `for_viewer`).
    `since` and `until` (exclusive) leave cases whose newest reading was submitted in between, with all their pairs: the
    same for pairs and for coefficients, which know of a case only how often each answer was given.
    """

    reader: uuid.UUID | None = None
    label: str | None = None
    modality: str | None = None
    arm: Arm = Arm.UNAIDED
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    level: str = "nominal"
    opened_by: uuid.UUID | None = None
    # How readers are called for whoever looks; says nothing of which pairs count.
    mask: Mask | None = field(default=None, compare=False)


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
    """By what pairs are split: expressions, what they need joined, and whether a part has one pair a case at most.

    `what` is its name in tallies.
    """

    what: str
    keys: tuple[str, ...]
    joins: str = ""
    is_single: bool = False


_STATES = "JOIN annotations_caseagreement state ON state.case_id = score.case_id"
WHOLE = Split("whole", (f"'{WHOLE_KEY}'",))
BY_READER = Split(
    "reader", ("side.party",), "CROSS JOIN LATERAL (VALUES (score.a_party), (score.b_party)) AS side (party)"
)
BY_A = Split("a", ("score.a_party",))
BY_B = Split("b", ("score.b_party",))
BY_PAIR = Split("pair", ("score.a_party", "score.b_party"), is_single=True)
BY_MODALITY = Split(
    "modality",
    ("part.modality",),
    "CROSS JOIN LATERAL unnest(string_to_array(score.modalities, ' ')) AS part (modality)",
)
BY_LABEL = Split("label", ("label.label",))
BY_WEEK = Split("week", ("date_trunc('week', state.said_at AT TIME ZONE 'UTC')::date",), _STATES)
BY_DAY = Split("day", ("(state.said_at AT TIME ZONE 'UTC')::date",), _STATES)
OPENED = "SELECT case_id FROM annotations_reading WHERE reader_id = %s AND arm = 'unaided' AND revision > 0"
"""As `annotations.blinding.opened_cases` of somebody who reads in the benchmark."""
_LABELS = "JOIN annotations_agreementlabel label ON label.score_id = score.id"


def for_viewer(narrowed: Narrowed, user: User, benchmark: Benchmark) -> Narrowed:
    """What somebody may see of it: who reads here, whatever else they are, only cases that they have submitted."""
    narrowed = replace(narrowed, mask=Mask.of(user, benchmark))
    reads_here = Role.READER.value in user.roles_in(benchmark.pk)
    return replace(narrowed, opened_by=user.pk) if reads_here else narrowed


def states_of(benchmark: Benchmark, narrowed: Narrowed) -> QuerySet[CaseAgreement]:
    """The state of each case that whoever looks may know of, however else it is narrowed."""
    states = CaseAgreement.objects.filter(benchmark_id=benchmark.pk)
    if narrowed.opened_by is None:
        return states
    own = Reading.objects.filter(reader=narrowed.opened_by, arm=Arm.UNAIDED, revision__gt=0)
    return states.filter(case__in=own.values("case"))


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
    if narrowed.since is not None or narrowed.until is not None:
        spans, moments = span_of(narrowed)
        parts.append(f"score.case_id IN (SELECT case_id FROM annotations_caseagreement WHERE {spans})")  # noqa: S608
        given += [benchmark.pk, *moments]
    if narrowed.opened_by is not None:
        parts.append(f"score.case_id IN ({OPENED})")
        given.append(narrowed.opened_by)
    if narrowed.label is not None:
        parts.append("label.label = %s")
        given.append(narrowed.label)
    return " AND ".join(parts), given


def span_of(narrowed: Narrowed) -> tuple[str, list[dt.datetime]]:
    """The condition on the state of cases, by when they were read last, whose first argument is their benchmark."""
    parts, moments = ["benchmark_id = %s"], []
    for sign, moment in ((">=", narrowed.since), ("<", narrowed.until)):
        if moment is not None:
            parts.append(f"said_at {sign} %s")
            moments.append(moment)
    return " AND ".join(parts), moments


@dataclass(frozen=True)
class Scale:
    """How many digits of a cluster's name tell those apart that are drawn, and whether there are tallies of them."""

    digits: int
    is_tallied: bool


def scale_of(benchmark: Benchmark) -> Scale:
    """Large benchmarks have their clusters put together, and tallies; one query that looks at a few hundred cases."""
    with connection.cursor() as cursor:
        cursor.execute(_SCALE, [benchmark.pk, MOST_CLUSTERS + 1, benchmark.pk, RULE])
        cases, is_tallied = cursor.fetchone()
    is_large = cases > MOST_CLUSTERS
    return Scale(2 if is_large else 16, is_large and is_tallied)


_SCALE = """
SELECT (SELECT count(*) FROM (SELECT FROM annotations_caseagreement WHERE benchmark_id = %s LIMIT %s) AS few),
    EXISTS (SELECT FROM annotations_talliedbenchmark WHERE benchmark_id = %s AND rule = %s)
"""


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
    known = OF_LABELS if _is_by_label(narrowed, split) else METRICS
    names = [name for name in metrics if name in known]
    if not names:  # nothing of this is known of one label's regions
        return []
    scale = scale_of(benchmark)
    kept = _kept(narrowed, split, kinds) if scale.is_tallied else None
    if kept is None:
        found = rows_of(statement_of(benchmark, narrowed, split, kinds=kinds, names=names, digits=scale.digits))
        return _slices(found, names, range(2 + 2 * len(names)))
    what, key = kept
    found = tallies.read(benchmark.pk, part_of(what, narrowed.arm.value, kinds), key)
    order = LABEL_NUMBERS if what == "label" else NUMBERS
    places = [order.index(name) for name in names]
    columns = [0, 1, *(2 + place for place in places), *(2 + len(order) + place for place in places)]
    whole = found if key is None else [(WHOLE_KEY, bucket, numbers) for _, bucket, numbers in found]
    return _slices(whole, names, columns)


def _is_by_label(narrowed: Narrowed, split: Split) -> bool:
    return narrowed.label is not None or split == BY_LABEL


def _kept(narrowed: Narrowed, split: Split, kinds: Kinds) -> tuple[str, str | None] | None:
    """Which tally has what is asked for, and which of its keys, or None: all of a split, or one key as a whole."""
    plain = replace(narrowed, reader=None, label=None, modality=None)
    told = {"reader": narrowed.reader, "label": narrowed.label, "modality": narrowed.modality}
    named = [(what, str(key)) for what, key in told.items() if key is not None]
    if plain != Narrowed(arm=narrowed.arm, level=narrowed.level) or len(named) > 1:
        return None
    if named and (split != WHOLE or kinds != READERS):
        return None
    what, key = named[0] if named else (split.what, None)
    return (what, key) if what in PARTS.get(kinds, ()) or (what == "label" and kinds == READERS) else None


Row = tallies.Row
BoundQuery = tuple[str, list[Any]]
"""In SQL with its arguments; finds rows."""


def statement_of(
    benchmark: Benchmark, narrowed: Narrowed, split: Split, *, kinds: Kinds, names: Sequence[str], digits: int
) -> BoundQuery:
    """What adds up from the pairs themselves the rows that tallies hold."""
    is_by_label = _is_by_label(narrowed, split)
    known = OF_LABELS if is_by_label else METRICS
    condition, given = where(benchmark, narrowed, kinds)
    values = [_fixed(name, known[name]) for name in names]
    joins = f"{_LABELS if is_by_label else ''} {split.joins}"
    return (_single if split.is_single else _by_case)(split.keys, values, joins, condition, digits), given


def rows_of(statement: BoundQuery) -> list[Row]:
    """What a statement finds; one query."""
    with connection.cursor() as cursor:
        cursor.execute(*statement)
        return list(cursor.fetchall())


def _fixed(name: str, value: str) -> str:
    """As `agreement_tallies.fixed`, in SQL."""
    bounded = f"(CASE WHEN {value} > {MOST} THEN {MOST} ELSE {value} END)" if name in UNBOUNDED else f"({value})"
    return f"round({bounded} * {FIXED}::float8)"


def _single(keys: Sequence[str], values: Sequence[str], joins: str, condition: str, digits: int) -> str:
    """Sums of pairs by key and cluster, where a case has one pair of each key."""
    counts = ", ".join(f"count({value})" for value in values)
    sums = ", ".join(f"coalesce(sum(({value})::bigint), 0)" for value in values)
    named = ", ".join(keys)
    return f"""
        SELECT concat_ws(' ', {named}), left(score.cluster, {digits}),
            ARRAY[count(*), count(*), {counts}, {sums}]::bigint[]
        FROM annotations_agreementscore score {joins} WHERE {condition} GROUP BY {named}, left(score.cluster, {digits})
    """  # noqa: S608 of this module's own constants; what is given goes as arguments


def _by_case(keys: Sequence[str], values: Sequence[str], joins: str, condition: str, digits: int) -> str:
    """Sums of the cases' means by key and cluster."""
    means = ", ".join(f"round(avg({value}))::bigint AS m{place}" for place, value in enumerate(values))
    counts = ", ".join(f"count(m{place})" for place in range(len(values)))
    sums = ", ".join(f"coalesce(sum(m{place}), 0)" for place in range(len(values)))
    inner = ", ".join(f"{key} AS k{place}" for place, key in enumerate(keys))
    outer = ", ".join(f"k{place}" for place in range(len(keys)))
    return f"""
        WITH by_case AS (
            SELECT {inner}, score.case_id, min(score.cluster) AS cluster, count(*) AS pairs, {means}
            FROM annotations_agreementscore score {joins} WHERE {condition} GROUP BY {outer}, score.case_id
        )
        SELECT concat_ws(' ', {outer}), left(cluster, {digits}), ARRAY[sum(pairs), count(*), {counts}, {sums}]::bigint[]
        FROM by_case GROUP BY {outer}, left(cluster, {digits})
    """  # noqa: S608 of this module's own constants; what is given goes as arguments


def _slices(found: Sequence[Row], names: Sequence[str], columns: Sequence[int]) -> list[Slice]:
    """From rows, of whose numbers some columns are asked for; all parts are drawn at once."""
    keys, table = _table(found, columns)
    if not keys:
        return []
    totals, counts, sums = table[:, :, :2].sum(axis=0), *np.split(table[:, :, 2:], 2, axis=2)
    flat = (len(table), len(keys) * len(names))
    bounds = bootstrap_ratios((sums / FIXED).reshape(flat), counts.reshape(flat), n=DRAWS, level=LEVEL, seed=SEED)
    slices_found = []
    for place, key in enumerate(keys):
        pairs, cases = (int(total) for total in totals[place])
        told = {
            name: _number(name, sums[:, place, at], counts[:, place, at], bounds[place * len(names) + at], pairs)
            for at, name in enumerate(names)
        }
        slices_found.append(Slice(key, told, cases, pairs))
    return slices_found


def _table(found: Sequence[Row], columns: Sequence[int]) -> tuple[list[str], Any]:
    """Keys that some case has, sorted, and whole numbers (clusters with a case, keys, columns)."""
    keys = {key: place for place, key in enumerate(sorted({row[0] for row in found}))}
    clusters = {name: place for place, name in enumerate(sorted({row[1] for row in found}))}
    flat = np.zeros((len(clusters) * len(keys), len(columns)), dtype=np.int64)
    if found:
        numbers = np.array([row[2] for row in found], dtype=np.int64)[:, list(columns)]
        np.add.at(flat, [clusters[row[1]] * len(keys) + keys[row[0]] for row in found], numbers)
    table = flat.reshape(len(clusters), len(keys), len(columns))
    has_case = table[:, :, 1] > 0
    of_cluster, of_key = np.flatnonzero(has_case.any(axis=1)), np.flatnonzero(has_case.any(axis=0))
    names = list(keys)
    return [names[place] for place in of_key], table[of_cluster][:, of_key]


def _number(name: str, sums: Any, counts: Any, interval: tuple[float, float], pairs: int) -> Number:
    n = int(counts.sum())
    if not n:
        return Number(None, None, 0, 0, NO_PAIRS)
    value = int(sums.sum()) / (FIXED * n)
    shown, why = interval_of(value, interval, cases=n, clusters=int((counts > 0).sum()), within=RANGES.get(name))
    return Number(value, shown, n, pairs, why)


def interval_of(
    value: float, interval: tuple[float, float], *, cases: int, clusters: int, within: tuple[float, float] | None
) -> tuple[tuple[float, float] | None, str]:
    """What may be shown, or why nothing may: nothing under five cases, nor of one patient's alone.

    Where all that is drawn again is alike, the bootstrap has no width, which would say certainty: a mean `within` known
    bounds gets those of `interval_of_equals`; of what has no bounds, or is no mean, nothing can be said.
    """
    if cases < FEWEST_CASES:
        return None, FEW
    if clusters < 2 or math.isnan(interval[0]):
        return None, ONE_CLUSTER
    if interval[1] - interval[0] > NO_WIDTH:
        return interval, ""
    if within is None:
        return None, NO_SPREAD
    least, most = within
    return interval_of_equals(min(max(value, least), most), clusters, level=LEVEL, least=least, most=most), ""
