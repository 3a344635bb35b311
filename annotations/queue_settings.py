"""What a curator may set of a benchmark's queue at once: order, overlap, who gets cases, and whether it is paused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from annotations import ordering
from curation import audit, events
from curation.models import Benchmark, Role

if TYPE_CHECKING:
    from curation.models import User


@dataclass(frozen=True)
class Settings:
    """The settings of a queue. None leaves what is set."""

    policy: str | None = None
    seed: int | None = None
    random_share: float | None = None
    overlap: int | None = None
    is_push_only: bool | None = None
    is_paused: bool | None = None


@transaction.atomic
def change(*, benchmark: Benchmark, wanted: Settings, actor: User) -> Benchmark:
    """Set what is wanted, all of it or, if one thing is refused, nothing.

    Raises
    ------
    annotations.ordering.BadOrder
        Naming the value that is none.
    """
    ordering.set_reading_order(
        benchmark=benchmark,
        policy=wanted.policy or benchmark.order_policy,
        seed=wanted.seed,
        random_share=wanted.random_share,
        actor=actor,
    )
    if wanted.overlap is not None:
        ordering.set_overlap(benchmark=benchmark, overlap=wanted.overlap, actor=actor)
    _set_flags(benchmark, wanted, actor)
    benchmark.refresh_from_db()
    return benchmark


def _set_flags(benchmark: Benchmark, wanted: Settings, actor: User) -> None:
    given = {"is_push_only": wanted.is_push_only, "is_paused": wanted.is_paused}
    locked = Benchmark.objects.select_for_update(no_key=True).get(pk=benchmark.pk)
    after = {name: value for name, value in given.items() if value is not None and getattr(locked, name) != value}
    if not after:
        return
    before = {name: getattr(locked, name) for name in after}
    Benchmark.objects.filter(pk=locked.pk).update(**after)
    audit.record(
        "benchmark.changed",
        actor=actor,
        benchmark_id=locked.pk,
        object_type="benchmark",
        object_id=locked.slug,
        before=before,
        after=after,
    )
    # Pages that wait for a case ask again; the event says nothing of anybody's readings.
    events.publish(ordering.CHANGED, benchmark_id=locked.pk, least_role=Role.READER)
