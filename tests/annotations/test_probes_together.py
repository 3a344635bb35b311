"""Marking probes while somebody changes the overlap: both lock the benchmark before its cases, so neither deadlocks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.db import connections, transaction

from annotations.ordering import set_overlap
from annotations.probes import mark_probes
from curation.models import Benchmark, Case, Gold
from tests.annotations.together import PATIENCE_S, until_waiting
from tests.factories import make_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from curation.models import User


@pytest.mark.django_db(transaction=True)
def test_marking_waits_for_the_benchmark_with_no_case_locked(benchmark: Benchmark, curator: User) -> None:
    cases = [make_case(benchmark, f"case{number}") for number in range(4)]
    Gold.objects.bulk_create(Gold(case=case, revision=1, answer={"choice": "B"}) for case in cases)
    ids = [case.pk for case in cases]

    def closing(call: Callable[[], int]) -> int:
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            Benchmark.objects.select_for_update(no_key=True).get(pk=benchmark.pk)
            marked = pool.submit(
                closing, lambda: mark_probes(benchmark=benchmark, case_ids=ids, is_probe=True, actor=curator)
            )
            changed = pool.submit(
                closing, lambda: set_overlap(benchmark=benchmark, overlap=3, case_ids=ids, actor=curator)
            )
            until_waiting(2)
            free = Case.objects.select_for_update(skip_locked=True, no_key=True).filter(benchmark=benchmark)
            assert {case.pk for case in free} == set(ids)
        assert (marked.result(timeout=PATIENCE_S), changed.result(timeout=PATIENCE_S)) == (4, 4)
    assert Case.objects.filter(is_probe=True, overlap=3).count() == 4
