"""Servers for one run of the tests or of a harness: in a folder of their own, not durable, gone at the end."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from config.embedded import start_postgres, start_valkey
from config.environment import Var

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def temporary_servers() -> Iterator[None]:
    """PostgreSQL and Valkey, told to this process and its children through the environment.

    A DATABASE_URL or CELERY_BROKER_URL that is set already is used as it is, and nothing is started for it.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="sightline-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        var = Var(folder).create()
        os.environ["SIGHTLINE_VAR"] = str(folder)
        os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(64))
        if not os.environ.get("DATABASE_URL"):
            postgres = start_postgres(var, durable=False)
            stack.callback(postgres.stop)
            os.environ["DATABASE_URL"] = postgres.url
        if not os.environ.get("CELERY_BROKER_URL"):
            valkey = start_valkey(var)
            stack.callback(valkey.stop)
            os.environ["CELERY_BROKER_URL"] = valkey.url
        yield
