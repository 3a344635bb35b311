"""Let a model read a benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curation.management.command import Command as BaseCommand
from curation.management.command import Failed, Misused, benchmark_named
from inference.enrolling import UnknownMetric, enrol
from inference.models import ModelVersion

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Let a model read a benchmark; --live: every case and reading, now and later, by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--model", required=True, metavar="NAME")
        parser.add_argument("--live", action="store_true")
        parser.add_argument("--metrics", default="", metavar="M,…", help="comma-separated; default: every metric")

    def handle(self, *_: Any, **options: Any) -> None:
        benchmark = benchmark_named(options["slug"])
        model = ModelVersion.objects.filter(name=options["model"]).first()
        if model is None:
            raise Failed(f"there is no model {options['model']!r}")
        metrics = [name.strip() for name in options["metrics"].split(",") if name.strip()]
        try:
            enrolment, is_new = enrol(benchmark=benchmark, model=model, is_live=options["live"], metrics=metrics)
        except UnknownMetric as error:
            raise Misused(str(error)) from error
        document = {
            "id": str(enrolment.pk),
            "benchmark": benchmark.slug,
            "model": model.name,
            "is_new": is_new,
            "is_live": enrolment.is_live,
            "metrics": enrolment.metrics,
        }
        how = "live" if enrolment.is_live else "on request"
        self.report(document, lines=[f"{model.name} reads {benchmark.slug}, {how}"], as_json=options["json"])
