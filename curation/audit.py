"""Writing the append-only trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curation.models import AuditEvent

if TYPE_CHECKING:
    import uuid

    from curation.models import User


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
