"""Pages of schedules: those of a benchmark, the form, and one with its due times and what its runs changed."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from curation import looking
from curation.access import signed_in, visible_benchmark
from curation.models import Benchmark
from curation.paging import rows_after
from curation.permissions import SCHEDULE, SEE_MODELS
from inference.api.schedules import visible_schedule
from inference.currency import stale_counts
from inference.describing_schedules import blind_changes, runs_of, schedules_of, with_causes
from inference.models import UNFINISHED, Schedule, ScheduleRun
from inference.schedule_form import ScheduleForm
from inference.schedule_runs import RunUnderWay, ask_run
from inference.scheduling import (
    create_schedule,
    delete_schedule,
    edit_schedule,
    first_slots,
    next_slots,
    set_enabled,
    wanted_of,
)

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


PAGE = 30
RUNS_A_PAGE = 20
SLOTS_SHOWN = 5


@require_safe
def schedules(request: HttpRequest, slug: str) -> HttpResponse:
    """The schedules of a benchmark, when each is due next, and which numbers are stale now."""
    user = signed_in(request)
    benchmark = visible_benchmark(user, slug, SEE_MODELS)
    looking.see_page(user=user, benchmark=benchmark, page=looking.Page.SCHEDULES)
    rows = schedules_of([benchmark]).order_by("created_at", "pk")
    found = list(rows_after(rows, request.GET.get("after", ""), "created_at", newest_first=False)[: PAGE + 1])
    page, now = found[:PAGE], timezone.now()
    last = with_causes(ScheduleRun.objects.filter(pk__in=[row.last_run for row in page])).in_bulk()
    context = {
        "nav": "benchmarks",
        "benchmark": benchmark,
        "rows": [(row, next(iter(next_slots(row, now=now, count=1)), None), last.get(row.last_run)) for row in page],
        "next_after": page[-1].pk if len(found) > PAGE else None,
        "may_schedule": user.has_perm(SCHEDULE, benchmark),
        "stale": stale_counts(benchmark),
    }
    return render(request, "inference/schedules.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """The empty form; a POST makes the schedule, or shows the faults or the due times."""
    user = signed_in(request)
    benchmark = visible_benchmark(user, slug, SCHEDULE)
    form = ScheduleForm(_sent(request), benchmark=benchmark)
    if _is_kept(request, form):
        schedule = create_schedule(benchmark=benchmark, wanted=form.wanted, actor=user)
        messages.success(request, "The schedule is made. The beat knows it within five seconds.")
        return redirect("schedule-page", schedule_id=schedule.pk)
    return _form_page(request, form, benchmark, None)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, schedule_id: uuid.UUID) -> HttpResponse:
    """The form of a schedule; a POST changes it, or shows the faults or the due times."""
    user = signed_in(request)
    schedule = visible_schedule(user, schedule_id, SCHEDULE)
    form = ScheduleForm(_sent(request), benchmark=schedule.benchmark, before=wanted_of(schedule))
    if _is_kept(request, form):
        edit_schedule(schedule=schedule, wanted=form.wanted, actor=user)
        messages.success(request, "The schedule is changed. The beat knows it within five seconds.")
        return redirect("schedule-page", schedule_id=schedule.pk)
    return _form_page(request, form, schedule.benchmark, schedule)


def _sent(request: HttpRequest) -> Any:
    """What was typed; None for whoever only looks."""
    return request.POST if request.method == "POST" else None


def _is_kept(request: HttpRequest, form: ScheduleForm) -> bool:
    """Whether a valid form was sent to be kept rather than to be shown its due times."""
    return request.method == "POST" and "preview" not in request.POST and form.is_valid()


def _form_page(
    request: HttpRequest, form: ScheduleForm, benchmark: Benchmark, schedule: Schedule | None
) -> HttpResponse:
    now, slots = timezone.now(), []
    if form.is_bound and form.is_valid():
        slots = first_slots(form.wanted, now=now, count=SLOTS_SHOWN)
    elif schedule is not None and not form.is_bound:
        slots = next_slots(schedule, now=now, count=SLOTS_SHOWN)
    context = {
        "nav": "benchmarks",
        "benchmark": benchmark,
        "schedule": schedule,
        "form": form,
        "slots": slots,
        "is_preview": form.is_bound and form.is_valid(),
    }
    is_faulty = form.is_bound and not form.is_valid()
    return render(request, "inference/schedule_form.html", context, status=400 if is_faulty else 200)


@require_safe
def schedule(request: HttpRequest, schedule_id: uuid.UUID) -> HttpResponse:
    """One schedule: what it does, its next due times, and its runs, the newest first."""
    user = signed_in(request)
    found = visible_schedule(user, schedule_id, SEE_MODELS)
    looking.see_page(user=user, benchmark=found.benchmark, page=looking.Page.SCHEDULES)
    rows = runs_of(found).order_by("-slot", "-pk")
    runs = list(rows_after(rows, request.GET.get("after", ""), "slot", newest_first=True)[: RUNS_A_PAGE + 1])
    page = runs[:RUNS_A_PAGE]
    hidden = blind_changes(page, user)
    context = {
        "nav": "benchmarks",
        "schedule": found,
        "benchmark": found.benchmark,
        "wanted": wanted_of(found),
        "slots": next_slots(found, now=timezone.now(), count=SLOTS_SHOWN),
        "runs": [(run, [one for one in run.largest if one["case_id"] not in hidden]) for run in page],
        "is_under_way": found.runs.filter(state__in=UNFINISHED).exists(),
        "next_after": page[-1].pk if len(runs) > RUNS_A_PAGE else None,
        "may_schedule": user.has_perm(SCHEDULE, found.benchmark),
    }
    return render(request, "inference/schedule.html", context)


@require_POST
def run_now(request: HttpRequest, schedule_id: uuid.UUID) -> HttpResponse:
    """Run a schedule now; while one of its runs is under way, say so."""
    user = signed_in(request)
    found = visible_schedule(user, schedule_id, SCHEDULE)
    try:
        ask_run(schedule=found, actor=user)
    except RunUnderWay as under_way:
        messages.add_message(request, messages.ERROR, f"Nothing was begun: {under_way}.", extra_tags="bad")
    else:
        messages.success(request, "The run has begun. What it changes appears here by itself.")
    return redirect("schedule-page", schedule_id=found.pk)


@require_POST
def pause(request: HttpRequest, schedule_id: uuid.UUID) -> HttpResponse:
    """Pause a schedule, or resume it, as the form's `enabled` says."""
    user = signed_in(request)
    found = visible_schedule(user, schedule_id, SCHEDULE)
    set_enabled(schedule=found, is_enabled=request.POST.get("enabled") == "on", actor=user)
    return redirect("schedule-page", schedule_id=found.pk)


@require_POST
def delete(request: HttpRequest, schedule_id: uuid.UUID) -> HttpResponse:
    """Forget a schedule with its history."""
    user = signed_in(request)
    found = visible_schedule(user, schedule_id, SCHEDULE)
    delete_schedule(schedule=found, actor=user)
    messages.success(request, f"The schedule “{found}” is deleted. Numbers stay as they are.")
    return redirect("schedules-page", slug=found.benchmark.slug)


urlpatterns = [
    path("benchmarks/<slug:slug>/schedules/", schedules, name="schedules-page"),
    path("benchmarks/<slug:slug>/schedules/new/", new, name="schedule-new"),
    path("schedules/<uuid:schedule_id>/", schedule, name="schedule-page"),
    path("schedules/<uuid:schedule_id>/edit/", edit, name="schedule-edit"),
    path("schedules/<uuid:schedule_id>/run/", run_now, name="schedule-run-now"),
    path("schedules/<uuid:schedule_id>/pause/", pause, name="schedule-pause"),
    path("schedules/<uuid:schedule_id>/delete/", delete, name="schedule-delete"),
]
