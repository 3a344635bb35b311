"""Adjudication: how several readings of a case became its gold, and who answers for it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from curation.models import Case

if TYPE_CHECKING:
    import datetime as dt

    from curation.models import User


class ReviewState(models.TextChoices):
    """Where a review stands."""

    OPEN = "open", "Open"
    ESCALATED = "escalated", "Escalated"
    CLOSED = "closed", "Closed"
    REVERTED = "reverted", "Reverted"
    DISCARDED = "discarded", "Set aside"


class ReviewAction(models.TextChoices):
    """How the gold came about."""

    PICK = "pick", "One reading as it is"
    EDIT = "edit", "One reading, changed"
    MERGE = "merge", "Parts of several readings"
    CONSENSUS = "consensus", "Computed consensus"


class ReviewQuerySet(models.QuerySet["Review"]):
    """Which reviews."""

    def open(self) -> ReviewQuerySet:
        """Those that somebody is at, escalated ones too: at most one a case."""
        return self.filter(state__in=[ReviewState.OPEN, ReviewState.ESCALATED])

    def with_people(self) -> ReviewQuerySet:
        """With everybody who had a part in them."""
        return self.select_related("opened_by", "closed_by", "escalated_to", "reverted_by")


class Review(models.Model):
    """One adjudication of a case. At most one is open or escalated; a closed one wrote the gold it names."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reviews")
    number = models.PositiveIntegerField(help_text="of the reviews of the case, from 1")
    state = models.CharField(max_length=16, choices=ReviewState.choices, default=ReviewState.OPEN)
    action = models.CharField(max_length=16, choices=ReviewAction.choices, blank=True)
    version = models.PositiveIntegerField(default=0, help_text="counts every change")
    content: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        default=dict, help_text="the gold as it is being put together: answer, rois, steps"
    )
    sources: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        default=list, help_text="reading and revision of each source, and which of its parts were taken"
    )
    reason = models.TextField(blank=True)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    escalated_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    escalation_reason = models.TextField(blank=True)
    gold_before = models.PositiveIntegerField(default=0, help_text="revision in force before; 0: none")
    gold_revision = models.PositiveIntegerField(null=True, blank=True, help_text="that this review wrote")
    has_read_case = models.BooleanField(
        default=False, help_text="whoever closed it has read the case too: allowed beside others' readings, and shown"
    )
    reverted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    revert_reason = models.TextField(blank=True)
    revert_revision = models.PositiveIntegerField(null=True, blank=True, help_text="of the gold that reverting wrote")
    opened_at = models.DateTimeField(auto_now_add=True)
    saved_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    reverted_at = models.DateTimeField(null=True, blank=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["case_id", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "number"], name="review_number_once"),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(state__in=[ReviewState.OPEN, ReviewState.ESCALATED]),
                name="review_one_open",
            ),
            models.CheckConstraint(condition=Q(state__in=ReviewState.values), name="review_known_state"),
            models.CheckConstraint(
                condition=~Q(state=ReviewState.CLOSED) | (Q(gold_revision__isnull=False) & ~Q(reason="")),
                name="review_closed_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"review {self.number} of {self.case}"

    @property
    def is_open(self) -> bool:
        """Whether somebody is at it."""
        return self.state in (ReviewState.OPEN, ReviewState.ESCALATED)

    @property
    def holder(self) -> User:
        """Who may change it while it is open: whom it was escalated to, else who opened it."""
        return self.escalated_to if self.state == ReviewState.ESCALATED and self.escalated_to else self.opened_by

    @property
    def held_since(self) -> dt.datetime:
        """Since when the holder has it."""
        return self.escalated_at or self.opened_at
