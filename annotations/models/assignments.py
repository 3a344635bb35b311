"""Who holds which case, and until when."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from curation.models import Case

if TYPE_CHECKING:
    import datetime as dt

    from curation.models import User


class AssignmentState(models.TextChoices):
    """Where an assignment stands. Assigned, leased and submitted ones take a place in the case's overlap."""

    ASSIGNED = "assigned", "Assigned"
    LEASED = "leased", "Leased"
    SUBMITTED = "submitted", "Submitted"
    RELEASED = "released", "Released"
    SKIPPED = "skipped", "Skipped"


class Origin(models.TextChoices):
    """How a case came to its reader. Readers are never told."""

    QUEUE = "queue", "From the queue"
    PUSHED = "pushed", "Assigned by a curator"
    PROBE = "probe", "Probe"


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    """Which assignments."""

    def holding_a_place(self, now: dt.datetime) -> AssignmentQuerySet:
        """Submitted and assigned ones, and leases that have not run out; a probe takes nobody's place.

        A case assigned by name keeps its place also when the lease ran out under which it was opened.
        """
        return self.exclude(origin=Origin.PROBE).filter(
            Q(state__in=[AssignmentState.SUBMITTED, AssignmentState.ASSIGNED])
            | Q(state=AssignmentState.LEASED, lease_expires_at__gt=now)
            | Q(state=AssignmentState.LEASED, origin=Origin.PUSHED)
        )

    def open_for(self, reader: User, now: dt.datetime) -> AssignmentQuerySet:
        """The reader's own leases that have not run out."""
        return self.filter(reader=reader, state=AssignmentState.LEASED, lease_expires_at__gt=now)


class Assignment(models.Model):
    """One expert's place at one case. A row is kept for every reader and case, whatever became of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="assignments")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments")
    state = models.CharField(max_length=16, choices=AssignmentState.choices, default=AssignmentState.LEASED)
    origin = models.CharField(max_length=8, choices=Origin.choices, default=Origin.QUEUE)
    lease_expires_at = models.DateTimeField(help_text="of a lease; of an assigned one when it was assigned")
    due_at = models.DateTimeField(null=True, blank=True, help_text="until when an assigned case should be read")
    skip_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "reader"], name="assignment_once"),
            models.CheckConstraint(
                condition=Q(state__in=AssignmentState.values),
                name="assignment_known_state",
            ),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="assignment_known_origin"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["reader", "state"], name="assignment_by_reader"),
            models.Index(
                fields=["lease_expires_at"], condition=Q(state=AssignmentState.LEASED), name="assignment_leases"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reader} at {self.case}: {self.state}"
