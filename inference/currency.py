"""Whether a prediction or a score still says what it would say if it were made now; by comparing keys, never a flag.

A prediction is current while the case's input, the rendering and the model's prompt and decoding are what it was keyed
by. A score is current while its prediction is, its target has no newer revision and its metric no newer version.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import F

from inference.inputs import RENDERING
from inference.metrics.catalogue import METRICS
from inference.models import ModelVersion, Prediction, Score

INPUT_CHANGED = "input_changed"
RENDERING_CHANGED = "rendering_changed"
MODEL_CHANGED = "model_changed"
REVISION_SUPERSEDED = "revision_superseded"
METRIC_CHANGED = "metric_changed"


def current_predictions() -> Any:
    """Predictions made from what the case, the rendering and the model are now, whatever their state; a queryset."""
    return Prediction.objects.filter(
        input_digest=F("case__input_digest"),
        rendering=RENDERING,
        prompt_digest=F("model__prompt_digest"),
        decoding_digest=F("model__decoding_digest"),
    )


def why_prediction_stale(prediction: Prediction) -> str:
    """What changed since, or an empty string; reads `prediction.case` and `prediction.model`."""
    if prediction.input_digest != prediction.case.input_digest:
        return INPUT_CHANGED
    if prediction.rendering != RENDERING:
        return RENDERING_CHANGED
    model = prediction.model
    if (prediction.prompt_digest, prediction.decoding_digest) != (model.prompt_digest, model.decoding_digest):
        return MODEL_CHANGED
    return ""


def why_score_stale(score: Score, *, prediction: Prediction, newest: Mapping[tuple[str, uuid.UUID], int]) -> str:
    """What changed since, or an empty string.

    Parameters
    ----------
    newest
        Newest revision by (target kind, target id); a target that is not in it has none any more.
    """
    because = why_prediction_stale(prediction)
    if because:
        return because
    if newest.get((score.target_kind, score.target_id)) != score.target_revision:
        return REVISION_SUPERSEDED
    metric = METRICS.get(score.metric)
    return "" if metric is not None and metric.version == score.metric_version else METRIC_CHANGED


def headline_layer(model: ModelVersion) -> int:
    """The layer, from 0, whose numbers stand for the model where one number is asked for.

    The setting `headline_layer` given when the model was registered, chosen on other cases than those it is shown on;
    without it the last layer. Never the layer that scores best on the case at hand: that would be choosing the answer.
    """
    return int(model.settings.get("headline_layer", model.layer_count - 1))
