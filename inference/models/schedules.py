"""Scoring that comes by itself at set times, and what each time brought."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_celery_beat.models import PeriodicTask

from curation.models import Benchmark
from inference.models.enrolments import ModelVersion
from inference.models.jobs import JobState
from inference.models.predictions import Prediction

UNFINISHED = (JobState.QUEUED, JobState.RUNNING)


class Schedule(models.Model):
    """When a benchmark's numbers are brought up to date, for which models and at which cost.

    Due times lie after `armed_at`: when it was made, when its timing changed, or when it was last resumed. The periodic
    task tells the beat when to look; which slot is due is worked out from this row alone (`inference/timing.py`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    benchmark = models.ForeignKey(Benchmark, on_delete=models.CASCADE, related_name="schedules")
    name = models.CharField(max_length=100, blank=True)
    chosen_models = models.ManyToManyField(
        ModelVersion, blank=True, related_name="+", help_text="empty: every enrolled model"
    )
    metrics: models.JSONField[list[str], list[str]] = models.JSONField(
        default=list, blank=True, help_text="empty: what each enrolment asks for"
    )
    every_s = models.PositiveIntegerField(null=True, blank=True)
    cron = models.CharField(max_length=100, blank=True, default="")
    timezone = models.CharField(max_length=64, default="UTC")
    is_stale_only = models.BooleanField(default=True)
    budget_s = models.PositiveIntegerField(null=True, blank=True, help_text="seconds a run may take; empty: no limit")
    is_enabled = models.BooleanField(default=True)
    armed_at = models.DateTimeField()
    periodic_task = models.OneToOneField(
        PeriodicTask, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(every_s__isnull=False, cron="") | (Q(every_s__isnull=True) & ~Q(cron="")),
                name="schedule_every_or_cron",
            ),
            models.CheckConstraint(condition=Q(every_s__isnull=True) | Q(every_s__gte=60), name="schedule_every_60_s"),
            models.CheckConstraint(
                condition=Q(cron="") | Q(cron__regex=r"^\S+( \S+){4}$"), name="schedule_cron_of_five_fields"
            ),
            models.CheckConstraint(
                condition=Q(budget_s__isnull=True) | Q(budget_s__gte=1), name="schedule_budget_positive"
            ),
            models.CheckConstraint(condition=~Q(timezone=""), name="schedule_has_time_zone"),
        ]

    def __str__(self) -> str:
        return self.name or self.rhythm

    @property
    def rhythm(self) -> str:
        """How often, in words."""
        if self.every_s is None:
            return f"cron {self.cron}"
        for size, word in ((86_400, "day"), (3600, "hour"), (60, "minute")):
            if self.every_s % size == 0:
                count = self.every_s // size
                return f"every {word}" if count == 1 else f"every {count:,} {word}s"
        return f"every {self.every_s:,} s"


class RunCause(models.TextChoices):
    """Why a schedule ran."""

    DUE = "due", "It was due"
    ASKED = "asked", "Somebody asked"


class RunStage(models.TextChoices):
    """How far a run is: first what costs no model, then what does."""

    SCORING = "scoring", "Scores what is stored"
    PREDICTING = "predicting", "Models read what is new to them"


class ScheduleRun(models.Model):
    """One run of a schedule for one slot, and what it changed. Its state is moved on by `inference/schedule_runs.py`.

    The counts speak of numbers (rows of Score): `scores_changed` had another value before, `scores_removed` have
    nothing to be measured against any more. `largest` holds the largest changes of each metric with before and after.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="runs")
    slot = models.DateTimeField(help_text="when it was due")
    cause = models.CharField(max_length=8, choices=RunCause.choices, default=RunCause.DUE)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=16, choices=JobState.choices, default=JobState.QUEUED)
    stage = models.CharField(max_length=16, choices=RunStage.choices, default=RunStage.SCORING)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="steps that failed")
    error = models.TextField(blank=True)
    ends_by = models.DateTimeField(null=True, blank=True, help_text="when its budget is used up")
    is_cut_short = models.BooleanField(default=False, help_text="the budget ended before the work did")
    models_skipped: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    cases_scored = models.PositiveIntegerField(default=0, help_text="a case counts once for each model")
    cases_left = models.PositiveIntegerField(default=0)
    cases_predicted = models.PositiveIntegerField(default=0)
    predictions_failed = models.PositiveIntegerField(default=0)
    predictions_left = models.PositiveIntegerField(default=0)
    scores_written = models.PositiveIntegerField(default=0)
    scores_changed = models.PositiveIntegerField(default=0)
    scores_removed = models.PositiveIntegerField(default=0)
    scores_unavailable = models.PositiveIntegerField(default=0)
    largest: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-slot"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["schedule", "slot"], name="schedule_run_once_a_slot"),
            models.UniqueConstraint(
                fields=["schedule"], condition=Q(state__in=UNFINISHED), name="schedule_run_one_at_a_time"
            ),
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="schedule_run_known_state"),
        ]

    def __str__(self) -> str:
        return f"{self.schedule} of {self.slot:%Y-%m-%d %H:%M}"

    def is_past_budget(self, now: dt.datetime) -> bool:
        """Whether its time is used up."""
        return self.ends_by is not None and now >= self.ends_by


class ScheduledPrediction(models.Model):
    """A prediction that a schedule's run asked for; counted once what it brought stands in the run."""

    schedule_run = models.ForeignKey(ScheduleRun, on_delete=models.CASCADE, related_name="predictions")
    prediction = models.ForeignKey(Prediction, on_delete=models.CASCADE, related_name="+")
    is_counted = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["schedule_run", "prediction"], name="scheduled_prediction_once")
        ]

    def __str__(self) -> str:
        return f"{self.prediction_id} for {self.schedule_run_id}"
