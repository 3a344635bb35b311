"""Endpoints of assigning cases by name: for curators."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, F
from django.db.models.functions import Cast
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations import pushing
from annotations.api import bodies
from annotations.api.conflicts import as_problems
from annotations.blinding import blind_case_ids
from annotations.models import Assignment, AssignmentState
from curation import looking
from curation.access import SignedIn, require, signed_in, visible_benchmark
from curation.fields import Fields
from curation.models import Benchmark, Case, Role, User
from curation.paging import arguments, page, refuse
from curation.permissions import CURATE
from curation.problems import invalid
from curation.strict_json import StrictJSONParser

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Sequence

    from django.http import HttpRequest
    from rest_framework.request import Request

LONGEST_NAME = 150
LONGEST_KEY = 128
FURTHEST = dt.timedelta(days=3650)


def curated(request: Request | HttpRequest, slug: str) -> Benchmark:
    """A benchmark that whoever asks curates."""
    user = signed_in(request)
    return visible_benchmark(user, slug, CURATE)


def reader_named(name: str, benchmark: Benchmark, fields: Fields) -> User | None:
    """Somebody who reads in the benchmark, or a fault."""
    found = pushing.reader_called(name, benchmark)
    if found is None and not fields.errors:
        fields.fault("reader", f"nobody called {name!r} reads in {benchmark.slug}")
    return found


def due_of(value: object, fields: Fields) -> dt.datetime | None:
    """A time to come, with its zone; null for none."""
    if value is None:
        return None
    try:
        found = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        fields.fault("due_at", "is no time with a zone, such as 2026-12-01T17:00:00Z")
    elif not timezone.now() < found < timezone.now() + FURTHEST:
        fields.fault("due_at", f"{value} does not lie in the next ten years")
    else:
        return found.astimezone(dt.UTC)  # PostgreSQL knows no zone that is 16 hours off or more
    return None


def cases_named(keys: Iterable[tuple[str, Any]], benchmark: Benchmark, fields: Fields) -> list[uuid.UUID]:
    """Ids of the cases of those keys, in their order; a fault for each that is unknown."""
    named = [(at, fields.text(key, at, most=LONGEST_KEY)) for at, key in keys]
    known = dict(Case.objects.filter(benchmark=benchmark, key__in=[key for _, key in named]).values_list("key", "pk"))
    for at, key in named:
        if key not in known and not fields.errors:
            fields.fault(at, f"{key!r} is no case of {benchmark.slug}")
    return list(dict.fromkeys(known[key] for _, key in named if key in known))


def describe(assignments: Sequence[Assignment], user: User) -> list[dict[str, Any]]:
    """Assignments as curators get them; `reader` and `case` are loaded.

    A curator who must still read a case blind is not told why others passed it by: their words are about the case. One
    who reads in the benchmark at all is not told how cases came to readers (`origin` is null): some came as probes.
    """
    blind = blind_case_ids(user, [row.case for row in assignments])
    return [
        _row(
            row,
            is_blind=row.case_id in blind,
            tells_origin=Role.READER.value not in user.roles_in(row.case.benchmark_id),
        )
        for row in assignments
    ]


def _row(assignment: Assignment, *, is_blind: bool, tells_origin: bool) -> dict[str, Any]:
    return {
        "assignment": str(assignment.pk),
        "case": str(assignment.case_id),
        "key": assignment.case.key,
        "reader": assignment.reader.username,
        "state": assignment.state,
        "origin": assignment.origin if tells_origin else None,
        "due_at": assignment.due_at,
        "lease_expires_at": assignment.lease_expires_at if assignment.state == AssignmentState.LEASED else None,
        "skip_reason": None if is_blind else assignment.skip_reason,
    }


class Assignments(APIView):
    """Who holds which cases of a benchmark, and giving some to somebody."""

    permission_classes = (SignedIn,)
    parser_classes = (StrictJSONParser,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str) -> Response:
        """A page of them; `reader` and `state` narrow it."""
        benchmark = curated(request, slug)
        given = arguments(request, {"reader", "state", "cursor", "limit"})
        rows = Assignment.objects.filter(case__benchmark=benchmark).select_related("case", "reader")
        rows = rows.annotate(key=Cast(F("id"), CharField()))
        if "reader" in given:
            rows = rows.filter(reader__username=given["reader"])
        if "state" in given:
            if given["state"] not in AssignmentState.values:
                raise refuse("state", f"{given['state'][:40]!r} is not one of {', '.join(AssignmentState.values)}")
            rows = rows.filter(state=given["state"])
        looking.see_page(user=signed_in(request), benchmark=benchmark, page=looking.Page.QUEUE)
        found = page(rows, given, key="key", kind=str, render=lambda some: describe(some, signed_in(request)))
        return Response(found.as_json())

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, slug: str) -> Response:
        """Assign `cases` (keys), or the `next` n in reading order, to `reader`, perhaps until `due_at`."""
        benchmark = curated(request, slug)
        fields = Fields()
        body = fields.mapping(request.data, "", ("reader", "cases", "next", "due_at"), ("reader",))
        name = fields.text(body.get("reader", ""), "reader", most=LONGEST_NAME)
        reader = reader_named(name, benchmark, fields)
        due_at = due_of(body.get("due_at"), fields)
        case_ids = self._cases(body, benchmark, reader, fields)
        if fields.errors or reader is None:
            raise invalid(tuple(fields.errors), what="assignment")
        user = signed_in(request)
        done = pushing.assign(benchmark=benchmark, case_ids=case_ids, reader=reader, curator=user, due_at=due_at)
        return Response(
            {
                "assigned": describe(done.assigned, user),
                "refused": [
                    {"case": str(row.case.pk), "key": row.case.key, "reason": row.reason} for row in done.refused
                ],
            }
        )

    def _cases(
        self, body: dict[str, Any], benchmark: Benchmark, reader: User | None, fields: Fields
    ) -> list[uuid.UUID]:
        if ("cases" in body) == ("next" in body):
            fields.fault("cases", "give either the keys of `cases` or how many come `next`")
            return []
        if "cases" in body:
            return cases_named(fields.items(body["cases"], "cases", most=pushing.MOST_AT_ONCE), benchmark, fields)
        count = fields.whole(body["next"], "next", least=1, most=pushing.MOST_AT_ONCE)
        if fields.errors or reader is None:
            return []
        return pushing.next_unassigned(benchmark=benchmark, reader=reader, count=count)


class TakeBack(APIView):
    """Ending somebody's assignment."""

    permission_classes = (SignedIn,)
    parser_classes = (bodies.DraftParser,)

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Free its place, with a reason; the draft is kept."""
        user = signed_in(request)
        rows = Assignment.objects.filter(case__benchmark__in=Benchmark.objects.visible_to(user))
        assignment = get_object_or_404(rows.select_related("case__benchmark", "reader"), pk=pk)
        require(user, CURATE, assignment.case.benchmark)
        reason = bodies.reason(request.data)
        with as_problems():
            ended = pushing.take_back(assignment_id=assignment.pk, curator=user, reason=reason)
        return Response(describe([ended], user)[0])


urlpatterns = [
    path("benchmarks/<slug:slug>/assignments/", Assignments.as_view(), name="assignments"),
    path("assignments/<uuid:pk>/take-back/", TakeBack.as_view(), name="assignment-take-back"),
]
