"""Reading a request's body: strict JSON of limited size, and the few fields that are no part of a reading's content."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.utils import json

from annotations.assigning import MOST_REASON_CHARACTERS
from annotations.submission import MOST_KEY_CHARACTERS
from curation.fields import Fields
from curation.problems import FieldError, Problem, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request

MOST_BYTES = 8 * 1024 * 1024
LARGEST_VERSION = 2**31 - 1


class BoundedJSONParser(JSONParser):
    """JSON without NaN and Infinity, read no further than MOST_BYTES, whatever its Content-Length says."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 the signature of every parser
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        """Parse, or raise a 400 or 413 that says why not."""
        raw: bytes = stream.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            detail = f"A body of more than {MOST_BYTES} bytes is not taken."
            raise Problem("too-large", status=413, title="The body is too large", detail=detail)
        try:
            return json.loads(raw.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise ParseError(f"JSON parse error - {error}") from error


def draft(body: object) -> tuple[int, dict[str, Any]]:
    """The base version and the content of a draft's body; the content is checked by `save_draft`."""
    fields = Fields()
    if not isinstance(body, dict):
        fields.fault("", "the body is not an object")
        raise invalid(tuple(fields.errors), what="draft")
    return version(body, fields, what="draft"), {key: value for key, value in body.items() if key != "version"}


def submitted_version(body: object) -> int:
    """The version of a submit's body, which holds nothing else."""
    fields = Fields()
    return version(fields.mapping(body, "", ("version",)), fields, what="submission")


def version(body: Mapping[str, Any], fields: Fields, *, what: str) -> int:
    """The version that a change is made from."""
    if "version" in body:
        found = fields.whole(body["version"], "version", least=0, most=LARGEST_VERSION)
    else:
        found = 0
        fields.fault("version", "is missing")
    if fields.errors:
        raise invalid(tuple(fields.errors), what=what)
    return found


def reason(body: object) -> str:
    """The reason that a body must give."""
    fields = Fields()
    given = fields.mapping(body, "", ("reason",), ("reason",))
    found = fields.text(given.get("reason", ""), "reason", most=MOST_REASON_CHARACTERS).strip()
    if not found and not fields.errors:
        fields.fault("reason", "is empty")
    if fields.errors:
        raise invalid(tuple(fields.errors), what="request")
    return found


def idempotency_key(request: Request) -> str:
    """The Idempotency-Key header: 1 to 128 printable characters of ASCII."""
    key: str = request.headers.get("Idempotency-Key", "").strip()
    if not key:
        raise invalid((FieldError("Idempotency-Key", "the header is missing"),), what="submission")
    if len(key) > MOST_KEY_CHARACTERS or not (key.isascii() and key.isprintable()):
        detail = f"is not 1 to {MOST_KEY_CHARACTERS} printable characters of ASCII"
        raise invalid((FieldError("Idempotency-Key", detail),), what="submission")
    return key
