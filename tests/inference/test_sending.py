"""Tasks are sent by names that exist, and a broker that is away costs a request next to nothing."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, current_app
from django.conf import settings
from django.db import transaction

from config.celery import app
from curation import queues
from curation.models import Benchmark
from inference.enrolling import enrol
from inference.models import JobState, ModelVersion, Prediction
from tests.factories import make_case

PROJECT = Path(__file__).resolve().parents[2]


def test_every_name_that_is_sent_or_routed_is_registered() -> None:
    app.loader.import_default_modules()
    named = set(settings.CELERY_TASK_ROUTES)
    named |= {str(entry["task"]) for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    for source in (path for one in ("curation", "annotations", "inference") for path in (PROJECT / one).rglob("*.py")):
        named |= set(re.findall(r'"((?:curation|annotations|inference)\.tasks\.\w+)"', source.read_text()))
    assert "inference.tasks.predict_case" in named
    assert named <= set(app.tasks)


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    """A broker that refuses every connection: a port that is taken, and at which nobody listens."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    monkeypatch.setenv("CELERY_BROKER_URL", f"redis://127.0.0.1:{taken.getsockname()[1]}/0")
    broker = Celery()
    broker.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    broker.conf.task_publish_retry = settings.CELERY_TASK_PUBLISH_RETRY
    monkeypatch.setattr(queues, "current_app", broker)
    yield broker
    taken.close()


@pytest.mark.django_db
def test_a_broker_that_is_away_neither_fails_nor_delays_a_request(
    benchmark: Benchmark,
    planted: ModelVersion,
    away: Celery,
    django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(20):
        make_case(benchmark, f"case {number}", images=0)
    tries: list[str] = []
    send_task = away.send_task

    def counted(name: str, **rest: Any) -> Any:
        tries.append(name)
        return send_task(name, **rest)

    monkeypatch.setattr(away, "send_task", counted)
    with django_capture_on_commit_callbacks(execute=True):
        enrol(benchmark=benchmark, model=planted, is_live=True)
    assert tries == ["inference.tasks.predict_case"]  # one failure pauses sending; the sweep sends the rest
    assert Prediction.objects.filter(state=JobState.QUEUED).count() == 20


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_by_what_is_rolled_back(sent: list[Any]) -> None:
    with transaction.atomic():
        queues.send("inference.tasks.sweep")
        transaction.set_rollback(True)
    assert sent == []
    queues.send("inference.tasks.sweep")
    assert sent == [("inference.tasks.sweep", {})]


@pytest.mark.django_db(transaction=True)
def test_whatever_sending_raises_fails_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(queues, "_paused_until", 0.0)
    monkeypatch.setattr(current_app, "send_task", fail)
    with transaction.atomic():
        queues.send("inference.tasks.sweep")
