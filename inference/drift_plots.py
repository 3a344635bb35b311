"""Control charts of readers as plots of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotations.drift import ACCURACY
from curation.plotting import Axis, Column, Plot, Rule

if TYPE_CHECKING:
    from annotations.drift import Chart, ReaderDrift, Turn

WORDS = {ACCURACY: "share right", "regions": "IoU with the gold's regions"}
SIDES = {"low": "below the limit", "high": "above the limit", "": "within"}


def drift_plots(row: ReaderDrift) -> list[tuple[str, Chart, Plot]]:
    """Each chart of a reader: its words, itself, and its plot."""
    return [(WORDS[chart.measure], chart, drift_plot(row, chart)) for chart in row.charts]


def drift_plot(row: ReaderDrift, chart: Chart) -> Plot:
    """The weighted mean over the reader's probes, in order, between its limits; table and CSV have each probe."""
    what = WORDS[chart.measure]
    return Plot(
        name=f"drift-{chart.measure}",
        kind="lines",
        words=f"Probes of {row.reader.display_name}, one after the other: weighted {what}",
        x=Axis("number", "probe of this reader"),
        y=Axis("drawn", f"weighted {what}", least=0, most=1),
        columns=(
            Column("number", "Probe"),
            Column("case", "Case", is_number=False, href="href"),
            Column("at", "Submitted (UTC)", is_number=False),
            Column("value", "Value"),
            Column("mean", "Weighted mean", why="why"),
            Column("low", "Lower limit", why="why"),
            Column("high", "Upper limit", why="why"),
            Column("side", "Stands", is_number=False),
        ),
        rows=[_row(turn, chart) for turn in chart.turns],
        href="href",
        title="words",
        rules=_rules(chart),
        empty=chart.why or "No probe was read yet.",
    )


def _row(turn: Turn, chart: Chart) -> dict[str, Any]:
    point = turn.point
    return {
        "number": turn.number,
        "case": turn.case_key,
        "href": f"/cases/{turn.case_id}/",
        "at": turn.at,
        "value": turn.value,
        "mean": point.mean if point else None,
        "low": point.low if point else None,
        "high": point.high if point else None,
        # Without limits there is no weighted mean: then the probes themselves are drawn.
        "drawn": point.mean if point else turn.value,
        "side": SIDES[point.side] if point else "no limits yet",
        "words": f"Probe {turn.number}, case {turn.case_key}: {turn.value:.2f}",
        "why": chart.why,
    }


def _rules(chart: Chart) -> tuple[Rule, ...]:
    last = chart.turns[-1].point if chart.turns else None
    if chart.baseline is None or last is None:
        return ()
    lines = [Rule(chart.baseline.mean, "all readers", "ceiling")]
    lines += [
        Rule(value, words, "chance")
        for value, words in ((last.low, "lower limit"), (last.high, "upper limit"))
        if 0 <= value <= 1
    ]
    return tuple(lines)
