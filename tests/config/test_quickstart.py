"""What quickstart refuses, what it shares with commands beside it, and what it leaves alone."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import embedded, quickstart
from config.environment import PROJECT, Environment, Var, read_json
from config.quickstart import CannotStart


@pytest.fixture
def var() -> Iterator[Var]:
    """A short path: pytest's own temporary folders may be too long for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="sl-"))
    yield Var(folder).create()
    shutil.rmtree(folder)


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"port {port} on 127\.0\.0\.1 .*SIGHTLINE_PORT="):
            quickstart.check_port("127.0.0.1", port)
    quickstart.check_port("127.0.0.1", port)


def test_a_second_start_on_the_same_folder_names_the_first(var: Var) -> None:
    refused = pytest.raises(CannotStart, match=f"process {os.getpid()} on {var.root}")
    with quickstart.locked(var), refused, quickstart.locked(var):
        pytest.fail("two at once")
    with quickstart.locked(var):
        assert (var.run / "quickstart.pid").read_text(encoding="utf-8") == str(os.getpid())


@pytest.mark.usefixtures("bare_environment")
def test_commands_beside_it_find_the_servers_while_they_run(var: Var) -> None:
    with quickstart.servers(var) as settled:
        found = Environment.load({"SIGHTLINE_VAR": str(var.root)})
        assert found.text("DATABASE_URL") == settled["DATABASE_URL"]
        assert found.broker() == settled["CELERY_BROKER_URL"]
        assert found.secret_key() == settled["SECRET_KEY"]
        assert var.servers.stat().st_mode & 0o077 == 0
    assert not var.servers.exists()
    assert embedded.running_postgres(var) is None
    assert read_json(var.keys)["SECRET_KEY"] == settled["SECRET_KEY"]


@pytest.mark.usefixtures("bare_environment")
def test_external_servers_are_used_and_none_is_started(var: Var, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"DATABASE_URL": "postgres://ann:hidden@db.example/bench", "CELERY_BROKER_URL": "amqp://mq.example/"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(embedded, "start_postgres", lambda _var: pytest.fail("PostgreSQL was started"))
    monkeypatch.setattr(embedded, "start_valkey", lambda _var: pytest.fail("Valkey was started"))
    with quickstart.servers(var) as settled:
        assert {name: settled[name] for name in given} == given


@pytest.mark.usefixtures("bare_environment")
def test_threads_wait_without_spinning_unless_told_otherwise(var: Var, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://one@example.org/one")
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://example.org")
    monkeypatch.setenv("GOMP_SPINCOUNT", "100")
    with quickstart.servers(var) as settled:
        assert (settled["OMP_WAIT_POLICY"], settled["GOMP_SPINCOUNT"]) == ("PASSIVE", "100")


@pytest.mark.usefixtures("bare_environment")
def test_what_was_started_is_stopped_when_the_rest_fails(var: Var, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_var: Var) -> None:
        raise embedded.ServerFailed("no broker today")

    monkeypatch.setattr(embedded, "start_valkey", refuse)
    with pytest.raises(embedded.ServerFailed, match="no broker today"), quickstart.servers(var):
        pytest.fail("started without a broker")
    assert embedded.running_postgres(var) is None


@pytest.mark.parametrize(
    ("names", "expected"), [("*", "localhost"), (".bench.example", "bench.example"), ("", "localhost")]
)
def test_the_site_is_asked_under_a_name_it_answers_to(tmp_path: Path, names: str, expected: str) -> None:
    environment = Environment.load({"SIGHTLINE_VAR": str(tmp_path), "SIGHTLINE_ALLOWED_HOSTS": names})
    assert quickstart.allowed_name(environment) == expected


def test_nobody_answers_at_a_closed_port() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))  # nobody else gets it, and nobody listens
        assert not quickstart.answers(f"http://127.0.0.1:{holder.getsockname()[1]}/readyz", "localhost")


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [({"SIGHTLINE_PORT": "99999"}, "SIGHTLINE_PORT='99999'"), ({"SECRET_KEY": "short"}, "SECRET_KEY")],
)
def test_a_bad_setting_ends_the_command_with_one_line(var: Var, variables: dict[str, str], complaint: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in {"SECRET_KEY", "SIGHTLINE_PORT"}}
    done = subprocess.run(
        [sys.executable, "manage.py", "quickstart", "--no-demo", "--exit-after-ready"],
        cwd=PROJECT,
        env={**kept, "SIGHTLINE_VAR": str(var.root), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
