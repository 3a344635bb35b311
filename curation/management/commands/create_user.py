"""Create a user with a role, or give a user another role."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from curation.accounts import BadPassword, give_role
from curation.management.command import Command as Base
from curation.management.command import Failed, Misused, benchmark_named
from curation.models import Role

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(Base):
    help = "Create a user with a role in a benchmark, or in all of them; a user who is there gets the role as well."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--benchmark", metavar="SLUG", help="without it the role is held in every benchmark")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from the first line of stdin"
        )
        super().add_arguments(parser)

    def handle(self, **options: Any) -> None:
        benchmark = benchmark_named(options["benchmark"]) if options["benchmark"] else None
        password = None
        if options["password_stdin"]:
            password = sys.stdin.readline().rstrip("\r\n")
            if not password:
                raise Misused("--password-stdin: no password came on stdin")
        try:
            user, is_new = give_role(
                name=options["name"], role=Role(options["role"]), benchmark=benchmark, password=password
            )
        except BadPassword as error:
            raise Failed(str(error)) from None
        where = benchmark.slug if benchmark else "every benchmark"
        self.report(
            {
                "id": str(user.pk),
                "name": user.username,
                "role": options["role"],
                "benchmark": benchmark.slug if benchmark else None,
                "created": is_new,
            },
            lines=[f"{'Created' if is_new else 'Known:'} {user.username}, {options['role']} in {where}"],
            as_json=options["json"],
        )
