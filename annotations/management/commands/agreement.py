"""How far the readers of a benchmark agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotations.agreement_coefficients import LEVELS
from annotations.agreement_document import REASONS, document
from annotations.agreement_plan import numbers, plan_of
from annotations.agreement_rows import Narrowed, Number
from annotations.models import Arm
from curation.management.command import Command as BaseCommand
from curation.management.command import Misused, benchmark_named

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from curation.models import Benchmark


class Command(BaseCommand):
    help = "Print how far readers, and models with them, agree on a benchmark: every number with interval and counts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--arm", choices=Arm.values, default=Arm.UNAIDED.value)
        parser.add_argument("--level", choices=LEVELS, default=LEVELS[0], help="whether options have an order")
        parser.add_argument("--modality", metavar="M", help="only cases with an image of it")
        parser.add_argument(
            "--plan", metavar="METRIC=W", action="append", default=[], help="how many more readings until METRIC ± W"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        benchmark = benchmark_named(options["slug"])
        narrowed = Narrowed(arm=Arm(options["arm"]), level=options["level"], modality=options["modality"])
        plans = [_plan(benchmark, narrowed, given) for given in options["plan"]]
        body = {**document(benchmark, narrowed), "plans": plans}
        self.report(body, lines=[*_lines(body), *(_told(plan) for plan in plans)], as_json=options["json"])


def _plan(benchmark: Benchmark, narrowed: Narrowed, given: str) -> dict[str, Any]:
    metric, _, text = given.partition("=")
    known: dict[str, Number] = numbers(benchmark, narrowed)
    if metric not in known:
        raise Misused(f"no number {metric!r}; there are {', '.join(known)}")
    try:
        found = plan_of(known[metric], benchmark, float(text))
    except ValueError as error:
        raise Misused(f"{given!r}: {error}") from None
    return {
        "metric": metric,
        "half_width": found.target,
        "readings": found.readings,
        "is_reliable": found.is_reliable,
        "why_not": found.why_not,
    }


def _told(plan: dict[str, Any]) -> str:
    wanted = f"{plan['metric']} ± {plan['half_width']:g}"
    doubt = f" ({plan['why_not']})" if plan["why_not"] else ""
    if plan["readings"] is None:
        return f"{wanted}: cannot be said{doubt}"
    missing = f"about {plan['readings']} more readings" if plan["readings"] else "reached"
    return f"{wanted}: {missing}{doubt}"


def _lines(body: dict[str, Any]) -> list[str]:
    found = body["overview"]
    counts = f"{found['cases']} cases with two readers or more, {found['pairs']} pairs, {found['readers']} readers"
    lines = [f"{body['benchmark']} ({body['arm']}): {counts}"]
    for part in ("answers", "regions", "steps", "time"):
        lines += [f"  {name:18} {_number(number)}" for name, number in found[part].items()]
    lines.append("ceiling (experts with one another)")
    lines += [f"  {name:18} {_number(number)}" for name, number in body["ceiling"].items()]
    for part in ("readers", "labels", "modalities", "weeks", "models"):
        for row in body[part]:
            told = "; ".join(f"{name} {_number(number)}" for name, number in row["numbers"].items() if number["n"])
            lines.append(f"{part} {row.get('name', row['key']) or '(none)'}: {told or '-'}")
    for row in body["matrix"]:
        kappa = row["kappas"].get("cohen_kappa")
        beside = f", kappa {_number(kappa)}" if kappa else ""
        lines.append(f"{row['a']['name']} and {row['b']['name']}: {row['cases']} cases{beside}")
    return lines


def _number(number: dict[str, Any]) -> str:
    if number["value"] is None:
        return f"- ({REASONS.get(number['why'], number['why'])})"
    low_high = "" if number["interval"] is None else f" [{number['interval'][0]:.2f}, {number['interval'][1]:.2f}]"
    return f"{number['value']:.2f}{low_high} (n = {number['n']})"
