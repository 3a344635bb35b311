"""What scoring changed: which numbers took the place of which, counted for the history of a schedule.

A row of Score is never deleted, since a snapshot may hold the revision it was measured against; `superseded_at` says
that something newer stands in its place. It says nothing on whether a number is stale: that is asked of the keys
(`inference/currency.py`).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import timezone

from inference.currency import headline_layer, live_versions
from inference.metrics.catalogue import METRICS
from inference.models import MapKind, ModelVersion, Prediction, RoiRule, ScheduleRun, Score, ScoringRun, TargetKind

if TYPE_CHECKING:
    from curation.models import Case
    from inference.targets import Target

MOST_PER_METRIC = 3
PLACE = ("target_kind", "target_id", "image", "frame", "map", "roi_rule", "metric")
Place = tuple[Any, ...]
"""What a number is of, whatever it was measured with: the fields of PLACE."""


@dataclass(frozen=True)
class Number:
    """The number of a row at the model's headline layer; None where there is none."""

    value: float | None
    created_at: dt.datetime


@dataclass(frozen=True)
class Change:
    """One number before and after, as a schedule's history keeps it."""

    metric: str
    model: str
    case: str
    case_id: str
    target_kind: str
    target_id: str
    image: int | None
    frame: int | None
    before: float | None
    after: float | None


def supersede(
    case: Case,
    predictions: Iterable[Prediction],
    targets: Iterable[Target],
    wanted: Mapping[uuid.UUID, set[str]],
) -> int:
    """Mark what has something newer in its place, and unmark what counts again; returns how many rows.

    Parameters
    ----------
    predictions, targets, wanted
        What was just scored: finished current predictions, newest targets, names of metrics by model id.
    """
    targets = list(targets)
    by_model = {prediction.model_id: prediction for prediction in predictions}
    if not by_model:
        return 0
    has_gold = any(target.kind == TargetKind.GOLD for target in targets)
    covered, live = Q(pk__in=[]), Q(pk__in=[])
    of_model: dict[uuid.UUID, list[uuid.UUID]] = {}
    for pk, model_id in Prediction.objects.filter(case=case, model__in=by_model).values_list("pk", "model_id"):
        of_model.setdefault(model_id, []).append(pk)
    for model_id, prediction in by_model.items():
        comparable = [target for target in targets if target.input_digest == prediction.input_digest]
        covered |= Q(
            prediction__in=of_model[model_id],
            target_id__in=[target.id for target in comparable],
            metric__in=wanted[model_id],
        )
        for target in comparable:
            kind, target_id, revision = target.key
            live |= Q(prediction=prediction, target_kind=kind, target_id=target_id, target_revision=revision)
        if not has_gold:  # withdrawn: nothing can be measured against it any more
            covered |= Q(prediction__in=of_model[model_id], target_kind=TargetKind.GOLD, target_id=case.pk)
    live &= live_versions()
    replaced = Score.objects.filter(covered, superseded_at__isnull=True).exclude(live)
    again = Score.objects.filter(covered & live, superseded_at__isnull=False)
    return replaced.update(superseded_at=timezone.now()) + again.update(superseded_at=None)


def _numbers(rows: Any, layer: int) -> dict[Place, Number]:
    """The newest number of each place."""
    found: dict[Place, Number] = {}
    for *place, kind, values, created_at in rows.order_by("created_at").values_list(
        *PLACE, "map", "values", "created_at"
    ):
        at = 0 if kind is None else layer
        found[tuple(place)] = Number(values[at] if at < len(values) else None, created_at)
    return found


def _rows(case_id: uuid.UUID, model_id: uuid.UUID | None) -> Any:
    return Score.objects.filter(prediction__case=case_id, prediction__model=model_id)


def numbers_at(case_id: uuid.UUID, model: ModelVersion, *, at: dt.datetime) -> dict[Place, Number]:
    """What stood for a model on a case at a moment: rows of before, unless something had taken their place by then."""
    stood = Q(superseded_at__isnull=True) | Q(superseded_at__gte=at)
    return _numbers(_rows(case_id, model.pk).filter(stood, created_at__lt=at), headline_layer(model))


def numbers_now(case_id: uuid.UUID, model: ModelVersion) -> dict[Place, Number]:
    """What stands for a model on a case."""
    return _numbers(_rows(case_id, model.pk).filter(superseded_at__isnull=True), headline_layer(model))


def shown_numbers(run: ScoringRun, case_id: uuid.UUID) -> dict[Place, Number]:
    """What stood before a schedule's run touched a case; nothing for a run that no schedule asked for."""
    if run.schedule_run is None or run.model is None:
        return {}
    return numbers_at(case_id, run.model, at=run.schedule_run.created_at)


def count_changes(run: ScoringRun, case_id: uuid.UUID, before: Mapping[Place, Number]) -> None:
    """Add to a schedule's run what one case brought; nothing for a run that no schedule asked for."""
    if run.schedule_run_id is None or run.model is None:
        return
    add_changes(
        run.schedule_run_id, run.model, case_id, before, has_replaced=not run.is_stale_only, metrics=run.metrics
    )


def add_changes(
    schedule_run_id: uuid.UUID,
    model: ModelVersion,
    case_id: uuid.UUID,
    before: Mapping[Place, Number],
    *,
    has_replaced: bool = False,
    metrics: Iterable[str] = (),
    is_prediction: bool = False,
) -> None:
    """Compare what stood with what stands, and keep counts and the largest changes with the schedule's run.

    Parameters
    ----------
    has_replaced
        Whether rows were computed again in place, so that they count as written though they are old.
    metrics
        Of those rows the metrics computed; none means every metric.
    is_prediction
        Whether a model has read the case anew for this run.

    Notes
    -----
    The run's row is locked last, after every row of the case, so that two runs over one case cannot wait for each
    other.
    """
    after = numbers_now(case_id, model)
    chosen = set(metrics) or set(METRICS)
    metric_at = PLACE.index("metric")
    run = ScheduleRun.objects.select_for_update(no_key=True).get(pk=schedule_run_id)
    written = {
        place
        for place, number in after.items()
        if number.created_at >= run.created_at or (has_replaced and place[metric_at] in chosen)
    }
    changed = [place for place in written & set(before) if after[place].value != before[place].value]
    run.cases_predicted += is_prediction
    run.cases_scored += not is_prediction
    run.scores_written += len(written)
    run.scores_changed += len(changed)
    run.scores_removed += len(set(before) - set(after))
    run.scores_unavailable += sum(after[place].value is None for place in written)
    if changed:
        key = str(model.predictions.filter(case=case_id).values_list("case__key", flat=True)[0])
        found = [_change(place, model, key, case_id, before[place], after[place]) for place in changed]
        run.largest = _largest([*run.largest, *(asdict(one) for one in found if one is not None)])
    run.save(
        update_fields=[
            *("cases_predicted", "cases_scored", "scores_written", "scores_changed", "scores_removed"),
            *("scores_unavailable", "largest"),
        ]
    )


def _change(
    place: Place, model: ModelVersion, key: str, case_id: uuid.UUID, before: Number, after: Number
) -> Change | None:
    """The change of a number that a page shows first: relative map and bounding boxes, or an answer."""
    given = dict(zip(PLACE, place, strict=True))
    if given["map"] == MapKind.ABSOLUTE or given["roi_rule"] == RoiRule.MASK:
        return None
    return Change(
        metric=given["metric"],
        model=model.name,
        case=key,
        case_id=str(case_id),
        target_kind=given["target_kind"],
        target_id=str(given["target_id"]),
        image=given["image"],
        frame=given["frame"],
        before=before.value,
        after=after.value,
    )


def _largest(changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The largest of each metric, in the catalogue's order: metrics have no common scale."""
    kept: list[dict[str, Any]] = []
    for metric in METRICS:
        of_metric = [change for change in changes if change["metric"] == metric]
        kept += sorted(of_metric, key=_size, reverse=True)[:MOST_PER_METRIC]
    return kept


def _size(change: Mapping[str, Any]) -> float:
    """How far apart; a number that came or went is further than any two."""
    before, after = change["before"], change["after"]
    return float("inf") if before is None or after is None else abs(after - before)
