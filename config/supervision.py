"""Child processes that live and die together: each logs to its own file, a crash is named, a stop leaves none."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from config.embedded import die_with_parent, last_lines

POLL_S = 0.1
SLICE_S = 0.02
# Together below the five seconds that a stop may take, servers included.
GRACE_S = 3.0
KILL_WAIT_S = 1.0


class ChildFailed(RuntimeError):
    """A child that ended by itself; the message holds the end of its log."""

    def __init__(self, name: str, status: int, log: Path) -> None:
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"
        super().__init__(f"{name} {how}; {log} ends:\n{last_lines(log) or '(empty)'}")
        self.name = name
        self.status = status


class Stopped(Exception):
    """Ctrl-C or SIGTERM: not a failure."""


@dataclass
class Child:
    """One started process."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals
    spawn: Callable[[], subprocess.Popen[bytes]]
    starts_again_on: int | None = None

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    def signal_group(self, number: signal.Signals) -> None:
        """Signal the child and all it started (each child leads its own group)."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return


@dataclass
class Supervisor:
    """Starts children, watches them, stops all of them in reverse order.

    Use as a context manager: SIGINT and SIGTERM raise `Stopped` at the next look, and whatever ends the block, no
    child is left.
    """

    logs: Path
    environment: Mapping[str, str]
    folder: Path
    _children: list[Child] = field(default_factory=list)
    # A plain flag: the handler runs inside whatever the main thread does, and an Event that the main thread is just
    # waiting for would hold its lock for ever.
    _is_stop_asked: bool = False
    _handlers: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None] = field(
        default_factory=dict
    )

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, self._ask_to_stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stop_asked = True

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
        death: signal.Signals = signal.SIGKILL,
        starts_again_on: int | None = None,
    ) -> Child:
        """Start a process whose output goes to `name`.log.

        Parameters
        ----------
        death
            What it gets if we are killed.
        starts_again_on
            An exit status that is no crash: the process asks to be started once more.
        """
        log = self.logs / f"{name}.log"
        spawn = partial(self._spawn, command, log, death)
        child = Child(name, log, spawn(), stop_signal, spawn, starts_again_on)
        self._children.append(child)
        return child

    def _spawn(self, command: Sequence[str], log: Path, death: signal.Signals) -> subprocess.Popen[bytes]:
        if log.exists():
            log.replace(_earlier(log))  # what went wrong last time is still there after a restart
        with open(log, "wb", opener=_private) as sink:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                cwd=self.folder,
                env=dict(self.environment),
                start_new_session=True,
                preexec_fn=die_with_parent(death),  # noqa: PLW1509 - only prctl, and we start no thread
            )

    def finish(self, *jobs: Child, seconds: float = 600.0) -> None:
        """Wait until jobs that are meant to end have ended well; the other children are watched meanwhile."""
        self.wait_until(
            lambda: all(job.has_ended() for job in jobs), seconds=seconds, what=f"{jobs[0].name} did not end"
        )
        for job in jobs:
            self._children.remove(job)
            if job.process.returncode:
                raise ChildFailed(job.name, job.process.returncode, job.log)

    def wait_until(self, is_done: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Look until `is_done`, watching the children.

        Raises
        ------
        Stopped
            A signal asked for the end.
        ChildFailed
            A child failed meanwhile.
        TimeoutError
            Not done in time: `what`.
        """
        deadline = time.monotonic() + seconds
        while not is_done():
            self._look()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} within {seconds:.0f} s; logs lie in {self.logs}")
            self._pause(POLL_S)

    def watch(self) -> None:
        """Watch until a signal or a failure: every child now running is meant to run for ever."""
        while True:
            self._look()
            for child in self._children:
                if child.has_ended() and not _started_again(child):
                    raise ChildFailed(child.name, child.process.returncode, child.log)
            self._pause(POLL_S * 5)

    def _pause(self, seconds: float) -> None:
        """Sleep, but not on after a signal; sleep itself goes on after one."""
        ends_at = time.monotonic() + seconds
        while not self._is_stop_asked and time.monotonic() < ends_at:
            time.sleep(SLICE_S)

    def _look(self) -> None:
        if self._is_stop_asked:
            raise Stopped
        for child in self._children:
            if child.has_ended() and child.process.returncode and not _started_again(child):
                raise ChildFailed(child.name, child.process.returncode, child.log)

    def stop(self) -> None:
        """Ask all to stop, then kill what is left, descendants included."""
        for child in reversed(self._children):
            if not child.has_ended():
                # The child alone: a prefork worker's pool is stopped by the worker, not beside it.
                child.process.send_signal(child.stop_signal)
        _wait_for(self._children, GRACE_S)
        for child in self._children:
            child.signal_group(signal.SIGKILL)
        _wait_for(self._children, KILL_WAIT_S)
        self._children.clear()


def _started_again(child: Child) -> bool:
    status = child.process.returncode
    if child.starts_again_on is None or status != child.starts_again_on:
        return False
    child.signal_group(signal.SIGKILL)  # whatever it left behind
    child.process = child.spawn()
    why = f"{_earlier(child.log)} says why"
    print(f"sightline: {child.name} ended with exit status {status} and was started again; {why}", flush=True)
    return True


def _earlier(log: Path) -> Path:
    return log.with_suffix(".log.1")


def _private(path: str, flags: int) -> int:
    # The demo's log holds its log-ins.
    return os.open(path, flags, 0o600)


def _wait_for(children: Sequence[Child], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(not child.has_ended() for child in children) and time.monotonic() < deadline:
        time.sleep(0.02)


def python(*arguments: str) -> list[str]:
    """A command line of this interpreter, unbuffered so that logs are complete when a child dies."""
    return [sys.executable, "-u", *arguments]
