"""The product as README starts it, in a folder of its own, for whoever looks at it from outside."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import psutil

from tests.ports import free_port

PROJECT = Path(__file__).resolve().parents[2]
# What the test run itself has set; the product must make its own.
NOT_INHERITED = ("DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE")
SECONDS_TO_START = 240.0
SECONDS_TO_STOP = 30.0
SHOWN_LOG_LINES = 25
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(AssertionError):
    """An answer of the API that is no success."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


@dataclass
class Product:
    """One running product: its address, its log-ins, its commands and its API."""

    var: Path
    port: int
    process: subprocess.Popen[bytes] | None
    _seen: dict[tuple[int, float], psutil.Process] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)
    _steward: subprocess.Popen[str] | None = None

    @classmethod
    def start(cls, var: Path) -> Product:
        """Run what `make run` ends in and wait until it says that it is ready."""
        port = free_port()
        var.mkdir(parents=True, exist_ok=True)
        with (var / "quickstart.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "quickstart"],
                cwd=PROJECT,
                env={**_inherited(), "SIGHTLINE_VAR": str(var), "SIGHTLINE_PORT": str(port)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        product = cls(var=var, port=port, process=process)
        try:
            product._wait_until_ready()
        except BaseException:
            product.stop()
            raise
        return product

    @classmethod
    def attach(cls, var: Path, port: int) -> Product:
        """A product that somebody else started and will stop."""
        return cls(var=var, port=port, process=None)

    def _wait_until_ready(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + SECONDS_TO_START
        while "Sightline is ready" not in self.said:
            if self.process.poll() is not None or time.monotonic() > deadline:
                how = "did not get ready" if self.process.poll() is None else f"ended with {self.process.returncode}"
                raise AssertionError(f"quickstart {how}\n{self.logs()}")
            self.look_at_processes()
            time.sleep(0.1)
        assert self.fetch("/readyz") == b"ready"

    @property
    def said(self) -> str:
        """What quickstart printed."""
        return (self.var / "quickstart.log").read_text(encoding="utf-8", errors="replace")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def logins(self) -> dict[str, str]:
        """The demo's passwords, from the file that README names."""
        return cast("dict[str, str]", json.loads((self.var / "demo_logins.json").read_text(encoding="utf-8")))

    # --- processes ---

    def look_at_processes(self) -> list[psutil.Process]:
        """Every process of the product now; each is remembered for the end."""
        assert self.process is not None
        found = {}
        with contextlib.suppress(psutil.NoSuchProcess):
            found = {one.pid: one for one in psutil.Process(self.process.pid).children(recursive=True)}
        mark = str(self.var)
        for one in psutil.process_iter():
            try:
                if any(mark in word for word in one.cmdline()):
                    found[one.pid] = one
            except psutil.Error:
                continue
        for one in found.values():
            try:
                self._seen[one.pid, one.create_time()] = one
            except psutil.Error:
                continue
        return list(found.values())

    def stop(self) -> list[str]:
        """Ctrl-C; returns what is left of it, which must be nothing."""
        assert self.process is not None
        if self._steward is not None:
            self._steward.communicate()
        self.look_at_processes()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.look_at_processes()
        return [_words(one) for one in self._seen.values() if _is_alive(one)]

    def logs(self) -> str:
        """The last lines of everything it wrote."""
        parts = []
        for path in [self.var / "quickstart.log", *sorted((self.var / "logs").glob("*.log"))]:
            if path.exists():
                lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN_LOG_LINES:]
                parts.append("\n".join([f"--- {path.name}", *lines]))
        return "\n".join(parts)

    # --- commands ---

    def manage(self, *arguments: str | Path, stdin: str = "") -> str:
        """Run a command beside the product, which it must find through SIGHTLINE_VAR alone; returns its stdout."""
        words = [str(argument) for argument in arguments]
        if self._steward is None:
            self._steward = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.steward"],
                cwd=PROJECT,
                env={**_inherited(), "SIGHTLINE_VAR": str(self.var)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        asked, told = self._steward.stdin, self._steward.stdout
        assert asked is not None
        assert told is not None
        asked.write(json.dumps([words, stdin]) + "\n")
        asked.flush()
        line = told.readline()
        assert line, f"{' '.join(words)}: the process of the commands ended"
        status, output, errors = json.loads(line)
        assert status == 0, f"{' '.join(words)}: exit {status}\n{errors}"
        return cast("str", output)

    def manage_json(self, *arguments: str | Path) -> dict[str, Any]:
        """The one JSON document that a command prints."""
        return cast("dict[str, Any]", json.loads(self.manage(*arguments, "--json")))

    def add_reader(self, name: str, benchmark: str) -> str:
        """A reader with a password of their own; returns the name."""
        self.logins[name] = f"{name}-reads-with-care"
        self.manage(
            "create_user", name, "--role", "reader", "--benchmark", benchmark, "--password-stdin",
            stdin=f"{self.logins[name]}\n",
        )  # fmt: skip
        return name

    # --- HTTP ---

    def token(self, user: str) -> str:
        """An API token of a user."""
        if user not in self._tokens:
            self._tokens[user] = self.manage("token", user).strip()
        return self._tokens[user]

    def fetch(self, path: str, headers: Mapping[str, str] | None = None) -> bytes:
        """The bytes of an address."""
        request = urllib.request.Request(self.address + path, headers=dict(headers or {}))
        with DIRECT.open(request, timeout=30) as answer:
            return cast("bytes", answer.read())

    def call(
        self, user: str, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """One call below /api/v1/ with the user's token; raises Refused."""
        request = urllib.request.Request(
            f"{self.address}/api/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Token {self.token(user)}",
                "Content-Type": "application/json",
                **(headers or {}),
            },
        )
        try:
            with DIRECT.open(request, timeout=30) as answer:
                return cast("dict[str, Any]", json.loads(answer.read() or b"{}"))
        except urllib.error.HTTPError as error:
            raise Refused(error.code, json.loads(error.read() or b"{}")) from None


def _inherited() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name not in NOT_INHERITED and not name.startswith("SIGHTLINE_")
    }


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _words(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())}"
    except psutil.Error:
        return str(process.pid)
