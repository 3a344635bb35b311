"""Hostile files: refused by name and cause, in a child, with the next file served as if nothing had been."""

import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from curation import intake
from curation.formats.decoding import decode
from curation.intake import RefusedFile, close_children, decode_untrusted

SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"
CT = (SHIPPED / "CT_small.dcm").read_bytes()


def noise(side: int) -> bytes:
    target = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (side, side), dtype=np.uint8)).save(target, format="PNG")
    return target.getvalue()


@pytest.fixture(autouse=True, scope="module")
def _children() -> Iterator[None]:
    yield
    close_children()


def test_the_child_returns_what_decoding_returns() -> None:
    for name in ("CT_small.dcm", "examples_ybr_color.dcm", "examples_overlay.dcm"):
        data = (SHIPPED / name).read_bytes()
        assert decode_untrusted(data, name=name) == decode(data, max_pixels=10**8, max_content_bytes=2**29)


def test_a_child_serves_many_files() -> None:
    decode_untrusted(CT, name="a")
    before = {child.process.pid for child in intake._pool.idle}
    for _ in range(5):
        decode_untrusted(CT, name="a")
    with pytest.raises(RefusedFile):
        decode_untrusted(b"", name="empty.png")
    assert {child.process.pid for child in intake._pool.idle} == before


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"x\.png: is empty"),
        (CT[:1000], r"x\.png: "),
        (b"PK\x03\x04", r"x\.png: is a zip archive"),
        (noise(64)[:300], r"x\.png: is a damaged or truncated PNG"),
        ((SHIPPED / "test-SR.dcm").read_bytes(), r"x\.png: has no pixels"),
    ],
)
def test_refusal_names_file_and_cause(data: bytes, message: str) -> None:
    with pytest.raises(RefusedFile, match=message) as caught:
        decode_untrusted(data, name="x.png")
    assert caught.value.name == "x.png"
    assert not caught.value.reason.startswith("x.png")


def test_the_name_does_not_decide_the_kind() -> None:
    assert decode_untrusted(CT, name="holiday.jpg").kind == "dicom"


def test_too_many_bytes_never_reach_a_child() -> None:
    with pytest.raises(RefusedFile, match="the limit is 0 MB"):
        decode_untrusted(CT, name="big.dcm", max_bytes=1000)


def test_too_many_pixels() -> None:
    with pytest.raises(RefusedFile, match=r"megapixels; the limit is 0\.001"):
        decode_untrusted(CT, name="wide.dcm", max_pixels=1000)


def test_a_slow_file_is_given_up_and_the_next_one_served() -> None:
    with pytest.raises(RefusedFile, match=r"slow\.png: takes longer than 0.001 s"):
        decode_untrusted(noise(1500), name="slow.png", seconds=0.001)
    assert decode_untrusted(CT, name="next.dcm").width == 128


def test_memory_is_limited() -> None:
    wide = Image.new("RGB", (9000, 9000))
    target = io.BytesIO()
    wide.save(target, format="PNG")
    with pytest.raises(RefusedFile, match="memory"):
        decode_untrusted(target.getvalue(), name="bomb.png", memory_mb=700)
    assert decode_untrusted(CT, name="next.dcm").width == 128


def test_a_crash_of_the_decoder_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    close_children()
    crash = [sys.executable, "-c", "import os, signal; input(); os.kill(os.getpid(), signal.SIGSEGV)"]
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda _, **options: start(crash, **options))
    with pytest.raises(RefusedFile, match=r"bad\.dcm: crashed the decoder \(SIGSEGV\)"):
        decode_untrusted(CT, name="bad.dcm")
    monkeypatch.undo()
    assert decode_untrusted(CT, name="next.dcm").width == 128


def test_a_killed_idle_child_is_replaced() -> None:
    decode_untrusted(CT, name="a")
    for child in intake._pool.idle:
        child.process.kill()
        child.process.wait()
    assert decode_untrusted(CT, name="b").width == 128


def test_threads_do_not_mix_answers() -> None:
    pictures = [noise(side) for side in (10, 20, 30, 40)]
    wrong: list[str] = []

    def work(index: int) -> None:
        for _ in range(4):
            image = decode_untrusted(pictures[index], name=str(index))
            if image.width != (index + 1) * 10:
                wrong.append(f"{index}: {image.width}")

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(intake._pool.idle) <= 2


def test_a_third_file_waits_while_two_decode() -> None:
    served: list[int] = []
    third = threading.Thread(target=lambda: served.append(decode_untrusted(CT, name="third.dcm").width))
    with intake._pool.gate, intake._pool.gate:
        third.start()
        third.join(0.3)
        assert served == []
    third.join(180)
    assert served == [128]


def test_a_refused_file_leaves_its_turn_to_the_next() -> None:
    for _ in range(intake.AT_ONCE + 1):
        with pytest.raises(RefusedFile):
            decode_untrusted(b"", name="empty.png")
    assert decode_untrusted(CT, name="next.dcm").width == 128


def test_the_child_knows_neither_django_nor_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    close_children()
    monkeypatch.setenv("SECRET_KEY", "not for children")
    decode_untrusted(CT, name="a")
    pid = intake._pool.idle[-1].process.pid
    environment = Path(f"/proc/{pid}/environ")
    if not environment.exists():
        pytest.skip("no /proc on this system")
    assert b"not for children" not in environment.read_bytes()
    code = "import sys, curation.formats.worker; sys.exit('django' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=intake._ROOT).returncode == 0
