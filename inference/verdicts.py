"""The read model of verdicts: rows written only here, by scoring in its transaction, from stored scores alone."""

from __future__ import annotations

import uuid
from statistics import fmean
from typing import TYPE_CHECKING, Any

from django.db import transaction

from inference.currency import VERDICT_VERSION, headline_layer, why_prediction_stale
from inference.metrics.verdicts import GroundingRow, case_value, quadrant
from inference.models import (
    JobState,
    MapKind,
    Prediction,
    RunKind,
    ScoringRun,
    TargetKind,
    Verdict,
    VerdictTarget,
)
from inference.sources import (
    KL_NORM,
    POINTING,
    RATIO,
    Scored,
    Sources,
    Target,
    newest_predictions,
    scored_rows,
    sources_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

BATCH = 500
NO_REGION = "no_region"
NOT_SCORED = "not_scored"
NO_NULL = "no_null"
KEY = ("prediction_id", "target_kind", "target_id")
FIELDS = tuple(column.attname for column in Verdict._meta.concrete_fields if column.name not in ("id", "prediction"))


@transaction.atomic
def record(case_ids: Iterable[uuid.UUID]) -> int:
    """Compute and store the verdicts of these cases, in the caller's transaction; returns how many rows there are.

    Rows of older predictions, and of targets that are no more, go.
    """
    known = list(case_ids)
    written = 0
    for start in range(0, len(known), BATCH):
        batch = known[start : start + BATCH]
        rows = list(_compute(batch))
        keep = {(row.prediction_id, row.target_kind, row.target_id) for row in rows}
        stored = Verdict.objects.filter(case__in=batch).values_list("pk", *KEY)
        Verdict.objects.filter(pk__in=[pk for pk, *key in stored if tuple(key) not in keep]).delete()
        Verdict.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=list(KEY),
            update_fields=[name for name in FIELDS if name not in KEY],
        )
        written += len(rows)
    return written


def differing(case_ids: Iterable[uuid.UUID]) -> list[tuple[str, str, Any, Any]]:
    """Where stored verdicts differ from their sources: (case id, field, stored, computed).

    Cases with a scoring run that is still to be done are left out: their sources are ahead by intent, and a row that
    is behind says so by its keys.
    """
    wanted = list(case_ids)
    found: list[tuple[str, str, Any, Any]] = []
    for start in range(0, len(wanted), BATCH):
        batch = settled(wanted[start : start + BATCH])
        computed = {_key(row): row for row in _compute(batch)}
        stored = {_key(row): row for row in Verdict.objects.filter(case__in=batch)}
        for key in sorted({*computed, *stored}, key=str):
            found += _differences(key, stored.get(key), computed.get(key))
    return found


def settled(case_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """Those of some cases for which no scoring run is still to be done."""
    runs = ScoringRun.objects.filter(kind=RunKind.CASE, case__in=list(case_ids))
    waiting = runs.exclude(state__in=[JobState.DONE, JobState.CANCELLED]).values_list("case_id", flat=True)
    return sorted(set(case_ids) - set(waiting))


def _key(row: Verdict) -> tuple[uuid.UUID, str, uuid.UUID]:
    return (row.prediction_id, row.target_kind, row.target_id)


def _differences(
    key: tuple[uuid.UUID, str, uuid.UUID], kept: Verdict | None, true: Verdict | None
) -> Iterator[tuple[str, str, Any, Any]]:
    case_id = str((kept or true).case_id)  # type: ignore[union-attr]  # the key is of one of them
    name = f"verdict {key[1]} of {key[0]}"
    if kept is None or true is None:
        yield (case_id, name, kept and kept.quadrant, true and true.quadrant)
        return
    for column in FIELDS:
        if getattr(kept, column) != getattr(true, column):
            yield (case_id, f"{name} {column}", getattr(kept, column), getattr(true, column))


def _compute(case_ids: list[uuid.UUID]) -> Iterator[Verdict]:
    """Every verdict of some cases, unsaved; six queries however many cases."""
    predictions = newest_predictions(case_ids)
    sources = sources_of(case_ids) if predictions else {}
    scores = scored_rows(predictions)
    for prediction in predictions:
        yield from _verdicts(prediction, sources[prediction.case_id], scores.get(prediction.pk, {}))


def _verdicts(prediction: Prediction, sources: Sources, scores: Mapping[Target, list[Scored]]) -> Iterator[Verdict]:
    """One row for each target, and one for the case."""
    is_stale = bool(why_prediction_stale(prediction))
    of_readings: list[Scored] = []
    has_region = False
    for reading_id, (revision, digest, choice, is_drawn) in sorted(sources.readings.items()):
        if digest != prediction.input_digest:
            continue
        rows = _at_revision(scores.get((TargetKind.READING.value, reading_id), []), revision, is_stale=is_stale)
        of_readings += rows
        has_region = has_region or is_drawn
        yield _verdict(prediction, sources, VerdictTarget.READING, reading_id, choice, rows, has_region=is_drawn)
    if sources.gold is None:
        yield _verdict(
            prediction,
            sources,
            VerdictTarget.CASE,
            prediction.case_id,
            sources.reference(prediction.input_digest),
            of_readings,
            has_region=has_region,
        )
        return
    gold = sources.gold
    rows = _at_revision(scores.get((TargetKind.GOLD.value, prediction.case_id), []), gold.revision, is_stale=is_stale)
    drawn = sources.gold_has_regions
    yield _verdict(
        prediction, sources, VerdictTarget.GOLD, prediction.case_id, sources.option(gold.answer), rows, has_region=drawn
    )
    # A gold without regions says nothing of where: then the readings do.
    standing = (rows, True) if drawn else (of_readings, has_region)
    yield _verdict(
        prediction,
        sources,
        VerdictTarget.CASE,
        prediction.case_id,
        sources.reference(prediction.input_digest),
        standing[0],
        has_region=standing[1],
    )


def _at_revision(rows: list[Scored], newest: int, *, is_stale: bool) -> list[Scored]:
    """The rows against a target's newest revision; of a stale prediction the last there are."""
    if is_stale:
        newest = max((row.revision for row in rows), default=newest)
    return [row for row in rows if row.revision == newest]


def _verdict(
    prediction: Prediction,
    sources: Sources,
    kind: VerdictTarget,
    target_id: uuid.UUID,
    choice: str | None,
    rows: list[Scored],
    *,
    has_region: bool,
) -> Verdict:
    ratios = [row for row in rows if row.metric == RATIO and row.map == MapKind.RELATIVE]
    valued = [row for row in ratios if row.value is not None]
    found = case_value([_grounding_row(row) for row in valued])
    # A model that names no option where there is one to name has not answered: that is not right.
    is_right = None if choice is None or not sources.options else prediction.choice == choice
    return Verdict(
        prediction=prediction,
        model_id=prediction.model_id,
        case_id=prediction.case_id,
        benchmark_id=sources.case.benchmark_id,
        position=sources.case.position,
        target_kind=kind,
        target_id=target_id,
        quadrant=quadrant(is_right, found.is_grounded).value,
        is_right=is_right,
        is_grounded=found.is_grounded,
        option_count=sources.options,
        layer=headline_layer(prediction.model),
        value=found.value,
        absolute_value=_mean_of(rows, RATIO, MapKind.ABSOLUTE),
        centre=found.centre,
        moved_median=found.moved_median,
        moved_p95=found.moved_p95,
        other_finding=found.other_finding,
        kl_norm=_mean_of(rows, KL_NORM, MapKind.RELATIVE),
        pointing_hit=_mean_of(rows, POINTING, MapKind.RELATIVE),
        n_cells=fmean(row.n_cells or 0 for row in valued) if valued else None,
        roi_share=fmean((row.roi_cells or 0) / (row.n_cells or 1) for row in valued) if valued else None,
        row_count=len(valued),
        rows_unavailable=len(ratios) - len(valued),
        why_unknown="" if found.is_grounded is not None else _why(ratios, valued, has_region=has_region),
        cluster=sources.cluster,
        case_version=sources.case.version,
        readings_revision=sources.readings_revision,
        metric_version=VERDICT_VERSION,
    )


def _grounding_row(row: Scored) -> GroundingRow:
    moved = row.nulls.get("moved") or {}
    return GroundingRow(
        value=row.value or 0.0,
        centre=row.nulls.get("centre"),
        moved_median=moved.get("median"),
        moved_p95=moved.get("p95"),
        other_finding=row.nulls.get("other_finding"),
    )


def _mean_of(rows: list[Scored], metric: str, kind: MapKind) -> float | None:
    values = [row.value for row in rows if row.metric == metric and row.map == kind and row.value is not None]
    return fmean(values) if values else None


def _why(ratios: list[Scored], valued: list[Scored], *, has_region: bool) -> str:
    """Why a row has no grounding verdict."""
    if valued:
        return NO_NULL
    if ratios:
        return next((row.unavailable for row in ratios if row.unavailable), NOT_SCORED)
    return NOT_SCORED if has_region else NO_REGION
