"""Regions, steps and the evidence that links them, as rows of a submitted revision."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models

from annotations.models.readings import ReadingRevision


class Roi(models.Model):
    """A region of interest in pixels of the upright stored image; `client_id` is its id in the content."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    revision = models.ForeignKey(ReadingRevision, on_delete=models.PROTECT, related_name="rois")
    client_id = models.UUIDField()
    number = models.PositiveIntegerField(help_text="place in the list, from 1: what the reader sees")
    image = models.PositiveSmallIntegerField(help_text="number of the image in the case, from 1")
    frame = models.PositiveIntegerField(default=0)
    label = models.CharField(max_length=64, blank=True)
    shape = models.CharField(max_length=16)
    geometry: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    origin = models.CharField(max_length=16, default="manual")

    class Meta:
        ordering: ClassVar = ["revision_id", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["revision", "client_id"], name="roi_once")]

    def __str__(self) -> str:
        return f"ROI {self.number} ({self.shape}) of {self.revision}"


class RationaleStep(models.Model):
    """One step of the reasoning, in its place, with the ROIs it cites."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    revision = models.ForeignKey(ReadingRevision, on_delete=models.PROTECT, related_name="steps")
    client_id = models.UUIDField()
    number = models.PositiveIntegerField(help_text="place in the list, from 1")
    kind = models.CharField(max_length=32)
    image = models.PositiveSmallIntegerField(null=True, blank=True)
    text = models.TextField(blank=True)
    regions: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    is_critical = models.BooleanField(null=True, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    topic = models.CharField(max_length=128, blank=True)
    state = models.CharField(max_length=32, blank=True)
    evidence: models.ManyToManyField[Roi, Evidence] = models.ManyToManyField(
        Roi, through="annotations.Evidence", related_name="steps"
    )

    class Meta:
        ordering: ClassVar = ["revision_id", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["revision", "client_id"], name="step_once")]

    def __str__(self) -> str:
        return f"step {self.number} ({self.kind}) of {self.revision}"


class Evidence(models.Model):
    """That a step rests on a ROI."""

    step = models.ForeignKey(RationaleStep, on_delete=models.PROTECT, related_name="+")
    roi = models.ForeignKey(Roi, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["step", "roi"], name="evidence_once")]

    def __str__(self) -> str:
        return f"{self.step} rests on {self.roi}"


class Entity(models.Model):
    """A named thing in the images: anatomy, finding or device, with its ROIs and the view it needs."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    revision = models.ForeignKey(ReadingRevision, on_delete=models.PROTECT, related_name="entities")
    client_id = models.UUIDField()
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=16)
    is_present = models.BooleanField(default=True)
    view = models.CharField(max_length=16, blank=True)
    rois: models.ManyToManyField[Roi, Any] = models.ManyToManyField(Roi, related_name="entities")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["revision", "client_id"], name="entity_once")]

    def __str__(self) -> str:
        return f"{self.name} in {self.revision}"
