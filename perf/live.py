"""From a submitted reading to its agreement and score in the event stream: median and 95th percentile over real
submissions. Each case has been read by another reader before, so that there is something to agree with.

    python perf/live.py [--n 20] [--var FOLDER --port PORT]

Starts a product of its own in a temporary folder, or looks at one that runs (FOLDER is its SIGHTLINE_VAR). Cases are
made for the purpose, in a benchmark of their own that the planted control reads live.
"""

from __future__ import annotations

import argparse
import json
import queue
import shutil
import statistics
import tempfile
import threading
import time
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.e2e.product import DIRECT, Product

SIZE = 256
SECONDS_TO_PREDICT = 120.0
SECONDS_TO_SCORE = 30.0
STEPS = ("submit answered", "agreement.changed heard", "agreement read", "score.changed heard", "score read")
AGREED, SCORED = "agreement.changed", "score.changed"


@dataclass(frozen=True)
class Heard:
    """An event and when it came."""

    at: float
    type: str
    case: str


def listen(product: Product, user: str, heard: queue.Queue[Heard]) -> None:
    """Put every event of the stream into the queue, in a thread that ends with the process."""
    request = urllib.request.Request(
        f"{product.address}/api/v1/events/", headers={"Authorization": f"Token {product.token(user)}"}
    )

    def follow() -> None:
        with DIRECT.open(request) as stream:
            heard.put(Heard(time.perf_counter(), "open", ""))
            for line in stream:
                if line.startswith(b"data:"):
                    told = json.loads(line[5:])
                    heard.put(Heard(time.perf_counter(), told["type"], told.get("case", "")))

    threading.Thread(target=follow, daemon=True).start()
    wait_for(heard, "open", "", time.perf_counter() + SECONDS_TO_SCORE)


def wait_for(heard: queue.Queue[Heard], kind: str, case: str, deadline: float) -> Heard:
    """The next event of a kind and case."""
    while True:
        event = heard.get(timeout=max(0.01, deadline - time.perf_counter()))
        if (event.type, event.case) == (kind, case):
            return event


def make_benchmark(product: Product, folder: Path, n: int) -> tuple[str, list[str], str]:
    """A benchmark of n one-image cases that the control reads, its two readers and its engineer."""
    slug = f"live-{uuid.uuid4().hex[:8]}"
    noise = np.random.default_rng(0)
    folder.mkdir()
    for number in range(n):
        Image.fromarray(noise.integers(0, 256, (SIZE, SIZE), dtype=np.uint8)).save(folder / f"{number}.png")
    product.manage("create_benchmark", slug, "--protocol", "free", "--overlap", "2")
    report = product.manage_json("import_cases", slug, folder, "--format", "images")
    assert report["created"] == n, report
    product.manage("enrol", slug, "--model", "planted", "--live")
    readers, engineer = [f"reader{number}-{slug}" for number in (1, 2)], f"engineer-{slug}"
    for reader in readers:
        product.manage("create_user", reader, "--role", "reader", "--benchmark", slug)
    product.manage("create_user", engineer, "--role", "engineer", "--benchmark", slug)
    wait_until_predicted(product, slug, engineer, n)
    return slug, readers, engineer


def wait_until_predicted(product: Product, slug: str, engineer: str, n: int) -> None:
    """Until the control has read every case: what is measured is scoring, as where readers come after models."""
    deadline = time.monotonic() + SECONDS_TO_PREDICT
    waiting = {case["id"] for case in all_cases(product, slug, engineer)}
    assert len(waiting) == n
    while waiting:
        for case in sorted(waiting):
            states = {row["state"] for row in product.call(engineer, "GET", f"cases/{case}/scores/")["predictions"]}
            if states == {"done"}:
                waiting.discard(case)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(waiting)} of {n} cases are not predicted after {SECONDS_TO_PREDICT:.0f} s")
        time.sleep(0.1)


def all_cases(product: Product, slug: str, user: str) -> list[dict[str, Any]]:
    """Every case, page after page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = product.call(user, "GET", f"benchmarks/{slug}/cases/{f'?cursor={cursor}' if cursor else ''}")
        found += page["results"]
        if not page["next"]:
            return found
        cursor = page["next"].rpartition("cursor=")[2]


def submit_one(product: Product, slug: str, reader: str) -> tuple[str, str, float, float]:
    """One reading from draft to submit: its case and id, when the submit was sent, and when it was answered."""
    given = product.call(reader, "POST", f"benchmarks/{slug}/next/")
    case, reading = given["case"]["id"], given["reading"]["id"]
    roi = {
        "id": str(uuid.uuid4()), "image": 1, "frame": 0, "label": None, "shape": "box", "origin": "manual",
        "geometry": {"x0": 60, "y0": 60, "x1": 140, "y1": 120},
    }  # fmt: skip
    content = {"answer": {"text": "noise"}, "confidence": 0.5, "rois": [roi], "steps": [], "entities": []}
    saved = product.call(
        reader, "PUT", f"readings/{reading}/draft/", {**content, "version": given["reading"]["version"]}
    )
    began = time.perf_counter()
    key = {"Idempotency-Key": str(uuid.uuid4())}
    product.call(reader, "POST", f"readings/{reading}/submit/", {"version": saved["version"]}, key)
    return case, reading, began, time.perf_counter()


def follow_one(
    product: Product, slug: str, reader: str, engineer: str, heard: queue.Queue[Heard]
) -> tuple[float, float, float, float, float]:
    """One reading to its agreement and its score; milliseconds since the submit was sent, by step."""
    case, reading, began, answered = submit_one(product, slug, reader)
    deadline = began + SECONDS_TO_SCORE
    at: dict[str, float] = {}
    agreed = None
    while agreed is None or SCORED not in at:
        event = heard.get(timeout=max(0.01, deadline - time.perf_counter()))
        if event.case != case or event.type not in (AGREED, SCORED):
            continue
        at[event.type] = event.at
        if event.type == AGREED and agreed is None and is_agreed(product, engineer, case, reading):
            agreed = (event.at, time.perf_counter())
    scores = product.call(engineer, "GET", f"cases/{case}/scores/?metric=attention_ratio&layer=headline")
    assert any(row["value"] is not None for row in scores["results"]), scores
    read = time.perf_counter()
    answered, heard_at, agreed_at, scored, read = (
        (moment - began) * 1000 for moment in (answered, *agreed, at[SCORED], read)
    )
    return answered, heard_at, agreed_at, scored, read


def is_agreed(product: Product, engineer: str, case: str, reading: str) -> bool:
    """Whether the reading stands beside the other reader's; models tell of their own pairs by the same event."""
    pairs = product.call(engineer, "GET", f"cases/{case}/agreement/")["pairs"]
    return any(pair["b"]["kind"] == "reader" and reading in (pair["a"]["said"], pair["b"]["said"]) for pair in pairs)


def measure(product: Product, folder: Path, n: int) -> None:
    """Submit n readings one after the other and print the table."""
    slug, readers, engineer = make_benchmark(product, folder / "images", n)
    for _ in range(n):
        submit_one(product, slug, readers[0])
    wait_until_scored(product, slug, engineer)
    heard: queue.Queue[Heard] = queue.Queue()
    listen(product, engineer, heard)
    rows = [follow_one(product, slug, readers[1], engineer, heard) for _ in range(n)]
    print(f"{n} submissions, one after the other; milliseconds since the submit was sent")
    print(f"{'':28}{'median':>10}{'p95':>10}{'worst':>10}")
    for step, values in zip(STEPS, zip(*rows, strict=True), strict=True):
        p95 = float(np.percentile(values, 95))
        print(f"{step:28}{statistics.median(values):10.0f}{p95:10.0f}{max(values):10.0f}")


def wait_until_scored(product: Product, slug: str, engineer: str) -> None:
    """Until nothing of the first readers is under way any more."""
    deadline = time.monotonic() + SECONDS_TO_PREDICT
    for case in all_cases(product, slug, engineer):
        while not product.call(engineer, "GET", f"cases/{case['id']}/scores/?metric=attention_ratio")["results"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"case {case['id']} is not scored after {SECONDS_TO_PREDICT:.0f} s")
            time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--var", type=Path, help="SIGHTLINE_VAR of a running product")
    parser.add_argument("--port", type=int, default=8000, help="its port")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sightline-live-"))
    try:
        if given.var:
            measure(Product.attach(given.var, given.port), folder, given.n)
            return
        product = Product.start(folder / "var")
        try:
            measure(product, folder, given.n)
        finally:
            product.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
