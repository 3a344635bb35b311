"""Scoring work asked for: by a submitted reading, a finished prediction, changed gold or a person."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from curation.models import Benchmark, Case
from inference.models.enrolments import ModelVersion
from inference.models.jobs import Job, JobState
from inference.models.schedules import ScheduleRun


class RunKind(models.TextChoices):
    """What a run covers."""

    CASE = "case", "One case, every prediction against every target"
    BENCHMARK = "benchmark", "One model over a benchmark"


class ScoringRun(Job):
    """A piece of scoring work whose state lives here. A case run covers what is not yet scored on that case."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=RunKind.choices)
    benchmark = models.ForeignKey(Benchmark, on_delete=models.CASCADE, related_name="scoring_runs")
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    is_stale_only = models.BooleanField(default=False)
    cases_total = models.PositiveIntegerField(default=0)
    cases_done = models.PositiveIntegerField(default=0)
    scores_written = models.PositiveIntegerField(default=0)
    schedule_run = models.ForeignKey(
        ScheduleRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="scoring_runs"
    )
    metrics: models.JSONField[list[str], list[str]] = models.JSONField(
        default=list, blank=True, help_text="empty: what the enrolment asks for"
    )
    ends_by = models.DateTimeField(null=True, blank=True, help_text="no case is begun after this")
    is_cut_short = models.BooleanField(default=False, help_text="it ended by `ends_by` with cases left")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(state__in=JobState.values), name="run_known_state"),
            models.UniqueConstraint(
                fields=["case"],
                condition=models.Q(kind=RunKind.CASE, state=JobState.QUEUED),
                name="run_one_queued_per_case",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "sent_at"], name="run_by_state")]

    def __str__(self) -> str:
        return f"{self.kind} run {self.id}"
