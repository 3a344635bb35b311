"""The demo's readings with models in view: after the unaided ones, with what was shown noted, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone

from annotations.models import Arm, Reading, ReadingRevision, ReadingState
from config.demo import again, thinking, weeks
from config.demo.again import add_aided
from config.demo.benchmarks import PHANTOMS, add_phantoms
from config.demo.clock import PAST, Clock
from config.demo.logins import make_logins
from config.demo.weeks import add_weeks
from curation.models import Benchmark, User
from inference.aid import changes_of
from inference.enrolling import enrol, register_model
from inference.models import AidShown
from tests.factories import make_benchmark

pytestmark = pytest.mark.django_db


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Benchmark:
    """Some cases read by two of the demo's readers."""
    monkeypatch.setitem(weeks.TURNS, thinking.SLUG, (6, 6, 0, 0, 0))
    benchmark = add_phantoms(next(made for made in PHANTOMS if made.slug == thinking.SLUG))
    make_logins([benchmark], folder=tmp_path)
    clock = Clock(now=timezone.now(), past=PAST)
    with clock.running():
        curator = User.objects.get(username="demo_curator")
        add_weeks([benchmark], clock=clock, curator=curator, reviewer=None)
    return benchmark


def test_readers_read_again_with_the_model_in_view_and_some_change_their_answer(read: Benchmark) -> None:
    model, _ = register_model(name=again.AIDED, family="planted")
    enrol(benchmark=read, model=model, is_live=True)
    count = add_aided(read)
    aided = Reading.objects.filter(arm=Arm.AIDED, state=ReadingState.SUBMITTED)
    assert count == aided.count() >= 4
    assert AidShown.objects.filter(reading__in=aided).count() == count
    every, under = changes_of(read)
    assert (every.readings, under.model, under.readings) == (count, again.AIDED, count)
    assert 0 < under.changed == under.toward_model < count
    times = ReadingRevision.objects.filter(reading__arm=Arm.AIDED).values_list("active_s", "submitted_at")
    assert all((active_s or 0) > 5 and at < timezone.now() for active_s, at in times)
    assert add_aided(read) == 0


def test_without_a_model_or_elsewhere_nobody_reads_again(read: Benchmark) -> None:
    assert add_aided(read) == 0
    assert add_aided(make_benchmark()) == 0
    assert not Reading.objects.filter(arm=Arm.AIDED).exists()
