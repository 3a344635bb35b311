"""Images named by the sha256 of the bytes we keep."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models


class ImageAsset(models.Model):
    """One stored image or cine: facts the viewer and the models need, never an identity or a file name.

    The bytes lie in the default storage under `storage_name`; they never change.
    """

    sha256 = models.CharField(max_length=64, primary_key=True)
    source_sha256 = models.CharField(max_length=64, db_index=True, help_text="of the bytes as they came")
    kind = models.CharField(max_length=16)
    content_type = models.CharField(max_length=64)
    byte_size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    frames = models.PositiveIntegerField(default=1)
    channels = models.PositiveSmallIntegerField(default=1)
    dtype = models.CharField(max_length=8)
    pixel_offset = models.PositiveBigIntegerField(null=True, blank=True)
    photometric = models.CharField(max_length=16)
    slope = models.FloatField(default=1.0)
    intercept = models.FloatField(default=0.0)
    windows: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(default=list)
    voi_luts: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(default=list)
    spacing_row_mm = models.FloatField(null=True, blank=True)
    spacing_column_mm = models.FloatField(null=True, blank=True)
    spacing_source = models.CharField(max_length=32, blank=True)
    frame_time_ms = models.FloatField(null=True, blank=True)
    modality = models.CharField(max_length=16, blank=True)
    acquisition: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    needs_text_check = models.BooleanField(
        default=False,
        help_text="burned-in text is unchecked: bars the image from release until a curator has looked",
    )
    text_checked_at = models.DateTimeField(null=True, blank=True)
    text_checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(width__gte=1, height__gte=1, frames__gte=1, channels__in=[1, 3]),
                name="image_has_pixels",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:12]}"

    @property
    def storage_name(self) -> str:
        """Where the bytes lie in the default storage."""
        suffix = "dcm" if self.content_type == "application/dicom" else "png"
        return f"images/{self.sha256[:2]}/{self.sha256}.{suffix}"

    @property
    def spacing_mm(self) -> tuple[float, float] | None:
        """(row, column) spacing in millimetres, or None where the file gives none."""
        if self.spacing_row_mm is None or self.spacing_column_mm is None:
            return None
        return (self.spacing_row_mm, self.spacing_column_mm)

    @property
    def is_barred_from_release(self) -> bool:
        """Whether burned-in text may still stand in the pixels."""
        return self.needs_text_check and self.text_checked_at is None


class ImageUpload(models.Model):
    """Who brought an image in: an image is known only to them and to readers of a benchmark that holds it."""

    asset = models.ForeignKey(ImageAsset, on_delete=models.CASCADE, related_name="uploads")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="image_uploads")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["asset", "user"], name="upload_once")]

    def __str__(self) -> str:
        return f"{self.asset} by {self.user}"
