"""Endpoints of probes, training and drift, for curators who do not read in the benchmark; and a reader's feedback."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count, Q
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations import drift, feedback, probes
from annotations.api.readings import own_reading
from annotations.blinding import require_not_reading
from annotations.models import Arm, ProbeResult
from annotations.probe_results import score_missing
from curation import looking
from curation.access import SignedIn, signed_in, visible_benchmark
from curation.api.bodies import object_of
from curation.fields import Fields
from curation.models import Benchmark, Case, Gold
from curation.paging import arguments, page
from curation.permissions import CURATE
from curation.problems import FieldError, Problem, invalid

if TYPE_CHECKING:
    from rest_framework.request import Request

    from annotations.drift import Chart, ReaderDrift, Turn

_KEYS = ("probe_rate", "is_training", "mark", "unmark")


def probing_benchmark(request: Request, slug: str) -> Benchmark:
    """The benchmark, for one of its curators who does not read there: 404 for an outsider, 403 for others."""
    user = signed_in(request)
    benchmark = visible_benchmark(user, slug, CURATE)
    require_not_reading(user, benchmark)
    return benchmark


def describe_probing(benchmark: Benchmark) -> dict[str, Any]:
    """Rate, training, and how much of it there is; three queries."""
    golden = Gold.objects.in_force().filter(case__benchmark=benchmark)
    return {
        "probe_rate": benchmark.probe_rate,
        "is_training": benchmark.is_training,
        "probes": Case.objects.filter(benchmark=benchmark, is_probe=True).count(),
        "cases_with_gold": golden.count(),
        "results": ProbeResult.objects.filter(benchmark_id=benchmark.pk).count(),
    }


class Probing(APIView):
    """Probes and training of a benchmark."""

    permission_classes = (SignedIn,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str) -> Response:
        """The rate, whether it is training, and counts."""
        benchmark = probing_benchmark(request, slug)
        looking.see_page(user=signed_in(request), benchmark=benchmark, page=looking.Page.PROBES)
        return Response(describe_probing(benchmark))

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def patch(self, request: Request, slug: str) -> Response:
        """Change `probe_rate` and `is_training`; make cases probes (`mark`) or not (`unmark`), lists of ids."""
        benchmark, user = probing_benchmark(request, slug), signed_in(request)
        fields = Fields()
        body = fields.mapping(object_of(request), "", _KEYS)
        wanted: dict[str, Any] = {}
        if "probe_rate" in body:
            wanted["probe_rate"] = fields.number(body["probe_rate"], "probe_rate", least=0, most=probes.LARGEST_RATE)
        if "is_training" in body:
            wanted["is_training"] = fields.flag(body["is_training"], "is_training")
        lists = {name: _ids(fields, body[name], name) for name in ("mark", "unmark") if name in body}
        if not body:
            fields.fault("", f"the body says nothing: give one at least of {', '.join(_KEYS)}")
        if fields.errors:
            raise invalid(tuple(fields.errors), what="probing")
        with transaction.atomic():
            for name, ids in lists.items():
                _mark(benchmark, ids, name, user)
            changed = probes.change_probing(benchmark=benchmark, actor=user, **wanted)
        return Response(describe_probing(changed))


def _ids(fields: Fields, given: object, path: str) -> list[uuid.UUID]:
    found: list[uuid.UUID] = []
    seen: dict[str, str] = {}
    for where, value in fields.items(given, path, most=probes.MOST_AT_ONCE):
        text = fields.identifier(value, where, seen)
        if text:
            found.append(uuid.UUID(text))
    return found


def _mark(benchmark: Benchmark, ids: list[uuid.UUID], name: str, user: Any) -> None:
    try:
        probes.mark_probes(benchmark=benchmark, case_ids=ids, is_probe=name == "mark", actor=user)
    except (probes.NoGold, probes.UnknownCases) as error:
        raise invalid((FieldError(name, str(error)),), what="probing") from error


class ProbeList(APIView):
    """The probes of a benchmark."""

    permission_classes = (SignedIn,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str) -> Response:
        """A page, in the given order: key, gold revision in force, and how many readings are probe readings."""
        benchmark = probing_benchmark(request, slug)
        given = arguments(request, {"cursor", "limit"})
        looking.see_page(user=signed_in(request), benchmark=benchmark, page=looking.Page.PROBES)
        rows = Case.objects.filter(benchmark=benchmark, is_probe=True).annotate(
            read=Count("readings__probe_result", filter=Q(readings__arm=Arm.UNAIDED))
        )
        return Response(page(rows, given, key="position", kind=int, render=_described).as_json())


def _described(cases: list[Case]) -> list[dict[str, Any]]:
    revisions = dict(Gold.objects.in_force().filter(case__in=cases).values_list("case_id", "revision"))
    return [
        {
            "case": str(case.pk),
            "key": case.key,
            "gold_revision": revisions.get(case.pk),
            "times_read": getattr(case, "read", 0),
        }
        for case in cases
    ]


class Drift(APIView):
    """How readers do on the probes over time."""

    permission_classes = (SignedIn,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str) -> Response:
        """Control charts of every reader: accuracy, and IoU with the gold's regions."""
        benchmark = probing_benchmark(request, slug)
        looking.see_page(user=signed_in(request), benchmark=benchmark, page=looking.Page.DRIFT)
        score_missing(benchmark.pk)
        return Response({"readers": [describe_drift(row) for row in drift.drift_of(benchmark)]})


def describe_drift(row: ReaderDrift) -> dict[str, Any]:
    """One reader's charts."""
    return {
        "reader": {"id": str(row.reader.pk), "name": row.reader.display_name},
        "probes": row.probes,
        "is_out": row.is_out,
        **{chart.measure: _chart(chart) for chart in row.charts},
    }


def _chart(chart: Chart) -> dict[str, Any]:
    base = chart.baseline
    return {
        "mean": chart.mean,
        "n": len(chart.turns),
        "side": chart.side or None,
        "baseline": None if base is None else {"mean": base.mean, "deviation": base.deviation, "n": base.n},
        "why": chart.why or None,
        "points": [_turn(turn) for turn in chart.turns],
    }


def _turn(turn: Turn) -> dict[str, Any]:
    point = turn.point
    return {
        "number": turn.number,
        "case": str(turn.case_id),
        "at": turn.at,
        "value": turn.value,
        "mean": point and point.mean,
        "low": point and point.low,
        "high": point and point.high,
        "side": (point.side or None) if point else None,
    }


class Feedback(APIView):
    """What a reader in training is told."""

    permission_classes = (SignedIn,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """The gold of the case, after the own submit, in training mode; never else."""
        reading = own_reading(request, pk)
        try:
            return Response(feedback.feedback_on(reading_id=reading.pk))
        except feedback.NoFeedback as error:
            raise Problem("no-feedback", status=403, title="There is no feedback", detail=str(error)) from error


urlpatterns = [
    path("benchmarks/<slug:slug>/probing/", Probing.as_view(), name="benchmark-probing"),
    path("benchmarks/<slug:slug>/probes/", ProbeList.as_view(), name="benchmark-probes"),
    path("benchmarks/<slug:slug>/drift/", Drift.as_view(), name="benchmark-drift"),
    path("readings/<uuid:pk>/feedback/", Feedback.as_view(), name="reading-feedback"),
]
