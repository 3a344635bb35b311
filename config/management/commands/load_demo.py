"""Load the demo content; a second run finds it and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from config.demo.again import add_aided
from config.demo.benchmarks import PHANTOMS, DemoRefused, add_phantoms, add_sample
from config.demo.clock import Clock, past_of
from config.demo.logins import CURATOR, REVIEWER, USERS, make_logins
from config.demo.models import add_models, add_phantom_models
from config.demo.weeks import add_weeks
from curation.management.command import Command as Base
from curation.management.command import Failed
from curation.models import Benchmark, User

if TYPE_CHECKING:
    from collections.abc import Mapping


class Command(Base):
    help = "Load the demo: benchmarks over real DICOM images and phantoms, live models, users and weeks of readings."
    requires_system_checks: list[str] = []  # noqa: RUF012 Django's own form

    def handle(self, **options: Any) -> None:
        var = settings.VAR.root
        clock = Clock(now=timezone.now(), past=past_of([user.name for user in USERS]))
        try:
            with clock.running():
                sample, *phantoms = [add_sample(), *(add_phantoms(made) for made in PHANTOMS)]
                logins = make_logins([sample, *phantoms], folder=var)
                curator, reviewer = _own(CURATOR, logins), _own(REVIEWER, logins)
                add_weeks(phantoms, clock=clock, curator=curator, reviewer=reviewer)
        except DemoRefused as error:
            raise Failed(str(error)) from None
        # By the clock on the wall: workers look at the same jobs.
        read = [(sample, add_models(sample, folder=var / "models"))]
        read += [(benchmark, add_phantom_models(benchmark)) for benchmark in phantoms]
        for benchmark in phantoms:
            add_aided(benchmark)
        first, *others = [_loaded(benchmark, models) for benchmark, models in read]
        self.report(
            {**first, "phantoms": others, "logins": logins},
            lines=[
                *(_told(**one) for one in (first, *others)),
                *(f"  {name:<14} {word or '(your own password)'}" for name, word in logins.items()),
            ],
            as_json=options["json"],
        )


def _own(name: str, logins: Mapping[str, str | None]) -> User | None:
    """The demo's user of that name; None if it is somebody else's."""
    return User.objects.filter(username=name).first() if logins.get(name) else None


def _loaded(benchmark: Benchmark, models: list[str]) -> dict[str, Any]:
    return {"benchmark": benchmark.slug, "cases": benchmark.cases.count(), "models": models}


def _told(*, benchmark: str, cases: int, models: list[str]) -> str:
    readers = f", read live by {', '.join(models)}" if models else ", read by no model here"
    return f"Demo benchmark {benchmark!r}: {cases} cases{readers}"
