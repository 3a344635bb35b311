"""Fifty readers on one queue while their processes are killed: no case too often, none lost, nobody served twice."""

from __future__ import annotations

import collections
import datetime as dt
import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from annotations.assigning import HandedOut, next_case
from annotations.models import Assignment, AssignmentState, Reading, ReadingRevision
from curation.models import Benchmark, Role, User
from tests.annotations.together import at_once
from tests.factories import make_benchmark, make_case, make_user
from tests.inference.test_killed_worker import database_url

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parents[3]
PROCESSES, THREADS = 5, 10
CASES, OVERLAP = 40, 3
KILLS = 8
PATIENCE_S = 180

pytestmark = pytest.mark.django_db(transaction=True)


class Change(NamedTuple):
    """One change of an assignment, in the order of the case's lock."""

    case: uuid.UUID
    reader: uuid.UUID
    state: str
    until: dt.datetime
    at: dt.datetime


@pytest.fixture
def history() -> Iterator[None]:
    """Every change of an assignment that was committed, written by the database itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            create table assignment_history (
                number bigserial, case_id uuid, reader_id uuid, state text, until timestamptz,
                at timestamptz default clock_timestamp());
            create function note_assignment() returns trigger language plpgsql as $$ begin
                insert into assignment_history (case_id, reader_id, state, until)
                values (new.case_id, new.reader_id, new.state, new.lease_expires_at);
                return null; end $$;
            create trigger note_assignment after insert or update on annotations_assignment
                for each row execute function note_assignment();
            """
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("drop trigger note_assignment on annotations_assignment; drop function note_assignment")
        cursor.execute("drop table assignment_history")


def changes() -> list[Change]:
    with connection.cursor() as cursor:
        cursor.execute("select case_id, reader_id, state, until, at from assignment_history order by number")
        return [Change(*row) for row in cursor.fetchall()]


def start(benchmark: Benchmark, log: Path, readers: list[User]) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "DATABASE_URL": database_url(), "SECRET_KEY": settings.SECRET_KEY}
    command = [sys.executable, "-m", "tests.annotations.faults.desk", benchmark.slug, str(log)]
    return subprocess.Popen([*command, *(reader.username for reader in readers)], cwd=PROJECT, env=environment)


def lines(log: Path) -> list[list[str]]:
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def grows_to(log: Path, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len(lines(log)) < count:
        assert time.monotonic() < deadline, f"after {PATIENCE_S} s only {len(lines(log))} of {count} lines"
        time.sleep(0.05)


def storm(benchmark: Benchmark, log: Path, readers: list[User]) -> int:
    """Readers at work in processes of which one after the other is killed and started again; returns how many."""
    groups = [readers[start::PROCESSES] for start in range(PROCESSES)]
    running = [start(benchmark, log, group) for group in groups]
    dice, killed = random.Random(4), 0
    try:
        for turn in range(KILLS):
            grows_to(log, 12 * (turn + 1))
            victim = dice.randrange(PROCESSES)
            if running[victim].poll() is None:
                running[victim].send_signal(signal.SIGKILL)
                killed += 1
            running[victim].wait(timeout=PATIENCE_S)
            running[victim] = start(benchmark, log, groups[victim])
    finally:
        for process in running:
            process.kill()
            process.wait(timeout=PATIENCE_S)
    return killed


def test_fifty_readers_and_kills_never_exceed_the_overlap_and_lose_nothing(history: None, tmp_path: Path) -> None:
    benchmark = make_benchmark("storm", overlap=OVERLAP)
    for number in range(CASES):
        make_case(benchmark, f"c{number}", images=0)
    readers = [make_user(f"r{number}", Role.READER, benchmark) for number in range(PROCESSES * THREADS)]
    log = tmp_path / "acknowledged"
    killed = storm(benchmark, log, readers)
    assert killed >= KILLS // 2, "hardly anything was killed: the storm was none"
    # What the dead held runs out; then whoever is left reads on to the end, without a fault.
    Assignment.objects.filter(state=AssignmentState.LEASED).update(lease_expires_at=timezone.now())
    assert start(benchmark, log, readers).wait(timeout=PATIENCE_S) == 0

    submitted = Reading.objects.filter(revision__gt=0)
    by_case = collections.Counter(submitted.values_list("case__key", flat=True))
    assert by_case == {f"c{number}": OVERLAP for number in range(CASES)}, "a case was read too often, or lost"
    kept = set(ReadingRevision.objects.values_list("reading__case__key", "reading__reader__username"))
    told = {(case, name) for act, case, name, _ in lines(log) if act == "submitted"}
    assert told <= kept, f"acknowledged and lost: {sorted(told - kept)[:5]}"
    versions = {(row.case.key, row.reader.username): row.version for row in Reading.objects.select_related()}
    for act, case, name, version in lines(log):
        assert act != "saved" or versions[case, name] >= int(version), f"a saved draft of {case} by {name} is lost"
    written = changes()
    assert len(written) >= 2 * CASES * OVERLAP, "the history misses changes"
    over = [change for change, holders in replayed(written) if holders > OVERLAP]
    assert not over, f"{len(over)} times more than {OVERLAP} held a case, first {over[0]}"


def replayed(history: list[Change]) -> Iterator[tuple[Change, int]]:
    """Each change with how many held a place at its case right after it."""
    held: dict[uuid.UUID, dict[uuid.UUID, Change]] = collections.defaultdict(dict)
    for change in history:
        held[change.case][change.reader] = change
        places = (AssignmentState.SUBMITTED, AssignmentState.ASSIGNED)
        yield (
            change,
            sum(
                one.state in places or (one.state == AssignmentState.LEASED and one.until > change.at)
                for one in held[change.case].values()
            ),
        )


@pytest.mark.parametrize("overlap", [1, 2])
def test_fifty_who_ask_at_once_are_all_served_while_places_last(overlap: int) -> None:
    benchmark = make_benchmark("crowd", overlap=overlap)
    for number in range(50 // overlap):
        make_case(benchmark, f"c{number}", images=0)
    readers = [make_user(f"r{number}", Role.READER, benchmark) for number in range(50)]
    answers = at_once([partial(next_case, reader=reader, benchmark=benchmark) for reader in readers])
    given = [answer for answer in answers if isinstance(answer, HandedOut)]
    assert len(given) == 50, f"{50 - len(given)} went away with nothing while places were left"
    assert set(collections.Counter(one.assignment.case.key for one in given).values()) == {overlap}
