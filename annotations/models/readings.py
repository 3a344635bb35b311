"""A reading: one expert, one case, a draft that moves and revisions that do not."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from curation.models import Case

if TYPE_CHECKING:
    from curation.models import User


class Arm(models.TextChoices):
    """Whether model output was visible while reading."""

    UNAIDED = "unaided", "Unaided"
    AIDED = "aided", "Aided"


class ReadingState(models.TextChoices):
    """Where a reading stands."""

    DRAFT = "draft", "Draft"
    SUBMITTED = "submitted", "Submitted"
    SURPLUS = "surplus", "Surplus"
    CLOSED = "closed", "Closed"


class ReadingQuerySet(models.QuerySet["Reading"]):
    """Which readings."""

    def visible_to(self, user: User) -> ReadingQuerySet:
        """The user's own, and every reading of benchmarks in which the user is more than a reader."""
        if user.is_superuser:
            return self.all()
        seen = [pk for pk in user.roles_by_benchmark() if pk is not None and user.rank_in(pk) > 1]
        everywhere = user.roles_by_benchmark().get(None, frozenset()) - {"reader"}
        if everywhere:
            return self.all()
        return self.filter(Q(reader=user) | Q(case__benchmark__in=seen))


class Reading(models.Model):
    """The draft of one expert on one case in one arm, with the version that autosave compares.

    `draft` holds INTERFACE.md section 5's content without `version`. Submitting copies it into a ReadingRevision.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="readings")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="readings")
    arm = models.CharField(max_length=8, choices=Arm.choices, default=Arm.UNAIDED)
    state = models.CharField(max_length=16, choices=ReadingState.choices, default=ReadingState.DRAFT)
    version = models.PositiveIntegerField(default=0, help_text="of the draft; counts every saved change")
    draft: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    saved_at = models.DateTimeField(null=True, blank=True)
    active_s = models.FloatField(
        default=0.0,
        help_text="seconds at work by the server's clock: between saves, no pause counted for more than 120",
    )
    revision = models.PositiveIntegerField(default=0, help_text="last submitted revision; 0 before the first")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReadingQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "reader", "arm"], name="reading_once"),
            models.CheckConstraint(condition=Q(state__in=ReadingState.values), name="reading_known_state"),
        ]

    def __str__(self) -> str:
        return f"{self.reader} on {self.case} ({self.arm})"


class ReadingRevision(models.Model):
    """A submitted reading: never edited (a trigger refuses it); a correction is the next revision."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="revisions")
    revision = models.PositiveIntegerField()
    content: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    digest = models.CharField(max_length=64, help_text="sha256 of the canonical content")
    case_version = models.PositiveIntegerField()
    input_digest = models.CharField(max_length=64)
    protocol_digest = models.CharField(max_length=64)
    active_s = models.FloatField(null=True, blank=True, help_text="the reading's, when this was submitted")
    is_after_looking = models.BooleanField(
        default=False,
        help_text="its reader had looked at other readings, models or gold of this case before; of an aided one always",
    )
    submitted_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["reading_id", "revision"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["reading", "revision"], name="reading_revision_once")]
        triggers: ClassVar = [pgtrigger.Protect(name="never_edited", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"revision {self.revision} of {self.reading}"


class SubmitReceipt(models.Model):
    """The answer given to one Idempotency-Key, so that the same submit is answered the same way again."""

    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="receipts")
    key = models.CharField(max_length=128)
    revision = models.OneToOneField(ReadingRevision, on_delete=models.PROTECT, related_name="receipt")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["reading", "key"], name="receipt_once")]

    def __str__(self) -> str:
        return f"{self.key} for {self.revision}"
