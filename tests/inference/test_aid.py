"""What is in view in the aided arm, that it is noted, and whose answers changed after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from annotations.aided import open_aided
from annotations.assigning import HandedOut, next_case
from annotations.drafting import save_draft
from annotations.models import Reading
from annotations.submission import revise, submit
from curation import audit
from curation.models import AuditEvent, Benchmark, Case, Gold, Role, User
from inference.aid import NotAided, changes_of, show_aid
from inference.models import AidShown, Prediction
from tests.annotations.contents import content
from tests.factories import make_case, make_user
from tests.inference.conftest import plant, predict

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient


def read(reader: User, benchmark: Benchmark, choice: str | None) -> Reading:
    handed = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(handed, HandedOut)
    given = content(answer=choice and {"choice": choice})
    save_draft(reading_id=handed.reading.pk, version=0, content=given)
    submit(reading_id=handed.reading.pk, version=1, key="k")
    return handed.reading


def read_again(unaided: Reading, choice: str | None, *, looks: bool = True) -> Reading:
    aided = open_aided(reading_id=unaided.pk)
    if looks:
        show_aid(reading_id=aided.pk)
    given = {**aided.draft, "answer": choice and {"choice": choice}}
    version = save_draft(reading_id=aided.pk, version=1, content=given).version
    submit(reading_id=aided.pk, version=version, key="k")
    return aided


def says(name: str, case: Case, choice: str) -> Prediction:
    prediction = predict(plant(name), case)
    Prediction.objects.filter(pk=prediction.pk).update(choice=choice)
    return prediction


def test_models_are_in_view_in_the_aided_arm_and_noted_once(
    reader: User, benchmark: Benchmark, case: Case, api: Callable[[User], APIClient]
) -> None:
    first, second = says("anna", case, "A"), says("bert", case, "B")
    unaided = read(reader, benchmark, "A")
    with pytest.raises(NotAided):
        show_aid(reading_id=unaided.pk)
    refused = api(reader).get(reverse("reading-aid", args=[unaided.pk]))
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-aided")
    assert not AidShown.objects.exists()
    aided = open_aided(reading_id=unaided.pk)
    bodies = [api(reader).get(reverse("reading-aid", args=[aided.pk])).json() for _ in range(2)]
    assert bodies[0] == bodies[1]
    body = bodies[0]
    assert [(row["model"]["name"], row["choice"]) for row in body["predictions"]] == [("anna", "A"), ("bert", "B")]
    assert all(row["maps"] and "steps" in row for row in body["predictions"])
    shown = set(AidShown.objects.values_list("reading", "prediction"))
    assert shown == {(aided.pk, first.pk), (aided.pk, second.pk)}
    assert AuditEvent.objects.filter(action="case.looked", actor=reader).exists()


def test_what_is_looked_at_after_the_submit_is_not_counted_as_shown(
    reader: User, benchmark: Benchmark, case: Case
) -> None:
    says("anna", case, "A")
    aided = read_again(read(reader, benchmark, "A"), "B", looks=False)
    show_aid(reading_id=aided.pk)
    assert not AidShown.objects.exists()


def test_nobody_else_sees_it(
    reader: User, other_reader: User, curator: User, benchmark: Benchmark, case: Case, api: Callable[[User], APIClient]
) -> None:
    aided = open_aided(reading_id=read(reader, benchmark, "A").pk)
    address = reverse("reading-aid", args=[aided.pk])
    assert api(other_reader).get(address).status_code == 404
    assert api(curator).get(address).status_code == 403


def counts(row: Any) -> dict[str, Any]:
    names = "readings changed toward_model right_to_wrong wrong_to_right stayed_right stayed_wrong unmarked"
    return {name: getattr(row, name) for name in names.split() if getattr(row, name)}


def test_changes_are_counted_over_all_and_under_each_model_shown(benchmark: Benchmark, case: Case) -> None:
    benchmark.overlap = 5
    benchmark.save()
    Gold.objects.create(case=case, revision=1, answer={"choice": "B"})
    says("anna", case, "A")
    said = [("B", "A"), ("A", "B"), ("B", "B"), ("A", "A"), (None, "B")]
    for number, (before, after) in enumerate(said):
        reader = make_user(f"reader{number}", Role.READER, benchmark)
        read_again(read(reader, benchmark, before), after)
    overall, anna = changes_of(benchmark)
    expected = {
        "readings": 5,
        "changed": 3,
        "toward_model": 1,
        "right_to_wrong": 1,
        "wrong_to_right": 2,
        "stayed_right": 1,
        "stayed_wrong": 1,
    }
    assert (overall.model, counts(overall)) == (None, expected)
    assert (anna.model, counts(anna)) == ("anna", expected)
    assert overall.difference == pytest.approx(0.2)
    assert overall.marked == 5


def test_a_change_is_from_what_was_said_blind(reader: User, benchmark: Benchmark, case: Case) -> None:
    says("anna", case, "A")
    unaided = read(reader, benchmark, "B")
    audit.look(user=reader, case=case)
    version = revise(reading_id=unaided.pk).version
    version = save_draft(reading_id=unaided.pk, version=version, content=content(answer={"choice": "A"})).version
    assert submit(reading_id=unaided.pk, version=version, key="again").is_after_looking
    read_again(unaided, "A")
    assert counts(changes_of(benchmark)[0])["wrong_to_right"] == 1


def test_a_model_that_was_not_shown_is_not_counted(reader: User, benchmark: Benchmark, case: Case) -> None:
    says("anna", case, "A")
    read_again(read(reader, benchmark, "B"), "A", looks=False)
    (overall,) = changes_of(benchmark)
    assert counts(overall) == {"readings": 1, "changed": 1, "wrong_to_right": 1}


def test_without_gold_the_source_decides_and_without_both_nobody(
    reader: User, benchmark: Benchmark, case: Case
) -> None:
    read_again(read(reader, benchmark, "B"), "A")
    assert counts(changes_of(benchmark)[0])["wrong_to_right"] == 1
    Case.objects.update(answer=None)
    (overall,) = changes_of(benchmark)
    assert counts(overall) == {"readings": 1, "changed": 1, "unmarked": 1}
    assert (overall.difference, overall.interval) == (None, None)


def test_readings_of_another_input_or_one_arm_are_left_out(reader: User, benchmark: Benchmark, case: Case) -> None:
    unaided = read(reader, benchmark, "B")
    assert counts(changes_of(benchmark)[0]) == {}
    Case.objects.update(input_digest="f" * 64)
    read_again(unaided, "A")
    assert counts(changes_of(benchmark)[0]) == {}


def test_the_endpoint_says_it_with_interval_and_n(
    benchmark: Benchmark, curator: User, api: Callable[[User], APIClient]
) -> None:
    for number in range(6):
        make_case(benchmark, f"case{number}")
        reader = make_user(f"reader{number}", Role.READER, benchmark)
        read_again(read(reader, benchmark, "B"), "A" if number else "B")
    body = api(curator).get(reverse("benchmark-aided", args=[benchmark.slug])).json()
    assert body["models"] == []
    difference = body["overall"]["difference"]
    assert (difference["n"], difference["value"]) == (6, pytest.approx(5 / 6))
    assert difference["interval"][0] <= 5 / 6 <= difference["interval"][1]


def test_counting_costs_the_same_however_many(
    reader: User, benchmark: Benchmark, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        says("anna" if not number else f"model{number}", make_case(benchmark, f"case{number}"), "A")
        read_again(read(reader, benchmark, "B"), "A")
    with django_assert_num_queries(4):
        changes_of(benchmark)
