"""PostgreSQL goes away and comes back under 32 readers at work: nothing that was acknowledged is lost."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.conf import settings

from config.embedded import Server, postgres_binaries, start_postgres
from config.environment import Var
from tests.inference.test_killed_worker import database_url
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parents[3]
READERS, CASES, OVERLAP = 32, 80, 2
PATIENCE_S = 180


@dataclass
class Ledger:
    """What the server acknowledged, and how often it could not answer."""

    saved: list[tuple[str, int]] = field(default_factory=list)
    submitted: list[tuple[str, str, int]] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


class Reader(threading.Thread):
    """One reader over HTTP, who sends what was not acknowledged again, as the reading page does."""

    def __init__(self, port: int, token: str, ledger: Ledger) -> None:
        super().__init__()
        self.port, self.token, self.ledger = port, token, ledger

    def run(self) -> None:
        try:
            while self.one():
                pass
        except Exception as error:  # noqa: BLE001 whatever it was: the test tells it
            self.ledger.broken.append(repr(error))

    def one(self) -> bool:
        """Read one case; False when there is none left."""
        given = self.call("POST", "/api/v1/benchmarks/ward/next/", {})
        if given.get("case") is None:
            time.sleep(0.1)
            return bool(given["reason"] != "done")
        reading, version = given["reading"]["id"], given["reading"]["version"]
        said: dict[str, Any] = {"answer": {"choice": "A"}, "confidence": None, "rois": [], "steps": [], "entities": []}
        saved = self.call("PUT", f"/api/v1/readings/{reading}/draft/", {**said, "version": version})
        self.ledger.saved.append((reading, saved["version"]))
        key = str(uuid.uuid4())
        body = {"version": saved["version"]}
        done = self.call("POST", f"/api/v1/readings/{reading}/submit/", body, {"Idempotency-Key": key})
        self.ledger.submitted.append((reading, key, done["revision"]))
        return True

    def call(self, method: str, path: str, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """The answer once there is one: anything of 500 and above, or none at all, is asked again."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer, text = None, b""
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
            try:
                sent = {"Authorization": f"Token {self.token}", "Content-Type": "application/json", **(headers or {})}
                connection.request(method, path, json.dumps(body), sent)
                answer = connection.getresponse()
                text = answer.read()
            except OSError:
                pass  # the web process could not be reached, or went away
            finally:
                connection.close()
            if answer is not None and answer.status == 200:
                return dict(json.loads(text))
            if answer is not None:
                self.ledger.refused[answer.status] += 1
                assert answer.status >= 500, f"{method} {path}: {answer.status} {text[:300]!r}"
            assert time.monotonic() < deadline, f"{method} {path} was never answered"
            time.sleep(0.1)


@pytest.fixture
def var(tmp_path: Path) -> Var:
    return Var(tmp_path / "var").create()


@pytest.fixture
def environment(var: Var) -> dict[str, str]:
    """For the processes of this installation; DATABASE_URL is set once its server runs."""
    return {**os.environ, "SIGHTLINE_VAR": str(var.root), "SECRET_KEY": settings.SECRET_KEY}


def copy_tables(url: str) -> None:
    """Those of the test's own database, which is migrated: to migrate another one takes much longer."""
    binaries = postgres_binaries()
    dumped = subprocess.run([binaries / "pg_dump", "--no-owner", database_url()], check=True, capture_output=True)
    subprocess.run(
        [binaries / "psql", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", url],
        check=True,
        capture_output=True,
        input=dumped.stdout,
    )


@pytest.fixture
def served(var: Var, environment: dict[str, str], db: None) -> Iterator[tuple[list[Server], int, list[str]]]:
    """The database server in a list, since it changes; the port of the web process; and the readers' tokens."""
    running = [start_postgres(var)]
    environment["DATABASE_URL"] = running[0].url
    with ExitStack() as stack:
        stack.callback(lambda: running[0].stop())  # noqa: PLW0108 the one that runs then
        copy_tables(running[0].url)
        ward = [sys.executable, "-m", "tests.annotations.faults.ward", str(CASES), str(READERS)]
        tokens = subprocess.run(ward, cwd=PROJECT, env=environment, check=True, capture_output=True, text=True).stdout
        port = free_port()
        command = ["uvicorn", "config.asgi:application", "--port", str(port), "--lifespan", "off"]
        log = stack.enter_context((var.root / "web.log").open("wb"))
        web = subprocess.Popen(
            [sys.executable, "-m", *command, "--log-level", "warning"],
            cwd=PROJECT,
            env=environment,
            stdout=log,
            stderr=log,
        )
        stack.callback(web.wait, timeout=PATIENCE_S)
        stack.callback(web.terminate)
        yield running, port, tokens.split()


def wait_for(ledger: Ledger, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len(ledger.submitted) < count:
        assert not ledger.broken, ledger.broken[0]
        assert time.monotonic() < deadline, f"only {len(ledger.submitted)} of {count} submitted; {ledger.refused}"
        time.sleep(0.05)


def test_nothing_acknowledged_is_lost_over_a_stop_and_a_crash(
    served: tuple[list[Server], int, list[str]], var: Var
) -> None:
    running, port, tokens = served
    ledger = Ledger()
    readers = [Reader(port, token, ledger) for token in tokens]
    for reader in readers:
        reader.start()
    wait_for(ledger, CASES * OVERLAP // 4)
    running[0].stop()  # every client is dropped
    running[0] = start_postgres(var)
    wait_for(ledger, CASES * OVERLAP // 2)
    running[0].process.kill()  # as if the machine had lost it: the log is replayed
    running[0].process.wait(timeout=PATIENCE_S)
    running[0] = start_postgres(var)
    for reader in readers:
        reader.join(timeout=PATIENCE_S)
    assert not ledger.broken, ledger.broken[0]
    check(running[0], ledger)


def check(server: Server, ledger: Ledger) -> None:
    with psycopg.connect(server.url) as connection:
        kept = {
            (str(reading), key): revision
            for reading, key, revision in connection.execute(
                "select s.reading_id, s.key, r.revision from annotations_submitreceipt s"
                " join annotations_readingrevision r on r.id = s.revision_id"
            )
        }
        versions = {
            str(reading): version
            for reading, version in connection.execute("select id, version from annotations_reading")
        }
        by_case = [n for (n,) in connection.execute("select count(*) from annotations_reading group by case_id")]
    assert len(ledger.submitted) == CASES * OVERLAP
    for reading, key, revision in ledger.submitted:
        assert kept.get((reading, key)) == revision, f"the submit of {reading} was acknowledged and is lost"
    for reading, version in ledger.saved:
        assert versions[reading] >= version, f"version {version} of {reading} was acknowledged and is lost"
    assert by_case == [OVERLAP] * CASES
