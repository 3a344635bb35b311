"""Print a new API token of a user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curation.accounts import new_token
from curation.management.command import Command as Base
from curation.management.command import user_named

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(Base):
    help = "Print a new API token of a user, and nothing else. It is shown once; only its digest is stored."
    has_json = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        super().add_arguments(parser)

    def handle(self, **options: Any) -> None:
        self.stdout.write(new_token(user=user_named(options["name"])))
