"""Registered models, and which benchmarks they read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import CharField, F
from django.db.models.functions import Cast
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from curation.access import SignedIn, signed_in, visible_benchmark
from curation.api.bodies import object_of
from curation.fields import Fields
from curation.models import Benchmark
from curation.paging import arguments, page
from curation.permissions import RUN_MODELS, SEE_MODELS
from curation.problems import FieldError, Problem, invalid
from inference.describing import describe_enrolment, describe_model
from inference.enrolling import enrol
from inference.metrics.catalogue import METRICS
from inference.models import Enrolment, ModelVersion

if TYPE_CHECKING:
    from rest_framework.request import Request

    from curation.models import User


def benchmarks_with(user: User, permission: str) -> list[Benchmark]:
    """Benchmarks in which the user holds a permission; the roles are one query."""
    return [one for one in Benchmark.objects.visible_to(user) if user.has_perm(permission, one)]


def models_visible_to(user: User) -> Any:
    """Every model for who runs models anywhere; for other staff those that read their benchmarks; else none."""
    if benchmarks_with(user, RUN_MODELS) or user.has_perm(RUN_MODELS, None):
        return ModelVersion.objects.all()
    return ModelVersion.objects.filter(enrolments__benchmark__in=benchmarks_with(user, SEE_MODELS)).distinct()


class ModelList(APIView):
    """Models that the user may see."""

    permission_classes = (SignedIn,)

    def get(self, request: Request) -> Response:
        """A page, by name. Models are registered by command, where their weights lie."""
        user, given = signed_in(request), arguments(request, {"cursor", "limit"})
        found = page(
            models_visible_to(user),
            given,
            key="name",
            kind=str,
            render=lambda rows: [describe_model(row) for row in rows],
        )
        return Response(found.as_json())


class EnrolmentList(APIView):
    """Which models read which benchmarks."""

    permission_classes = (SignedIn,)

    def get(self, request: Request) -> Response:
        """A page; `benchmark` names one. For staff of the benchmark."""
        user, given = signed_in(request), arguments(request, {"cursor", "limit", "benchmark"})
        rows = Enrolment.objects.filter(benchmark__in=benchmarks_with(user, SEE_MODELS))
        if "benchmark" in given:
            rows = rows.filter(benchmark__slug=given["benchmark"])
        keyed = rows.select_related("benchmark", "model").annotate(key=Cast(F("id"), CharField()))
        found = page(keyed, given, key="key", kind=str, render=lambda batch: [describe_enrolment(row) for row in batch])
        return Response(found.as_json())

    def post(self, request: Request) -> Response:
        """`{benchmark, model, is_live, metrics}`: 201 for a new enrolment, 200 for one that was there."""
        user = signed_in(request)
        fields = Fields()
        known = ("benchmark", "model", "is_live", "metrics")
        body = fields.mapping(object_of(request), "", known, ("benchmark", "model"))
        slug = fields.text(body.get("benchmark", ""), "benchmark", most=64)
        name = fields.text(body.get("model", ""), "model", most=100)
        is_live = fields.flag(body.get("is_live", False), "is_live")
        given = fields.items(body.get("metrics", []), "metrics", most=len(METRICS))
        metrics = [fields.one_of(one, at, tuple(METRICS)) for at, one in given]
        if fields.errors:
            raise invalid(tuple(fields.errors), what="enrolment")
        benchmark = visible_benchmark(user, slug, RUN_MODELS)
        model = ModelVersion.objects.filter(name=name).first()
        if model is None:
            raise _unknown_model(name)
        enrolment, is_new = enrol(benchmark=benchmark, model=model, is_live=is_live, metrics=metrics, actor=user)
        return Response(describe_enrolment(enrolment), status=201 if is_new else 200)


def _unknown_model(name: str) -> Problem:
    return invalid((FieldError("model", f"there is no model {name!r}"),), what="enrolment")


urlpatterns = [
    path("models/", ModelList.as_view(), name="models"),
    path("enrolments/", EnrolmentList.as_view(), name="enrolments"),
]
