"""Reading JSON that anybody may have sent: typed values out, each fault collected with its path, never an exception."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curation.formats.sources import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

#: A body full of faults is answered with the first of them; a client mends those and sends it again.
MOST_ERRORS = 50


@dataclass(frozen=True)
class FieldError:
    """One wrong field: its path as `rois[2].geometry.x1`, and what is wrong with it."""

    path: str
    detail: str


def _brief(value: object) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return f"{value!r:.80}"


@dataclass
class Fields:
    """The faults found so far, and readers that add to them and go on with a harmless value."""

    errors: list[FieldError] = field(default_factory=list)

    def fault(self, path: str, detail: str) -> None:
        """Note one fault, unless there are more than anyone reads already."""
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(FieldError(printable(path), printable(detail)))

    def mapping(self, value: object, path: str, known: Collection[str], needed: Collection[str] = ()) -> dict[str, Any]:
        """An object with none but known keys and all of the needed ones; an empty one if it is no object."""
        if not isinstance(value, dict):
            self.fault(path, f"{_brief(value)} is not an object")
            return {}
        start = f"{path}." if path else ""
        for key in value:
            if key not in known:
                self.fault(f"{start}{key[:80]}", "is not a known field")
        for key in needed:
            if key not in value:
                self.fault(f"{start}{key}", "is missing")
        return value

    def items(self, value: object, path: str, *, most: int) -> Iterator[tuple[str, Any]]:
        """Each item of a list with its path; nothing if it is no list or too long a one."""
        if not isinstance(value, list):
            self.fault(path, f"{_brief(value)} is not a list")
        elif len(value) > most:
            self.fault(path, f"{len(value)} items, at most {most} are taken")
        else:
            yield from ((f"{path}[{index}]", item) for index, item in enumerate(value))

    def text(self, value: object, path: str, *, most: int) -> str:
        """Text of limited length that PostgreSQL can hold."""
        if not isinstance(value, str):
            self.fault(path, f"{_brief(value)} is not text")
            return ""
        if len(value) > most:
            self.fault(path, f"{len(value)} characters, at most {most} are taken")
        elif "\0" in value or printable(value) != value:
            self.fault(path, "holds a character that is no text (NUL or half a surrogate pair)")
        else:
            return value
        return ""

    def one_of(self, value: object, path: str, allowed: Collection[str]) -> str:
        """One of the allowed words."""
        if not isinstance(value, str) or value not in allowed:
            known = f"one of {', '.join(allowed)}" if allowed else "known here: there is none to choose"
            self.fault(path, f"{_brief(value)} is not {known}")
            return ""
        return value

    def whole(self, value: object, path: str, *, least: int, most: int) -> int:
        """A whole number within bounds; 3.0 and true are none."""
        if type(value) is not int:
            self.fault(path, f"{_brief(value)} is not a whole number")
        elif not least <= value <= most:
            self.fault(path, f"{_brief(value)} is outside of {least} to {most}")
        else:
            return value
        return least

    def number(self, value: object, path: str, *, least: float, most: float) -> float:
        """A finite number within bounds, whole or not; true is none."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(path, f"{_brief(value)} is not a number")
        elif isinstance(value, float) and not math.isfinite(value):
            self.fault(path, f"{value} is not finite")
        elif not least <= value <= most:
            self.fault(path, f"{_brief(value)} is outside of {least:g} to {most:g}")
        else:
            return value
        return least

    def flag(self, value: object, path: str) -> bool:
        """True or false."""
        if not isinstance(value, bool):
            self.fault(path, f"{_brief(value)} is neither true nor false")
            return False
        return value

    def identifier(self, value: object, path: str, seen: dict[str, str]) -> str:
        """A UUID in its usual spelling, not used before in `seen` (id to path), to which it is added."""
        try:
            found = str(uuid.UUID(value if isinstance(value, str) else ""))
        except ValueError:
            self.fault(path, f"{_brief(value)} is not a UUID")
            return ""
        if found in seen:
            self.fault(path, f"{found} is used by {seen[found]} already")
        seen.setdefault(found, path)
        return found

    def references(self, value: object, path: str, known: Mapping[str, str], *, what: str, most: int) -> list[str]:
        """A list of ids, each known and named once."""
        found: list[str] = []
        for at, item in self.items(value, path, most=most):
            try:
                name = str(uuid.UUID(item if isinstance(item, str) else ""))
            except ValueError:
                self.fault(at, f"{_brief(item)} is not a UUID")
                continue
            if name not in known:
                self.fault(at, f"{name} is no {what} of this record")
            elif name in found:
                self.fault(at, f"{name} is named twice")
            else:
                found.append(name)
        return found
