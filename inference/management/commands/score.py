"""Score a model on a benchmark."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from curation.management.command import Command as BaseCommand
from curation.management.command import Failed, RejectedRows, benchmark_named
from inference.currency import current_predictions
from inference.models import Enrolment, JobState, Prediction, ScoringRun
from inference.predicting import request_all
from inference.scoring import request_benchmark_scoring

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from curation.models import Benchmark

POLL_S = 0.5
PENDING = (JobState.QUEUED, JobState.RUNNING)


class Command(BaseCommand):
    help = "Predict what is missing, and score every case of a benchmark for one enrolled model."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--model", required=True, metavar="NAME")
        parser.add_argument("--stale-only", action="store_true", help="only what is missing or stale")
        parser.add_argument("--wait", action="store_true", help="until every prediction and score is there")

    def handle(self, *_: Any, **options: Any) -> None:
        benchmark = benchmark_named(options["slug"])
        name = options["model"]
        enrolment = Enrolment.objects.filter(benchmark=benchmark, model__name=name).select_related("model").first()
        if enrolment is None:
            raise Failed(f"no model {name!r} is enrolled in {benchmark.slug}")
        model = enrolment.model
        requested = request_all(model=model, benchmark=benchmark, retries_parked=True)
        predictions = current_predictions().filter(model=model, case__benchmark=benchmark)
        if options["wait"]:
            # First what is scored, then the scores: a prediction that comes later brings a run of its own.
            self._wait(predictions)
        run = request_benchmark_scoring(benchmark=benchmark, model=model, is_stale_only=options["stale_only"])
        if options["wait"]:
            self._wait(ScoringRun.objects.filter(benchmark=benchmark))
        self._tell(benchmark, model.name, run, predictions, requested=len(requested), as_json=options["json"])

    def _wait(self, jobs: Any) -> None:
        while jobs.filter(state__in=PENDING).exists():
            time.sleep(POLL_S)

    def _tell(
        self, benchmark: Benchmark, name: str, run: ScoringRun, predictions: Any, *, requested: int, as_json: bool
    ) -> None:
        run.refresh_from_db()
        parked: list[Prediction] = list(predictions.filter(state=JobState.PARKED).select_related("case"))
        document = {
            "run": str(run.pk),
            "state": run.state,
            "cases": run.cases_total,
            "predictions_requested": requested,
            "predictions_done": predictions.filter(state=JobState.DONE).count(),
            "scores_written": run.scores_written,
            "rejected": [{"id": one.case.key, "reason": one.error} for one in parked],
        }
        read = f"{document['predictions_done']} of {run.cases_total} cases read, {requested} asked for"
        lines = [f"{name} on {benchmark.slug}: {run.state}, {read}, {run.scores_written} scores written"]
        lines += [f"{one.case.key}: {one.error}" for one in parked]
        self.report(document, lines=lines, as_json=as_json)
        if run.state == JobState.PARKED:
            raise Failed(f"run {run.pk}: {run.error}")
        if parked:
            raise RejectedRows(f"{len(parked)} cases could not be read")
