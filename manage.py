#!/usr/bin/env python3
"""Django's command line. `quickstart` comes before Django: the settings need the servers it starts."""

import os
import sys

from django.core.management import execute_from_command_line

from config import quickstart


def main() -> None:
    """Run one command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["quickstart"]:
        sys.exit(quickstart.main(sys.argv[2:]))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
