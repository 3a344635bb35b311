"""Reading the trail: who may see which events, what they are narrowed by, and how each is told in words."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.db.models.fields.json import KT

from curation.audit import LOOKED
from curation.looking import IMAGES_SEEN, PAGE_SEEN, ROWS_SEEN, THUMBNAILS_SEEN, TRAIL_SEEN
from curation.models import AuditEvent, AuditSeal, AuditWaiting, Benchmark, Case, Role, User
from curation.permissions import MANAGE_PEOPLE, SEE_TRAIL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from django.db.models import QuerySet

EVENTS_A_PAGE = 50
LARGEST_ID = 2**63 - 1
LONGEST_FILTER = 150
# What was done, in words; an action that is not here is shown as it is stored.
WORDS = {
    "administration.looked": "looked in the administration",
    "assignment.assigned": "assigned a case",
    "assignment.released": "gave a case back",
    "assignment.skipped": "skipped a case",
    "assignment.taken_back": "took a case back",
    "benchmark.changed": "changed a benchmark",
    "benchmark.created": "created a benchmark",
    "benchmark.looked": "looked at a benchmark as a whole",
    "case.changed": "changed a case",
    "case.looked": "looked at a case",
    "case.trail_downloaded": "downloaded the history of a case",
    "cases.imported": "imported cases",
    "comment.reopened": "took a comment up again",
    "comment.resolved": "resolved a comment",
    "comment.written": "wrote a comment",
    "export.asked": "asked for an export",
    "export.downloaded": "downloaded an export",
    "images.looked": "saw the images",
    "images.thumbnail_looked": "saw small pictures of the images",
    "trail.looked": "looked at the audit trail",
    "image.text_checked": "checked an image for burned-in text",
    "model.enrolled": "enrolled a model",
    "model.prompt_changed": "changed what a model is asked",
    "model.registered": "registered a model",
    "benchmark.probing_changed": "changed the rate of probes or training",
    "probes.marked": "made cases probes",
    "probes.unmarked": "took probes back into the queue",
    "protocol.written": "wrote a protocol",
    "reading.aided_opened": "opened a case again with models in view",
    "queue.order_set": "changed the reading order",
    "queue.overlap_set": "changed how many readings are wanted",
    "queue.priority_set": "changed the priority of cases",
    "reading.revised": "took a reading up again",
    "reading.submitted": "submitted a reading",
    "reading.surplus_accepted": "accepted a surplus reading",
    "reading.surplus_closed": "closed a surplus reading",
    "review.closed": "closed a review and wrote the gold",
    "review.discarded": "set a review aside",
    "review.escalated": "escalated a review",
    "review.opened": "opened a review",
    "review.reverted": "reverted a review",
    "run.cancelled": "cancelled a run",
    "schedule.changed": "changed a schedule",
    "schedule.created": "created a schedule",
    "schedule.deleted": "deleted a schedule",
    "schedule.edited": "edited a schedule",
    "schedule.paused": "paused a schedule",
    "schedule.resumed": "resumed a schedule",
    "schedule.run": "ran a schedule",
    "snapshot.exported": "exported a snapshot",
    "snapshot.frozen": "froze a snapshot",
    "snapshot.named": "named a snapshot",
    "user.activated": "let a user in again",
    "user.created": "created a user",
    "user.deactivated": "deactivated a user",
    "user.password_reset": "reset a password",
    "user.role_given": "gave a role",
    "user.role_taken": "took a role away",
    "user.token_made": "made an API token",
    "user.token_revoked": "revoked an API token",
}
# By far the most frequent rows; both pages can leave them out.
LOOKS = (LOOKED, PAGE_SEEN, TRAIL_SEEN, ROWS_SEEN, IMAGES_SEEN, THUMBNAILS_SEEN)
SHOWN = {"changes": "changes only", "looks": "looks only"}


class BadFilter(ValueError):
    """An argument of the page that makes no sense, by name."""


@dataclass(frozen=True)
class Scope:
    """The part of the trail that somebody may see."""

    user: User
    # None: of all benchmarks, and what belongs to none.
    benchmarks: list[Benchmark] | None
    # Benchmarks left out since the user reads there, and so is blind there.
    barred: list[Benchmark]

    def events(self) -> QuerySet[AuditEvent]:
        """The events of this scope."""
        if self.benchmarks is None:
            barred = [benchmark.pk for benchmark in self.barred]
            # A plain exclude would leave out what belongs to no benchmark.
            return AuditEvent.objects.filter(~Q(benchmark_id__in=barred) | Q(benchmark_id=None))
        return AuditEvent.objects.filter(benchmark_id__in=[benchmark.pk for benchmark in self.benchmarks])


@dataclass(frozen=True)
class SealState:
    """How far the chain goes: the last seal, and how many events wait for theirs."""

    last: AuditSeal | None
    waiting: int


@dataclass(frozen=True)
class Told:
    """One event as the page tells it."""

    event: AuditEvent
    did: str
    benchmark: Benchmark | None
    object_name: str
    case_id: str
    person_id: str
    before: list[tuple[str, str]]
    after: list[tuple[str, str]]
    seal: AuditSeal | None


def scope_of(user: User) -> Scope | None:
    """What the user may see of the trail; None for nothing at all.

    An admin of all benchmarks sees everything, a curator the own benchmarks. Whoever reads in a benchmark is blind
    there, so that its events, which tell of other readings, are left out.
    """
    mine = list(Benchmark.objects.visible_to(user).order_by("slug"))
    is_admin = user.has_perm(MANAGE_PEOPLE)
    curated = mine if is_admin else [one for one in mine if user.has_perm(SEE_TRAIL, one)]
    if not curated and not is_admin:
        return None
    barred = [one for one in curated if Role.READER in user.roles_in(one.pk)]
    allowed = [one for one in curated if one not in barred]
    return Scope(user, None if is_admin else allowed, barred)


def narrowed(rows: QuerySet[AuditEvent], given: Mapping[str, str]) -> QuerySet[AuditEvent]:
    """The events that the page's filters ask for, the newest first.

    Raises
    ------
    BadFilter
        Naming the argument and its value.
    """
    for name, value in given.items():
        if name not in _CONDITIONS:
            raise BadFilter(f"{name[:80]} is not a known filter; known: {', '.join(_CONDITIONS)}")
        if "\0" in value or len(value) > LONGEST_FILTER:
            raise BadFilter(f"{name} holds a NUL character or more than {LONGEST_FILTER} characters")
    rows = rows.alias(about=KT("after__case"))
    for name, value in given.items():
        rows = rows.filter(_CONDITIONS[name](value))
    return rows.order_by("-pk")


def seal_state() -> SealState:
    """Two queries, however long the trail is."""
    return SealState(last=AuditSeal.objects.order_by("number").last(), waiting=AuditWaiting.objects.count())


def told(events: list[AuditEvent]) -> list[Told]:
    """Events with the names of what they speak of: four queries, however many events."""
    benchmarks = Benchmark.objects.in_bulk({event.benchmark_id for event in events if event.benchmark_id})
    case_ids = {id_ for event in events if (id_ := _case_of(event))}
    keys = {str(pk): key for pk, key in Case.objects.filter(pk__in=case_ids).values_list("pk", "key")}
    people = _names(event.object_id for event in events if event.object_type == "user")
    seals = {seal.event_id: seal for seal in AuditSeal.objects.filter(event_id__in=[event.pk for event in events])}
    return [
        Told(
            event=event,
            did=WORDS.get(event.action, event.action),
            benchmark=benchmarks.get(event.benchmark_id) if event.benchmark_id else None,
            object_name=keys.get(_case_of(event), "") or people.get(event.object_id, ""),
            case_id=_case_of(event) if _case_of(event) in keys else "",
            person_id=event.object_id if event.object_id in people else "",
            before=in_words(event.before),
            after=[pair for pair in in_words(event.after) if not _is_said(pair[0], event, keys)],
            seal=seals.get(event.pk),
        )
        for event in events
    ]


def _is_said(name: str, event: AuditEvent, keys: Mapping[str, str]) -> bool:
    """Whether a row stands on the page already: the case that an event names is linked, and its time says the hour."""
    return (name == "case" and _case_of(event) in keys) or (name == "hour" and event.action in LOOKS)


def in_words(value: Any) -> list[tuple[str, str]]:
    """A JSON value as rows of name and text; a value that is no object is one row without a name.

    Examples
    --------
    >>> in_words({"new_role": "reader", "is_new": True, "benchmark": None, "n": [1, 2]})
    [('new role', 'reader'), ('is new', 'yes'), ('benchmark', 'none'), ('n', '1, 2')]
    """
    if value is None:
        return []
    if isinstance(value, dict):
        return [(str(name).replace("_", " "), _text(one)) for name, one in value.items()]
    return [("", _text(value))]


def _text(value: Any) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return ", ".join(_text(one) for one in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _case_of(event: AuditEvent) -> str:
    named = event.after.get("case") if isinstance(event.after, dict) else None
    given = event.object_id if event.object_type == "case" else named
    return id_or_nothing(given)


def _names(ids: Iterable[str]) -> dict[str, str]:
    wanted = {id_ for one in ids if (id_ := id_or_nothing(one))}
    return {str(pk): name for pk, name in User.objects.filter(pk__in=wanted).values_list("pk", "username")}


def id_or_nothing(given: object) -> str:
    """A UUID in its plain form, or an empty text."""
    try:
        return str(uuid.UUID(given)) if isinstance(given, str) else ""
    except ValueError:
        return ""


def _day(name: str, given: str, *, days_after: int = 0) -> dt.datetime:
    try:
        day = dt.date.fromisoformat(given) + dt.timedelta(days=days_after)
        return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        raise BadFilter(f"{name}: {given!r} is no day, as in 2026-11-22") from None


def _what(given: str) -> Q:
    if given not in WORDS:
        raise BadFilter(f"what: {given!r} is none of {', '.join(WORDS)}")
    return Q(action=given)


def _show(given: str) -> Q:
    if given not in SHOWN:
        raise BadFilter(f"show: {given!r} is none of {', '.join(SHOWN)}")
    return Q(action__in=LOOKS) if given == "looks" else ~Q(action__in=LOOKS)


def _case(given: str) -> Q:
    found = id_or_nothing(given)
    if not found:
        raise BadFilter(f"case: {given!r} is no id of a case")
    return Q(object_id=found) | Q(about=found)


def _before(given: str) -> Q:
    if not (given.isascii() and given.isdigit() and int(given) <= LARGEST_ID):
        raise BadFilter(f"before: {given!r} is no event's number")
    return Q(pk__lt=int(given))


_CONDITIONS: Mapping[str, Callable[[str], Q]] = {
    # Commands and workers have no name.
    "who": lambda given: Q(actor_name="" if given == "-" else given),
    "what": _what,
    "show": _show,
    "benchmark": lambda given: Q(benchmark_id__in=Benchmark.objects.filter(slug=given).values("pk")),
    "object": lambda given: Q(object_id=given),
    "case": _case,
    "from": lambda given: Q(created_at__gte=_day("from", given)),
    "to": lambda given: Q(created_at__lt=_day("to", given, days_after=1)),
    "before": _before,
}
