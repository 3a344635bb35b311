"""What every command shares: exit codes, and one JSON document on stdout.

Exit: 0 done; 1 failed, nothing changed; 2 usage; 3 done with rejections.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from curation.formats.sources import printable
from curation.models import Benchmark, User

if TYPE_CHECKING:
    from argparse import ArgumentParser

FAILED = 1
USAGE = 2
REJECTIONS = 3


class Failed(CommandError):
    """Nothing was changed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=FAILED)


class Misused(CommandError):
    """The command line asks for something that makes no sense."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=USAGE)


class RejectedRows(CommandError):
    """Done, but some rows were rejected."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=REJECTIONS)


class Command(BaseCommand):
    """A command with `--json` where it has something to report."""

    has_json = True
    has_reported = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what the command takes; a subclass calls this one too."""
        if self.has_json:
            parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run; with `--json` a failure is told on stdout too, so that one document stands there whatever happens."""
        try:
            for value in options.values():
                if isinstance(value, str) and printable(value) != value:
                    raise Misused(f"{printable(value)} is not text in UTF-8")
            return super().execute(*args, **options)
        except (Failed, Misused) as error:
            if options.get("json") and not self.has_reported:
                self.report({"error": str(error)}, lines=[], as_json=True)
            raise

    def report(self, document: dict[str, Any], *, lines: list[str], as_json: bool) -> None:
        """Print the document as JSON, or the lines for a person."""
        self.has_reported = True
        if as_json:
            self.stdout.write(json.dumps(document, ensure_ascii=False))
            return
        for line in lines:
            self.stdout.write(line)


def benchmark_named(slug: str) -> Benchmark:
    """The benchmark of this slug; the command fails where there is none."""
    try:
        return Benchmark.objects.get(slug=slug)
    except Benchmark.DoesNotExist:
        raise Failed(f"there is no benchmark {slug!r}") from None


def user_named(name: str) -> User:
    """The user of this name; the command fails where there is none."""
    try:
        return User.objects.get(username=name)
    except User.DoesNotExist:
        raise Failed(f"there is no user {name!r}") from None
