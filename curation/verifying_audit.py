"""Walking the chain of seals: the first event or seal that was changed, removed or put in, by name."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef

from curation.models import AuditEvent, AuditSeal, AuditWaiting
from curation.sealing import GENESIS, seal_digest

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = 1000
# Longer than any transaction is open between noting an event and its commit: a task is killed after one hour.
LONGEST_TRANSACTION = dt.timedelta(hours=2)
# The clocks of the machine that wrote an event and of the one that sealed it may differ.
LONGEST_SKEW = dt.timedelta(minutes=10)


@dataclass(frozen=True)
class Broken:
    """The first thing that is not as it was sealed."""

    kind: str
    event: int | None
    seal: int | None
    detail: str


@dataclass(frozen=True)
class Verdict:
    """What a walk found.

    `head` is the last seal that holds, as ``"NUMBER:DIGEST"``; kept elsewhere, it shows later that the whole chain up
    to it is still the same.
    """

    sealed: int
    waiting: int
    waiting_since: dt.datetime | None
    head: str
    broken: Broken | None


@dataclass(frozen=True)
class Link:
    """A seal with its event, None where that is gone."""

    seal: AuditSeal
    event: AuditEvent | None

    def digest_after(self, previous: str) -> str | None:
        """What the seal's digest must be behind `previous`."""
        if self.event is None:
            return None
        return seal_digest(previous, self.event, number=self.seal.number, sealed_at=self.seal.sealed_at)


@dataclass
class _Walk:
    """Where a walk stands; nothing in it grows with the trail."""

    digest: str = GENESIS
    number: int = 0
    sealed_at: dt.datetime | None = None
    newest: AuditEvent | None = None
    head: str = f"0:{GENESIS}"


def verify_trail(*, anchor: tuple[int, str] | None = None) -> Verdict:
    """Walk every seal and its event, in memory that does not grow with them.

    Parameters
    ----------
    anchor
        Number and digest of a seal, noted outside of the database earlier: a chain that was written anew from the
        beginning is whole in itself and differs there.
    """
    walk = _Walk()
    broken = _walk(walk, anchor)
    if broken is None and anchor is not None and anchor[0] > walk.number:
        broken = Broken("missing_seal", None, anchor[0], f"seal {anchor[0]} was noted earlier and is gone")
    unsealed = AuditEvent.objects.filter(~Exists(AuditSeal.objects.filter(event_id=OuterRef("pk"))))
    broken = broken or _break_in_tail()
    oldest = unsealed.order_by("pk").first()
    return Verdict(
        sealed=walk.number,
        waiting=unsealed.count(),
        waiting_since=oldest.created_at if oldest else None,
        head=walk.head,
        broken=broken,
    )


def _walk(walk: _Walk, anchor: tuple[int, str] | None) -> Broken | None:
    links = _links()
    link = next(links, None)
    while link is not None:
        after = next(links, None)
        broken = _break_at(walk, link, after)
        if broken is None and anchor is not None and link.seal.number == anchor[0] and link.seal.digest != anchor[1]:
            detail = f"seal {anchor[0]} has another digest than was noted earlier: the chain up to it was written anew"
            broken = Broken("rewritten", link.seal.event_id, anchor[0], detail)
        if broken is not None:
            return broken
        _step(walk, link)
        link = after
    return None


def _step(walk: _Walk, link: Link) -> None:
    walk.number, walk.digest, walk.sealed_at = link.seal.number, link.seal.digest, link.seal.sealed_at
    walk.head = f"{walk.number}:{walk.digest}"
    if link.event is not None and (walk.newest is None or link.event.pk > walk.newest.pk):
        walk.newest = link.event


def _break_at(walk: _Walk, link: Link, after: Link | None) -> Broken | None:
    seal, event = link.seal, link.event
    wanted = walk.number + 1
    if seal.number != wanted:
        return Broken("missing_seal", None, wanted, f"seal {wanted} is gone; the next one is seal {seal.number}")
    if event is None:
        return Broken("missing_event", seal.event_id, seal.number, f"event {seal.event_id} is gone; it was sealed")
    digest = link.digest_after(walk.digest)
    if digest != seal.digest:
        return _changed(link, str(digest), after)
    return _out_of_time(walk, link)


def _changed(link: Link, digest: str, after: Link | None) -> Broken:
    """Which of the two was changed: the next seal was made over the digest that is right."""
    seal, event_id = link.seal, link.seal.event_id
    found = f"seal {seal.number} has the digest {seal.digest}, and event {event_id} gives {digest}"
    if after is not None and after.digest_after(digest) == after.seal.digest:
        return Broken("changed_seal", event_id, seal.number, f"seal {seal.number} was changed: {found}")
    if after is not None and after.digest_after(seal.digest) == after.seal.digest:
        return Broken("changed_event", event_id, seal.number, f"event {event_id} was changed: {found}")
    detail = f"event {event_id}, its seal, or the order of the seals was changed: {found}"
    return Broken("changed", event_id, seal.number, detail)


def _out_of_time(walk: _Walk, link: Link) -> Broken | None:
    """An event that claims a time at which it would have been sealed before others that were."""
    event, newest = link.event, walk.newest
    if event is not None and event.created_at > link.seal.sealed_at + LONGEST_SKEW:
        detail = (
            f"event {event.pk} was put in by hand: it claims {event.created_at:%Y-%m-%d %H:%M:%S} UTC and was sealed "
            f"{link.seal.sealed_at:%Y-%m-%d %H:%M:%S} UTC, before that"
        )
        return Broken("inserted", event.pk, link.seal.number, detail)
    if event is None or newest is None or walk.sealed_at is None:
        return None
    # Sealing goes by id: a lower id behind a higher one committed after that one was sealed.
    bound = walk.sealed_at if event.pk < newest.pk else newest.created_at
    if event.created_at >= bound - LONGEST_TRANSACTION:
        return None
    detail = (
        f"event {event.pk} was put in later: it claims {event.created_at:%Y-%m-%d %H:%M:%S} UTC and stands behind "
        f"event {newest.pk} of {newest.created_at:%Y-%m-%d %H:%M:%S} UTC"
    )
    return Broken("inserted", event.pk, link.seal.number, detail)


def _break_in_tail() -> Broken | None:
    """Events that no trigger noted, and noted ones that are gone."""
    waiting = AuditWaiting.objects.filter(event_id=OuterRef("pk"))
    sealed = AuditSeal.objects.filter(event_id=OuterRef("pk"))
    # One query, so that an event sealed meanwhile is not seen between the two tables.
    stranger = AuditEvent.objects.filter(~Exists(sealed), ~Exists(waiting)).order_by("pk").first()
    if stranger is not None:
        detail = f"event {stranger.pk} was put in past the trigger that notes what is to be sealed"
        return Broken("inserted", stranger.pk, None, detail)
    event = AuditEvent.objects.filter(pk=OuterRef("event_id"))
    gone = AuditWaiting.objects.filter(~Exists(event)).order_by("event_id").first()
    if gone is not None:
        return Broken("missing_event", gone.event_id, None, f"event {gone.event_id} is gone; it was not sealed yet")
    return None


def _links() -> Iterator[Link]:
    last: int | None = None
    while True:
        rows = AuditSeal.objects.order_by("number")
        page = list(rows[:PAGE] if last is None else rows.filter(number__gt=last)[:PAGE])
        events = AuditEvent.objects.in_bulk([seal.event_id for seal in page])
        for seal in page:
            yield Link(seal, events.get(seal.event_id))
        if len(page) < PAGE:
            return
        last = page[-1].number
