"""The parser of every endpoint that names no other; apart from `problems`, as `problem_json` is, and for its reason."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from rest_framework import exceptions, status
from rest_framework.parsers import BaseParser

from curation.formats.sightline import FaultyRecord, load_json

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES = 2 * 1024 * 1024


class TooLarge(exceptions.APIException):
    """More of a body than is taken."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE


class StrictJSONParser(BaseParser):
    """Strict JSON, read no further than `most_bytes` whatever length it claims, nested no deeper than is safe."""

    media_type = "application/json"
    most_bytes = MOST_BYTES

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 the signature of every parser
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        """Parse, or raise a 400 or 413 that says why not."""
        raw: bytes = stream.read(self.most_bytes + 1)
        if len(raw) > self.most_bytes:
            raise TooLarge(f"A body of more than {self.most_bytes} bytes is not taken.")
        try:
            return load_json(raw)
        except FaultyRecord as error:
            raise exceptions.ParseError(f"The body {error.reason}") from None
