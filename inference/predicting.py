"""Models read cases: asking for predictions, and making one."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from numpy.typing import NDArray

from curation import audit, facts, queues
from curation.models import Benchmark, Case
from inference.adapters.base import CaseInput, CaseOutput
from inference.announcing import PREDICTION_CHANGED, announce
from inference.claiming import LONGEST_ERROR, Claim, Heartbeat, claim, give_back
from inference.currency import current_predictions
from inference.inputs import RENDERING, CaseChanged, build_input
from inference.models import AttentionMap, Enrolment, JobState, ModelVersion, Prediction, PredictionStep
from inference.registry import load_adapter
from inference.scoring import request_scoring
from inference.waking import wake_schedules_of

if TYPE_CHECKING:
    from curation.models import User

PREDICT_TASK = "inference.tasks.predict_case"
# Settings of ours, not of the adapter.
OWN_SETTINGS = frozenset({"headline_layer"})
KEY = ("model", "case", "input_digest", "rendering", "prompt_digest", "decoding_digest")
BATCH = 1000
OTHER_WORDS = "models are asked in other words since this was asked for; the case is asked for anew"

logger = logging.getLogger(__name__)


def adapter_roots() -> list[Path]:
    """Folders below which weights may lie: the project's own, what the product built, and SIGHTLINE_MODEL_DIR."""
    built = Path(settings.VAR.root) / "models"
    return [Path(settings.BASE_DIR), built, *([Path(settings.MODEL_DIR)] if settings.MODEL_DIR else [])]


def adapter_of(model: ModelVersion) -> Any:
    """The loaded adapter of a registered model; loads torch for families that need it."""
    own = {key: value for key, value in model.settings.items() if key not in OWN_SETTINGS}
    return load_adapter(model.family, model.source, model.revision, own, allowed_roots=adapter_roots())


@transaction.atomic
def change_prompt(*, model: ModelVersion, prompt_digest: str, actor: User | None = None) -> None:
    """Note that a model is asked in other words from now on; what it said before becomes stale by that."""
    before = ModelVersion.objects.select_for_update(no_key=True).get(pk=model.pk).prompt_digest
    model.prompt_digest = prompt_digest
    if before == prompt_digest:
        return
    model.save(update_fields=["prompt_digest"])
    audit.record(
        "model.prompt_changed",
        actor=actor,
        object_type="model",
        object_id=str(model.pk),
        before={"prompt_digest": before},
        after={"prompt_digest": prompt_digest},
    )


@lru_cache(maxsize=4)
def prompt_digest_of(adapter: Any) -> str:
    """The digest of how a loaded model is asked; kept, since a tokenizer may take long to tell."""
    return str(adapter.describe().prompt_digest)


@transaction.atomic
def request_predictions(
    *, model: ModelVersion, case_ids: Iterable[uuid.UUID], retries_parked: bool = False
) -> list[uuid.UUID]:
    """Queue a prediction of each case that has none for what it is now; returns the ids of those queued.

    Parameters
    ----------
    retries_parked
        Also give those a new start that failed too often: a person asked for it.

    Notes
    -----
    A prediction that was cancelled because its case had changed is queued again if the case has changed back.
    """
    queued: list[uuid.UUID] = []
    wanted = list(case_ids)
    for start in range(0, len(wanted), BATCH):
        queued += _request_batch(model, wanted[start : start + BATCH], retries_parked=retries_parked)
    for prediction_id in queued:
        queues.send(PREDICT_TASK, prediction_id=str(prediction_id))
    return queued


def _request_batch(model: ModelVersion, case_ids: list[uuid.UUID], *, retries_parked: bool) -> list[uuid.UUID]:
    digests = dict(Case.objects.filter(pk__in=case_ids).values_list("pk", "input_digest"))
    rows = [
        Prediction(
            model=model,
            case_id=case_id,
            input_digest=digests[case_id],
            rendering=RENDERING,
            prompt_digest=model.prompt_digest,
            decoding_digest=model.decoding_digest,
        )
        for case_id in sorted(digests)
    ]
    Prediction.objects.bulk_create(rows, ignore_conflicts=True)
    made = set(Prediction.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    again = [JobState.CANCELLED, *([JobState.PARKED] if retries_parked else [])]
    restarted = current_predictions().filter(model=model, case__in=case_ids, state__in=again)
    # In one order, or two requests at once could each hold what the other waits for.
    restarted = restarted.select_for_update(of=["self"]).order_by("pk")
    ids = [pk for pk in restarted.values_list("pk", flat=True) if pk not in made]
    Prediction.objects.filter(pk__in=ids).update(
        state=JobState.QUEUED, attempts=0, error="", sent_at=timezone.now(), finished_at=None
    )
    return [row.pk for row in rows if row.pk in made] + ids


def missing_cases(enrolment: Enrolment) -> Any:
    """Cases of an enrolment's benchmark without a prediction for what they are now, as a queryset."""
    current = current_predictions().filter(model=enrolment.model_id, case=OuterRef("pk"))
    current = current.exclude(state=JobState.CANCELLED)
    return Case.objects.filter(~Exists(current), benchmark=enrolment.benchmark_id).order_by("position")


def request_live_predictions(*, case_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """Queue what the live enrolments of these cases' benchmarks lack; returns the predictions' ids."""
    by_benchmark: dict[uuid.UUID, list[uuid.UUID]] = {}
    for case_id, benchmark_id in Case.objects.filter(pk__in=list(case_ids)).values_list("pk", "benchmark_id"):
        by_benchmark.setdefault(benchmark_id, []).append(case_id)
    queued: list[uuid.UUID] = []
    for enrolment in Enrolment.objects.filter(benchmark__in=by_benchmark, is_live=True).select_related("model"):
        queued += request_predictions(model=enrolment.model, case_ids=by_benchmark[enrolment.benchmark_id])
    return queued


def request_all(*, model: ModelVersion, benchmark: Benchmark, retries_parked: bool = False) -> list[uuid.UUID]:
    """Queue what a model lacks of a whole benchmark; returns the predictions' ids."""
    case_ids = benchmark.cases.order_by("position").values_list("pk", flat=True)
    return request_predictions(model=model, case_ids=list(case_ids), retries_parked=retries_parked)


def run_prediction(prediction_id: uuid.UUID) -> JobState | None:
    """Make a queued prediction; None where it is not queued, or was taken over meanwhile.

    The model runs outside any transaction, with a heartbeat; past SIGHTLINE_PREDICT_DEADLINE_S it counts as hung, and
    this process ends (`claiming.Heartbeat`). What it said is stored only if this attempt still holds
    the row. A failure is stored and the prediction is queued again, or parked after its last attempt.
    """
    held = claim(Prediction, prediction_id)
    if held is None:
        return None
    prediction = Prediction.objects.select_related("model", "case").get(pk=prediction_id)
    try:
        what = f"prediction {prediction_id} by model {prediction.model.name}"
        with Heartbeat(held, what=what, deadline_s=settings.PREDICT_DEADLINE_S):
            shown = build_input(prediction.case, input_digest=prediction.input_digest)
            adapter = adapter_of(prediction.model)
            if (asked := prompt_digest_of(adapter)) != prediction.prompt_digest:
                return _ask_in_new_words(prediction, held, asked)
            begun = time.monotonic()
            output = adapter.predict(shown)
            latency_ms = round((time.monotonic() - begun) * 1000)
        return _store(prediction, held, shown, output, latency_ms)
    except CaseChanged as change:
        now = timezone.now()
        error = str(change)[:LONGEST_ERROR]
        cancelled = held.held().update(state=JobState.CANCELLED, error=error, finished_at=now)
        wake_schedules_of(held.pk)
        return JobState.CANCELLED if cancelled else None
    except Exception as error:  # whatever it was: stored with the job, and the others go on
        logger.warning("prediction %s failed", prediction_id, exc_info=True)
        return _failed(prediction, held, error)


@transaction.atomic
def _ask_in_new_words(prediction: Prediction, held: Claim, prompt_digest: str) -> JobState | None:
    """The product asks otherwise than when the model was registered: nothing is stored under the old words.

    What was predicted in the old words becomes stale by this, and says why.
    """
    now, model = timezone.now(), prediction.model
    if not held.held().update(state=JobState.CANCELLED, error=OTHER_WORDS, finished_at=now):
        return None
    change_prompt(model=model, prompt_digest=prompt_digest)
    request_predictions(model=model, case_ids=[prediction.case_id])
    wake_schedules_of(prediction.pk)
    return JobState.CANCELLED


@transaction.atomic
def _failed(prediction: Prediction, held: Claim, error: Exception) -> JobState | None:
    state = give_back(held.held(), attempt=held.attempt, error=f"{type(error).__name__}: {error}")
    if state == JobState.QUEUED:
        queues.send(PREDICT_TASK, prediction_id=str(prediction.pk))
    elif state == JobState.PARKED:
        announce(PREDICTION_CHANGED, case=prediction.case, prediction=prediction.pk)
        wake_schedules_of(prediction.pk)
    return state


@transaction.atomic
def _store(
    prediction: Prediction, held: Claim, shown: CaseInput, output: CaseOutput, latency_ms: int
) -> JobState | None:
    now = timezone.now()
    frames: dict[str, list[int]] = {}
    for image in shown.images:
        frames.setdefault(str(image.number), []).append(image.frame)
    stored = held.held().update(
        state=JobState.DONE,
        text=output.text,
        choice=output.choice or "",
        option_probabilities=output.option_probabilities,
        image_share={str(number): share for number, share in output.image_share.items()},
        shown_frames=frames,
        latency_ms=latency_ms,
        finished_at=now,
        heartbeat_at=now,
        error="",
    )
    if not stored:
        return None
    PredictionStep.objects.bulk_create(
        PredictionStep(prediction=prediction, number=number, text=text)
        for number, text in enumerate(output.steps, start=1)
    )
    AttentionMap.objects.bulk_create(
        AttentionMap(
            prediction=prediction,
            image=one.image,
            frame=one.frame,
            layers=one.question.shape[0],
            rows=one.question.shape[1],
            columns=one.question.shape[2],
            question=_stored_bytes(one.question),
            general=_stored_bytes(one.general),
            transform=one.transform.to_dict(),
        )
        for one in output.maps
    )
    facts.record([prediction.case_id])
    announce(PREDICTION_CHANGED, case=prediction.case, prediction=prediction.pk)
    request_scoring(case_id=prediction.case_id)
    return JobState.DONE


def _stored_bytes(layers: NDArray[np.float32]) -> bytes:
    return np.ascontiguousarray(layers, dtype="<f4").tobytes()
