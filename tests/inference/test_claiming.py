"""A failed run of a case that makes way for the one queued meanwhile: what it should have replaced is replaced."""

from __future__ import annotations

from typing import Any

import pytest

from curation.models import Case
from inference import claiming, scoring
from inference.claiming import claim
from inference.models import JobState, ScoringRun
from inference.scoring import request_scoring, run_scoring

pytestmark = pytest.mark.django_db


def test_what_a_failed_run_should_have_replaced_the_one_after_it_replaces(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        request_scoring(case_id=case.pk)
        raise RuntimeError("once")

    first = request_scoring(case_id=case.pk, replaces=True)
    monkeypatch.setattr(scoring, "_score_one", fail)
    assert run_scoring(first.pk) == JobState.CANCELLED
    assert ScoringRun.objects.get(state=JobState.QUEUED).is_stale_only is False


def test_a_failed_run_is_queued_again_where_a_worker_took_the_newer_one_meanwhile(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between finding the newer run queued and handing over to it, a worker claims that one."""
    real = claiming._hand_over

    def too_late(held: Any, **changes: Any) -> int | None:
        assert claim(ScoringRun, ScoringRun.objects.get(state=JobState.QUEUED).pk) is not None
        return real(held, **changes)

    def fail(*_: Any) -> None:
        request_scoring(case_id=case.pk)
        raise RuntimeError("once")

    first = request_scoring(case_id=case.pk, replaces=True)
    monkeypatch.setattr(scoring, "_score_one", fail)
    monkeypatch.setattr(claiming, "_hand_over", too_late)
    assert run_scoring(first.pk) == JobState.QUEUED
    first.refresh_from_db()
    assert (first.state, first.is_stale_only) == (JobState.QUEUED, False)
