"""Who the parties of agreement are, for whoever shows them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.module_loading import import_string

from curation.models import User

if TYPE_CHECKING:
    from collections.abc import Iterable

    from annotations.naming import Mask


def names(parties: Iterable[uuid.UUID], mask: Mask | None = None) -> dict[uuid.UUID, str]:
    """A name for each party that has one, from the functions of settings.PARTY_NAMES: readers here, models above.

    Parameters
    ----------
    mask
        Of somebody who is not told who the readers are (`annotations.naming`).
    """
    wanted = set(parties)
    found: dict[uuid.UUID, str] = {}
    for path in settings.PARTY_NAMES:
        name = import_string(path)
        named = name(wanted)
        found |= mask.applied(named) if mask is not None and name is reader_names else named
    return found


def reader_names(parties: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Of readers."""
    return {user.pk: user.display_name for user in User.objects.filter(pk__in=list(parties))}
