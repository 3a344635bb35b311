"""What the page of a benchmark's agreement shows; the number of queries does not depend on how many rows there are."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from django.db.models import Max, Min

from annotations.agreement_asked import Asked
from annotations.agreement_figures import (
    label_argument,
    label_name,
    over_time_plot,
    pairs_address,
    parts_plot,
)
from annotations.agreement_matrix import SHOWN, matrix_of
from annotations.agreement_names import by_told_id, names, told_id
from annotations.agreement_plan import plan_of
from annotations.agreement_read import (
    EVERYTHING,
    Overview,
    by_label,
    by_modality,
    by_reader,
    ceiling,
    models,
    over_time,
    overview,
)
from annotations.agreement_rows import Narrowed, Number, states_of
from annotations.agreement_words import NUMBERS, divergence, words_of
from annotations.models import PartyKind

if TYPE_CHECKING:
    from annotations.metrics.planning import Plan
    from curation.models import Benchmark

TARGET = 0.05
LARGEST_TARGET = 100.0
HEADLINE = ("alpha_nominal", "fleiss_kappa", "gwet_ac1", "percent_agreement")
HEADLINE_REGIONS = ("matched_iou", "detection_f1", "dice", "surface_dice")
# By how much time a point of "over time" holds: so many days are shown one by one.
MOST_DAYS = 21
# Which number of the pairs stands for a coefficient that no pair has.
PAIRS_BY = {name: name for name in NUMBERS} | dict.fromkeys(
    (*HEADLINE, "alpha_ordinal", "alpha_interval", "cohen_kappa", "cohen_linear", "cohen_quadratic"), "same_answer"
)


@dataclass(frozen=True)
class Told:
    """A number with its name, what it means, the address of its pairs, and why it has no value or interval."""

    name: str
    words: str
    meaning: str
    number: Number
    why: str
    href: str


def choices_of(benchmark: Benchmark, narrowed: Narrowed) -> dict[str, Any]:
    """What the form can narrow to: readers, labels and modalities of what the viewer may see; at most seven queries."""
    open_to = Narrowed(opened_by=narrowed.opened_by, arm=narrowed.arm)
    labels = [one.key for one in by_label(benchmark, open_to)]
    words = label_name(_label_names(benchmark))
    mask = narrowed.mask
    called = names((uuid.UUID(one.key) for one in by_reader(benchmark, open_to)), mask)
    readers = ((name, told_id(party, PartyKind.READER, mask)) for party, name in called.items())
    return {
        "readers": sorted(readers, key=lambda one: one[0].casefold()),
        "labels": [(label_argument(label), words(label)) for label in labels],
        "modalities": [one.key for one in by_modality(benchmark, open_to)],
    }


def _label_names(benchmark: Benchmark) -> dict[str, str]:
    return {label["id"]: label["name"] for label in benchmark.protocol.config.get("labels", [])}


def page_of(benchmark: Benchmark, asked: Asked, narrowed: Narrowed, *, shown: str, target: str) -> dict[str, Any]:
    """Headline, tables, matrix, plots and plan."""
    whole = overview(benchmark, narrowed)
    top = ceiling(benchmark, narrowed)
    plots = _plots(benchmark, asked, narrowed, top)
    answers = _told(benchmark, asked, whole.answers) if any(one.n for one in whole.answers.values()) else []
    regions = _told(benchmark, asked, whole.regions)
    shown = shown if shown in SHOWN else "same_answer" if answers else "matched_iou"
    table = None if asked.label else matrix_of(benchmark, asked, narrowed, shown)
    headline = _headline(answers) or [one for one in regions if one.name in HEADLINE_REGIONS and one.number.n]
    kappa, ac1 = (whole.answers.get(name) for name in ("fleiss_kappa", "gwet_ac1"))
    return {
        "whole": whole,
        "headline": headline,
        "others": [one for one in answers if one.name not in {told.name for told in headline}],
        "regions": regions,
        "steps": _told(benchmark, asked, {**whole.steps, **whole.time}),
        "divergence": divergence(kappa.value if kappa else None, ac1.value if ac1 else None),
        "matrix": table,
        "shown": shown,
        "shown_words": {name: words for name, (words, _) in SHOWN.items()},
        "plan": _plan(benchmark, narrowed, whole, target),
        **plots,
        "plots": [*plots.values(), *([table.plot] if table else [])],
    }


def _headline(answers: list[Told]) -> list[Told]:
    """Four at most: of ordered answers alpha of that level leads."""
    ordered = [one for one in answers if one.name in ("alpha_interval", "alpha_ordinal")]
    wanted = [*ordered[:1], *(one for one in answers if one.name in HEADLINE)]
    plain = [one for one in wanted if not (ordered and one.name == "alpha_nominal")]
    return plain[:4] or answers[:4]


def _told(benchmark: Benchmark, asked: Asked, found: Mapping[str, Number]) -> list[Told]:
    order = {name: place for place, name in enumerate(NUMBERS)}
    return [
        Told(
            name,
            *NUMBERS.get(name, (name, "")),
            number,
            words_of(number.why),
            pairs_address(benchmark, asked, metric=PAIRS_BY.get(name, "same_answer")),
        )
        for name, number in sorted(found.items(), key=lambda one: order.get(one[0], len(order)))
    ]


def _plots(benchmark: Benchmark, asked: Asked, narrowed: Narrowed, top: Mapping[str, Number]) -> dict[str, Any]:
    every = every_of(benchmark, narrowed)
    readers, machines = by_reader(benchmark, narrowed), models(benchmark, narrowed)
    mask = narrowed.mask
    called = names((uuid.UUID(one.key) for one in readers), mask)
    told = {told_id(party, PartyKind.READER, mask): name for party, name in called.items()}
    of_models = names(uuid.UUID(one.key) for one in machines)
    metric = "iou" if asked.label else "same_answer"
    if metric == "same_answer" and not any(one.numbers.get(metric, _EMPTY).n for one in readers):
        metric = "matched_iou"  # a benchmark without answers: regions are all there is

    labels = label_name(_label_names(benchmark))
    return {
        "over_time_plot": over_time_plot(benchmark, asked, over_time(benchmark, narrowed, every=every), every=every),
        "readers_plot": parts_plot(
            benchmark, asked, by_told_id(readers, mask), name="by-reader", words="Each reader with all others",
            head="Reader", metric=metric, called=lambda key: told.get(key, key),
            narrowing=lambda key: {"reader": key}, ceiling=top.get(metric),
        ),
        "models_plot": parts_plot(
            benchmark, asked, machines, name="models", words="Each model with the readers, and what readers reach",
            head="Model", metric="same_answer", called=lambda key: of_models.get(uuid.UUID(key), key),
            narrowing=lambda key: {"other": key, "kind": "models"}, ceiling=top.get("same_answer"),
        ),
        "labels_plot": parts_plot(
            benchmark, asked, by_label(benchmark, narrowed), name="by-label", words="Regions of each label",
            head="Label", metric="detection_f1", called=labels,
            narrowing=lambda key: {"label": label_argument(key)},
        ),
        "modalities_plot": parts_plot(
            benchmark, asked, by_modality(benchmark, narrowed), name="by-modality", words="Cases of each modality",
            head="Modality", metric=metric, called=str, narrowing=lambda key: {"modality": key},
        ),
    }  # fmt: skip


_EMPTY = Number(None, None, 0, 0)


def every_of(benchmark: Benchmark, narrowed: Narrowed = EVERYTHING) -> Literal["week", "day"]:
    """Days while they are few, then weeks; one query."""
    span = states_of(benchmark, narrowed).aggregate(first=Min("said_at"), last=Max("said_at"))
    if span["first"] is None or span["last"] - span["first"] > dt.timedelta(days=MOST_DAYS):
        return "week"
    return "day"


@dataclass(frozen=True)
class Planned:
    """How many more readings the first headline number needs; or what was wrong with what was typed."""

    words: str
    target: str
    plan: Plan | None
    error: str = ""


def _plan(benchmark: Benchmark, narrowed: Narrowed, whole: Overview, typed: str) -> Planned:
    name, number = next(
        ((name, whole.answers[name]) for name in ("alpha_nominal", "cohen_kappa") if name in whole.answers),
        ("matched_iou", whole.regions.get("matched_iou", _EMPTY)),
    )
    if not number.n and whole.regions.get("matched_iou", _EMPTY).n:
        name, number = "matched_iou", whole.regions["matched_iou"]
    words = NUMBERS[name][0]
    try:
        target = float(typed.replace(",", ".")) if typed else TARGET
    except ValueError:
        return Planned(words, typed[:20], None, f"{typed[:20]!r} is no number such as 0.05")
    if not math.isfinite(target) or not 0.001 <= target <= LARGEST_TARGET:
        return Planned(words, typed[:20], None, f"{typed[:20]} is outside of 0.001 to {LARGEST_TARGET:g}")
    return Planned(words, f"{target:g}", plan_of(number, benchmark, target, narrowed))
