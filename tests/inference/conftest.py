"""What tests of this app share: no broker, models that are controls, readings as a submission leaves them."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from annotations.models import Reading, ReadingRevision, ReadingState, Roi
from curation import queues
from curation.models import Case, User
from inference.enrolling import register_model
from inference.models import ModelVersion, Prediction
from inference.predicting import request_predictions, run_prediction

Sent = list[tuple[str, dict[str, str]]]


class FakeBroker:
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.messages: Sent = []

    def send_task(self, name: str, kwargs: dict[str, str]) -> None:
        self.messages.append((name, kwargs))


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Messages that went out after a commit; none reaches a real broker."""
    broker = FakeBroker()
    monkeypatch.setattr(queues, "current_app", broker)
    return broker.messages


@pytest.fixture
def threads() -> Any:
    """Run a function in several threads at once, each with a connection of its own, and give its results."""

    def run(count: int, function: Any) -> list[Any]:
        results: list[Any] = []
        barrier = threading.Barrier(count)

        def one() -> None:
            try:
                barrier.wait()
                results.append(function())
            finally:
                connections.close_all()

        started = [threading.Thread(target=one) for _ in range(count)]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()
        return results

    return run


@pytest.fixture
def planted(db: None) -> ModelVersion:
    """The planted control on a 4 x 4 grid: the middle 2 x 2 cells get 5 times the attention at the second layer."""
    return plant("planted")


def plant(name: str, **settings: str) -> ModelVersion:
    """A planted control with other settings."""
    given = {"rows": "4", "columns": "4", "layers": "2", "gain": "5", "choice": "A", "p": "0.75", **settings}
    return register_model(name=name, family="planted", settings=given)[0]


def predict(model: ModelVersion, case: Case) -> Prediction:
    """A finished prediction of what the case is now."""
    for prediction_id in request_predictions(model=model, case_ids=[case.pk]):
        run_prediction(prediction_id)
    made: Prediction = Prediction.objects.filter(model=model, case=case).latest("created_at")
    return made


def box(x0: float, y0: float, x1: float, y1: float, **fields: Any) -> dict[str, Any]:
    """A ROI of section 5 on image 1, frame 0, unless told otherwise."""
    geometry = {"x0": x0, "y0": y0, "x1": x1, "y1": y1}
    return {"image": 1, "frame": 0, "label": "", "shape": "box", "geometry": geometry, **fields}


def submit(case: Case, reader: User, *rois: dict[str, Any], choice: str | None = "A") -> Reading:
    """A submitted reading, or its next revision, as the submission leaves the rows; no signal is sent."""
    reading, _ = Reading.objects.get_or_create(case=case, reader=reader)
    reading.revision += 1
    reading.state = ReadingState.SUBMITTED
    reading.save()
    revision = ReadingRevision.objects.create(
        reading=reading,
        revision=reading.revision,
        content={"answer": {"choice": choice} if choice else None, "rois": list(rois), "steps": []},
        digest=uuid.uuid4().hex * 2,
        case_version=case.version,
        input_digest=case.input_digest,
        protocol_digest="0" * 64,
        submitted_at=timezone.now(),
    )
    Roi.objects.bulk_create(
        Roi(revision=revision, client_id=uuid.uuid4(), number=number, **roi) for number, roi in enumerate(rois, start=1)
    )
    return reading
