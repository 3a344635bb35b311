"""Children live and die together: a crash is named with its log, a stop or a kill leaves no process."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from config.environment import PROJECT
from config.supervision import ChildFailed, Stopped, Supervisor, python

PATIENCE_S = 120
SLEEPER = "import time; time.sleep(600)"
# A child that ignores the polite signal and has a child of its own, as a hung prefork worker would.
STUBBORN = (
    "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); print(child.pid, flush=True);"
    "time.sleep(600)"
)
PARENT = f"""
import os, sys
from pathlib import Path
from config.supervision import Stopped, Supervisor, python
logs = Path(sys.argv[1])
try:
    with Supervisor(logs=logs, environment=os.environ, folder=logs) as supervisor:
        first = supervisor.start("first", python("-c", {SLEEPER!r}))
        second = supervisor.start("second", python("-c", {SLEEPER!r}))
        print(first.process.pid, second.process.pid, flush=True)
        supervisor.watch()
except Stopped:
    print("stopped", flush=True)
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(logs=tmp_path, environment=os.environ, folder=tmp_path) as made:
        yield made


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(is_true: object, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_true():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_a_crashed_child_is_named_with_the_last_lines_of_its_log(supervisor: Supervisor) -> None:
    supervisor.start("steady", python("-c", SLEEPER))
    supervisor.start("worker-gpu", python("-c", "[print('line', n) for n in range(30)]; raise SystemExit(3)"))
    with pytest.raises(ChildFailed) as caught:
        supervisor.watch()
    message = str(caught.value)
    assert message.startswith("worker-gpu ended with exit status 3; ")
    assert "worker-gpu.log" in message
    assert message.splitlines()[1:] == [f"line {number}" for number in range(10, 30)]


def test_a_killed_child_is_named_with_its_signal(supervisor: Supervisor) -> None:
    child = supervisor.start("beat", python("-c", SLEEPER))
    child.process.kill()
    with pytest.raises(ChildFailed, match="beat was killed by SIGKILL"):
        supervisor.watch()


def test_a_child_that_ends_well_is_a_failure_too_while_watching(supervisor: Supervisor) -> None:
    supervisor.start("web", python("-c", "pass"))
    with pytest.raises(ChildFailed, match="web ended with exit status 0"):
        supervisor.watch()


# Ends with 75 the first time, with 3 the second.
TWICE = (
    "import pathlib, sys; once = pathlib.Path('once'); print(once.exists());"
    "once.exists() and sys.exit(3); once.touch(); sys.exit(75)"
)


def test_a_child_that_asks_for_it_is_started_again_and_may_crash_later(
    supervisor: Supervisor, capfd: pytest.CaptureFixture[str]
) -> None:
    steady = supervisor.start("steady", python("-c", SLEEPER))
    child = supervisor.start("worker-gpu", python("-c", TWICE), starts_again_on=75)
    with pytest.raises(ChildFailed, match="worker-gpu ended with exit status 3; "):
        supervisor.watch()
    assert child.log.read_text(encoding="utf-8") == "True\n"
    assert not steady.has_ended()
    log = supervisor.logs / "worker-gpu.log.1"
    assert log.read_text(encoding="utf-8") == "False\n"
    said = f"sightline: worker-gpu ended with exit status 75 and was started again; {log} says why\n"
    assert capfd.readouterr().out == said


def test_who_did_not_say_so_is_not_started_again(supervisor: Supervisor) -> None:
    supervisor.start("web", python("-c", "raise SystemExit(75)"))
    with pytest.raises(ChildFailed, match="web ended with exit status 75"):
        supervisor.watch()


def test_a_job_may_end_well_and_not_badly(supervisor: Supervisor) -> None:
    supervisor.finish(supervisor.start("migrate", python("-c", "print('done')")))
    assert (supervisor.logs / "migrate.log").read_text(encoding="utf-8") == "done\n"
    with pytest.raises(ChildFailed, match="demo ended with exit status 1"):
        supervisor.finish(supervisor.start("demo", python("-c", "raise SystemExit(1)")))


def test_waiting_ends_in_time_and_says_what_for(supervisor: Supervisor) -> None:
    with pytest.raises(TimeoutError, match="the site did not answer within 0 s"):
        supervisor.wait_until(lambda: False, seconds=0.2, what="the site did not answer")


def test_a_crash_ends_a_wait(supervisor: Supervisor) -> None:
    supervisor.start("web", python("-c", "raise SystemExit(9)"))
    with pytest.raises(ChildFailed, match="web"):
        supervisor.wait_until(lambda: False, seconds=30, what="never")


def test_logs_are_closed_to_others(supervisor: Supervisor) -> None:
    supervisor.finish(supervisor.start("demo", python("-c", "print('password')")))
    assert (supervisor.logs / "demo.log").stat().st_mode & 0o077 == 0


def test_a_signal_stops_the_watch_and_all_children(tmp_path: Path) -> None:
    with Supervisor(logs=tmp_path, environment=os.environ, folder=tmp_path) as supervisor:
        child = supervisor.start("web", python("-c", SLEEPER))
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        with pytest.raises(Stopped):
            supervisor.watch()
    assert child.has_ended()


def test_a_child_that_does_not_obey_is_killed_with_its_descendants(tmp_path: Path) -> None:
    with Supervisor(logs=tmp_path, environment=os.environ, folder=tmp_path) as supervisor:
        child = supervisor.start("stubborn", python("-c", STUBBORN))
        wait_for(lambda: child.log.read_text(encoding="utf-8").strip(), "it did not start")
    assert child.process.wait(PATIENCE_S) == -signal.SIGKILL
    grandchild = int(child.log.read_text(encoding="utf-8"))
    wait_for(lambda: is_gone(grandchild), f"process {grandchild} is still there")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -9)])
def test_however_the_parent_ends_no_child_is_left(tmp_path: Path, number: signal.Signals, status: int) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=PROJECT
    )
    assert parent.stdout is not None
    pids = [int(part) for part in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.send_signal(number)
    parent.communicate(timeout=PATIENCE_S)
    assert parent.returncode == status
    wait_for(lambda: all(is_gone(pid) for pid in pids), f"still there: {pids}")
