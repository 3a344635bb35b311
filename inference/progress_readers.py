"""How each reader of a benchmark does: how much, how fast, how like the others, how true to known cases."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Aggregate, Count, F, FloatField, Max, Sum

from annotations.agreement_read import MISSING, by_reader
from annotations.drift import ACCURACY, ReaderDrift, drift_of
from annotations.models import AgreementConfusion, Arm, PartyKind, ReadingRevision
from curation.models import User
from curation.plotting import Axis, Column, Plot, Rule

if TYPE_CHECKING:
    import datetime as dt

    from annotations.agreement_rows import Number
    from curation.models import Benchmark

MOST_READERS = 200
MOST_LABELS = 24
NOTHING = "drew nothing"
NO_LABEL = "no label"


class Median(Aggregate):
    """The middle of a group's numbers; null where there is none."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True)
class Drift:
    """What is said of a reader's drift, and how loudly."""

    words: str
    tone: str


@dataclass(frozen=True)
class Reader:
    """One reader's numbers here; None is not known, and pages say why."""

    user: User
    readings: int
    last_at: dt.datetime
    median_s: float | None
    same: Number
    overlap: Number
    probed: ReaderDrift | None

    @property
    def probes(self) -> int:
        """How many known cases the reader submitted."""
        return self.probed.probes if self.probed else 0

    @property
    def probes_right(self) -> float | None:
        """The share of them with the gold's answer."""
        charts = self.probed.charts if self.probed else ()
        return next((chart.mean for chart in charts if chart.measure == ACCURACY), None)

    @property
    def drift(self) -> Drift | None:
        """None while there are no limits yet."""
        if self.probed is None:
            return None
        if self.probed.is_out:
            return Drift("below its limit", "warn")
        return Drift("within limits", "line") if any(chart.baseline for chart in self.probed.charts) else None


def readers_of(benchmark: Benchmark) -> list[Reader]:
    """Those who submitted something, the busiest first; five queries however many readers."""
    first = ReadingRevision.objects.filter(revision=1, reading__arm=Arm.UNAIDED, reading__case__benchmark=benchmark)
    counted = list(
        first.order_by()
        .values("reading__reader")
        .annotate(count=Count("pk"), last=Max("submitted_at"), median=Median("active_s"))
        .order_by("-count", "reading__reader__username")[:MOST_READERS]
    )
    people = User.objects.in_bulk([row["reading__reader"] for row in counted])
    like = {uuid.UUID(one.key): one.numbers for one in by_reader(benchmark)}
    probed = {row.reader.pk: row for row in drift_of(benchmark)}
    return [
        Reader(
            user=people[row["reading__reader"]],
            readings=row["count"],
            last_at=row["last"],
            median_s=row["median"],
            same=like.get(row["reading__reader"], {}).get("same_answer", MISSING),
            overlap=like.get(row["reading__reader"], {}).get("matched_iou", MISSING),
            probed=probed.get(row["reading__reader"]),
        )
        for row in counted
    ]


def readers_plot(readers: list[Reader], *, ceiling: float | None) -> Plot:
    """How often each reader says what others say of the same case; without answers, how alike they draw."""
    has_answers = any(one.same.n for one in readers)
    what = "same answer as another reader" if has_answers else "matched IoU with another reader"
    return Plot(
        name="readers",
        kind="intervals",
        words=f"By reader: {what}, with 95 % intervals",
        x=Axis("value", what, least=0, most=1),
        y=Axis("reader", kind="band"),
        columns=(
            Column("reader", "Reader", is_number=False),
            Column("readings", "Readings"),
            Column("median_s", "Median seconds", why="no_time"),
            Column("same", "Same answer", why="no_pair"),
            Column("same_n", "Cases with answers"),
            Column("overlap", "Matched IoU", why="no_region"),
            Column("overlap_n", "Cases with regions"),
            Column("probes", "Probes"),
            Column("probes_right", "Probes right", why="no_probe"),
        ),
        rows=[_row(one, one.same if has_answers else one.overlap) for one in readers],
        low="low",
        high="high",
        title="words",
        rules=(Rule(ceiling, "all readers", "ceiling", "x"),) if ceiling is not None and has_answers else (),
        empty="No two readers have submitted the same case yet.",
    )


def _row(one: Reader, drawn: Number) -> dict[str, Any]:
    low, high = drawn.interval or (None, None)
    return {
        "reader": one.user.display_name,
        "readings": one.readings,
        "median_s": one.median_s,
        "value": drawn.value,
        "low": low,
        "high": high,
        "same": one.same.value,
        "same_n": one.same.n,
        "overlap": one.overlap.value,
        "overlap_n": one.overlap.n,
        "probes": one.probes,
        "probes_right": one.probes_right,
        "no_time": "no time was measured",
        "no_pair": "nobody else answered a case of this reader",
        "no_region": "nobody else drew on a case of this reader",
        "no_probe": "no probe with an answer was read",
        "words": "" if drawn.value is None else f"{one.user.display_name}: {drawn.value:.2f}, {drawn.n} cases",
    }


@dataclass(frozen=True)
class Confusion:
    """A symmetric table of labels: how often two readers called one region so; `shade` is a tenth of the row's most."""

    labels: list[str]
    label_ids: dict[str, str]
    rows: list[tuple[str, list[tuple[int, int, bool]], int]]
    pairs: int
    differing: int
    left_out: int


def confusion_of(benchmark: Benchmark, names: dict[str, str]) -> Confusion:
    """Which label one reader gives where another gives another, over regions paired by place; one query."""
    met = list(
        AgreementConfusion.objects.filter(
            benchmark_id=benchmark.pk,
            score__arm=Arm.UNAIDED,
            score__a_kind=PartyKind.READER,
            score__b_kind=PartyKind.READER,
        )
        .order_by()
        .values_list("label_a", "label_b")
        .annotate(total=Sum(F("count")))
    )
    cells: dict[tuple[str, str], int] = defaultdict(int)
    totals: dict[str, int] = defaultdict(int)
    for label_a, label_b, total in met:
        one, other = (_named(label, names) for label in (label_a, label_b))
        cells[one, other] += total
        if one != other:
            cells[other, one] += total
        for label in {one, other}:
            totals[label] += total
    ordered = sorted((label for label in totals if label != NOTHING), key=lambda label: (-totals[label], label))
    shown = ordered[:MOST_LABELS]
    columns = [*shown, NOTHING] if NOTHING in totals else shown
    rows = [(row, [_cell(cells, row, column) for column in columns], totals[row]) for row in shown]
    matched = [(one, other, count) for (one, other), count in cells.items() if NOTHING not in (one, other)]
    differing = sum(count for one, other, count in matched if one < other)
    same = sum(count for one, other, count in matched if one == other)
    ids = {_named(label, names): label for pair in met for label in pair[:2] if label is not None}
    return Confusion(columns, ids, rows, same + differing, differing, len(ordered) - len(shown))


def _named(label: str | None, names: dict[str, str]) -> str:
    return NOTHING if label is None else names.get(label, label) or NO_LABEL


def _cell(cells: dict[tuple[str, str], int], row: str, column: str) -> tuple[int, int, bool]:
    most = max((count for (one, _), count in cells.items() if one == row), default=0)
    count = cells.get((row, column), 0)
    return count, round(9 * count / most) if most else 0, row == column


def confusion_plot(confusion: Confusion) -> Plot:
    """The same as a plot that is only a CSV: the table on the page is the drawing."""
    return Plot(
        name="labels",
        kind="points",
        words="Labels that two readers gave to the same region",
        x=Axis("first"),
        y=Axis("count"),
        columns=(
            Column("first", "One reader", is_number=False),
            Column("second", "Another reader", is_number=False),
            Column("count", "Regions"),
        ),
        rows=[
            {"first": row, "second": column, "count": cell[0]}
            for row, cells, _ in confusion.rows
            for column, cell in zip(confusion.labels, cells, strict=True)
        ],
    )
