"""What a benchmark's dashboard shows: progress, standings, quadrants, disagreement and runs; constant queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, IntegerField, Q, Sum
from django.db.models.functions import Coalesce, Least

from annotations.agreement_read import ceiling
from annotations.reweighting import Named, agreement_over_all, draws_of
from curation.models import Case, CaseFacts
from inference import plots
from inference.currency import STALE_REASONS
from inference.metrics.verdicts import GROUNDED_MARGIN, Quadrant
from inference.models import RunKind, ScoringRun, Verdict, VerdictTarget
from inference.standing import Standing, grids_differ, standings

if TYPE_CHECKING:
    import uuid

    from annotations.agreement_rows import Number
    from curation.models import Benchmark

MOST_DISAGREED = 8
RECENT_RUNS = 6

QUADRANT_WORDS = {
    Quadrant.RIGHT_GROUNDED.value: "Right, grounded",
    Quadrant.RIGHT_NOT_GROUNDED.value: "Right, not grounded",
    Quadrant.WRONG_GROUNDED.value: "Wrong, grounded",
    Quadrant.WRONG_NOT_GROUNDED.value: "Wrong, not grounded",
    Quadrant.UNKNOWN.value: "No verdict",
}

UNKNOWN_WORDS = {
    "no_region": "nobody drew a region",
    "not_scored": "not scored",
    "no_null": "no null to compare with",
    "frame_not_shown": "the model was not shown the frame",
    "no_cell": "the region lies outside what the model was shown",
    "unusable_map": "the attention map holds no usable numbers",
    "undefined": "the ratio is undefined",
}

LOST_WORDS = {
    "centre": "a map that only prefers the centre",
    "moved": "the same region moved elsewhere",
    "other_finding": "another finding of the same image",
}


@dataclass(frozen=True)
class Progress:
    """How far the reading of a benchmark is; probes fill no place, so that they are counted apart."""

    cases: int
    probes: int
    closed: int
    under_way: int
    readings: int
    wanted: int

    @property
    def waiting(self) -> int:
        """Cases that nobody has begun."""
        return self.cases - self.closed - self.under_way

    def share(self, count: int) -> float:
        """Of all cases, from 0 to 100."""
        return round(100 * count / self.cases, 2) if self.cases else 0.0

    @property
    def closed_share(self) -> float:
        """Width of the finished part of the bar."""
        return self.share(self.closed)

    @property
    def under_way_share(self) -> float:
        """Width of the part under way."""
        return self.share(self.under_way)

    @property
    def reading_share(self) -> float:
        """Of all readings wanted, from 0 to 100."""
        return round(100 * self.readings / self.wanted, 2) if self.wanted else 0.0


def progress_of(benchmark: Benchmark) -> Progress:
    """Cases closed, under way and waiting, and readings submitted of those wanted; one query. For who does not read."""
    places = Coalesce("case__overlap", benchmark.overlap, output_field=IntegerField())
    is_read = Q(case__is_probe=False)
    is_closed = Q(readings_submitted__gte=places)
    is_begun = Q(readings_submitted__gt=0) | Q(readings_open__gt=0)
    counts = CaseFacts.objects.filter(benchmark_id=benchmark.pk).aggregate(
        cases=Count("pk", filter=is_read),
        probes=Count("pk", filter=~is_read),
        closed=Count("pk", filter=is_read & is_closed),
        under_way=Count("pk", filter=is_read & is_begun & ~is_closed),
        readings=Sum(Least("readings_submitted", places, output_field=IntegerField()), filter=is_read, default=0),
        wanted=Sum(places, filter=is_read, default=0),
    )
    return Progress(**counts)


@dataclass(frozen=True)
class Field:
    """One quadrant of the figure."""

    name: str
    words: str
    count: int
    share: float | None
    interval: tuple[float, float] | None
    dots: range
    is_hot: bool


@dataclass(frozen=True)
class Line:
    """One model of the leaderboard with its marks."""

    standing: Standing
    accuracy: plots.Mark
    ratio: plots.Mark
    lost_to: str
    stale: list[tuple[str, int]]


def lines_of(rows: list[Standing], *, experts: Number | None = None) -> list[Line]:
    """The leaderboard, in the order of the models' names; ratios of all models stand on one scale.

    `experts` is how often two experts give the same answer: the ceiling that accuracy is held against.
    """
    scale = plots.ratio_scale(
        value
        for row in rows
        for value in (*(row.numbers.ratio.interval or ()), row.numbers.ratio.mean, row.numbers.moved_p95)
    )
    return [_line(row, scale, experts.value if experts else None) for row in rows]


def _line(row: Standing, scale: plots.Scale, ceiling: float | None) -> Line:
    numbers = row.numbers
    nulls = numbers.ratio.nulls
    return Line(
        standing=row,
        accuracy=plots.mark(
            plots.SHARES, numbers.accuracy.value, numbers.accuracy.interval, chance=numbers.chance, ceiling=ceiling
        ),
        ratio=plots.mark(
            scale,
            numbers.ratio.mean,
            numbers.ratio.interval,
            chance=1.0,
            band=(nulls["moved"], numbers.moved_p95),
            centre=nulls["centre"],
            other=nulls["other_finding"],
        ),
        lost_to=LOST_WORDS.get(numbers.ratio.lost_to, ""),
        stale=[(STALE_REASONS[reason], count) for reason, count in row.stale.items()],
    )


def fields_of(row: Standing) -> list[Field]:
    """The four quadrants of one model, right before wrong, grounded before not."""
    names = [one.value for one in Quadrant if one is not Quadrant.UNKNOWN]
    drawn = plots.dots([row.quadrants[name] for name in names])
    return [
        Field(
            name=name,
            words=QUADRANT_WORDS[name],
            count=row.quadrants[name],
            share=row.numbers.quadrants[name].value,
            interval=row.numbers.quadrants[name].interval,
            dots=range(dots.count),
            is_hot=name == Quadrant.RIGHT_NOT_GROUNDED.value and row.quadrants[name] > 0,
        )
        for name, dots in zip(names, drawn, strict=True)
    ]


def most_disagreed(benchmark: Benchmark, chosen: Standing | None) -> list[tuple[Case, Verdict | None]]:
    """The cases with the highest disagreement (`inference.priorities`), with the chosen model's verdict; 3 queries."""
    cases = list(
        Case.objects.filter(facts__benchmark_id=benchmark.pk, facts__disagreement__isnull=False)
        .select_related("facts", "disagreement")
        .prefetch_related("images")
        .order_by("-facts__disagreement", "facts__position")[:MOST_DISAGREED]
    )
    verdicts = verdicts_of(chosen.model.pk if chosen else None, cases)
    return [(case, verdicts.get(case.pk)) for case in cases]


def verdicts_of(model_id: uuid.UUID | None, cases: list[Case]) -> dict[uuid.UUID, Verdict]:
    """One model's verdict of each case that it has read."""
    rows = Verdict.objects.filter(case__in=cases, model=model_id, target_kind=VerdictTarget.CASE)
    return {row.case_id: row for row in rows.select_related("prediction")}


def over_all_of(benchmark: Benchmark, rows: list[Standing]) -> list[Named]:
    """Every estimate that an uneven order of reading would put askew, beside what it is over all cases.

    One query where cases were drawn evenly or not at all, else three.
    """
    draws = draws_of(benchmark)
    if draws is None:
        return []
    found = agreement_over_all(benchmark, draws)
    for row in rows:
        numbers, name = row.numbers, row.model.name
        for words, plain, one in (
            (f"{name}: accuracy", numbers.accuracy.value, row.over_all.accuracy),
            (f"{name}: attention ratio", numbers.ratio.mean, row.over_all.ratio),
            (f"{name}: share of cases grounded", numbers.grounded.value, row.over_all.grounded),
        ):
            found += [Named(words, plain, one)] if one is not None else []
    return found


def recent_runs(benchmark: Benchmark) -> list[ScoringRun]:
    """The newest runs over the whole benchmark."""
    rows = ScoringRun.objects.filter(benchmark=benchmark, kind=RunKind.BENCHMARK).select_related("model")
    return list(rows.order_by("-created_at")[:RECENT_RUNS])


def dashboard_of(benchmark: Benchmark, *, model_name: str | None) -> dict[str, Any]:
    """Everything of the overview; `model_name` names whose quadrants are shown, else the first that has a verdict."""
    rows = standings(benchmark=benchmark)
    experts = ceiling(benchmark)["same_answer"]
    chosen = next((row for row in rows if row.model.name == model_name), None) or _first_with_verdicts(rows)
    unknown = [(UNKNOWN_WORDS.get(why, why), count) for why, count in chosen.unknown.items()] if chosen else []
    fields = fields_of(chosen) if chosen else []
    return {
        "progress": progress_of(benchmark),
        "lines": lines_of(rows, experts=experts),
        "experts": experts,
        "over_all": over_all_of(benchmark, rows),
        "chosen": chosen,
        "fields": fields,
        "case_a_dot": plots.dots([field.count for field in fields])[0].each if fields else 1,
        "decided": sum(field.count for field in fields),
        "unknown": unknown,
        "disagreed": most_disagreed(benchmark, chosen),
        "runs": recent_runs(benchmark),
        "grids_differ": grids_differ(rows),
        "margin": GROUNDED_MARGIN,
    }


def _first_with_verdicts(rows: list[Standing]) -> Standing | None:
    """A trained model whose cases have verdicts before a control, and either before a model without any.

    Among the trained the one with the most grounded cases: a high ratio alone must not lead the page.
    """
    decided = [row for row in rows if row.numbers.grounded.n or row.numbers.accuracy.n]
    trained = sorted((row for row in decided if row.model.is_trained), key=lambda row: -row.grounded)
    return next(iter([*trained, *decided, *rows]), None)
