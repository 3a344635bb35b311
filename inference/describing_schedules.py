"""What goes out about schedules and their runs, named field by field (INTERFACE.md section 3)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db.models import OuterRef, Prefetch, Subquery
from django.utils import timezone

from annotations.blinding import blind_case_ids
from curation.looking import Page, see_pages
from curation.models import Benchmark, Case, Role
from inference.models import Schedule, ScheduleRun, ScoringRun
from inference.scheduling import next_slots, told, wanted_of

if TYPE_CHECKING:
    from curation.models import User


def schedules_of(benchmarks: Iterable[Benchmark]) -> Any:
    """Schedules with what `describe_schedules` reads of them, as a queryset."""
    newest = ScheduleRun.objects.filter(schedule=OuterRef("pk")).order_by("-slot").values("pk")[:1]
    rows = Schedule.objects.filter(benchmark__in=list(benchmarks)).select_related("benchmark", "created_by")
    return rows.prefetch_related("chosen_models").annotate(last_run=Subquery(newest))


def runs_of(schedule: Schedule) -> Any:
    """The runs of a schedule with what `describe_schedule_runs` reads of them, the newest first."""
    return with_causes(ScheduleRun.objects.filter(schedule=schedule)).order_by("-slot")


def with_causes(rows: Any) -> Any:
    """Runs of schedules with who asked, and the scoring runs that they caused."""
    caused = ScoringRun.objects.select_related("model").order_by("model__name")
    return rows.select_related("asked_by", "schedule").prefetch_related(Prefetch("scoring_runs", caused))


def describe_schedules(schedules: Iterable[Schedule], user: User) -> list[dict[str, Any]]:
    """Schedules with their next due times, in their zones, and what their last run did; of `schedules_of`."""
    found = list(schedules)
    last = with_causes(ScheduleRun.objects.filter(pk__in=[row.last_run for row in found]))  # type: ignore[attr-defined]
    runs = {run["schedule"]: run for run in describe_schedule_runs(list(last), user)}
    now = timezone.now()
    return [
        {
            "id": str(row.pk),
            "benchmark": row.benchmark.slug,
            **told(wanted_of(row)),
            "next_due": [slot.isoformat() for slot in next_slots(row, now=now)],
            "last_run": runs.get(str(row.pk)),
            "created_by": row.created_by.display_name if row.created_by else None,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
        }
        for row in found
    ]


def describe_schedule_runs(runs: Iterable[ScheduleRun], user: User) -> list[dict[str, Any]]:
    """Runs with what they changed. Changes on cases that the user must still read blind are left out."""
    found = list(runs)
    see_pages(user=user, benchmark_ids=[run.schedule.benchmark_id for run in found], page=Page.SCHEDULES)
    hidden = blind_changes(found, user)
    return [_described(run, hidden) for run in found]


def _described(run: ScheduleRun, hidden: frozenset[str]) -> dict[str, Any]:
    return {
        "id": str(run.pk),
        "schedule": str(run.schedule_id),
        "slot": run.slot,
        "cause": run.cause,
        "asked_by": run.asked_by.display_name if run.asked_by else None,
        "state": run.state,
        "stage": run.stage,
        "error": run.error,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "ends_by": run.ends_by,
        "is_cut_short": run.is_cut_short,
        "models_skipped": run.models_skipped,
        "cases_scored": run.cases_scored,
        "cases_left": run.cases_left,
        "cases_predicted": run.cases_predicted,
        "predictions_failed": run.predictions_failed,
        "predictions_left": run.predictions_left,
        "scores_written": run.scores_written,
        "scores_changed": run.scores_changed,
        "scores_removed": run.scores_removed,
        "scores_unavailable": run.scores_unavailable,
        "largest": [change for change in run.largest if change["case_id"] not in hidden],
        "runs": [str(scoring.pk) for scoring in run.scoring_runs.all()],
    }


def blind_changes(runs: Iterable[ScheduleRun], user: User) -> frozenset[str]:
    """Ids of the cases among the largest changes that the user must still read; no query for who reads nowhere."""
    reads = any(Role.READER.value in roles for roles in user.roles_by_benchmark().values())
    named = {uuid.UUID(change["case_id"]) for run in runs for change in run.largest} if reads else set()
    if not named:
        return frozenset()
    return frozenset(str(pk) for pk in blind_case_ids(user, Case.objects.filter(pk__in=named)))
