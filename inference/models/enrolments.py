"""Models, and which benchmarks each of them reads."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from curation.models import Benchmark


class ModelVersion(models.Model):
    """One model as it is run: family, weights, settings. What its card says is copied here when it is registered."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    family = models.CharField(max_length=32)
    source = models.CharField(max_length=500, blank=True)
    revision = models.CharField(max_length=100, blank=True)
    settings: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(default=dict)
    is_trained = models.BooleanField(default=True)
    note = models.TextField(blank=True)
    layer_count = models.PositiveSmallIntegerField(default=0)
    weights_digest = models.CharField(max_length=64, blank=True)
    prompt_digest = models.CharField(max_length=64)
    decoding_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Enrolment(models.Model):
    """That a model reads a benchmark; live: every new case and every new reading by itself."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    benchmark = models.ForeignKey(Benchmark, on_delete=models.CASCADE, related_name="enrolments")
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="enrolments")
    is_live = models.BooleanField(default=False)
    metrics: models.JSONField[list[str], list[str]] = models.JSONField(default=list, help_text="empty: every metric")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["benchmark", "model"], name="enrolment_once")]

    def __str__(self) -> str:
        return f"{self.model} reads {self.benchmark}"
