"""Where a reader's look for the next case begins, and that it goes by the index in order."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.assigning import HandedOut, NothingLeft, next_case
from annotations.candidates import END_LASTS, MARK_LASTS
from annotations.models import QueueMark
from tests.factories import make_case

if TYPE_CHECKING:
    from curation.models import Benchmark, Case, User

MOMENT = dt.timedelta(minutes=1)


def mark(reader: User, benchmark: Benchmark, order_key: float, position: int, age: dt.timedelta) -> None:
    QueueMark.objects.create(
        reader=reader,
        benchmark=benchmark,
        epoch=benchmark.queue_epoch,
        order_key=order_key,
        position=position,
        since=timezone.now() - age,
    )


@pytest.mark.parametrize(("age", "is_found"), [(END_LASTS - MOMENT, False), (END_LASTS + MOMENT, True)])
def test_who_was_told_that_nothing_is_left_looks_again_soon(
    age: dt.timedelta, is_found: bool, reader: User, benchmark: Benchmark, case: Case
) -> None:
    mark(reader, benchmark, math.inf, 0, age)
    assert isinstance(next_case(reader=reader, benchmark=benchmark), HandedOut if is_found else NothingLeft)


@pytest.mark.parametrize(("age", "index"), [(END_LASTS + MOMENT, 1), (MARK_LASTS + MOMENT, 0)])
def test_who_has_others_looks_from_the_start_now_and_then(
    age: dt.timedelta, index: int, reader: User, benchmark: Benchmark
) -> None:
    cases = [make_case(benchmark, f"c{number}", images=0) for number in range(3)]
    first = cases[0].facts
    mark(reader, benchmark, first.order_key, first.position, age)
    given = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(given, HandedOut)
    assert given.assignment.case == cases[index]


@pytest.mark.django_db
def test_candidates_come_by_the_index_in_order(reader: User, benchmark: Benchmark) -> None:
    for number in range(3):
        make_case(benchmark, f"c{number}", images=0)
    with CaptureQueriesContext(connection) as said:
        next_case(reader=reader, benchmark=benchmark)
    (found,) = [
        query["sql"] for query in said.captured_queries if "f.order_key, f.position, f.is_drawn" in query["sql"]
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        # Of three rows PostgreSQL reads the whole table, or sorts; of many it may not.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN (GENERIC_PLAN) {found}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Scan using facts_queue" in plan
    assert "Sort" not in plan, "the index gives the order, so that it ends after a few rows"
    assert "hashed" not in plan, "that would be a look at everything that the reader ever read"
