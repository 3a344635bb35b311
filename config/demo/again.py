"""Some readings of the demo again with models in view: their readers may let themselves be moved."""

from __future__ import annotations

import random
import time
import uuid
from typing import TYPE_CHECKING

from django.utils import timezone

from annotations import drafting, submission
from annotations.aided import open_aided
from annotations.models import Arm, Reading, ReadingState
from config.demo import fetal, thinking
from config.demo.clock import SHORT_PAST, Clock
from config.demo.models import DEMO
from config.demo.pictures import SEED
from config.demo.reading import HANDS
from inference.aid import show_aid
from inference.models import JobState, Prediction
from inference.predicting import run_prediction

if TYPE_CHECKING:
    from curation.models import Benchmark, Case

# Where the model is mostly wrong and where it is right: it moves readers both ways.
CASES = {thinking.SLUG: 3, fetal.SLUG: 4}
AIDED = next(iter(DEMO))
# How readily each of HANDS takes up what the model says, where it says something else.
MOVED = (0.2, 0.4, 0.6, 0.5)
LONGEST_WAIT_S = 5.0
BETWEEN_LOOKS_S = 0.1


def add_aided(benchmark: Benchmark) -> int:
    """Let some readers read some cases again with models in view; returns how many aided readings were submitted.

    A benchmark that CASES does not name is left alone, and so is one where somebody did so already, or where the model
    is not enrolled: without torch nothing would be in view.
    """
    aided = Reading.objects.filter(case__benchmark=benchmark, arm=Arm.AIDED)
    if benchmark.slug not in CASES or aided.exists():
        return 0
    first = benchmark.cases.filter(is_probe=False).order_by("position")[: CASES[benchmark.slug]]
    cases = [case for case in first if _is_answered(case)]
    # What workers go by is not touched any more: time may pass that nobody waits for.
    clock = Clock(now=timezone.now(), past=SHORT_PAST)
    with clock.running():
        return sum(_read_again(case, clock) for case in cases)


def _is_answered(case: Case) -> bool:
    """Whether the model has said something of the case: made here if no worker has, or waited for."""
    rows = Prediction.objects.filter(case=case, model__name=AIDED).order_by("-created_at")
    found: uuid.UUID | None = rows.values_list("pk", flat=True).first()
    if found is None:
        return False
    ends_at, state = time.monotonic() + LONGEST_WAIT_S, run_prediction(found)
    while state != JobState.DONE and time.monotonic() < ends_at:
        time.sleep(BETWEEN_LOOKS_S)
        state = JobState(rows.values_list("state", flat=True).get(pk=found))
    return state == JobState.DONE


def _read_again(case: Case, clock: Clock) -> int:
    submitted = 0
    for hand, moved in zip(HANDS, MOVED, strict=False):
        rows = Reading.objects.filter(case=case, reader__username=hand.name, arm=Arm.UNAIDED)
        unaided = rows.filter(state=ReadingState.SUBMITTED).first()
        if unaided is not None:
            rng = random.Random(f"{SEED} again {hand.name} {case.key}")
            _read(unaided, clock, moved=moved, seconds=hand.seconds * rng.uniform(0.3, 0.9), rng=rng)
            submitted += 1
    return submitted


def _read(unaided: Reading, clock: Clock, *, moved: float, seconds: float, rng: random.Random) -> None:
    aided = open_aided(reading_id=unaided.pk)
    said = next((one.choice for one in show_aid(reading_id=aided.pk) if one.model.name == AIDED and one.choice), "")
    content = drafting.content_of(aided)
    if said and rng.random() < moved:
        content = {**content, "answer": {"choice": said}}
    content = {**content, "confidence": round(min(content["confidence"] + 0.1, 1.0), 2)}
    clock.wait(min(seconds, drafting.MOST_PAUSE_S))
    saved = drafting.save_draft(reading_id=aided.pk, version=aided.version, content=content)
    submission.submit(reading_id=aided.pk, version=saved.version, key=f"demo-{aided.pk}")
