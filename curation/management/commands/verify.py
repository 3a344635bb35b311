"""Check an export against its manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.management.command import Command as Base
from curation.management.command import Failed
from curation.verifying import NotIntact, verify

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(Base):
    help = "Check an export against its manifest.json. Exit 1 names the first missing, extra or different file."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        super().add_arguments(parser)

    def handle(self, **options: Any) -> None:
        try:
            manifest = verify(options["folder"])
        except NotIntact as error:
            if options["json"]:
                self.report({"intact": False, "path": error.path, "reason": error.reason}, lines=[], as_json=True)
            raise Failed(str(error)) from None
        files = len(manifest.files)
        self.report(
            {"intact": True, "files": files, "bytes": manifest.total_bytes, "digest": manifest.digest},
            lines=[f"{files} files and {manifest.total_bytes:,} bytes are as recorded", manifest.digest],
            as_json=options["json"],
        )
