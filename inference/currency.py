"""Whether a prediction or a score still says what it would say if it were made now; by comparing keys, never a flag.

A prediction is current while the case's input, the rendering and the model's prompt and decoding are what it was keyed
by. A score is current while its prediction is, its target has no newer revision and its metric no newer version.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import (
    Case,
    CharField,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from annotations.models import Arm, Reading
from curation.models import Benchmark
from inference.inputs import RENDERING
from inference.metrics import nulls, verdicts
from inference.metrics.catalogue import METRICS
from inference.models import ModelVersion, Prediction, Score, TargetKind, Verdict

INPUT_CHANGED = "input_changed"
RENDERING_CHANGED = "rendering_changed"
PROMPT_CHANGED = "prompt_changed"
DECODING_CHANGED = "decoding_changed"
REVISION_SUPERSEDED = "revision_superseded"
METRIC_CHANGED = "metric_changed"
STALE_REASONS = {
    INPUT_CHANGED: "the question, options, history or images changed since the model read the case",
    RENDERING_CHANGED: "images are rendered another way now",
    PROMPT_CHANGED: "models are asked in other words now",
    DECODING_CHANGED: "the model's decoding changed",
    REVISION_SUPERSEDED: "the case, its gold or a reading has a newer revision",
    METRIC_CHANGED: "the metric has a newer version",
}
"""What a page says of each reason."""

VERDICT_VERSION = ".".join([METRICS["attention_ratio"].version, nulls.METRIC_VERSION, verdicts.METRIC_VERSION])
"""Of the attention ratio, of its nulls and of the rule: a verdict follows from all three."""


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
    if prediction.prompt_digest != model.prompt_digest:
        return PROMPT_CHANGED
    return DECODING_CHANGED if prediction.decoding_digest != model.decoding_digest else ""


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


def _when_prediction_stale() -> list[When]:
    """`why_prediction_stale` in SQL, for rows with a `prediction`."""
    model = "prediction__model__"
    return [
        When(~Q(prediction__input_digest=F("prediction__case__input_digest")), then=Value(INPUT_CHANGED)),
        When(~Q(prediction__rendering=RENDERING), then=Value(RENDERING_CHANGED)),
        When(~Q(prediction__prompt_digest=F(f"{model}prompt_digest")), then=Value(PROMPT_CHANGED)),
        When(~Q(prediction__decoding_digest=F(f"{model}decoding_digest")), then=Value(DECODING_CHANGED)),
    ]


def live_versions() -> Q:
    """Scores of metrics as they are now."""
    return reduce(or_, (Q(metric=name, metric_version=one.version) for name, one in METRICS.items()))


@dataclass(frozen=True)
class StaleCount:
    """How many numbers of a model are stale on a benchmark, and on how many cases, by what changed."""

    model: str
    because: str
    numbers: int
    cases: int

    @property
    def words(self) -> str:
        """What changed, for a page."""
        return STALE_REASONS[self.because]


def stale_counts(benchmark: Benchmark) -> list[StaleCount]:
    """Numbers of a benchmark that no longer say what they would say now, by model and cause; one query.

    What has something newer in its place is not counted: it is history, and nobody is shown it. A number against a
    reading of other images or another question stays until its reader reads again; no schedule can mend it.
    """
    current = list(METRICS.values())
    given: dict[str, Any] = {
        **{name: name for name in STALE_REASONS},
        "benchmark": benchmark.pk,
        "rendering": RENDERING,
        "reading": TargetKind.READING.value,
        "gold": TargetKind.GOLD.value,
        "metrics": [metric.name for metric in current],
        "versions": [metric.version for metric in current],
    }
    with connection.cursor() as cursor:
        cursor.execute(_STALE_COUNTS, given)
        return [StaleCount(*row) for row in cursor.fetchall()]


# `why_prediction_stale` and `why_score_stale` over a whole benchmark. Targets are joined rather than looked up for each
# number: of 260,000 numbers that takes 0.3 s instead of 5.
_STALE_COUNTS = """
WITH newest AS (
    SELECT %(reading)s AS kind, reading.id, reading.revision
    FROM annotations_reading reading JOIN curation_case cased ON cased.id = reading.case_id
    WHERE cased.benchmark_id = %(benchmark)s
    UNION ALL
    SELECT %(gold)s, gold.case_id, max(gold.revision)
    FROM curation_gold gold JOIN curation_case cased ON cased.id = gold.case_id
    WHERE cased.benchmark_id = %(benchmark)s GROUP BY gold.case_id
), live AS (
    SELECT * FROM unnest(%(metrics)s::text[], %(versions)s::text[]) AS live (metric, version)
), made AS (
    SELECT prediction.id, prediction.case_id, model.name, CASE
        WHEN prediction.input_digest <> cased.input_digest THEN %(input_changed)s
        WHEN prediction.rendering <> %(rendering)s THEN %(rendering_changed)s
        WHEN prediction.prompt_digest <> model.prompt_digest THEN %(prompt_changed)s
        WHEN prediction.decoding_digest <> model.decoding_digest THEN %(decoding_changed)s END AS because
    FROM inference_prediction prediction
    JOIN curation_case cased ON cased.id = prediction.case_id
    JOIN inference_modelversion model ON model.id = prediction.model_id
    WHERE cased.benchmark_id = %(benchmark)s
), stale AS (
    SELECT made.name, made.case_id, coalesce(made.because, CASE
        WHEN newest.revision IS DISTINCT FROM score.target_revision THEN %(revision_superseded)s
        WHEN live.version IS DISTINCT FROM score.metric_version THEN %(metric_changed)s END) AS because
    FROM inference_score score
    JOIN made ON made.id = score.prediction_id
    LEFT JOIN newest ON newest.kind = score.target_kind AND newest.id = score.target_id
    LEFT JOIN live ON live.metric = score.metric
    WHERE score.superseded_at IS NULL
)
SELECT name, because, count(*), count(DISTINCT case_id) FROM stale
WHERE because IS NOT NULL GROUP BY name, because ORDER BY name, because
"""


def with_staleness(rows: QuerySet[Verdict]) -> Any:
    """Verdicts with `stale_because`, an empty text where nothing changed since; within the same query."""
    submitted = (
        Reading.objects.filter(case=OuterRef("case"), arm=Arm.UNAIDED, revision__gt=0)
        .order_by()
        .values("case")
        .annotate(all=Sum("revision"))
    )
    return rows.annotate(
        stale_because=Case(
            *_when_prediction_stale(),
            When(
                ~Q(case_version=F("case__version"))
                | ~Q(readings_revision=Coalesce(Subquery(submitted.values("all")), Value(0))),
                then=Value(REVISION_SUPERSEDED),
            ),
            When(~Q(metric_version=VERDICT_VERSION), then=Value(METRIC_CHANGED)),
            default=Value(""),
            output_field=CharField(),
        )
    )
