"""Finding work that was lost and starting it again. The state of every job is in PostgreSQL; the broker may forget."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import astuple, dataclass
from typing import Any

from celery import current_app
from django.conf import settings
from django.db.models import DateTimeField, Exists, F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Greatest
from django.utils import timezone
from kombu.exceptions import ChannelError, OperationalError

from annotations import agreement, pushing
from annotations.models import Arm, ReadingRevision
from curation import events, queues
from curation.export_jobs import resend_lost_exports
from curation.models import Case, Gold
from inference import priorities
from inference.claiming import Claim, JobTable, give_back
from inference.currency import current_predictions
from inference.models import Enrolment, JobState, Prediction, RunKind, ScoringRun
from inference.predicting import PREDICT_TASK, missing_cases, request_predictions
from inference.schedule_runs import advance_all, begin_lost
from inference.scoring import SCORE_TASK, request_scoring

QUEUED_FOR = dt.timedelta(seconds=60)
SILENT_FOR = dt.timedelta(seconds=60)
EVENTS_KEPT_FOR = dt.timedelta(days=7)
MOST_AT_ONCE = 2000
GONE = "the worker gave no sign of life"

_TASKS: dict[JobTable, tuple[str, str]] = {
    Prediction: (PREDICT_TASK, "prediction_id"),
    ScoringRun: (SCORE_TASK, "run_id"),
}
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Swept:
    """What one sweep did."""

    resent: int = 0
    requeued: int = 0
    parked: int = 0
    predictions_requested: int = 0
    scorings_requested: int = 0
    agreements_requested: int = 0
    disagreements_computed: int = 0
    exports_resent: int = 0
    schedules_begun: int = 0
    schedule_runs_advanced: int = 0
    places_freed: int = 0
    events_forgotten: int = 0


def sweep(*, queued_for: dt.timedelta = QUEUED_FOR, silent_for: dt.timedelta = SILENT_FOR) -> Swept:
    """Find lost work and missing work and start it; safe to run at any time, and by two processes at once."""
    lost, missing = sweep_lost(queued_for=queued_for, silent_for=silent_for), sweep_missing()
    return Swept(*(one + other for one, other in zip(astuple(lost), astuple(missing), strict=True)))


def sweep_lost(*, queued_for: dt.timedelta = QUEUED_FOR, silent_for: dt.timedelta = SILENT_FOR) -> Swept:
    """Start again what was asked for and got lost; looks at unfinished jobs only, however many cases there are.

    Parameters
    ----------
    queued_for
        How long a job may wait before its message counts as lost; only where the broker's queue is empty, since a
        message may as well stand in a long line.
    silent_for
        How long a running job may go without a heartbeat before its worker counts as gone.
    """
    requeued = parked = resent = 0
    now = timezone.now()
    for table in _TASKS:
        for state in _take_from_the_dead(table, now - silent_for):
            requeued += state == JobState.QUEUED
            parked += state == JobState.PARKED
        resent += _send_again(table, now, now - queued_for)
    begun = begin_lost()
    return _logged(
        Swept(
            resent,
            requeued,
            parked,
            exports_resent=resend_lost_exports(),
            schedules_begun=begun,
            schedule_runs_advanced=advance_all(),
        )
    )


def sweep_missing() -> Swept:
    """Ask for what nobody asked for, since whoever should have died before; looks at every case.

    Events that are too old for any browser to come back to are forgotten on the way.
    """
    return _logged(
        Swept(
            predictions_requested=_request_missing_predictions(),
            scorings_requested=_request_missing_scorings(),
            agreements_requested=_request_missing_agreements(),
            disagreements_computed=priorities.catch_up(),
            places_freed=pushing.let_go_of_removed(),
            events_forgotten=events.forget(before=timezone.now() - EVENTS_KEPT_FOR),
        )
    )


def _logged(swept: Swept) -> Swept:
    if any(astuple(swept)):
        logger.info("swept: %s", swept)
    return swept


def _take_from_the_dead(table: JobTable, before: dt.datetime) -> list[JobState | None]:
    silent = table.objects.filter(state=JobState.RUNNING, heartbeat_at__lt=before).order_by("heartbeat_at")
    states = []
    fields = ("pk", "attempts", "worker", "started_at")
    for pk, attempt, worker, started_at in silent.values_list(*fields)[:MOST_AT_ONCE]:
        # Only while still silent: a beat that comes meanwhile keeps the job.
        held = Claim(table, pk, attempt, worker, started_at).held().filter(heartbeat_at__lt=before)
        state = give_back(held, attempt=attempt, error=f"{GONE}: {worker}, attempt {attempt}")
        if state == JobState.QUEUED:
            _send(table, pk)
        states.append(state)
    return states


def _send_again(table: JobTable, now: dt.datetime, before: dt.datetime) -> int:
    lost = table.objects.filter(state=JobState.QUEUED, sent_at__lt=before).order_by("sent_at")
    ids = list(lost.values_list("pk", flat=True)[:MOST_AT_ONCE])
    if not ids or waiting_messages(_TASKS[table][0]):
        return 0
    for pk in ids:
        # One sender, should two sweeps run at once.
        if table.objects.filter(pk=pk, state=JobState.QUEUED, sent_at__lt=before).update(sent_at=now):
            _send(table, pk)
    return len(ids)


def _send(table: JobTable, pk: Any) -> None:
    task, name = _TASKS[table]
    queues.send(task, **{name: str(pk)})


def waiting_messages(task: str) -> int:
    """How many messages stand in the broker's queue of a task; 0 where the queue does not exist or cannot be asked."""
    queue = settings.CELERY_TASK_ROUTES[task]["queue"]
    try:
        with current_app.connection_for_write() as connection:
            channel: Any = connection.default_channel
            return int(channel.queue_declare(queue=queue, passive=True).message_count)
    except ChannelError:  # a queue nobody has sent to yet, or emptied
        return 0
    except (OperationalError, OSError):
        logger.warning("the broker cannot be asked about queue %s", queue, exc_info=True)
        return 0


def _request_missing_predictions() -> int:
    requested = 0
    for enrolment in Enrolment.objects.filter(is_live=True).select_related("model"):
        case_ids = list(missing_cases(enrolment).values_list("pk", flat=True)[:MOST_AT_ONCE])
        requested += len(request_predictions(model=enrolment.model, case_ids=case_ids))
    return requested


def _request_missing_scorings() -> int:
    case_ids = list(unscored_cases().values_list("pk", flat=True)[:MOST_AT_ONCE])
    for case_id in case_ids:
        request_scoring(case_id=case_id)
    return len(case_ids)


def _request_missing_agreements() -> int:
    """Cases whose agreement is not of what was said last, where no message of any stands in line."""
    case_ids = agreement.behind(MOST_AT_ONCE)
    if not case_ids or waiting_messages(agreement.AGREE_TASK):
        return 0
    agreement.request(case_ids)
    return len(case_ids)


def unscored_cases() -> Any:
    """Cases whose newest reading, gold or prediction came after the last scoring run began, as a queryset.

    A run that is queued or running will see it, or was asked for again; one that was parked waits for a person.
    """
    revisions = ReadingRevision.objects.filter(reading__case=OuterRef("pk"), reading__arm=Arm.UNAIDED).order_by()
    golds = Gold.objects.filter(case=OuterRef("pk")).order_by()
    done = current_predictions().filter(case=OuterRef("pk"), state=JobState.DONE).order_by()
    newest = Greatest(
        Subquery(revisions.values("reading__case").annotate(at=Max("submitted_at")).values("at")),
        Subquery(golds.values("case").annotate(at=Max("created_at")).values("at")),
        Subquery(done.values("case").annotate(at=Max("finished_at")).values("at")),
        output_field=DateTimeField(),
    )
    runs = ScoringRun.objects.filter(kind=RunKind.CASE, case=OuterRef("pk"))
    covered = runs.filter(
        Q(state__in=[JobState.QUEUED, JobState.RUNNING])
        | Q(state__in=[JobState.DONE, JobState.PARKED], started_at__gte=OuterRef("newest"))
    )
    return (
        Case.objects.annotate(newest=newest)
        .filter(Exists(done))
        .filter(Exists(revisions) | Exists(golds))
        .filter(~Exists(covered))
        .order_by(F("newest").asc())
    )
