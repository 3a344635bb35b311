"""Pages that set experts beside models: benchmarks and cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Exists, OuterRef
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from annotations.agreement_card import card_of
from annotations.blinding import is_blind
from annotations.models import Arm, CasePriority, Reading
from annotations.payloads import blind_case
from curation import audit
from curation.access import signed_in
from curation.models import Benchmark, Case
from curation.permissions import CURATE, READ, REVIEW, SEE_OTHERS, SEE_TRAIL
from inference import priorities
from inference.models import Enrolment

if TYPE_CHECKING:
    import uuid

    from django.http import HttpRequest, HttpResponse

    from curation.models import User

PAGE = 50


@require_safe
def benchmarks(request: HttpRequest) -> HttpResponse:
    """Every benchmark the user has a role in, by name, a keyset page at a time."""
    user = signed_in(request)
    visible = Benchmark.objects.visible_to(user).order_by("slug")
    after = request.GET.get("after", "").replace("\0", "")
    found = list((visible.filter(slug__gt=after) if after else visible)[: PAGE + 1])
    page = found[:PAGE]
    held = Case.objects.filter(benchmark__in=page).order_by()
    counts = dict(held.values_list("benchmark").annotate(number=Count("*")))
    context = {
        "nav": "benchmarks",
        "rows": [(row, counts.get(row.pk, 0)) for row in page],
        "next_after": page[-1].slug if len(found) > PAGE else "",
    }
    return render(request, "inference/benchmarks.html", context)


def _own_reading(case: Case, user: User) -> uuid.UUID | None:
    """Of the reader's unaided reading of the case, to read it again from."""
    own = Reading.objects.filter(case=case, reader=user, arm=Arm.UNAIDED, revision__gt=0)
    return own.values_list("pk", flat=True).first()


@ensure_csrf_cookie
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
    sees_others = not blind and user.has_perm(SEE_OTHERS, found.benchmark)
    card = None if blind else card_of(found, viewer=user, reader_id=None if sees_others else user.pk)
    score = CasePriority.objects.filter(case=found).first() if sees_others else None
    return render(
        request,
        "inference/case.html",
        {
            "nav": "benchmarks",
            "case": found,
            "images": images,
            "is_blind": blind,
            "agreement_card": card,
            "sees_agreement": sees_others,
            "disagreement": priorities.describe(score) if sees_others else None,
            "may_read": user.has_perm(READ, found.benchmark),
            "own_reading": None if blind else _own_reading(found, user),
            "may_curate": user.has_perm(CURATE, found.benchmark),
            "may_see_trail": user.has_perm(SEE_TRAIL, found.benchmark) and not user.has_perm(READ, found.benchmark),
            "may_review": not blind and user.has_perm(REVIEW, found.benchmark),
            "case_data": {"case": blind_case(found), "is_blind": blind},
        },
    )


urlpatterns = [
    path("benchmarks/", benchmarks, name="benchmarks-page"),
    path("cases/<uuid:case_id>/", case, name="case-page"),
]
