"""What every address gives to each of the cast: the table that tests/test_permissions.py walks."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from annotations.models import Assignment, Comment, Reading, Review
from curation.models import Benchmark, Export, Snapshot, SnapshotName, User
from inference.models import JobState, ModelVersion, Prediction, RunKind, ScoringRun
from inference.scheduling import Wanted, create_schedule
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
    review = Review.objects.create(case=case, number=1, opened_by=reader)
    comment = Comment.objects.create(case=case, author=reader, text="Look at the apex.")
    run = ScoringRun.objects.create(kind=RunKind.BENCHMARK, benchmark=benchmark, model=model)
    schedule = create_schedule(benchmark=benchmark, wanted=Wanted(every_s=3600), actor=None)
    snapshot = Snapshot.objects.create(
        digest="ab" * 32, benchmark=benchmark, protocol={}, case_count=1, image_count=1, reading_count=0
    )
    SnapshotName.objects.create(name="first", snapshot=snapshot)
    export = Export.objects.create(snapshot=snapshot, format="hf")
    return World(
        ids={
            "slug": benchmark.slug,
            "reader": reader.pk,
            "model": model.pk,
            "case": case.pk,
            "sha256": case.images.get().asset_id,
            "one": 1,
            "zero": 0,
            "assignment": assignment.pk,
            "reading": reading.pk,
            "prediction": prediction.pk,
            "review": review.pk,
            "comment": comment.pk,
            "run": run.pk,
            "schedule": schedule.pk,
            "digest": snapshot.digest,
            "export": export.pk,
        }
    )


def row(name: str, method: str, statuses: str, kwargs: Mapping[str, str] | None = None, **rest: Any) -> Row:
    """A row from seven statuses in the order of CAST."""
    expected = dict(zip(CAST, map(int, statuses.split()), strict=True))
    return Row(name, method, expected, kwargs or {}, **rest)


def body(**fields: Any) -> Callable[[World], str]:
    """A JSON body."""

    def made(_: World) -> str:
        return json.dumps(fields)

    return made


EMPTY_CONTENT: dict[str, Any] = {"answer": None, "confidence": None, "rois": [], "steps": [], "entities": []}
KEY = (("Idempotency-Key", str(uuid.UUID(int=1))),)
FORM = "application/x-www-form-urlencoded"
BENCHMARK = {"slug": "slug"}
SCHEDULE = {"schedule_id": "schedule"}
CASE = {"case_id": "case"}
IMAGE = {"sha256": "sha256"}
REVIEW = {"case_id": "case", "pk": "review"}


EXPECTED: tuple[Row, ...] = (
    row("login", "GET", "200 200 200 200 200 200 200"),
    row("login", "POST", "200 200 200 200 200 200 200", content_type=FORM),
    row("logout", "POST", "302 302 302 302 302 302 302", content_type=FORM),
    row("healthz", "GET", "200 200 200 200 200 200 200"),
    row("readyz", "GET", "200 200 200 200 200 200 200"),
    row("admin:index", "GET", "302 302 302 302 302 302 302"),
    row("home", "GET", "302 200 200 200 200 200 200"),
    row("read", "GET", "302 404 200 403 403 403 403", BENCHMARK),
    row("read-again", "GET", "302 404 302 403 403 403 403", {**BENCHMARK, "pk": "reading"}),
    row("read-again", "POST", "302 404 302 403 403 403 403", {**BENCHMARK, "pk": "reading"}, content_type=FORM),
    row("feedback-page", "GET", "302 404 403 403 403 403 403", {**BENCHMARK, "pk": "reading"}),
    row("benchmarks-page", "GET", "302 200 200 200 200 200 200"),
    row("benchmark-page", "GET", "302 404 200 200 200 200 200", BENCHMARK),
    row("benchmark-cases-page", "GET", "302 404 200 200 200 200 200", BENCHMARK),
    row("benchmark-wrong-reason-page", "GET", "302 404 403 200 200 200 200", BENCHMARK),
    row("case-trail-page", "GET", "302 404 403 403 403 200 200", CASE),
    row("case-trail-csv", "GET", "302 404 403 403 403 200 200", CASE),
    row("case-page", "GET", "302 404 200 200 200 200 200", CASE),
    row("check-text", "POST", "302 404 403 403 403 302 302", {**CASE, "number": "one"}),
    row("api-schema", "GET", "401 200 200 200 200 200 200"),
    row("api-docs", "GET", "401 200 200 200 200 200 200"),
    row("events", "GET", "401 200 200 200 200 200 200"),
    row("benchmarks", "GET", "401 200 200 200 200 200 200"),
    row("benchmarks", "POST", "401 403 403 403 403 403 403", body=body(slug="new", title="New", protocol="free")),
    row("benchmark", "GET", "401 404 200 200 200 200 200", BENCHMARK),
    row("benchmark", "PATCH", "401 404 403 403 403 200 200", BENCHMARK, body=body(title="Other")),
    row("benchmark-protocol", "GET", "401 404 200 200 200 200 200", BENCHMARK),
    row("benchmark-protocol", "PUT", "401 404 403 403 403 200 200", BENCHMARK, body=body(required=[])),
    row("benchmark-cases", "GET", "401 404 200 200 200 200 200", BENCHMARK),
    row("case-agreement", "GET", "401 404 403 200 200 200 200", CASE),
    row("benchmark-agreement", "GET", "401 404 403 200 200 200 200", BENCHMARK),
    row("agreement-pairs", "GET", "401 404 403 200 200 200 200", BENCHMARK),
    row("agreement-plan", "GET", "401 404 403 200 200 200 200", BENCHMARK),
    row("benchmark-cases-bulk", "POST", "401 404 403 403 403 200 200", BENCHMARK, body=lambda _: "[]"),
    row("case", "GET", "401 404 200 200 200 200 200", CASE),
    row("images", "POST", "401 400 400 400 400 400 400", content_type="multipart/form-data; boundary=x"),
    row("image", "GET", "401 404 200 200 200 200 200", IMAGE),
    row("image-thumbnail", "GET", "401 404 200 200 200 200 200", IMAGE),
    row("image-content", "GET", "401 404 200 200 200 200 200", IMAGE),
    row("image-frame", "GET", "401 404 200 200 200 200 200", {**IMAGE, "number": "zero"}),
    row("image-text-check", "POST", "401 404 403 403 403 200 200", IMAGE, body=body(benchmark="thorax")),
    row("next-case", "POST", "401 404 200 200 200 200 200", BENCHMARK),
    row("next-images", "GET", "401 404 200 403 403 403 403", BENCHMARK),
    row("queue", "GET", "401 404 403 403 403 200 200", BENCHMARK),
    row("queue", "PATCH", "401 404 403 403 403 200 200", BENCHMARK, body=body(order_seed=1)),
    row("queue-cases", "PATCH", "401 404 403 403 403 400 400", BENCHMARK, body=body(cases=[])),
    row("assignments", "GET", "401 404 403 403 403 200 200", BENCHMARK),
    row("assignments", "POST", "401 404 403 403 403 400 400", BENCHMARK, body=body(reader="nobody", next=1)),
    row("assignment-take-back", "POST", "401 404 403 403 403 200 200", {"pk": "assignment"}, body=body(reason="x")),
    row("assignment-heartbeat", "POST", "401 404 200 404 404 404 404", {"pk": "assignment"}),
    row("assignment-release", "POST", "401 404 200 404 404 404 404", {"pk": "assignment"}),
    row(
        "assignment-skip",
        "POST",
        "401 404 200 404 404 404 404",
        {"pk": "assignment"},
        body=body(reason="unreadable"),
    ),
    row("reading", "GET", "401 404 200 200 200 200 200", {"pk": "reading"}),
    row(
        "reading-draft",
        "PUT",
        "401 404 200 403 403 403 403",
        {"pk": "reading"},
        body=body(version=0, **EMPTY_CONTENT),
    ),
    row(
        "reading-submit",
        "POST",
        "401 404 200 403 403 403 403",
        {"pk": "reading"},
        body=body(version=0),
        headers=KEY,
    ),
    row("reading-revise", "POST", "401 404 409 403 403 403 403", {"pk": "reading"}),
    row("reading-aided", "POST", "401 404 409 403 403 403 403", {"pk": "reading"}),
    row("reading-aid", "GET", "401 404 403 403 403 403 403", {"pk": "reading"}),
    row("reading-feedback", "GET", "401 404 403 403 403 403 403", {"pk": "reading"}),
    row("reading-accept", "POST", "401 404 403 403 403 409 409", {"pk": "reading"}, body=body(reason="kept")),
    row("reading-close", "POST", "401 404 403 403 403 409 409", {"pk": "reading"}, body=body(reason="not kept")),
    row("review-page", "GET", "302 404 403 200 403 200 200", CASE),
    row("review-queue", "GET", "302 404 403 200 403 200 200", BENCHMARK),
    row("case-consensus", "GET", "401 404 403 200 200 200 200", CASE),
    row("case-review", "GET", "401 404 403 200 200 200 200", CASE),
    row("case-review", "POST", "401 404 403 409 403 409 409", CASE),
    row("review-revert", "POST", "401 404 403 409 403 409 409", REVIEW, body=body(reason="wrong side")),
    row("review-discard", "POST", "401 404 403 409 403 409 409", REVIEW, body=body(reason="by mistake")),
    row("review-escalate", "POST", "401 404 403 409 403 400 400", REVIEW, body=body(to="nobody", reason="hard")),
    row("case-comments", "GET", "401 404 403 200 200 200 200", CASE),
    row("case-comments", "POST", "401 404 403 201 201 201 201", CASE, body=body(text="Why the left?")),
    row("comment-resolve", "POST", "401 404 403 200 200 200 200", {"pk": "comment"}),
    row("comment-reopen", "POST", "401 404 403 200 200 200 200", {"pk": "comment"}),
    row("comment-seen", "POST", "401 404 404 404 404 404 404", {"pk": "comment"}),
    row("mentions", "GET", "401 200 200 200 200 200 200"),
    row("benchmark-probing", "GET", "401 404 403 403 403 200 200", BENCHMARK),
    row("benchmark-probing", "PATCH", "401 404 403 403 403 200 200", BENCHMARK, body=body(probe_rate=0.1)),
    row("benchmark-probes", "GET", "401 404 403 403 403 200 200", BENCHMARK),
    row("benchmark-aided", "GET", "401 404 403 403 403 200 200", BENCHMARK),
    row("benchmark-drift", "GET", "401 404 403 403 403 200 200", BENCHMARK),
    row("case-scores", "GET", "401 404 200 200 200 200 200", CASE),
    row("case-disagreement", "GET", "401 404 403 200 200 200 200", CASE),
    row("prediction", "GET", "401 404 403 200 200 200 200", {"prediction_id": "prediction"}),
    row("prediction-heatmap", "GET", "401 404 403 404 404 404 404", {"prediction_id": "prediction"}),
    row("models", "GET", "401 200 200 200 200 200 200"),
    row("enrolments", "GET", "401 200 200 200 200 200 200"),
    row(
        "enrolments",
        "POST",
        "401 404 403 403 201 403 201",
        body=body(benchmark="thorax", model="planted", is_live=False),
    ),
    row("runs", "GET", "401 200 200 200 200 200 200"),
    row("run", "GET", "401 404 403 200 200 200 200", {"run_id": "run"}),
    row("run-cancel", "POST", "401 404 403 403 200 403 200", {"run_id": "run"}),
    row("schedules", "GET", "401 200 200 200 200 200 200"),
    row("schedules", "POST", "401 404 403 403 201 201 201", body=body(benchmark="thorax", every_s=3600)),
    row("schedule", "GET", "401 404 403 200 200 200 200", SCHEDULE),
    row("schedule", "PATCH", "401 404 403 403 200 200 200", SCHEDULE, body=body(enabled=False)),
    row("schedule", "DELETE", "401 404 403 403 204 204 204", SCHEDULE),
    row("schedule-run", "POST", "401 404 403 403 202 202 202", SCHEDULE),
    row("schedule-history", "GET", "401 404 403 200 200 200 200", SCHEDULE),
    row("audit-page", "GET", "302 403 403 403 403 200 200"),
    row("users-page", "GET", "302 403 403 403 403 200 200"),
    row("users-page", "POST", "302 403 403 403 403 403 403", content_type=FORM),
    row("user-roles", "POST", "302 403 403 403 403 302 302", content_type=FORM),
    row("user-page", "GET", "302 403 403 403 403 200 200", {"user_id": "reader"}),
    row("user-account", "POST", "302 403 403 403 403 403 403", {"user_id": "reader"}, content_type=FORM),
    row("models-page", "GET", "302 403 403 200 200 200 200"),
    row("model-page", "GET", "302 403 403 404 200 404 200", {"model_id": "model"}),
    row("enrolments-page", "GET", "302 404 403 200 200 200 200", BENCHMARK),
    row("enrolments-page", "POST", "302 404 403 403 302 403 302", BENCHMARK, content_type=FORM),
    row("score-now", "POST", "302 404 403 403 404 403 404", {**BENCHMARK, "model_id": "model"}, content_type=FORM),
    row("agreement-page", "GET", "302 404 403 200 200 200 200", BENCHMARK),
    row("agreement-pairs-page", "GET", "302 404 403 200 200 200 200", BENCHMARK),
    row("progress-page", "GET", "302 404 403 403 403 200 200", BENCHMARK),
    row("runs-page", "GET", "302 404 403 200 200 200 200", BENCHMARK),
    row("cancel-run", "POST", "302 404 403 403 302 403 302", {"run_id": "run"}, content_type=FORM),
    row("schedules-page", "GET", "302 404 403 200 200 200 200", BENCHMARK),
    row("schedule-new", "GET", "302 404 403 403 200 200 200", BENCHMARK),
    row("schedule-new", "POST", "302 404 403 403 400 400 400", BENCHMARK, content_type=FORM, body=lambda _: "every=x"),
    row("schedule-page", "GET", "302 404 403 200 200 200 200", SCHEDULE),
    row("schedule-edit", "GET", "302 404 403 403 200 200 200", SCHEDULE),
    row("schedule-edit", "POST", "302 404 403 403 400 400 400", SCHEDULE, content_type=FORM, body=lambda _: "every=x"),
    row("schedule-run-now", "POST", "302 404 403 403 302 302 302", SCHEDULE, content_type=FORM),
    row("schedule-pause", "POST", "302 404 403 403 302 302 302", SCHEDULE, content_type=FORM),
    row("schedule-delete", "POST", "302 404 403 403 302 302 302", SCHEDULE, content_type=FORM),
    row("readers-page", "GET", "302 404 403 403 403 200 200", BENCHMARK),
    row("set-probing", "POST", "302 404 403 403 403 302 302", BENCHMARK, content_type=FORM),
    row("set-probes", "POST", "302 404 403 403 403 302 302", BENCHMARK, content_type=FORM),
    row("queue-page", "GET", "302 404 403 403 403 200 200", BENCHMARK),
    row("queue-settings", "POST", "302 404 403 403 403 302 302", BENCHMARK, content_type=FORM),
    row("queue-single", "POST", "302 404 403 403 403 302 302", BENCHMARK, content_type=FORM),
    row("queue-assign", "POST", "302 404 403 403 403 302 302", BENCHMARK, content_type=FORM),
    row("queue-take-back", "POST", "302 404 403 403 403 302 302", {**BENCHMARK, "pk": "assignment"}, content_type=FORM),
    row("queue-settle", "POST", "302 404 403 403 403 302 302", {**BENCHMARK, "pk": "reading"}, content_type=FORM),
    row("snapshots-page", "GET", "302 404 403 200 200 200 200", BENCHMARK),
    row("snapshots-page", "POST", "302 404 403 403 403 302 302", BENCHMARK, content_type=FORM),
    row("snapshot-page", "GET", "302 404 403 200 200 200 200", {"digest": "digest"}),
    row("snapshot-export", "POST", "302 404 403 403 403 302 302", {"digest": "digest"}, content_type=FORM),
    row("export-archive", "GET", "302 404 403 403 403 404 404", {"export_id": "export"}),
    row("snapshots", "GET", "401 200 200 200 200 200 200"),
    row("snapshots", "POST", "401 404 403 403 403 201 201", body=body(benchmark="thorax", name="second")),
    row("snapshot", "GET", "401 404 403 200 200 200 200", {"digest": "digest"}),
    row("snapshot-exports", "GET", "401 404 403 403 403 200 200", {"digest": "digest"}),
    row("snapshot-exports", "POST", "401 404 403 403 403 202 202", {"digest": "digest"}, body=body(format="hf")),
    row("export", "GET", "401 404 403 403 403 200 200", {"export_id": "export"}),
    row("export-download", "GET", "401 404 403 403 403 404 404", {"export_id": "export"}),
)
