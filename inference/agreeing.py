"""Models in the read model of agreement: held against readers, gold and one another by the same function as readers.

A model's answer is the option it chose, its steps are its own, and it draws nothing: beside them stands how much more
it attended to the other's regions than elsewhere, from its stored verdict. Written by scoring, in its transaction.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q

from annotations import agreement
from annotations import agreement_tallies as tallies
from annotations.agreement_pair import Compared, Said, compare
from annotations.agreement_sources import CaseSources, sources_of
from annotations.metrics.steps import Step
from annotations.models import AgreementScore, PartyKind
from curation.models import Case
from inference import verdicts
from inference.models import ModelVersion, Prediction, PredictionStep, Verdict, VerdictTarget
from inference.sources import newest_predictions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FIRST = 1
"""A prediction that is made anew is another prediction, or finishes at another time."""

Ratios = dict[tuple[uuid.UUID, uuid.UUID], float | None]
"""Attention ratio by prediction and the reading's id, or the gold's case."""


def record(case_ids: Iterable[uuid.UUID]) -> int:
    """Bring the pairs of these cases that have a model in them up to what is stored; returns how many there are.

    What has not changed stays as it is.

    Notes
    -----
    Safe to run at any time and by any number of workers: they take turns at a case by its lock, the one of
    `curation.facts.record`, which scoring holds already. Else two would count the same change of a tally.
    """
    known = sorted(case_ids)
    return sum(_record(known[start : start + agreement.BATCH]) for start in range(0, len(known), agreement.BATCH))


@transaction.atomic
def _record(case_ids: list[uuid.UUID]) -> int:
    locked = Case.objects.select_for_update(no_key=True).filter(pk__in=case_ids).order_by("pk")
    batch = list(locked.values_list("pk", flat=True))
    stored: dict[uuid.UUID, list[AgreementScore]] = defaultdict(list)
    for row in rows_of(batch):
        stored[row.case_id].append(row)
    written = 0
    for sources, pairs in _compared(batch):
        written += len(pairs)
        _replace(sources, stored[sources.stage.case_id], pairs)
    return written


def rows_of(case_ids: Iterable[uuid.UUID]) -> Any:
    """Stored pairs of these cases that have a model in them."""
    of_models = Q(a_kind=PartyKind.MODEL) | Q(b_kind=PartyKind.MODEL)
    return AgreementScore.objects.filter(of_models, case__in=list(case_ids))


def _replace(sources: CaseSources, stored: list[AgreementScore], pairs: list[Compared]) -> None:
    have = {_made_of(row): row.pk for row in stored}
    missing = [one for one in pairs if _made_of(one.score) not in have]
    kept = {have[made] for one in pairs if (made := _made_of(one.score)) in have}
    gone = [row.pk for row in stored if row.pk not in kept]
    if not missing and not gone:
        return
    AgreementScore.objects.filter(pk__in=gone).delete()
    agreement.save(missing)
    _count(sources, [tallies.StoredPair(row) for row in stored], kept, missing)
    agreement.announce(sources)


def _count(sources: CaseSources, stored: list[tallies.StoredPair], kept: set[int], missing: list[Compared]) -> None:
    """Change the tallies of the benchmark as the pairs change."""
    before = tallies.cells_of_pairs(stored, said_at=None)
    after = tallies.cells_of_pairs([*(one for one in stored if one.score.pk in kept), *missing], said_at=None)
    tallies.write(sources.stage.benchmark_id, tallies.differences(before, after))


def _made_of(row: AgreementScore) -> tuple[Any, ...]:
    """Everything that a pair's numbers follow from."""
    return (
        *(getattr(row, name) for name in agreement.KEY),
        row.a_said,
        row.a_revision,
        row.b_said,
        row.b_revision,
        row.attention_ratio,
        row.said_at,
        row.modalities,
        row.cluster,
        row.metric_version,
    )


def differing(case_ids: Iterable[uuid.UUID]) -> list[tuple[str, str, Any, Any]]:
    """Where stored pairs differ from their sources: (case id, field, stored, computed).

    As of verdicts, cases with a scoring run that is still to be done are left out.
    """
    wanted = sorted(case_ids)
    found: list[tuple[str, str, Any, Any]] = []
    for start in range(0, len(wanted), agreement.BATCH):
        batch = verdicts.settled(wanted[start : start + agreement.BATCH])
        stored = agreement.stored_rows(rows_of(batch))
        for sources, pairs in _compared(batch):
            case_id = sources.stage.case_id
            found += agreement.differences(str(case_id), stored.get(case_id, {}), pairs)
    return found


def model_names(parties: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Of models, for settings.PARTY_NAMES."""
    return dict(ModelVersion.objects.filter(pk__in=list(parties)).values_list("pk", "name"))


def _compared(case_ids: list[uuid.UUID]) -> Iterator[tuple[CaseSources, list[Compared]]]:
    """Each case with its pairs, unsaved; ten queries however many cases."""
    spoken = _models(case_ids)
    ratios = _ratios(said.id for one in spoken.values() for said in one)
    for case_id, sources in sorted(sources_of(case_ids).items()):
        yield sources, list(_pairs(sources, spoken.get(case_id, []), ratios))


def _pairs(sources: CaseSources, models: list[Said], ratios: Ratios) -> Iterator[Compared]:
    for model in models:
        for reader in sources.readings:
            # A verdict is of the newest revision; where that was written after looking, an earlier one counts here.
            is_newest = sources.revisions.get(reader.id) == reader.revision
            ratio = ratios.get((model.id, reader.id)) if is_newest else None
            yield compare(reader, model, sources.stage, attention_ratio=ratio)
        if sources.gold is not None:
            ratio = ratios.get((model.id, sources.stage.case_id))
            yield compare(model, sources.gold, sources.stage, attention_ratio=ratio)
    for one, other in combinations(models, 2):
        yield compare(one, other, sources.stage)


def _models(case_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[Said]]:
    """The newest finished prediction of each model that saw the case as it is."""
    predictions = [one for one in newest_predictions(case_ids) if one.input_digest == one.case.input_digest]
    steps: dict[uuid.UUID, list[Step]] = defaultdict(list)
    rows = PredictionStep.objects.filter(prediction__in=[one.pk for one in predictions]).order_by("number")
    for prediction_id, text in rows.values_list("prediction_id", "text"):
        steps[prediction_id].append(Step(text=text))
    found: dict[uuid.UUID, list[Said]] = defaultdict(list)
    for prediction in predictions:
        found[prediction.case_id].append(_said(prediction, tuple(steps[prediction.pk])))
    return found


def _said(prediction: Prediction, steps: tuple[Step, ...]) -> Said:
    return Said(
        kind=PartyKind.MODEL,
        party=prediction.model_id,
        id=prediction.pk,
        revision=FIRST,
        answer=prediction.choice,
        drawn=None,
        steps=steps,
        said_at=prediction.finished_at,
    )


def _ratios(predictions: Iterable[uuid.UUID]) -> Ratios:
    rows = Verdict.objects.filter(
        prediction__in=list(predictions), target_kind__in=[VerdictTarget.READING, VerdictTarget.GOLD]
    )
    return {(key, target): value for key, target, value in rows.values_list("prediction_id", "target_id", "value")}
