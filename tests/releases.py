"""What a release is made of: submitted readings and scores, as the product leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from annotations.models import Reading, ReadingRevision, ReadingState
from curation.formats.canonical import canonical_digest
from inference.inputs import RENDERING
from inference.models import JobState, ModelVersion, Prediction, Score
from tests.annotations.contents import content as whole_content

if TYPE_CHECKING:
    from curation.models import Case, User


def submit(case: Case, reader: User, *, state: str = ReadingState.SUBMITTED, **content: Any) -> ReadingRevision:
    """A submitted reading, or its next revision, without the rows and signals that go beside it."""
    reading, _ = Reading.objects.get_or_create(case=case, reader=reader)
    reading.revision += 1
    reading.state = state
    reading.save()
    given = {**whole_content(), **content}
    return ReadingRevision.objects.create(
        reading=reading,
        revision=reading.revision,
        content=given,
        digest=canonical_digest(given),
        case_version=case.version,
        input_digest=case.input_digest,
        protocol_digest="0" * 64,
        submitted_at=timezone.now(),
    )


def make_model(name: str = "planted") -> ModelVersion:
    """A model of two layers."""
    return ModelVersion.objects.get_or_create(
        name=name, defaults={"family": "planted", "prompt_digest": "p", "decoding_digest": "d", "layer_count": 2}
    )[0]


def score(case: Case, revision: ReadingRevision, **fields: Any) -> Score:
    """A region score of two layers against a submitted revision."""
    prediction, _ = Prediction.objects.get_or_create(
        model=make_model(),
        case=case,
        input_digest=case.input_digest,
        rendering=RENDERING,
        prompt_digest="p",
        decoding_digest="d",
        defaults={"state": JobState.DONE, "choice": "A"},
    )
    null = {"centre": 0.9, "moved": {"median": 1.1, "p95": 2.0, "n": 7}, "other_finding": None}
    given = {
        "target_kind": "reading",
        "target_id": revision.reading_id,
        "target_revision": revision.revision,
        "image": 1,
        "frame": 0,
        "map": "relative",
        "roi_rule": "box",
        "metric": "attention_ratio",
        "metric_version": "1",
        "values": [1.5, None],
        "n_cells": 16,
        "roi_cells": 4,
        "nulls": [null, {**null, "moved": None}],
        **fields,
    }
    return Score.objects.create(prediction=prediction, **given)
