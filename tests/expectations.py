"""What every address gives to each of the cast: the table that tests/test_permissions.py walks."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from annotations.models import Assignment, Reading
from curation.models import Benchmark, Export, Snapshot, SnapshotName, User
from inference.models import JobState, ModelVersion, Prediction, RunKind, ScoringRun
from tests.factories import make_case

CAST = ("nobody", "outsider", "reader", "reviewer", "engineer", "curator", "admin")


@dataclass(frozen=True)
class World:
    """Ids of one of everything, by the names that `Row.kwargs` uses."""

    ids: Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One route and method, and what each of the cast gets."""

    name: str
    method: str
    expected: Mapping[str, int]
    kwargs: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    body: Callable[[World], str] | None = None
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def build_world(benchmark: Benchmark, reader: User) -> World:
    """One case in three images, leased to the reader, read by a model, frozen and exported."""
    case = make_case(benchmark)
    in_an_hour = timezone.now() + timedelta(hours=1)
    assignment = Assignment.objects.create(case=case, reader=reader, lease_expires_at=in_an_hour)
    reading = Reading.objects.create(case=case, reader=reader, draft={})
    model = ModelVersion.objects.create(
        name="planted", family="planted", prompt_digest="p", decoding_digest="d", layer_count=4
    )
    prediction = Prediction.objects.create(
        model=model,
        case=case,
        input_digest=case.input_digest,
        rendering="1",
        prompt_digest="p",
        decoding_digest="d",
        state=JobState.DONE,
    )
    run = ScoringRun.objects.create(kind=RunKind.BENCHMARK, benchmark=benchmark, model=model)
    snapshot = Snapshot.objects.create(
        digest="ab" * 32, benchmark=benchmark, protocol={}, case_count=1, image_count=1, reading_count=0
    )
    SnapshotName.objects.create(name="first", snapshot=snapshot)
    export = Export.objects.create(snapshot=snapshot, format="hf")
    return World(
        ids={
            "slug": benchmark.slug,
            "case": case.pk,
            "sha256": case.images.get().asset_id,
            "one": 1,
            "zero": 0,
            "assignment": assignment.pk,
            "reading": reading.pk,
            "prediction": prediction.pk,
            "run": run.pk,
            "digest": snapshot.digest,
            "export": export.pk,
        }
    )


def gets(**statuses: int) -> dict[str, int]:
    """Statuses by role; `others` fills in whoever is not named."""
    others = statuses.pop("others", 0)
    return {who: statuses.get(who, others) for who in CAST}


def body(**fields: Any) -> Callable[[World], str]:
    """A JSON body."""

    def made(_: World) -> str:
        return json.dumps(fields)

    return made


EMPTY_CONTENT = {"answer": None, "confidence": None, "rois": [], "steps": [], "entities": []}
KEY = (("Idempotency-Key", str(uuid.UUID(int=1))),)
BENCHMARK = {"slug": "slug"}
CASE = {"case_id": "case"}
IMAGE = {"sha256": "sha256"}
