"""Keyset pages: `{results, next}` with an opaque cursor, and filters that are allow-listed."""

from __future__ import annotations

import base64
import binascii
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q

from curation.formats.sources import printable
from curation.problems import FieldError, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from django.db.models import QuerySet
    from rest_framework.request import Request

PAGE = 50
MOST = 200

Row = TypeVar("Row", bound=Model)


def refuse(path: str, detail: str) -> Exception:
    """A 400 for one argument of a query."""
    return invalid((FieldError(path, detail),), what="query")


def arguments(request: Request, allowed: Collection[str]) -> dict[str, str]:
    """The query's arguments; 400 for one that is not allowed or stands twice."""
    for name, values in request.query_params.lists():
        if name not in allowed:
            raise refuse(name[:80], f"is not a known argument; known: {', '.join(sorted(allowed))}")
        if len(values) > 1:
            raise refuse(name, "stands more than once")
        if "\0" in values[0]:  # PostgreSQL refuses it in any text that is compared
            raise refuse(name, "holds a NUL character")
    return {name: str(value) for name, value in request.query_params.items()}


def number(given: str, path: str, *, least: float, most: float) -> float:
    """A finite number within bounds, or 400."""
    try:
        value = float(given)
    except ValueError:
        raise refuse(path, f"{given[:80]!r} is not a number") from None
    if not math.isfinite(value) or not least <= value <= most:
        raise refuse(path, f"{given[:80]} is outside of {least:g} to {most:g}")
    return value


def encode_cursor(value: Any) -> str:
    """An opaque cursor that holds the key of the last row."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, kind: type) -> Any:
    """The key in a cursor, or 400."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        value: Any = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        value = None
    is_number = kind is int and type(value) is int and abs(value) <= 2**62
    is_text = kind is str and isinstance(value, str) and "\0" not in value and printable(value) == value
    if not is_number and not is_text:
        raise refuse("cursor", "is none that this list gave out")
    return value


@dataclass(frozen=True)
class Page:
    """One page: rows rendered, and the cursor of the next page or None."""

    results: list[dict[str, Any]]
    next: str | None

    def as_json(self) -> dict[str, Any]:
        """The body of a list."""
        return {"results": self.results, "next": self.next}


def page(
    rows: QuerySet[Row],
    given: dict[str, str],
    *,
    key: str,
    kind: type,
    render: Callable[[list[Row]], list[dict[str, Any]]],
) -> Page:
    """The page that a query's `cursor` and `limit` ask for.

    Parameters
    ----------
    key
        A column that is unique among `rows`: they are sorted by it.
    kind
        Its Python type, int or str.
    render
        From a list of rows to their JSON, so that what rows need is fetched for all of them at once.
    """
    limit = int(number(given.get("limit", str(PAGE)), "limit", least=1, most=MOST))
    ordered = rows.order_by(key)
    if "cursor" in given:
        ordered = ordered.filter(**{f"{key}__gt": decode_cursor(given["cursor"], kind)})
    # One row more than asked for tells whether there is a next page, without counting.
    found = list(ordered[: limit + 1])
    last = found[limit - 1] if len(found) > limit else None
    cursor = None if last is None else encode_cursor(getattr(last, key))
    return Page(render(found[:limit]), cursor)


def rows_after(rows: QuerySet[Row], named: str, field: str, *, newest_first: bool, name: str = "pk") -> QuerySet[Row]:
    """Rows of a page's list that come after the named one; all of them if there is no such row.

    Parameters
    ----------
    named
        What the address says of the last row shown: its `name`, a column that is unique.
    field
        The column that the list is sorted by, and then by key.
    """
    try:
        last = None if "\0" in named or not named else rows.filter(**{name: named}).first()
    except ValidationError:  # no UUID
        last = None
    if last is None:
        return rows
    way, value = "lt" if newest_first else "gt", getattr(last, field)
    return rows.filter(Q(**{f"{field}__{way}": value}) | Q(**{field: value, f"pk__{way}": last.pk}))
