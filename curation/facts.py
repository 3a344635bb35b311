"""The read model of cases: one CaseFacts row each, written only here."""

from __future__ import annotations

import importlib
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils.module_loading import import_string

from curation import reading_order
from curation.models import Case, CaseFacts, CaseImage
from curation.reading_order import Wishes
from curation.signals import queue_moved

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable, Iterable, Iterator

    Facts = dict[str, Any]
    Section = Callable[[list[uuid.UUID]], dict[uuid.UUID, Facts]]

FIELDS = tuple(field.name for field in CaseFacts._meta.concrete_fields if not field.primary_key)
BATCH = 500


def _wishes(case_ids: list[uuid.UUID]) -> dict[uuid.UUID, tuple[uuid.UUID, Wishes]]:
    """Of each case, its benchmark and what both say of the order."""
    rows = Case.objects.filter(pk__in=case_ids).values_list(
        "pk",
        "benchmark_id",
        "benchmark__order_policy",
        "benchmark__order_seed",
        Coalesce("overlap", "benchmark__overlap"),
        "is_probe",
        "priority",
        "position",
    )
    return {pk: (benchmark_id, Wishes(*said)) for pk, benchmark_id, *said in rows}


def image_facts(case_ids: list[uuid.UUID]) -> dict[uuid.UUID, Facts]:
    """This app's part: how many images a case has, and of which modalities."""
    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    rows = CaseImage.objects.filter(case__in=case_ids).values_list("case_id", "modality", "asset__modality")
    for case_id, given, sniffed in rows:
        found[case_id].append(given or sniffed)
    return {
        case_id: {"image_count": len(names), "modalities": " ".join(sorted({name for name in names if name}))[:200]}
        for case_id, names in found.items()
    }


def _compute(case_ids: list[uuid.UUID], *, are_new: bool = False) -> Iterator[CaseFacts]:
    others = [] if are_new else [import_string(path) for path in settings.FACT_SECTIONS]
    sections: list[Section] = [image_facts, *others]
    merged: dict[uuid.UUID, Facts] = {case_id: {} for case_id in case_ids}
    for section in sections:
        for case_id, facts in section(case_ids).items():
            merged[case_id].update(facts)
    for case_id, (benchmark_id, wishes) in _wishes(case_ids).items():
        found = merged[case_id]
        found.update(reading_order.derived(wishes, case_id, found), benchmark_id=benchmark_id, position=wishes.position)
    return (CaseFacts(case_id=case_id, **facts) for case_id, facts in merged.items())


def record_new(case_ids: list[uuid.UUID]) -> None:
    """Store the facts of cases that the caller's transaction has just made: nobody has said anything of them yet."""
    CaseFacts.objects.bulk_create(_compute(case_ids, are_new=True))


@transaction.atomic
def record(case_ids: Iterable[uuid.UUID]) -> int:
    """Compute and store the facts of these cases, in the caller's transaction; returns how many.

    Every app's part comes from settings.FACT_SECTIONS: functions from a batch of case ids to
    ``{case_id: {field: value}}``. A field that no section names keeps its default.

    Notes
    -----
    The cases are locked first: of two submissions of one case at the same time the second would otherwise count
    without seeing the first.
    """
    locked = Case.objects.select_for_update(no_key=True).filter(pk__in=list(case_ids)).order_by("pk")
    known = list(locked.values_list("pk", flat=True))
    for start in range(0, len(known), BATCH):
        _store(known[start : start + BATCH])
    return len(known)


def _store(case_ids: list[uuid.UUID]) -> None:
    # Locked before they are computed, so that a change of the whole order that is under way is seen.
    locked = CaseFacts.objects.select_for_update(no_key=True).filter(pk__in=case_ids).order_by("pk")
    before = {row.case_id: row for row in locked.only("is_open", "order_key")}
    rows = list(_compute(case_ids))
    CaseFacts.objects.bulk_create(rows, update_conflicts=True, unique_fields=["case"], update_fields=list(FIELDS))
    moved: dict[uuid.UUID, tuple[float, int]] = {}
    for row in rows:
        old = before.get(row.case_id)
        if row.is_open and (old is None or not old.is_open or row.order_key < old.order_key):
            place = (row.order_key, row.position)
            moved[row.benchmark_id] = min(place, moved.get(row.benchmark_id, place))
    for benchmark_id, (order_key, position) in moved.items():
        tell = partial(
            queue_moved.send_robust,
            sender=CaseFacts,
            benchmark_id=benchmark_id,
            order_key=order_key,
            position=position,
        )
        transaction.on_commit(tell)


def record_readings(case_id: uuid.UUID, *, submitted: int, opened: int, begun: int, is_drawn: bool) -> None:
    """Store how a case was read, and its place in the queue that follows, without a look at its other facts.

    The caller has locked the case and, in a statement before, the row of its facts. The numbers are those of
    annotations' `reading_facts`, counted in the same transaction.
    """
    reading_order.write_readings(case_id, submitted=submitted, opened=opened, begun=begun, is_drawn=is_drawn)


def differing(case_ids: Iterable[uuid.UUID]) -> list[tuple[str, str, Any, Any]]:
    """Where stored facts differ from their sources: (case id, field, stored, computed); a missing row is all None."""
    wanted = list(case_ids)
    found: list[tuple[str, str, Any, Any]] = []
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        stored = CaseFacts.objects.in_bulk(batch)
        for computed in _compute(batch):
            row = stored.get(computed.case_id)
            for name in FIELDS:
                kept, true = getattr(row, name, None), getattr(computed, name)
                if row is None or kept != true:
                    found.append((str(computed.case_id), name, kept, true))
    return found


def rebuild(case_ids: Iterable[uuid.UUID]) -> None:
    """Record these cases anew, here and in every read model of settings.READ_MODELS."""
    wanted = list(case_ids)
    record(wanted)
    for path in settings.READ_MODELS:
        importlib.import_module(path).record(wanted)


def all_differing(case_ids: Iterable[uuid.UUID]) -> list[tuple[str, str, Any, Any]]:
    """As `differing`, with the read models of settings.READ_MODELS: modules that have a `differing` of their own."""
    wanted = list(case_ids)
    found = differing(wanted)
    for path in settings.READ_MODELS:
        found += importlib.import_module(path).differing(wanted)
    return found
