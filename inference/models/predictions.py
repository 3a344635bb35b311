"""What a model said of a case, and where it looked."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models

from curation.models import Case
from inference.models.enrolments import ModelVersion
from inference.models.jobs import Job, JobState


class Prediction(Job):
    """One model's reading of one case, keyed by everything that could change it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="predictions")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="predictions")
    input_digest = models.CharField(max_length=64)
    rendering = models.CharField(max_length=64)
    prompt_digest = models.CharField(max_length=64)
    decoding_digest = models.CharField(max_length=64)
    text = models.TextField(blank=True)
    choice = models.CharField(max_length=8, blank=True)
    option_probabilities: models.JSONField[dict[str, float] | None, dict[str, float] | None] = models.JSONField(
        null=True, blank=True
    )
    image_share: models.JSONField[dict[str, float], dict[str, float]] = models.JSONField(default=dict)
    shown_frames: models.JSONField[dict[str, list[int]], dict[str, list[int]]] = models.JSONField(
        default=dict, help_text="frames shown to the model, by image number"
    )
    latency_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=[
                    "model",
                    "case",
                    "input_digest",
                    "rendering",
                    "prompt_digest",
                    "decoding_digest",
                ],
                name="prediction_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=JobState.values),
                name="prediction_known_state",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "sent_at"], name="prediction_by_state")]

    def __str__(self) -> str:
        return f"{self.model} on {self.case}"


class PredictionStep(models.Model):
    """One step of a model's reasoning."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    prediction = models.ForeignKey(Prediction, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()
    text = models.TextField()

    class Meta:
        ordering: ClassVar = ["prediction_id", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["prediction", "number"], name="prediction_step_once")]

    def __str__(self) -> str:
        return f"step {self.number} of {self.prediction}"


class AttentionMap(models.Model):
    """Head-mean attention of the last input token over one frame's token grid, for both prompts.

    `question` and `general` are little-endian float32, (layers, rows, columns); `transform` is a GridTransform's
    fields: how the image's pixels came down to the grid.
    """

    prediction = models.ForeignKey(Prediction, on_delete=models.CASCADE, related_name="maps")
    image = models.PositiveSmallIntegerField()
    frame = models.PositiveIntegerField(default=0)
    layers = models.PositiveSmallIntegerField()
    rows = models.PositiveSmallIntegerField()
    columns = models.PositiveSmallIntegerField()
    question = models.BinaryField()
    general = models.BinaryField()
    transform: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()

    class Meta:
        ordering: ClassVar = ["prediction_id", "image", "frame"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["prediction", "image", "frame"], name="attention_map_once")
        ]

    def __str__(self) -> str:
        return f"map of image {self.image} frame {self.frame} of {self.prediction}"
