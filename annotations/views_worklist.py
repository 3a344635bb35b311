"""The reader's own page: what to read next, and what was submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F, Q
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from annotations.desks import desks_of
from annotations.models import Reading
from curation.access import signed_in

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

RECENT_READINGS = 20


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
