"""Writing the append-only trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from curation.models import AuditEvent
from curation.statements import Statement

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping

    from curation.models import Case, User

LOOKED = "case.looked"
# Keys of looks that this process knows to be written: the database has the last word, this saves asking it.
_looks: set[str] = set()
MOST_REMEMBERED = 20_000
BATCH = 1000

_APPEND = Statement("""
    INSERT INTO curation_auditevent
        (actor_id, actor_name, action, benchmark_id, object_type, object_id, before, after, created_at, uid)
    VALUES (%(actor)s, %(actor_name)s, %(action)s, %(benchmark_id)s, %(object_type)s, %(object_id)s, %(before)s,
        %(after)s, %(created_at)s, %(uid)s)
    RETURNING id""")


@dataclass(frozen=True)
class Once:
    """An event that is told once, however often it happens; `key` names what it is told once of."""

    key: str
    action: str
    benchmark_id: uuid.UUID | None
    object_type: str
    object_id: str
    after: dict[str, Any]


def record(
    action: str,
    *,
    actor: User | None,
    benchmark_id: uuid.UUID | None = None,
    object_type: str = "",
    object_id: str = "",
    before: Any = None,
    after: Any = None,
) -> AuditEvent:
    """Append one event in the caller's transaction.

    Parameters
    ----------
    action
        What was done, such as ``"image.text_checked"``.
    actor
        Who; None for a command or a worker. The name is kept beside the id, since a user may be deleted.
    before, after
        JSON values that say what changed; ids, counts and digests rather than clinical text.
    """
    event = AuditEvent(
        actor=actor,
        actor_name=actor.username if actor else "",
        action=action,
        benchmark_id=benchmark_id,
        object_type=object_type,
        object_id=object_id,
        before=before,
        after=after,
        created_at=timezone.now(),
    )
    columns = {field.name: getattr(event, field.attname) for field in AuditEvent._meta.concrete_fields}
    columns |= {name: None if columns[name] is None else Jsonb(columns[name]) for name in ("before", "after")}
    (event.pk,) = _APPEND.row(**columns) or (None,)
    event._state.adding = False
    return event


def record_cases(
    action: str, changes: Iterable[tuple[Case, Any, Any]], *, actor: User | None, benchmark_id: uuid.UUID
) -> None:
    """Append one event for each of many cases of a benchmark, with before and after, as `record` does."""
    AuditEvent.objects.bulk_create(
        (
            AuditEvent(
                actor=actor,
                actor_name=actor.username if actor else "",
                action=action,
                benchmark_id=benchmark_id,
                object_type="case",
                object_id=str(case.pk),
                before=before,
                after=after,
            )
            for case, before, after in changes
        ),
        batch_size=BATCH,
    )


def look(*, user: User, case: Case) -> None:
    """Append that somebody looks at what others said of a case; once for each person, case and hour.

    Costs one INSERT the first time in a process and nothing after that.
    """
    look_at_all(user=user, cases={case.pk: case.benchmark_id})


def look_at_all(*, user: User, cases: Mapping[uuid.UUID, uuid.UUID]) -> None:
    """As `look`, of every case (id to its benchmark's) of a list that tells what others said; one INSERT for all."""
    hour = this_hour()
    after = {"hour": f"{hour}:00Z"}
    append_once(
        user=user,
        wanted=[
            Once(f"look:{user.pk}:{case_id}:{hour}", LOOKED, benchmark_id, "case", str(case_id), after)
            for case_id, benchmark_id in cases.items()
        ],
    )


def this_hour() -> str:
    """The window within which the same look of one person is told once: an hour of the clock, in UTC."""
    return f"{timezone.now():%Y-%m-%dT%H}"


def is_told(key: str) -> bool:
    """Whether this process knows that an event was told; False says nothing."""
    return key in _looks


def append_once(*, user: User, wanted: Iterable[Once], remember: Iterable[str] = ()) -> None:
    """Append what nobody has told yet: one INSERT for all of it, and no statement where this process knows it told.

    Parameters
    ----------
    remember
        Further keys that `is_told` knows from then on.
    """
    # In one order everywhere: two statements that tell the same in different orders could wait for each other.
    new = sorted((one for one in wanted if one.key not in _looks), key=lambda one: one.key)
    if new:
        AuditEvent.objects.bulk_create(
            [
                AuditEvent(
                    actor=user,
                    actor_name=user.username,
                    action=one.action,
                    benchmark_id=one.benchmark_id,
                    object_type=one.object_type,
                    object_id=one.object_id,
                    after=one.after,
                    once=one.key,
                )
                for one in new
            ],
            ignore_conflicts=True,
        )
    keys = [*(one.key for one in new), *remember]
    if keys:
        transaction.on_commit(lambda: _remember(keys))


def _remember(keys: Iterable[str]) -> None:
    if len(_looks) >= MOST_REMEMBERED:
        _looks.clear()
    _looks.update(keys)
