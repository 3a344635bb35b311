"""Pages that set experts beside models: benchmarks and cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Exists, OuterRef
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.views.decorators.http import require_safe

from annotations.blinding import is_blind
from annotations.models import ReadingRevision
from annotations.payloads import blind_case
from curation import audit
from curation.access import signed_in
from curation.models import Benchmark, Case, Snapshot
from curation.permissions import CURATE, READ, SEE_MODELS
from inference.models import Enrolment

if TYPE_CHECKING:
    import uuid

    from django.http import HttpRequest, HttpResponse

CASES_A_PAGE = 50


@require_safe
def benchmarks(request: HttpRequest) -> HttpResponse:
    """Every benchmark the user has a role in."""
    user = signed_in(request)
    rows = Benchmark.objects.visible_to(user).annotate(case_count=Count("cases"))
    return render(request, "inference/benchmarks.html", {"nav": "benchmarks", "rows": rows})


@require_safe
def benchmark(request: HttpRequest, slug: str) -> HttpResponse:
    """One benchmark: progress, models, and its cases in the given order, a keyset page at a time."""
    user = signed_in(request)
    found = get_object_or_404(Benchmark.objects.visible_to(user), slug=slug)
    after = request.GET.get("after", "")
    cases = found.cases.select_related("facts").prefetch_related("images").order_by("position")
    if after.isdecimal() and len(after) < 10:
        cases = cases.filter(position__gt=int(after))
    page = list(cases[: CASES_A_PAGE + 1])
    is_staff = user.has_perm(SEE_MODELS, found) and not user.has_perm(READ, found)
    return render(
        request,
        "inference/benchmark.html",
        {
            "nav": "benchmarks",
            "benchmark": found,
            "cases": page[:CASES_A_PAGE],
            "next_after": page[CASES_A_PAGE - 1].position if len(page) > CASES_A_PAGE else None,
            "case_count": found.cases.count(),
            "reading_count": ReadingRevision.objects.filter(reading__case__benchmark=found, revision=1).count(),
            "enrolments": Enrolment.objects.filter(benchmark=found).select_related("model").order_by("model__name"),
            "snapshot_count": Snapshot.objects.filter(benchmark=found).count(),
            "sees_others": is_staff,
            "may_read": user.has_perm(READ, found),
            "may_curate": user.has_perm(CURATE, found),
        },
    )


@require_safe
def case(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """One case: where the experts pointed and where the models looked, once the user may see it."""
    user = signed_in(request)
    enrolled = Enrolment.objects.filter(benchmark=OuterRef("benchmark"))
    found = get_object_or_404(
        Case.objects.visible_to(user).select_related("benchmark").annotate(has_models=Exists(enrolled)), pk=case_id
    )
    images = list(found.images.select_related("asset"))
    blind = is_blind(user, found)
    if not blind:
        audit.look(user=user, case=found)
    return render(
        request,
        "inference/case.html",
        {
            "nav": "benchmarks",
            "case": found,
            "images": images,
            "is_blind": blind,
            "may_read": user.has_perm(READ, found.benchmark),
            "may_curate": user.has_perm(CURATE, found.benchmark),
            "case_data": {"case": blind_case(found), "is_blind": blind},
        },
    )


urlpatterns = [
    path("benchmarks/", benchmarks, name="benchmarks-page"),
    path("benchmarks/<slug:slug>/", benchmark, name="benchmark-page"),
    path("cases/<uuid:case_id>/", case, name="case-page"),
]
