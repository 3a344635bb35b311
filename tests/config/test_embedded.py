"""Embedded PostgreSQL and Valkey: start, stop, keep data, survive kills, end with their parent."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config import embedded
from config.embedded import Identity, Server, ServerFailed, running_postgres, start_postgres, start_valkey
from config.environment import PROJECT, Var, parse_database_url


@pytest.fixture
def var() -> Iterator[Var]:
    """A short path: pytest's own temporary folders may be too long for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="sl-"))
    yield Var(folder)
    shutil.rmtree(folder)


def connect(server: Server) -> psycopg.Connection:
    parsed = parse_database_url(server.url)
    return psycopg.connect(
        host=str(parsed["HOST"]), user=str(parsed["USER"]), dbname=str(parsed["NAME"]), autocommit=True
    )


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(*pids: int) -> None:
    deadline = time.monotonic() + 120
    while not all(is_gone(pid) for pid in pids):
        assert time.monotonic() < deadline, f"still there: {[pid for pid in pids if not is_gone(pid)]}"
        time.sleep(0.02)


def test_postgres_keeps_data_over_restarts_and_kills(var: Var) -> None:
    server = start_postgres(var)
    with connect(server) as connection:
        connection.execute("CREATE TABLE kept (value int)")
        connection.execute("INSERT INTO kept VALUES (7)")
    server.stop()
    assert not server.is_running()
    assert running_postgres(var) is None

    server = start_postgres(var)
    assert running_postgres(var) == server.process.pid
    server.process.kill()  # leaves a stale postmaster.pid
    server.process.wait()
    assert (var.postgres / "postmaster.pid").exists()
    assert running_postgres(var) is None

    server = start_postgres(var)
    try:
        with connect(server) as connection:
            assert connection.execute("SELECT value FROM kept").fetchall() == [(7,)]
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
    finally:
        server.stop()


def test_postgres_listens_on_a_private_socket_only(var: Var) -> None:
    server = start_postgres(var, durable=False)
    try:
        assert stat.S_IMODE(var.run.stat().st_mode) == 0o700
        assert psutil.Process(server.process.pid).net_connections("inet") == []
        with connect(server) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            assert connection.execute("SHOW fsync").fetchone() == ("off",)
    finally:
        server.stop()


def test_a_postgres_that_outlived_its_starter_is_replaced(var: Var) -> None:
    orphan = start_postgres(var, durable=False)
    server = start_postgres(var, durable=False)
    try:
        assert orphan.process.wait(120) is not None
        assert running_postgres(var) == server.process.pid
    finally:
        server.stop()


def test_an_interrupted_first_start_does_not_spoil_the_next(var: Var) -> None:
    half_made = var.root / "postgres.new"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n", encoding="utf-8")
    server = start_postgres(var, durable=False)
    server.stop()
    assert not half_made.exists()


def test_data_of_another_version_is_refused_and_named(var: Var) -> None:
    var.create()
    var.postgres.mkdir()
    (var.postgres / "PG_VERSION").write_text("9.6\n", encoding="utf-8")
    with pytest.raises(ServerFailed, match=r"data of PostgreSQL 9\.6"):
        start_postgres(var)


def test_a_server_that_cannot_start_shows_the_end_of_its_log(var: Var) -> None:
    server = start_postgres(var, durable=False)
    server.stop()
    (var.postgres / "postgresql.conf").write_text("no_such_setting = 1\n", encoding="utf-8")
    with pytest.raises(ServerFailed, match="no_such_setting"):
        start_postgres(var, durable=False)


def test_too_long_a_path_moves_the_sockets_to_a_private_folder(var: Var) -> None:
    deep = Var(var.root / ("d" * 60) / ("e" * 60))
    postgres, valkey = start_postgres(deep, durable=False), start_valkey(deep)
    folders = [postgres.temporary, valkey.temporary]
    try:
        connect(postgres).close()
        assert redis.Redis(unix_socket_path=valkey.url.removeprefix("redis+socket://")).ping()
        for folder in folders:
            assert folder is not None
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        valkey.stop()
        postgres.stop()
    assert not any(folder.exists() for folder in folders if folder)


def test_valkey_keeps_what_is_queued_over_a_kill(var: Var) -> None:
    server = start_valkey(var)
    socket = server.url.removeprefix("redis+socket://")
    assert stat.S_IMODE(Path(socket).stat().st_mode) == 0o700
    with redis.Redis(unix_socket_path=socket, single_connection_client=True) as client:
        client.rpush("queue", "job")
        assert client.execute_command("WAITAOF", 1, 0, 120_000)[0] == 1  # until it is forced to disk
    server.process.kill()
    server.process.wait()
    server = start_valkey(var)
    try:
        assert redis.Redis(unix_socket_path=socket).lrange("queue", 0, -1) == [b"job"]
    finally:
        server.stop()


def test_servers_end_with_a_killed_parent(var: Var) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom config.embedded import start_postgres, start_valkey\n"
        "from config.environment import Var\nvar = Var(Path(sys.argv[1]))\n"
        "print(start_postgres(var, durable=False).process.pid, start_valkey(var).process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(var.root)], stdout=subprocess.PIPE, text=True, cwd=PROJECT
    )
    assert parent.stdout is not None
    pids = [int(part) for part in parent.stdout.readline().split()]
    parent.kill()
    parent.communicate()
    assert len(pids) == 2
    wait_until_gone(*pids)


def test_missing_binaries_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_package_folder", lambda _package: None)
    monkeypatch.setattr(Path, "glob", lambda _self, _pattern: iter(()))
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(ServerFailed, match="DATABASE_URL"):
        embedded.postgres_binaries()
    with pytest.raises(ServerFailed, match="CELERY_BROKER_URL"):
        embedded.valkey_binary()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another identity")
def test_root_without_user_namespaces_runs_postgres_as_another_user(var: Var, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    identity = embedded.postgres_identity()
    assert identity.prefix == ()
    assert identity.user in {"postgres", "nobody"}
    var.root.chmod(0o711)
    if not _can_enter(embedded.postgres_binaries(), identity):
        # The checkout itself lies where no other user can go: then that is what must be said.
        with pytest.raises(ServerFailed, match="cannot enter"):
            start_postgres(var, durable=False)
        return
    server = start_postgres(var, durable=False)
    try:
        assert psutil.Process(server.process.pid).username() == identity.user
        connect(server).close()
    finally:
        server.stop()


def _can_enter(folder: Path, identity: Identity) -> bool:
    return subprocess.run(["test", "-x", str(folder)], check=False, user=identity.user).returncode == 0


def test_an_unreachable_var_folder_is_named(var: Var, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "postgres_identity", lambda: Identity(user="nobody"))
    monkeypatch.setattr(Identity, "options", lambda _self: {})
    monkeypatch.setattr(embedded, "postgres_binaries", lambda: var.root / "absent")
    with pytest.raises(ServerFailed, match=r"user 'nobody' cannot enter .*absent"):
        start_postgres(var)


def test_signals_of_the_terminal_do_not_reach_the_servers(var: Var) -> None:
    server = start_valkey(var)
    try:
        assert os.getsid(server.process.pid) == server.process.pid
    finally:
        server.stop()
    assert server.process.returncode in {0, -signal.SIGTERM}
