"""Bodies of requests about reviews and comments; what they say is checked by the operations."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annotations.api.bodies import LARGEST_VERSION
from annotations.commenting import MOST_CHARACTERS, About
from annotations.models import Anchor
from annotations.review import MOST_REASON_CHARACTERS, Wanted
from curation.fields import Fields
from curation.problems import FieldError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

_REVIEW = ("action", "content", "sources", "reason", "version", "close")
_COMMENT = ("text", "anchor", "anchor_id", "reading", "parent")


@dataclass(frozen=True)
class ReviewBody:
    """What a review should become; an empty body asks for nothing but to open one."""

    wanted: Wanted
    version: int | None
    closes: bool
    is_anything: bool

    def base_version(self, stored: int, *, is_new: bool) -> int:
        """The version that the caller saw; of a review opened with this very request, the stored one."""
        if self.version is not None:
            return self.version
        if is_new:
            return stored
        raise invalid((FieldError("version", "is missing: this review was opened before"),), what="review")


def review(body: object) -> ReviewBody:
    """The body of POST cases/{id}/review/."""
    fields = Fields()
    given = fields.mapping({} if body is None else body, "", _REVIEW)
    version = given.get("version")
    found = ReviewBody(
        wanted=Wanted(
            action=given.get("action"),
            content=given.get("content"),
            sources=given.get("sources"),
            reason=given.get("reason"),
        ),
        version=None if version is None else fields.whole(version, "version", least=0, most=LARGEST_VERSION),
        closes=fields.flag(given.get("close", False), "close"),
        is_anything=bool(given),
    )
    if fields.errors:
        raise invalid(tuple(fields.errors), what="review")
    return found


def escalation(body: object) -> tuple[str, str]:
    """To whom, and why."""
    fields = Fields()
    given = fields.mapping(body, "", ("to", "reason"), ("to", "reason"))
    to = fields.text(given.get("to", ""), "to", most=150).strip()
    reason = fields.text(given.get("reason", ""), "reason", most=MOST_REASON_CHARACTERS).strip()
    if not fields.errors and not reason:
        fields.fault("reason", "is empty")
    if fields.errors:
        raise invalid(tuple(fields.errors), what="escalation")
    return to, reason


def comment(body: object) -> dict[str, Any]:
    """Text and anchor, as `write_comment` takes them."""
    fields = Fields()
    given = fields.mapping(body, "", _COMMENT, ("text",))
    text = fields.text(given.get("text", ""), "text", most=MOST_CHARACTERS).strip()
    if not text and not fields.errors:
        fields.fault("text", "is empty")
    about = About(
        anchor=fields.one_of(given.get("anchor", Anchor.CASE.value), "anchor", Anchor.values),
        anchor_id=fields.text(given.get("anchor_id", ""), "anchor_id", most=64),
        reading=_id(fields, given, "reading"),
    )
    parent = _id(fields, given, "parent")
    if parent is not None and any(given.get(name) for name in ("anchor", "anchor_id", "reading")):
        fields.fault("parent", "an answer is about what its thread is about: leave the anchor out")
    if fields.errors:
        raise invalid(tuple(fields.errors), what="comment")
    return {"text": text, "about": about, "parent_id": parent}


def _id(fields: Fields, given: Mapping[str, Any], name: str) -> uuid.UUID | None:
    if given.get(name) is None:
        return None
    found = fields.identifier(given[name], name, {})
    return uuid.UUID(found) if found else None
