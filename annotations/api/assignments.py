"""Endpoints of handing out cases and of the leases on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations import assigning, payloads
from annotations.api import bodies
from annotations.api.conflicts import as_problems
from annotations.desks import next_assigned
from annotations.models import Assignment
from curation.access import SignedIn, require, signed_in, visible_benchmark
from curation.permissions import READ

if TYPE_CHECKING:
    import uuid

    from rest_framework.request import Request


def own_assignment(request: Request, pk: uuid.UUID) -> Assignment:
    """An assignment of whoever asks, who still reads in its benchmark; to everyone else it does not exist."""
    user = signed_in(request)
    assignment = get_object_or_404(Assignment.objects.select_related("case__benchmark"), pk=pk, reader=user)
    require(user, READ, assignment.case.benchmark)
    return assignment


class NextCase(APIView):
    """The next case to read."""

    permission_classes = (SignedIn,)

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, slug: str) -> Response:
        """Lease a case, or say why there is none."""
        user = signed_in(request)
        benchmark = visible_benchmark(user, slug)
        return Response(payloads.handed_out(assigning.next_case(reader=user, benchmark=benchmark)))


class ImagesAhead(APIView):
    """Images of the case that is assigned next."""

    permission_classes = (SignedIn,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str) -> Response:
        """What a page may fetch in advance; leases nothing, and is empty unless a case is assigned by name."""
        user = signed_in(request)
        benchmark = visible_benchmark(user, slug, READ)
        ahead = payloads.images_ahead(next_assigned(user, benchmark))
        return Response(ahead, headers={"Cache-Control": "no-store"})


class Heartbeat(APIView):
    """A sign of life."""

    permission_classes = (SignedIn,)

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Prolong the lease."""
        assignment = own_assignment(request, pk)
        with as_problems():
            return Response(payloads.lease(assigning.heartbeat(assignment_id=assignment.pk)))


class Release(APIView):
    """Giving a case back."""

    permission_classes = (SignedIn,)

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Give the place back and keep the draft."""
        assignment = own_assignment(request, pk)
        with as_problems():
            return Response(payloads.lease(assigning.release(assignment_id=assignment.pk)))


class Skip(APIView):
    """Passing a case by."""

    permission_classes = (SignedIn,)
    parser_classes = (bodies.DraftParser,)

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Give the place back for good, with a reason."""
        assignment = own_assignment(request, pk)
        reason = bodies.reason(request.data)
        with as_problems():
            return Response(payloads.lease(assigning.skip(assignment_id=assignment.pk, reason=reason)))


urlpatterns = [
    path("benchmarks/<slug:slug>/next/", NextCase.as_view(), name="next-case"),
    path("benchmarks/<slug:slug>/next/images/", ImagesAhead.as_view(), name="next-images"),
    path("assignments/<uuid:pk>/heartbeat/", Heartbeat.as_view(), name="assignment-heartbeat"),
    path("assignments/<uuid:pk>/release/", Release.as_view(), name="assignment-release"),
    path("assignments/<uuid:pk>/skip/", Skip.as_view(), name="assignment-skip"),
]
