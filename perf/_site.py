"""A site of its own for load: PostgreSQL, migrations and the web process of `make run`, with CPU counted on both sides.

CPU is what the operating system charged: the web process, and the PostgreSQL server with every backend it ever had.
It is steadier than wall time, which whoever else works on the machine stretches.
"""

# ruff: noqa: E402 - Django is set up before models are imported

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

from config.temporary import temporary_servers

_servers = ExitStack()
atexit.register(_servers.close)
_servers.enter_context(temporary_servers())
django.setup()

import psutil
from django.core.management import call_command
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS_TO_START = 60.0


@dataclass(frozen=True)
class Cpu:
    """CPU seconds so far, or between two looks."""

    server: float
    database: float

    @property
    def both(self) -> float:
        """Of server and database together."""
        return self.server + self.database

    def since(self, earlier: Cpu) -> Cpu:
        """What was spent after an earlier look."""
        return Cpu(self.server - earlier.server, self.database - earlier.database)


def database_cpu() -> float:
    """CPU seconds of the PostgreSQL server, of backends that live and of those that have ended."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        (backend,) = cursor.fetchone()
    postmaster = psutil.Process(backend).parent()
    if postmaster is None:
        raise RuntimeError("PostgreSQL runs on another machine: its CPU cannot be counted")
    times = postmaster.cpu_times()
    total = times.user + times.system + times.children_user + times.children_system
    for child in postmaster.children():
        try:
            spent = child.cpu_times()
        except psutil.NoSuchProcess:  # it ended in between; the next look counts it with the postmaster
            continue
        total += spent.user + spent.system
    return float(total)


def own_cpu() -> Cpu:
    """CPU of this process, of its children and of the database: for operations that run here."""
    own = time.process_time()
    for child in psutil.Process().children(recursive=True):
        # Not the database's, where it is a child: counted apart.
        if not {"postgres", "valkey-server"} & {Path(word).name.rstrip(":") for word in child.cmdline()[:1]}:
            spent = child.cpu_times()
            own += spent.user + spent.system
    return Cpu(own, database_cpu())


@dataclass(frozen=True)
class Site:
    """The web process."""

    port: int
    process: psutil.Process

    def cpu(self) -> Cpu:
        """CPU of the web process and of the database so far."""
        times = self.process.cpu_times()
        return Cpu(times.user + times.system, database_cpu())


def prepare_database() -> None:
    """Migrate; a database that DATABASE_URL named must be empty, since what is measured stays in it."""
    call_command("migrate", verbosity=0)


@contextmanager
def served() -> Iterator[Site]:
    """The web process as `make run` starts it, until it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "uvicorn", "config.asgi:application", "--host", "127.0.0.1", "--port", str(port)),
        *("--lifespan", "off", "--no-access-log", "--no-server-header", "--log-level", "warning"),
    ]
    process = subprocess.Popen(command, cwd=PROJECT)
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{port}/readyz")
        yield Site(port, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            with direct.open(url, timeout=2):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{url} does not answer") from None
            time.sleep(0.1)
