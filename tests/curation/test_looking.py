"""Looks at image bytes and at pages of a whole benchmark: once for each person, thing and hour, and cheap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.models import Mention
from curation import audit, looking
from curation.models import AuditEvent, CaseImage
from inference.models import ScheduleRun
from tests.expectations import EXPECTED, World, build_world
from tests.factories import make_benchmark, make_case
from tests.inference.conftest import FakeBroker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curation.models import Benchmark, Case, User


@pytest.fixture(autouse=True)
def _nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a process that has just begun, at which no broker is asked for."""
    monkeypatch.setattr(audit, "_looks", set())
    monkeypatch.setattr("curation.queues.current_app", FakeBroker())


@pytest.fixture
def sha256(case: Case) -> str:
    return case.images.get().asset_id


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def looks(**wanted: Any) -> list[tuple[str, str, str]]:
    """(who, what, of which) of every look, the oldest first."""
    rows = AuditEvent.objects.filter(once__isnull=False, **wanted).order_by("pk")
    return list(rows.values_list("actor_name", "action", "object_id"))


class TestImages:
    @pytest.mark.parametrize("form", ["content", "raw", "png"])
    def test_bytes_are_a_look_at_the_case(self, form: str, reader: User, case: Case, sha256: str) -> None:
        frame = reverse("image-frame", args=[sha256, 0])
        address = {"content": reverse("image-content", args=[sha256]), "raw": frame, "png": frame + "?format=png"}[form]
        assert signed_in(reader).get(address).status_code == 200
        assert looks() == [("rosa", "images.looked", str(case.pk))]
        event = AuditEvent.objects.get(action="images.looked")
        assert (event.benchmark_id, event.object_type) == (case.benchmark_id, "case")

    def test_a_small_picture_is_told_apart(self, reader: User, case: Case, sha256: str) -> None:
        client = signed_in(reader)
        client.get(reverse("image-thumbnail", args=[sha256]))
        client.get(reverse("image-content", args=[sha256]))
        assert looks() == [
            ("rosa", "images.thumbnail_looked", str(case.pk)),
            ("rosa", "images.looked", str(case.pk)),
        ]

    def test_once_for_a_person_a_case_and_an_hour(
        self, reader: User, reviewer: User, case: Case, sha256: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for user in (reader, reviewer):
            for _ in range(3):
                signed_in(user).get(reverse("image-content", args=[sha256]))
        assert len(looks()) == 2
        monkeypatch.setattr(looking, "this_hour", lambda: "2031-01-01T07")
        signed_in(reader).get(reverse("image-content", args=[sha256]))
        assert len(looks()) == 3

    def test_another_process_tells_it_no_second_time(
        self, reader: User, case: Case, sha256: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looking.see_image(user=reader, sha256=sha256)
        monkeypatch.setattr(audit, "_looks", set())
        looking.see_image(user=reader, sha256=sha256)
        assert len(looks()) == 1

    def test_the_same_look_again_asks_nothing_of_the_database(
        self,
        reader: User,
        case: Case,
        sha256: str,
        django_assert_num_queries: Any,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        reader.roles_by_benchmark()
        with django_capture_on_commit_callbacks(execute=True), django_assert_num_queries(2):
            looking.see_image(user=reader, sha256=sha256)
        with django_assert_num_queries(0):
            looking.see_image(user=reader, sha256=sha256)

    def test_the_second_answer_costs_what_it_cost_before_looks_were_told(
        self,
        reader: User,
        case: Case,
        sha256: str,
        django_assert_num_queries: Any,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        client, address = signed_in(reader), reverse("image-content", args=[sha256])
        with django_capture_on_commit_callbacks(execute=True):
            client.get(address)
        with django_assert_num_queries(4):  # session, user, roles, the image
            client.get(address)

    def test_a_kept_answer_is_no_look(self, reader: User, case: Case, sha256: str) -> None:
        client, address = signed_in(reader), reverse("image-content", args=[sha256])
        answer = client.get(address, headers={"If-None-Match": f'"{sha256}"'})
        assert (answer.status_code, looks()) == (304, [])

    def test_what_is_refused_is_no_look(self, reader: User, outsider: User, case: Case, sha256: str) -> None:
        assert signed_in(outsider).get(reverse("image-content", args=[sha256])).status_code == 404
        assert signed_in(reader).get(reverse("image-frame", args=[sha256, 99])).status_code == 404
        assert looks() == []

    def test_every_case_that_holds_it_is_named_and_no_other(self, reader: User, case: Case, sha256: str) -> None:
        second = make_case(case.benchmark, "second")
        CaseImage.objects.filter(case=second).update(asset=sha256)
        elsewhere = make_case(make_benchmark("elsewhere"), "hidden")
        CaseImage.objects.filter(case=elsewhere).update(asset=sha256)
        looking.see_image(user=reader, sha256=sha256)
        assert sorted(looks()) == sorted(("rosa", "images.looked", str(one.pk)) for one in (case, second))

    def test_one_that_very_many_cases_share_is_told_of_as_an_image(
        self, reader: User, case: Case, sha256: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        CaseImage.objects.filter(case=make_case(case.benchmark, "second")).update(asset=sha256)
        monkeypatch.setattr(looking, "MOST_CASES", 1)
        looking.see_image(user=reader, sha256=sha256)
        event = AuditEvent.objects.get()
        assert (event.object_type, event.object_id, event.after["cases"]) == ("image", sha256, 2)
        assert event.benchmark_id == case.benchmark_id


#: What is read of others or of images, by address: the action that the trail then holds.
CASE_LOOK, PAGE_LOOK = "case.looked", "benchmark.looked"
AUDITED = {
    **dict.fromkeys(
        (
            "case-trail-page",
            "case-trail-csv",
            "case-page",
            "case-agreement",
            "case",
            "reading",
            "review-page",
            "case-consensus",
            "case-review",
            "case-comments",
            "case-scores",
            "case-disagreement",
            "prediction",
            "prediction-heatmap",
            "mentions",
        ),
        CASE_LOOK,
    ),
    **dict.fromkeys(
        (
            "benchmark-page",
            "benchmark-cases-page",
            "benchmark-wrong-reason-page",
            "benchmark-cases",
            "benchmark-agreement",
            "agreement-pairs",
            "agreement-plan",
            "agreement-page",
            "agreement-pairs-page",
            "assignments",
            "review-queue",
            "benchmark-probing",
            "benchmark-probes",
            "benchmark-aided",
            "benchmark-drift",
            "progress-page",
            "readers-page",
            "queue-page",
            "schedules",
            "schedules-page",
            "schedule",
            "schedule-page",
            "schedule-history",
        ),
        PAGE_LOOK,
    ),
    "image-content": "images.looked",
    "image-frame": "images.looked",
    "image-thumbnail": "images.thumbnail_looked",
    "audit-page": "trail.looked",
}
NOTHING_OF_OTHERS = {
    "login, healthz, readyz, admin:index, api-schema, api-docs": "says nothing of cases",
    "home, read, read-again, feedback-page, next-images, reading-aid, reading-feedback": "one's own reading",
    "benchmarks-page, benchmarks, benchmark, benchmark-protocol, queue": "settings",
    "users-page, user-page": "people and roles, not what they said",
    "models-page, model-page, models, enrolments, enrolments-page": "which models there are, not what they said",
    "runs, run, runs-page, schedule-new, schedule-edit": "states of jobs",
    "snapshots, snapshot, snapshots-page, snapshot-page, snapshot-exports, export": "names, counts and digests",
    "export-archive, export-download": "export.downloaded, of each",
    "events": "ids, narrowed to who may hear them",
    "image": "size and kind, no bytes",
}


@pytest.mark.django_db
class TestEveryAddress:
    @pytest.fixture
    def world(self, benchmark: Benchmark, reader: User, admin: User) -> World:
        """One of everything; beside it a schedule that ran and a comment that names the admin."""
        world = build_world(benchmark, reader)
        ScheduleRun.objects.create(schedule_id=world.ids["schedule"], slot=timezone.now())
        Mention.objects.create(comment_id=world.ids["comment"], user=admin)
        return world

    def test_is_audited_or_shows_nothing_of_others(self) -> None:
        read = {row.name for row in EXPECTED if row.method == "GET"}
        excused = {name for names in NOTHING_OF_OTHERS for name in names.split(", ")}
        assert read - set(AUDITED) == excused

    def test_writes_its_look(self, world: World, admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
        client, found = signed_in(admin), {}
        for number, (name, address) in enumerate(addresses(world)):
            for module in (audit, looking):
                monkeypatch.setattr(module, "this_hour", lambda at=number: f"{at}th hour")
            client.get(address)
            found[name] = {what for _, what, _ in looks(once__endswith=f":{number}th hour")}
        assert [name for name, what in AUDITED.items() if what not in found[name]] == []
        assert {name for name, told in found.items() if told} == set(AUDITED)

    def test_writes_none_for_who_must_read_blind_but_of_images(self, world: World, reader: User) -> None:
        client = signed_in(reader)
        for _, address in addresses(world):
            client.get(address)
        assert {what for _, what, _ in looks()} == {"images.looked", "images.thumbnail_looked"}


def addresses(world: World) -> Iterator[tuple[str, str]]:
    for row in EXPECTED:
        if row.method == "GET" and row.name not in {"events", "admin:index"}:
            yield row.name, reverse(row.name, kwargs={key: world.ids[known] for key, known in row.kwargs.items()})
