"""Coefficients of agreement on answers, from the stored patterns of cases and the stored pairs of readers."""

from __future__ import annotations

import json
import math
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from annotations import agreement_tallies as tallies
from annotations.agreement_rows import (
    DRAWS,
    FEWEST_CASES,
    LEVEL,
    NO_PAIRS,
    OPENED,
    READERS,
    SEED,
    BoundQuery,
    Kinds,
    Narrowed,
    Number,
    interval_of,
    rows_of,
    scale_of,
    span_of,
    where,
)
from annotations.metrics.clusters import bootstrap_clustered_patterns
from annotations.metrics.confusion import Weights, bootstrap_confusion, confusion_kappa
from annotations.metrics.patterns import PatternCounts, Statistic, agreement_of_patterns
from annotations.models import Arm

if TYPE_CHECKING:
    from curation.models import Benchmark

NOMINAL: tuple[Statistic, ...] = ("percent_agreement", "fleiss_kappa", "gwet_ac1", "alpha_nominal")
ORDERED: tuple[Statistic, ...] = (*NOMINAL, "alpha_ordinal", "alpha_interval")
LEVELS = ("nominal", "ordinal", "interval")
COHEN: dict[str, Weights] = {"cohen_kappa": None, "cohen_linear": "linear", "cohen_quadratic": "quadratic"}
MOST_CATEGORIES = 60
"""Of more different answers than this (free text), only the share of agreeing pairs means something."""
OPEN, ONE_CATEGORY, MEAN_OF_PAIRS = "open_answers", "one_category", "mean_of_pairs"

Parties = tuple[uuid.UUID, uuid.UUID]
PatternRow = tuple[Any, dict[str, int], int]
"""Cluster or bucket, readers by answer, cases."""
Met = tuple[str, str, str, str]
"""Two parties, and what each answered."""


@dataclass(frozen=True)
class Kappas:
    """Cohen's kappas of two parties, by name, and how often which two answers met."""

    numbers: Mapping[str, Number]
    confusion: Mapping[tuple[str, str], int]


def coefficients(benchmark: Benchmark, narrowed: Narrowed) -> dict[str, Number]:
    """Each coefficient over all readers, from how many gave each answer; two queries, however many cases."""
    names: tuple[Statistic, ...] = NOMINAL if narrowed.level == "nominal" else ORDERED
    rows = _patterns(benchmark, narrowed)
    cases = sum(count for _, pattern, count in rows if sum(pattern.values()) > 1)
    pairs = sum(count * math.comb(sum(pattern.values()), 2) for _, pattern, count in rows)
    if not cases:
        return {str(name): Number(None, None, 0, 0, NO_PAIRS) for name in names}
    answers = sorted_answers({answer for _, pattern, _ in rows for answer in pattern})
    is_open = len(answers) > MOST_CATEGORIES
    table, clusters = _table(rows, answers, is_open=is_open, level=narrowed.level)
    asked: tuple[Statistic, ...] = ("percent_agreement",) if is_open else names
    values = agreement_of_patterns(table, asked)
    bounds = bootstrap_clustered_patterns(table, clusters, asked, n=DRAWS, level=LEVEL, seed=SEED)
    # Of a case that one person answered nothing is known of agreement.
    telling = len({cluster for cluster, pattern, _ in rows if sum(pattern.values()) > 1})
    found: dict[str, Number] = {}
    for name in names:
        if name not in values or math.isnan(values[name]):
            found[name] = Number(None, None, cases, pairs, OPEN if is_open else ONE_CATEGORY)
            continue
        within = (0.0, 1.0) if name == "percent_agreement" else None
        shown, why = interval_of(values[name], bounds[name], cases=cases, clusters=telling, within=within)
        found[name] = Number(values[name], shown, cases, pairs, why)
    return found


def sorted_answers(answers: set[str]) -> list[str]:
    """In their order: as numbers if all are, else as texts."""
    try:
        return sorted(answers, key=float)
    except ValueError:
        return sorted(answers)


def _values(answers: Sequence[str], level: str) -> list[float] | None:
    """The answers' own numbers for an interval scale; None: their places."""
    try:
        values = [float(answer) for answer in answers]
    except ValueError:
        return None
    is_scale = level == "interval" and all(map(math.isfinite, values)) and bool(np.all(np.diff(values) > 0))
    return values if is_scale else None


def _patterns(benchmark: Benchmark, narrowed: Narrowed) -> list[PatternRow]:
    """Of cases with an answer, from a tally or the cases themselves; two queries."""
    scale = scale_of(benchmark)
    if scale.is_tallied and narrowed == Narrowed(arm=narrowed.arm, level=narrowed.level):
        found = tallies.read(benchmark.pk, tallies.part_of("pattern", narrowed.arm.value))
    else:
        found = rows_of(patterns_statement(benchmark, narrowed, digits=scale.digits))
    patterns = {key: json.loads(key) for key in {row[0] for row in found}}
    names = {key: tallies.pattern_key(pattern) for key, pattern in patterns.items()}
    counts: Counter[tuple[Any, str]] = Counter()
    for key, cluster, (count,) in found:
        counts[cluster, key] += count
    told = sorted((one for one in counts if counts[one]), key=lambda one: (one[0], names[one[1]]))
    return [(cluster, patterns[key], counts[cluster, key]) for cluster, key in told]


def patterns_statement(benchmark: Benchmark, narrowed: Narrowed, *, digits: int) -> BoundQuery:
    """What finds in the cases themselves the patterns that tallies hold: (pattern, cluster, cases)."""
    column = "pattern" if narrowed.arm == Arm.UNAIDED else "aided_pattern"
    spans, moments = span_of(narrowed)
    parts = [spans, f"{column} <> '{{}}'"]
    given: list[Any] = [benchmark.pk, *moments]
    if narrowed.modality is not None:
        parts.append("%s = ANY(string_to_array(modalities, ' '))")
        given.append(narrowed.modality)
    if narrowed.opened_by is not None:
        parts.append(f"case_id IN ({OPENED})")
        given.append(narrowed.opened_by)
    statement = f"""
        SELECT {column}::text, left(cluster, {digits}), ARRAY[count(*)] FROM annotations_caseagreement
        WHERE {" AND ".join(parts)} GROUP BY 1, 2
    """  # noqa: S608 of this module's own constants
    return statement, given


def _table(
    rows: Sequence[PatternRow], answers: Sequence[str], *, is_open: bool, level: str
) -> tuple[PatternCounts, Any]:
    """The patterns, and how many cases of each cluster show each."""
    place = {answer: number for number, answer in enumerate(answers)}
    width = max((len(pattern) for _, pattern, _ in rows), default=0) if is_open else len(answers)
    number: dict[tuple[int, ...], int] = {}
    cells: Counter[tuple[Any, int]] = Counter()
    for cluster, pattern, count in rows:
        counts = [0] * width
        if is_open:  # which answer it was does not matter to the share of agreeing pairs
            counts[: len(pattern)] = sorted(pattern.values(), reverse=True)
        else:
            for answer, times in pattern.items():
                counts[place[answer]] = times
        cells[cluster, number.setdefault(tuple(counts), len(number))] += count
    names = {cluster: row for row, cluster in enumerate(sorted({cluster for cluster, _ in cells}))}
    clusters = np.zeros((len(names), len(number)))
    for (cluster, column), count in cells.items():
        clusters[names[cluster], column] = count
    values = None if is_open else _values(answers, level)
    table = PatternCounts.from_arrays(list(number), clusters.sum(axis=0), np.ones(len(number)), values=values)
    return table, clusters


def kappas(
    benchmark: Benchmark, narrowed: Narrowed, *, kinds: Kinds = READERS, has_intervals: bool = False
) -> dict[Parties, Kappas]:
    """Cohen's kappas of each two parties, and their confusion; two queries. Cases are drawn one by one."""
    met: dict[Parties, dict[tuple[str, str], int]] = defaultdict(dict)
    for (a, b, a_answer, b_answer), count in _met(benchmark, replace(narrowed, label=None), kinds).items():
        met[uuid.UUID(a), uuid.UUID(b)][a_answer, b_answer] = count
    asked = COHEN if narrowed.level != "nominal" else {"cohen_kappa": None}
    is_told = has_intervals or len(met) == 1
    return {
        pair: Kappas(_cohen(confusion, asked, has_intervals=is_told), dict(sorted(confusion.items())))
        for pair, confusion in sorted(met.items())
    }


def _met(benchmark: Benchmark, narrowed: Narrowed, kinds: Kinds) -> dict[Met, int]:
    """How often which answers of which two parties met, from a tally or the pairs themselves."""
    is_kept = replace(narrowed, reader=None) == Narrowed(arm=narrowed.arm, level=narrowed.level)
    if is_kept and kinds in tallies.ANSWERED and scale_of(benchmark).is_tallied:
        found = tallies.read(benchmark.pk, tallies.part_of("answers", narrowed.arm.value, kinds))
    else:
        found = rows_of(met_statement(benchmark, narrowed, kinds))
    counts: Counter[str] = Counter()
    for key, _, (count,) in found:
        counts[key] += count
    reader = narrowed.reader and str(narrowed.reader)
    met = {tallies.met_of(key): count for key, count in counts.items() if count}
    return {one: count for one, count in met.items() if reader is None or reader in one[:2]}


def met_statement(benchmark: Benchmark, narrowed: Narrowed, kinds: Kinds) -> BoundQuery:
    """What finds in the pairs themselves the answers that met, as tallies hold them."""
    condition, given = where(benchmark, narrowed, kinds)
    statement = f"""
        SELECT concat_ws(' ', a_party, b_party, length(a_answer), '') || a_answer || b_answer, '', ARRAY[count]
        FROM (
            SELECT score.a_party, score.b_party, score.a_answer, score.b_answer, count(*) AS count
            FROM annotations_agreementscore score WHERE {condition} AND score.a_answer <> '' AND score.b_answer <> ''
            GROUP BY 1, 2, 3, 4
        ) AS met
    """  # noqa: S608 of this package's own constants
    return statement, given


def _cohen(
    confusion: Mapping[tuple[str, str], int], asked: Mapping[str, Weights], *, has_intervals: bool
) -> dict[str, Number]:
    answers = sorted_answers({answer for both in confusion for answer in both})
    cases = sum(confusion.values())
    if len(answers) > MOST_CATEGORIES:
        return {name: Number(None, None, cases, cases, OPEN) for name in asked}
    place = {answer: number for number, answer in enumerate(answers)}
    cells = np.zeros((len(answers), len(answers)))
    for (a, b), count in confusion.items():
        cells[place[a], place[b]] = count
    bounds = {}
    if has_intervals and cases >= FEWEST_CASES:
        bounds = bootstrap_confusion(cells, list(asked.values()), n=DRAWS, level=LEVEL, seed=SEED)
    found = {}
    for name, weights in asked.items():
        value = confusion_kappa(cells, weights)
        if math.isnan(value):
            found[name] = Number(None, None, cases, cases, ONE_CATEGORY)
            continue
        drawn = bounds.get(weights, (math.nan, math.nan))
        shown, why = interval_of(value, drawn, cases=cases, clusters=cases, within=None)
        found[name] = Number(value, shown, cases, cases, why)
    return found


def light(found: Mapping[Parties, Kappas], level: str) -> dict[str, Number]:
    """Light's kappa: the mean of Cohen's over all two readers; of two readers theirs, with its interval."""
    names = list(COHEN) if level != "nominal" else ["cohen_kappa"]
    if len(found) == 1:
        return dict(next(iter(found.values())).numbers)
    numbers = {}
    for name in names:
        told = [one.numbers[name] for one in found.values() if one.numbers[name].value is not None]
        cases = sum(one.n for one in told)
        if not told:
            numbers[name] = Number(None, None, 0, 0, ONE_CATEGORY if found else NO_PAIRS)
        else:
            numbers[name] = Number(fmean(one.value for one in told), None, cases, cases, MEAN_OF_PAIRS)  # type: ignore[misc]
    return numbers
