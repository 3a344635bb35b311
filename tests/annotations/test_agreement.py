"""The read model of agreement: rows of a case that follow what was said, and nothing else."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from annotations import agreement
from annotations.assigning import HandedOut, next_case
from annotations.drafting import save_draft
from annotations.models import AgreementLabel, AgreementScore, Arm, CaseAgreement, PartyKind, ReadingRevision
from annotations.signals import agreement_changed
from annotations.submission import submit
from annotations.tasks import agree_case
from curation import queues
from curation.models import Case, Event, Gold, GoldRoi, Role
from curation.signals import cases_changed
from tests.annotations.contents import content, roi, step
from tests.annotations.saying import say
from tests.annotations.together import at_once
from tests.factories import make_asset, make_benchmark, make_case, make_user


def box(x0: float, y0: float, x1: float, y1: float, **changes: Any) -> dict[str, Any]:
    return roi(geometry={"x0": x0, "y0": y0, "x1": x1, "y1": y1}, **changes)


@pytest.fixture
def case(db: None) -> Case:
    return make_case(make_benchmark(overlap=3))


def pair(case: Case) -> AgreementScore:
    return AgreementScore.objects.get(case=case)


def test_two_readers_make_one_row(case: Case) -> None:
    one, other = make_user("one"), make_user("two")
    first, second = box(10, 10, 20, 20), box(12, 10, 22, 20)
    say(case, one, rois=[first], steps=[step(text="A nodule on the left", evidence=[first["id"]])], entities=[])
    assert agreement.record_case(case.pk)
    assert not AgreementScore.objects.exists()
    say(case, other, rois=[second], steps=[step(text="Left nodule", evidence=[second["id"]])], entities=[])
    assert agreement.record_case(case.pk)
    row = pair(case)
    assert {row.a_party, row.b_party} == {one.pk, other.pk}
    assert (row.a_kind, row.b_kind, row.arm) == (PartyKind.READER, PartyKind.READER, Arm.UNAIDED)
    assert row.is_same_answer is True
    assert (row.rois_a, row.rois_b, row.rois_matched, row.detection_f1) == (1, 1, 1, 1.0)
    assert row.iou == row.matched_iou == pytest.approx(80 / 120)
    assert row.dice == pytest.approx(160 / 200)
    assert row.hausdorff == pytest.approx(2.0)
    assert row.hausdorff_unit == "px"
    assert row.surface_dice == 1.0  # nowhere more than 3 pixels apart
    assert (row.steps_a, row.steps_b, row.step_f1) == (1, 1, 1.0)
    assert (row.a_active_s, row.b_active_s) == (60.0, 60.0)
    assert row.why == {"critical_f1": "none_critical", "step_order": "one_pair"}
    label = AgreementLabel.objects.get()
    assert (label.label, label.matched, label.only_a, label.only_b) == ("", 1, 0, 0)
    state = CaseAgreement.objects.get()
    assert (state.readers, state.pattern, state.aided_pattern) == (2, {"B": 2}, {})


def test_again_changes_nothing(case: Case) -> None:
    for name in ("one", "two"):
        say(case, make_user(name))
    assert agreement.record_case(case.pk)
    before = list(AgreementScore.objects.values()), list(CaseAgreement.objects.values())
    assert not agreement.record_case(case.pk)
    assert (list(AgreementScore.objects.values()), list(CaseAgreement.objects.values())) == before


def test_a_submit_computes_its_own_pairs_alone(case: Case) -> None:
    readers = [make_user(name) for name in ("one", "two", "three")]
    for reader in readers:
        say(case, reader)
    agreement.record_case(case.pk)
    kept = set(AgreementScore.objects.values_list("pk", flat=True))
    say(case, readers[0], answer={"choice": "A"})
    agreement.record_case(case.pk)
    now = set(AgreementScore.objects.values_list("pk", flat=True))
    assert len(now) == 3
    assert len(now & kept) == 1
    assert CaseAgreement.objects.get().pattern == {"A": 1, "B": 2}
    assert AgreementScore.objects.filter(is_same_answer=True).count() == 1
    assert AgreementScore.objects.filter(is_same_answer=False).count() == 2


def test_arms_are_kept_apart(case: Case) -> None:
    one, other = make_user("one"), make_user("two")
    for reader in (one, other):
        say(case, reader)
        say(case, reader, arm=Arm.AIDED, answer={"choice": "A"})
    agreement.record_case(case.pk)
    assert sorted(AgreementScore.objects.values_list("arm", "a_answer")) == [("aided", "A"), ("unaided", "B")]
    state = CaseAgreement.objects.get()
    assert (state.readers, state.pattern, state.aided_pattern) == (2, {"B": 2}, {"A": 2})


def test_what_was_said_after_looking_does_not_count(case: Case) -> None:
    one, other = make_user("one"), make_user("two")
    say(case, one)
    reading = say(case, other)
    say(case, other, answer={"choice": "A"})
    with_a_look = ReadingRevision.objects.filter(reading=reading, revision=2)
    content = with_a_look.get().content
    with_a_look.delete()
    ReadingRevision.objects.create(
        reading=reading, revision=2, content=content, digest="d" * 64, case_version=1, is_after_looking=True,
        input_digest=case.input_digest, protocol_digest="0" * 64, submitted_at=reading.created_at,
    )  # fmt: skip
    agreement.record_case(case.pk)
    row = pair(case)
    assert row.is_same_answer is True
    assert {row.a_revision, row.b_revision} == {1}


def test_millimetres_where_the_image_has_spacing(case: Case) -> None:
    image = case.images.get()
    image.asset = make_asset(seed=77, spacing_row_mm=0.5, spacing_column_mm=0.25)
    image.save()
    say(case, make_user("one"), rois=[box(10, 10, 20, 20)], steps=[], entities=[])
    say(case, make_user("two"), rois=[box(14, 10, 24, 20)], steps=[], entities=[])
    agreement.record_case(case.pk)
    row = pair(case)
    assert row.hausdorff == pytest.approx(1.0)
    assert row.hausdorff_unit == "mm"
    assert row.surface_dice == 1.0  # one millimetre is within two


def test_points_lines_and_masks(case: Case) -> None:
    line = {"points": [[5.0, 5.0], [25.0, 5.0]]}
    shapes = [
        roi(shape="point", geometry={"x": 30.0, "y": 30.0}),
        roi(shape="line", geometry=line, label="midline"),
        roi(shape="ellipse", geometry={"cx": 40, "cy": 20, "rx": 5, "ry": 4, "angle": 0.3}),
        roi(shape="mask", geometry={"size": [48, 64], "counts": [48 * 10 + 4, 8, 48 * 64 - 48 * 10 - 12]}),
    ]
    moved = [{**shapes[0], "geometry": {"x": 31.0, "y": 30.0}}, *shapes[1:]]
    say(case, make_user("one"), rois=shapes, steps=[], entities=[])
    say(case, make_user("two"), rois=moved, steps=[], entities=[])
    agreement.record_case(case.pk)
    row = pair(case)
    assert (row.rois_a, row.rois_b, row.rois_matched, row.detection_f1) == (4, 4, 4, 1.0)
    assert (row.iou, row.dice, row.hausdorff) == (1.0, 1.0, 0.0)
    assert row.matched_iou is not None
    assert 0.9 < row.matched_iou < 1.0
    assert AgreementLabel.objects.get(label="midline").iou is None  # a line has no area


def test_one_draws_and_the_other_does_not(case: Case) -> None:
    say(case, make_user("one"), steps=[], entities=[])
    say(case, make_user("two"), rois=[], steps=[], entities=[])
    agreement.record_case(case.pk)
    row = pair(case)
    assert (row.detection_f1, row.matched_iou, row.iou, row.dice) == (0.0, 0.0, 0.0, 0.0)
    assert (row.surface_dice, row.hausdorff) == (None, None)
    assert (row.why["surface_dice"], row.why["step_f1"]) == ("one_empty", "no_steps")


def test_nothing_said_is_undefined_and_says_why(case: Case) -> None:
    for name in ("one", "two"):
        say(case, make_user(name), answer=None, rois=[], steps=[], entities=[], active_s=None)
    agreement.record_case(case.pk)
    row = pair(case)
    assert (row.is_same_answer, row.detection_f1, row.iou, row.step_f1) == (None, None, None, None)
    assert row.why["is_same_answer"] == "no_answer"
    assert row.why["iou"] == "no_region"
    assert row.why["a_active_s"] == "not_timed"
    assert CaseAgreement.objects.get().pattern == {}


def test_readers_against_gold(case: Case) -> None:
    reader = make_user("one")
    say(case, reader, rois=[box(10, 10, 20, 20)], steps=[], entities=[])
    gold = Gold.objects.create(case=case, revision=1, answer="B")
    GoldRoi.objects.create(gold=gold, image=1, shape="box", geometry={"x0": 10, "y0": 10, "x1": 20, "y1": 15})
    agreement.record_case(case.pk)
    row = pair(case)
    assert (row.a_kind, row.b_kind, row.b_party, row.b_said) == (PartyKind.READER, PartyKind.GOLD, case.pk, gold.pk)
    assert (row.is_same_answer, row.iou, row.why["step_f1"]) == (True, 0.5, "no_steps")
    Gold.objects.create(case=case, revision=2, is_withdrawn=True)
    agreement.record_case(case.pk)
    assert not AgreementScore.objects.exists()


def test_rows_of_another_input_are_void(case: Case) -> None:
    for name in ("one", "two"):
        say(case, make_user(name))
    agreement.record_case(case.pk)
    case.input_digest = "e" * 64
    case.save()
    assert agreement.behind(10) == [case.pk]
    assert agreement.record_case(case.pk)
    assert not AgreementScore.objects.exists()
    assert CaseAgreement.objects.get().pattern == {}
    assert agreement.behind(10) == []
    assert not agreement.record_case(case.pk)


def test_who_a_case_is_of_and_by_which_modality_follow_the_case(case: Case) -> None:
    for name in ("one", "two"):
        say(case, make_user(name))
    agreement.record_case(case.pk)
    before = pair(case)
    case.images.update(modality="MR")
    case.patient, case.version = "p7", case.version + 1
    case.save()
    assert agreement.behind(10) == [case.pk]
    assert agreement.record_case(case.pk)
    after = pair(case)
    assert (before.modalities, after.modalities) == ("", "MR")
    assert before.cluster != after.cluster == CaseAgreement.objects.get().cluster
    assert agreement.behind(10) == []
    assert agreement.differing([case.pk]) == []


def test_the_sweep_sees_what_was_lost(case: Case, django_assert_num_queries: Any) -> None:
    other = make_case(case.benchmark, "case2")
    one, two = make_user("one"), make_user("two")
    for reader in (one, two):
        say(case, reader)
        say(other, reader)
    assert set(agreement.behind(10)) == {case.pk, other.pk}
    agreement.record_case(case.pk)
    assert agreement.behind(10) == [other.pk]
    agreement.record_case(other.pk)
    with django_assert_num_queries(1):
        assert agreement.behind(10) == []
    say(case, one)
    assert agreement.behind(10) == [case.pk]


def test_stored_rows_are_proved(case: Case) -> None:
    for name in ("one", "two"):
        say(case, make_user(name))
    assert agreement.differing([case.pk]) == []  # behind, by its digest
    agreement.record_case(case.pk)
    assert agreement.differing([case.pk]) == []
    AgreementScore.objects.update(iou=0.25, is_same_answer=None)
    AgreementLabel.objects.all().delete()
    CaseAgreement.objects.update(pattern={"A": 2})
    fields = {field.split(" ")[-1] for _, field, _, _ in agreement.differing([case.pk])}
    assert fields == {"iou", "is_same_answer", "labels", "pattern"}
    assert agreement.record([case.pk]) == 1
    assert agreement.differing([case.pk]) == []


def test_staff_hear_of_it_and_readers_do_not(case: Case) -> None:
    reader = make_user("one", Role.READER, case.benchmark)
    both = make_user("two", Role.READER, case.benchmark)
    make_user("three", Role.CURATOR, case.benchmark)
    both.memberships.create(benchmark=case.benchmark, role=Role.CURATOR)
    for who in (reader, both):
        say(case, who)
    agreement.record_case(case.pk)
    told = Event.objects.filter(type="agreement.changed").order_by("id")
    assert [(row.reader_id, row.least_role, row.is_blinded) for row in told] == [
        (None, "reviewer", True),
        (both.pk, "reviewer", False),
    ]
    assert {row.payload["case"] for row in told} == {str(case.pk)}


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_write_the_same_rows() -> None:
    case = make_case(make_benchmark(overlap=4))
    for name in ("one", "two", "three", "four"):
        say(case, make_user(name))
    results = at_once([lambda: agreement.record_case(case.pk)] * 4)
    assert sorted(results) == [False, False, False, True]
    assert AgreementScore.objects.count() == 6
    assert agreement.differing([case.pk]) == []


@pytest.mark.django_db(transaction=True)
def test_a_submit_sends_the_task_that_writes_rows_and_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the submit over the broker's message to rows and event, each after the commit of the one before."""
    messages: list[tuple[str, dict[str, str]]] = []

    class Broker:
        def send_task(self, name: str, kwargs: dict[str, str]) -> None:
            messages.append((name, kwargs))

    monkeypatch.setattr(queues, "current_app", Broker())
    monkeypatch.setattr(queues, "_paused_until", 0.0)
    heard: list[Any] = []
    agreement_changed.connect(lambda case_id, **_: heard.append(case_id), weak=False, dispatch_uid="test.agreed")
    benchmark = make_benchmark(overlap=2)
    case = make_case(benchmark)
    try:
        for name in ("one", "two"):
            reader = make_user(name, Role.READER, benchmark)
            given = next_case(reader=reader, benchmark=benchmark)
            assert isinstance(given, HandedOut)
            saved = save_draft(reading_id=given.reading.pk, version=0, content=content())
            submit(reading_id=given.reading.pk, version=saved.version, key=name)
            assert messages.count((agreement.AGREE_TASK, {"case_id": str(case.pk)})) == (1 if name == "one" else 2)
            agree_case(str(case.pk))
    finally:
        agreement_changed.disconnect(dispatch_uid="test.agreed")
    assert pair(case).is_same_answer is True
    assert heard == [case.pk, case.pk]
    assert Event.objects.filter(type=agreement.AGREEMENT_CHANGED).count() == 2
    assert settings.CELERY_TASK_ROUTES[agreement.AGREE_TASK] == {"queue": "scores"}
    messages.clear()
    with transaction.atomic():
        cases_changed.send(sender=Case, case_ids=[case.pk, make_case(benchmark, "unread").pk])
    assert [one for one in messages if one[0] == agreement.AGREE_TASK] == [
        (agreement.AGREE_TASK, {"case_id": str(case.pk)})
    ]


def test_a_message_about_a_case_that_is_no_more_does_nothing(db: None) -> None:
    agree_case(str(uuid.uuid4()))
    assert not CaseAgreement.objects.exists()
