"""The state that every job carries in PostgreSQL, so that an emptied broker loses nothing."""

from __future__ import annotations

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import Q

MOST_ATTEMPTS = 3


class JobState(models.TextChoices):
    """Where a job stands. `parked` failed MOST_ATTEMPTS times and waits for a person."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    PARKED = "parked", "Parked"
    CANCELLED = "cancelled", "Cancelled"


class JobQuerySet(models.QuerySet):  # type: ignore[type-arg]  # generic over each job table
    """Which jobs."""

    def lost(self, *, now: dt.datetime, queued_for: dt.timedelta, silent_for: dt.timedelta) -> Self:
        """Queued longer than `queued_for`, or running without a heartbeat for `silent_for`."""
        return self.filter(
            Q(state=JobState.QUEUED, sent_at__lt=now - queued_for)
            | Q(state=JobState.RUNNING, heartbeat_at__lt=now - silent_for)
        )


class Job(models.Model):
    """Columns of a claimable job: claimed by `UPDATE ... WHERE state = 'queued'`, never twice."""

    state = models.CharField(max_length=16, choices=JobState.choices, default=JobState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    worker = models.CharField(max_length=128, blank=True)
    sent_at = models.DateTimeField(auto_now_add=True, help_text="when last handed to the broker")
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        abstract = True
