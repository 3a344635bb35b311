"""How probes were read: held against the gold of then, numbered, and drawn as control charts."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from annotations import drift
from annotations.assigning import HandedOut, next_case
from annotations.drafting import save_draft
from annotations.models import Assignment, Origin, ProbeResult, Reading
from annotations.probe_results import against_gold, score_missing
from annotations.submission import revise, submit
from annotations.tasks import score_probes
from curation.models import Benchmark, Case, Gold, GoldRoi, Membership, Role, User
from tests.annotations.contents import content, roi
from tests.factories import make_case, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks
    from rest_framework.test import APIClient

BOX: dict[str, float] = {"x0": 10, "y0": 20, "x1": 40, "y1": 30}


def golden(benchmark: Benchmark, key: str, *, answer: Any = "B", box: dict[str, float] | None = BOX) -> Case:
    case = make_case(benchmark, key, is_probe=True)
    gold = Gold.objects.create(case=case, revision=1, answer=answer)
    if box:
        GoldRoi.objects.create(gold=gold, image=1, shape="box", geometry=box)
    return case


def probed(case: Case, reader: User, **given: Any) -> Reading:
    """A probe reading of the case, submitted."""
    reading = Reading.objects.create(case=case, reader=reader)
    Assignment.objects.create(
        case=case, reader=reader, origin=Origin.PROBE, lease_expires_at=timezone.now() + dt.timedelta(hours=1)
    )
    said = content(**{"rois": [roi(geometry=BOX)], "steps": [], "entities": [], **given})
    save_draft(reading_id=reading.pk, version=0, content=said)
    submit(reading_id=reading.pk, version=1, key="k")
    return reading


def results(**fields: Any) -> list[tuple[Any, ...]]:
    return list(ProbeResult.objects.order_by("number").values_list("number", "is_right", "region_iou"))


def test_answers_and_regions_are_held_against_the_gold(benchmark: Benchmark, reader: User) -> None:
    probed(golden(benchmark, "right"), reader)
    probed(golden(benchmark, "wrong"), reader, answer={"choice": "A"})
    half = [roi(geometry={"x0": 10, "y0": 20, "x1": 25, "y1": 30})]
    probed(golden(benchmark, "half"), reader, rois=half, answer=None)
    assert score_missing(benchmark.pk) == 3
    assert results() == [(1, True, 1.0), (2, False, 1.0), (3, False, 0.5)]
    assert score_missing(benchmark.pk) == 0


def test_a_gold_without_option_or_region_says_nothing_of_it(benchmark: Benchmark, reader: User) -> None:
    probed(golden(benchmark, "open", answer={"text": "a cat"}), reader, answer={"text": "a cat"})
    probed(golden(benchmark, "bare", box=None), reader)
    score_missing(benchmark.pk)
    assert results() == [(1, None, 1.0), (2, True, None)]


def test_a_region_that_one_of_both_lacks_counts_0(benchmark: Benchmark, reader: User) -> None:
    probed(golden(benchmark, "none"), reader, rois=[])
    more = [roi(geometry=BOX), roi(geometry={"x0": 45, "y0": 20, "x1": 60, "y1": 30})]
    probed(golden(benchmark, "more"), reader, rois=more)
    score_missing(benchmark.pk)
    assert results() == [(1, True, 0.0), (2, True, 0.5)]


def test_the_gold_of_then_counts_and_only_the_first_revision(benchmark: Benchmark, reader: User) -> None:
    case = golden(benchmark, "case")
    reading = probed(case, reader)
    version = revise(reading_id=reading.pk).version
    save_draft(reading_id=reading.pk, version=version, content=content(answer={"choice": "A"}))
    submit(reading_id=reading.pk, version=version + 1, key="k2")
    Gold.objects.create(case=case, revision=2, answer="A")
    score_missing(benchmark.pk)
    found = ProbeResult.objects.get()
    assert (found.revision, found.gold_revision, found.is_right) == (1, 1, True)


def test_only_what_was_handed_out_as_a_probe_is_scored(benchmark: Benchmark, reader: User) -> None:
    make_case(benchmark)
    case = Case.objects.get()
    Gold.objects.create(case=case, revision=1, answer="B")
    handed = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(handed, HandedOut)
    submit(reading_id=handed.reading.pk, version=0, key="k")
    Case.objects.update(is_probe=True)
    assert score_missing(benchmark.pk) == 0


def test_every_submit_asks_for_it_where_probes_are_handed_out(
    benchmark: Benchmark,
    reader: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr("curation.queues._publish", lambda name, ids: sent.append((name, ids)))
    for number, rate in enumerate([0.0, 0.1]):
        Benchmark.objects.update(probe_rate=rate)
        make_case(benchmark, f"case{number}")
        benchmark.refresh_from_db()
        handed = next_case(reader=reader, benchmark=benchmark)
        assert isinstance(handed, HandedOut)
        assert handed.assignment.origin == Origin.QUEUE
        with django_capture_on_commit_callbacks(execute=True):
            submit(reading_id=handed.reading.pk, version=0, key="k")
    asked = [ids for name, ids in sent if name == "annotations.tasks.score_probes"]
    assert asked == [{"benchmark_id": str(benchmark.pk)}]


def test_the_task_twice_is_once(benchmark: Benchmark, reader: User) -> None:
    probed(golden(benchmark, "case"), reader)
    for _ in range(2):
        score_probes(benchmark_id=str(benchmark.pk))
    assert len(results()) == 1


def test_masks_and_ellipses_are_held_too(benchmark: Benchmark) -> None:
    case = golden(benchmark, "case", box={"x0": 0, "y0": 0, "x1": 64, "y1": 48})
    said = content(rois=[roi(shape="ellipse", geometry={"cx": 32, "cy": 24, "rx": 32, "ry": 24, "angle": 0})])
    found = against_gold(said, Gold.objects.get(), case)
    assert found.region_iou == pytest.approx(0.785, abs=0.01)


def many(benchmark: Benchmark, reader: User, outcomes: list[bool]) -> None:
    """Results that are stored already: what is right, one a day."""
    case = make_case(benchmark, f"{reader.username}-first")
    begin = timezone.now() - dt.timedelta(days=len(outcomes))
    for number, is_right in enumerate(outcomes, 1):
        case = make_case(benchmark, f"{reader.username}-{number}")
        ProbeResult.objects.create(
            reading=Reading.objects.create(case=case, reader=reader, revision=1),
            revision=1,
            gold_revision=1,
            benchmark_id=benchmark.pk,
            reader_id=reader.pk,
            number=number,
            is_right=is_right,
            submitted_at=begin + dt.timedelta(days=number),
        )


def test_a_reader_who_falls_off_is_flagged_and_comes_first(
    benchmark: Benchmark, reader: User, other_reader: User
) -> None:
    many(benchmark, other_reader, [True, True, True, False] * 8)
    many(benchmark, reader, [True] * 8 + [False] * 8)
    first, second = drift.drift_of(benchmark)
    assert (first.reader, first.is_out, first.probes) == (reader, True, 16)
    assert (second.reader, second.is_out) == (other_reader, False)
    accuracy, regions = first.charts
    assert (accuracy.side, accuracy.mean, accuracy.why) == ("low", 0.5, "")
    assert [turn.number for turn in accuracy.turns] == list(range(1, 17))
    assert (regions.mean, regions.side, regions.why) == (None, "", drift.NOTHING[drift.REGIONS])


def test_few_results_have_no_limits_and_say_why(benchmark: Benchmark, reader: User) -> None:
    many(benchmark, reader, [True, False])
    (row,) = drift.drift_of(benchmark)
    assert row.charts[0].why == drift.TOO_FEW
    assert [turn.point for turn in row.charts[0].turns] == [None, None]
    assert not row.is_out


def test_charts_cost_one_query(
    benchmark: Benchmark, reader: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    many(benchmark, reader, [True, False] * 12)
    many(benchmark, make_user("nora", Role.READER, benchmark), [True, False])
    with django_assert_num_queries(1):
        assert len(drift.drift_of(benchmark)) == 2


def test_the_endpoint_scores_what_is_missing_and_shows_it(
    benchmark: Benchmark, reader: User, curator: User, api: Callable[[User], APIClient]
) -> None:
    case = golden(benchmark, "case")
    probed(case, reader)
    (row,) = api(curator).get(reverse("benchmark-drift", args=[benchmark.slug])).json()["readers"]
    assert (row["reader"]["name"], row["probes"], row["is_out"]) == ("rosa", 1, False)
    (point,) = row["accuracy"]["points"]
    assert (point["case"], point["number"], point["value"], point["mean"]) == (str(case.pk), 1, 1.0, None)
    assert (row["regions"]["mean"], row["regions"]["why"]) == (1.0, drift.TOO_FEW)


@pytest.mark.parametrize("name", ["benchmark-drift", "benchmark-probing", "benchmark-probes"])
def test_a_curator_who_reads_here_is_told_nothing(
    benchmark: Benchmark, curator: User, api: Callable[[User], APIClient], name: str
) -> None:
    Membership.objects.create(user=curator, benchmark=benchmark, role=Role.READER)
    answer = api(User.objects.get(pk=curator.pk)).get(reverse(name, args=[benchmark.slug]))
    assert answer.status_code == 403
    assert "You read in this benchmark" in answer.json()["detail"]
