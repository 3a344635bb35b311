"""A case: what is shown to a reader and to a model."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models

from curation.models.benchmarks import Benchmark
from curation.models.images import ImageAsset

if TYPE_CHECKING:
    from curation.models.users import User


class CaseQuerySet(models.QuerySet["Case"]):
    """Which cases."""

    def visible_to(self, user: User) -> CaseQuerySet:
        """Those of benchmarks in which the user holds any role."""
        return self.filter(benchmark__in=Benchmark.objects.visible_to(user))


class Case(models.Model):
    """One question over one or more images.

    `version` counts every change of content; `input_digest` changes only with what a model sees (images, rendering,
    question, options, history), so that a corrected answer never re-runs a model.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    benchmark = models.ForeignKey(Benchmark, on_delete=models.PROTECT, related_name="cases")
    key = models.CharField(max_length=128)
    position = models.PositiveBigIntegerField(help_text="place in the given order")
    split = models.CharField(max_length=32, blank=True)
    question = models.TextField(blank=True)
    options: models.JSONField[dict[str, str] | None, dict[str, str] | None] = models.JSONField(null=True, blank=True)
    answer: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True, help_text="the source's own answer")
    history = models.TextField(blank=True)
    patient = models.CharField(max_length=128, blank=True, help_text="a pseudonym")
    source = models.CharField(max_length=200, blank=True)
    licence = models.CharField(max_length=200, blank=True)
    attribution = models.TextField(blank=True)
    extra: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict, blank=True)
    overlap = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="readings wanted of this case; null: as its benchmark says"
    )
    priority = models.SmallIntegerField(default=0, help_text="higher is read sooner where priority leads")
    is_probe = models.BooleanField(
        default=False, help_text="handed to every reader at the benchmark's secret rate, beside its places"
    )
    version = models.PositiveIntegerField(default=1)
    content_digest = models.CharField(max_length=64, help_text="sha256 of the canonical record")
    input_digest = models.CharField(max_length=64, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["benchmark_id", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["benchmark", "key"], name="case_key_once"),
            models.UniqueConstraint(fields=["benchmark", "position"], name="case_position_once"),
            models.CheckConstraint(
                condition=models.Q(overlap__isnull=True) | models.Q(overlap__gte=1), name="case_overlap_positive"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["benchmark", "position"], condition=models.Q(is_probe=True), name="case_probes"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def places(self) -> int:
        """How many readings are wanted of it: its own overlap, else its benchmark's."""
        return self.benchmark.overlap if self.overlap is None else self.overlap


class CaseImage(models.Model):
    """An image in its place in a case; `number` counts from 1."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="images")
    number = models.PositiveSmallIntegerField()
    asset = models.ForeignKey(ImageAsset, on_delete=models.PROTECT, related_name="case_images")
    caption = models.TextField(blank=True)
    modality = models.CharField(max_length=32, blank=True)
    sub_modality = models.CharField(max_length=64, blank=True)
    view = models.CharField(max_length=64, blank=True)
    timepoint = models.CharField(max_length=64, blank=True)
    series = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering: ClassVar = ["case_id", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "number"], name="case_image_once"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="case_image_counts_from_1"),
        ]

    def __str__(self) -> str:
        return f"{self.case} image {self.number}"
