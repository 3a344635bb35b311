"""What this app does when something happens below: models read what changed, scores follow what was submitted."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from annotations.signals import agreement_changed, reading_submitted
from curation.signals import cases_changed
from curation.statements import Statement
from inference import priorities
from inference.models import JobState, Prediction
from inference.predicting import request_live_predictions
from inference.scoring import request_scoring
from inference.targets import cases_beside

_ANSWERED = Statement("SELECT 1 FROM inference_prediction WHERE case_id = %(case)s AND state = 'done' LIMIT 1")


@receiver(cases_changed, dispatch_uid="inference.cases_changed")
@transaction.atomic
def on_cases_changed(*, case_ids: list[uuid.UUID], **_: Any) -> None:
    """Ask for the predictions that live enrolments lack, and score again what has some: gold may have changed.

    The gold of a case is another finding to those over the same image: there every null is computed anew.
    """
    request_live_predictions(case_ids=case_ids)
    beside = cases_beside(case_ids)
    read = Prediction.objects.filter(case__in=beside.union(case_ids), state=JobState.DONE)
    for case_id in sorted(set(read.order_by().values_list("case_id", flat=True))):
        request_scoring(case_id=case_id, replaces=case_id in beside)


@receiver(reading_submitted, dispatch_uid="inference.reading_submitted")
def on_reading_submitted(*, case_id: uuid.UUID, **_: Any) -> None:
    """Score the case of a reading just submitted, where a model has answered.

    A prediction that is done later asks for the scores itself; its commit comes after that of the reading.
    """
    if _ANSWERED.row(case=case_id):
        request_scoring(case_id=case_id)


@receiver(agreement_changed, dispatch_uid="inference.agreement_changed")
def on_agreement_changed(*, case_id: uuid.UUID, **_: Any) -> None:
    """How far readers are apart is a part of the case's disagreement."""
    priorities.record([case_id])
