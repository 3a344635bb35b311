"""Prepare an installation for readers over HTTP: `python -m tests.annotations.faults.ward CASES READERS`.

Prints one token a line. Run with DATABASE_URL of a database that has the tables, and nothing in them.
"""

from __future__ import annotations

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from curation.accounts import new_token  # noqa: E402 models are imported once Django is set up
from curation.models import Role  # noqa: E402
from tests.factories import make_benchmark, make_case, make_user  # noqa: E402


def main(cases: int, readers: int) -> None:
    """Make the cases and print the readers' tokens."""
    benchmark = make_benchmark("ward", overlap=2)
    for number in range(cases):
        make_case(benchmark, f"c{number}", images=0)
    for number in range(readers):
        print(new_token(user=make_user(f"r{number}", Role.READER, benchmark)))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
