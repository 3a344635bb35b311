"""Django's administration: everything to look at, nothing to change, and nothing for who still reads blind."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse

from curation import audit
from curation.look_only import LookOnly
from curation.models import AuditEvent, Benchmark, Case, Membership, Role, User
from inference.models import JobState, ModelVersion, Prediction, RunKind, Schedule, ScheduleRun, ScoringRun
from inference.scheduling import Wanted, create_schedule

pytestmark = pytest.mark.django_db
SECRET = "said the model"


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser(username="sue", password="correct-horse-battery")


def test_what_packages_register_is_left_out() -> None:
    assert {type(one) for one in admin.site._registry.values() if not isinstance(one, LookOnly)} == set()
    assert {model._meta.label for model in admin.site._registry} >= {"curation.User", "inference.Score"}
    assert not {"knox.AuthToken", "django_celery_beat.PeriodicTask"} & {
        model._meta.label for model in admin.site._registry
    }


def test_who_reads_in_a_benchmark_finds_nothing_of_it(
    superuser: User, benchmark: Benchmark, case: Case, client: Any
) -> None:
    rows = _rows_that_tell(case)
    client.force_login(superuser)
    assert [_found(client, row) for row in rows] == [200] * len(rows)
    Membership.objects.create(user=superuser, benchmark=benchmark, role=Role.READER)
    assert [_found(client, row) for row in rows] == [302] * len(rows)
    nobodys = audit.record("thing.done", actor=None)
    assert _found(client, nobodys) == 200


def test_a_reader_of_all_benchmarks_finds_nothing_of_any(superuser: User, case: Case, client: Any) -> None:
    Membership.objects.create(user=superuser, benchmark=None, role=Role.READER)
    client.force_login(superuser)
    assert {_found(client, row) for row in _rows_that_tell(case)} == {302}


def _rows_that_tell(case: Case) -> list[Any]:
    model = ModelVersion.objects.create(name="m", family="planted", prompt_digest="p", decoding_digest="d")
    prediction = Prediction.objects.create(
        model=model, case=case, input_digest="i", rendering="1", prompt_digest="p", decoding_digest="d", error=SECRET
    )
    run = ScoringRun.objects.create(kind=RunKind.CASE, benchmark=case.benchmark, case=case, error=SECRET)
    schedule: Schedule = create_schedule(benchmark=case.benchmark, wanted=Wanted(every_s=3600), actor=None)
    scheduled = ScheduleRun.objects.create(
        schedule=schedule, slot=schedule.armed_at, state=JobState.DONE, largest=[{"case": SECRET}]
    )
    event: AuditEvent = audit.record("thing.done", actor=None, benchmark_id=case.benchmark_id, after={"x": SECRET})
    return [case, prediction, run, scheduled, event]


def _found(client: Any, row: Any) -> int:
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return int(client.get(address).status_code)
