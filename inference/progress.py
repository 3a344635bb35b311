"""How reading goes on, for curators: pace and forecast, readers, where the parties part, what is behind."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce, Greatest, TruncDate
from django.urls import reverse
from django.utils import timezone

from annotations.metrics.pace import Forecast, forecast
from annotations.models import Arm, CasePriority, ReadingRevision
from curation.models import Case, CaseFacts
from curation.plotting import Axis, Column, Plot, Rule
from inference.currency import stale_counts, with_staleness
from inference.models import Verdict, VerdictTarget
from inference.priorities import family

if TYPE_CHECKING:
    from curation.models import Benchmark
    from inference.currency import StaleCount

DAYS_SHOWN = 60
LEAST_DAYS_SHOWN = 14
FORECAST_POINTS = 20
MOST_DOTS = 1500
TO_COME = "to come, with its 95 % band"
STALE_SHOWN = 12


@dataclass(frozen=True)
class Pace:
    """How many readings there are and are wanted, what came each day, and when the last will be in."""

    submitted: int
    wanted: int
    by_day: list[tuple[dt.date, int]]
    forecast: Forecast | None

    @property
    def today(self) -> int:
        """Readings of today, which is not over."""
        return self.by_day[-1][1] if self.by_day else 0


def pace_of(benchmark: Benchmark, *, today: dt.date | None = None) -> Pace:
    """The pace of the first unaided readings, probes left out, since they fill no place; two queries."""
    day = today or timezone.localdate()
    first = ReadingRevision.objects.filter(
        revision=1, reading__arm=Arm.UNAIDED, reading__case__benchmark=benchmark, reading__case__is_probe=False
    )
    counted = dict(
        first.annotate(day=TruncDate("submitted_at")).order_by().values_list("day").annotate(count=Count("pk"))
    )
    places = Coalesce("case__overlap", benchmark.overlap)
    lacking = Greatest(places - F("readings_submitted"), 0)
    sums = CaseFacts.objects.filter(benchmark_id=benchmark.pk, case__is_probe=False).aggregate(
        lacking=Sum(lacking, default=0), wanted=Sum(places, default=0)
    )
    start = min(counted, default=day)
    days = [start + dt.timedelta(days=at) for at in range((day - start).days + 1)] if counted else []
    by_day = [(one, counted.get(one, 0)) for one in days]
    whole = [count for one, count in by_day if one < day]
    return Pace(
        submitted=sums["wanted"] - sums["lacking"],
        wanted=sums["wanted"],
        by_day=by_day,
        forecast=forecast(whole, remaining=sums["lacking"], today=day),
    )


def pace_plot(pace: Pace) -> Plot:
    """Readings of each day."""
    found = pace.forecast
    known = dict(pace.by_day)
    # A single bar as wide as the plot says nothing: days before the first reading had none.
    since = LEAST_DAYS_SHOWN if pace.by_day else 0
    shown = max(min(len(pace.by_day), DAYS_SHOWN), since)
    last = pace.by_day[-1][0] if pace.by_day else None
    days = [last - dt.timedelta(days=at) for at in range(shown)][::-1] if last else []
    rules = (Rule(found.per_day, "mean of the last weeks", "ceiling"),) if found and found.per_day else ()
    return Plot(
        name="readings-a-day",
        kind="bars",
        words=f"Readings submitted on each of the last {shown} days",
        x=Axis("day", kind="time"),
        y=Axis("count", "readings a day"),
        columns=(Column("day", "Day", is_number=False), Column("count", "Readings")),
        rows=[{"day": day, "count": known.get(day, 0), "words": f"{day:%-d %B}: {known.get(day, 0)}"} for day in days],
        title="words",
        rules=rules,
        empty="Nobody has submitted a reading yet. The first one shows here by itself.",
    )


def forecast_plot(pace: Pace) -> Plot:
    """Readings so far and, at the pace of the last weeks, to come."""
    so_far, rows = pace.submitted - sum(count for _, count in pace.by_day), []
    for day, count in pace.by_day:
        so_far += count
        rows.append({"day": day, "count": so_far, "what": "submitted", "low": None, "high": None})
    return Plot(
        name="forecast",
        kind="lines",
        words=f"{pace.submitted} of {pace.wanted} readings submitted, and when the rest will be at the present pace",
        x=Axis("day", kind="time"),
        y=Axis("count", "readings", least=0, most=max(pace.wanted, 1)),
        columns=(
            Column("day", "Day", is_number=False),
            Column("what", "What", is_number=False),
            Column("count", "Readings"),
            Column("low", "At the slow end"),
            Column("high", "At the fast end"),
        ),
        rows=[*rows, *_to_come(pace)],
        series="what",
        names=("submitted", TO_COME),
        low="low",
        high="high",
        rules=(Rule(pace.wanted, "wanted", "chance"),),
        empty="Nobody has submitted a reading yet. The first one shows here by itself.",
    )


def _to_come(pace: Pace) -> list[dict[str, Any]]:
    """Points of the forecast, evenly spaced up to the latest day that is told."""
    found = pace.forecast
    if found is None or found.done_on is None or not found.remaining or not pace.by_day:
        return []
    today = pace.by_day[-1][0]
    # A slow end years away would press all that is known into a corner.
    span = min((found.latest or found.done_on) - today, 2 * (found.done_on - today))
    low, high = found.interval or (None, None)
    step = max(span.days / FORECAST_POINTS, 1.0)
    days = sorted({min(round(at * step), span.days) for at in range(FORECAST_POINTS + 1)})

    def reached(rate: float | None, ahead: int) -> float | None:
        return None if rate is None else min(pace.submitted + rate * ahead, float(pace.wanted))

    return [
        {
            "day": today + dt.timedelta(days=ahead),
            "count": reached(found.per_day, ahead),
            "what": TO_COME,
            "low": reached(low, ahead),
            "high": reached(high, ahead),
        }
        for ahead in days
    ]


def map_plot(benchmark: Benchmark) -> Plot:
    """Each case by how far readers are from one another and from the models; the furthest ones, two queries."""
    rows = CasePriority.objects.filter(benchmark_id=benchmark.pk, value__isnull=False).order_by("-value", "case_id")
    listed = list(rows[:MOST_DOTS])
    keys = dict(Case.objects.filter(pk__in=[row.case_id for row in listed]).values_list("pk", "key"))
    told = []
    for row in listed:
        readers, against = family(row, "readers"), family(row, "against")
        told.append(
            {
                "key": keys.get(row.case_id, ""),
                "href": reverse("case-page", args=[row.case_id]),
                "readers": readers,
                "against": against,
                "models": family(row, "models"),
                "value": row.value,
                "no_readers": "fewer than two readers",
                "no_against": "no model and reader to compare",
                "no_models": "fewer than two trained models",
                "words": f"{keys.get(row.case_id, '')}: {row.value:.2f}",
            }
        )
    return Plot(
        name="disagreement-map",
        kind="points",
        words="Cases by disagreement among readers and between readers and models, 0 is agreement",
        x=Axis("readers", "readers among themselves", least=0, most=1),
        y=Axis("against", "readers against models", least=0, most=1),
        columns=(
            Column("key", "Case", is_number=False, href="href"),
            Column("value", "Disagreement"),
            Column("readers", "Readers", why="no_readers"),
            Column("against", "Readers and models", why="no_against"),
            Column("models", "Models", why="no_models"),
        ),
        rows=told,
        href="href",
        title="words",
        empty="No case has two readings and a model's reading yet. The first one shows here by itself.",
    )


@dataclass(frozen=True)
class Behind:
    """What no longer says what it would say now: counts by model and cause, and the first cases."""

    counts: list[StaleCount]
    cases: list[Verdict]


def behind_of(benchmark: Benchmark) -> Behind:
    """Stale numbers with their causes, and cases whose verdict is stale; two queries."""
    rows = Verdict.objects.filter(benchmark_id=benchmark.pk, target_kind=VerdictTarget.CASE)
    stale = with_staleness(rows).filter(~Q(stale_because="")).select_related("case", "model")
    return Behind(stale_counts(benchmark), list(stale.order_by("position", "model__name")[:STALE_SHOWN]))
