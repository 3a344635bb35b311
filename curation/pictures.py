"""The first images of cases, as lists show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curation.models import CaseImage

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable

MOST_PICTURES = 4


def first_pictures(case_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """By case the sha256 of its first images in their places; one query."""
    found: dict[uuid.UUID, list[str]] = {}
    rows = CaseImage.objects.filter(case__in=list(case_ids)).order_by("case_id", "number")
    for case_id, sha256 in rows.values_list("case_id", "asset_id"):
        named = found.setdefault(case_id, [])
        if len(named) < MOST_PICTURES:
            named.append(sha256)
    return found
