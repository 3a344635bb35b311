"""This app's part of the facts that lists filter and sort by: how far models and experts are apart on a case."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable
from statistics import fmean
from typing import Any

from annotations.models import Arm, Reading
from inference.currency import current_predictions, headline_layer
from inference.metrics.catalogue import METRICS
from inference.models import JobState, MapKind, Prediction, RoiRule, Score, TargetKind

ANSWER = "answer_disagreement"
REGION = "region_disagreement"

Pair = tuple[uuid.UUID, uuid.UUID]
"""(prediction id, reading id)."""


def disagreements(
    predictions: Iterable[Prediction], revisions: dict[uuid.UUID, int]
) -> dict[Pair, dict[str, float | None]]:
    """Disagreement on answer and region of each prediction with each reading's newest revision; one query.

    Parameters
    ----------
    predictions
        With their `model`, whose headline layer counts.
    revisions
        Newest submitted revision by reading id.

    Returns
    -------
    `{"answer", "region"}` for every pair with a score; None where there is nothing to compare. `region` is the mean
    over the (image, frame) places on which the expert drew and the model was shown, by relative attention and
    bounding boxes.
    """
    by_id = {prediction.pk: prediction for prediction in predictions}
    rows = (
        Score.objects.filter(
            prediction__in=by_id,
            target_kind=TargetKind.READING,
            target_id__in=revisions,
            metric__in=[ANSWER, REGION],
            unavailable="",
        )
        .exclude(map=MapKind.ABSOLUTE)
        .exclude(roi_rule=RoiRule.MASK)
    )
    values: dict[Pair, dict[str, list[float]]] = defaultdict(lambda: {ANSWER: [], REGION: []})
    for row in rows:
        is_current = METRICS[row.metric].version == row.metric_version
        if row.target_revision != revisions[row.target_id] or not is_current:
            continue
        layer = headline_layer(by_id[row.prediction_id].model) if row.metric == REGION else 0
        value = row.values[layer]
        if value is not None:
            values[row.prediction_id, row.target_id][row.metric].append(value)
    return {
        pair: {
            "answer": fmean(found[ANSWER]) if found[ANSWER] else None,
            "region": fmean(found[REGION]) if found[REGION] else None,
        }
        for pair, found in values.items()
    }


def prediction_facts(case_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[str, Any]]:
    """Count the current predictions of each case and take the highest disagreement over models.

    Returns
    -------
    For every id given: `predictions_done`, and `answer_disagreement` and `region_disagreement`: of each model the mean
    over the case's readings, of those the highest, or None.
    """
    wanted = list(case_ids)
    predictions = list(
        current_predictions().filter(case__in=wanted, state=JobState.DONE).select_related("model").order_by("pk")
    )
    unaided = Reading.objects.filter(case__in=wanted, arm=Arm.UNAIDED, revision__gt=0)
    revisions = dict(unaided.values_list("pk", "revision"))
    done = Counter(prediction.case_id for prediction in predictions)
    of_model: dict[tuple[uuid.UUID, str], list[float]] = defaultdict(list)
    for (prediction_id, _), pair in sorted(disagreements(predictions, revisions).items()):
        for name, value in pair.items():
            if value is not None:
                of_model[prediction_id, name].append(value)
    highest: dict[tuple[uuid.UUID, str], float] = {}
    for prediction in predictions:
        for name in ("answer", "region"):
            if found := of_model.get((prediction.pk, name)):
                key = (prediction.case_id, name)
                highest[key] = max(highest.get(key, 0.0), fmean(found))
    return {
        case_id: {
            "predictions_done": done[case_id],
            ANSWER: highest.get((case_id, "answer")),
            REGION: highest.get((case_id, "region")),
        }
        for case_id in wanted
    }
