"""What people are called, for whoever looks.

Curators know who read what. Everybody else weighs words, not people: whoever has read a case is R1, R2 … on it, in the
order of their first submits, so that a number that somebody wrote down stays that reader's; and in numbers over a whole
benchmark a reader goes by a code that holds there only. Oneself one always knows, and staff who have not read a case go
by their names: they answer for what they do as staff.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Q

from annotations.models import ReadingRevision, ReadingState
from curation.models import Membership, Role
from curation.permissions import CURATE, SEE_OTHERS

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping

    from curation.models import Benchmark, Case, User

_OUT = (ReadingState.CLOSED, ReadingState.SURPLUS)
SOMEBODY = "a reader"
LETTERS, CODE = 5, 12
"""Of a code in a name, and as an id: 60 bits, which no two readers of a site have alike."""
# As Django's user names; not within a word, so that an e-mail address names nobody.
NAMED = re.compile(r"(?<![\w.@+-])@([\w.@+-]{1,150})")


def sees_names(user: User, benchmark: Benchmark) -> bool:
    """Whether somebody is told who read what."""
    return user.has_perm(CURATE, benchmark)


def numbered(readers: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The number of each reader of a case, from 1, given in the order of their first submits."""
    return {reader: number for number, reader in enumerate(dict.fromkeys(readers), start=1)}


def numbers_of(case_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[uuid.UUID, int]]:
    """Of each case the numbers of those who read it, as the consensus has them; one query."""
    rows = ReadingRevision.objects.filter(reading__case__in=list(case_ids), revision=1)
    rows = rows.exclude(reading__state__in=_OUT).order_by("submitted_at", "reading_id")
    readers: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for case_id, reader_id in rows.values_list("reading__case_id", "reading__reader_id"):
        readers[case_id].append(reader_id)
    return {case_id: numbered(found) for case_id, found in readers.items()}


@dataclass(frozen=True)
class Mask:
    """That somebody is not told the names of a benchmark's readers; equal for equal viewers."""

    benchmark_id: uuid.UUID
    viewer_id: uuid.UUID

    @classmethod
    def of(cls, viewer: User, benchmark: Benchmark) -> Mask | None:
        """None for who is told."""
        return None if sees_names(viewer, benchmark) else cls(benchmark.pk, viewer.pk)

    def code(self, reader_id: uuid.UUID) -> str:
        """A name that tells one reader of this benchmark from another, and nothing else; no query."""
        return f"Reader {self._letters(reader_id)[:LETTERS]}"

    def told_id(self, reader_id: uuid.UUID) -> str:
        """As `code`, what stands for a reader's id wherever one is told or asked for; of oneself the id."""
        return str(reader_id) if reader_id == self.viewer_id else self._letters(reader_id)[:CODE]

    def _letters(self, reader_id: uuid.UUID) -> str:
        key = b"reader code:" + settings.SECRET_KEY.encode()
        digest = hmac.digest(key, f"{self.benchmark_id}:{reader_id}".encode(), hashlib.sha256)
        return base64.b32encode(digest).decode()

    def applied(self, names: Mapping[uuid.UUID, str]) -> dict[uuid.UUID, str]:
        """Names of readers as the viewer gets them."""
        return {pk: name if pk == self.viewer_id else self.code(pk) for pk, name in names.items()}


@dataclass(frozen=True)
class CaseNames:
    """What the people of some cases are called for one viewer; made once for all that is shown."""

    viewer: User
    # Only of cases whose people the viewer is not told; and there, who reads in the benchmark.
    numbers: Mapping[uuid.UUID, Mapping[uuid.UUID, int]]
    readers: Mapping[uuid.UUID, frozenset[uuid.UUID]]
    # Cases of which the viewer may know who has submitted: not a reader, who hears only of those that speak up.
    told_of_readings: frozenset[uuid.UUID]

    @classmethod
    def of(cls, viewer: User, cases: Iterable[Case]) -> CaseNames:
        """For cases with their benchmarks: two queries, none for a curator."""
        hidden = {case.pk: case.benchmark for case in cases if not sees_names(viewer, case.benchmark)}
        if not hidden:
            return cls(viewer, {}, {}, frozenset())
        held = Membership.objects.filter(Q(benchmark__in=set(hidden.values())) | Q(benchmark=None), role=Role.READER)
        members = list(held.values_list("benchmark_id", "user_id"))
        numbers = numbers_of(hidden)
        return cls(
            viewer,
            {pk: numbers.get(pk, {}) for pk in hidden},
            {
                pk: frozenset(user for where, user in members if where in (None, benchmark.pk))
                for pk, benchmark in hidden.items()
            },
            frozenset(pk for pk, benchmark in hidden.items() if viewer.has_perm(SEE_OTHERS, benchmark)),
        )

    def are_told(self, case_id: uuid.UUID) -> bool:
        """Whether the viewer is told who read a case."""
        return case_id not in self.numbers

    def alias(self, user_id: uuid.UUID, case_id: uuid.UUID) -> str | None:
        """How somebody is called who speaks on a case; None for the own name."""
        if self.are_told(case_id) or user_id == self.viewer.pk:
            return None
        number = self.numbers[case_id].get(user_id)
        if number is not None:
            return f"R{number}"
        return SOMEBODY if user_id in self.readers[case_id] else None

    def alias_of_named(self, user_id: uuid.UUID, case_id: uuid.UUID) -> str | None:
        """How somebody is called whom a comment names: to a reader alike whether or not they have read the case."""
        alias = self.alias(user_id, case_id)
        return alias if alias is None or case_id in self.told_of_readings else SOMEBODY

    def person(self, user: User | None, case_id: uuid.UUID) -> dict[str, Any] | None:
        """Who, as far as a page says it."""
        return person(user, None if user is None else self.alias(user.pk, case_id))


def person(user: User | None, alias: str | None = None, *, is_id_told: bool = True) -> dict[str, Any] | None:
    """Who, by their own name unless they go by another; the id, by which pairs tell readers apart, where it is told."""
    if user is None:
        return None
    if alias is not None:
        return {"id": None, "username": alias, "name": alias}
    return {"id": str(user.pk) if is_id_told else None, "username": user.username, "name": user.display_name}


def spellings(name: str) -> tuple[str, str]:
    """A name as it was written after @, and without what ends a sentence: a name may end in a full stop too."""
    return name, name.rstrip(".@+-")


def without_names(text: str, aliases: Mapping[str, str]) -> str:
    """A text in which those who go by another name are named by it.

    Examples
    --------
    >>> without_names("See @omar. Or @rosa?", {"omar": "R2", "rosa": "a reader"})
    'See @R2. Or @reader?'
    """

    def other(found: re.Match[str]) -> str:
        name = next((one for one in spellings(found[1]) if one in aliases), None)
        return found[0] if name is None else f"@{aliases[name].split()[-1]}{found[1][len(name) :]}"

    return NAMED.sub(other, text)
