"""Endpoints of the aided arm: what models said, for who reads a case again; whose answers changed, for curators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.api.probing import probing_benchmark
from annotations.api.readings import own_reading
from curation import looking
from curation.access import SignedIn, signed_in
from curation.problems import Problem
from inference import aid
from inference.describing import describe_prediction

if TYPE_CHECKING:
    import uuid

    from rest_framework.request import Request

    from inference.aid import Changes


class Aid(APIView):
    """Models beside an aided reading."""

    permission_classes = (SignedIn,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Answer, option probabilities, steps and maps of each model; what is shown is noted."""
        reading = own_reading(request, pk)
        try:
            found = aid.show_aid(reading_id=reading.pk)
        except aid.NotAided as error:
            raise Problem("not-aided", status=403, title="Models are not in view", detail=str(error)) from error
        return Response({"reading": str(reading.pk), "predictions": [describe_prediction(row) for row in found]})


class AidedChanges(APIView):
    """Whose answers changed after models came into view."""

    permission_classes = (SignedIn,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str) -> Response:
        """Counts over all aided readings, and under each model that was shown."""
        benchmark = probing_benchmark(request, slug)
        looking.see_page(user=signed_in(request), benchmark=benchmark, page=looking.Page.AIDED)
        overall, *models = aid.changes_of(benchmark)
        return Response({"overall": describe_changes(overall), "models": [describe_changes(row) for row in models]})


def describe_changes(row: Changes) -> dict[str, Any]:
    """Counts, and the difference in the share right beside interval and n; null is undefined."""
    return {
        "model": row.model,
        "readings": row.readings,
        "changed": row.changed,
        "toward_model": row.toward_model,
        "right_to_wrong": row.right_to_wrong,
        "wrong_to_right": row.wrong_to_right,
        "stayed_right": row.stayed_right,
        "stayed_wrong": row.stayed_wrong,
        "unmarked": row.unmarked,
        "difference": {"value": row.difference, "interval": row.interval, "n": row.marked},
    }


urlpatterns = [
    path("readings/<uuid:pk>/aid/", Aid.as_view(), name="reading-aid"),
    path("benchmarks/<slug:slug>/aided/", AidedChanges.as_view(), name="benchmark-aided"),
]
