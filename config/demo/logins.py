"""The demo's users: random passwords, made once and kept in the var folder, readable by nobody else."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from curation.accounts import give_role
from curation.models import Benchmark, Role, User

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILE = "demo_logins.json"
CURATOR = "demo_curator"
REVIEWER = "demo_reviewer"


@dataclass(frozen=True)
class DemoUser:
    """Who signs in to the demo."""

    name: str
    role: Role
    is_superuser: bool = False


USERS = (
    DemoUser("demo_reader", Role.READER),
    DemoUser("demo_reader_2", Role.READER),
    DemoUser("demo_reader_3", Role.READER),
    DemoUser("demo_reader_4", Role.READER),
    DemoUser("demo_reader_5", Role.READER),
    DemoUser(REVIEWER, Role.REVIEWER),
    DemoUser(CURATOR, Role.CURATOR),
    DemoUser("demo_engineer", Role.ENGINEER),
    DemoUser("demo_admin", Role.ADMIN, is_superuser=True),
)


def _read(file: Path) -> dict[str, str]:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {str(name): str(word) for name, word in kept.items()} if isinstance(kept, dict) else {}


def _keep(file: Path, logins: dict[str, str]) -> None:
    """Write the file whole and closed to others from its first byte."""
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        json.dump(logins, stream, indent=1)
    part.replace(file)


def make_logins(benchmarks: Sequence[Benchmark], *, folder: Path) -> dict[str, str | None]:
    """Name and password of each demo user, new ones with their role in each benchmark; the same ones on every run.

    A user of that name whose password this file does not hold is somebody's own, and is left alone: None.
    """
    file = folder / FILE
    kept = _read(file)
    there = set(User.objects.filter(username__in=[user.name for user in USERS]).values_list("username", flat=True))
    for user in USERS:
        if user.name not in there:
            kept.setdefault(user.name, secrets.token_urlsafe(12))
    # Written before the users: a password that nobody can read again would lock its user out.
    folder.mkdir(parents=True, exist_ok=True)
    _keep(file, kept)
    for user in USERS:
        if user.name not in there:
            _make(user, benchmarks, password=kept[user.name])
    return {user.name: kept.get(user.name) for user in USERS}


@transaction.atomic
def _make(user: DemoUser, benchmarks: Sequence[Benchmark], *, password: str) -> None:
    # At once: a user who is there is never given a role again, lest a role that was taken away come back.
    first, *others = benchmarks
    give_role(name=user.name, role=user.role, benchmark=first, password=password, is_superuser=user.is_superuser)
    for benchmark in others:
        give_role(name=user.name, role=user.role, benchmark=benchmark)
