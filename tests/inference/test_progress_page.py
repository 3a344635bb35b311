"""The page of progress: what it counts, who sees it, its CSVs, what it costs; and the ceiling on plots of models."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations import agreement
from annotations.models import Arm, CasePriority, Origin, ProbeResult, ReadingRevision
from annotations.models import Assignment as Place
from curation import facts
from curation.accounts import give_role
from curation.models import Benchmark, Case, Role, User
from inference.enrolling import enrol
from inference.models import ModelVersion
from inference.progress import forecast_plot, map_plot, pace_of, pace_plot
from inference.progress_readers import confusion_of, readers_of
from inference.scoring import score_case
from tests.annotations.contents import roi
from tests.annotations.saying import say
from tests.factories import make_case, make_user
from tests.inference.conftest import predict

pytestmark = pytest.mark.django_db

PAGE = "/benchmarks/thorax/progress/"
TODAY = dt.date(2026, 11, 22)


def page(user: User, address: str = PAGE, status: int = 200) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def rows(user: User, name: str) -> list[dict[str, str]]:
    text = page(user, f"{PAGE}?format=csv&plot={name}").removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def readers(benchmark: Benchmark) -> list[User]:
    return [make_user(name, Role.READER, benchmark) for name in ("anna", "bert")]


def read(case: Case, reader: User, *, days_ago: int = 0, label: str = "cyst", **changes: Any) -> None:
    """A submitted reading of some days before TODAY."""
    reading = say(case, reader, rois=[roi(label=label)], steps=[], entities=[], **changes)
    then = dt.datetime.combine(TODAY, dt.time(9), tzinfo=dt.UTC) - dt.timedelta(days=days_ago)
    # A revision is never edited: the last one is written anew.
    last = ReadingRevision.objects.filter(reading=reading).order_by("-revision")[0]
    fields = {one.attname: getattr(last, one.attname) for one in last._meta.concrete_fields}
    last.delete()
    ReadingRevision.objects.create(**{**fields, "submitted_at": then})
    facts.record([case.pk])


def test_the_pace_counts_first_unaided_readings_and_no_probes(benchmark: Benchmark, readers: list[User]) -> None:
    cases = [make_case(benchmark, f"case-{at}") for at in range(4)]
    read(cases[0], readers[0], days_ago=2)
    read(cases[1], readers[0], days_ago=1)
    read(cases[1], readers[1], days_ago=1)  # beyond the overlap: it is read, and no place is left of it
    read(cases[2], readers[0], days_ago=0)
    say(cases[0], readers[0], arm=Arm.AIDED)
    Case.objects.filter(pk=cases[3].pk).update(is_probe=True)
    read(cases[3], readers[1], days_ago=1)
    pace = pace_of(benchmark, today=TODAY)
    assert [count for _, count in pace.by_day] == [1, 2, 1]
    assert (pace.submitted, pace.wanted, pace.today) == (3, 3, 1)
    assert pace.forecast is not None
    assert (pace.forecast.per_day, pace.forecast.days, pace.forecast.remaining) == (1.5, 2, 0)


def test_a_cases_own_overlap_counts(benchmark: Benchmark, readers: list[User]) -> None:
    case = make_case(benchmark)
    Case.objects.filter(pk=case.pk).update(overlap=5)
    read(case, readers[0], days_ago=1)
    pace = pace_of(benchmark, today=TODAY)
    assert (pace.submitted, pace.wanted) == (1, 5)
    assert pace.forecast is not None
    assert pace.forecast.done_on == TODAY + dt.timedelta(days=4)


def test_the_forecast_goes_on_from_what_is_there(benchmark: Benchmark, readers: list[User]) -> None:
    for at in range(12):
        case = make_case(benchmark, f"case-{at}")
        if at < 9:
            read(case, readers[0], days_ago=1 + at % 6)
    plot = forecast_plot(pace_of(benchmark, today=TODAY))
    to_come = [row for row in plot.rows if row["what"] != "submitted"]
    assert [row["count"] for row in plot.rows if row["what"] == "submitted"][-1] == 9
    assert to_come[0]["count"] == 9
    assert to_come[-1]["count"] == 12
    assert all(row["low"] <= row["count"] <= row["high"] <= 12 for row in to_come)
    assert sum(row["count"] for row in pace_plot(pace_of(benchmark, today=TODAY)).rows) == 9


def test_before_the_first_reading_nothing_is_claimed(benchmark: Benchmark, curator: User) -> None:
    make_case(benchmark)
    html = page(curator)
    assert "known after the first whole day" in html
    assert "Nobody has submitted a reading yet." in html
    assert "No two readers have drawn on the same case yet." in html
    assert "Nothing is behind" in html


def test_readers_stand_with_time_likeness_and_probes(benchmark: Benchmark, readers: list[User]) -> None:
    for at in range(6):
        case = make_case(benchmark, f"case-{at}")
        for place, reader in enumerate(readers):
            choice = "A" if place and at == 0 else "B"
            say(case, reader, answer={"choice": choice}, active_s=10.0 * (at + 1), rois=[roi()], steps=[], entities=[])
        agreement.record_case(case.pk)
    probe = make_case(benchmark, "probe")
    Place.objects.create(case=probe, reader=readers[0], origin=Origin.PROBE, lease_expires_at=timezone.now())
    ProbeResult.objects.create(
        reading=say(probe, readers[0], active_s=None),
        revision=1,
        gold_revision=1,
        benchmark_id=benchmark.pk,
        reader_id=readers[0].pk,
        number=1,
        is_right=True,
        submitted_at=timezone.now(),
    )
    found = {one.user.username: one for one in readers_of(benchmark)}
    anna, bert = found["anna"], found["bert"]
    assert (anna.readings, bert.readings) == (7, 6)
    assert anna.median_s == bert.median_s == 35.0
    assert anna.same.value == pytest.approx(5 / 6)
    assert anna.same.n == 6
    assert anna.same.interval is not None
    assert (anna.probes, anna.probes_right, anna.drift) == (1, 1.0, None)
    assert (bert.probes, bert.probes_right) == (0, None)


def test_labels_that_two_readers_gave_one_region_are_counted_once(
    benchmark: Benchmark, readers: list[User], curator: User
) -> None:
    for at, (one, other) in enumerate([("cyst", "cyst"), ("cyst", "mass"), ("mass", "cyst"), ("mass", "")]):
        case = make_case(benchmark, f"case-{at}")
        for reader, label in zip(readers, (one, other), strict=True):
            say(case, reader, rois=[roi(label=label)], steps=[], entities=[])
        agreement.record_case(case.pk)
    far = make_case(benchmark, "far")
    say(far, readers[0], rois=[roi(label="cyst")], steps=[], entities=[])
    say(far, readers[1], rois=[], steps=[], entities=[])
    agreement.record_case(far.pk)
    found = confusion_of(benchmark, {"cyst": "Cyst", "mass": "Mass"})
    assert (found.pairs, found.differing) == (4, 3)
    table = {name: [cell[0] for cell in cells] for name, cells, _ in found.rows}
    assert found.labels == ["Cyst", "Mass", "no label", "drew nothing"]
    assert table == {"Cyst": [1, 2, 0, 1], "Mass": [2, 0, 1, 0], "no label": [0, 1, 0, 0]}
    told = {(row["One reader"], row["Another reader"]): row["Regions"] for row in rows(curator, "labels")}
    assert told["cyst", "mass"] == told["mass", "cyst"] == "2"
    assert "3 of 4 regions that two readers drew have two names" in page(curator)


def test_the_map_opens_each_case_and_says_why_a_part_is_missing(benchmark: Benchmark, curator: User) -> None:
    case = make_case(benchmark, "=far")
    CasePriority.objects.create(
        case=case,
        benchmark_id=benchmark.pk,
        value=0.75,
        parts={"reader_answers": {"value": 0.75, "weight": 1.0, "n": 2}},
        version="1",
        inputs_digest="0" * 64,
        updated_at=timezone.now(),
    )
    row = map_plot(benchmark).rows[0]
    assert row["href"] == f"/cases/{case.pk}/"
    assert (row["value"], row["against"], row["no_against"]) == (0.75, None, "no model and reader to compare")
    assert rows(curator, "disagreement-map")[0]["Case"] == "'=far"


def test_stale_verdicts_are_named_with_their_cause(
    benchmark: Benchmark, readers: list[User], curator: User, planted: ModelVersion
) -> None:
    enrol(benchmark=benchmark, model=planted)
    case = make_case(benchmark)
    predict(planted, case)
    say(case, readers[0], rois=[roi(label="")], steps=[], entities=[])
    score_case(case.pk)
    assert "Nothing is behind" in page(curator)
    Case.objects.filter(pk=case.pk).update(input_digest="1" * 64)
    html = page(curator)
    behind = html[html.index('id="progress-behind"') :]
    assert f'href="/cases/{case.pk}/?model=planted"' in behind
    assert "the question, options, history or images changed since the model read the case" in behind


def test_only_curators_who_do_not_read_here_see_it(benchmark: Benchmark, reviewer: User, curator: User) -> None:
    page(reviewer, status=403)
    give_role(name=curator.username, role=Role.READER, benchmark=benchmark)
    assert "You read in thorax" in page(User.objects.get(pk=curator.pk), status=403)


def test_an_unknown_plot_is_not_found(benchmark: Benchmark, curator: User) -> None:
    page(curator, f"{PAGE}?format=csv&plot=none", 404)


def test_the_cost_does_not_grow(benchmark: Benchmark, readers: list[User], curator: User) -> None:
    client = Client()
    client.force_login(curator)

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(PAGE).status_code == 200
        return len(asked)

    def fill(count: int, people: list[User], start: int) -> None:
        for at in range(start, start + count):
            case = make_case(benchmark, f"case-{at}")
            for reader in people:
                say(case, reader, rois=[roi(label=f"label{at}")], steps=[], entities=[])
            agreement.record_case(case.pk)

    fill(2, readers, 0)
    cost()
    before = cost()
    fill(8, [*readers, *(make_user(f"more{at}", Role.READER, benchmark) for at in range(4))], 10)
    assert cost() == before
    assert before <= 40


def test_models_are_held_against_what_experts_reach(
    benchmark: Benchmark, readers: list[User], curator: User, planted: ModelVersion
) -> None:
    enrol(benchmark=benchmark, model=planted)
    for at in range(6):
        case = make_case(benchmark, f"case-{at}", answer="A")
        predict(planted, case)
        for place, reader in enumerate(readers):
            say(case, reader, answer={"choice": "A" if place or at else "B"}, rois=[roi(label="")], steps=[])
        score_case(case.pk)
        agreement.record_case(case.pk)
    html = page(curator, "/benchmarks/thorax/")
    assert 'class="mk-ceiling" x1="121.7"' in html
    assert re.search(r"two experts, same answer <a [^>]+>0\.83</a> \[0\.\d+, 1\.00\], 6 cases", html)
