"""What a case's disagreement is measured on: readers' answers and regions, models' options and maps; a batch at once.

Only unaided readings of the case as it is now have a voice: an aided reader has seen a model, as has one who revised
after looking, and a reading of other images is of another case. Only trained models have one: a control that was taught
nothing disagrees with everybody by design, and would drive experts to the cases on which chance has it furthest off.
Gold has none: it is the outcome.
"""

from __future__ import annotations

import math
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import fmean
from typing import Any

import numpy as np
from django.db.models import BinaryField, Case, F, Func, IntegerField, Value, When

from annotations.models import AgreementScore, Arm, PartyKind, ReadingRevision, ReadingState
from curation.models import Case as MedicalCase
from inference.computing import relative_layers
from inference.currency import current_predictions, headline_layer
from inference.facts import disagreements
from inference.metrics import priority
from inference.metrics.grids import GridTransform
from inference.metrics.grounding import Grid
from inference.metrics.priority import Part
from inference.models import AttentionMap, JobState, Prediction
from inference.targets import Place, option_chosen

FLOAT_BYTES = 4


@dataclass(frozen=True)
class Voice:
    """One reader's unaided reading of the case, as it was last submitted blind."""

    reading_id: uuid.UUID
    revision: int
    choice: str | None


@dataclass
class Compared:
    """Everything a case's disagreement follows from, but the maps, which follow from the predictions."""

    case: MedicalCase
    voices: list[Voice] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    regions: list[float] = field(default_factory=list)
    overlaps: list[float] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """What the digest of the inputs is taken of."""
        return {
            "version": priority.FORMULA_VERSION,
            "input": self.case.input_digest,
            "voices": [[str(one.reading_id), one.revision] for one in self.voices],
            "predictions": [[str(one.pk), one.finished_at and one.finished_at.isoformat()] for one in self.predictions],
            "answers": self.answers,
            "regions": self.regions,
            "overlaps": self.overlaps,
        }


def compared(case_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Compared]:
    """What there is to compare of each case; five queries however many cases."""
    cases = MedicalCase.objects.filter(pk__in=list(case_ids)).defer("extra", "history", "question")
    found = {case.pk: Compared(case) for case in cases}
    _voices(found)
    _predictions(found)
    _against_models(found)
    _among_readers(found)
    return found


def _voices(found: dict[uuid.UUID, Compared]) -> None:
    """Of each reading the newest revision that was written blind, as agreement counts it."""
    blind = ReadingRevision.objects.filter(reading__case__in=found, reading__arm=Arm.UNAIDED, is_after_looking=False)
    rows = (
        blind.exclude(reading__state__in=[ReadingState.CLOSED, ReadingState.SURPLUS])
        .order_by("reading_id", "-revision")
        .distinct("reading_id")
        .values_list("reading__case_id", "reading_id", "revision", "input_digest", "content__answer")
    )
    for case_id, reading_id, revision, input_digest, answer in rows:
        case = found[case_id].case
        if input_digest == case.input_digest:
            chosen = option_chosen(answer)
            choice = chosen if chosen in (case.options or {}) else None
            found[case_id].voices.append(Voice(reading_id, revision, choice))


def _predictions(found: dict[uuid.UUID, Compared]) -> None:
    rows = current_predictions().filter(case__in=found, state=JobState.DONE, model__is_trained=True)
    for prediction in rows.select_related("model").defer("text", "image_share").order_by("case_id", "model_id"):
        found[prediction.case_id].predictions.append(prediction)


def _against_models(found: dict[uuid.UUID, Compared]) -> None:
    """Stored scores of each model against each reader."""
    predictions = {one.pk: one for row in found.values() for one in row.predictions}
    revisions = {one.reading_id: one.revision for row in found.values() for one in row.voices}
    if not predictions or not revisions:
        return
    for (prediction_id, _), pair in sorted(disagreements(predictions.values(), revisions).items()):
        row = found[predictions[prediction_id].case_id]
        row.answers += [value for value in (pair["answer"],) if value is not None]
        row.regions += [value for value in (pair["region"],) if value is not None]


def _among_readers(found: dict[uuid.UUID, Compared]) -> None:
    """Stored overlaps of each two readers' regions, where both have said nothing newer since."""
    rows = (
        AgreementScore.objects.filter(
            case__in=[case_id for case_id, row in found.items() if len(row.voices) > 1],
            arm=Arm.UNAIDED,
            a_kind=PartyKind.READER,
            b_kind=PartyKind.READER,
            matched_iou__isnull=False,
        )
        .order_by("case_id", "a_said", "b_said")
        .values_list("case_id", "a_said", "a_revision", "b_said", "b_revision", "matched_iou")
    )
    for case_id, a_said, a_revision, b_said, b_revision, iou in rows:
        assert iou is not None  # asked for
        newest = {one.reading_id: one.revision for one in found[case_id].voices}
        if newest.get(a_said) == a_revision and newest.get(b_said) == b_revision:
            found[case_id].overlaps.append(iou)


def parts_of(row: Compared, maps: Mapping[uuid.UUID, Mapping[Place, Seen]]) -> dict[str, Part]:
    """Every part of a case that can be measured.

    Parameters
    ----------
    maps
        Where each prediction looked, by prediction and (image, frame), as `seen_maps` gives it.
    """
    options = sorted(row.case.options or {})
    votes = [one.choice for one in row.voices if one.choice is not None]
    told = [given for one in row.predictions if (given := _options_of(one, options)) is not None]
    shares = [votes.count(letter) / len(votes) for letter in options] if votes else []
    measured: dict[str, list[float]] = {
        priority.READER_REGIONS: [1 - iou for iou in row.overlaps],
        priority.MODEL_ANSWERS: row.answers,
        priority.MODEL_VOTES: [priority.divergence(shares, one) for one in told] if votes else [],
        priority.MODEL_REGIONS: row.regions,
        priority.BETWEEN_ANSWERS: [priority.divergence(first, second) for first, second in combinations(told, 2)],
        priority.BETWEEN_ATTENTION: [
            value
            for first, second in combinations(row.predictions, 2)
            if (value := _apart(maps.get(first.pk, {}), maps.get(second.pk, {}))) is not None
        ],
    }
    parts = {name: Part(_within(fmean(values)), len(values)) for name, values in measured.items() if values}
    split = priority.vote_split(votes, len(options)) if len(votes) > 1 else math.nan
    if not math.isnan(split):
        parts[priority.READER_ANSWERS] = Part(split, len(votes))
    return parts


def _within(value: float) -> float:
    """Of numbers that lie in [0, 1] so does the mean, but for the last bit."""
    return min(1.0, max(0.0, value))


def _options_of(prediction: Prediction, options: Sequence[str]) -> list[float] | None:
    """The model's probabilities in the order of the options; all on its choice where it gives none."""
    given = prediction.option_probabilities
    if not given and prediction.choice in options:
        given = {prediction.choice: 1.0}
    if not given or not set(given) <= set(options):
        return None
    row = [float(given.get(letter, 0.0)) for letter in options]
    whole = math.fsum(row)
    return [value / whole for value in row] if whole > 0 else None


@dataclass(frozen=True)
class Seen:
    """Where a model looked on one frame at its headline layer."""

    attention: Grid
    transform: GridTransform


def seen_maps(predictions: Iterable[Prediction]) -> dict[uuid.UUID, dict[Place, Seen]]:
    """Relative attention of each prediction at its model's headline layer; one query, for that layer alone."""
    by_id = {one.pk: one for one in predictions}
    found: dict[uuid.UUID, dict[Place, Seen]] = defaultdict(dict)
    if not by_id:
        return found
    layers = {one.model_id: headline_layer(one.model) for one in by_id.values()}
    layer = Case(
        *(When(prediction__model=model_id, then=Value(at)) for model_id, at in layers.items()),
        output_field=IntegerField(),
    )
    length = F("rows") * F("columns") * Value(FLOAT_BYTES)
    rows = AttentionMap.objects.filter(prediction__in=by_id).annotate(
        asked=_slice("question", layer * length + Value(1), length),
        general_one=_slice("general", layer * length + Value(1), length),
    )
    for row in rows.defer("question", "general"):
        size = (1, row.rows, row.columns)
        if len(row.asked) != row.rows * row.columns * FLOAT_BYTES:  # the layer that the model names it does not have
            continue
        question, general = (np.frombuffer(one, dtype="<f4").reshape(size) for one in (row.asked, row.general_one))
        seen = Seen(relative_layers(question, general)[0], GridTransform.from_dict(row.transform))
        found[row.prediction_id][row.image, row.frame] = seen
    return found


def _slice(column: str, start: Any, length: Any) -> Func:
    return Func(F(column), start, length, function="substring", output_field=BinaryField())


def _apart(first: Mapping[Place, Seen], second: Mapping[Place, Seen]) -> float | None:
    """How far apart two models look: the mean over the frames that both were shown; None where there is none."""
    values: list[float] = []
    for place in sorted(first.keys() & second.keys()):
        one, other = first[place], second[place]
        if one.transform.image_size != other.transform.image_size:
            continue
        value = priority.attention_divergence(one.attention, other.attention, (one.transform, other.transform))
        if not math.isnan(value):
            values.append(value)
    return fmean(values) if values else None
