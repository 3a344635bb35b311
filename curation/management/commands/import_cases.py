"""Take cases in from a file or folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.importing import IMPORT_FORMATS, ImportFailed, import_cases
from curation.management.command import Command as Base
from curation.management.command import Failed, Misused, RejectedRows, benchmark_named

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable

    from curation.formats.sources import Rejection

MOST_TOLD = 20


class Command(Base):
    help = "Take cases in; a second run changes nothing. Exit 3: some rows were rejected, each with its reason."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("path", type=Path)
        parser.add_argument("--format", required=True, choices=list(IMPORT_FORMATS))
        parser.add_argument("--split", help="put on every case")
        parser.add_argument("--dry-run", action="store_true", help="look at everything, store nothing")
        parser.add_argument("--update", action="store_true", help="take a known id with other content as a new version")
        parser.add_argument(
            "--check-text",
            action="store_true",
            help="bar the images from release until each is checked for burned-in text",
        )
        super().add_arguments(parser)

    def handle(self, **options: Any) -> None:
        if len(options["split"] or "") > 32:
            raise Misused("--split: at most 32 characters are taken")
        try:
            report = import_cases(
                benchmark=benchmark_named(options["slug"]),
                path=options["path"],
                format=options["format"],
                split=options["split"],
                dry_run=options["dry_run"],
                update=options["update"],
                check_text=options["check_text"],
                progress=_progress(),
            )
        except ImportFailed as error:
            raise Failed(str(error)) from None
        told = [_line(row) for row in report.rejected]
        counts = f"{report.created} created, {report.updated} updated, {report.unchanged} unchanged"
        lines = [f"{counts}, {len(told)} rejected{' (dry run: nothing was stored)' if options['dry_run'] else ''}"]
        lines += _first(told) + _first([_line(row, "warning: ") for row in report.warnings])
        self.report(report.as_json(), lines=lines, as_json=options["json"])
        if report.rejected:
            raise RejectedRows(f"{len(report.rejected)} row(s) were rejected")


def _line(row: Rejection, before: str = "") -> str:
    named = f" ({row.id})" if row.id else ""
    return f"row {row.index}{named}: {before}{f'{row.field}: ' if row.field else ''}{row.reason}"


def _first(lines: list[str]) -> list[str]:
    return lines[:MOST_TOLD] + ([f"… and {len(lines) - MOST_TOLD} more"] if len(lines) > MOST_TOLD else [])


def _progress() -> Callable[[int], None] | None:
    """A count on a terminal; nothing where stderr is a file or a pipe."""
    if not sys.stderr.isatty():
        return None

    def show(count: int) -> None:
        sys.stderr.write(f"\r{count} rows looked at")
        sys.stderr.flush()

    return show
