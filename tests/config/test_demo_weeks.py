"""The demo's weeks of reading: through the real operations, once, spread over the past, and nobody's trail harmed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Count
from django.utils import timezone

from annotations import assigning, drift, probe_results
from annotations.models import (
    Arm,
    Assignment,
    AssignmentState,
    Comment,
    Draw,
    Mention,
    Origin,
    ProbeResult,
    Reading,
    ReadingRevision,
    ReadingState,
    Review,
    ReviewState,
)
from config.demo import fetal, grounding, thinking, weeks
from config.demo.benchmarks import OVERLAP, PHANTOMS, add_phantoms
from config.demo.clock import PAST, SHORT_PAST, Clock, past_of
from config.demo.logins import USERS, make_logins
from config.demo.reading import HANDS
from config.demo.weeks import TURNS, add_weeks
from curation.models import AuditEvent, Benchmark, CaseFacts, Membership, OrderPolicy, User
from curation.sealing import seal_waiting
from curation.verifying_audit import verify_trail
from inference.progress import pace_of
from tests.factories import make_user

pytestmark = pytest.mark.django_db
NAMES = [user.name for user in USERS]
# Who reads when hangs on the days of the week.
A_THURSDAY = dt.datetime(2026, 11, 19, 10, 30, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def same_day_in_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    began, now = timezone.now(), timezone.now
    monkeypatch.setattr(timezone, "now", lambda: A_THURSDAY + (now() - began))


class Demo:
    """Phantom benchmarks with their users, loaded under the demo's clock."""

    def __init__(self, folder: Path, *slugs: str) -> None:
        self.now = timezone.now()
        self.clock = Clock(now=self.now, past=past_of(NAMES))
        with self.clock.running():
            self.benchmarks = {made.slug: add_phantoms(made) for made in PHANTOMS if made.slug in slugs}
            make_logins(list(self.benchmarks.values()), folder=folder)

    def user(self, name: str) -> User:
        return User.objects.get(username=name)

    def read(self) -> int:
        """Let the weeks pass."""
        with self.clock.running():
            return add_weeks(
                self.benchmarks.values(),
                clock=self.clock,
                curator=self.user("demo_curator"),
                reviewer=self.user("demo_reviewer"),
            )


def revisions(benchmark: Benchmark) -> Any:
    return ReadingRevision.objects.filter(reading__case__benchmark=benchmark)


def is_told_in_the_past(demo: Demo, benchmark: Benchmark) -> None:
    assert revisions(benchmark).dates("submitted_at", "day").count() >= 12
    first, last = revisions(benchmark).earliest("submitted_at"), revisions(benchmark).latest("submitted_at")
    assert last.submitted_at - first.submitted_at > dt.timedelta(days=25)
    assert demo.now - PAST <= first.submitted_at < last.submitted_at < demo.now
    assert AuditEvent.objects.latest("created_at").created_at < demo.now
    assert seal_waiting() == AuditEvent.objects.count()
    assert verify_trail().broken is None
    assert timezone.now() >= demo.now  # afterwards the time is what it is


def is_read_at_different_paces(benchmark: Benchmark) -> None:
    assert benchmark.overlap == OVERLAP < len(HANDS)
    counts = dict(revisions(benchmark).values_list("reading__reader__username").annotate(Count("pk")).order_by())
    assert counts.keys() == {hand.name for hand in HANDS}
    assert len(set(counts.values())) > 2
    facts = CaseFacts.objects.filter(benchmark_id=benchmark.pk)
    assert set(facts.values_list("readings_submitted", flat=True)) <= {0, 1, 2, OVERLAP}
    assert facts.filter(readings_submitted=OVERLAP).count() >= 12
    times = revisions(benchmark).values_list("active_s", flat=True)
    assert all(5 < seconds < 600 for seconds in times)
    assert max(times) > 120
    assert Assignment.objects.filter(state=AssignmentState.SKIPPED).exclude(skip_reason="").exists()
    pace = pace_of(benchmark)
    assert 0 < pace.submitted < pace.wanted
    assert pace.forecast is not None
    assert pace.forecast.interval is not None
    assert pace.forecast.done_on is not None


def is_settled_and_argued_about(demo: Demo, benchmark: Benchmark) -> None:
    states = sorted(Review.objects.filter(case__benchmark=benchmark).values_list("state", flat=True))
    assert states == [ReviewState.CLOSED.value, ReviewState.ESCALATED.value]
    escalated = Review.objects.get(state=ReviewState.ESCALATED)
    assert escalated.escalated_to == demo.user("demo_curator")
    assert Mention.objects.filter(user=escalated.escalated_to).count() == 2
    assert Comment.objects.filter(parent=None, resolved_at__isnull=False).count() == 1
    late = Reading.objects.get(state=ReadingState.SURPLUS)
    assert late.reader.username == "demo_reader_5"
    assert Reading.objects.filter(case=late.case, state=ReadingState.SUBMITTED).count() == OVERLAP


def next_is_unread(demo: Demo, benchmark: Benchmark) -> None:
    handed = assigning.next_case(reader=demo.user("demo_reader"), benchmark=benchmark)
    assert isinstance(handed, assigning.HandedOut)
    assert handed.reading.revision == 0


def test_weeks_of_reading_pass_once(tmp_path: Path) -> None:
    # One run for all that is asked of it: it takes seconds.
    demo = Demo(tmp_path, thinking.SLUG)
    benchmark = demo.benchmarks[thinking.SLUG]
    assert demo.read() > 40
    is_told_in_the_past(demo, benchmark)
    is_read_at_different_paces(benchmark)
    is_settled_and_argued_about(demo, benchmark)
    assert set(Reading.objects.values_list("arm", flat=True)) == {Arm.UNAIDED.value}
    before = AuditEvent.objects.count()
    assert demo.read() == 0
    assert AuditEvent.objects.count() == before
    next_is_unread(demo, benchmark)


def test_some_cases_are_probes_and_there_are_enough_results_for_limits(tmp_path: Path) -> None:
    demo = Demo(tmp_path, fetal.SLUG)
    benchmark = demo.benchmarks[fetal.SLUG]
    demo.read()
    benchmark.refresh_from_db()
    assert (benchmark.probe_rate, benchmark.order_policy) == (weeks.RATE_AFTER, OrderPolicy.BALANCED)
    assert benchmark.cases.filter(is_probe=True).count() == weeks.PROBES
    assert probe_results.score_missing(benchmark.pk) == ProbeResult.objects.count() >= 30
    charts = {chart.measure: chart for row in drift.drift_of(benchmark) for chart in row.charts}
    assert charts[drift.ACCURACY].baseline is not None
    assert Assignment.objects.filter(origin=Origin.PUSHED, due_at__gt=demo.now).count() == 2
    next_is_unread(demo, benchmark)


def test_where_somebody_has_been_readings_are_of_today_and_the_first_hand_outs_are_draws(tmp_path: Path) -> None:
    make_user("somebody")
    demo = Demo(tmp_path, grounding.SLUG)
    benchmark = demo.benchmarks[grounding.SLUG]
    Membership.objects.filter(user__username="demo_reader_2").delete()
    assert 20 < demo.read() <= sum(TURNS[grounding.SLUG])
    first = revisions(benchmark).earliest("submitted_at")
    assert demo.now - SHORT_PAST <= first.submitted_at
    seal_waiting()
    assert verify_trail().broken is None
    assert not Reading.objects.filter(reader__username="demo_reader_2").exists()
    benchmark.refresh_from_db()
    assert benchmark.order_policy == OrderPolicy.DISAGREEMENT
    handed = Assignment.objects.filter(case__benchmark=benchmark).values("case").distinct().count()
    assert Draw.objects.filter(benchmark=benchmark).count() == handed > 10
    next_is_unread(demo, benchmark)


def test_how_far_back_it_goes() -> None:
    assert past_of(NAMES) == PAST
    make_user("somebody")
    assert past_of(NAMES) == SHORT_PAST
    assert past_of([*NAMES, "somebody"]) == PAST
    User.objects.update(last_login=timezone.now())
    assert past_of([*NAMES, "somebody"]) == SHORT_PAST


def test_nothing_is_read_without_the_demos_curator_or_elsewhere(tmp_path: Path, benchmark: Benchmark) -> None:
    demo = Demo(tmp_path, grounding.SLUG)
    curator = demo.user("demo_curator")
    assert add_weeks([benchmark], clock=demo.clock, curator=curator, reviewer=None) == 0
    assert add_weeks(demo.benchmarks.values(), clock=demo.clock, curator=None, reviewer=None) == 0
    assert not Reading.objects.exists()
