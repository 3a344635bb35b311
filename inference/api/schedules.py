"""Schedules: making, changing and deleting them, running one now, and what its runs changed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from curation.access import SignedIn, require, signed_in, visible_benchmark
from curation.api.bodies import object_of
from curation.fields import Fields
from curation.models import Benchmark
from curation.paging import arguments, page
from curation.permissions import SCHEDULE, SEE_MODELS
from curation.problems import Problem, invalid
from inference.api.models import benchmarks_with
from inference.api.runs import NewestFirst
from inference.describing_schedules import describe_schedule_runs, describe_schedules, runs_of, schedules_of
from inference.metrics.catalogue import METRICS
from inference.models import Schedule
from inference.schedule_runs import RunUnderWay, ask_run
from inference.scheduling import (
    ScheduleRefused,
    Wanted,
    create_schedule,
    delete_schedule,
    edit_schedule,
    told,
    wanted_of,
)
from inference.timing import LONGEST_CRON

if TYPE_CHECKING:
    from rest_framework.request import Request

    from curation.models import User

FIELDS = ("name", "models", "metrics", "every_s", "cron", "timezone", "stale_only", "budget_s", "enabled")
MOST_MODELS = 100
MOST_S = 2**31 - 1


def read_wanted(body: Mapping[str, Any], fields: Fields, before: Wanted) -> Wanted:
    """The schedule that a body asks for: what it does not name stays as `before` has it.

    Of `every_s` and `cron` the one that is named alone takes the other's place.
    """
    given = {**told(before), **{name: body[name] for name in FIELDS if name in body}}
    if body.get("every_s") is not None and "cron" not in body:
        given["cron"] = None
    elif body.get("cron") is not None and "every_s" not in body:
        given["every_s"] = None
    models = [fields.text(one, at, most=100) for at, one in fields.items(given["models"], "models", most=MOST_MODELS)]
    metrics = [
        fields.one_of(one, at, tuple(METRICS))
        for at, one in fields.items(given["metrics"], "metrics", most=len(METRICS))
    ]
    every_s, budget_s, cron = given["every_s"], given["budget_s"], given["cron"]
    return Wanted(
        name=fields.text(given["name"], "name", most=100),
        models=tuple(sorted(set(models))),
        metrics=tuple(dict.fromkeys(metrics)),
        every_s=None if every_s is None else fields.whole(every_s, "every_s", least=-MOST_S, most=MOST_S),
        cron="" if cron is None else fields.text(cron, "cron", most=LONGEST_CRON),
        timezone=fields.text(given["timezone"], "timezone", most=64),
        is_stale_only=fields.flag(given["stale_only"], "stale_only"),
        budget_s=None if budget_s is None else fields.whole(budget_s, "budget_s", least=-MOST_S, most=MOST_S),
        is_enabled=fields.flag(given["enabled"], "enabled"),
    )


def _wanted(body: Mapping[str, Any], fields: Fields, before: Wanted) -> Wanted:
    wanted = read_wanted(body, fields, before)
    if fields.errors:
        raise invalid(tuple(fields.errors), what="schedule")
    return wanted


def visible_schedule(user: User, schedule_id: uuid.UUID, permission: str) -> Schedule:
    """A schedule: 404 for who is outside its benchmark, 403 for who may not."""
    rows = Schedule.objects.filter(benchmark__in=Benchmark.objects.visible_to(user))
    schedule: Schedule = get_object_or_404(rows.select_related("benchmark"), pk=schedule_id)
    require(user, permission, schedule.benchmark)
    return schedule


def described(schedule: Schedule, user: User) -> dict[str, Any]:
    """One schedule as the API tells it."""
    return describe_schedules(schedules_of([schedule.benchmark]).filter(pk=schedule.pk), user)[0]


class ScheduleList(APIView):
    """Schedules of the benchmarks in which the user is staff."""

    permission_classes = (SignedIn,)

    def get(self, request: Request) -> Response:
        """A page; `benchmark` names one."""
        user, given = signed_in(request), arguments(request, {"cursor", "limit", "benchmark"})
        rows = schedules_of(benchmarks_with(user, SEE_MODELS))
        if "benchmark" in given:
            rows = rows.filter(benchmark__slug=given["benchmark"])
        keyed = rows.annotate(key=Cast(F("id"), CharField()))
        found = page(keyed, given, key="key", kind=str, render=lambda batch: describe_schedules(batch, user))
        return Response(found.as_json())

    def post(self, request: Request) -> Response:
        """201 with the schedule; 400 names every fault."""
        user, fields = signed_in(request), Fields()
        body = fields.mapping(object_of(request), "", ("benchmark", *FIELDS), ("benchmark",))
        slug = fields.text(body.get("benchmark", ""), "benchmark", most=64)
        wanted = _wanted(body, fields, Wanted())
        benchmark = visible_benchmark(user, slug, SCHEDULE)
        try:
            schedule = create_schedule(benchmark=benchmark, wanted=wanted, actor=user)
        except ScheduleRefused as refused:
            raise invalid(refused.errors, what="schedule") from None
        return Response(described(schedule, user), status=201)


class ScheduleDetail(APIView):
    """One schedule."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, schedule_id: uuid.UUID) -> Response:
        """When it is due next, and what its last run did."""
        user = signed_in(request)
        return Response(described(visible_schedule(user, schedule_id, SEE_MODELS), user))

    def patch(self, request: Request, schedule_id: uuid.UUID) -> Response:
        """Change what the body names; `enabled` pauses and resumes."""
        user, fields = signed_in(request), Fields()
        schedule = visible_schedule(user, schedule_id, SCHEDULE)
        body = fields.mapping(object_of(request), "", FIELDS)
        wanted = _wanted(body, fields, wanted_of(schedule))
        try:
            edit_schedule(schedule=schedule, wanted=wanted, actor=user)
        except ScheduleRefused as refused:
            raise invalid(refused.errors, what="schedule") from None
        return Response(described(schedule, user))

    def delete(self, request: Request, schedule_id: uuid.UUID) -> Response:
        """Forget it with its history; a run that is under way stops before its next case."""
        user = signed_in(request)
        delete_schedule(schedule=visible_schedule(user, schedule_id, SCHEDULE), actor=user)
        return Response(status=204)


class ScheduleRunNow(APIView):
    """Running a schedule now."""

    permission_classes = (SignedIn,)

    def post(self, request: Request, schedule_id: uuid.UUID) -> Response:
        """202 with the run; 409 while one is under way."""
        user = signed_in(request)
        schedule = visible_schedule(user, schedule_id, SCHEDULE)
        try:
            run = ask_run(schedule=schedule, actor=user)
        except RunUnderWay as under_way:
            raise Problem(
                "run-under-way",
                status=409,
                title="The schedule is running already",
                detail=f"Of schedule {schedule.pk} {under_way}.",
                extra={"run": str(under_way.run.pk)},
            ) from None
        return Response(describe_schedule_runs(runs_of(schedule).filter(pk=run.pk), user)[0], status=202)


class ScheduleHistory(APIView):
    """What each run of a schedule changed."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, schedule_id: uuid.UUID) -> Response:
        """A page, the newest slot first."""
        user, given = signed_in(request), arguments(request, {"cursor", "limit"})
        schedule = visible_schedule(user, schedule_id, SEE_MODELS)
        key = Concat(NewestFirst(F("slot")), Value("."), Cast(F("id"), CharField()))
        keyed = runs_of(schedule).annotate(key=key)
        found = page(keyed, given, key="key", kind=str, render=lambda batch: describe_schedule_runs(batch, user))
        return Response(found.as_json())


urlpatterns = [
    path("schedules/", ScheduleList.as_view(), name="schedules"),
    path("schedules/<uuid:schedule_id>/", ScheduleDetail.as_view(), name="schedule"),
    path("schedules/<uuid:schedule_id>/run/", ScheduleRunNow.as_view(), name="schedule-run"),
    path("schedules/<uuid:schedule_id>/history/", ScheduleHistory.as_view(), name="schedule-history"),
]
