"""Bodies as they come in: JSON, JSON lines, and no more of them than is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser

from curation.formats.sightline import FaultyRecord, load_json
from curation.problems import FieldError, Problem, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO

    from rest_framework.parsers import BaseParser as Parser
    from rest_framework.renderers import BaseRenderer
    from rest_framework.request import Request

MOST_BULK_BYTES = 64 * 1024 * 1024
MOST_BULK_RECORDS = 50_000
_BLANK_LINES = 10  # for each record; lines are split only once their number is known to be bearable


def too_large(what: str, most: int) -> Problem:
    """A 413 that names the limit."""
    return Problem(
        "too-large", status=413, title="The body is too large", detail=f"{what} may have at most {most} bytes"
    )


def too_many(records: int) -> Problem:
    """A 413 that names both numbers."""
    return Problem(
        "too-large",
        status=413,
        title="The body has too many records",
        detail=f"The body has {records} records; at most {MOST_BULK_RECORDS} records are taken at a time",
    )


def _read(stream: IO[Any], most: int) -> bytes:
    body = bytes(stream.read(most + 1))
    if len(body) > most:
        raise too_large("The body", most)
    return body


class RecordsParser(BaseParser):
    """One JSON list of records."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:  # noqa: ARG002 DRF's signature
        """The list; 400 for anything else."""
        try:
            records = load_json(_read(stream, MOST_BULK_BYTES))
        except FaultyRecord as error:
            raise invalid((FieldError("", f"the body {error.reason}"),), what="body") from None
        if not isinstance(records, list):
            raise invalid((FieldError("", "the body is not a list of records"),), what="body")
        if len(records) > MOST_BULK_RECORDS:
            raise too_many(len(records))
        return records


class LinesParser(BaseParser):
    """One JSON record a line; each line is decoded by itself, so that a bad one rejects no other."""

    media_type = "application/x-ndjson"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:  # noqa: ARG002
        """The lines as bytes."""
        body = _read(stream, MOST_BULK_BYTES)
        ends = body.count(b"\n") + body.count(b"\r") - body.count(b"\r\n")
        if ends > MOST_BULK_RECORDS * _BLANK_LINES:
            raise too_many(ends)
        lines = body.splitlines()
        if (records := sum(not line.isspace() and line != b"" for line in lines)) > MOST_BULK_RECORDS:
            raise too_many(records)
        return lines


class JsonLinesParser(LinesParser):
    """The same under its other name."""

    media_type = "application/jsonl"


class AnyAnswer(BaseContentNegotiation):
    """For endpoints that answer with bytes of one type: whatever the client says it accepts, errors come as JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Parser | None:  # noqa: ARG002
        """The first: these endpoints take no body."""
        return parsers[0] if parsers else None

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002
        renderers: Any,
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        """The first."""
        return renderers[0], renderers[0].media_type


def object_of(request: Request) -> Mapping[str, Any]:
    """The body as a JSON object, or 400."""
    if not isinstance(request.data, dict):
        raise invalid((FieldError("", "the body is not an object"),), what="body")
    return request.data
