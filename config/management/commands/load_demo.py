"""Load the demo content; a second run finds it and changes nothing."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from config.demo.cases import CASES, CONFIG, DESCRIPTION, SLUG, TITLE, image_folder
from config.demo.logins import make_logins
from config.demo.models import add_models
from curation.importing import import_records
from curation.management.command import Command as Base
from curation.management.command import Failed
from curation.models import Benchmark
from curation.protocols import create_benchmark


class Command(Base):
    help = "Load the demo: a benchmark over real DICOM images, two live models and users with random passwords."
    requires_system_checks: list[str] = []  # noqa: RUF012 Django's own form

    def handle(self, **options: Any) -> None:
        var = settings.VAR.root
        benchmark = Benchmark.objects.filter(slug=SLUG).first()
        if benchmark is None:
            benchmark = create_benchmark(
                slug=SLUG, kind="free", title=TITLE, description=DESCRIPTION, config=CONFIG, is_demo=True
            )
        elif not benchmark.is_demo:
            raise Failed(f"there is a benchmark {SLUG!r} that is not the demo's; nothing was loaded")
        report = import_records(benchmark=benchmark, records=CASES, folder=image_folder())
        if report.rejected:
            first = report.rejected[0]
            raise Failed(f"demo case {first.id} cannot be loaded: {first.field}: {first.reason}")
        models = add_models(benchmark, folder=var / "models")
        logins = make_logins(benchmark, folder=var)
        self.report(
            {
                "benchmark": SLUG,
                "cases": benchmark.cases.count(),
                "models": models,
                "logins": logins,
            },
            lines=[
                f"Demo benchmark {SLUG!r}: {benchmark.cases.count()} cases, read live by {' and '.join(models)}",
                *(f"  {name:<14} {word or '(your own password)'}" for name, word in logins.items()),
            ],
            as_json=options["json"],
        )
