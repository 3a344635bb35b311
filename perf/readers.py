"""Readers at work over HTTP: next, save and submit (20 regions on 6 images, 400 characters), and the lists.

    python perf/readers.py [--cases 10000 100000] [--readers 1 8 32] [--cycles 256]

Starts PostgreSQL and the web process of `make run`, imports the cases, and lets readers work in threads, each with a
connection of its own, as fast as they are answered; overlap 1. A cycle is three requests: `next/`, the draft, the
submit. `next/` is then measured alone (median and slowest): as it is, where 90 % of the cases are full, and at
overlap 3 where all are open and the reader has read the first half of them, under the given order and where
disagreement leads. The slowest is there the first, which looks through all that the reader ended.
The lists are asked for by a curator, one after the other. CPU is the web process and PostgreSQL together.
The readers' own threads share the machine, so the rate is a lower bound; CPU an operation is the figure to compare.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from perf._site import Site, prepare_database, served

# isort: split

import numpy as np
from django.db import connection

from annotations.ordering import set_overlap, set_reading_order
from curation import facts
from curation.accounts import give_role, new_token
from curation.importing import import_records
from curation.models import CaseFacts, OrderPolicy, Role
from curation.protocols import create_benchmark
from perf._cases import content, records, stored_images

if TYPE_CHECKING:
    from collections.abc import Callable

    from curation.models import Benchmark

SIDE = 56
DISTINCT_IMAGES = 600
LOOKS = 40
RECORDS_AT_ONCE = 5000
PEERS = (
    ("Label Studio 1.23.2, 32 readers (PEERS.md)", "", "7.2", "181", ""),
    ("doccano 1.8.4, 32 readers (PEERS.md)", "", "2.4", "", ""),
    ("wanted, 32 readers", "", "40", "40", ""),
    ("next: Label Studio, 10k -> 100k (PEERS.md)", "", "", "53 -> 108", "116 -> 167"),
    ("next: doccano, 10k -> 100k (PEERS.md)", "", "", "37 -> 158", ""),
    ("next: wanted", "", "", "10", ""),
    ("list: Label Studio, 10k -> 100k (PEERS.md)", "", "", "103 -> 195", "192 -> 304"),
    ("list: doccano, 10k -> 100k (PEERS.md)", "", "", "122 -> 104", ""),
    ("list: wanted", "", "", "20", ""),
)


class Unexpected(RuntimeError):
    """An answer that no reader should get."""


@dataclass
class Caller:
    """One person's connection."""

    port: int
    token: str
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def call(self, method: str, path: str, body: Any = None, key: str = "") -> Any:
        """A decoded answer."""
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise Unexpected(f"{method} {path}: {answer.status} {said[:300]!r}")
        return json.loads(said) if said[:1] in b"{[" else said


def row(what: str, cases: str, rate: str, cpu: str, median: str) -> None:
    print(f"{what:46}{cases:>9}{rate:>10}{cpu:>14}{median:>14}", flush=True)


def make_cases(count: int, images: list[str]) -> Benchmark:
    """A benchmark of so many cases."""
    benchmark = create_benchmark(slug=f"readers-{count}", kind="free")
    for start in range(0, count, RECORDS_AT_ONCE):
        size = min(RECORDS_AT_ONCE, count - start)
        report = import_records(benchmark=benchmark, records=records(size, images, start=start))
        if report.created != size:
            raise Unexpected(f"{report.created} of {size} cases were imported: {report.rejected[:3]}")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # what autovacuum would have done before the readers come
    return benchmark


def make_person(site: Site, benchmark: Benchmark, role: Role, number: int) -> Caller:
    user, _ = give_role(name=f"{role.value}-{benchmark.slug}-{number}", role=role, benchmark=benchmark)
    return Caller(site.port, new_token(user=user))


def cycle(person: Caller, slug: str, said: dict[str, Any], seen: list[str]) -> None:
    """One case: taken, read, submitted."""
    given = person.call("POST", f"/api/v1/benchmarks/{slug}/next/")
    if given["case"] is None:
        raise Unexpected(f"no case left: {given}")
    reading = given["reading"]
    body = {**said, "version": reading["version"]}
    saved = person.call("PUT", f"/api/v1/readings/{reading['id']}/draft/", body)
    submit = f"/api/v1/readings/{reading['id']}/submit/"
    person.call("POST", submit, {"version": saved["version"]}, key=str(uuid.uuid4()))
    seen.append(given["case"]["id"])


def work(site: Site, benchmark: Benchmark, people: list[Caller], cycles: int) -> None:
    """Let everybody read for a while and print what a cycle cost."""
    rng = np.random.default_rng(2)
    said = [content(rng, SIDE) for _ in people]
    seen: list[str] = []
    walls: list[float] = []
    failures: list[BaseException] = []

    def read(person: Caller, mine: dict[str, Any]) -> None:
        try:
            for _ in range(cycles // len(people)):
                began = time.perf_counter()
                cycle(person, benchmark.slug, mine, seen)
                walls.append(time.perf_counter() - began)
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            failures.append(error)

    threads = [threading.Thread(target=read, args=pair) for pair in zip(people, said, strict=True)]
    before, began = site.cpu(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall, spent = time.perf_counter() - began, site.cpu().since(before)
    if failures:
        raise failures[0]
    if len(set(seen)) != len(seen):
        raise Unexpected("a case was read twice at overlap 1")
    cpu = f"{spent.server / len(seen) * 1000:.0f} + {spent.database / len(seen) * 1000:.0f}"
    count = f"{benchmark.cases.count():,}"
    row(
        f"next + save + submit, {len(people)} readers",
        count,
        f"{len(seen) / wall:.1f}",
        cpu,
        f"{statistics.median(walls) * 1000:.0f}",
    )


def looked(site: Site, benchmark: Benchmark, what: str, do: Callable[[], Any]) -> None:
    """Print what one call of many cost."""
    do()
    walls: list[float] = []
    before = site.cpu()
    for _ in range(LOOKS):
        began = time.perf_counter()
        do()
        walls.append(time.perf_counter() - began)
    spent = site.cpu().since(before)
    cpu = f"{spent.server / LOOKS * 1000:.1f} + {spent.database / LOOKS * 1000:.1f}"
    count = f"{benchmark.cases.count():,}"
    row(what, count, f"{LOOKS / sum(walls):.1f}", cpu, f"{statistics.median(walls) * 1000:.0f}")


def measure_next(site: Site, benchmark: Benchmark, what: str, number: int) -> None:
    """`next/` where a case is taken each time: given back for good in between, which is not counted."""
    person = make_person(site, benchmark, Role.READER, number)
    walls: list[float] = []
    server = database = 0.0
    for _ in range(LOOKS):
        before, began = site.cpu(), time.perf_counter()
        given = person.call("POST", f"/api/v1/benchmarks/{benchmark.slug}/next/")
        walls.append(time.perf_counter() - began)
        spent = site.cpu().since(before)
        server, database = server + spent.server, database + spent.database
        person.call("POST", f"/api/v1/assignments/{given['assignment']}/skip/", {"reason": "measured"})
    cpu = f"{server / LOOKS * 1000:.1f} + {database / LOOKS * 1000:.1f}"
    row(
        what,
        f"{benchmark.cases.count():,}",
        "",
        cpu,
        f"{statistics.median(walls) * 1000:.0f} ({max(walls) * 1000:.0f})",
    )


# Rows as so many submits would have left them, without what was said: `share` of the cases that are open, in order.
READ = """
    WITH chosen AS (
        SELECT case_id FROM curation_casefacts WHERE benchmark_id = %(benchmark)s AND is_open
        ORDER BY position LIMIT %(number)s
    ), assigned AS (
        INSERT INTO annotations_assignment
            (id, case_id, reader_id, state, origin, lease_expires_at, skip_reason, created_at, updated_at)
        SELECT gen_random_uuid(), case_id, %(reader)s, 'submitted', 'queue', now(), '', now(), now() FROM chosen
        ON CONFLICT (case_id, reader_id) DO NOTHING RETURNING case_id
    )
    INSERT INTO annotations_reading
        (id, case_id, reader_id, arm, state, version, draft, active_s, revision, created_at)
    SELECT gen_random_uuid(), case_id, %(reader)s, 'unaided', 'submitted', 1, '{}', 0, 1, now() FROM assigned
    ON CONFLICT (case_id, reader_id, arm) DO NOTHING"""


def read_most(benchmark: Benchmark, name: str, share: float) -> None:
    """Let a reader have read a share of the open cases, the first ones."""
    reader, _ = give_role(name=name, role=Role.READER, benchmark=benchmark)
    number = int(CaseFacts.objects.filter(benchmark_id=benchmark.pk, is_open=True).count() * share)
    with connection.cursor() as cursor:
        cursor.execute(READ, {"benchmark": benchmark.pk, "reader": reader.pk, "number": number})
    facts.record(benchmark.cases.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measure_full(site: Site, benchmark: Benchmark) -> None:
    """`next/` where it is hard: nearly all cases full, then half of the open ones read by whoever asks."""
    measure_next(site, benchmark, "next", 1000)
    read_most(benchmark, f"most-{benchmark.slug}", 0.9)
    measure_next(site, benchmark, "next, 90 % of the cases full", 1001)
    set_overlap(benchmark=benchmark, overlap=3, actor=None)
    read_most(benchmark, f"{Role.READER.value}-{benchmark.slug}-1002", 0.5)
    measure_next(site, benchmark, "next, half of the open ones read by the reader", 1002)
    began = time.perf_counter()
    set_reading_order(benchmark=benchmark, policy=OrderPolicy.DISAGREEMENT, actor=None)
    row("change of the order", f"{benchmark.cases.count():,}", "", "", f"{(time.perf_counter() - began) * 1000:.0f}")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # autovacuum's work after such a change would be counted with the readers'
    measure_next(site, benchmark, "next, half read, disagreement leads", 1002)


def measure(site: Site, benchmark: Benchmark, given: argparse.Namespace) -> None:
    people = [make_person(site, benchmark, Role.READER, number) for number in range(max(given.readers))]
    for count in given.readers:
        work(site, benchmark, people[:count], given.cycles)
    measure_full(site, benchmark)
    curator = make_person(site, benchmark, Role.CURATOR, 0)
    first = f"/api/v1/benchmarks/{benchmark.slug}/cases/"
    looked(site, benchmark, "list of cases", lambda: curator.call("GET", first))
    reader = make_person(site, benchmark, Role.READER, 0)
    looked(site, benchmark, "list of cases, by a blind reader", lambda: reader.call("GET", first))
    one = f"/api/v1/cases/{benchmark.cases.values_list('pk', flat=True)[0]}/"
    looked(site, benchmark, "one case", lambda: curator.call("GET", one))
    looked(site, benchmark, "list by disagreement", lambda: curator.call("GET", f"{first}?min_disagreement=0.1"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--readers", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--cycles", type=int, default=256, help="submissions at each number of readers")
    given = parser.parse_args()
    prepare_database()
    images = stored_images(DISTINCT_IMAGES, SIDE)
    row("", "cases", "a second", "CPU ms each", "median ms")
    for peer in PEERS:
        row(*peer)
    print(f"{'':69}{'server + PG':>14}")
    with served() as site:
        for count in given.cases:
            measure(site, make_cases(count, images), given)


if __name__ == "__main__":
    main()
