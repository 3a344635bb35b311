"""Pages of this app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from annotations import payloads
from annotations.assigning import HandedOut, open_lease
from annotations.desks import progress_of
from annotations.models import Arm, Reading
from curation.access import signed_in, visible_benchmark
from curation.models import Benchmark
from curation.permissions import READ
from curation.protocols import protocol_record

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from curation.models import User

DEMO_NOTE = "Sample content, not clinically validated."


def workspace_data(benchmark: Benchmark, user: User) -> dict[str, Any]:
    """What the reading page starts from.

    `next` is the open lease, or null: a page that is only looked at must not lease, so the page asks for a case itself.
    """
    held = open_lease(user, benchmark)
    handed = None
    if held is not None:
        reading = Reading.objects.get(case=held.case, reader=user, arm=Arm.UNAIDED)
        handed = payloads.handed_out(HandedOut(held, reading))
    return {
        "benchmark": {
            "slug": benchmark.slug,
            "title": benchmark.title,
            "is_demo": benchmark.is_demo,
            "demo_note": DEMO_NOTE if benchmark.is_demo else "",
            "is_training": benchmark.is_training,
        },
        "protocol": protocol_record(benchmark.protocol),
        "user": {"id": str(user.pk), "name": user.display_name},
        "progress": progress_of(user, benchmark),
        "now": timezone.now().isoformat(),
        "next": handed,
        "urls": {
            "api": "/api/v1/",
            "next": reverse("next-case", args=[benchmark.slug]),
            "home": reverse("home"),
            "login": reverse("login"),
        },
    }


@never_cache
@ensure_csrf_cookie
@require_safe
def read(request: HttpRequest, slug: str) -> HttpResponse:
    """The reading page of a benchmark."""
    user = signed_in(request)
    benchmark = visible_benchmark(user, slug, READ)
    return render(
        request, "annotations/read.html", {"benchmark": benchmark, "workspace": workspace_data(benchmark, user)}
    )


urlpatterns = [path("read/<slug:slug>/", read, name="read")]
