"""How the models of a benchmark stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curation.management.command import Command as BaseCommand
from curation.management.command import Failed, benchmark_named
from curation.models import Snapshot
from inference.currency import STALE_REASONS
from inference.metrics.verdicts import GROUNDED_MARGIN
from inference.standing import DRAWS, SEED, Estimate, Standing, describe_standing, grids_differ, standings

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from annotations.reweighting import Reweighted
    from curation.models import Benchmark


class Command(BaseCommand):
    help = "Print accuracy, attention and grounding of each enrolled model with intervals, chance levels and nulls."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--snapshot", metavar="DIGEST", help="only the cases of a snapshot, as they were frozen")

    def handle(self, *_: Any, **options: Any) -> None:
        benchmark = benchmark_named(options["slug"])
        snapshot = _snapshot(benchmark, options["snapshot"]) if options["snapshot"] else None
        rows = standings(benchmark=benchmark, snapshot=snapshot)
        document = {
            "benchmark": benchmark.slug,
            "snapshot": snapshot.digest if snapshot else None,
            "interval": {"level": 0.95, "draws": DRAWS, "seed": SEED, "by": "patient, else first image"},
            "grounded_margin": GROUNDED_MARGIN,
            "grids_differ": grids_differ(rows),
            "results": [describe_standing(row) for row in rows],
        }
        lines = [line for row in rows for line in _lines(row)] or [f"no model is enrolled in {benchmark.slug}"]
        if document["grids_differ"]:
            lines.append("The grids differ: compare each ratio with its own nulls, not the ratios with one another.")
        self.report(document, lines=lines, as_json=options["json"])


def _snapshot(benchmark: Benchmark, given: str) -> Snapshot:
    """By its digest, the beginning of it from eight characters up, or its name."""
    rows = Snapshot.objects.filter(benchmark=benchmark)
    by_digest = rows.filter(digest__startswith=given) if len(given) >= 8 else rows.none()
    found = list(by_digest[:2]) or list(rows.filter(names__name=given))
    if len(found) != 1:
        raise Failed(f"{benchmark.slug} has {'several snapshots' if found else 'no snapshot'} {given!r}")
    return found[0]


def _lines(row: Standing) -> list[str]:
    numbers = row.numbers
    nulls = numbers.ratio.nulls
    verdict = {True: "grounded", False: "not grounded", None: "no verdict"}[numbers.ratio.is_grounded]
    grid = "" if numbers.grid_cells is None else f"N {_span(numbers.grid_cells)}, |G|/N {_number(numbers.roi_share)}"
    ratio = Estimate(numbers.ratio.mean, numbers.ratio.interval, numbers.ratio.n)
    beside = f"layer {row.layer}; chance 1, centre map {_number(nulls['centre'])}"
    moved = f"ROI moved {_number(nulls['moved'])} (95th percentile {_number(numbers.moved_p95)})"
    other = f"other finding {_number(nulls['other_finding'])}"
    lines = [
        f"{row.model.name} ({row.model.family}{'' if row.model.is_trained else ', not trained'}): {row.cases} cases",
        f"  {row.model.note}" if row.model.note else "",
        f"  accuracy           {_estimate(numbers.accuracy)}, {row.right} right; chance {_number(numbers.chance)}",
        _over_all(row.over_all.accuracy),
        f"  attention ratio    {_estimate(ratio)}, {beside}, {moved}, {other}: {verdict}",
        _over_all(row.over_all.ratio),
        f"  absolute ratio     {_estimate(numbers.absolute)}; chance 1",
        f"  KL, normalised     {_estimate(numbers.kl_norm)}; chance 0",
        f"  pointing hit       {_estimate(numbers.pointing)}; chance {_number(numbers.roi_share)}",
        f"  cases grounded     {_estimate(numbers.grounded)}, {row.grounded} of {numbers.grounded.n}",
        _over_all(row.over_all.grounded),
        f"  grid               {grid}" if grid else "",
        f"  stale              {row.stale_count}: {_reasons(row)}" if row.stale else "",
    ]
    return [line for line in lines if line]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}" if 0 < abs(value) < 0.1 else f"{value:.2f}"


def _estimate(estimate: Estimate) -> str:
    if estimate.interval is None:
        return f"{_number(estimate.value)} (n = {estimate.n})"
    low, high = estimate.interval
    return f"{_number(estimate.value)} [{_number(low)}, {_number(high)}] (n = {estimate.n})"


def _over_all(found: Reweighted | None) -> str:
    """The line below an estimate that says what it is over all cases, where cases were drawn unevenly."""
    if found is None:
        return ""
    shown = _estimate(Estimate(found.value, found.interval, found.n))
    of = f"{found.drawn} cases drawn by disagreement, {found.cases} in all, effective n {found.effective_n:.1f}"
    return f"    reweighted       {shown}: {of}"


def _span(bounds: tuple[float, float]) -> str:
    least, most = (f"{bound:g}" for bound in bounds)
    return least if least == most else f"{least} to {most}"


def _reasons(row: Standing) -> str:
    return "; ".join(f"{count} because {STALE_REASONS[reason]}" for reason, count in row.stale.items())
