"""Start lost work again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from curation.management.command import Command as BaseCommand
from inference.supervising import sweep


class Command(BaseCommand):
    help = "Send again what the broker lost, take jobs from workers that are gone, and ask for what is missing."

    def handle(self, *_: Any, **options: Any) -> None:
        document = asdict(sweep())
        lines = [f"{name.replace('_', ' ')}: {count}" for name, count in document.items()]
        self.report(document, lines=lines, as_json=options["json"])
