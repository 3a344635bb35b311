"""A process full of readers at work, that may be killed at any moment: `python -m tests.annotations.faults.desk`.

Each reader pulls, saves and submits in a thread of its own until there is nothing left. What was acknowledged is
appended to a file, a line each, after the operation returned: so much must never be lost.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import uuid

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connections  # noqa: E402 models are imported once Django is set up

from annotations.assigning import HandedOut, PlaceTaken, next_case  # noqa: E402
from annotations.drafting import ReadingLocked, save_draft  # noqa: E402
from annotations.submission import submit  # noqa: E402
from curation.models import Benchmark, User  # noqa: E402

PAUSE_S = 0.02


def content(reader: str) -> dict[str, object]:
    """A reading that says whose it is."""
    step: dict[str, object] = {
        "id": str(uuid.uuid4()),
        "kind": "free",
        "image": None,
        "text": f"by {reader}",
        "evidence": [],
    }
    return {"answer": {"choice": "A"}, "confidence": None, "rois": [], "steps": [step], "entities": []}


def read_on(reader: User, benchmark: Benchmark, log: int) -> None:
    """Read until the queue is done."""
    try:
        while True:
            given = next_case(reader=reader, benchmark=benchmark)
            if isinstance(given, HandedOut):
                _read(given, reader.username, log)
            elif given.reason == "done":
                return
            else:
                time.sleep(PAUSE_S)
    finally:
        connections.close_all()


def _read(given: HandedOut, name: str, log: int) -> None:
    case, reading = given.assignment.case.key, given.reading
    try:
        saved = save_draft(reading_id=reading.pk, version=reading.version, content=content(name))
        os.write(log, f"saved {case} {name} {saved.version}\n".encode())
        revision = submit(reading_id=reading.pk, version=saved.version, key=str(uuid.uuid4()))
    except (PlaceTaken, ReadingLocked):
        return
    os.write(log, f"submitted {case} {name} {revision.revision}\n".encode())


def main(slug: str, path: str, names: list[str]) -> None:
    """Let the named readers work."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    benchmark = Benchmark.objects.get(slug=slug)
    readers = User.objects.filter(username__in=names)
    threads = [threading.Thread(target=read_on, args=(reader, benchmark, log)) for reader in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
