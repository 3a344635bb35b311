"""Writing the append-only trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from curation.models import AuditEvent

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping

    from curation.models import Case, User

LOOKED = "case.looked"
# Keys of looks that this process knows to be written: the database has the last word, this saves asking it.
_looks: set[str] = set()
MOST_REMEMBERED = 20_000
BATCH = 1000


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
    return AuditEvent.objects.create(
        actor=actor,
        actor_name=actor.username if actor else "",
        action=action,
        benchmark_id=benchmark_id,
        object_type=object_type,
        object_id=object_id,
        before=before,
        after=after,
    )


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
    hour = f"{timezone.now():%Y-%m-%dT%H}"
    new = {key: case_id for case_id in cases if (key := f"look:{user.pk}:{case_id}:{hour}") not in _looks}
    if not new:
        return
    AuditEvent.objects.bulk_create(
        [
            AuditEvent(
                actor=user,
                actor_name=user.username,
                action=LOOKED,
                benchmark_id=cases[case_id],
                object_type="case",
                object_id=str(case_id),
                after={"hour": f"{hour}:00Z"},
                once=key,
            )
            for key, case_id in new.items()
        ],
        ignore_conflicts=True,
    )
    transaction.on_commit(lambda: _remember(new))


def _remember(keys: Iterable[str]) -> None:
    if len(_looks) >= MOST_REMEMBERED:
        _looks.clear()
    _looks.update(keys)
