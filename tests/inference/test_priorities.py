"""The disagreement of a case as it is written down: what it follows from, when it moves, and who hears of it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from annotations.models import (
    AgreementScore,
    Arm,
    CaseAgreement,
    CasePriority,
    PartyKind,
    Reading,
    ReadingRevision,
    ReadingState,
)
from annotations.signals import agreement_changed
from curation.facts import all_differing, rebuild
from curation.models import Benchmark, Case, Event, Role, User
from inference.metrics.priority import WEIGHTS, Part, combine, divergence
from inference.models import ModelVersion, Prediction
from inference.priorities import PART_MEANING, PART_WORDS, catch_up, describe, differing, record, write
from inference.scoring import score_case
from tests.factories import make_case
from tests.inference.conftest import box, plant, predict, submit

pytestmark = pytest.mark.django_db

INSIDE = box(17, 13, 31, 23)  # one cell of the focus


@pytest.fixture
def taught(planted: ModelVersion) -> ModelVersion:
    """The planted model, said to be trained: a control has no voice."""
    return teach(planted)


def teach(model: ModelVersion) -> ModelVersion:
    model.is_trained = True
    model.save()
    return model


def pair(case: Case, first: Reading, second: Reading, iou: float | None) -> AgreementScore:
    """A row as the agreement of two readers leaves it."""
    return AgreementScore.objects.create(
        case=case, benchmark_id=case.benchmark_id, arm=Arm.UNAIDED,
        a_kind=PartyKind.READER, a_party=first.reader_id, a_said=first.pk, a_revision=first.revision,
        b_kind=PartyKind.READER, b_party=second.reader_id, b_said=second.pk, b_revision=second.revision,
        matched_iou=iou, metric_version="1", computed_at=timezone.now(),
    )  # fmt: skip


def stored(case: Case) -> CasePriority:
    return CasePriority.objects.get(case=case)


def values(case: Case) -> dict[str, Any]:
    return {name: (part["value"], part["n"]) for name, part in stored(case).parts.items()}


def test_every_part_is_worked_out_by_hand(case: Case, reader: User, other_reader: User, taught: ModelVersion) -> None:
    other = teach(plant("other", focus="0,0,1,1", p="0.6", choice="B"))
    first, second = submit(case, reader, INSIDE, choice="A"), submit(case, other_reader, INSIDE, choice="B")
    pair(case, first, second, 0.4)
    predict(taught, case)
    predict(other, case)
    score_case(case.pk)
    found = values(case)
    assert found["reader_answers"] == (1.0, 2)
    assert found["reader_regions"] == (pytest.approx(0.6), 1)
    # p(A) is 0.75 by one model and 0.4 by the other: 0.25, 0.75, 0.6 and 0.4.
    assert found["expert_model_answers"] == (pytest.approx(0.5), 4)
    votes = (divergence([0.5, 0.5], [0.75, 0.25]) + divergence([0.5, 0.5], [0.4, 0.6])) / 2
    assert found["votes_model_options"] == (pytest.approx(votes), 2)
    # 1 - AUROC: 1.5 of 15 for the one that looks there, a half for the one that looks everywhere alike.
    assert found["expert_model_attention"] == (pytest.approx((0.1 + 0.5) / 2), 4)
    assert found["between_models_options"] == (pytest.approx(divergence([0.75, 0.25], [0.4, 0.6])), 1)
    # 12 cells of 1/32 and 4 of 5/32 against 16 of 1/16.
    looks = divergence([1 / 32] * 12 + [5 / 32] * 4, [1 / 16] * 16)
    assert found["between_models_attention"] == (pytest.approx(looks, abs=1e-6), 1)
    assert stored(case).value == pytest.approx(combine({name: Part(*one) for name, one in found.items()}).value)
    assert {name: part["weight"] for name, part in stored(case).parts.items()} == pytest.approx(dict(WEIGHTS))


def test_a_control_has_no_voice(case: Case, reader: User, planted: ModelVersion) -> None:
    submit(case, reader, INSIDE)
    predict(planted, case)
    score_case(case.pk)
    assert not CasePriority.objects.exists()
    case.refresh_from_db()
    assert differing([case.pk]) == []


def test_models_alone_order_cases_that_nobody_has_read(case: Case, taught: ModelVersion) -> None:
    predict(taught, case)
    predict(teach(plant("other", choice="B")), case)
    assert record([case.pk]) == [case.pk]
    assert set(values(case)) == {"between_models_options", "between_models_attention"}
    assert values(case)["between_models_attention"][0] == 0
    assert sum(part["weight"] for part in stored(case).parts.values()) == pytest.approx(1)


def test_only_unaided_readings_of_this_input_that_count_have_a_voice(
    case: Case, reader: User, other_reader: User
) -> None:
    submit(case, reader, choice="A")
    other = submit(case, other_reader, choice="B")
    record([case.pk])
    assert values(case) == {"reader_answers": (1.0, 2)}
    for change in ({"arm": Arm.AIDED}, {"state": ReadingState.CLOSED}):
        Reading.objects.filter(pk=other.pk).update(**change)
        record([case.pk])
        assert (stored(case).value, stored(case).parts) == (None, {})
        Reading.objects.filter(pk=other.pk).update(arm=Arm.UNAIDED, state=ReadingState.SUBMITTED)
        record([case.pk])
        assert stored(case).value == 1
    Case.objects.filter(pk=case.pk).update(input_digest="1" * 64)
    record([case.pk])
    assert stored(case).value is None


def test_a_revision_written_after_looking_takes_nothing_back(
    case: Case, reader: User, other_reader: User, taught: ModelVersion
) -> None:
    predict(taught, case)
    first, second = submit(case, reader, INSIDE, choice="A"), submit(case, other_reader, INSIDE, choice="B")
    pair(case, first, second, 0.4)
    score_case(case.pk)
    before = stored(case)
    # Omar has seen what Rosa and the model said, and comes round.
    Reading.objects.filter(pk=second.pk).update(revision=2)
    ReadingRevision.objects.create(
        reading=second, revision=2, content={"answer": {"choice": "A"}, "rois": [], "steps": []}, digest="d" * 64,
        case_version=case.version, input_digest=case.input_digest, protocol_digest="0" * 64,
        submitted_at=timezone.now(), is_after_looking=True,
    )  # fmt: skip
    score_case(case.pk)
    assert stored(case).parts == before.parts


def test_overlaps_of_older_revisions_and_undefined_ones_do_not_count(
    case: Case, reader: User, other_reader: User
) -> None:
    first, second = submit(case, reader, choice=None), submit(case, other_reader, choice=None)
    row = pair(case, first, second, None)
    record([case.pk])
    assert not CasePriority.objects.exists()
    AgreementScore.objects.filter(pk=row.pk).update(matched_iou=0.25)
    record([case.pk])
    assert values(case) == {"reader_regions": (0.75, 1)}
    submit(case, reader, choice=None)
    record([case.pk])
    assert stored(case).value is None


def test_unchanged_inputs_write_and_tell_nothing(case: Case, reader: User, other_reader: User) -> None:
    submit(case, reader, choice="A")
    submit(case, other_reader, choice="B")
    assert record([case.pk]) == [case.pk]
    before = stored(case).updated_at
    heard = Event.objects.filter(type="priority.changed").count()
    assert record([case.pk]) == []
    assert stored(case).updated_at == before
    assert Event.objects.filter(type="priority.changed").count() == heard == 1


def test_staff_who_do_not_read_hear_of_it(case: Case, reader: User, other_reader: User) -> None:
    submit(case, reader, choice="A")
    submit(case, other_reader, choice="B")
    record([case.pk])
    event = Event.objects.get(type="priority.changed")
    assert (event.least_role, event.is_blinded, event.reader_id) == (Role.REVIEWER.value, True, None)
    assert event.payload == {"case": str(case.pk)}


def test_agreement_that_changed_moves_it(case: Case, reader: User, other_reader: User) -> None:
    pair(case, submit(case, reader, choice=None), submit(case, other_reader, choice=None), 0.5)
    agreement_changed.send(sender=None, case_id=case.pk)
    assert stored(case).value == 0.5


def test_agreement_that_nobody_heard_of_is_caught_up_with_once(case: Case, reader: User, other_reader: User) -> None:
    row = pair(case, submit(case, reader, choice=None), submit(case, other_reader, choice=None), 0.5)
    state = CaseAgreement.objects.create(
        case=case, benchmark_id=case.benchmark_id, sources_digest="d" * 64, metric_version="1", readers=2,
        computed_at=timezone.now(),
    )  # fmt: skip
    assert catch_up() == 1
    assert stored(case).value == 0.5
    assert catch_up() == 0
    AgreementScore.objects.filter(pk=row.pk).update(matched_iou=0.25)
    state.computed_at = timezone.now()
    state.save()
    assert catch_up() == 1
    assert stored(case).value == 0.75
    # Computed again to the same end: looked at once, and told to nobody.
    state.computed_at = timezone.now()
    state.save()
    heard = Event.objects.filter(type="priority.changed").count()
    assert (catch_up(), catch_up()) == (1, 0)
    assert Event.objects.filter(type="priority.changed").count() == heard


def test_the_rebuild_proves_it(case: Case, reader: User, other_reader: User) -> None:
    submit(case, reader, choice="A")
    submit(case, other_reader, choice="B")
    rebuild([case.pk])
    assert all_differing([case.pk]) == []
    CasePriority.objects.update(value=0.5)
    assert (str(case.pk), "disagreement value", 0.5, 1.0) in all_differing([case.pk])
    CasePriority.objects.all().delete()
    assert (str(case.pk), "disagreement value", None, 1.0) in differing([case.pk])


def test_as_many_queries_for_many_cases(
    benchmark: Benchmark, reader: User, other_reader: User, taught: ModelVersion, django_assert_num_queries: Any
) -> None:
    other = teach(plant("other", choice="B"))

    def made(number: int) -> uuid.UUID:
        case = make_case(benchmark, f"c{number}")
        pair(case, submit(case, reader, INSIDE), submit(case, other_reader, INSIDE, choice="B"), 0.5)
        predict(taught, case)
        predict(other, case)
        return case.pk

    one, many = [made(0)], [made(number) for number in range(1, 6)]
    # Lock, stored, cases, readings, predictions, scores, pairs, maps, upsert, events, notify, and savepoints.
    with django_assert_num_queries(13):
        write(one)
    with django_assert_num_queries(13):
        write(many)


def test_a_layer_that_the_map_does_not_have_is_left_out(case: Case, taught: ModelVersion) -> None:
    predict(taught, case)
    other = teach(plant("other", choice="B"))
    predict(other, case)
    ModelVersion.objects.filter(pk=other.pk).update(settings={**other.settings, "headline_layer": "9"})
    record([case.pk])
    assert set(values(case)) == {"between_models_options"}


def test_options_that_the_question_does_not_have_are_no_voice(case: Case, taught: ModelVersion) -> None:
    predict(taught, case)
    predict(teach(plant("other")), case)
    Prediction.objects.filter(model__name="other").update(option_probabilities={"Z": 1.0})
    record([case.pk])
    assert "between_models_options" not in values(case)


def test_it_is_described_with_every_part(case: Case, reader: User, other_reader: User) -> None:
    submit(case, reader, choice="A")
    submit(case, other_reader, choice="B")
    record([case.pk])
    told = describe(stored(case))
    assert told["value"] == 1
    assert [part["name"] for part in told["parts"]] == list(WEIGHTS)
    assert [part["value"] for part in told["parts"]] == [1.0, *[None] * 6]
    assert describe(None)["value"] is None
    assert set(PART_WORDS) == set(PART_MEANING) == set(WEIGHTS)
