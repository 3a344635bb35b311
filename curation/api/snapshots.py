"""Endpoints of snapshots and their exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from curation.access import SignedIn, require, signed_in, visible_benchmark
from curation.api.bodies import AnyAnswer, object_of
from curation.export_jobs import ask_export, describe_export, record_download
from curation.exporting import EXPORT_FORMATS, TextUnchecked
from curation.fields import Fields
from curation.models import Benchmark, Export, ExportState, Role, Snapshot
from curation.paging import arguments, page
from curation.permissions import CURATE, SEE_OTHERS
from curation.problems import FieldError, Problem, invalid
from curation.snapshots import BadName, FreezeRefused, NameTaken, describe_snapshot, freeze

if TYPE_CHECKING:
    import uuid

    from rest_framework.request import Request

    from curation.models import User


def visible_snapshot(user: User, digest: str, permission: str) -> Snapshot:
    """The snapshot of a digest, if the user may do this in its benchmark: 404 for an outsider, 403 for another role.

    Of two benchmarks with the very same content, the one the user may do it in.
    """
    rows = Snapshot.objects.filter(digest=digest, benchmark__in=Benchmark.objects.visible_to(user))
    found = list(rows.select_related("benchmark", "created_by").prefetch_related("names").order_by("created_at"))
    if not found:
        raise Http404
    allowed = [snapshot for snapshot in found if user.has_perm(permission, snapshot.benchmark)]
    require(user, permission, (allowed or found)[0].benchmark)
    return allowed[0]


def visible_export(user: User, export_id: uuid.UUID) -> Export:
    """The export, if the user curates its benchmark."""
    rows = Export.objects.filter(snapshot__benchmark__in=Benchmark.objects.visible_to(user))
    found: Export = get_object_or_404(rows.select_related("snapshot__benchmark"), pk=export_id)
    require(user, CURATE, found.snapshot.benchmark)
    return found


def archive_of(user: User, asked: Export) -> FileResponse:
    """The finished archive as a download.

    Raises
    ------
    PermissionDenied
        For who also reads in the benchmark: an export holds every other reading.
    Http404
        If it is not finished.
    """
    benchmark = asked.snapshot.benchmark
    if Role.READER in user.roles_in(benchmark.pk):
        raise PermissionDenied(f"You read cases in {benchmark.slug}, and an export holds the other readings.")
    if asked.state != ExportState.DONE or not default_storage.exists(asked.storage_name):
        raise Http404("the export is not finished")
    record_download(asked, user)
    response = FileResponse(
        default_storage.open(asked.storage_name, "rb"),
        as_attachment=True,
        filename=f"{benchmark.slug}-{asked.snapshot.digest[:12]}-{asked.format}.zip",
        content_type="application/zip",
    )
    response["Cache-Control"] = "private, no-store"
    return response


def unchecked(error: TextUnchecked) -> Problem:
    """A 409 that names the images."""
    images = [{"case": key, "image": number, "sha256": sha256} for key, number, sha256 in error.images]
    return Problem(
        "text-unchecked",
        status=409,
        title="Images are not checked for burned-in text",
        detail=str(error),
        extra={"images": images},
    )


class SnapshotList(APIView):
    """Snapshots of the benchmarks in which the user is more than a reader; a new one."""

    permission_classes = (SignedIn,)

    def get(self, request: Request) -> Response:
        """A page, the oldest first; `benchmark` narrows it."""
        user, given = signed_in(request), arguments(request, {"cursor", "limit", "benchmark"})
        seen = [one for one in Benchmark.objects.visible_to(user) if user.has_perm(SEE_OTHERS, one)]
        rows = Snapshot.objects.filter(benchmark__in=seen).select_related("benchmark").prefetch_related("names")
        if "benchmark" in given:
            rows = rows.filter(benchmark__slug=given["benchmark"])
        # ISO times in UTC sort as they follow one another; the id parts two of one microsecond.
        at = Cast(F("created_at"), CharField())
        keyed = rows.annotate(key=Concat(at, Value(" "), Cast(F("id"), CharField())))
        found = page(keyed, given, key="key", kind=str, render=lambda batch: [describe_snapshot(row) for row in batch])
        return Response(found.as_json())

    def post(self, request: Request) -> Response:
        """Freeze: `{benchmark, name}`; 201 for new content, 200 for one that was frozen before."""
        user = signed_in(request)
        fields = Fields()
        body = fields.mapping(object_of(request), "", ("benchmark", "name"), ("benchmark", "name"))
        slug = fields.text(body.get("benchmark", ""), "benchmark", most=64)
        name = fields.text(body.get("name", ""), "name", most=1000)
        if fields.errors:
            raise invalid(tuple(fields.errors), what="snapshot")
        benchmark = visible_benchmark(user, slug, CURATE)
        try:
            frozen = freeze(benchmark=benchmark, name=name, actor=user)
        except BadName as error:
            raise invalid((FieldError("name", str(error)),), what="snapshot") from None
        except NameTaken as error:
            raise Problem("name-taken", status=409, title="The name is taken", detail=str(error)) from None
        except FreezeRefused as error:
            raise Problem("nothing-to-freeze", status=409, title="Nothing to freeze", detail=str(error)) from None
        made = {"name": frozen.name, **describe_snapshot(frozen.snapshot)}
        return Response(made, status=201 if frozen.is_new else 200)


class SnapshotDetail(APIView):
    """One snapshot."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, digest: str) -> Response:
        """Its names and counts."""
        return Response(describe_snapshot(visible_snapshot(signed_in(request), digest, SEE_OTHERS)))


class SnapshotExports(APIView):
    """Exports of a snapshot, for curators."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, digest: str) -> Response:
        """A page, by id."""
        given = arguments(request, {"cursor", "limit"})
        snapshot = visible_snapshot(signed_in(request), digest, CURATE)
        rows = snapshot.exports.select_related("snapshot").annotate(key=Cast(F("id"), CharField()))
        found = page(rows, given, key="key", kind=str, render=lambda batch: [describe_export(row) for row in batch])
        return Response(found.as_json())

    def post(self, request: Request, digest: str) -> Response:
        """Queue one: `{format, originals}`; 202. The same one under way is answered instead of a second."""
        user = signed_in(request)
        snapshot = visible_snapshot(user, digest, CURATE)
        fields = Fields()
        body = fields.mapping(object_of(request), "", ("format", "originals"), ("format",))
        format_name = fields.one_of(body.get("format", ""), "format", tuple(EXPORT_FORMATS))
        originals = fields.flag(body.get("originals", False), "originals")
        if fields.errors:
            raise invalid(tuple(fields.errors), what="export")
        try:
            asked = ask_export(snapshot=snapshot, format=format_name, has_originals=originals, actor=user)
        except TextUnchecked as error:
            raise unchecked(error) from None
        return Response(describe_export(asked), status=202)


class ExportDetail(APIView):
    """One export, for curators."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, export_id: uuid.UUID) -> Response:
        """Its state, counts and what was not carried."""
        return Response(describe_export(visible_export(signed_in(request), export_id)))


class ExportDownload(APIView):
    """A finished export as one zip, for curators who do not read in the benchmark."""

    permission_classes = (SignedIn,)
    content_negotiation_class = AnyAnswer

    def get(self, request: Request, export_id: uuid.UUID) -> FileResponse:
        """404 until it is finished."""
        user = signed_in(request)
        return archive_of(user, visible_export(user, export_id))


urlpatterns: list[Any] = [
    path("snapshots/", SnapshotList.as_view(), name="snapshots"),
    path("snapshots/<slug:digest>/", SnapshotDetail.as_view(), name="snapshot"),
    path("snapshots/<slug:digest>/exports/", SnapshotExports.as_view(), name="snapshot-exports"),
    path("exports/<uuid:export_id>/", ExportDetail.as_view(), name="export"),
    path("exports/<uuid:export_id>/download/", ExportDownload.as_view(), name="export-download"),
]
