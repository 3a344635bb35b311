"""Reading a request's body: strict JSON of limited size, and the few fields that are no part of a reading's content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotations.assigning import MOST_REASON_CHARACTERS
from annotations.submission import MOST_KEY_CHARACTERS
from curation.fields import Fields
from curation.problems import FieldError, invalid
from curation.strict_json import StrictJSONParser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request

MOST_BYTES = 8 * 1024 * 1024
LARGEST_VERSION = 2**31 - 1


class DraftParser(StrictJSONParser):
    """A reading's content may be larger than other bodies: masks of several regions."""

    most_bytes = MOST_BYTES


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


def reason(body: object, *, most: int = MOST_REASON_CHARACTERS) -> str:
    """The reason that a body must give."""
    fields = Fields()
    given = fields.mapping(body, "", ("reason",), ("reason",))
    found = fields.text(given.get("reason", ""), "reason", most=most).strip()
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
