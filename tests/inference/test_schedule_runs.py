"""Runs of schedules: begun once a slot, scored and predicted within the budget, recovered, and what they changed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from curation.models import AuditEvent, Benchmark, Case, User
from inference import schedule_runs, tasks
from inference.models import (
    JobState,
    ModelVersion,
    Prediction,
    RunCause,
    Schedule,
    ScheduleRun,
    Score,
    ScoringRun,
)
from inference.predicting import run_prediction
from inference.schedule_runs import RunUnderWay, ask_run, begin_lost, run_due, run_schedule
from inference.scheduling import set_enabled
from inference.scoring import cancel_run, run_scoring, score_case
from inference.supervising import sweep_lost
from tests.factories import make_case
from tests.inference.conftest import Sent, box, plant, predict, submit
from tests.inference.scheduled import advance, finish, make_gold, make_schedule, work_off

pytestmark = pytest.mark.django_db
INSIDE = box(17, 13, 31, 23)
HALF = box(0, 13, 31, 23)
SCORE_TASK = "inference.tasks.score_reading"
PREDICT_TASK = "inference.tasks.predict_case"
ADVANCE_TASK = "inference.tasks.advance_schedule"


@pytest.fixture
def read(case: Case, planted: ModelVersion) -> Case:
    """A case whose gold lies in the focus, read by an enrolled model that is not live, and scored."""
    case.benchmark.enrolments.create(model=planted)
    make_gold(case, INSIDE)
    predict(planted, case)
    work_off()
    return case


def later(schedule: Schedule, **passed: float) -> dt.datetime:
    return schedule.armed_at + dt.timedelta(**passed)


def test_a_slot_is_begun_once(benchmark: Benchmark) -> None:
    schedule = make_schedule(benchmark)
    assert run_due(schedule_id=schedule.pk, now=later(schedule, minutes=59)) is None
    run = run_due(schedule_id=schedule.pk, now=later(schedule, minutes=61))
    assert run is not None
    assert (run.slot, run.cause, run.state) == (later(schedule, hours=1), RunCause.DUE, JobState.QUEUED)
    assert run_due(schedule_id=schedule.pk, now=later(schedule, minutes=119)) is None
    finish(run)
    assert run_due(schedule_id=schedule.pk, now=later(schedule, minutes=119)) is None
    second = run_due(schedule_id=schedule.pk, now=later(schedule, minutes=121))
    assert second is not None
    assert second.slot == later(schedule, hours=2)


def test_a_run_does_not_overtake_itself(benchmark: Benchmark, engineer: User) -> None:
    schedule = make_schedule(benchmark)
    run = ask_run(schedule=schedule, actor=engineer)
    assert run_due(schedule_id=schedule.pk, now=later(schedule, minutes=61)) is None
    with pytest.raises(RunUnderWay, match="still under way"):
        ask_run(schedule=schedule, actor=engineer)
    finish(run)
    assert run_due(schedule_id=schedule.pk, now=later(schedule, minutes=62)) is not None


def test_the_beats_task_begins_what_is_due(
    benchmark: Benchmark, sent: Sent, django_capture_on_commit_callbacks: Any
) -> None:
    schedule = make_schedule(benchmark, every_s=60)
    Schedule.objects.update(armed_at=timezone.now() - dt.timedelta(seconds=61))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.run_schedule(str(schedule.pk))
        tasks.run_schedule(str(schedule.pk))
    run = ScheduleRun.objects.get()
    assert sent == [(ADVANCE_TASK, {"schedule_run_id": str(run.pk)})]


def test_nothing_is_begun_for_a_schedule_that_is_paused_or_gone(benchmark: Benchmark) -> None:
    schedule = make_schedule(benchmark, is_enabled=False)
    assert run_due(schedule_id=schedule.pk, now=later(schedule, hours=2)) is None
    pk = schedule.pk
    schedule.delete()
    tasks.run_schedule(str(pk))
    assert not ScheduleRun.objects.exists()


def test_a_pause_cancels_what_came_due_and_has_not_begun(benchmark: Benchmark, engineer: User) -> None:
    schedule = make_schedule(benchmark)
    run = run_due(schedule_id=schedule.pk, now=later(schedule, hours=1))
    assert run is not None
    set_enabled(schedule=schedule, is_enabled=False, actor=engineer)
    run.refresh_from_db()
    assert (run.state, run.error) == (JobState.CANCELLED, "the schedule was paused before this run began")
    assert run.finished_at is not None
    assert advance(run.pk).state == JobState.CANCELLED
    assert not ScoringRun.objects.exists()
    assert AuditEvent.objects.get(action="schedule.paused").after["runs_cancelled"] == 1


def test_a_run_that_has_begun_goes_on_through_a_pause(read: Case) -> None:
    make_gold(read, HALF)
    schedule = make_schedule(read.benchmark)
    run = run_due(schedule_id=schedule.pk, now=later(schedule, hours=1))
    assert run is not None
    assert advance(run.pk).state == JobState.RUNNING
    set_enabled(schedule=schedule, is_enabled=False, actor=None)
    assert finish(run).state == JobState.DONE
    assert ScheduleRun.objects.get().cases_scored == 1


def test_a_run_that_somebody_asked_for_is_no_matter_of_the_pause(read: Case) -> None:
    schedule = make_schedule(read.benchmark)
    run = ask_run(schedule=schedule, actor=None)
    set_enabled(schedule=schedule, is_enabled=False, actor=None)
    assert finish(run).state == JobState.DONE


def test_a_run_that_a_beat_begins_while_the_schedule_is_paused_is_cancelled_too(benchmark: Benchmark) -> None:
    schedule = make_schedule(benchmark)
    set_enabled(schedule=Schedule.objects.get(), is_enabled=False, actor=None)
    # The beat read the schedule before the pause, and inserts its run after it.
    run = run_schedule(schedule=schedule, slot=later(schedule, hours=1))
    assert run is not None
    found = advance(run.pk)
    assert (found.state, found.error) == (JobState.CANCELLED, "the schedule was paused before this run began")
    assert not ScoringRun.objects.exists()


def test_a_paused_benchmark_skips_its_slots_and_says_so(benchmark: Benchmark) -> None:
    Benchmark.objects.update(is_paused=True)
    schedule = make_schedule(benchmark)
    run = run_due(schedule_id=schedule.pk, now=later(schedule, hours=1))
    assert run is not None
    assert (run.state, run.error) == (JobState.CANCELLED, "the benchmark is paused")
    assert ask_run(schedule=schedule, actor=None).state == JobState.QUEUED


def test_changed_gold_is_scored_without_a_model(
    read: Case, sent: Sent, django_capture_on_commit_callbacks: Any
) -> None:
    make_gold(read, HALF)
    with django_capture_on_commit_callbacks(execute=True):
        run = finish(ask_run(schedule=make_schedule(read.benchmark), actor=None))
    assert (run.state, run.cases_scored, run.cases_predicted, run.is_cut_short) == (JobState.DONE, 1, 0, False)
    assert run.scores_written == 37  # 9 metrics, 2 maps, 2 rules, and the answer
    assert PREDICT_TASK not in [name for name, _ in sent]
    assert Prediction.objects.count() == 1
    ratio = next(change for change in run.largest if change["metric"] == "attention_ratio")
    assert (ratio["before"], ratio["after"]) == (pytest.approx(2.5), pytest.approx(1.5))
    assert (ratio["case"], ratio["model"], ratio["image"]) == (read.key, "planted", 1)
    assert 0 < run.scores_changed < 37
    assert run.scores_removed == 0


def test_a_second_run_finds_nothing_to_do(read: Case) -> None:
    make_gold(read, HALF)
    schedule = make_schedule(read.benchmark)
    finish(ask_run(schedule=schedule, actor=None))
    again = finish(ask_run(schedule=schedule, actor=None))
    counts = (again.scores_written, again.scores_changed, again.scores_removed, again.largest)
    assert counts == (0, 0, 0, [])


def test_a_region_that_was_taken_away_removes_its_numbers_once(read: Case) -> None:
    make_gold(read)
    schedule = make_schedule(read.benchmark)
    first = finish(ask_run(schedule=schedule, actor=None))
    assert (first.scores_written, first.scores_removed) == (1, 36)
    assert finish(ask_run(schedule=schedule, actor=None)).scores_removed == 0


def test_everything_again_replaces_in_place(read: Case) -> None:
    Score.objects.filter(metric="ebpg").update(values=[0.5, 0.5])
    rows = Score.objects.count()
    run = finish(ask_run(schedule=make_schedule(read.benchmark, is_stale_only=False), actor=None))
    assert (run.scores_written, Score.objects.count()) == (37, rows)
    (change,) = run.largest
    assert (change["metric"], change["before"]) == ("ebpg", 0.5)
    assert run.scores_changed == 4


def test_a_changed_question_is_read_again(read: Case, sent: Sent, django_capture_on_commit_callbacks: Any) -> None:
    Case.objects.update(question="Is there a dark square?", input_digest="c" * 64)
    make_gold(read, HALF)
    with django_capture_on_commit_callbacks(execute=True):
        run = finish(ask_run(schedule=make_schedule(read.benchmark), actor=None))
    assert [name for name, _ in sent].count(PREDICT_TASK) == 1
    assert (run.state, run.cases_predicted, run.scores_written) == (JobState.DONE, 1, 37)
    ratio = next(change for change in run.largest if change["metric"] == "attention_ratio")
    assert (ratio["before"], ratio["after"]) == (pytest.approx(2.5), pytest.approx(1.5))
    assert Prediction.objects.filter(state=JobState.DONE).count() == 2


def test_only_the_metrics_and_models_that_were_chosen(read: Case) -> None:
    other = plant("other")
    read.benchmark.enrolments.create(model=other)
    make_gold(read, HALF)
    before = set(Score.objects.values_list("pk", flat=True))
    schedule = make_schedule(read.benchmark, models=("planted",), metrics=("ebpg", "auroc"))
    run = finish(ask_run(schedule=schedule, actor=None))
    fresh = Score.objects.exclude(pk__in=before)
    assert set(fresh.values_list("metric", flat=True)) == {"ebpg", "auroc"}
    assert (run.scores_written, Prediction.objects.filter(model=other).count()) == (8, 0)


def test_a_model_that_is_enrolled_no_more_is_named(read: Case) -> None:
    schedule = make_schedule(read.benchmark, models=("planted",))
    read.benchmark.enrolments.all().delete()
    run = finish(ask_run(schedule=schedule, actor=None))
    assert (run.state, run.models_skipped) == (JobState.DONE, ["planted"])
    assert run.error == "none of its models is enrolled any more"


def test_without_a_model_a_run_says_so(benchmark: Benchmark) -> None:
    run = finish(ask_run(schedule=make_schedule(benchmark), actor=None))
    assert (run.state, run.error) == (JobState.DONE, "no model is enrolled")


def test_the_budget_ends_scoring_between_two_cases(
    benchmark: Benchmark, planted: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark.enrolments.create(model=planted)
    for number in range(3):
        case = make_case(benchmark, f"case {number}")
        predict(planted, case)
        make_gold(case, INSIDE)
    run = ask_run(schedule=make_schedule(benchmark, budget_s=60), actor=None)
    advance(run.pk)
    scoring = ScoringRun.objects.get(schedule_run=run)
    assert scoring.ends_by == ScheduleRun.objects.get().ends_by

    def slow(case_id: Any, **rest: Any) -> int:
        ScoringRun.objects.filter(pk=scoring.pk).update(ends_by=timezone.now())
        return score_case(case_id, **rest)

    monkeypatch.setattr("inference.scoring.score_case", slow)
    monkeypatch.setattr("inference.scoring.timezone.now", TwoCasesLater(scoring.ends_by))
    run_scoring(scoring.pk)
    monkeypatch.undo()
    done = finish(run)
    assert (done.state, done.is_cut_short, done.cases_left) == (JobState.DONE, True, 2)
    assert done.cases_scored == 1


class TwoCasesLater:
    """A clock that stands still until the first case is scored, and then shows that the time is over."""

    def __init__(self, ends_by: dt.datetime | None) -> None:
        assert ends_by is not None
        self._ends_by = ends_by

    def __call__(self) -> dt.datetime:
        has_scored = Score.objects.exists()
        return self._ends_by if has_scored else self._ends_by - dt.timedelta(seconds=1)


def test_the_budget_takes_back_what_no_model_has_begun(benchmark: Benchmark, planted: ModelVersion) -> None:
    benchmark.enrolments.create(model=planted)
    for number in range(3):
        make_gold(make_case(benchmark, f"case {number}"), INSIDE)
    run = ask_run(schedule=make_schedule(benchmark, budget_s=60), actor=None)
    advance(run.pk)
    work_off()
    assert advance(run.pk).stage == "predicting"
    first = Prediction.objects.order_by("case__position").first()
    assert first is not None
    run_prediction(first.pk)
    ScheduleRun.objects.update(ends_by=timezone.now())
    stopped = advance(run.pk)
    assert (stopped.state, stopped.predictions_left, stopped.is_cut_short) == (JobState.RUNNING, 2, True)
    done = finish(run)
    assert (done.state, done.cases_predicted, done.predictions_left) == (JobState.DONE, 1, 2)
    assert Prediction.objects.filter(state=JobState.CANCELLED).count() == 2
    # The next run goes on where this one stopped.
    after = finish(ask_run(schedule=Schedule.objects.get(), actor=None))
    assert (after.cases_predicted, after.predictions_left) == (2, 0)


def test_past_its_budget_a_run_asks_no_model(read: Case) -> None:
    Case.objects.update(input_digest="c" * 64)
    run = ask_run(schedule=make_schedule(read.benchmark, budget_s=1), actor=None)
    advance(run.pk)
    ScheduleRun.objects.update(ends_by=timezone.now())
    done = finish(run)
    assert (done.state, done.predictions_left, done.cases_predicted) == (JobState.DONE, 1, 0)
    assert Prediction.objects.count() == 1


def test_a_model_that_fails_is_counted(benchmark: Benchmark, planted: ModelVersion) -> None:
    benchmark.enrolments.create(model=planted)
    make_gold(make_case(benchmark), INSIDE)
    ModelVersion.objects.update(settings={"rows": "nought"})
    run = finish(ask_run(schedule=make_schedule(benchmark), actor=None))
    assert (run.state, run.cases_predicted, run.predictions_failed) == (JobState.DONE, 0, 1)


def test_a_scoring_run_that_fails_parks_the_run(read: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> int:
        raise RuntimeError("no room")

    monkeypatch.setattr("inference.scoring.score_case", fail)
    run = finish(ask_run(schedule=make_schedule(read.benchmark), actor=None))
    assert (run.state, run.error) == (JobState.PARKED, "scoring failed: RuntimeError: no room")


def test_cancelling_the_scoring_cancels_the_run(read: Case, engineer: User) -> None:
    run = ask_run(schedule=make_schedule(read.benchmark), actor=engineer)
    advance(run.pk)
    cancel_run(run=ScoringRun.objects.get(schedule_run=run), actor=engineer)
    done = finish(run)
    assert (done.state, done.error) == (JobState.CANCELLED, "a scoring run of it was cancelled")


def test_a_killed_worker_forgets_no_change_and_tells_none_twice(
    read: Case, monkeypatch: pytest.MonkeyPatch, sent: Sent
) -> None:
    make_gold(read, HALF)
    run = ask_run(schedule=make_schedule(read.benchmark), actor=None)
    advance(run.pk)
    scoring = ScoringRun.objects.get(schedule_run=run)

    def killed(*_: object, **__: object) -> None:
        raise SystemExit

    monkeypatch.setattr("inference.scoring.count_changes", killed)
    with pytest.raises(SystemExit):
        run_scoring(scoring.pk)
    monkeypatch.undo()
    scoring.refresh_from_db()
    assert (scoring.state, scoring.cases_done) == (JobState.RUNNING, 0)
    silent = timezone.now() - dt.timedelta(seconds=61)
    ScoringRun.objects.filter(pk=scoring.pk).update(heartbeat_at=silent)
    monkeypatch.setattr("inference.supervising.waiting_messages", lambda task: 0)
    assert sweep_lost().requeued == 1
    done = finish(run)
    assert (done.state, done.cases_scored, done.scores_written) == (JobState.DONE, 1, 37)
    assert done.scores_changed > 0


def test_the_sweep_begins_what_no_beat_did_and_moves_on_what_was_lost(
    benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr("inference.supervising.waiting_messages", lambda task: 0)
    make_schedule(benchmark)
    Schedule.objects.update(armed_at=timezone.now() - dt.timedelta(hours=5))
    swept = sweep_lost()
    assert (swept.schedules_begun, swept.schedule_runs_advanced) == (1, 1)
    assert ScheduleRun.objects.get().state == JobState.DONE
    with django_assert_max_num_queries(1):
        assert begin_lost() == 0


def test_a_step_that_fails_is_undone_and_parks_the_run_after_three(
    benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(schedule_runs, "_models", fail)
    run = ask_run(schedule=make_schedule(benchmark), actor=None)
    assert [advance(run.pk).state for _ in range(3)] == [JobState.QUEUED, JobState.QUEUED, JobState.PARKED]
    assert "no room" in ScheduleRun.objects.get().error
    assert tasks.advance_schedule(str(run.pk)) is None


def test_a_message_that_comes_twice_changes_nothing(read: Case) -> None:
    run = ask_run(schedule=make_schedule(read.benchmark), actor=None)
    advance(run.pk)
    advance(run.pk)
    assert ScoringRun.objects.filter(schedule_run=run).count() == 1
    done = finish(run)
    assert advance(run.pk).finished_at == done.finished_at


def test_what_ends_wakes_the_run(read: Case, sent: Sent, django_capture_on_commit_callbacks: Any) -> None:
    run = ask_run(schedule=make_schedule(read.benchmark), actor=None)
    advance(run.pk)
    with django_capture_on_commit_callbacks(execute=True):
        work_off()
    assert sent == [(ADVANCE_TASK, {"schedule_run_id": str(run.pk)})]


@pytest.mark.django_db(transaction=True)
def test_eight_workers_with_one_slot_begin_one_run(benchmark: Benchmark, threads: Any, sent: Sent) -> None:
    schedule = make_schedule(benchmark, every_s=60)
    slot = later(schedule, seconds=60)
    results = threads(8, lambda: run_schedule(schedule=schedule, slot=slot))
    assert [result is not None for result in results].count(True) == 1
    assert ScheduleRun.objects.count() == 1
    assert len([name for name, _ in sent if name == ADVANCE_TASK]) == 1


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_one_run_make_its_scoring_once(
    benchmark: Benchmark, planted: ModelVersion, threads: Any
) -> None:
    benchmark.enrolments.create(model=planted)
    run = ask_run(schedule=make_schedule(benchmark), actor=None)
    threads(8, lambda: schedule_runs.advance(schedule_run_id=run.pk))
    assert ScoringRun.objects.filter(schedule_run=run).count() == 1


def test_readers_numbers_are_brought_up_to_date_too(read: Case, reader: User) -> None:
    submit(read, reader, INSIDE)
    run = finish(ask_run(schedule=make_schedule(read.benchmark), actor=None))
    assert (run.scores_written, run.scores_changed) == (37, 0)
