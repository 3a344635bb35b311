"""Pages of snapshots: those of a benchmark with the form that freezes one, and one snapshot with its exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.db.models import Count
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from curation.access import require, signed_in, visible_benchmark
from curation.api.snapshots import archive_of, visible_export, visible_snapshot
from curation.export_jobs import ask_export
from curation.exporting import EXPORT_FORMATS, FORMAT_TITLES, TextUnchecked, unchecked_images
from curation.models import Benchmark, Export, ExportState, Role, Snapshot
from curation.paging import rows_after
from curation.permissions import CURATE, SEE_OTHERS
from curation.snapshots import FreezeRefused, freeze, licences

if TYPE_CHECKING:
    import uuid

    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

MOST_UNCHECKED_SHOWN = 8
MOST_EXPORTS_SHOWN = 50
PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
def snapshots(request: HttpRequest, slug: str) -> HttpResponse:
    """A benchmark's snapshots, the newest first; a POST freezes one."""
    user = signed_in(request)
    benchmark = visible_benchmark(user, slug)
    if request.method == "POST":
        require(user, CURATE, benchmark)
        return _freeze(request, benchmark)
    require(user, SEE_OTHERS, benchmark)
    page = _page(benchmark, request.GET.get("after", ""))
    context = {
        "nav": "benchmarks",
        "benchmark": benchmark,
        "rows": page[:PAGE],
        "next_after": page[PAGE - 1].digest if len(page) > PAGE else "",
        "may_curate": user.has_perm(CURATE, benchmark),
        "case_count": benchmark.cases.count(),
    }
    return render(request, "curation/snapshots.html", context)


def _page(benchmark: Benchmark, after: str) -> list[Snapshot]:
    """A page of snapshots and one more, the newest first, after the one of that digest."""
    rows = benchmark.snapshots.select_related("created_by").prefetch_related("names")
    rows = rows.annotate(export_count=Count("exports")).order_by("-created_at", "-pk")
    rows = rows_after(rows, after, "created_at", newest_first=True, name="digest")
    return list(rows[: PAGE + 1])


def _freeze(request: HttpRequest, benchmark: Benchmark) -> HttpResponse:
    try:
        frozen = freeze(benchmark=benchmark, name=request.POST.get("name", "").strip(), actor=signed_in(request))
    except FreezeRefused as error:
        messages.add_message(request, messages.ERROR, f"Nothing was frozen: {error}.", extra_tags="bad")
        return redirect("snapshots-page", slug=benchmark.slug)
    if not frozen.is_new:
        first = min(row.name for row in frozen.snapshot.names.all())
        same = f"“{frozen.name}” names the same content as “{first}”: nothing has changed since."
        messages.info(request, same if frozen.is_new_name else f"“{frozen.name}” is frozen already.")
    else:
        messages.success(request, f"“{frozen.name}” is frozen.")
    return redirect("snapshot-page", digest=frozen.snapshot.digest)


@require_safe
def snapshot(request: HttpRequest, digest: str) -> HttpResponse:
    """One snapshot: its digest, counts, exports, licences and what a release waits for."""
    user = signed_in(request)
    found = visible_snapshot(user, digest, SEE_OTHERS)
    benchmark = found.benchmark
    may_curate = user.has_perm(CURATE, benchmark)
    exports = list(found.exports.select_related("snapshot")[:MOST_EXPORTS_SHOWN]) if may_curate else []
    barred = [] if benchmark.is_demo else unchecked_images(found)
    keys = list(dict.fromkeys(key for key, _, _ in barred))[:MOST_UNCHECKED_SHOWN]
    context = {
        "nav": "benchmarks",
        "snapshot": found,
        "benchmark": benchmark,
        "names": sorted(row.name for row in found.names.all()),
        "may_curate": may_curate,
        "may_download": may_curate and Role.READER not in user.roles_in(benchmark.pk),
        "exports": [(asked, FORMAT_TITLES.get(asked.format, asked.format)) for asked in exports],
        "is_under_way": any(asked.state in (ExportState.QUEUED, ExportState.RUNNING) for asked in exports),
        "formats": FORMAT_TITLES,
        "licences": licences(found),
        "unchecked": len(barred),
        "unchecked_cases": benchmark.cases.filter(key__in=keys),
        "labels": [label["name"] for label in found.protocol.get("labels", [])],
    }
    return render(request, "curation/snapshot.html", context)


@require_POST
def start_export(request: HttpRequest, digest: str) -> HttpResponse:
    """A curator asks for an export."""
    user = signed_in(request)
    found = visible_snapshot(user, digest, CURATE)
    format_name = request.POST.get("format", "")
    if format_name not in EXPORT_FORMATS:
        messages.add_message(request, messages.ERROR, f"There is no format {format_name[:40]!r}.", extra_tags="bad")
        return redirect("snapshot-page", digest=digest)
    try:
        ask_export(snapshot=found, format=format_name, has_originals=request.POST.get("originals") == "on", actor=user)
    except TextUnchecked as error:
        messages.add_message(request, messages.ERROR, f"Nothing was exported: {error}.", extra_tags="bad")
    return redirect("snapshot-page", digest=digest)


@require_safe
def download(request: HttpRequest, export_id: uuid.UUID) -> HttpResponseBase:
    """A finished export as one zip."""
    user = signed_in(request)
    asked: Export = visible_export(user, export_id)
    return archive_of(user, asked)


urlpatterns = [
    path("benchmarks/<slug:slug>/snapshots/", snapshots, name="snapshots-page"),
    path("snapshots/<slug:digest>/", snapshot, name="snapshot-page"),
    path("snapshots/<slug:digest>/exports/", start_export, name="snapshot-export"),
    path("exports/<uuid:export_id>/download/", download, name="export-archive"),
]
