"""Endpoints of a benchmark's queue: its settings, and what single cases wish of it; for curators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations import ordering, queue_settings, queue_state
from annotations.api.pushing import cases_named, curated
from annotations.pushing import MOST_AT_ONCE
from curation.access import SignedIn, signed_in
from curation.api.bodies import object_of
from curation.fields import Fields
from curation.models import Benchmark, OrderPolicy
from curation.problems import FieldError, invalid
from curation.protocols import MOST_OVERLAP
from curation.strict_json import StrictJSONParser

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.request import Request

SMALLEST_SHARE = 0.001


def describe(benchmark: Benchmark) -> dict[str, Any]:
    """A queue's settings, and how many cases are open; one query."""
    counts = queue_state.counts_of(benchmark)
    return {
        "order_policy": benchmark.order_policy,
        "order_seed": benchmark.order_seed,
        "random_share": benchmark.random_share,
        "overlap": benchmark.overlap,
        "is_push_only": benchmark.is_push_only,
        "is_paused": benchmark.is_paused,
        "cases": counts.cases,
        "open": counts.open,
        "drawn": counts.drawn,
    }


class Queue(APIView):
    """How cases come to readers."""

    permission_classes = (SignedIn,)
    parser_classes = (StrictJSONParser,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str) -> Response:
        """The settings."""
        return Response(describe(curated(request, slug)))

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def patch(self, request: Request, slug: str) -> Response:
        """Change some of them; all that is given or nothing."""
        benchmark = curated(request, slug)
        wanted, user = _wanted(object_of(request)), signed_in(request)
        try:
            changed = queue_settings.change(benchmark=benchmark, wanted=wanted, actor=user)
        except ordering.BadOrder as error:
            raise invalid((FieldError("", str(error)),), what="queue") from error
        return Response(describe(changed))


def _wanted(given: object) -> queue_settings.Settings:
    fields = Fields()
    names = ("order_policy", "order_seed", "random_share", "overlap", "is_push_only", "is_paused")
    body = fields.mapping(given, "", names)
    checks: dict[str, Callable[[Any], Any]] = {
        "order_policy": lambda value: fields.one_of(value, "order_policy", OrderPolicy.values),
        "order_seed": lambda value: fields.whole(value, "order_seed", least=0, most=ordering.LARGEST_SEED),
        "random_share": lambda value: fields.number(value, "random_share", least=SMALLEST_SHARE, most=1),
        "overlap": lambda value: fields.whole(value, "overlap", least=1, most=MOST_OVERLAP),
        "is_push_only": lambda value: fields.flag(value, "is_push_only"),
        "is_paused": lambda value: fields.flag(value, "is_paused"),
    }
    found: dict[str, Any] = {name: check(body[name]) for name, check in checks.items() if name in body}
    if fields.errors:
        raise invalid(tuple(fields.errors), what="queue")
    renamed = {"order_policy": "policy", "order_seed": "seed"}
    return queue_settings.Settings(**{renamed.get(name, name): value for name, value in found.items()})


class QueueCases(APIView):
    """What single cases wish of the queue."""

    permission_classes = (SignedIn,)
    parser_classes = (StrictJSONParser,)

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def patch(self, request: Request, slug: str) -> Response:
        """Give `cases` (keys) an `overlap` of their own (null: the benchmark's), a `priority`, or both."""
        benchmark = curated(request, slug)
        fields = Fields()
        body = fields.mapping(request.data, "", ("cases", "overlap", "priority"), ("cases",))
        case_ids = cases_named(fields.items(body.get("cases", []), "cases", most=MOST_AT_ONCE), benchmark, fields)
        if "overlap" not in body and "priority" not in body:
            fields.fault("", "give an overlap, a priority, or both")
        if body.get("overlap") is not None:
            fields.whole(body["overlap"], "overlap", least=1, most=MOST_OVERLAP)
        if "priority" in body:
            most = ordering.MOST_PRIORITY
            fields.whole(body["priority"], "priority", least=-most, most=most)
        if fields.errors:
            raise invalid(tuple(fields.errors), what="queue")
        actor, changed = signed_in(request), {}
        with transaction.atomic():
            if "overlap" in body:
                changed["overlap"] = ordering.set_overlap(
                    benchmark=benchmark, overlap=body["overlap"], case_ids=case_ids, actor=actor
                )
            if "priority" in body:
                changed["priority"] = ordering.set_priority(
                    benchmark=benchmark, case_ids=case_ids, priority=body["priority"], actor=actor
                )
        return Response({"changed": changed})


urlpatterns = [
    path("benchmarks/<slug:slug>/queue/", Queue.as_view(), name="queue"),
    path("benchmarks/<slug:slug>/queue/cases/", QueueCases.as_view(), name="queue-cases"),
]
