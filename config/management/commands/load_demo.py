"""Load the demo content; a second run finds it and changes nothing."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from config.demo.benchmarks import PHANTOMS, DemoRefused, add_phantoms, add_sample
from config.demo.logins import CURATOR, make_logins
from config.demo.models import add_models, add_phantom_models
from config.demo.reading import add_readings
from curation.management.command import Command as Base
from curation.management.command import Failed
from curation.models import Benchmark, User


class Command(Base):
    help = "Load the demo: benchmarks over real DICOM images and phantoms, live models, users and some readings."
    requires_system_checks: list[str] = []  # noqa: RUF012 Django's own form

    def handle(self, **options: Any) -> None:
        var = settings.VAR.root
        try:
            sample = add_sample()
            read = [(sample, add_models(sample, folder=var / "models"))]
            for made in PHANTOMS:
                phantoms = add_phantoms(made)
                read.append((phantoms, add_phantom_models(phantoms)))
        except DemoRefused as error:
            raise Failed(str(error)) from None
        logins = make_logins([benchmark for benchmark, _ in read], folder=var)
        curator = User.objects.filter(username=CURATOR).first() if logins.get(CURATOR) else None
        for benchmark, _ in read:
            add_readings(benchmark, curator=curator)
        first, *others = [_loaded(benchmark, models) for benchmark, models in read]
        self.report(
            {**first, "phantoms": others, "logins": logins},
            lines=[
                *(_told(**one) for one in (first, *others)),
                *(f"  {name:<14} {word or '(your own password)'}" for name, word in logins.items()),
            ],
            as_json=options["json"],
        )


def _loaded(benchmark: Benchmark, models: list[str]) -> dict[str, Any]:
    return {"benchmark": benchmark.slug, "cases": benchmark.cases.count(), "models": models}


def _told(*, benchmark: str, cases: int, models: list[str]) -> str:
    readers = f", read live by {', '.join(models)}" if models else ", read by no model here"
    return f"Demo benchmark {benchmark!r}: {cases} cases{readers}"
