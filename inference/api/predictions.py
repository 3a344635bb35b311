"""One prediction, and where the model looked."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.blinding import is_blind
from curation import audit
from curation.access import SignedIn, signed_in
from curation.models import Case
from curation.paging import arguments, number, refuse
from curation.problems import Problem
from inference.currency import headline_layer
from inference.describing import describe_heatmap, describe_prediction
from inference.models import AttentionMap, MapKind, Prediction

if TYPE_CHECKING:
    from rest_framework.request import Request

    from curation.models import User

LARGEST = 2**15 - 1


def visible_prediction(user: User, prediction_id: uuid.UUID) -> Prediction:
    """A prediction that the user may see: 404 for an outsider, 403 before the own reading is submitted."""
    rows = Prediction.objects.filter(case__in=Case.objects.visible_to(user))
    found: Prediction = get_object_or_404(rows.select_related("model", "case"), pk=prediction_id)
    if is_blind(user, found.case):
        raise Problem(
            "blind",
            status=403,
            title="This case is still to be read",
            detail="What models said opens after you submit your own reading.",
        )
    audit.look(user=user, case=found.case)
    return found


class PredictionDetail(APIView):
    """What a model said of a case."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, prediction_id: uuid.UUID) -> Response:
        """Answer, steps, state, and the frames it was shown."""
        return Response(describe_prediction(visible_prediction(signed_in(request), prediction_id)))


class Heatmap(APIView):
    """Attention over one frame."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, prediction_id: uuid.UUID) -> Response:
        """`?image=1&frame=0&layer=…&map=relative|absolute`; by default the first frame shown and the headline layer."""
        prediction = visible_prediction(signed_in(request), prediction_id)
        given = arguments(request, {"image", "frame", "layer", "map"})
        kind = given.get("map", MapKind.RELATIVE.value)
        if kind not in MapKind.values:
            raise refuse("map", f"{kind[:80]!r} is none of {', '.join(MapKind.values)}")
        image = int(number(given.get("image", "1"), "image", least=1, most=LARGEST))
        rows = AttentionMap.objects.filter(prediction=prediction, image=image).order_by("frame")
        if "frame" in given:
            rows = rows.filter(frame=int(number(given["frame"], "frame", least=0, most=2**31 - 1)))
        stored = rows.first()
        if stored is None:
            frame = given.get("frame", "any")
            raise Problem(
                "frame-not-shown",
                status=404,
                title="No attention over this frame",
                detail=f"The model was not shown image {image}, frame {frame}.",
            )
        layer = headline_layer(prediction.model)
        if "layer" in given:
            layer = int(number(given["layer"], "layer", least=0, most=stored.layers - 1))
        return Response(describe_heatmap(stored, kind=MapKind(kind), layer=layer))


urlpatterns = [
    path("predictions/<uuid:prediction_id>/", PredictionDetail.as_view(), name="prediction"),
    path("predictions/<uuid:prediction_id>/heatmap/", Heatmap.as_view(), name="prediction-heatmap"),
]
