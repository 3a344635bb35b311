"""Plots of agreement: over time, by reader, label and modality, and models against what experts reach."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse

from annotations.agreement_asked import NO_LABEL, Asked
from annotations.agreement_rows import Number, Slice
from annotations.agreement_words import NUMBERS, words_of
from curation.plotting import Axis, Column, Plot, Rule

if TYPE_CHECKING:
    from curation.models import Benchmark

OVER_TIME = ("same_answer", "matched_iou", "step_f1")
MOST_BARS = 30


def pairs_address(benchmark: Benchmark, asked: Asked, **changes: Any) -> str:
    """Where the pairs behind a number are."""
    query = urlencode(asked.query(**changes))
    return reverse("agreement-pairs-page", args=[benchmark.slug]) + (f"?{query}" if query else "")


def row_of(number: Number, **more: Any) -> dict[str, Any]:
    """A number as a row of a plot: value, bounds, counts, and why it is not there."""
    low, high = number.interval or (None, None)
    return {
        "value": number.value,
        "low": low,
        "high": high,
        "n": number.n,
        "pairs": number.pairs,
        "why": words_of(number.why),
        **more,
    }


_COUNTS = (
    Column("value", "Value", why="why"),
    Column("low", "95 % from"),
    Column("high", "95 % to"),
    Column("n", "Cases", href="href"),
    Column("pairs", "Pairs"),
)


def over_time_plot(benchmark: Benchmark, asked: Asked, found: Sequence[Slice], *, every: str) -> Plot:
    """The cases last read in each week, or day, by answer, regions and steps."""
    rows = []
    for one in found:
        start = dt.date.fromisoformat(one.key)
        days = {"since": start, "until": start + dt.timedelta(days=6 if every == "week" else 0)}
        for metric in OVER_TIME:
            number = one.numbers.get(metric)
            if number is not None:
                words = NUMBERS[metric][0]
                address = pairs_address(benchmark, asked, metric=metric, **days)
                said = "–" if number.value is None else f"{number.value:.2f}"
                rows.append(
                    row_of(number, week=start, what=words, href=address, words=f"{words}, {start:%-d %b}: {said}")
                )
    return Plot(
        name="over-time",
        kind="lines",
        words=f"Agreement of readers by the {every} in which each case was last read",
        x=Axis("week", kind="time"),
        y=Axis("value", least=0, most=1),
        columns=(
            Column("week", "Week from" if every == "week" else "Day", is_number=False),
            Column("what", "What", is_number=False),
            *_COUNTS,
        ),
        rows=rows,
        series="what",
        names=tuple(NUMBERS[metric][0] for metric in OVER_TIME),
        low="low",
        high="high",
        href="href",
        title="words",
        empty="No two readers have submitted the same case yet. The first pair shows here by itself.",
    )


def parts_plot(
    benchmark: Benchmark,
    asked: Asked,
    found: Sequence[Slice],
    *,
    name: str,
    words: str,
    head: str,
    metric: str,
    called: Callable[[str], str],
    narrowing: Callable[[str], Mapping[str, Any]],
    ceiling: Number | None = None,
    most: float | None = 1,
) -> Plot:
    """One number of each part of the pairs, the largest parts first, with intervals; `narrowing` leads to the pairs."""
    told = sorted(found, key=lambda one: (-one.pairs, one.key))[:MOST_BARS]
    rows = []
    for one in told:
        number = one.numbers.get(metric)
        if number is None:
            continue
        part = called(one.key)
        address = pairs_address(benchmark, asked, **{"metric": metric, **narrowing(one.key)})
        said = "–" if number.value is None else f"{number.value:.2f}"
        rows.append(row_of(number, part=part, href=address, words=f"{part}: {said}, {number.n} cases"))
    is_told = ceiling is not None and ceiling.value is not None
    return Plot(
        name=name,
        kind="intervals",
        words=words,
        x=Axis("value", NUMBERS[metric][0], least=0 if most else None, most=most),
        y=Axis("part", kind="band"),
        columns=(Column("part", head, is_number=False), *_COUNTS),
        rows=rows,
        low="low",
        high="high",
        href="href",
        title="words",
        rules=(Rule(ceiling.value, "experts among themselves", "ceiling", "x"),) if is_told and ceiling else (),
        empty="Nothing to compare yet: no pair has this number.",
    )


def label_name(names: Mapping[str, str]) -> Callable[[str], str]:
    """From a stored label to its name."""
    return lambda label: names.get(label, label) or "no label"


def label_argument(label: str) -> str:
    """A stored label as an address has it."""
    return label or NO_LABEL
