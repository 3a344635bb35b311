"""The way in for bytes from outside: decoded once, in a child process with limits of memory and time.

A damaged or hostile file can crash a codec, fill the memory or run for ever. It does so in a child, which is then
replaced, and the file is refused by name and cause; the rest of the batch goes on. Children are kept warm, as starting
an interpreter with numpy and pydicom takes longer than decoding. They are plain subprocesses, so that the daemonic
processes of a Celery pool can have them, and they know neither the settings nor the environment of the server.
"""

import atexit
import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curation.formats.decoded import DecodedImage, VoiLut, Window

MAX_BYTES = 256 * 1024 * 1024
MAX_PIXELS = 100_000_000  # of one frame
MAX_CONTENT_BYTES = 512 * 1024 * 1024  # samples of all frames, uncompressed
MEMORY_MB = 3072
SECONDS = 60.0
AT_ONCE = 2  # children that decode at the same time, for one process: each may take MEMORY_MB

_ROOT = Path(__file__).resolve().parents[1]
_FILES_PER_CHILD = 500  # a codec that leaks does not leak for ever
_IDLE_CHILDREN = 2
_HEADER_BYTES = 16 * 1024 * 1024  # sixteen look-up tables of 65,536 entries fit
_PIECE = 1024 * 1024
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "LANG", "LC_ALL")


class RefusedFile(ValueError):
    """A file that is not taken, by name and cause."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class _ChildError(Exception):
    """The child did not answer; the message says why."""


@dataclass
class _Child:
    process: subprocess.Popen[bytes]
    memory_mb: int
    served: int = 0


@dataclass
class _Pool:
    lock: threading.Lock = field(default_factory=threading.Lock)
    gate: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))
    idle: list[_Child] = field(default_factory=list)


_pool = _Pool()


def decode_untrusted(
    data: bytes,
    *,
    name: str,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    max_content_bytes: int = MAX_CONTENT_BYTES,
    memory_mb: int = MEMORY_MB,
    seconds: float = SECONDS,
) -> DecodedImage:
    """Decode a file from outside in a child process; while AT_ONCE others decode, it waits for its turn.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        What the sender calls it; used in the message of a refusal alone.
    max_bytes, max_pixels, max_content_bytes : int
        Limits on the file, on one frame's width x height, and on its samples once uncompressed.
    memory_mb : int
        Address space of the child.
    seconds : float
        Wall time for this file once its turn has come, and processor time rounded up.

    Returns
    -------
    DecodedImage

    Raises
    ------
    RefusedFile
        Whatever is wrong with the file, a crash of the decoder included.
    """
    if len(data) > max_bytes:
        raise RefusedFile(name, f"is {len(data) / 1e6:.0f} MB; the limit is {max_bytes / 1e6:.0f} MB")
    request = {
        "bytes": len(data),
        "max_pixels": max_pixels,
        "max_content_bytes": max_content_bytes,
        "seconds": int(seconds + 0.999),
    }
    with _pool.gate:
        answer, content = _serve(request, data, name=name, memory_mb=memory_mb, seconds=seconds)
    if "refused" in answer:
        raise RefusedFile(name, str(answer["refused"]))
    return _image(answer["facts"], content)


def _serve(
    request: dict[str, int], data: bytes, *, name: str, memory_mb: int, seconds: float
) -> tuple[dict[str, Any], bytes]:
    """What a child answers; the child is kept for the next file, or ended where it can serve none."""
    child = _take(memory_mb)
    try:
        answer, content = _ask(child, request, data, time.monotonic() + seconds, seconds, request["max_content_bytes"])
    except _ChildError as error:
        _end(child)
        raise RefusedFile(name, str(error)) from None
    except BaseException:
        _end(child)  # it may be in the middle of an answer
        raise
    child.served += 1
    if answer.get("worn"):
        _end(child)
    else:
        _give_back(child)
    return answer, content


def _image(facts: dict[str, Any], content: bytes) -> DecodedImage:
    facts["windows"] = tuple(Window(**window) for window in facts["windows"])
    facts["voi_luts"] = tuple(VoiLut(**{**lut, "values": tuple(lut["values"])}) for lut in facts["voi_luts"])
    if facts["spacing_mm"] is not None:
        facts["spacing_mm"] = (facts["spacing_mm"][0], facts["spacing_mm"][1])
    return DecodedImage(content=content, **facts)


def _ask(
    child: _Child, request: dict[str, int], data: bytes, deadline: float, seconds: float, most: int
) -> tuple[dict[str, Any], bytes]:
    """Send and receive at once, so that neither side waits for the other with a full pipe."""
    stdin, stdout = child.process.stdin, child.process.stdout
    assert stdin is not None  # both are pipes, see _start
    assert stdout is not None
    waiting = [memoryview(json.dumps(request).encode() + b"\n"), memoryview(data)]
    received, header = bytearray(), None
    with selectors.DefaultSelector() as selector:
        selector.register(stdin, selectors.EVENT_WRITE)
        selector.register(stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise _ChildError(f"takes longer than {seconds:g} s to decode")
            for key, _ in selector.select(left):
                if key.fileobj is stdin:
                    if not _send(stdin.fileno(), waiting):
                        selector.unregister(stdin)
                    continue
                piece = os.read(stdout.fileno(), _PIECE)
                if not piece:
                    raise _ChildError(_cause_of_death(child, seconds))
                received += piece
            if header is None and (end := received.find(b"\n")) >= 0:
                header = json.loads(received[:end])
                del received[: end + 1]
            if header is not None and len(received) >= header["bytes"]:
                return header, bytes(received)
            if len(received) > (_HEADER_BYTES if header is None else most + _HEADER_BYTES):
                raise _ChildError("made the decoder answer without end")


def _send(pipe: int, waiting: list[memoryview]) -> bool:
    """Write what the pipe takes; False once all is written. A child that died is noticed on the reading side."""
    while waiting and not len(waiting[0]):
        waiting.pop(0)
    if not waiting:
        return False
    try:
        waiting[0] = waiting[0][os.write(pipe, waiting[0][:_PIECE]) :]
    except BlockingIOError:
        return True
    except BrokenPipeError:
        return False
    return True


def _cause_of_death(child: _Child, seconds: float) -> str:
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.process.wait(5)
    code = child.process.returncode
    if code == -signal.SIGXCPU:
        return f"takes more than {seconds:g} s of processor time to decode"
    if code is not None and code < 0:
        return f"crashed the decoder ({signal.Signals(-code).name})"
    return f"ended the decoder (exit {code}), most likely for want of memory ({child.memory_mb} MB)"


def _take(memory_mb: int) -> _Child:
    with _pool.lock:
        for child in _pool.idle:
            if child.memory_mb == memory_mb and child.process.poll() is None:
                _pool.idle.remove(child)
                return child
    return _start(memory_mb)


def _start(memory_mb: int) -> _Child:
    # One thread a library: each reserves address space by the core, which the limit counts.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    process = subprocess.Popen(
        [sys.executable, "-m", "curation.formats.worker", str(memory_mb)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        env={**{key: os.environ[key] for key in _PASSED_ON if key in os.environ}, **threads},
        bufsize=0,
        start_new_session=True,  # Ctrl-C is for the server, which ends its children itself
    )
    assert process.stdin is not None  # a pipe, two lines above
    os.set_blocking(process.stdin.fileno(), False)
    return _Child(process, memory_mb)


def _give_back(child: _Child) -> None:
    with _pool.lock:
        if child.served < _FILES_PER_CHILD:
            _pool.idle.append(child)
            surplus = _pool.idle[:-_IDLE_CHILDREN]
            del _pool.idle[:-_IDLE_CHILDREN]
        else:
            surplus = [child]
    for old in surplus:
        _end(old)


def _end(child: _Child) -> None:
    child.process.kill()
    for pipe in (child.process.stdin, child.process.stdout):
        if pipe is not None:
            pipe.close()
    child.process.wait()


def close_children() -> None:
    """End the idle children of this process; the next file starts a new one."""
    with _pool.lock:
        children, _pool.idle = _pool.idle, []
    for child in children:
        _end(child)


def _forget_children() -> None:
    """After a fork the children belong to the parent: the new process lets go of their pipes and starts its own."""
    global _pool
    for child in _pool.idle:
        for pipe in (child.process.stdin, child.process.stdout):
            if pipe is not None:
                pipe.close()
        child.process.returncode = 0  # not ours to wait for
    _pool = _Pool()


os.register_at_fork(after_in_child=_forget_children)
atexit.register(close_children)
