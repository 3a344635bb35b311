"""Counting the readings of cases."""

from __future__ import annotations

import pytest

from annotations.facts import reading_facts
from annotations.models import Reading, ReadingState
from curation.models import Benchmark, Case, User
from tests.factories import make_case


@pytest.mark.parametrize(
    ("state", "revision", "submitted", "opened"),
    [
        (ReadingState.DRAFT, 0, 0, 1),
        (ReadingState.SURPLUS, 0, 0, 1),
        (ReadingState.SUBMITTED, 1, 1, 0),
        (ReadingState.DRAFT, 1, 1, 1),
        (ReadingState.CLOSED, 0, 0, 0),
    ],
)
def test_each_state_counts_as_what_it_is(
    state: str, revision: int, submitted: int, opened: int, case: Case, reader: User
) -> None:
    Reading.objects.create(case=case, reader=reader, state=state, revision=revision)
    assert reading_facts([case.pk]) == {
        case.pk: {"readings_submitted": submitted, "readings_open": opened, "readings_begun": 1}
    }


def test_a_batch_is_one_query_and_a_case_without_readings_counts_0(
    benchmark: Benchmark, case: Case, reader: User, other_reader: User, django_assert_num_queries: object
) -> None:
    second = make_case(benchmark, "two")
    for user in (reader, other_reader):
        Reading.objects.create(case=case, reader=user, state=ReadingState.SUBMITTED, revision=2)
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = reading_facts([case.pk, second.pk])
    assert found == {
        case.pk: {"readings_submitted": 2, "readings_open": 0, "readings_begun": 2},
        second.pk: {"readings_submitted": 0, "readings_open": 0, "readings_begun": 0},
    }
