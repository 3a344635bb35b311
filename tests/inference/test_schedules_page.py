"""Pages of schedules: the list with what is stale, the form with its faults and due times, one with its history."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation.models import Benchmark, Case, Membership, Role, User
from inference.models import JobState, ModelVersion, Schedule, ScheduleRun
from inference.schedule_runs import ask_run
from inference.scheduling import Wanted, create_schedule
from tests.inference.conftest import box, plant, predict
from tests.inference.scheduled import finish, make_gold, make_schedule, work_off

pytestmark = pytest.mark.django_db
Browse = Callable[[User], Client]
TYPED = {"rhythm": "every", "every": "6", "unit": "3600", "timezone": "Europe/Berlin", "is_enabled": "on"}


@pytest.fixture
def browse() -> Browse:
    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in


def words(response: Any) -> str:
    """What a page says, tags taken out."""
    bare = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", html.unescape(bare))


def test_an_empty_list_says_what_schedules_are_for(browse: Browse, reviewer: User, benchmark: Benchmark) -> None:
    said = words(browse(reviewer).get(reverse("schedules-page", args=["thorax"])))
    assert "No schedule yet." in said
    assert "Nothing is stale" in said
    assert "New schedule" not in said


def test_the_list_says_what_is_stale_and_why(browse: Browse, engineer: User, case: Case, planted: ModelVersion) -> None:
    case.benchmark.enrolments.create(model=planted)
    make_gold(case, box(17, 13, 31, 23))
    predict(planted, case)
    work_off()
    Case.objects.update(input_digest="c" * 64)
    make_schedule(case.benchmark, name="<b>nightly</b>", every_s=None, cron="30 2 * * *", timezone="Asia/Tokyo")
    response = browse(engineer).get(reverse("schedules-page", args=["thorax"]))
    said = words(response)
    assert "the question, options, history or images changed since the model read the case 37 1" in said
    assert "02:30 JST" in said
    assert "&lt;b&gt;nightly" in response.content.decode()
    assert "New schedule" in said


def test_making_one_by_the_form(browse: Browse, curator: User, benchmark: Benchmark, planted: ModelVersion) -> None:
    benchmark.enrolments.create(model=planted)
    address = reverse("schedule-new", args=["thorax"])
    given = {**TYPED, "name": "six hours", "chosen": ["planted"], "metrics": ["auroc", "ebpg"], "budget_s": "900"}
    answer = browse(curator).post(address, given)
    schedule = Schedule.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, reverse("schedule-page", args=[schedule.pk]))
    kept = (schedule.every_s, schedule.timezone, schedule.metrics, schedule.budget_s, schedule.is_stale_only)
    assert kept == (21_600, "Europe/Berlin", ["ebpg", "auroc"], 900, True)
    assert (list(schedule.chosen_models.all()), schedule.created_by, schedule.is_enabled) == ([planted], curator, True)


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"every": ""}, "every", "Say how often."),
        ({"every": "30", "unit": "1"}, "every", "30 is outside of 60 to"),
        ({"every": "x"}, "every", "A whole number is wanted here."),
        ({"every": "9" * 9000}, "every", "A whole number is wanted here."),
        ({"every": "9" * 40}, "every", "is outside of 60 to"),
        # Of as many digits as Python reads, so that times its unit it has more than Python writes.
        ({"every": "9" * 4300}, "every", "at most 40 digits"),
        ({"budget_s": "9" * 4300}, "budget_s", "at most 40 digits"),
        ({"every": "-1"}, "every", "is outside of 60 to"),
        ({"rhythm": "cron", "cron": "0 3 1 * mon", "every": "x"}, "cron", "both a day of month and a day of week"),
        ({"every": "400", "unit": "86400"}, "every", "is outside of 60 to"),
        ({"rhythm": "cron", "cron": "61 * * * *"}, "cron", "'61' is no minute"),
        ({"rhythm": "cron", "cron": ""}, "cron", "five are wanted: minute, hour"),
        ({"rhythm": "never"}, "rhythm", "never is not one of"),
        ({"timezone": "Berlin"}, "timezone", "'Berlin' is no IANA time zone"),
        ({"budget_s": "0"}, "budget_s", "0 is outside of 1 to"),
        ({"chosen": ["nobody"]}, "chosen", "nobody is not one of"),
        ({"metrics": ["acc"]}, "metrics", "acc is not one of"),
        ({"unit": "7"}, "unit", "7 is not one of"),
        ({"name": "n" * 101}, "name", "at most 100 characters"),
        ({"timezone": "\0"}, "timezone", "Null characters are not allowed."),
    ],
)
def test_a_fault_stands_at_its_field(
    browse: Browse, engineer: User, benchmark: Benchmark, change: dict[str, Any], field: str, said: str
) -> None:
    answer = browse(engineer).post(reverse("schedule-new", args=["thorax"]), {**TYPED, **change})
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert said in words(answer)
    assert not Schedule.objects.exists()


def test_every_fault_is_shown_at_once(browse: Browse, engineer: User, benchmark: Benchmark) -> None:
    given = {"rhythm": "every", "every": "x", "unit": "7", "timezone": "Berlin", "budget_s": "-1", "chosen": ["nobody"]}
    answer = browse(engineer).post(reverse("schedule-new", args=["thorax"]), given)
    assert set(answer.context["form"].errors) == {"every", "unit", "timezone", "budget_s", "chosen"}


def test_an_empty_form_is_refused(browse: Browse, engineer: User, benchmark: Benchmark) -> None:
    assert browse(engineer).post(reverse("schedule-new", args=["thorax"])).status_code == 400


def test_due_times_are_shown_before_anything_is_kept(browse: Browse, engineer: User, benchmark: Benchmark) -> None:
    given = {**TYPED, "rhythm": "cron", "cron": "0 6 * * *", "preview": "on"}
    answer = browse(engineer).post(reverse("schedule-new", args=["thorax"]), given)
    assert (answer.status_code, Schedule.objects.exists()) == (200, False)
    assert len(answer.context["slots"]) == 5
    assert len(re.findall(r"06:00:00 CE", words(answer))) == 5
    assert 'value="0 6 * * *"' in answer.content.decode()


def test_editing_shows_what_is_and_keeps_what_is_typed(browse: Browse, engineer: User, benchmark: Benchmark) -> None:
    schedule = make_schedule(benchmark, every_s=5400, budget_s=30)
    address = reverse("schedule-edit", args=[schedule.pk])
    page = browse(engineer).get(address)
    assert page.context["form"].initial["every"] == 90  # in minutes
    assert len(page.context["slots"]) == 5
    assert browse(engineer).post(address, {**TYPED, "is_everything": "on"}).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.every_s, schedule.budget_s, schedule.is_stale_only) == (21_600, None, False)


def test_pausing_running_and_deleting(browse: Browse, curator: User, benchmark: Benchmark) -> None:
    schedule = make_schedule(benchmark)
    client, at = browse(curator), [schedule.pk]
    client.post(reverse("schedule-pause", args=at))
    assert "paused" in words(client.get(reverse("schedule-page", args=at)))
    client.post(reverse("schedule-pause", args=at), {"enabled": "on"})
    assert Schedule.objects.get().is_enabled
    client.post(reverse("schedule-run-now", args=at))
    again = client.post(reverse("schedule-run-now", args=at), follow=True)
    assert "Nothing was begun: its run of" in words(again)
    assert ScheduleRun.objects.get().asked_by == curator
    gone = client.post(reverse("schedule-delete", args=at), follow=True)
    assert "The schedule “every hour” is deleted." in words(gone)
    assert not Schedule.objects.exists()


def test_the_history_shows_before_and_after(browse: Browse, reviewer: User, case: Case, planted: ModelVersion) -> None:
    case.benchmark.enrolments.create(model=planted)
    make_gold(case, box(17, 13, 31, 23))
    predict(planted, case)
    work_off()
    make_gold(case, box(0, 13, 31, 23))
    schedule = make_schedule(case.benchmark)
    finish(ask_run(schedule=schedule, actor=None))
    response = browse(reviewer).get(reverse("schedule-page", args=[schedule.pk]))
    said = words(response)
    assert "attention_ratio case1 image 1 planted gold 2.50 → 1.50" in said
    assert "Run now" not in said
    assert 'data-live="schedule.changed run.changed"' in response.content.decode()


def test_what_the_budget_left_is_said(browse: Browse, reviewer: User, benchmark: Benchmark) -> None:
    schedule = make_schedule(benchmark)
    ScheduleRun.objects.create(
        schedule=schedule,
        slot=timezone.now(),
        state=JobState.DONE,
        is_cut_short=True,
        cases_left=1200,
        predictions_left=3,
        models_skipped=["gone"],
    )
    said = words(browse(reviewer).get(reverse("schedule-page", args=[schedule.pk])))
    assert "out of budget" in said
    assert "1,200 left" in said
    assert "3 left" in said
    assert "Not enrolled any more: gone" in said


def test_a_curator_who_reads_sees_no_value_of_a_case_still_to_be_read(
    browse: Browse, curator: User, case: Case
) -> None:
    Membership.objects.create(user=curator, benchmark=case.benchmark, role=Role.READER)
    schedule = make_schedule(case.benchmark)
    change = {"metric": "auroc", "case_id": str(case.pk), "case": "MARK", "model": "m", "before": 0.1, "after": 0.9}
    ScheduleRun.objects.create(schedule=schedule, slot=timezone.now(), state=JobState.DONE, largest=[change])
    assert "MARK" not in words(browse(curator).get(reverse("schedule-page", args=[schedule.pk])))


def test_older_runs_are_a_page_away(browse: Browse, reviewer: User, benchmark: Benchmark) -> None:
    schedule, start = make_schedule(benchmark), timezone.now()
    for hour in range(25):
        slot = start + dt.timedelta(hours=hour)
        ScheduleRun.objects.create(schedule=schedule, slot=slot, state=JobState.DONE)
    address = reverse("schedule-page", args=[schedule.pk])
    first = browse(reviewer).get(address)
    second = browse(reviewer).get(address, {"after": first.context["next_after"]})
    shown = [run.slot for page in (first, second) for run, _ in page.context["runs"]]
    assert shown == sorted(shown, reverse=True)
    assert (len(shown), second.context["next_after"]) == (25, None)
    assert browse(reviewer).get(address, {"after": "\0"}).status_code == 200


def test_pages_take_the_same_few_queries_however_much_there_is(
    browse: Browse, curator: User, benchmark: Benchmark, django_assert_num_queries: Any
) -> None:
    client = browse(curator)

    def fill(count: int) -> Schedule:
        made = make_schedule(benchmark)
        for _ in range(count):
            made = create_schedule(benchmark=benchmark, wanted=Wanted(every_s=60), actor=curator)
            made.chosen_models.add(plant(f"{made.pk}"))
            for hour in range(3):
                slot = timezone.now() + dt.timedelta(hours=hour)
                ScheduleRun.objects.create(schedule=made, slot=slot, state=JobState.DONE, asked_by=curator)
        return made

    pages = [reverse("schedules-page", args=["thorax"]), reverse("schedule-page", args=[fill(1).pk])]
    for address in pages:
        client.get(address)
    with django_assert_num_queries(10):
        client.get(pages[0])
    with django_assert_num_queries(9):
        client.get(pages[1])
    pages[1] = reverse("schedule-page", args=[fill(4).pk])
    with django_assert_num_queries(10):
        client.get(pages[0])
    with django_assert_num_queries(9):
        client.get(pages[1])
