"""Create a benchmark with the first version of its protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from curation.formats.sightline import FaultyRecord, load_json
from curation.management.command import Command as Base
from curation.management.command import Failed, Misused
from curation.models import ProtocolKind
from curation.protocols import BadProtocol, config_of, create_benchmark

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(Base):
    help = "Create a benchmark under a protocol."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--protocol", required=True, choices=ProtocolKind.values)
        parser.add_argument("--config", type=Path, metavar="FILE", help="JSON; what it leaves out takes the defaults")
        parser.add_argument("--title", default="")
        parser.add_argument("--overlap", type=int, metavar="K", help="readings wanted for each case")
        super().add_arguments(parser)

    def handle(self, **options: Any) -> None:
        if options["overlap"] is not None and options["overlap"] < 1:
            raise Misused(f"--overlap {options['overlap']}: at least one reading is wanted")
        try:
            benchmark = create_benchmark(
                slug=options["slug"],
                kind=options["protocol"],
                title=options["title"],
                config=_config(options["config"]),
                overlap=options["overlap"],
            )
        except BadProtocol as error:
            raise Failed(f"the protocol is not valid: {error}") from None
        except ValidationError as error:
            raise Failed(
                "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
            ) from None
        protocol = benchmark.protocol
        self.report(
            {
                "id": str(benchmark.pk),
                "slug": benchmark.slug,
                "protocol": protocol.kind,
                "overlap": benchmark.overlap,
                "digest": protocol.digest,
            },
            lines=[f"Created {benchmark.slug}: {protocol.kind}, {benchmark.overlap} reading(s) a case"],
            as_json=options["json"],
        )


def _config(file: Path | None) -> object:
    if file is None:
        return None
    try:
        given = load_json(file.read_bytes())
    except OSError as error:
        raise Failed(f"{file}: {error.strerror}") from None
    except FaultyRecord as error:
        raise Failed(f"{file}: {error.reason}") from None
    return config_of(given) if isinstance(given, dict) else given
