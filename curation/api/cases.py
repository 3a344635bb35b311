"""Endpoints of one case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from curation import audit
from curation.access import SignedIn, require, signed_in
from curation.describing import describe_cases, reads_blind
from curation.models import Case
from curation.paging import arguments
from curation.permissions import VIEW

if TYPE_CHECKING:
    import uuid

    from rest_framework.request import Request


class CaseDetail(APIView):
    """One case."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, case_id: uuid.UUID) -> Response:
        """All of it, or for those who read in its benchmark what may be seen blind."""
        user = signed_in(request)
        arguments(request, ())
        case = get_object_or_404(Case.objects.visible_to(user).select_related("benchmark"), pk=case_id)
        require(user, VIEW, case.benchmark)
        is_blind = reads_blind(user, case)
        if not is_blind:
            audit.look(user=user, case=case)
        (told,) = describe_cases([case.pk], is_blind=is_blind)
        return Response(told)


urlpatterns = [path("cases/<uuid:case_id>/", CaseDetail.as_view(), name="case")]
