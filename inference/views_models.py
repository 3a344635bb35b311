"""Pages of models: all that the user may see, one with its card, and those that read a benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Avg, Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from curation.access import require, signed_in, visible_benchmark
from curation.models import Benchmark
from curation.permissions import RUN_MODELS, SEE_MODELS
from inference.api.models import benchmarks_with, models_visible_to
from inference.currency import current_predictions, headline_layer
from inference.enrolling import UnknownMetric, enrol
from inference.metrics.catalogue import METRICS
from inference.models import Enrolment, JobState, ModelVersion
from inference.predicting import request_all
from inference.scoring import request_benchmark_scoring

if TYPE_CHECKING:
    import uuid

    from django.http import HttpRequest, HttpResponse

    from curation.models import User

PAGE = 50


def _work(**wanted: Any) -> dict[tuple[Any, Any], dict[str, Any]]:
    """Of each (benchmark, model): cases read, waiting and parked, and the mean time a case took. One query."""
    rows = (
        current_predictions()
        .filter(**wanted)
        .values("case__benchmark", "model")
        .annotate(
            done=Count("pk", filter=Q(state=JobState.DONE)),
            waiting=Count("pk", filter=Q(state__in=[JobState.QUEUED, JobState.RUNNING])),
            parked=Count("pk", filter=Q(state=JobState.PARKED)),
            latency_ms=Avg("latency_ms"),
        )
    )
    return {(row["case__benchmark"], row["model"]): row for row in rows}


def _sees_models(user: User) -> list[Benchmark]:
    found = benchmarks_with(user, SEE_MODELS)
    if not found and not user.has_perm(RUN_MODELS, None):
        raise PermissionDenied("Models are for reviewers, engineers and curators of a benchmark.")
    return found


@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """Every model that the user may see, by name, a keyset page at a time."""
    user = signed_in(request)
    benchmarks = _sees_models(user)
    rows = models_visible_to(user).order_by("name")
    after = request.GET.get("after", "").replace("\0", "")
    page = list((rows.filter(name__gt=after) if after else rows)[: PAGE + 1])
    enrolled = Enrolment.objects.filter(model__in=page[:PAGE], benchmark__in=benchmarks).select_related("benchmark")
    where: dict[Any, list[Benchmark]] = {}
    for enrolment in enrolled.order_by("benchmark__title"):
        where.setdefault(enrolment.model_id, []).append(enrolment.benchmark)
    context = {
        "nav": "models",
        "rows": [(model, headline_layer(model), where.get(model.pk, [])) for model in page[:PAGE]],
        "next_after": page[PAGE - 1].name if len(page) > PAGE else "",
        "may_register": user.has_perm(RUN_MODELS, None),
    }
    return render(request, "inference/models.html", context)


@require_safe
def model(request: HttpRequest, model_id: uuid.UUID) -> HttpResponse:
    """One model: its card, what names it, and what it has read."""
    user = signed_in(request)
    benchmarks = _sees_models(user)
    found = get_object_or_404(models_visible_to(user), pk=model_id)
    enrolled = Enrolment.objects.filter(model=found, benchmark__in=benchmarks).select_related("benchmark")
    work = _work(model=found, case__benchmark__in=benchmarks)
    context = {
        "nav": "models",
        "model": found,
        "headline": headline_layer(found),
        "rows": [(row, work.get((row.benchmark_id, found.pk))) for row in enrolled.order_by("benchmark__title")],
        "settings": sorted(found.settings.items()),
    }
    return render(request, "inference/model.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def enrolments(request: HttpRequest, slug: str) -> HttpResponse:
    """The models that read a benchmark; a POST enrols one, or changes whether it reads by itself and which metrics."""
    user = signed_in(request)
    benchmark = visible_benchmark(user, slug)
    if request.method == "POST":
        require(user, RUN_MODELS, benchmark)
        return _enrol(request, benchmark, user)
    require(user, SEE_MODELS, benchmark)
    rows = list(benchmark.enrolments.select_related("model").order_by("model__name"))
    work = _work(case__benchmark=benchmark)
    may_run = user.has_perm(RUN_MODELS, benchmark)
    enrolled = [row.model_id for row in rows]
    context = {
        "nav": "benchmarks",
        "benchmark": benchmark,
        "case_count": benchmark.cases.count(),
        "rows": [(row, work.get((benchmark.pk, row.model_id)), headline_layer(row.model)) for row in rows],
        "may_run": may_run,
        "others": ModelVersion.objects.exclude(pk__in=enrolled).order_by("name") if may_run else [],
        "metrics": list(METRICS),
    }
    return render(request, "inference/enrolments.html", context)


def _enrol(request: HttpRequest, benchmark: Benchmark, user: User) -> HttpResponse:
    name = request.POST.get("model", "").replace("\0", "")
    found = ModelVersion.objects.filter(name=name).first()
    if found is None:
        messages.add_message(request, messages.ERROR, f"There is no model {name[:80]!r}.", extra_tags="bad")
        return redirect("enrolments-page", slug=benchmark.slug)
    is_live = request.POST.get("live") == "on"
    try:
        _, is_new = enrol(
            benchmark=benchmark, model=found, is_live=is_live, metrics=request.POST.getlist("metrics"), actor=user
        )
    except UnknownMetric as error:
        messages.add_message(request, messages.ERROR, f"Nothing was changed: {error}.", extra_tags="bad")
        return redirect("enrolments-page", slug=benchmark.slug)
    reads = "every new case and reading by itself" if is_live else "when asked"
    messages.success(request, f"{found.name} {'is enrolled and' if is_new else 'now'} reads {reads}.")
    return redirect("enrolments-page", slug=benchmark.slug)


@require_POST
def score_now(request: HttpRequest, slug: str, model_id: uuid.UUID) -> HttpResponse:
    """Predict what is missing and score every case of a benchmark for one enrolled model."""
    user = signed_in(request)
    benchmark = visible_benchmark(user, slug, RUN_MODELS)
    enrolment = get_object_or_404(benchmark.enrolments.select_related("model"), model=model_id)
    asked = request_all(model=enrolment.model, benchmark=benchmark, retries_parked=True)
    request_benchmark_scoring(
        benchmark=benchmark, model=enrolment.model, is_stale_only=request.POST.get("stale") == "on", asked_by=user
    )
    told = f"{len(asked):,} cases are read first" if len(asked) != 1 else "one case is read first"
    messages.success(request, f"{enrolment.model.name} is scored{'; ' + told if asked else ''}.")
    return redirect("runs-page", slug=benchmark.slug)


urlpatterns = [
    path("models/", models, name="models-page"),
    path("models/<uuid:model_id>/", model, name="model-page"),
    path("benchmarks/<slug:slug>/models/", enrolments, name="enrolments-page"),
    path("benchmarks/<slug:slug>/models/<uuid:model_id>/score/", score_now, name="score-now"),
]
