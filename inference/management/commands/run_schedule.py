"""Run a schedule now."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from curation.management.command import Command as BaseCommand
from curation.management.command import Failed, Misused, RejectedRows
from inference.models import UNFINISHED, JobState, Schedule, ScheduleRun
from inference.schedule_runs import RunUnderWay, advance, ask_run

if TYPE_CHECKING:
    from argparse import ArgumentParser

POLL_S = 0.5
COUNTS = (
    *("cases_scored", "cases_left", "cases_predicted", "predictions_failed", "predictions_left"),
    *("scores_written", "scores_changed", "scores_removed", "scores_unavailable"),
)


class Command(BaseCommand):
    help = "Run a schedule now, whether it is enabled or not; the workers do the work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("id", metavar="ID", help="of the schedule, as its page and the API show it")
        parser.add_argument("--wait", action="store_true", help="until the run has ended")

    def handle(self, *_: Any, **options: Any) -> None:
        schedule = _schedule(options["id"])
        try:
            run = ask_run(schedule=schedule, actor=None)
        except RunUnderWay as error:
            raise Failed(f"schedule {schedule.pk}: {error}") from None
        if options["wait"]:
            run = _waited(run)
        self._tell(run, as_json=options["json"])

    def _tell(self, run: ScheduleRun, *, as_json: bool) -> None:
        document = {
            "schedule": str(run.schedule_id),
            "run": str(run.pk),
            "state": run.state,
            "error": run.error,
            "is_cut_short": run.is_cut_short,
            **{name: getattr(run, name) for name in COUNTS},
            "largest": run.largest,
        }
        lines = [
            f"schedule {run.schedule}: {run.state}" + (f" ({run.error})" if run.error else ""),
            f"{run.cases_scored} cases scored, {run.cases_predicted} read anew",
            f"{run.scores_written} scores written, {run.scores_changed} changed",
            f"{run.scores_removed} scores removed, {run.scores_unavailable} unavailable",
        ]
        if run.is_cut_short:
            lines.append(f"the budget ended first: {run.cases_left} cases and {run.predictions_left} predictions left")
        self.report(document, lines=lines, as_json=as_json)
        if run.state == JobState.PARKED:
            raise Failed(f"run {run.pk}: {run.error}")
        if run.predictions_failed:
            raise RejectedRows(f"{run.predictions_failed} cases could not be read")


def _schedule(given: str) -> Schedule:
    try:
        pk = uuid.UUID(given)
    except ValueError:
        raise Misused(f"{given[:80]!r} is no id of a schedule") from None
    schedule = Schedule.objects.select_related("benchmark").filter(pk=pk).first()
    if schedule is None:
        raise Failed(f"there is no schedule {pk}")
    return schedule


def _waited(run: ScheduleRun) -> ScheduleRun:
    while run.state in UNFINISHED:
        advance(schedule_run_id=run.pk)
        run = ScheduleRun.objects.select_related("schedule").get(pk=run.pk)
        if run.state in UNFINISHED:
            time.sleep(POLL_S)
    return run
