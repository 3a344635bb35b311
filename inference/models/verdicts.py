"""The read model of dashboards: right or wrong, grounded or not, one row for each prediction and target."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from curation.models import Case
from inference.metrics.verdicts import Quadrant
from inference.models.enrolments import ModelVersion
from inference.models.predictions import Prediction


class VerdictTarget(models.TextChoices):
    """Against whose word a verdict is: one reading's, the gold's, or what stands for the case as a whole."""

    CASE = "case", "Case: its gold where there is one, else all its readings"
    READING = "reading", "Reading"
    GOLD = "gold", "Gold"


class Verdict(models.Model):
    """Means over the score rows of one prediction and target, written only through `inference.verdicts.record`.

    Of each case and model only the newest finished prediction has rows. Whether a row is stale is not stored but
    compared (`inference.currency.with_staleness`): with the prediction's keys, `case_version`, `readings_revision`
    (the sum of the revisions of the case's readings) and `metric_version`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    prediction = models.ForeignKey(Prediction, on_delete=models.CASCADE, related_name="verdicts")
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="verdicts")
    benchmark_id = models.UUIDField(help_text="of the case: with its place here, one index finds a page of cases")
    position = models.PositiveBigIntegerField()
    target_kind = models.CharField(max_length=16, choices=VerdictTarget.choices)
    target_id = models.UUIDField(help_text="of the reading; of the gold and the case, the case's")
    quadrant = models.CharField(max_length=24, choices=[(one.value, one.value) for one in Quadrant])
    is_right = models.BooleanField(null=True)
    is_grounded = models.BooleanField(null=True)
    option_count = models.PositiveSmallIntegerField(default=0, help_text="chance is one over it; 0: no options")
    layer = models.PositiveSmallIntegerField(help_text="the model's headline layer, from 0")
    value = models.FloatField(null=True, help_text="attention ratio, relative map, bounding boxes: mean over rows")
    absolute_value = models.FloatField(null=True, help_text="the same of the absolute map")
    centre = models.FloatField(null=True)
    moved_median = models.FloatField(null=True)
    moved_p95 = models.FloatField(null=True)
    other_finding = models.FloatField(null=True)
    kl_norm = models.FloatField(null=True)
    pointing_hit = models.FloatField(null=True)
    n_cells = models.FloatField(null=True, help_text="cells of the grid, mean over rows")
    roi_share = models.FloatField(null=True, help_text="|G|/N, mean over rows")
    row_count = models.PositiveIntegerField(default=0, help_text="(image, frame) rows with a value")
    rows_unavailable = models.PositiveIntegerField(default=0)
    why_unknown = models.CharField(max_length=64, blank=True, help_text="why there is no grounding verdict")
    cluster = models.CharField(max_length=16, help_text="of the patient, else of the first image: drawn whole")
    case_version = models.PositiveIntegerField()
    readings_revision = models.PositiveIntegerField()
    metric_version = models.CharField(max_length=32)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["prediction", "target_kind", "target_id"], name="verdict_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["benchmark_id", "target_kind", "model", "quadrant", "position"], name="verdict_by_place"
            )
        ]

    def __str__(self) -> str:
        return f"{self.quadrant} of {self.prediction_id}"
