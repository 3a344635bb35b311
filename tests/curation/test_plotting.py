"""Plots as data: what the script draws by, the table without a script, and a CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import pytest
from django.template import Context, Template
from django.test import RequestFactory

from curation.plotting import Axis, Column, Plot, Rule, csv_answer, csv_of, safe_cell

PLOT = Plot(
    name="pace",
    kind="lines",
    words="Readings a day",
    x=Axis("day", kind="time"),
    y=Axis("count", "readings"),
    columns=(
        Column("day", "Day", is_number=False),
        Column("who", "Reader", is_number=False, href="to"),
        Column("count", "Readings", why="because"),
    ),
    rows=[
        {"day": dt.date(2026, 11, 20), "who": "=cmd|' /C calc'!A0", "count": 3, "to": "/users/1/"},
        {"day": dt.date(2026, 11, 21), "who": "nora", "count": None, "because": "nobody read"},
    ],
    rules=(Rule(dt.date(2026, 11, 22), "today", "now", "x"),),
)


def shown(plot: Plot) -> str:
    request = RequestFactory().get("/somewhere/", {"reader": "nora"})
    return Template("{% load plotting %}{% plot drawn %}").render(Context({"drawn": plot, "request": request}))


def test_a_script_gets_what_it_draws_and_nothing_else() -> None:
    spec = json.loads(json.dumps(PLOT.spec()))
    assert spec["rows"] == [{"day": "2026-11-20", "count": 3}, {"day": "2026-11-21", "count": None}]
    assert spec["rules"] == [{"axis": "x", "value": "2026-11-22", "words": "today", "tone": "now"}]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_text_that_begins_like_a_formula_is_told_apart(start: str) -> None:
    assert safe_cell(f"{start}1+1") == f"'{start}1+1"


def test_a_csv_has_the_table_and_no_formula() -> None:
    rows = list(csv.reader(io.StringIO(csv_of(PLOT))))
    assert rows == [
        ["Day", "Reader", "Readings"],
        ["2026-11-20", "'=cmd|' /C calc'!A0", "3"],
        ["2026-11-21", "nora", ""],
    ]


def test_a_csv_is_a_download_and_only_of_a_plot_that_is_there() -> None:
    answer = csv_answer([PLOT], wanted="pace", prefix="thorax")
    assert answer is not None
    assert answer["Content-Disposition"] == 'attachment; filename="thorax-pace.csv"'
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert csv_answer([PLOT], wanted="other", prefix="thorax") is None


def test_the_table_is_there_without_a_script() -> None:
    html = shown(PLOT)
    assert '<a class="link" href="/users/1/">=cmd|&#x27; /C calc&#x27;!A0</a>' in html
    assert '<span class="undef" title="nobody read">undefined</span>' in html
    assert 'href="?reader=nora&amp;format=csv&amp;plot=pace"' in html


def test_stored_text_cannot_end_the_json() -> None:
    html = shown(
        Plot(**{**vars(PLOT), "title": "who", "rows": [{"day": "2026-11-20", "count": 1, "who": "</script>"}]})
    )
    assert html.count("</script>") == 1


def test_an_empty_plot_says_so() -> None:
    html = shown(Plot(**{**vars(PLOT), "rows": [], "empty": "Nobody has read yet."}))
    assert "Nobody has read yet." in html
    assert "<script" not in html
