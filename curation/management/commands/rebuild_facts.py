"""Write the read models of cases anew, or prove them equal to their sources."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from curation import facts
from curation.management.command import Command as Base
from curation.management.command import Failed
from curation.models import Case

if TYPE_CHECKING:
    from argparse import ArgumentParser


def _plain(value: Any) -> Any:
    """A fact as JSON can hold it."""
    return str(value) if isinstance(value, uuid.UUID) else value


class Command(Base):
    help = "Compute facts and verdicts of every case anew; with --check change nothing and fail if any differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true")
        super().add_arguments(parser)

    def handle(self, **options: Any) -> None:
        case_ids = list(Case.objects.values_list("pk", flat=True))
        different = facts.all_differing(case_ids)
        if not options["check"]:
            facts.rebuild({uuid.UUID(row[0]) for row in different})
        rows = [
            {"case": case, "field": name, "stored": _plain(stored), "computed": _plain(true)}
            for case, name, stored, true in different
        ]
        lines = [f"{row['case']} {row['field']}: stored {row['stored']}, computed {row['computed']}" for row in rows]
        done = "differ" if options["check"] else "were mended"
        lines.append(f"{len(case_ids)} cases looked at, {len(rows)} facts {done}")
        self.report({"cases": len(case_ids), "different": rows}, lines=lines, as_json=options["json"])
        if options["check"] and rows:
            raise Failed(f"{len(rows)} facts differ from their sources")
