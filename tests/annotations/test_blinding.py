"""Who reads blind, and that nothing of what others said leaves before the submit."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from annotations.assigning import HandedOut, next_case
from annotations.blinding import blind_case_ids, is_blind, opened_cases
from annotations.models import Assignment, Reading
from annotations.submission import revise, submit
from curation.models import Benchmark, Case, CaseImage, Gold, GoldRoi, Membership, Role, User
from tests.factories import make_benchmark, make_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

MARKER = "zebra-stripe"


def take(reader: User, benchmark: Benchmark) -> Reading:
    given = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(given, HandedOut)
    return given.reading


def test_a_reader_is_blind_until_the_own_submit(reader: User, benchmark: Benchmark, case: Case) -> None:
    assert is_blind(reader, case)
    reading = take(reader, benchmark)
    assert is_blind(reader, case)
    submit(reading_id=reading.pk, version=0, key="k")
    assert not is_blind(reader, case)
    revise(reading_id=reading.pk)
    assert not is_blind(reader, case), "who has seen cannot unsee"


def test_the_submit_of_another_opens_nothing(
    reader: User, other_reader: User, benchmark: Benchmark, case: Case
) -> None:
    submit(reading_id=take(reader, benchmark).pk, version=0, key="k")
    assert is_blind(other_reader, case)


@pytest.mark.parametrize("name", ["reviewer", "curator", "engineer", "admin", "outsider"])
def test_who_reads_elsewhere_or_nowhere_is_not_blind_here(
    name: str, request: pytest.FixtureRequest, case: Case
) -> None:
    assert not is_blind(request.getfixturevalue(name), case)


@pytest.mark.parametrize("everywhere", [False, True])
def test_another_role_beside_reader_lifts_nothing(
    everywhere: bool, curator: User, benchmark: Benchmark, case: Case
) -> None:
    Membership.objects.create(user=curator, benchmark=None if everywhere else benchmark, role=Role.READER)
    assert is_blind(User.objects.get(pk=curator.pk), case)


def test_many_cases_cost_two_queries(
    reader: User, benchmark: Benchmark, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    cases = [make_case(benchmark, f"case{number}") for number in range(5)]
    elsewhere = make_case(make_benchmark("elsewhere"))
    submit(reading_id=take(reader, benchmark).pk, version=0, key="k")
    fresh = User.objects.get(pk=reader.pk)
    with django_assert_num_queries(2):
        assert blind_case_ids(fresh, [*cases, elsewhere]) == {case.pk for case in cases[1:]}


def test_no_cases_cost_nothing(reader: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert blind_case_ids(reader, []) == frozenset()


@pytest.mark.parametrize("everywhere", [False, True])
def test_the_list_of_opened_cases_says_the_same_as_each_case(
    everywhere: bool, curator: User, benchmark: Benchmark
) -> None:
    cases = [make_case(benchmark, f"case{number}") for number in range(3)]
    cases.append(make_case(make_benchmark("elsewhere")))
    assert set(opened_cases(curator)) == set(cases)
    Membership.objects.create(user=curator, benchmark=None if everywhere else benchmark, role=Role.READER)
    user = User.objects.get(pk=curator.pk)
    submit(reading_id=take(user, benchmark).pk, version=0, key="k")
    blind = blind_case_ids(user, cases)
    assert len(blind) == (3 if everywhere else 2)
    assert set(opened_cases(user)) == {case for case in cases if case.pk not in blind}


@pytest.fixture
def marked_case(benchmark: Benchmark) -> Case:
    """A case in which everything that a blind reader may not see says zebra-stripe."""
    case = make_case(
        benchmark,
        answer=MARKER,
        extra={MARKER: MARKER},
        patient=MARKER,
        source=MARKER,
        licence=MARKER,
        attribution=MARKER,
        split=MARKER,
    )
    CaseImage.objects.filter(case=case).update(caption=MARKER)
    asset = case.images.get().asset
    asset.acquisition = {"SeriesDescription": MARKER}
    asset.save()
    gold = Gold.objects.create(case=case, revision=1, answer=MARKER, steps=[{"text": MARKER}])
    GoldRoi.objects.create(gold=gold, image=1, shape="box", label=MARKER, geometry={"x0": MARKER})
    return case


def test_nothing_that_others_said_leaves_before_the_submit(
    marked_case: Case,
    benchmark: Benchmark,
    reader: User,
    other_reader: User,
    api: Callable[[User], APIClient],
    client: Any,
) -> None:
    benchmark.overlap = 2
    benchmark.save()
    others = take(other_reader, benchmark)
    Reading.objects.filter(pk=others.pk).update(draft={"answer": {"text": MARKER}}, version=1)
    submit(reading_id=others.pk, version=1, key="k")
    signed_in = api(reader)
    client.force_login(reader)
    handed = signed_in.post(reverse("next-case", args=[benchmark.slug]))
    pk = handed.json()["reading"]["id"]
    answers = [
        handed,
        signed_in.get(reverse("reading", args=[pk])),
        signed_in.put(reverse("reading-draft", args=[pk]), {"version": 0}, format="json"),
        signed_in.put(reverse("reading-draft", args=[pk]), {"version": 7, "confidence": 1}, format="json"),
        signed_in.post(reverse("assignment-heartbeat", args=[handed.json()["assignment"]])),
        client.get(reverse("read", args=[benchmark.slug])),
        signed_in.get(reverse("reading", args=[others.pk])),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 409, 200, 200, 404]
    for answer in answers:
        assert MARKER.encode() not in answer.content


def test_a_blind_case_has_these_fields_and_no_others(
    marked_case: Case, benchmark: Benchmark, reader: User, api: Callable[[User], APIClient]
) -> None:
    body = api(reader).post(reverse("next-case", args=[benchmark.slug])).json()
    assert set(body) == {"assignment", "lease_expires_at", "case", "reading"}
    assert " ".join(sorted(body["case"])) == "history id images key options question question_box task"
    assert " ".join(sorted(body["case"]["images"][0])) == (
        "channels dtype frame_time_ms frames height intercept kind modality number photometric series sha256 slope "
        "spacing_mm spacing_source sub_modality timepoint view voi_luts width windows"
    )
    assert set(body["reading"]) == {"id", "case", "arm", "state", "version", "revision", "saved_at", "content"}


def test_a_curator_who_reads_too_cannot_look_at_others_first(
    benchmark: Benchmark, case: Case, reader: User, curator: User, api: Callable[[User], APIClient]
) -> None:
    benchmark.overlap = 2
    benchmark.save()
    Membership.objects.create(user=curator, benchmark=benchmark, role=Role.READER)
    submit(reading_id=(others := take(reader, benchmark)).pk, version=0, key="k")
    client = api(curator)
    refused = client.get(reverse("reading", args=[others.pk]))
    assert refused.status_code == 403
    assert "Submit your own reading" in refused.json()["detail"]
    own = take(User.objects.get(pk=curator.pk), benchmark)
    submit(reading_id=own.pk, version=0, key="k")
    assert client.get(reverse("reading", args=[others.pk])).status_code == 200


def test_reviewers_see_what_was_submitted_and_no_draft_in_progress(
    benchmark: Benchmark, case: Case, reader: User, reviewer: User, api: Callable[[User], APIClient]
) -> None:
    reading = take(reader, benchmark)
    Reading.objects.filter(pk=reading.pk).update(draft={"answer": {"text": "a first thought"}}, version=1)
    address = reverse("reading", args=[reading.pk])
    assert api(reviewer).get(address).json()["content"] is None
    submit(reading_id=reading.pk, version=1, key="k")
    revise(reading_id=reading.pk)
    Reading.objects.filter(pk=reading.pk).update(draft={"answer": {"text": "a second thought"}})
    shown = api(reviewer).get(address).json()
    assert shown["content"]["answer"] == {"text": "a first thought"}
    assert shown["reader"] == {"id": None, "name": "R1"}, "only curators are told who read what"


def test_the_page_holds_no_lease_and_takes_none(benchmark: Benchmark, case: Case, reader: User, client: Any) -> None:
    client.force_login(reader)
    page = client.get(reverse("read", args=[benchmark.slug]))
    data = json.loads(
        page.content.decode().split('id="workspace-data" type="application/json">')[1].split("</script>")[0]
    )
    assert data["next"] is None
    assert not Assignment.objects.exists()
    take(reader, benchmark)
    until = timezone.now() + dt.timedelta(minutes=2)
    Assignment.objects.update(lease_expires_at=until)
    page = client.get(reverse("read", args=[benchmark.slug]))
    data = json.loads(
        page.content.decode().split('id="workspace-data" type="application/json">')[1].split("</script>")[0]
    )
    assert data["next"]["case"]["id"] == str(case.pk)
    assert Assignment.objects.get().lease_expires_at == until
    assert data["progress"] == {"done": 0, "total": 1}
    assert data["user"] == {"id": str(reader.pk), "name": "rosa"}
    assert "no-store" in page["Cache-Control"]
    assert "csrftoken" in page.cookies
