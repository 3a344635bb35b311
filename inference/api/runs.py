"""Scoring runs: how far they are, and stopping one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, F, Func, Value
from django.db.models.functions import Cast, Concat
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.blinding import blind_case_ids
from curation.access import SignedIn, require, signed_in
from curation.models import Benchmark
from curation.paging import arguments, page, refuse
from curation.permissions import RUN_MODELS, SEE_MODELS
from curation.problems import Problem
from inference.api.models import benchmarks_with
from inference.describing import describe_run
from inference.models import JobState, ScoringRun
from inference.scoring import cancel_run

if TYPE_CHECKING:
    from rest_framework.request import Request

    from curation.models import User


class NewestFirst(Func):
    """A time as text of 16 digits that sorts the newest first, to the microsecond."""

    template = "(9000000000000000 - (EXTRACT(EPOCH FROM %(expressions)s) * 1000000)::bigint)::text"
    output_field = CharField()


def describe_runs(runs: list[ScoringRun], user: User) -> list[dict[str, Any]]:
    """Runs without the error of those over a case that the user must still read: it may quote what a model said."""
    blind = blind_case_ids(user, [run.case for run in runs if run.case])
    return [describe_run(run, with_error=run.case_id not in blind) for run in runs]


class RunList(APIView):
    """Runs of the benchmarks in which the user is staff."""

    permission_classes = (SignedIn,)

    def get(self, request: Request) -> Response:
        """A page, the newest first; `benchmark`, `state` and `kind` narrow it."""
        user, given = signed_in(request), arguments(request, {"cursor", "limit", "benchmark", "state", "kind"})
        rows = ScoringRun.objects.filter(benchmark__in=benchmarks_with(user, SEE_MODELS))
        if "benchmark" in given:
            rows = rows.filter(benchmark__slug=given["benchmark"])
        if "state" in given and given["state"] not in JobState.values:
            raise refuse("state", f"{given['state'][:80]!r} is none of {', '.join(JobState.values)}")
        rows = rows.filter(**{name: given[name] for name in ("state", "kind") if name in given})
        key = Concat(NewestFirst(F("created_at")), Value("."), Cast(F("id"), CharField()))
        keyed = rows.select_related("benchmark", "model", "case").annotate(key=key)
        found = page(keyed, given, key="key", kind=str, render=lambda batch: describe_runs(batch, user))
        return Response(found.as_json())


def _visible_run(user: User, run_id: uuid.UUID, permission: str) -> ScoringRun:
    rows = ScoringRun.objects.filter(benchmark__in=Benchmark.objects.visible_to(user))
    run: ScoringRun = get_object_or_404(rows.select_related("benchmark", "model", "case"), pk=run_id)
    require(user, permission, run.benchmark)
    return run


class RunDetail(APIView):
    """One run."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """How far it is."""
        user = signed_in(request)
        return Response(describe_runs([_visible_run(user, run_id, SEE_MODELS)], user)[0])


class RunCancel(APIView):
    """Stopping a run."""

    permission_classes = (SignedIn,)

    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """Cancel a queued run at once, a running one before its next case; 409 for one that has ended."""
        user = signed_in(request)
        run = _visible_run(user, run_id, RUN_MODELS)
        if not cancel_run(run=run, actor=user):
            raise Problem(
                "run-ended",
                status=409,
                title="The run has ended",
                detail=f"Run {run.pk} is {ScoringRun.objects.get(pk=run.pk).state}.",
            )
        return Response(describe_runs([_visible_run(user, run_id, RUN_MODELS)], user)[0])


urlpatterns = [
    path("runs/", RunList.as_view(), name="runs"),
    path("runs/<uuid:run_id>/", RunDetail.as_view(), name="run"),
    path("runs/<uuid:run_id>/cancel/", RunCancel.as_view(), name="run-cancel"),
]
