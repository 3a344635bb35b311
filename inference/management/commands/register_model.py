"""Register a model under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curation.management.command import Command as BaseCommand
from curation.management.command import Failed, Misused
from inference.enrolling import NameTaken, UnusableModel, register_model
from inference.registry import FAMILIES

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Register a model: load it once, and keep what its card says under NAME."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--family", required=True, choices=sorted(FAMILIES))
        parser.add_argument("--source", default="", help="folder of the weights")
        parser.add_argument("--revision", default="")
        # Not `settings`: that is Django's own option, and manage.py reads it before any command does.
        parser.add_argument("--set", dest="pairs", nargs="+", action="extend", default=[], metavar="KEY=VALUE")

    def handle(self, *_: Any, **options: Any) -> None:
        settings = dict(_pair(text) for text in options["pairs"])
        try:
            model, is_new = register_model(
                name=options["name"],
                family=options["family"],
                source=options["source"],
                revision=options["revision"],
                settings=settings,
            )
        except (NameTaken, UnusableModel) as error:
            raise Failed(str(error)) from error
        document = {
            "id": str(model.pk),
            "name": model.name,
            "family": model.family,
            "is_new": is_new,
            "is_trained": model.is_trained,
            "layers": model.layer_count,
            "note": model.note,
        }
        trained = "" if model.is_trained else ", untrained"
        what = f"{model.name}: {model.family}, {model.layer_count} layers{trained}"
        lines = [f"registered {what}" if is_new else f"unchanged {what}"]
        self.report(document, lines=lines, as_json=options["json"])


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise Misused(f"--set takes key=value, not {text!r}")
    return key, value
