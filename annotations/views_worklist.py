"""The reader's own page: what to read next, and what was submitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, F, Q
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from annotations.models import Arm, Assignment, Reading
from curation.access import signed_in
from curation.models import Benchmark, Case, CaseImage, Role

if TYPE_CHECKING:
    import uuid

    from django.http import HttpRequest, HttpResponse

    from curation.models import User

RECENT_READINGS = 20
MOST_PICTURES = 5


@dataclass(frozen=True)
class Desk:
    """One benchmark as its reader finds it: progress and, if one is open, the case held."""

    benchmark: Benchmark
    total: int
    done: int
    lease: Assignment | None
    draft: Reading | None

    @property
    def pictures(self) -> list[CaseImage]:
        """Images of the case held, else the benchmark's first ones. One query where nothing is held."""
        if self.lease:
            return list(self.lease.case.images.all())[:MOST_PICTURES]
        of_benchmark = CaseImage.objects.filter(case__benchmark=self.benchmark)
        return list(of_benchmark.order_by("case__position", "number")[:MOST_PICTURES])

    @property
    def steps(self) -> int:
        """Steps in the open draft."""
        return len(self.draft.draft.get("steps", [])) if self.draft else 0

    @property
    def rois(self) -> int:
        """ROIs in the open draft."""
        return len(self.draft.draft.get("rois", [])) if self.draft else 0


def desks_of(user: User) -> list[Desk]:
    """Every benchmark in which the user reads. Five queries, however many benchmarks."""
    reads_in = [pk for pk, roles in user.roles_by_benchmark().items() if Role.READER.value in roles]
    named = [pk for pk in reads_in if pk is not None]
    benchmarks = Benchmark.objects.all() if None in reads_in else Benchmark.objects.filter(pk__in=named)
    totals = dict(
        Case.objects.filter(benchmark__in=benchmarks).values_list("benchmark").annotate(Count("pk")).order_by()
    )
    mine = Reading.objects.filter(reader=user, arm=Arm.UNAIDED, case__benchmark__in=benchmarks)
    done = dict(mine.filter(revision__gt=0).values_list("case__benchmark").annotate(Count("pk")).order_by())
    leases = _open_leases(user)
    drafts = {row.case_id: row for row in mine.filter(case__in=[lease.case_id for lease in leases.values()])}
    desks = []
    for benchmark in benchmarks:
        lease = leases.get(benchmark.pk)
        desks.append(
            Desk(
                benchmark=benchmark,
                total=totals.get(benchmark.pk, 0),
                done=done.get(benchmark.pk, 0),
                lease=lease,
                draft=drafts.get(lease.case_id) if lease else None,
            )
        )
    return desks


def _open_leases(user: User) -> dict[uuid.UUID, Assignment]:
    held = (
        Assignment.objects.open_for(user, timezone.now())
        .select_related("case")
        .prefetch_related("case__images")
        .order_by("created_at")
    )
    return {lease.case.benchmark_id: lease for lease in held}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """My cases."""
    user = signed_in(request)
    submitted = (
        Reading.objects.filter(reader=user, revision__gt=0)
        .annotate(submitted_at=F("revisions__submitted_at"))
        .filter(Q(revisions__revision=F("revision")))
        .select_related("case", "case__benchmark")
        .prefetch_related("case__images")
        .order_by("-submitted_at")[:RECENT_READINGS]
    )
    return render(
        request,
        "annotations/home.html",
        {"nav": "home", "desks": desks_of(user), "submitted": submitted},
    )


urlpatterns = [path("", home, name="home")]
