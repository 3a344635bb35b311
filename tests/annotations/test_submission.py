"""Submitting once, revising, and what becomes of surplus drafts."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.db import Error, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.assigning import HandedOut, PlaceTaken, next_case
from annotations.content import BadContent
from annotations.drafting import ReadingLocked, StaleDraft, save_draft
from annotations.models import (
    Assignment,
    AssignmentState,
    Entity,
    Evidence,
    RationaleStep,
    Reading,
    ReadingRevision,
    ReadingState,
    Roi,
    SubmitReceipt,
)
from annotations.signals import reading_submitted
from annotations.submission import NotSubmitted, NotSurplus, accept_surplus, close_surplus, revise, submit
from curation.formats.canonical import canonical_digest
from curation.models import AuditEvent, Benchmark, Case, CaseFacts, Event, Protocol, Role, User
from tests.annotations.contents import content, entity, roi, step
from tests.annotations.together import at_once
from tests.factories import make_benchmark, make_case, make_user

if TYPE_CHECKING:
    from pytest_django import DjangoCaptureOnCommitCallbacks

FULL = content()


@pytest.fixture
def reading(reader: User, benchmark: Benchmark, case: Case) -> Reading:
    return drafted(reader, benchmark)


def drafted(reader: User, benchmark: Benchmark, given: dict[str, Any] = FULL) -> Reading:
    handed = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(handed, HandedOut)
    save_draft(reading_id=handed.reading.pk, version=0, content=given)
    handed.reading.refresh_from_db()
    return handed.reading


def make_surplus(reading: Reading, other: User) -> None:
    Assignment.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert isinstance(next_case(reader=other, benchmark=reading.case.benchmark), HandedOut)
    with pytest.raises(PlaceTaken):
        submit(reading_id=reading.pk, version=reading.version, key="late")
    reading.refresh_from_db()


def require(benchmark: Benchmark, *names: str) -> None:
    now = benchmark.protocol
    Protocol.objects.create(
        benchmark=benchmark, version=2, kind=now.kind, config={**now.config, "required": list(names)}, digest="1" * 64
    )


def test_the_draft_becomes_the_first_revision(reading: Reading, reader: User, case: Case) -> None:
    revision = submit(reading_id=reading.pk, version=1, key="k")
    reading.refresh_from_db()
    assert (reading.state, reading.revision) == (ReadingState.SUBMITTED, 1)
    assert revision.content == FULL
    assert revision.digest == canonical_digest(FULL)
    assert (revision.input_digest, revision.case_version) == (case.input_digest, case.version)
    assert revision.protocol_digest == "0" * 64
    assert Assignment.objects.get().state == AssignmentState.SUBMITTED
    facts = CaseFacts.objects.get(case=case)
    assert (facts.readings_submitted, facts.readings_open) == (1, 0)
    trail = AuditEvent.objects.get(action="reading.submitted")
    assert (trail.actor_name, trail.object_id) == (reader.username, str(reading.pk))
    assert trail.after == {"case": str(reading.case_id), "revision": 1, "digest": revision.digest}


def test_regions_steps_and_entities_become_rows(reader: User, benchmark: Benchmark, case: Case) -> None:
    boxes = [roi(), roi(shape="point", geometry={"x": 1, "y": 2})]
    steps = [step(evidence=[box["id"] for box in boxes]), step(kind="summary", image=None, is_critical=True)]
    things = [entity(rois=[boxes[1]["id"]], view="zoom")]
    reading = drafted(reader, benchmark, content(rois=boxes, steps=steps, entities=things))
    revision = submit(reading_id=reading.pk, version=1, key="k")
    rois = list(Roi.objects.filter(revision=revision).order_by("number"))
    assert [(str(row.client_id), row.number, row.shape, row.geometry) for row in rois] == [
        (box["id"], number, box["shape"], box["geometry"]) for number, box in enumerate(boxes, 1)
    ]
    rows = list(RationaleStep.objects.filter(revision=revision).order_by("number"))
    assert [(row.number, row.kind, row.image, row.is_critical) for row in rows] == [
        (1, "image_finding", 1, None),
        (2, "summary", None, True),
    ]
    assert set(rows[0].evidence.all()) == set(rois)
    assert Evidence.objects.count() == 2
    thing = Entity.objects.get(revision=revision)
    assert (thing.name, thing.role, thing.is_present, thing.view) == ("square", "finding", True, "zoom")
    assert list(thing.rois.all()) == [rois[1]]


def test_the_same_key_is_answered_with_the_same_revision(reading: Reading) -> None:
    first = submit(reading_id=reading.pk, version=1, key="k")
    assert submit(reading_id=reading.pk, version=1, key="k") == first
    assert submit(reading_id=reading.pk, version=0, key="k") == first
    assert ReadingRevision.objects.count() == 1
    assert AuditEvent.objects.filter(action="reading.submitted").count() == 1


def test_another_key_finds_the_reading_locked(reading: Reading) -> None:
    submit(reading_id=reading.pk, version=1, key="k")
    with pytest.raises(ReadingLocked):
        submit(reading_id=reading.pk, version=1, key="other")


def test_a_stale_version_is_not_submitted(reading: Reading) -> None:
    with pytest.raises(StaleDraft) as caught:
        submit(reading_id=reading.pk, version=0, key="k")
    assert (caught.value.theirs, caught.value.version) == (FULL, 1)
    assert not SubmitReceipt.objects.exists()


def test_what_the_protocol_requires_is_asked_for_now(reader: User, benchmark: Benchmark, case: Case) -> None:
    require(benchmark, "answer", "evidence")
    reading = drafted(reader, benchmark, content(answer=None, steps=[step()]))
    with pytest.raises(BadContent) as caught:
        submit(reading_id=reading.pk, version=1, key="k")
    assert [error.path for error in caught.value.errors] == ["answer", "steps[0].evidence"]
    reading.refresh_from_db()
    assert (reading.state, reading.version, reading.revision) == (ReadingState.DRAFT, 1, 0)


def test_a_draft_that_the_case_no_longer_fits_is_refused(reading: Reading, case: Case) -> None:
    case.options = {"A": "yes"}
    case.save()
    with pytest.raises(BadContent, match=r"answer.choice"):
        submit(reading_id=reading.pk, version=1, key="k")


def test_a_place_taken_by_others_makes_the_draft_surplus(reading: Reading, other_reader: User) -> None:
    make_surplus(reading, other_reader)
    assert (reading.state, reading.draft) == (ReadingState.SURPLUS, FULL)
    assert not ReadingRevision.objects.exists()


def test_a_lease_that_ran_out_over_a_free_place_submits(reading: Reading) -> None:
    Assignment.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert submit(reading_id=reading.pk, version=1, key="k").revision == 1


def test_a_surplus_draft_is_submitted_once_a_place_is_free(reading: Reading, other_reader: User) -> None:
    make_surplus(reading, other_reader)
    Assignment.objects.filter(reader=other_reader).update(state=AssignmentState.RELEASED)
    assert submit(reading_id=reading.pk, version=1, key="late").revision == 1


def test_a_curator_accepts_a_surplus_draft(reading: Reading, other_reader: User, curator: User) -> None:
    make_surplus(reading, other_reader)
    revision = accept_surplus(reading_id=reading.pk, curator=curator, reason="a third opinion")
    assert revision.content == FULL
    assert Assignment.objects.get(reader=reading.reader).state == AssignmentState.SUBMITTED
    trail = AuditEvent.objects.get(action="reading.surplus_accepted")
    assert (trail.actor, trail.after["reason"]) == (curator, "a third opinion")


def test_a_curator_closes_a_surplus_draft(reading: Reading, other_reader: User, curator: User) -> None:
    make_surplus(reading, other_reader)
    close_surplus(reading_id=reading.pk, curator=curator, reason="unfinished")
    reading.refresh_from_db()
    assert (reading.state, reading.draft) == (ReadingState.CLOSED, FULL)
    trail = AuditEvent.objects.get(action="reading.surplus_closed")
    assert trail.after == {"case": str(reading.case_id), "reason": "unfinished"}
    with pytest.raises(ReadingLocked):
        submit(reading_id=reading.pk, version=1, key="again")


@pytest.mark.parametrize("act", [accept_surplus, close_surplus])
def test_only_surplus_drafts_wait_for_a_curator(act: Any, reading: Reading, curator: User) -> None:
    with pytest.raises(NotSurplus, match="the reading is draft, not surplus"):
        act(reading_id=reading.pk, curator=curator, reason="x")


def test_a_correction_is_the_next_revision(reading: Reading, case: Case) -> None:
    submit(reading_id=reading.pk, version=1, key="k")
    opened = revise(reading_id=reading.pk)
    assert (opened.state, opened.version, opened.revision, opened.draft) == (ReadingState.DRAFT, 2, 1, FULL)
    assert revise(reading_id=reading.pk).version == 2
    assert CaseFacts.objects.get(case=case).readings_submitted == 1
    with pytest.raises(StaleDraft):
        save_draft(reading_id=reading.pk, version=1, content={})
    save_draft(reading_id=reading.pk, version=2, content=content(answer={"choice": "A"}))
    second = submit(reading_id=reading.pk, version=3, key="k2")
    assert second.revision == 2
    assert [row.content["answer"] for row in reading.revisions.all()] == [{"choice": "B"}, {"choice": "A"}]
    assert submit(reading_id=reading.pk, version=1, key="k").revision == 1


def test_a_revision_needs_no_lease(reading: Reading, other_reader: User) -> None:
    submit(reading_id=reading.pk, version=1, key="k")
    revise(reading_id=reading.pk)
    Assignment.objects.update(lease_expires_at=timezone.now() - dt.timedelta(days=9))
    save_draft(reading_id=reading.pk, version=2, content={})
    assert submit(reading_id=reading.pk, version=3, key="k2").revision == 2


def test_nothing_submitted_is_nothing_to_revise(reading: Reading) -> None:
    with pytest.raises(NotSubmitted):
        revise(reading_id=reading.pk)


def test_a_submitted_revision_cannot_be_edited(reading: Reading) -> None:
    revision = submit(reading_id=reading.pk, version=1, key="k")
    revision.content = {}
    with pytest.raises(Error, match="Cannot update rows"):
        revision.save()


def test_reviewers_who_are_not_blind_and_the_reader_hear_of_it(reading: Reading, reader: User, case: Case) -> None:
    submit(reading_id=reading.pk, version=1, key="k")
    events = Event.objects.filter(type="reading.submitted").order_by("id")
    assert [(row.least_role, row.reader_id, row.is_blinded) for row in events] == [
        (Role.REVIEWER, None, True),
        (Role.READER, reader.pk, False),
    ]
    assert {str(row.payload) for row in events} == {str({"case": str(case.pk), "reading": str(reading.pk)})}


def test_higher_apps_hear_after_the_commit(
    reading: Reading, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    heard: list[Any] = []

    def listen(sender: object, reading_id: object, **_: object) -> None:
        heard.append((sender, reading_id))

    reading_submitted.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            submit(reading_id=reading.pk, version=1, key="k")
            assert not heard
    finally:
        reading_submitted.disconnect(listen)
    assert heard == [(Reading, reading.pk)]


@pytest.mark.django_db(transaction=True)
def test_a_submission_stands_whatever_becomes_of_those_who_hear_of_it() -> None:
    benchmark = make_benchmark("deaf")
    make_case(benchmark)
    given = next_case(reader=make_user("rosa", Role.READER, benchmark), benchmark=benchmark)
    assert isinstance(given, HandedOut)

    def fail(**_: object) -> None:
        raise RuntimeError("no time")

    reading_submitted.connect(fail)
    try:
        assert submit(reading_id=given.reading.pk, version=0, key="k").revision == 1
    finally:
        reading_submitted.disconnect(fail)


def test_the_queries_of_a_submit_do_not_grow_with_the_reading(benchmark: Benchmark) -> None:
    benchmark.overlap = 2
    benchmark.save()
    make_case(benchmark)
    counts = []
    for name, size in (("rosa", 1), ("omar", 40)):
        boxes = [roi() for _ in range(size)]
        steps = [step(evidence=[box["id"]]) for box in boxes]
        given = content(rois=boxes, steps=steps, entities=[entity(rois=[boxes[0]["id"]])])
        reading = drafted(make_user(name, Role.READER, benchmark), benchmark, given)
        with CaptureQueriesContext(connection) as queries:
            submit(reading_id=reading.pk, version=1, key="k")
        counts.append(len(queries))
    # With two for the savepoint of a test, and two for the entity.
    assert counts == [14, 14]


@pytest.mark.django_db(transaction=True)
def test_eight_submits_of_one_key_at_once_make_one_revision() -> None:
    benchmark = make_benchmark("tabs")
    make_case(benchmark)
    reading = drafted(make_user("rosa", Role.READER, benchmark), benchmark)
    answers = at_once([partial(submit, reading_id=reading.pk, version=1, key="k")] * 8)
    assert len({answer.pk for answer in answers}) == 1
    assert ReadingRevision.objects.count() == 1
    assert Event.objects.filter(type="reading.submitted").count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_eight_submits_with_different_keys_one_is_taken() -> None:
    benchmark = make_benchmark("tabs")
    make_case(benchmark)
    reading = drafted(make_user("rosa", Role.READER, benchmark), benchmark)

    def try_to(key: str) -> bool:
        try:
            submit(reading_id=reading.pk, version=1, key=key)
        except ReadingLocked:
            return False
        return True

    assert sum(at_once([partial(try_to, f"key{number}") for number in range(8)])) == 1
    assert ReadingRevision.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_late_submits_at_once_never_exceed_the_overlap() -> None:
    benchmark = make_benchmark("late", overlap=2)
    case = make_case(benchmark)
    readings = []
    for name in ("a", "b", "c", "d", "e", "f"):
        readings.append(drafted(make_user(name, Role.READER, benchmark), benchmark))
        Assignment.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))

    def try_to(reading: Reading) -> bool:
        try:
            submit(reading_id=reading.pk, version=1, key="k")
        except PlaceTaken:
            return False
        return True

    assert sum(at_once([partial(try_to, reading) for reading in readings])) == 2
    assert Reading.objects.filter(state=ReadingState.SURPLUS).count() == 4
    facts = CaseFacts.objects.get(case=case)
    assert (facts.readings_submitted, facts.readings_open) == (2, 4)
