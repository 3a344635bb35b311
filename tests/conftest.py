"""The cast of named users, and what every test needs."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Any
from unittest import mock

import pgtrigger
import pytest
from django.http import FileResponse
from hypothesis import HealthCheck, settings
from rest_framework.test import APIClient

from curation import queues
from curation.models import Benchmark, Case, Role, User
from tests.factories import make_benchmark, make_case, make_user

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from pytest_django import DjangoDbBlocker


# Others may share the cores: an example that takes long is no fault.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])


def pytest_configure(config: pytest.Config) -> None:
    """`make test` asks for Hypothesis' own profile "ci", which is as patient and draws the same examples each time."""
    if not config.getoption("--hypothesis-profile", None):
        settings.load_profile("unhurried")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    """Ids, tokens and coins fall as the test's name and `--randomly-seed` say: what failed by a draw fails again.

    Only in this process: the servers and workers that a test starts draw their own.
    """
    seed = item.config.getoption("randomly_seed", 0)
    drawn = random.Random(f"{seed} {item.nodeid}").randbytes
    # uuid4 asks the one, everything in `secrets` the other.
    with mock.patch.object(os, "urandom", drawn), mock.patch.object(random, "_urandom", drawn):
        return (yield)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    """Stored bytes of a test stay in the test's own folder."""
    folder = tmp_path / "media"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(folder)},
        },
    }
    return folder


@pytest.fixture(autouse=True)
def answers_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server closes an answer that is a file when it is sent; the test client leaves that to whoever asked."""
    answers: list[FileResponse] = []
    make = FileResponse.__init__

    def noted(answer: FileResponse, *given: Any, **named: Any) -> None:
        make(answer, *given, **named)
        answers.append(answer)

    monkeypatch.setattr(FileResponse, "__init__", noted)
    yield
    for answer in answers:
        for close in answer._resource_closers:  # type: ignore[attr-defined]
            close()


@pytest.fixture(autouse=True)
def no_broker_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test in this process may have met one that was a moment ago: then nothing is sent for a while."""
    monkeypatch.setattr(queues, "_paused_until", 0.0)


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """A hash that costs nothing: the cast signs in hundreds of times."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let Django empty the tables after a test with real transactions: the audit trail refuses TRUNCATE.

    The test of that refusal switches the trigger on again for itself.
    """
    with django_db_blocker.unblock():
        pgtrigger.disable("curation.AuditEvent:no_truncate", "curation.AuditSeal:no_truncate")


@pytest.fixture
def benchmark(db: None) -> Benchmark:
    """One benchmark, one reading wanted for each case."""
    return make_benchmark()


@pytest.fixture
def case(benchmark: Benchmark) -> Case:
    """One case with one image."""
    return make_case(benchmark)


@pytest.fixture
def reader(benchmark: Benchmark) -> User:
    """Rosa reads in the benchmark."""
    return make_user("rosa", Role.READER, benchmark)


@pytest.fixture
def other_reader(benchmark: Benchmark) -> User:
    """Omar reads there too."""
    return make_user("omar", Role.READER, benchmark)


@pytest.fixture
def reviewer(benchmark: Benchmark) -> User:
    """Vera reviews."""
    return make_user("vera", Role.REVIEWER, benchmark)


@pytest.fixture
def curator(benchmark: Benchmark) -> User:
    """Carl curates."""
    return make_user("carl", Role.CURATOR, benchmark)


@pytest.fixture
def engineer(benchmark: Benchmark) -> User:
    """Emil runs models."""
    return make_user("emil", Role.ENGINEER, benchmark)


@pytest.fixture
def admin(benchmark: Benchmark) -> User:
    """Ada administers the benchmark."""
    return make_user("ada", Role.ADMIN, benchmark)


@pytest.fixture
def outsider(db: None) -> User:
    """Otto reads in another benchmark."""
    return make_user("otto", Role.READER, make_benchmark("elsewhere"))


@pytest.fixture
def api() -> Callable[[User | None], APIClient]:
    """An API client signed in as somebody, or as nobody."""

    def client(user: User | None) -> APIClient:
        made = APIClient()
        if user is not None:
            made.force_authenticate(user)
        return made

    return client
