"""The demo's made-up readings: through the real operations, once, and on the last cases only."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from annotations.content import Frame, parse_content
from annotations.models import Assignment, AssignmentState, Reading, ReadingRevision, ReadingState
from annotations.required import missing
from config.demo import benchmarks, fetal, grounding, thinking
from config.demo.benchmarks import PHANTOMS, add_phantoms
from config.demo.logins import make_logins
from config.demo.reading import HANDS, LAST_CASES, add_readings, content_of
from curation.models import AuditEvent, Benchmark, Membership, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def phantoms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Benchmark]:
    """The phantom benchmarks with their users."""
    made = {one.slug: add_phantoms(one) for one in PHANTOMS}
    make_logins(list(made.values()), folder=tmp_path)
    return made


def curator() -> User:
    return User.objects.get(username="demo_curator")


def test_each_reader_reads_the_last_cases_once(phantoms: dict[str, Benchmark]) -> None:
    benchmark = phantoms[thinking.SLUG]
    count = LAST_CASES[thinking.SLUG]
    assert benchmark.overlap == benchmarks.READERS == len(HANDS)
    assert add_readings(benchmark, curator=curator()) == count * len(HANDS)
    read = benchmark.cases.order_by("-position")[:count]
    assert set(Reading.objects.values_list("case_id", flat=True)) == {case.pk for case in read}
    assert set(Reading.objects.values_list("state", flat=True)) == {ReadingState.SUBMITTED.value}
    assert set(Assignment.objects.values_list("state", flat=True)) == {AssignmentState.SUBMITTED.value}
    assert not Reading.objects.filter(active_s__lt=5).exists()
    before = AuditEvent.objects.count()
    assert add_readings(benchmark, curator=curator()) == 0
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("slug", [thinking.SLUG, grounding.SLUG, fetal.SLUG])
def test_what_they_say_is_what_the_protocol_asks_for(phantoms: dict[str, Benchmark], slug: str) -> None:
    for case in phantoms[slug].cases.all():
        frame = Frame.of(case, case.benchmark.protocol.config)
        for hand in HANDS:
            content = parse_content(content_of(case, hand, random.Random(case.key)), frame)
            assert missing(content, frame) == ()


def test_they_are_made_up_from_a_seed_and_disagree(phantoms: dict[str, Benchmark]) -> None:
    case = phantoms[thinking.SLUG].cases.get(position=3)
    first, again = (content_of(case, HANDS[0], random.Random(1)) for _ in range(2))
    assert first == again
    add_readings(phantoms[thinking.SLUG], curator=curator())
    said = ReadingRevision.objects.values_list("reading__case__key", "content__answer__choice")
    by_case: dict[str, set[Any]] = {}
    for key, choice in said:
        by_case.setdefault(key, set()).add(choice)
    assert {len(choices) for choices in by_case.values()} > {1}
    labels = {roi["label"] for row in ReadingRevision.objects.all() for roi in row.content["rois"]}
    assert labels == {"cyst", "mass", "calcification", "vessel"}


def test_a_reader_whose_role_was_taken_away_reads_nothing(phantoms: dict[str, Benchmark]) -> None:
    Membership.objects.filter(user__username="demo_reader_2").delete()
    benchmark = phantoms[grounding.SLUG]
    assert add_readings(benchmark, curator=curator()) == 2 * LAST_CASES[grounding.SLUG]
    assert not Reading.objects.filter(reader__username="demo_reader_2").exists()


def test_nothing_is_read_without_the_demos_curator_or_elsewhere(
    phantoms: dict[str, Benchmark], benchmark: Benchmark
) -> None:
    assert add_readings(phantoms[thinking.SLUG], curator=None) == 0
    assert add_readings(benchmark, curator=curator()) == 0
    assert not Reading.objects.exists()
