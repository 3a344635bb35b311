"""One case's disagreement score with its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.blinding import is_blind
from annotations.models import CasePriority
from curation import audit
from curation.access import SignedIn, require, signed_in
from curation.models import Case
from curation.paging import arguments
from curation.permissions import SEE_OTHERS
from inference.priorities import describe

if TYPE_CHECKING:
    import uuid

    from rest_framework.request import Request


class CaseDisagreement(APIView):
    """What `inference.priorities` wrote down of a case."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, case_id: uuid.UUID) -> Response:
        """For staff who need not read the case blind any more: it tells of every reading and model."""
        user = signed_in(request)
        case = get_object_or_404(Case.objects.visible_to(user).select_related("benchmark"), pk=case_id)
        require(user, SEE_OTHERS, case.benchmark)
        arguments(request, set())
        if is_blind(user, case):
            raise PermissionDenied("You must still read this case blind.")
        audit.look(user=user, case=case)
        return Response({"case": str(case.pk), **describe(CasePriority.objects.filter(case=case).first())})


urlpatterns = [path("cases/<uuid:case_id>/disagreement/", CaseDisagreement.as_view(), name="case-disagreement")]
