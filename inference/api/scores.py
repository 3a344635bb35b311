"""Everything said about how far models and experts are apart on one case."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch, Q
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.blinding import is_blind
from annotations.models import Arm, Reading
from annotations.naming import CaseNames
from curation import audit
from curation.access import SignedIn, signed_in
from curation.digests import gold_record
from curation.models import Case, Gold
from curation.paging import arguments, number, refuse
from curation.permissions import SEE_OTHERS
from inference.currency import headline_layer, with_staleness
from inference.describing import describe_prediction, describe_scores, describe_verdict
from inference.facts import disagreements
from inference.metrics.catalogue import METRICS
from inference.models import (
    AttentionMap,
    JobState,
    MapKind,
    Prediction,
    RoiRule,
    Score,
    TargetKind,
    Verdict,
    VerdictTarget,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rest_framework.request import Request

    from curation.models import User

HEADLINE = "headline"
CHOICES = {"metric": tuple(METRICS), "map": tuple(MapKind.values), "roi_rule": tuple(RoiRule.values)}
MOST_LAYERS = 1000


def case_scores(case: Case, user: User, given: Mapping[str, str]) -> dict[str, Any]:
    """The body for somebody who is no longer blind: staff get every target, a reader the own readings only."""
    predictions = _predictions(case)
    is_staff = user.has_perm(SEE_OTHERS, case.benchmark)
    readings = (
        Reading.objects.filter(case=case, arm=Arm.UNAIDED, revision__gt=0)
        .select_related("reader")
        .prefetch_related("revisions")
        .order_by("created_at", "pk")
    )
    seen = list(readings if is_staff else readings.filter(reader=user))
    gold = _gold(case) if is_staff else None
    revisions = {reading.pk: reading.revision for reading in seen}
    newest = {(TargetKind.READING.value, pk): revision for pk, revision in revisions.items()}
    targets = Q(target_kind=TargetKind.READING, target_id__in=revisions)
    if is_staff:
        targets |= Q(target_kind=TargetKind.GOLD, target_id=case.pk)
        newest |= {(TargetKind.GOLD.value, case.pk): gold.revision} if gold else {}
    by_id = {prediction.pk: prediction for prediction in predictions}
    rows = Score.objects.filter(targets, prediction__in=by_id, **_chosen(given)).order_by(
        "prediction_id", "target_kind", "target_id", "-target_revision", "image", "frame", "map", "roi_rule", "metric"
    )
    names = CaseNames.of(user, [case])
    return {
        "case": str(case.pk),
        "is_blind": False,
        "predictions": [describe_prediction(prediction) for prediction in predictions],
        "readings": [_reading(reading, user, names) for reading in seen],
        "gold": None if gold is None else {"revision": gold.revision, **(gold_record(gold) or {})},
        "verdicts": [describe_verdict(row) for row in _verdicts(by_id, revisions, is_staff=is_staff)],
        "results": [
            one
            for row in rows
            for one in describe_scores(
                row,
                prediction=by_id[row.prediction_id],
                newest=newest,
                layers=_layers(given, by_id[row.prediction_id]),
            )
        ],
        "disagreement": [
            {"prediction": str(prediction_id), "reading": str(reading_id), **pair}
            for (prediction_id, reading_id), pair in sorted(disagreements(predictions, revisions).items())
        ],
    }


def _predictions(case: Case) -> list[Prediction]:
    rows = Prediction.objects.filter(case=case).exclude(state=JobState.CANCELLED).select_related("model", "case")
    # The maps' bytes stay in the database: only their sizes are told here.
    maps = AttentionMap.objects.defer("question", "general")
    return list(rows.prefetch_related("steps", Prefetch("maps", maps)).order_by("model__name", "-created_at"))


def _gold(case: Case) -> Gold | None:
    return Gold.objects.in_force().filter(case=case).prefetch_related("rois").first()


def _verdicts(predictions: Iterable[uuid.UUID], readings: Iterable[uuid.UUID], *, is_staff: bool) -> Iterable[Verdict]:
    """Of the readings that are seen; for staff of gold and case as well, which tell what others said."""
    targets = Q(target_kind=VerdictTarget.READING, target_id__in=readings)
    if is_staff:
        targets |= Q(target_kind__in=[VerdictTarget.GOLD, VerdictTarget.CASE])
    rows: Iterable[Verdict] = with_staleness(Verdict.objects.filter(targets, prediction__in=predictions))
    return sorted(rows, key=lambda row: (row.prediction_id, row.target_kind, row.target_id))


def _chosen(given: Mapping[str, str]) -> dict[str, Any]:
    for name, known in CHOICES.items():
        if name in given and given[name] not in known:
            raise refuse(name, f"{given[name][:80]!r} is none of {', '.join(known)}")
    chosen: dict[str, Any] = {name: given[name] for name in CHOICES if name in given}
    if "prediction" in given:
        try:
            chosen["prediction"] = uuid.UUID(given["prediction"])
        except ValueError:
            raise refuse("prediction", f"{given['prediction'][:80]!r} is no id") from None
    return chosen


def _layers(given: Mapping[str, str], prediction: Prediction) -> list[int] | None:
    if "layer" not in given:
        return None
    if given["layer"] == HEADLINE:
        return [headline_layer(prediction.model)]
    return [int(number(given["layer"], "layer", least=0, most=MOST_LAYERS))]


def _reading(reading: Reading, user: User, names: CaseNames) -> dict[str, Any]:
    """What the page draws: answer and regions of the newest revision; its steps are at `readings/{id}/`."""
    newest = next(row for row in reading.revisions.all() if row.revision == reading.revision)
    return {
        "id": str(reading.pk),
        "reader": names.alias(reading.reader_id, reading.case_id) or reading.reader.display_name,
        "arm": reading.arm,
        "revision": reading.revision,
        "is_own": reading.reader_id == user.pk,
        "answer": newest.content["answer"],
        "rois": newest.content["rois"],
    }


class CaseScores(APIView):
    """Predictions, readings, scores and disagreement of a case."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, case_id: uuid.UUID) -> Response:
        """Nothing but `is_blind` for whoever must still read the case.

        `layer` (a number or `headline`), `map`, `metric`, `roi_rule` and `prediction` narrow the results.
        """
        user = signed_in(request)
        case = get_object_or_404(Case.objects.visible_to(user).select_related("benchmark"), pk=case_id)
        given = arguments(request, {*CHOICES, "layer", "prediction"})
        if is_blind(user, case):
            nothing: dict[str, Any] = {name: [] for name in ("predictions", "readings", "results", "disagreement")}
            return Response({"case": str(case.pk), "is_blind": True, **nothing, "gold": None, "verdicts": []})
        audit.look(user=user, case=case)
        return Response(case_scores(case, user, given))


urlpatterns = [path("cases/<uuid:case_id>/scores/", CaseScores.as_view(), name="case-scores")]
