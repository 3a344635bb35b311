"""The compose file and the settings speak of the same variables, queues and processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from config.environment import VARIABLES

DOCKER = Path(__file__).resolve().parent.parent / "docker"
CREDENTIALS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return loaded


def test_every_variable_is_one_the_settings_read(compose: dict[str, Any]) -> None:
    for service in ("web", "cpu-worker", "gpu-worker", "beat", "migrate"):
        given = set(compose["services"][service]["environment"])
        assert given - set(VARIABLES) == CREDENTIALS, service


def test_every_queue_has_a_worker(compose: dict[str, Any]) -> None:
    served: set[str] = set()
    for service in compose["services"].values():
        command = service.get("command", [])
        if "-Q" in command:
            served |= set(command[command.index("-Q") + 1].split(","))
    gpu_command = (DOCKER / "worker.Dockerfile").read_text().rsplit("CMD", 1)[1]
    served |= {queue for queue in ("gpu", "interactive") if queue in gpu_command}
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    assert routed | {settings.CELERY_TASK_DEFAULT_QUEUE} <= served


def test_no_secret_is_written_down(compose: dict[str, Any]) -> None:
    for line in (DOCKER / ".env.example").read_text().splitlines():
        name, _, value = line.partition("=")
        assert not value or not name.endswith(("KEY", "PASSWORD")), name
    assert "changeme" not in (DOCKER / "compose.yaml").read_text()


def test_the_web_image_leaves_torch_out() -> None:
    text = (DOCKER / "web.Dockerfile").read_text()
    assert "torch|transformers" in text
