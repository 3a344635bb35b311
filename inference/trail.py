"""This app's part of the history of a case: when each model read it, and when what was said was scored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curation.case_trail import LOOKS, Moment, TrailSection, Voice, Wanted
from curation.saying import Content
from inference.models import JobState, Prediction, RunKind, ScoringRun

if TYPE_CHECKING:
    import datetime as dt
    import uuid

    from curation.models import Case


def _moments(case: Case, wanted: Wanted) -> list[Moment]:
    if wanted.shown == LOOKS:
        return []
    done = Prediction.objects.filter(case=case, state=JobState.DONE).select_related("model").defer("text")
    runs = ScoringRun.objects.filter(kind=RunKind.CASE, case=case, state=JobState.DONE, scores_written__gt=0)
    return [
        *(_read(one) for one in wanted.of(done, "finished_at")),
        *(_scored(one) for one in wanted.of(runs, "finished_at")),
    ]


def _read(row: Prediction) -> Moment:
    assert row.finished_at is not None  # asked for
    after = [("answer", row.choice)] if row.choice else []
    if row.choice and row.option_probabilities and row.choice in row.option_probabilities:
        after.append(("its probability", f"{row.option_probabilities[row.choice]:.2f}"))
    return Moment(row.finished_at, f"p{row.pk}", "model", "read the case", who=row.model.name, after=after)


def _scored(row: ScoringRun) -> Moment:
    assert row.finished_at is not None  # asked for
    after = [("numbers", f"{row.scores_written:,}")]
    return Moment(row.finished_at, f"s{row.pk}", "model", "held models against what was said", "the system", (), after)


def _voices(case: Case, at: dt.datetime) -> list[Voice]:
    """The newest answer of each model by then; one query."""
    rows = Prediction.objects.filter(case=case, state=JobState.DONE, finished_at__lte=at).select_related("model")
    found: dict[uuid.UUID, Prediction] = {}
    for row in rows.defer("text").order_by("model__name", "-finished_at"):
        found.setdefault(row.model_id, row)
    return [
        Voice(
            "model",
            row.model.name,
            row.finished_at or at,
            "",
            Content(row.choice or None),
            note="" if row.model.is_trained else "control, not trained",
        )
        for row in found.values()
    ]


section = TrailSection(moments=_moments, voices=_voices)
