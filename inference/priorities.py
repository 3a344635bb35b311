"""One disagreement score of each case, written down for the queue and for lists: rows written only here."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from annotations.models import AgreementScore, CaseAgreement, CasePriority
from curation import events, facts
from curation.formats.canonical import canonical_digest
from curation.models import Case, Role
from inference.comparing import Compared, compared, parts_of, seen_maps
from inference.metrics import priority
from inference.models import JobState, RunKind, ScoringRun

if TYPE_CHECKING:
    from collections.abc import Iterable

PRIORITY_CHANGED = "priority.changed"
BATCH = 500
MOST_AT_ONCE = 1000
FIELDS = ("value", "parts", "version", "inputs_digest")

PART_WORDS = {
    priority.READER_ANSWERS: "Readers' answers",
    priority.READER_REGIONS: "Readers' regions",
    priority.MODEL_ANSWERS: "Model against each reader's answer",
    priority.MODEL_VOTES: "Model against all readers' votes",
    priority.MODEL_REGIONS: "Model's attention against readers' regions",
    priority.BETWEEN_ANSWERS: "Models' options",
    priority.BETWEEN_ATTENTION: "Models' attention",
}
PART_MEANING = {
    priority.READER_ANSWERS: "entropy of the readers' votes over the most that so many readers could differ",
    priority.READER_REGIONS: "1 − matched IoU of each two readers",
    priority.MODEL_ANSWERS: "1 − the model's probability of the reader's option",
    priority.MODEL_VOTES: "Jensen–Shannon divergence of the readers' votes and the model's option probabilities",
    priority.MODEL_REGIONS: "1 − AUROC of the model's attention against the reader's regions; 0.5 is chance",
    priority.BETWEEN_ANSWERS: "Jensen–Shannon divergence of each two models' option probabilities",
    priority.BETWEEN_ATTENTION: "Jensen–Shannon divergence of where each two models look, at their headline layers",
}
FAMILIES = {
    "readers": (priority.READER_ANSWERS, priority.READER_REGIONS),
    "against": (priority.MODEL_ANSWERS, priority.MODEL_VOTES, priority.MODEL_REGIONS),
    "models": (priority.BETWEEN_ANSWERS, priority.BETWEEN_ATTENTION),
}
"""Readers among themselves, readers against models, models among themselves: what lists have room for."""
COUNTED = {
    priority.READER_ANSWERS: ("reader", "readers"),
    priority.READER_REGIONS: ("pair of readers", "pairs of readers"),
    priority.MODEL_ANSWERS: ("pair of model and reader", "pairs of model and reader"),
    priority.MODEL_VOTES: ("model", "models"),
    priority.MODEL_REGIONS: ("pair of model and reader", "pairs of model and reader"),
    priority.BETWEEN_ANSWERS: ("pair of models", "pairs of models"),
    priority.BETWEEN_ATTENTION: ("pair of models", "pairs of models"),
}
"""Of what a part is the mean: of one, of several."""


@transaction.atomic
def record(case_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """Compute and store the disagreement of these cases, and the facts of those whose it changes; returns those."""
    changed = write(case_ids)
    facts.record(changed)
    return changed


@transaction.atomic
def write(case_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """Store the disagreement of these cases and publish what changed; returns those that changed.

    For callers that record the facts of the cases afterwards in the same transaction; else `record`.

    Notes
    -----
    Inputs that are as they were write nothing. The cases are locked first, as for their facts: of two that compute one
    case at the same time, the second sees what the first has seen and more.
    """
    locked = Case.objects.select_for_update(no_key=True).filter(pk__in=list(case_ids)).order_by("pk")
    known = list(locked.values_list("pk", flat=True))
    changed: list[CasePriority] = []
    for start in range(0, len(known), BATCH):
        batch = known[start : start + BATCH]
        stored = CasePriority.objects.in_bulk(batch)
        changed += _changes(compared(batch), stored)
    CasePriority.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["case"],
        update_fields=[*FIELDS, "benchmark_id", "updated_at"],
        batch_size=BATCH,
    )
    _tell(changed)
    return [row.case_id for row in changed]


def catch_up() -> int:
    """Compute the cases whose agreement changed while nobody listened; returns how many were looked at.

    Agreement tells of a change after its commit: whoever dies in between leaves the score behind.
    """
    overlaps = AgreementScore.objects.filter(case=OuterRef("case"), matched_iou__isnull=False)
    behind = CaseAgreement.objects.filter(
        Q(case__disagreement__updated_at__lt=F("computed_at"))
        | Q(Exists(overlaps), case__disagreement__isnull=True, readers__gte=2)
    )
    case_ids = list(behind.order_by("computed_at").values_list("case_id", flat=True)[:MOST_AT_ONCE])
    if case_ids:
        record(case_ids)
        # Also where nothing moved: it has been looked at.
        CasePriority.objects.filter(case__in=case_ids).update(updated_at=timezone.now())
    return len(case_ids)


def _changes(found: dict[uuid.UUID, Compared], stored: dict[uuid.UUID, CasePriority]) -> list[CasePriority]:
    """The rows to write: of cases whose inputs are others than those of the stored row."""
    moved = {
        case_id: row
        for case_id, row in found.items()
        if case_id not in stored or stored[case_id].inputs_digest != canonical_digest(row.as_json())
    }
    rows = _computed(moved)
    # A case of which there is nothing to say has no row until there is.
    return [row for row in rows if row.value is not None or row.case_id in stored]


def _computed(found: dict[uuid.UUID, Compared]) -> list[CasePriority]:
    pairs = [one for row in found.values() if len(row.predictions) > 1 for one in row.predictions]
    maps = seen_maps(pairs)
    now = timezone.now()
    rows = []
    for case_id, row in sorted(found.items()):
        parts = parts_of(row, maps)
        combined = priority.combine(parts)
        rows.append(
            CasePriority(
                case_id=case_id,
                benchmark_id=row.case.benchmark_id,
                value=combined.value,
                parts={
                    name: {"value": parts[name].value, "weight": weight, "n": parts[name].n}
                    for name, weight in combined.weights.items()
                },
                version=priority.FORMULA_VERSION,
                inputs_digest=canonical_digest(row.as_json()),
                updated_at=now,
            )
        )
    return rows


def _tell(changed: list[CasePriority]) -> None:
    """To staff who do not read there: the score tells of others' readings and of models."""
    by_benchmark: dict[uuid.UUID, list[uuid.UUID]] = {}
    for row in changed:
        by_benchmark.setdefault(row.benchmark_id, []).append(row.case_id)
    for benchmark_id, case_ids in by_benchmark.items():
        events.publish_cases(
            PRIORITY_CHANGED, case_ids, benchmark_id=benchmark_id, least_role=Role.REVIEWER, is_blinded=True
        )


def differing(case_ids: Iterable[uuid.UUID]) -> list[tuple[str, str, Any, Any]]:
    """Where stored scores differ from their sources: (case id, field, stored, computed).

    Cases with a scoring run that is still to be done are left out, as for verdicts: their sources are ahead by intent.
    """
    wanted = list(case_ids)
    found: list[tuple[str, str, Any, Any]] = []
    for start in range(0, len(wanted), BATCH):
        batch = set(wanted[start : start + BATCH])
        batch -= set(
            ScoringRun.objects.filter(kind=RunKind.CASE, case__in=batch)
            .exclude(state__in=[JobState.DONE, JobState.CANCELLED])
            .values_list("case_id", flat=True)
        )
        stored = CasePriority.objects.in_bulk(batch)
        for true in _computed(compared(batch)):
            kept = stored.get(true.case_id)
            if kept is None and true.value is None:
                continue
            found += [
                (str(true.case_id), f"disagreement {name}", getattr(kept, name, None), getattr(true, name))
                for name in FIELDS
                if kept is None or getattr(kept, name) != getattr(true, name)
            ]
    return found


def family(row: CasePriority | None, name: str) -> float | None:
    """One family's own weighted mean, in [0, 1]; None where nothing of it could be compared."""
    parts = [row.parts[one] for one in FAMILIES[name] if one in row.parts] if row is not None else []
    weights = sum(part["weight"] for part in parts)
    return sum(part["weight"] * part["value"] for part in parts) / weights if weights else None


def describe(row: CasePriority | None) -> dict[str, Any]:
    """A case's disagreement as JSON: every part there is, and those that are missing with null."""
    parts = row.parts if row is not None else {}
    missing = {"value": None, "weight": 0.0, "n": 0}
    return {
        "value": row.value if row is not None else None,
        "version": row.version if row is not None else priority.FORMULA_VERSION,
        "updated_at": row.updated_at if row is not None else None,
        "parts": [
            {
                "name": name,
                "title": PART_WORDS[name],
                "meaning": PART_MEANING[name],
                "counted": COUNTED[name][parts.get(name, missing)["n"] != 1],
                **parts.get(name, missing),
                "full_weight": weight,
            }
            for name, weight in priority.WEIGHTS.items()
        ],
    }
