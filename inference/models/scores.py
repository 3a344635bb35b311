"""Numbers that know what they came from."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from inference.models.predictions import Prediction


class TargetKind(models.TextChoices):
    """Against whose word a prediction is held."""

    READING = "reading", "Reading"
    CONSENSUS = "consensus", "Consensus"
    GOLD = "gold", "Gold"


class MapKind(models.TextChoices):
    """Attention to the question over attention to the general prompt, or attention to the question alone."""

    RELATIVE = "relative", "Relative"
    ABSOLUTE = "absolute", "Absolute"


class RoiRule(models.TextChoices):
    """How a ROI comes down to the grid: cells its bounding box touches (VGMED), or cells its pixels touch (ours)."""

    BOX = "box", "Bounding box"
    MASK = "mask", "Mask"


class Score(models.Model):
    """One metric of one prediction against one target, one value a layer (answer metrics: one value, no image).

    `values` holds one number or null a layer; `nulls` holds, a layer, {centre, moved: {median, p95, n},
    other_finding}. Keyed by everything that could change it, so that a newer key makes this row stale by a query.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    prediction = models.ForeignKey(Prediction, on_delete=models.CASCADE, related_name="scores")
    target_kind = models.CharField(max_length=16, choices=TargetKind.choices)
    target_id = models.UUIDField(help_text="of the reading, the gold's case or the consensus' case")
    target_revision = models.PositiveIntegerField()
    image = models.PositiveSmallIntegerField(null=True, blank=True)
    frame = models.PositiveIntegerField(null=True, blank=True)
    # Null stands for "no map" in the unique key; an empty word would be another state.
    map = models.CharField(max_length=16, choices=MapKind.choices, null=True, blank=True)
    roi_rule = models.CharField(max_length=8, choices=RoiRule.choices, null=True, blank=True)
    metric = models.CharField(max_length=64)
    metric_version = models.CharField(max_length=32)
    values = ArrayField(models.FloatField(null=True), default=list)
    unavailable = models.CharField(max_length=64, blank=True, help_text="why there is no value")
    n_cells = models.PositiveIntegerField(null=True, blank=True)
    roi_cells = models.PositiveIntegerField(null=True, blank=True)
    nulls: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(
        null=True, blank=True, help_text="when scoring had measured what takes its place, or found nothing to measure"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=[
                    "prediction",
                    "target_kind",
                    "target_id",
                    "target_revision",
                    "image",
                    "frame",
                    "map",
                    "roi_rule",
                    "metric",
                    "metric_version",
                ],
                name="score_once",
                nulls_distinct=False,
            )
        ]
        indexes: ClassVar = [models.Index(fields=["target_kind", "target_id"], name="score_by_target")]

    def __str__(self) -> str:
        return f"{self.metric} of {self.prediction_id}"
