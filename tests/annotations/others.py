"""Everything that others can do to a case while somebody still reads it blind, each thing with a mark of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import F
from django.utils import timezone

from annotations import agreement
from annotations.aided import open_aided
from annotations.drafting import save_draft
from annotations.models import (
    Anchor,
    Assignment,
    AssignmentState,
    CasePriority,
    Comment,
    Draw,
    Mention,
    ProbeResult,
    Reading,
    Review,
    ReviewAction,
    ReviewState,
)
from annotations.submission import revise, submit
from curation import facts
from curation.models import Case, Export, Gold, GoldRoi, Snapshot, SnapshotName, User
from inference import priorities
from inference.aid import show_aid
from inference.models import Prediction, PredictionStep
from tests.annotations.contents import content, roi, step
from tests.inference.conftest import plant, predict

if TYPE_CHECKING:
    from curation.models import Benchmark

MARK = "zebra-stripe"
ROI_ID = "0badcafe-0000-4000-8000-00000badcafe"


def words(value: str) -> str:
    """A mark that says whose it is: found again wherever it goes."""
    return f"{MARK}-{value}"


def others_act(case: Case, blind: User, others: list[User], staff: User) -> dict[str, Any]:
    """Read, revise, read again with models, predict, settle, review, comment, rank, draw, probe, freeze.

    Returns
    -------
    Ids of what came about, by the names that `Row.kwargs` uses.
    """
    readings = [_read(case, other, number) for number, other in enumerate(others)]
    prediction = _predict(case)
    _aid(readings[0])
    review = _review(case, staff)
    comment = _comment(case, readings[0], staff, blind)
    agreement.record_case(case.pk)
    priorities.record([case.pk])
    _rank(case)
    _probe(case, readings[0])
    case.benchmark.refresh_from_db()
    _freeze(case.benchmark)
    facts.record([case.pk])
    return {
        "reading": readings[0].pk,
        "assignment": Assignment.objects.get(case=case, reader=others[0]).pk,
        "prediction": prediction.pk,
        "review": review.pk,
        "comment": comment.pk,
        "reader": others[0].pk,
        "model": prediction.model_id,
    }


def _read(case: Case, other: User, number: int) -> Reading:
    reading = Reading.objects.create(case=case, reader=other)
    until = timezone.now() + timedelta(hours=1)
    Assignment.objects.create(case=case, reader=other, lease_expires_at=until)
    box = roi(id=ROI_ID.replace("0bad", f"{number}bad"), geometry={"x0": 1, "y0": 1, "x1": 20 + number, "y1": 20})
    said = content(
        answer={"choice": "AB"[number % 2]},
        rois=[box],
        steps=[step(text=words(f"step-{number}"), evidence=[box["id"]])],
        entities=[],
    )
    version = save_draft(reading_id=reading.pk, version=0, content=said).version
    submit(reading_id=reading.pk, version=version, key=words("key"))
    version = revise(reading_id=reading.pk).version
    submit(reading_id=reading.pk, version=version, key=words("key-2"))
    return reading


def _predict(case: Case) -> Prediction:
    prediction = predict(plant(words("model")), case)
    Prediction.objects.filter(pk=prediction.pk).update(text=words("model-text"), choice="B")
    PredictionStep.objects.filter(prediction=prediction, number=1).update(text=words("model-step"))
    return prediction


def _aid(unaided: Reading) -> None:
    aided = open_aided(reading_id=unaided.pk)
    show_aid(reading_id=aided.pk)
    given = {**aided.draft, "steps": [step(text=words("aided-step"))], "entities": []}
    version = save_draft(reading_id=aided.pk, version=aided.version, content=given).version
    submit(reading_id=aided.pk, version=version, key="k")


def _review(case: Case, staff: User) -> Review:
    number = Gold.objects.filter(case=case).count() + 1
    gold = Gold.objects.create(case=case, revision=number, answer={"choice": "B"}, steps=[{"text": words("gold-step")}])
    GoldRoi.objects.create(gold=gold, image=1, shape="box", geometry={"x0": 1, "y0": 1, "x1": 9, "y1": 9})
    Case.objects.filter(pk=case.pk).update(version=F("version") + 1, updated_at=timezone.now())
    return Review.objects.create(
        case=case,
        number=Review.objects.filter(case=case).count() + 1,
        state=ReviewState.CLOSED,
        action=ReviewAction.MERGE,
        reason=words("review-reason"),
        opened_by=staff,
        closed_by=staff,
        closed_at=timezone.now(),
        gold_revision=number,
    )


def _comment(case: Case, reading: Reading, staff: User, blind: User) -> Comment:
    about = {"anchor": Anchor.ROI, "anchor_id": ROI_ID, "reading": reading, "revision": 1}
    comment = Comment.objects.create(case=case, author=staff, text=words("comment"), **about)
    Mention.objects.create(comment=comment, user=blind)
    return comment


def _rank(case: Case) -> None:
    parts = {words("part"): {"value": 0.8125, "weight": 1, "n": 3}}
    CasePriority.objects.update_or_create(
        case=case,
        defaults={
            "benchmark_id": case.benchmark_id,
            "value": 0.8125,
            "parts": parts,
            "version": "1",
            "inputs_digest": words("inputs"),
            "updated_at": timezone.now(),
        },
    )
    Draw.objects.create(
        case=case,
        benchmark=case.benchmark,
        number=Draw.objects.filter(benchmark=case.benchmark).count() + 1,
        pool=17,
        probability=0.0123456789,
        is_random=False,
        random_share=0.2,
        value=0.8125,
    )
    Case.objects.filter(pk=case.pk).update(priority=7)


def _probe(case: Case, reading: Reading) -> None:
    ProbeResult.objects.create(
        reading=reading,
        revision=1,
        gold_revision=1,
        benchmark_id=case.benchmark_id,
        reader_id=reading.reader_id,
        number=1,
        is_right=True,
        region_iou=0.4321,
        submitted_at=timezone.now(),
    )
    Case.objects.filter(pk=case.pk).update(is_probe=True)
    type(case.benchmark).objects.filter(pk=case.benchmark_id).update(probe_rate=0.25, queue_epoch=F("queue_epoch") + 1)


def _freeze(benchmark: Benchmark) -> None:
    snapshot = Snapshot.objects.create(
        digest="cd" * 32, benchmark=benchmark, protocol={}, case_count=3, image_count=3, reading_count=5
    )
    SnapshotName.objects.create(name=words("snapshot"), snapshot=snapshot)
    Export.objects.create(snapshot=snapshot, format="hf")


def others_elsewhere(case: Case, other: User) -> None:
    """Another reader skips one case and holds another of the same benchmark."""
    later = Case.objects.filter(benchmark=case.benchmark).exclude(pk=case.pk).order_by("position")
    for state, row in zip([AssignmentState.SKIPPED, AssignmentState.LEASED], later, strict=False):
        Assignment.objects.create(
            case=row, reader=other, state=state, lease_expires_at=timezone.now(), skip_reason=words("skip")
        )
        facts.record([row.pk])
