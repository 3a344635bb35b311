"""One embedded PostgreSQL and Valkey for a whole test session, shared by all of its processes.

Loaded by `-p tests.servers` (pyproject.toml), so that the servers run before Django's settings are read. The
controller starts them in a temporary var folder and stops them at the end; xdist's workers inherit the environment.
A DATABASE_URL or CELERY_BROKER_URL that is already set is used as it is, and nothing is started for it.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from config.embedded import Server, start_postgres, start_valkey
from config.environment import Var

_started: list[Server] = []
_folders: list[Path] = []


def _start() -> None:
    folder = Path(tempfile.mkdtemp(prefix="sightline-test-"))
    _folders.append(folder)
    var = Var(folder).create()
    os.environ["SIGHTLINE_VAR"] = str(folder)
    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(64))
    if not os.environ.get("DATABASE_URL"):
        _started.append(start_postgres(var, durable=False))
        os.environ["DATABASE_URL"] = _started[-1].url
    if not os.environ.get("CELERY_BROKER_URL"):
        _started.append(start_valkey(var))
        os.environ["CELERY_BROKER_URL"] = _started[-1].url


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Before conftest files and pytest-django's look at the settings, in the controller only."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        # Also when collection fails or pytest is interrupted.
        early_config.add_cleanup(_stop)
        _start()
    return (yield)


def _stop() -> None:
    while _started:
        _started.pop().stop()
    while _folders:
        shutil.rmtree(_folders.pop(), ignore_errors=True)
