from __future__ import annotations

from typing import Any

import pytest

from curation import facts
from curation.models import Benchmark, Case, CaseFacts
from tests.factories import make_case


def two_readings(case_ids: list[Any]) -> dict[Any, dict[str, Any]]:
    return {case_id: {"readings_submitted": 2} for case_id in case_ids}


def test_sections_are_merged_and_written_once_for_each_case(
    case: Case, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curation.facts.import_string", {"given": two_readings}.__getitem__)
    settings.FACT_SECTIONS = ["given"]
    case.images.update(modality="CT")
    for _ in range(2):
        assert facts.record([case.pk]) == 1
    row = CaseFacts.objects.get()
    assert (row.image_count, row.modalities, row.readings_submitted) == (1, "CT", 2)
    assert facts.differing([case.pk]) == []


def test_a_difference_is_named(case: Case) -> None:
    facts.record([case.pk])
    CaseFacts.objects.update(readings_submitted=9)
    assert facts.differing([case.pk]) == [(str(case.pk), "readings_submitted", 9, 0)]


def test_queries_do_not_grow_with_the_cases(benchmark: Benchmark, django_assert_max_num_queries: Any) -> None:
    ids = [make_case(benchmark, f"c{number}").pk for number in range(30)]
    with django_assert_max_num_queries(20):
        facts.record(ids)
    assert CaseFacts.objects.count() == 30


@pytest.mark.django_db
def test_no_case_is_no_work() -> None:
    assert facts.record([]) == 0
