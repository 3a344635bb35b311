"""`quickstart` as Django's help sees it; manage.py runs it before the settings are read."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from config import quickstart


class Command(BaseCommand):
    """Start servers, web, workers and beat on this machine, and stop them all on Ctrl-C."""

    help = "Start everything on this machine, and stop it all on Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the flags."""
        quickstart.add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Start, stay, stop."""
        chosen = quickstart.Options(has_demo=not options["no_demo"], is_exiting_when_ready=options["exit_after_ready"])
        sys.exit(quickstart.quickstart(chosen))
