"""Write a snapshot to a folder."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from curation.exporting import EXPORT_FORMATS, ExportRefused, export
from curation.management.command import Command as Base
from curation.management.command import Failed
from curation.snapshots import NoSuchSnapshot, find_snapshot

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable


class Command(Base):
    help = "Write a snapshot to a folder that is empty or not there yet: whole, or not at all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("snapshot", metavar="NAME_OR_DIGEST")
        parser.add_argument("--format", required=True, choices=list(EXPORT_FORMATS))
        parser.add_argument("--to", required=True, type=Path, metavar="DIR")
        parser.add_argument("--originals", action="store_true", help="also the stored bytes of every image")
        super().add_arguments(parser)

    def handle(self, **options: Any) -> None:
        # Unwinds, so that the half-written folder goes away.
        signal.signal(signal.SIGTERM, _stop)
        try:
            snapshot = find_snapshot(options["snapshot"])
            report = export(
                snapshot=snapshot,
                format=options["format"],
                folder=options["to"].absolute(),
                has_originals=options["originals"],
                progress=_progress(snapshot.case_count),
            )
        except (NoSuchSnapshot, ExportRefused) as error:
            raise Failed(str(error)) from None
        except OSError as error:
            raise Failed(f"{error.filename or options['to']}: {error.strerror or error}") from None
        counts = [f"{name}: {one.rows_in} in, {one.rows_out} out" for name, one in report.configs.items()]
        self.report(
            report.as_json(),
            lines=[
                f"{report.files} files, {report.total_bytes:,} bytes in {options['to']}",
                *counts,
                *(f"not carried: {reason}" for reason in report.not_carried),
            ],
            as_json=options["json"],
        )


def _stop(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


def _progress(total: int) -> Callable[[int], None]:
    """A bar on a terminal; nothing where stderr is a file or a pipe."""

    def show(done: int) -> None:
        if sys.stderr.isatty():
            width = 30 * done // max(total, 1)
            sys.stderr.write(f"\r[{'#' * width}{' ' * (30 - width)}] {done} of {total} cases")
            sys.stderr.write("\n" if done >= total else "")
            sys.stderr.flush()

    return show
