"""Endpoints of readings: the draft, submitting it, and what a curator does with a surplus one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations import aided, drafting, payloads, submission
from annotations.api import bodies
from annotations.api.conflicts import as_problems
from annotations.blinding import hidden_faults, is_blind
from annotations.models import Reading
from curation import audit
from curation.access import SignedIn, require, signed_in
from curation.models import Benchmark, Case
from curation.permissions import CURATE, READ, VIEW
from curation.statements import Columns, Statement

if TYPE_CHECKING:
    import uuid

    from rest_framework.request import Request

# Not the draft, which may be large: whoever changes it reads it again under its lock.
_READING = Columns(Reading, "r", only=("id", "case_id", "reader_id", "arm"))
_CASE = Columns(Case, "c", only=("id", "benchmark_id"))
_BENCHMARK = Columns(Benchmark, "b", only=("id", "slug"))
_OWN = Statement(f"""
    SELECT {_READING.sql}, {_CASE.sql}, {_BENCHMARK.sql}
    FROM annotations_reading r JOIN curation_case c ON c.id = r.case_id
    JOIN curation_benchmark b ON b.id = c.benchmark_id
    WHERE r.id = %(reading)s AND r.reader_id = %(reader)s""")  # noqa: S608 - names of columns only
KEY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, required=True)


def visible_reading(request: Request, pk: uuid.UUID, permission: str) -> Reading:
    """A reading that whoever asks may know of, in a benchmark in which they hold the permission."""
    user = signed_in(request)
    readings = Reading.objects.visible_to(user).select_related("case__benchmark", "reader")
    reading = get_object_or_404(readings, pk=pk)
    require(user, permission, reading.case.benchmark)
    return reading


def own_reading(request: Request, pk: uuid.UUID) -> Reading:
    """A reading that whoever asks may write: their own, and no one else's, whatever their role."""
    user = signed_in(request)
    found = _OWN.row(reading=pk, reader=user.pk)
    if found is None:
        require(user, READ, visible_reading(request, pk, VIEW).case.benchmark)
        raise PermissionDenied("Only its reader may change a reading.")
    reading = _READING.made(found[:4])
    reading.case = _CASE.made(found[4:6])
    reading.case.benchmark = _BENCHMARK.made(found[6:])
    require(user, READ, reading.case.benchmark)
    return reading


class ReadingDetail(APIView):
    """One reading."""

    permission_classes = (SignedIn,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """One's own with its draft; of others what was submitted, once one's own reading of the case is."""
        user = signed_in(request)
        reading = visible_reading(request, pk, VIEW)
        if reading.reader_id == user.pk:
            return Response(payloads.own_reading(reading))
        if is_blind(user, reading.case):
            raise PermissionDenied("Submit your own reading of this case first.")
        audit.look(user=user, case=reading.case)
        return Response(payloads.someones_reading(reading, user))


class Draft(APIView):
    """The draft of a reading."""

    permission_classes = (SignedIn,)
    parser_classes = (bodies.DraftParser,)

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def put(self, request: Request, pk: uuid.UUID) -> Response:
        """Save over the version that the change was made from."""
        reading = own_reading(request, pk)
        version, content = bodies.draft(request.data)
        with as_problems():
            saved = drafting.save_draft(reading_id=reading.pk, version=version, content=content)
        return Response({"version": saved.version, "saved_at": saved.saved_at})


class Submit(APIView):
    """Submitting a reading."""

    permission_classes = (SignedIn,)
    parser_classes = (bodies.DraftParser,)

    @extend_schema(parameters=[KEY], request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Make the draft the next revision; the same key is answered the same way again."""
        reading = own_reading(request, pk)
        key = bodies.idempotency_key(request)
        version = bodies.submitted_version(request.data)
        with as_problems():
            revision = submission.submit(reading_id=reading.pk, version=version, key=key)
        return Response(payloads.submitted(revision))


class Revise(APIView):
    """Correcting a submitted reading."""

    permission_classes = (SignedIn,)

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Open the reading as the draft of its next revision."""
        reading = own_reading(request, pk)
        with as_problems():
            return Response(payloads.own_reading(submission.revise(reading_id=reading.pk)))


class Aided(APIView):
    """Reading a case again, with models in view."""

    permission_classes = (SignedIn,)

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Open the aided arm, only after the unaided submit; twice is the same as once."""
        reading = own_reading(request, pk)
        with as_problems():
            return Response(payloads.own_reading(aided.open_aided(reading_id=reading.pk)))


class Accept(APIView):
    """Taking a surplus draft."""

    permission_classes = (SignedIn,)
    parser_classes = (bodies.DraftParser,)

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Take it as submitted, beyond the overlap, with a reason."""
        reading = visible_reading(request, pk, CURATE)
        reason = bodies.reason(request.data)
        with as_problems(), hidden_faults(signed_in(request), reading.case):
            revision = submission.accept_surplus(reading_id=reading.pk, curator=signed_in(request), reason=reason)
        return Response(payloads.submitted(revision))


class Close(APIView):
    """Leaving a surplus draft."""

    permission_classes = (SignedIn,)
    parser_classes = (bodies.DraftParser,)

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Close it for good, with a reason."""
        reading = visible_reading(request, pk, CURATE)
        reason = bodies.reason(request.data)
        with as_problems():
            closed = submission.close_surplus(reading_id=reading.pk, curator=signed_in(request), reason=reason)
        return Response({"reading": str(closed.pk), "state": closed.state})


urlpatterns = [
    path("readings/<uuid:pk>/", ReadingDetail.as_view(), name="reading"),
    path("readings/<uuid:pk>/draft/", Draft.as_view(), name="reading-draft"),
    path("readings/<uuid:pk>/submit/", Submit.as_view(), name="reading-submit"),
    path("readings/<uuid:pk>/revise/", Revise.as_view(), name="reading-revise"),
    path("readings/<uuid:pk>/aided/", Aided.as_view(), name="reading-aided"),
    path("readings/<uuid:pk>/accept/", Accept.as_view(), name="reading-accept"),
    path("readings/<uuid:pk>/close/", Close.as_view(), name="reading-close"),
]
