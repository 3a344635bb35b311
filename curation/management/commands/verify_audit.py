"""Whether the trail is sealed and unbroken."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from curation.management.command import Command as Base
from curation.management.command import Failed, Misused
from curation.verifying_audit import Verdict, verify_trail

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(Base):
    help = "Walk the sealed trail: exit 1 and the name of the first event or seal that was changed, removed or put in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--anchor",
            metavar="NUMBER:DIGEST",
            help="the head that an earlier run printed, kept outside of the database; it must still be in the chain",
        )
        super().add_arguments(parser)

    def handle(self, **options: Any) -> None:
        verdict = verify_trail(anchor=anchor_of(options["anchor"]) if options["anchor"] else None)
        broken = verdict.broken
        document = {
            "ok": broken is None,
            "sealed": verdict.sealed,
            "waiting": verdict.waiting,
            "head": verdict.head,
            "broken": None if broken is None else asdict(broken),
        }
        self.report(document, lines=lines_of(verdict), as_json=options["json"])
        if broken is not None:
            raise Failed(f"the trail is broken: {broken.detail}")


def lines_of(verdict: Verdict) -> list[str]:
    """What a person reads."""
    if verdict.broken is not None:
        return [f"{verdict.sealed:,} events hold, up to seal {verdict.head}"]
    lines = [f"{verdict.sealed:,} events are sealed and unbroken, up to seal {verdict.head}"]
    if verdict.waiting_since is not None:
        since = f"{verdict.waiting_since:%Y-%m-%d %H:%M:%S} UTC"
        lines.append(f"{verdict.waiting:,} not sealed yet, the oldest of {since}; workers and beat seal them")
    return lines


def anchor_of(text: str) -> tuple[int, str]:
    """Number and digest of a seal noted earlier."""
    number, _, digest = text.partition(":")
    is_number = number.isascii() and number.isdigit() and len(number) < 19
    if not is_number or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise Misused(f"--anchor {text[:100]!r} is not NUMBER:DIGEST, as verify_audit prints it")
    return int(number), digest
