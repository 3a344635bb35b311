"""The adjudicated truth of a case, in revisions that are never edited."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import Exists, OuterRef

from curation.models.cases import Case

if TYPE_CHECKING:
    from collections.abc import Iterable


class GoldQuerySet(models.QuerySet["Gold"]):
    """Which revisions of gold."""

    def in_force(self) -> GoldQuerySet:
        """What counts as the gold of each case: its highest revision, and nothing where that one is withdrawn."""
        later = Gold.objects.filter(case=OuterRef("case"), revision__gt=OuterRef("revision"))
        return self.filter(~Exists(later), is_withdrawn=False)


def gold_in_force(golds: Iterable[Gold]) -> Gold | None:
    """`GoldQuerySet.in_force` of the revisions of one case that are loaded already."""
    newest = max(golds, key=lambda gold: gold.revision, default=None)
    return None if newest is None or newest.is_withdrawn else newest


class Gold(models.Model):
    """One revision of a case's gold: answer and steps; its regions are GoldRoi rows.

    The highest revision is in force. One that `is_withdrawn` says that the case has no gold any more: ask
    `Gold.objects.in_force()` or `gold_in_force`, never for the highest revision alone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="golds")
    revision = models.PositiveIntegerField()
    answer: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    steps: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(default=list)
    is_withdrawn = models.BooleanField(default=False, help_text="a review was reverted to before any gold")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = GoldQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "revision"], name="gold_revision_once")]

    def __str__(self) -> str:
        return f"gold {self.revision} of {self.case}"


class GoldRoi(models.Model):
    """A region of the gold, in pixels of the upright stored image."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    gold = models.ForeignKey(Gold, on_delete=models.CASCADE, related_name="rois")
    client_id = models.UUIDField(default=uuid.uuid4, help_text="its id in the record, which steps cite")
    number = models.PositiveIntegerField(default=1, help_text="place in the list, from 1")
    image = models.PositiveSmallIntegerField(help_text="number of the image in the case, from 1")
    frame = models.PositiveIntegerField(default=0)
    label = models.CharField(max_length=64, blank=True)
    shape = models.CharField(max_length=16)
    geometry: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()

    class Meta:
        ordering: ClassVar = ["gold_id", "number", "id"]

    def __str__(self) -> str:
        return f"{self.shape} on image {self.image} of {self.gold}"
