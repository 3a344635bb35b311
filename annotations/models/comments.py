"""What people say to one another about a case: anchored, answered, resolved."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotations.models.readings import Reading
from curation.models import Case


class Anchor(models.TextChoices):
    """What a comment is about."""

    CASE = "case", "The case"
    STEP = "step", "A step"
    ROI = "roi", "A region"
    FIELD = "field", "A field"


class Comment(models.Model):
    """One remark. Answers have a parent, which is never an answer itself; resolving is a state of the parent."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="comments")
    reading = models.ForeignKey(Reading, null=True, blank=True, on_delete=models.PROTECT, related_name="comments")
    revision = models.PositiveIntegerField(null=True, blank=True, help_text="of the reading, as it was commented")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="answers")
    anchor = models.CharField(max_length=8, choices=Anchor.choices, default=Anchor.CASE)
    anchor_id = models.CharField(max_length=64, blank=True, help_text="id of the step or ROI, or name of the field")
    text = models.TextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="comments")
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    resolved_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(anchor__in=Anchor.values), name="comment_known_anchor"),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True, resolved_by__isnull=True)
                | Q(resolved_at__isnull=False, resolved_by__isnull=False),
                name="comment_resolved_by_somebody",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["case", "created_at"], name="comment_by_case")]

    def __str__(self) -> str:
        return f"{self.author} on {self.case}"


class Mention(models.Model):
    """That a comment names somebody, and whether they have seen it."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="mentions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mentions")
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["comment", "user"], name="mention_once")]
        indexes: ClassVar = [
            models.Index(fields=["user"], condition=Q(seen_at__isnull=True), name="mention_unseen"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.comment_id}"
