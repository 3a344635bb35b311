"""How the readers of a benchmark do on its probes over time, as control charts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annotations.agreement_rows import interval_of
from annotations.metrics import drift
from annotations.metrics.agreement import bootstrap_interval
from annotations.models import ProbeResult

if TYPE_CHECKING:
    import datetime as dt
    import uuid

    from annotations.metrics.drift import Baseline, ChartPoint, Side
    from curation.models import Benchmark, User

ACCURACY, REGIONS = "accuracy", "regions"
MEASURES = {ACCURACY: "is_right", REGIONS: "region_iou"}
TOO_FEW = f"fewer than {drift.LEAST_BASELINE} probes of this benchmark were read, or all alike: there are no limits yet"
NOTHING = {
    ACCURACY: "no probe that was read has an option as its gold",
    REGIONS: "no probe that was read has regions in its gold",
}


@dataclass(frozen=True)
class Turn:
    """One probe of a reader: which of theirs it was, the case, when, and its place on the chart if there is one."""

    number: int
    case_id: uuid.UUID
    case_key: str
    at: dt.datetime
    value: float
    point: ChartPoint | None


@dataclass(frozen=True)
class Chart:
    """One measure of one reader. `side` is of the newest probe: a reader who came back within is not flagged."""

    measure: str
    turns: tuple[Turn, ...]
    baseline: Baseline | None
    why: str

    @property
    def side(self) -> Side:
        """On which side of the limits the reader is now; "" within, or without limits."""
        last = self.turns[-1].point if self.turns else None
        return last.side if last else ""

    @property
    def mean(self) -> float | None:
        """Of all the reader's results, unweighted."""
        return sum(turn.value for turn in self.turns) / len(self.turns) if self.turns else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the mean over probes; None where `interval_of` shows none."""
        values = [turn.value for turn in self.turns]
        if self.mean is None:
            return None
        drawn = bootstrap_interval(values, np.mean)
        return interval_of(self.mean, drawn, cases=len(values), clusters=len(values), within=(0.0, 1.0))[0]


@dataclass(frozen=True)
class ReaderDrift:
    """A reader's charts."""

    reader: User
    probes: int
    charts: tuple[Chart, ...]

    @property
    def is_out(self) -> bool:
        """Whether any chart is below its limit now."""
        return any(chart.side == "low" for chart in self.charts)


def drift_of(benchmark: Benchmark) -> list[ReaderDrift]:
    """Charts of everybody who read a probe, flagged readers first, then by name; one query."""
    rows = ProbeResult.objects.filter(benchmark_id=benchmark.pk).select_related("reading__case", "reading__reader")
    rows = rows.defer("reading__draft", "reading__case__extra", "reading__case__history")
    results = list(rows.order_by("submitted_at", "pk"))
    baselines = {name: drift.baseline_of(_values(results, name)) for name in MEASURES}
    by_reader: dict[uuid.UUID, list[ProbeResult]] = defaultdict(list)
    for row in results:
        by_reader[row.reader_id].append(row)
    found = [
        ReaderDrift(own[0].reading.reader, len(own), tuple(_chart(name, own, baselines[name]) for name in MEASURES))
        for own in by_reader.values()
    ]
    return sorted(found, key=lambda row: (not row.is_out, row.reader.username))


def _value(row: ProbeResult, measure: str) -> float | None:
    value = getattr(row, MEASURES[measure])
    return None if value is None else float(value)


def _values(rows: list[ProbeResult], measure: str) -> list[float]:
    return [value for row in rows if (value := _value(row, measure)) is not None]


def _chart(name: str, rows: list[ProbeResult], baseline: Baseline | None) -> Chart:
    known = [row for row in rows if _value(row, name) is not None]
    values = _values(known, name)
    points = drift.ewma_chart(values, baseline) if baseline else [None] * len(values)
    turns = tuple(
        Turn(row.number, row.reading.case_id, row.reading.case.key, row.submitted_at, value, point)
        for row, value, point in zip(known, values, points, strict=True)
    )
    why = "" if baseline and turns else TOO_FEW if turns else NOTHING[name]
    return Chart(name, turns, baseline, why)
