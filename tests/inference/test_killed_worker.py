"""A real worker is killed in the middle of a prediction, or its model hangs: the sweep brings the prediction back."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection

from inference import supervising
from inference.models import JobState, Prediction
from inference.predicting import request_predictions
from inference.supervising import sweep
from tests.factories import make_benchmark, make_case
from tests.inference.conftest import Sent, plant

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_S = 180
# A database of the broker that nothing else uses, so that no other worker takes the message: of the sixteen, one for
# each process of the test run that may be at such a test at the same time.
BROKER_DATABASE = str(4 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 12)


def until(holds: Callable[[], Any], what: str) -> None:
    """Wait for something, or fail with its name."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(0.05)


def database_url() -> str:
    """The test's own database, as a worker takes it."""
    given = connection.settings_dict
    login = quote(given["USER"]) + (f":{quote(given['PASSWORD'])}" if given["PASSWORD"] else "")
    port = f"&port={given['PORT']}" if given["PORT"] else ""
    return f"postgres://{login}@/{given['NAME']}?host={quote(given['HOST'], safe='')}{port}"


def broker_url() -> str:
    """The test session's broker, in a database of its own."""
    url = settings.CELERY_BROKER_URL
    if url.startswith("redis+socket://"):
        return f"{url}?virtual_host={BROKER_DATABASE}"
    if not url.startswith("redis"):
        pytest.skip(f"needs a redis or valkey broker, not {url.split(':')[0]}")
    return f"{url.rstrip('/')}/{BROKER_DATABASE}"


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a worker for the queue gpu, as `make run` does, with other settings; none is left at the end."""
    environment = {
        **os.environ,
        "SECRET_KEY": settings.SECRET_KEY,
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": broker_url(),
        "SIGHTLINE_VAR": str(tmp_path),  # where the test's images lie
    }
    started: list[subprocess.Popen[bytes]] = []

    def start(**variables: str) -> subprocess.Popen[bytes]:
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"]
        command = [sys.executable, "-m", "celery", "-A", "tests.inference.slow_worker", "worker", "-Q", "gpu"]
        with (tmp_path / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "--pool", "solo", *quiet],
                cwd=PROJECT,
                env={**environment, **variables},
                stdout=log,
                stderr=log,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture
def deliver(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Hand what was sent so far to a real broker, whose queue gpu is empty at the start."""
    monkeypatch.setenv("CELERY_BROKER_URL", broker_url())  # goes before what an app is told
    broker = Celery()
    broker.conf.task_routes = settings.CELERY_TASK_ROUTES
    with broker.connection_for_write() as opened:
        channel: Any = opened.default_channel
        channel.queue_declare(queue="gpu")
        channel.queue_purge("gpu")
    monkeypatch.setattr(supervising, "current_app", broker)

    def hand_over() -> None:
        for name, kwargs in sent:
            broker.send_task(name, kwargs=kwargs)
        sent.clear()

    return hand_over


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_loses_nothing(tmp_path: Path, start_worker: Any, deliver: Callable[[], None]) -> None:
    planted, case = plant("planted"), make_case(make_benchmark())
    (tmp_path / "hold").touch()
    (prediction_id,) = request_predictions(model=planted, case_ids=[case.pk])
    deliver()
    assert supervising.waiting_messages("inference.tasks.predict_case") == 1

    first = start_worker()
    until((tmp_path / "begun").exists, "the model to begin")
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    row = Prediction.objects.get()
    assert (row.state, row.attempts) == (JobState.RUNNING, 1)
    assert supervising.waiting_messages("inference.tasks.predict_case") == 0  # the message went with the worker

    assert sweep(silent_for=dt.timedelta()).requeued == 1
    deliver()
    (tmp_path / "hold").unlink()
    start_worker()
    until(lambda: Prediction.objects.filter(state=JobState.DONE).exists(), "the second worker")
    row.refresh_from_db()
    assert (row.pk, row.attempts, row.choice) == (prediction_id, 2, "A")
    assert row.maps.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_model_that_hangs_ends_its_worker_and_the_next_one_does_the_job(
    tmp_path: Path, start_worker: Any, deliver: Callable[[], None]
) -> None:
    planted, case = plant("planted"), make_case(make_benchmark())
    (tmp_path / "hold").touch()
    (prediction_id,) = request_predictions(model=planted, case_ids=[case.pk])
    deliver()
    hung = start_worker(SIGHTLINE_PREDICT_DEADLINE_S="1")
    assert hung.wait(PATIENCE_S) == os.EX_TEMPFAIL
    log = (tmp_path / "worker.log").read_text(encoding="utf-8")
    assert f"CRITICAL inference.claiming prediction {prediction_id} by model planted did not end within 1 s" in log
    assert Prediction.objects.get().state == JobState.RUNNING

    assert sweep(silent_for=dt.timedelta()).requeued == 1
    deliver()
    (tmp_path / "hold").unlink()
    start_worker()
    until(lambda: Prediction.objects.filter(state=JobState.DONE).exists(), "the second worker")
    assert Prediction.objects.get().attempts == 2
