"""The aided arm: opened after the unaided submit, written by the same endpoints, kept apart everywhere."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from annotations.aided import AidedOpened, NotYetSubmitted, open_aided
from annotations.assigning import HandedOut, next_case
from annotations.drafting import ReadingLocked, save_draft
from annotations.models import Arm, Assignment, AssignmentState, Reading, ReadingRevision, ReadingState, Roi
from annotations.submission import NotSurplus, accept_surplus, revise, submit
from curation import audit
from curation.models import AuditEvent, Benchmark, Case, CaseFacts, Event, User
from inference.sources import sources_of
from inference.targets import targets_of
from tests.annotations.contents import content, roi
from tests.annotations.together import at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

FULL = content()


@pytest.fixture
def unaided(reader: User, benchmark: Benchmark, case: Case) -> Reading:
    """Rosa's submitted reading."""
    handed = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(handed, HandedOut)
    save_draft(reading_id=handed.reading.pk, version=0, content=FULL)
    submit(reading_id=handed.reading.pk, version=1, key="k")
    return Reading.objects.get(pk=handed.reading.pk)


def test_it_starts_as_what_was_submitted_with_ids_and_origins(reader: User, benchmark: Benchmark, case: Case) -> None:
    handed = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(handed, HandedOut)
    given = content(rois=[roi(origin="proposed")], steps=[], entities=[])
    save_draft(reading_id=handed.reading.pk, version=0, content=given)
    submit(reading_id=handed.reading.pk, version=1, key="k")
    aided = open_aided(reading_id=handed.reading.pk)
    assert (aided.arm, aided.state, aided.revision, aided.version) == (Arm.AIDED, ReadingState.DRAFT, 0, 1)
    assert aided.draft == given
    assert aided.draft["rois"][0]["origin"] == "proposed"


def test_twice_is_once_and_of_the_aided_one_it_is_itself(unaided: Reading) -> None:
    first = open_aided(reading_id=unaided.pk)
    assert open_aided(reading_id=unaided.pk) == first
    assert open_aided(reading_id=first.pk) == first
    assert Reading.objects.filter(arm=Arm.AIDED).count() == 1
    assert AuditEvent.objects.filter(action="reading.aided_opened").count() == 1
    assert Event.objects.filter(type="reading.opened").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_the_same_time_open_one(unaided: Reading) -> None:
    done = at_once([lambda: open_aided(reading_id=unaided.pk).pk] * 4)
    assert len(set(done)) == 1
    assert Reading.objects.filter(arm=Arm.AIDED).count() == 1


def test_it_opens_only_after_the_unaided_submit(reader: User, benchmark: Benchmark, case: Case) -> None:
    handed = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(handed, HandedOut)
    with pytest.raises(NotYetSubmitted, match="not submitted yet"):
        open_aided(reading_id=handed.reading.pk)
    submit(reading_id=handed.reading.pk, version=0, key="k")
    revise(reading_id=handed.reading.pk)
    with pytest.raises(NotYetSubmitted, match="being revised"):
        open_aided(reading_id=handed.reading.pk)
    assert not Reading.objects.filter(arm=Arm.AIDED).exists()


def test_it_is_drafted_submitted_and_revised_without_a_place(unaided: Reading, benchmark: Benchmark) -> None:
    aided = open_aided(reading_id=unaided.pk)
    before = Assignment.objects.values().get()
    changed = {**FULL, "answer": {"choice": "A"}}
    assert save_draft(reading_id=aided.pk, version=1, content=changed).version == 2
    revision = submit(reading_id=aided.pk, version=2, key="k")
    assert (revision.revision, revision.content["answer"], revision.is_after_looking) == (1, {"choice": "A"}, True)
    with pytest.raises(ReadingLocked):
        save_draft(reading_id=aided.pk, version=2, content=FULL)
    version = revise(reading_id=aided.pk).version
    assert submit(reading_id=aided.pk, version=version, key="k2").revision == 2
    with pytest.raises(NotSurplus):
        accept_surplus(reading_id=aided.pk, curator=unaided.reader, reason="no")
    assert Assignment.objects.values().get() == before
    assert before["state"] == AssignmentState.SUBMITTED


def test_both_arms_are_kept_with_their_own_revisions(unaided: Reading) -> None:
    aided = open_aided(reading_id=unaided.pk)
    submit(reading_id=aided.pk, version=1, key="k")
    kept = ReadingRevision.objects.order_by("submitted_at").values_list("reading__arm", "revision", "is_after_looking")
    assert list(kept) == [("unaided", 1, False), ("aided", 1, True)]
    assert Roi.objects.values("client_id").distinct().count() == 1
    assert Roi.objects.count() == 2


def test_the_unaided_reading_is_final_once_the_aided_one_is_open(
    unaided: Reading, reader: User, api: Callable[[User], APIClient]
) -> None:
    open_aided(reading_id=unaided.pk)
    with pytest.raises(AidedOpened):
        revise(reading_id=unaided.pk)
    refused = api(reader).post(reverse("reading-revise", args=[unaided.pk]))
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("aided-opened")
    assert "unaided reading is final" in refused.json()["detail"]


def test_a_revision_says_whether_its_reader_had_looked(unaided: Reading, reader: User, case: Case) -> None:
    version = revise(reading_id=unaided.pk).version
    assert submit(reading_id=unaided.pk, version=version, key="k2").is_after_looking is False
    audit.look(user=reader, case=case)
    version = revise(reading_id=unaided.pk).version
    assert submit(reading_id=unaided.pk, version=version, key="k3").is_after_looking is True


def test_a_curator_who_looked_and_was_made_a_reader_is_marked_from_the_first(
    reader: User, benchmark: Benchmark, case: Case
) -> None:
    audit.look(user=reader, case=case)
    handed = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(handed, HandedOut)
    assert submit(reading_id=handed.reading.pk, version=0, key="k").is_after_looking is True


def test_nothing_that_counts_or_scores_takes_the_aided_arm(unaided: Reading, case: Case) -> None:
    before = CaseFacts.objects.values().get(case=case)
    targets = targets_of(case)
    sources = sources_of([case.pk])[case.pk].readings
    aided = open_aided(reading_id=unaided.pk)
    assert CaseFacts.objects.values().get(case=case) == before
    submit(reading_id=aided.pk, version=1, key="k")
    assert CaseFacts.objects.values().get(case=case) == before
    assert targets_of(case) == targets
    assert [target.id for target in targets] == [unaided.pk]
    assert sources_of([case.pk])[case.pk].readings == sources


def test_the_endpoint_answers_as_readings_do(
    unaided: Reading, reader: User, other_reader: User, api: Callable[[User], APIClient]
) -> None:
    address = reverse("reading-aided", args=[unaided.pk])
    first = api(reader).post(address)
    assert first.status_code == 200
    assert (first.json()["arm"], first.json()["content"]["answer"]) == ("aided", {"choice": "B"})
    assert api(reader).post(address).json()["id"] == first.json()["id"]
    assert api(other_reader).post(address).status_code == 404
    assert api(reader).post(reverse("reading-aided", args=[uuid.uuid4()])).status_code == 404
    early = api(reader).get(reverse("reading", args=[first.json()["id"]]))
    assert early.json()["arm"] == "aided"
