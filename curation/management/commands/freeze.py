"""Freeze a benchmark under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curation.management.command import Command as Base
from curation.management.command import Failed, benchmark_named
from curation.snapshots import FreezeRefused, freeze

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(Base):
    help = "Freeze cases, submitted readings and protocol; the same content has the same digest under every name."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--name", required=True, help="unique among all snapshots")
        super().add_arguments(parser)

    def handle(self, **options: Any) -> None:
        try:
            frozen = freeze(benchmark=benchmark_named(options["slug"]), name=options["name"], actor=None)
        except FreezeRefused as error:
            raise Failed(str(error)) from None
        snapshot = frozen.snapshot
        counts = {
            "cases": snapshot.case_count,
            "images": snapshot.image_count,
            "readings": snapshot.reading_count,
        }
        state = "Frozen" if frozen.is_new else "Named" if frozen.is_new_name else "Already frozen"
        told = ", ".join(f"{number} {what}" for what, number in counts.items())
        self.report(
            {"name": frozen.name, "digest": snapshot.digest, **counts},
            lines=[f"{state}: {frozen.name}: {told}", snapshot.digest],
            as_json=options["json"],
        )
