"""What higher apps write down for the queue and for drift: a case's disagreement, and how a probe was read."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from annotations.models.readings import Reading
from curation.models import Case


class CasePriority(models.Model):
    """One documented disagreement score of a case, with every part it was made of."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, primary_key=True, related_name="disagreement")
    benchmark_id = models.UUIDField()
    value = models.FloatField(null=True, help_text="0 to 1; null: nothing to compare yet")
    parts: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        default=dict, help_text="by name: value, weight, and of how many comparisons"
    )
    version = models.CharField(max_length=16, help_text="of the formula")
    inputs_digest = models.CharField(max_length=64)
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(value__isnull=True) | Q(value__gte=0, value__lte=1), name="case_priority_in_range"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["benchmark_id", "-value"], name="case_priority_by_value")]

    def __str__(self) -> str:
        return f"{self.value} of {self.case_id}"


class ProbeResult(models.Model):
    """How a reader did on a probe: a case whose gold was known when it was handed out."""

    reading = models.OneToOneField(Reading, on_delete=models.CASCADE, related_name="probe_result")
    revision = models.PositiveIntegerField()
    gold_revision = models.PositiveIntegerField()
    benchmark_id = models.UUIDField()
    reader_id = models.UUIDField()
    number = models.PositiveIntegerField(help_text="of the probes that this reader submitted here, from 1")
    is_right = models.BooleanField(null=True, help_text="null: the gold has no answer")
    region_iou = models.FloatField(null=True, help_text="matched IoU with the gold's regions; null: it has none")
    submitted_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["benchmark_id", "reader_id", "submitted_at"], name="probe_by_reader"),
        ]

    def __str__(self) -> str:
        return f"probe {self.number} of {self.reader_id}"
