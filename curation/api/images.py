"""Endpoints of images: uploads, facts, stored bytes, and single frames as stored or as displayed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.urls import path, register_converter
from django.utils.cache import get_conditional_response
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView

from curation import looking
from curation.access import SignedIn, signed_in
from curation.api.bodies import AnyAnswer, object_of, too_large
from curation.describing import describe_image
from curation.fields import Fields
from curation.formats.decoded import Window
from curation.images import (
    NoSuchFrame,
    images_known_to,
    mark_text_checked,
    read_frame,
    render_frame_png,
    thumbnail,
    upload_image,
)
from curation.intake import MAX_BYTES, RefusedFile
from curation.models import Benchmark, ImageAsset
from curation.paging import arguments, number, refuse
from curation.permissions import CURATE, NEEDED
from curation.problems import FieldError, Problem, invalid
from curation.rendering import RENDERING_VERSION

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile
    from rest_framework.request import Request

    from curation.models import User

# Multipart boundaries and headers beside the file itself.
ENVELOPE_BYTES = 64 * 1024
FOR_EVER = "private, max-age=31536000, immutable"
UNKNOWN = "There is no such image, or it is not known to you."


class Sha256Converter:
    """64 hexadecimal digits in lower case."""

    regex = "[0-9a-f]{64}"

    def to_python(self, value: str) -> str:
        """As it stands."""
        return value

    def to_url(self, value: str) -> str:
        """As it stands."""
        return value


register_converter(Sha256Converter, "sha256")


def known_image(user: User, sha256: str) -> ImageAsset:
    """The image, if the user may know of it; the same 404 whether it is stored or not."""
    asset = images_known_to(user).filter(pk=sha256).first()
    if asset is None:
        raise Http404(UNKNOWN)
    return asset


def _unchanged(request: Request, etag: str) -> HttpResponseBase | None:
    """A 304 if the client holds these bytes already; asked only after the permission check."""
    found = get_conditional_response(request._request, etag=etag)
    # What a 304 says of keeping replaces what the kept answer said.
    return _sealed(found, etag) if isinstance(found, HttpResponseNotModified) else None


def _sealed(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    """Bytes named by content never change; and whatever they hold, no browser takes them for a page."""
    response["Cache-Control"] = FOR_EVER
    response["ETag"] = etag
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


class ImageUploads(APIView):
    """Images that come in."""

    permission_classes = (SignedIn,)
    parser_classes = (MultiPartParser,)

    def post(self, request: Request) -> Response:
        """Store one file, sent as multipart under `file`: 201 if it is new for this user, else 200."""
        user = signed_in(request)
        if not (user.is_superuser or user.roles_by_benchmark()):
            raise PermissionDenied("This needs a role in some benchmark.")
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES + ENVELOPE_BYTES:
            raise too_large("A file", MAX_BYTES)
        file = _only_file(request)
        name = (file.name or "file")[:200]
        try:
            asset, is_new = upload_image(user=user, data=file.read(), name=name)
        except RefusedFile as error:
            raise Problem(
                "refused-file",
                status=400,
                title="The file is not taken",
                detail=str(error),
                errors=(FieldError("file", error.reason),),
            ) from None
        told = {name: getattr(asset, name) for name in ("sha256", "width", "height", "frames", "kind")}
        return Response(told, status=201 if is_new else 200)


def _only_file(request: Request) -> UploadedFile[Any]:
    files: list[UploadedFile[Any]] = [file for _, several in request.FILES.lists() for file in several]
    if len(files) != 1:
        raise invalid((FieldError("file", f"{len(files)} files were sent; one is taken at a time"),), what="upload")
    if (files[0].size or 0) > MAX_BYTES:
        raise too_large("A file", MAX_BYTES)
    return files[0]


class ImageDetail(APIView):
    """One image."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, sha256: str) -> Response:
        """What is known of it."""
        arguments(request, ())
        user = signed_in(request)
        asset = known_image(user, sha256)
        return Response(describe_image(asset, is_curated=bool(_curated(user, asset))))


class BytesView(APIView):
    """Answers with bytes that never change."""

    permission_classes = (SignedIn,)
    content_negotiation_class = AnyAnswer


class ImageThumbnail(BytesView):
    """A small picture of an image."""

    def get(self, request: Request, sha256: str) -> HttpResponseBase:
        """The middle frame, as PNG."""
        arguments(request, ())
        user, etag = signed_in(request), f'"thumb-{RENDERING_VERSION}-{sha256}"'
        asset = known_image(user, sha256)
        if unchanged := _unchanged(request, etag):
            return unchanged
        content = thumbnail(asset)
        looking.see_image(user=user, sha256=sha256, is_thumbnail=True)
        return _sealed(HttpResponse(content, content_type="image/png"), etag)


class ImageContent(BytesView):
    """The stored bytes."""

    def get(self, request: Request, sha256: str) -> HttpResponseBase:
        """As a download named by its content."""
        arguments(request, ())
        user, etag = signed_in(request), f'"{sha256}"'
        asset = known_image(user, sha256)
        if unchanged := _unchanged(request, etag):
            return unchanged
        looking.see_image(user=user, sha256=sha256)
        response = FileResponse(
            default_storage.open(asset.storage_name, "rb"),
            as_attachment=True,
            filename=asset.storage_name.rsplit("/", 1)[-1],
            content_type=asset.content_type,
        )
        return _sealed(response, etag)


class ImageFrame(BytesView):
    """One frame: stored samples, or with `?format=png` as displayed."""

    def get(self, request: Request, sha256: str, number: int) -> HttpResponseBase:
        """Samples little-endian, row by row, with the headers that say how to show them; or a PNG."""
        given = arguments(request, {"format", "window"})
        asset = known_image(signed_in(request), sha256)
        window = _window(given)
        if given.get("format", "raw") not in {"raw", "png"}:
            raise refuse("format", f"{given['format'][:80]!r} is neither raw nor png")
        try:
            return (
                _png(request, asset, number, window) if given.get("format") == "png" else _raw(request, asset, number)
            )
        except NoSuchFrame as error:
            raise Http404(str(error)) from None


def _window(given: dict[str, str]) -> Window | None:
    if "window" not in given:
        return None
    parts = given["window"].split(",")
    if given.get("format") != "png" or len(parts) != 2:
        raise refuse("window", "is centre,width and goes with format=png")
    centre, width = (number(part, "window", least=-1e9, most=1e9) for part in parts)
    if width < 1:
        raise refuse("window", f"a width of {width:g} shows nothing: 1 is the least")
    return Window(centre=centre, width=width)


def _raw(request: Request, asset: ImageAsset, number: int) -> HttpResponseBase:
    etag = f'"{asset.sha256}-{number}"'
    if number < asset.frames and (unchanged := _unchanged(request, etag)):
        return unchanged
    frame = read_frame(asset, number)
    looking.see_image(user=signed_in(request), sha256=asset.sha256)
    response = HttpResponse(frame.content, content_type="application/octet-stream")
    for name, value in frame_headers(asset, frame.shape).items():
        response[name] = value
    return _sealed(response, etag)


def frame_headers(asset: ImageAsset, shape: tuple[int, ...]) -> dict[str, str]:
    """What turns stored samples into a picture."""
    return {
        "X-Dtype": asset.dtype,
        "X-Shape": ",".join(str(side) for side in shape),
        "X-Slope": repr(asset.slope),
        "X-Intercept": repr(asset.intercept),
        # Explanations may hold any letter; a header holds ASCII.
        "X-Windows": json.dumps(asset.windows, ensure_ascii=True),
        "X-Photometric": asset.photometric,
    }


def _png(request: Request, asset: ImageAsset, number: int, window: Window | None) -> HttpResponseBase:
    shown = f"-{window.centre!r}-{window.width!r}" if window else ""
    etag = f'"png-{RENDERING_VERSION}-{asset.sha256}-{number}{shown}"'
    if number < asset.frames and (unchanged := _unchanged(request, etag)):
        return unchanged
    content = render_frame_png(asset, number, window=window)
    looking.see_image(user=signed_in(request), sha256=asset.sha256)
    return _sealed(HttpResponse(content, content_type="image/png"), etag)


class ImageTextCheck(APIView):
    """That a curator has looked for burned-in text."""

    permission_classes = (SignedIn,)

    def post(self, request: Request, sha256: str) -> Response:
        """Mark as checked; `{benchmark}` names for which of the curator's benchmarks, where there are several."""
        user = signed_in(request)
        asset = known_image(user, sha256)
        fields = Fields()
        slug = fields.mapping(object_of(request), "", ("benchmark",)).get("benchmark")
        if slug is not None:
            fields.text(slug, "benchmark", most=64)
        if fields.errors:
            raise invalid(tuple(fields.errors), what="body")
        curated = [benchmark for benchmark in _curated(user, asset) if slug in {None, benchmark.slug}]
        if not curated:
            raise PermissionDenied(f"This needs the role {NEEDED[CURATE]} in a benchmark that holds the image.")
        checked = mark_text_checked(asset=asset, curator=user, benchmark=curated[0])
        return Response(describe_image(checked, is_curated=True))


def _curated(user: User, asset: ImageAsset) -> list[Benchmark]:
    """The benchmarks that hold the image and that the user curates."""
    holding = Benchmark.objects.visible_to(user).filter(cases__images__asset=asset).distinct()
    return [benchmark for benchmark in holding if user.has_perm(CURATE, benchmark)]


urlpatterns = [
    path("images/", ImageUploads.as_view(), name="images"),
    path("images/<sha256:sha256>/", ImageDetail.as_view(), name="image"),
    path("images/<sha256:sha256>/thumbnail/", ImageThumbnail.as_view(), name="image-thumbnail"),
    path("images/<sha256:sha256>/content/", ImageContent.as_view(), name="image-content"),
    path("images/<sha256:sha256>/frames/<int:number>/", ImageFrame.as_view(), name="image-frame"),
    path("images/<sha256:sha256>/text-check/", ImageTextCheck.as_view(), name="image-text-check"),
]
