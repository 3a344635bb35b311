"""What `make run` ends in: servers, migrations, demo content, web, workers and beat, started and stopped as one.

It runs before Django's settings can be read (they need the servers and keys that it makes), so it imports no Django;
whatever needs Django is a child process with the environment made here.
"""

import argparse
import contextlib
import fcntl
import os
import shutil
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from config import embedded
from config.embedded import Server, ServerFailed
from config.environment import (
    PROJECT,
    SHARED_BY_SERVERS,
    BadSetting,
    Environment,
    Var,
    ensure_keys,
    without_password,
    write_private_json,
)
from config.supervision import Child, ChildFailed, Stopped, Supervisor, python

APPS = ("config", "curation", "annotations", "inference")
SECONDS_TO_READY = 120.0
WORKERS = {
    # One process owns the device; a solo pool, since CUDA does not survive a fork.
    "worker-gpu": ("gpu,interactive", "solo"),
    "worker-scores": ("scores", "prefork"),
    "worker-default": ("default", "prefork"),
}


# Threads of a model that wait for one another must not spin: on a busy machine a small model then takes ten times the
# processor time, from the pages among others.
PATIENT_THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}


class CannotStart(RuntimeError):
    """A reason why starting makes no sense, with its remedy."""


@dataclass(frozen=True)
class Options:
    """The command's flags."""

    has_demo: bool = True
    is_exiting_when_ready: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags (here and for Django's help)."""
    parser.add_argument("--no-demo", action="store_true", help="start without demo content")
    parser.add_argument("--exit-after-ready", action="store_true", help="stop again once everything answers")


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="manage.py quickstart", description="Start everything on this machine, and stop it all on Ctrl-C."
    )
    add_arguments(parser)
    parsed = parser.parse_args(list(arguments))
    return quickstart(Options(has_demo=not parsed.no_demo, is_exiting_when_ready=parsed.exit_after_ready))


def quickstart(options: Options) -> int:
    """Start everything and stay until Ctrl-C; 0 when asked to stop, 1 on failure."""
    try:
        environment = Environment.load({name: value for name, value in os.environ.items() if value})
        with locked(environment.var.create()):
            _run(environment, options)
    except Stopped:
        say("stopped")
        return 0
    except (BadSetting, CannotStart, ServerFailed, ChildFailed, TimeoutError) as error:
        print(f"\nsightline: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def say(line: str) -> None:
    """One line of progress."""
    print(f"sightline: {line}", flush=True)


def _run(environment: Environment, options: Options) -> None:
    began = time.monotonic()
    var = environment.var
    host, port = environment.text("SIGHTLINE_HOST"), environment.port()
    check_port(host, port)
    if environment.values.get("SECRET_KEY", "").strip():
        environment.secret_key()  # refused before anything is started
    var.servers.unlink(missing_ok=True)
    with servers(var) as settled, Supervisor(logs=var.logs, environment=settled, folder=PROJECT) as supervisor:
        say("migrations and static files")
        _prepare(supervisor, var)
        say("web, workers and beat")
        _start_web(supervisor, host, port)
        _start_workers(supervisor)
        address = f"http://{_shown_host(host)}:{port}/"
        demo = supervisor.start("demo", python("manage.py", "load_demo")) if options.has_demo else None
        name = allowed_name(environment)
        is_ready = partial(answers, f"{address}readyz", name)
        supervisor.wait_until(is_ready, seconds=SECONDS_TO_READY, what=f"{address}readyz did not answer 200")
        if demo is not None:
            supervisor.finish(demo)
        show_ready(address, demo, seconds=time.monotonic() - began)
        if not options.is_exiting_when_ready:
            supervisor.watch()


# --- one at a time ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(var: Var) -> Iterator[None]:
    """Hold the var folder for this process; the kernel lets go of the lock even if we are killed."""
    path = var.run / "quickstart.pid"
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CannotStart(
                f"already running here as process {file.read().strip() or '(starting)'} on {var.root}: stop that one "
                f"first (Ctrl-C in its terminal), or choose another folder and port, as in "
                f"SIGHTLINE_VAR=/other/folder SIGHTLINE_PORT=8001 make run"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def check_port(host: str, port: int) -> None:
    """Refuse a port that something else holds, before anything is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            raise CannotStart(
                f"port {port} on {host} cannot be used ({error.strerror}): choose another, as in "
                f"SIGHTLINE_PORT={port + 1 if port < 65535 else port - 1} make run"
            ) from None


# --- servers and keys -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def servers(var: Var) -> Iterator[dict[str, str]]:
    """Start what is not given from outside; yields the environment of every child.

    What was settled is written to var/run/servers.json for commands run beside us, and removed with the servers.
    """
    given = {name: value for name, value in os.environ.items() if value.strip()}
    settled = {"SECRET_KEY": given.get("SECRET_KEY") or ensure_keys(var)["SECRET_KEY"]}
    started: list[Server] = []
    try:
        if "DATABASE_URL" in given:
            settled["DATABASE_URL"] = given["DATABASE_URL"]
            say(f"PostgreSQL at {without_password(given['DATABASE_URL'])}")
        else:
            started.append(embedded.start_postgres(var))
            settled["DATABASE_URL"] = started[-1].url
        if "CELERY_BROKER_URL" in given:
            settled["CELERY_BROKER_URL"] = given["CELERY_BROKER_URL"]
            say(f"broker at {without_password(given['CELERY_BROKER_URL'])}")
        else:
            started.append(embedded.start_valkey(var))
            settled["CELERY_BROKER_URL"] = started[-1].url
        write_private_json(var.servers, {name: settled[name] for name in SHARED_BY_SERVERS})
        if started:
            say(f"embedded {' and '.join(server.name for server in started)} on {var.root}")
        ours = {**settled, "SIGHTLINE_VAR": str(var.root), "DJANGO_SETTINGS_MODULE": "config.settings"}
        yield {**PATIENT_THREADS, **os.environ, **ours}
    finally:
        var.servers.unlink(missing_ok=True)
        for server in reversed(started):
            server.stop()


# --- children ---------------------------------------------------------------------------------------------------


def _prepare(supervisor: Supervisor, var: Var) -> None:
    jobs = [supervisor.start("migrate", python("manage.py", "migrate", "--no-input"))]
    state = static_state()
    stamp = var.static / ".collected"
    is_fresh = stamp.exists() and stamp.read_text(encoding="utf-8") == state
    if not is_fresh:
        shutil.rmtree(var.static, ignore_errors=True)
        jobs.append(supervisor.start("collectstatic", python("manage.py", "collectstatic", "--no-input")))
    supervisor.finish(*jobs)
    if not is_fresh:
        stamp.write_text(state, encoding="utf-8")


def static_state() -> str:
    """A digest of what collectstatic would collect: our files by name, size and time, packages by the lock."""
    digest = sha256((PROJECT / "requirements.lock").read_bytes())
    folders = [PROJECT / "frontend" / "dist", *(PROJECT / app / "static" for app in APPS)]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                facts = path.stat()
                digest.update(f"{path.relative_to(PROJECT)} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _start_web(supervisor: Supervisor, host: str, port: int) -> None:
    supervisor.start(
        "web",
        python(
            *("-m", "uvicorn", "config.asgi:application", "--host", host.strip("[]"), "--port", str(port)),
            # Live update streams never end by themselves.
            *("--lifespan", "off", "--timeout-graceful-shutdown", "2", "--no-server-header"),
        ),
    )


def _start_workers(supervisor: Supervisor) -> None:
    celery = ("-m", "celery", "-A", "config.celery")
    for name, (queues, pool) in WORKERS.items():
        supervisor.start(
            name,
            python(
                *(*celery, "worker", "--queues", queues, "--pool", pool, "--concurrency", "1"),
                *("--prefetch-multiplier", "1", "--hostname", f"{name}@%h", "--without-gossip", "--without-mingle"),
                *("--loglevel", "INFO"),
            ),
            # What a worker ends with when a model hangs (inference/claiming.py).
            starts_again_on=os.EX_TEMPFAIL if pool == "solo" else None,
        )
    # An empty pid file: two machines may share a checkout, and a stale file must not stop a start.
    supervisor.start("beat", python(*celery, "beat", "--pidfile", "", "--loglevel", "INFO"))


def answers(url: str, host_name: str) -> bool:
    """Whether our own address answers 200 when asked under a name it may be called by."""
    request = urllib.request.Request(url, headers={"Host": host_name})  # noqa: S310 - our own http:// address
    # A proxy from the environment does not lead to our own loopback.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=2.0) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def allowed_name(environment: Environment) -> str:
    """A host name that the site answers to."""
    names = environment.names("SIGHTLINE_ALLOWED_HOSTS")
    return next((name.lstrip(".") for name in names if name != "*"), "localhost")


def _shown_host(host: str) -> str:
    """An address a browser can open: a wildcard means every address, loopback among them."""
    if host in {"0.0.0.0", "::", "[::]"}:  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def show_ready(address: str, demo: Child | None, *, seconds: float) -> None:
    """The last words of a start: the address and the demo log-ins."""
    lines = [f"Sightline is ready at {address}  ({seconds:.1f} s)"]
    if demo is not None:
        told = Path(demo.log).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        lines += ["", *told] if told else []
    lines += ["", "Ctrl-C stops everything; data is kept."]
    width = max(len(line) for line in lines)
    rule = "─" * (width + 2)
    print("\n".join([f"┌{rule}┐", *(f"│ {line.ljust(width)} │" for line in lines), f"└{rule}┘"]), flush=True)
