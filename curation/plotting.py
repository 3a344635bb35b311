"""A plot as data: rows that are drawn by a script, shown as a table without one, and downloaded as CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from django.http import HttpResponse

Value: TypeAlias = str | int | float | dt.date | dt.datetime | None
Row: TypeAlias = Mapping[str, Any]

# What a spreadsheet takes for the beginning of a formula, and what some of them skip before looking.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class Column:
    """One column of table and CSV. `href` is the key of its address, `why` that of the cause of no value."""

    key: str
    words: str
    is_number: bool = True
    href: str = ""
    why: str = ""


@dataclass(frozen=True)
class Axis:
    """What lies along an axis; bounds are given where the numbers have some of their own."""

    key: str
    words: str = ""
    kind: Literal["number", "time", "band"] = "number"
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class Rule:
    """A line across the plot that numbers are held against: what experts reach, chance, today."""

    value: Value
    words: str
    tone: Literal["ceiling", "chance", "now"] = "ceiling"
    axis: Literal["x", "y"] = "y"


@dataclass(frozen=True)
class Plot:
    """One plot. `series`, `low`, `high`, `href` and `title` are keys of rows; `words` is what a screen reader says."""

    name: str
    kind: Literal["lines", "bars", "intervals", "points"]
    words: str
    x: Axis
    y: Axis
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    series: str = ""
    names: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    href: str = ""
    title: str = ""
    rules: tuple[Rule, ...] = ()
    empty: str = "Nothing to draw yet."
    csv_only: tuple[Column, ...] = field(default=())

    @property
    def is_empty(self) -> bool:
        """Whether no row has a place: then `empty` is said instead."""
        return not any(row.get(self.x.key) is not None and row.get(self.y.key) is not None for row in self.rows)

    def spec(self) -> dict[str, Any]:
        """What the script draws by."""
        keys = {self.x.key, self.y.key, self.series, self.low, self.high, self.href, self.title} - {""}
        return {
            "kind": self.kind,
            "x": vars(self.x),
            "y": vars(self.y),
            "series": self.series,
            "names": self.names,
            "low": self.low,
            "high": self.high,
            "href": self.href,
            "title": self.title,
            "rules": [{**vars(rule), "value": _plain(rule.value)} for rule in self.rules],
            "rows": [{key: _plain(row.get(key)) for key in keys} for row in self.rows],
        }

    def table(self) -> list[list[tuple[Column, Any, str, str]]]:
        """Cells of the table: column, value, address or nothing, and why there is no value."""
        return [
            [
                (column, row.get(column.key), str(row.get(column.href) or ""), str(row.get(column.why) or ""))
                for column in self.columns
            ]
            for row in self.rows
        ]


def _plain(value: Value) -> str | int | float | None:
    return value.isoformat() if isinstance(value, dt.date) else value


def safe_cell(value: Value) -> str | int | float:
    """A cell that no spreadsheet runs: text that begins like a formula gets an apostrophe before it.

    Parameters
    ----------
    value
        Numbers are ours and stay numbers, a minus among them; None is an empty cell, undefined, never 0.

    Examples
    --------
    >>> safe_cell("=HYPERLINK(1)"), safe_cell("@anna"), safe_cell(-0.25), safe_cell(None), safe_cell("nora")
    ("'=HYPERLINK(1)", "'@anna", -0.25, '', 'nora')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return value.isoformat() if isinstance(value, dt.date) else value


def csv_of(plot: Plot) -> str:
    """The rows of a plot as CSV, with the words of the table's head."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")  # RFC 4180
    columns = (*plot.columns, *plot.csv_only)
    writer.writerow([safe_cell(column.words) for column in columns])
    writer.writerows([safe_cell(row.get(column.key)) for column in columns] for row in plot.rows)
    return lines.getvalue()


def csv_answer(plots: Sequence[Plot], *, wanted: str, prefix: str) -> HttpResponse | None:
    """The CSV of the plot of that name as a download; None if the page has no such plot."""
    for plot in plots:
        if plot.name == wanted:
            # Begins with a byte order mark: without it a spreadsheet takes the letters of names for another alphabet's.
            answer = HttpResponse("\ufeff" + csv_of(plot), content_type="text/csv; charset=utf-8")
            answer["Content-Disposition"] = f'attachment; filename="{prefix}-{plot.name}.csv"'
            return answer
    return None
