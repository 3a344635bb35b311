"""Frozen benchmarks and what was exported from them."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from curation.models.benchmarks import Benchmark
from curation.models.cases import Case


class Snapshot(models.Model):
    """A benchmark's content at one moment, named by the digest of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=64)
    benchmark = models.ForeignKey(Benchmark, on_delete=models.PROTECT, related_name="snapshots")
    protocol: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    case_count = models.PositiveIntegerField()
    image_count = models.PositiveIntegerField()
    reading_count = models.PositiveIntegerField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["benchmark", "digest"], name="snapshot_digest_once")]

    def __str__(self) -> str:
        return self.digest[:12]


class SnapshotName(models.Model):
    """A name for a snapshot; one snapshot may have several, a name never moves."""

    name = models.CharField(max_length=100, unique=True)
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="names")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class SnapshotCase(models.Model):
    """One case as it was when frozen: its record with images by sha256, and the digests of its submitted readings."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="frozen_cases")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=128)
    record: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    record_digest = models.CharField(max_length=64)
    input_digest = models.CharField(max_length=64)
    reading_digests: models.JSONField[list[str], list[str]] = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar = ["snapshot_id", "key"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["snapshot", "key"], name="snapshot_case_once")]

    def __str__(self) -> str:
        return f"{self.key} in {self.snapshot}"


class ExportState(models.TextChoices):
    """Where an export stands."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class Export(models.Model):
    """One writing of a snapshot in one format."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="exports")
    format = models.CharField(max_length=32)
    state = models.CharField(max_length=16, choices=ExportState.choices, default=ExportState.QUEUED)
    rows_in = models.PositiveIntegerField(null=True, blank=True)
    rows_out = models.PositiveIntegerField(null=True, blank=True)
    byte_size = models.PositiveBigIntegerField(null=True, blank=True, help_text="of the finished archive")
    has_originals = models.BooleanField(default=False, help_text="with the stored bytes of every image")
    not_carried: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    error = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(default=timezone.now, help_text="when last handed to the broker")
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state__in=ExportState.values),
                name="export_known_state",
            )
        ]

    def __str__(self) -> str:
        return f"{self.format} of {self.snapshot}"

    @property
    def storage_name(self) -> str:
        """Where the finished archive lies in the default storage."""
        return f"exports/{self.pk}.zip"
