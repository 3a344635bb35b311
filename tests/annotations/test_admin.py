"""Readings in Django's administration: to be looked at only, and not before the own submit."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from annotations.assigning import HandedOut, next_case
from annotations.models import Reading
from annotations.submission import submit
from curation.case_trail import history_of
from curation.models import AuditEvent, Benchmark, Case, Membership, Role, User


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser(username="sue", password="correct-horse-battery")


@pytest.fixture
def submitted(reader: User, benchmark: Benchmark, case: Case) -> Reading:
    given = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(given, HandedOut)
    submit(reading_id=given.reading.pk, version=0, key="k")
    return given.reading


def address(model: str, what: str, *args: object) -> str:
    return reverse(f"admin:annotations_{model}_{what}", args=args)


@pytest.mark.parametrize("model", ["assignment", "reading", "readingrevision"])
def test_rows_are_shown_and_not_changed(model: str, client: Any, superuser: User, submitted: Reading) -> None:
    client.force_login(superuser)
    rows = {
        "assignment": submitted.case.assignments.get(),
        "reading": submitted,
        "readingrevision": submitted.revisions.get(),
    }
    row = rows[model]
    assert client.get(address(model, "changelist")).context["cl"].result_count == 1
    assert client.get(address(model, "change", row.pk)).status_code == 200
    assert client.post(address(model, "change", row.pk), {"state": "closed"}).status_code == 403
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert client.get(address(model, "add")).status_code == 403


@pytest.mark.parametrize("model", ["assignment", "reading", "readingrevision"])
def test_looks_are_in_the_trail_of_the_case(model: str, client: Any, superuser: User, submitted: Reading) -> None:
    client.force_login(superuser)
    row = {"assignment": submitted.case.assignments, "reading": submitted.case.readings}.get(model, submitted.revisions)
    for _ in range(2):
        client.get(address(model, "changelist"))
        client.get(address(model, "change", row.get().pk))
        client.get(address(model, "change", "0"))
    listed, looked = AuditEvent.objects.filter(action="administration.looked").order_by("pk")
    assert (listed.object_type, listed.object_id, listed.benchmark_id) == (f"annotations.{model}", "", None)
    assert (looked.object_id, looked.after["case"]) == (str(row.get().pk), str(submitted.case_id))
    assert looked.benchmark_id == submitted.case.benchmark_id
    told = [one.did for one in history_of(submitted.case, shown="looks").moments]
    assert told == ["looked in the administration"]


@pytest.mark.parametrize("model", ["reading", "readingrevision"])
def test_who_still_has_to_read_the_case_finds_nothing(
    model: str, client: Any, superuser: User, submitted: Reading, benchmark: Benchmark
) -> None:
    Membership.objects.create(user=superuser, benchmark=benchmark, role=Role.READER)
    client.force_login(superuser)
    assert client.get(address(model, "changelist")).context["cl"].result_count == 0
