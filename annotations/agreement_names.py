"""Who the parties of agreement are, for whoever shows them, and whom an address means."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.module_loading import import_string

from annotations.models import PartyKind
from curation.models import Case, User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from annotations.agreement_rows import Slice
    from annotations.naming import Mask


@dataclass(frozen=True)
class Party:
    """Whom an address means, and the id by which whoever looks is told of them."""

    id: uuid.UUID
    told: str

    def __str__(self) -> str:
        """As an address has it."""
        return self.told


def names(parties: Iterable[uuid.UUID], mask: Mask | None = None) -> dict[uuid.UUID, str]:
    """A name for each party that has one, from the functions of settings.PARTY_NAMES: readers here, models above.

    Parameters
    ----------
    mask
        Of somebody who is not told who the readers are (`annotations.naming`).
    """
    wanted = set(parties)
    found: dict[uuid.UUID, str] = {}
    for name in _sources():
        named = name(wanted)
        found |= mask.applied(named) if mask is not None and name is reader_names else named
    return found


def _sources() -> list[Callable[[set[uuid.UUID]], dict[uuid.UUID, str]]]:
    return [import_string(path) for path in settings.PARTY_NAMES]


def reader_names(parties: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Of readers."""
    return {user.pk: user.display_name for user in User.objects.filter(pk__in=list(parties))}


def told_id(party: uuid.UUID, kind: PartyKind, mask: Mask | None) -> str:
    """The id of a party as whoever looks is told it: of a reader a code, unless they are told names."""
    return mask.told_id(party) if mask is not None and kind == PartyKind.READER else str(party)


def by_told_id(found: Iterable[Slice], mask: Mask | None) -> list[Slice]:
    """Slices by reader under the ids that are told, in their order: that of the true ids would tell them again."""
    if mask is None:
        return list(found)
    told = (replace(one, key=mask.told_id(uuid.UUID(one.key))) for one in found)
    return sorted(told, key=lambda one: one.key)


def party_of(text: str, mask: Mask | None) -> Party:
    """Whom an id in an address means: of a reader the code, unless whoever asks is told names.

    Raises
    ------
    ValueError
        If it is no id; to who is told codes alike whether a reader has it or nobody.
    """
    if mask is None:
        try:
            return Party(uuid.UUID(text), str(uuid.UUID(text)))
        except ValueError:
            raise ValueError(f"{text[:40]!r} is no id") from None
    found = [pk for pk in User.objects.values_list("pk", flat=True) if mask.told_id(pk) == text]
    if len(found) == 1:
        return Party(found[0], text)
    try:
        party = uuid.UUID(text)
    except ValueError:
        party = None
    if party is None or not _is_told(party, mask):
        raise ValueError(f"{text[:40]!r} is nobody here")
    return Party(party, str(party))


def _is_told(party: uuid.UUID, mask: Mask) -> bool:
    """Whether an id is oneself, a model or the gold of a case, of which everybody here is told the ids."""
    if party == mask.viewer_id or any(source({party}) for source in _sources() if source is not reader_names):
        return True
    return Case.objects.filter(benchmark=mask.benchmark_id, pk=party).exists()
