"""Endpoints of benchmarks, their protocols, and the cases that come in and are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from curation import audit, looking
from curation.access import SignedIn, require, signed_in, visible_benchmark
from curation.api.bodies import JsonLinesParser, LinesParser, RecordsParser, object_of
from curation.describing import describe_cases
from curation.fields import Fields
from curation.importing import import_records
from curation.models import Benchmark, Case, CaseImage, ProtocolKind, Role
from curation.paging import arguments, number, page, refuse
from curation.permissions import CREATE, CURATE, SEE_MODELS, VIEW
from curation.problems import FieldError, Problem, invalid
from curation.protocols import CONFIG_KEYS, BadProtocol, config_of, create_benchmark, protocol_record, write_protocol

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from curation.models import User

# A case's own overlap counts before its benchmark's, as in `Case.places`.
WANTED = Coalesce("overlap", "benchmark__overlap")
STATUSES = {
    "unread": Q(facts__readings_submitted=0),
    "partial": Q(facts__readings_submitted__gt=0, facts__readings_submitted__lt=WANTED),
    # None that is unread is done: said as well, an index leaves those out.
    "done": Q(facts__readings_submitted__gt=0, facts__readings_submitted__gte=WANTED),
}


def describe_benchmark(benchmark: Benchmark, user: User) -> dict[str, Any]:
    """A benchmark and what the user is in it."""
    return {
        "id": str(benchmark.pk),
        "slug": benchmark.slug,
        "title": benchmark.title,
        "description": benchmark.description,
        "overlap": benchmark.overlap,
        "is_paused": benchmark.is_paused,
        "is_demo": benchmark.is_demo,
        "created_at": benchmark.created_at,
        "roles": sorted(user.roles_in(benchmark.pk)),
    }


def _faults(error: BadProtocol, what: str) -> Problem:
    return invalid(error.errors, what=what)


class BenchmarkList(APIView):
    """The user's benchmarks; a new one."""

    permission_classes = (SignedIn,)

    def get(self, request: Request) -> Response:
        """A page, by slug."""
        user, given = signed_in(request), arguments(request, {"cursor", "limit"})
        rows = Benchmark.objects.visible_to(user)
        found = page(
            rows, given, key="slug", kind=str, render=lambda batch: [describe_benchmark(row, user) for row in batch]
        )
        return Response(found.as_json())

    def post(self, request: Request) -> Response:
        """Create: `{slug, protocol, title, description, overlap, config}`; for curators of everything."""
        user = signed_in(request)
        require(user, CREATE, None)
        fields = Fields()
        body = fields.mapping(
            object_of(request),
            "",
            ("slug", "protocol", "title", "description", "overlap", "config"),
            ("slug", "protocol"),
        )
        slug = fields.text(body.get("slug", ""), "slug", most=64)
        kind = fields.one_of(body.get("protocol", ""), "protocol", ProtocolKind.values)
        title = fields.text(body.get("title", ""), "title", most=200)
        description = fields.text(body.get("description", ""), "description", most=20_000)
        overlap = body.get("overlap")
        if overlap is not None:
            fields.whole(overlap, "overlap", least=1, most=50)
        if fields.errors:
            raise invalid(tuple(fields.errors), what="benchmark")
        try:
            benchmark = create_benchmark(
                slug=slug,
                kind=kind,
                title=title,
                description=description,
                config=body.get("config"),
                overlap=overlap,
                actor=user,
            )
        except BadProtocol as error:
            rows = tuple(FieldError(f"config.{row.path}".rstrip("."), row.detail) for row in error.errors)
            raise invalid(rows, what="benchmark") from None
        except ValidationError as error:
            rows = tuple(FieldError(name, text) for name, texts in error.message_dict.items() for text in texts)
            raise invalid(rows, what="benchmark") from None
        return Response(describe_benchmark(benchmark, user), status=201)


class BenchmarkDetail(APIView):
    """One benchmark."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, slug: str) -> Response:
        """What it is, and the user's roles in it."""
        user = signed_in(request)
        return Response(describe_benchmark(visible_benchmark(user, slug, VIEW), user))

    def patch(self, request: Request, slug: str) -> Response:
        """Change `title`, `description`, `overlap`, `is_paused`; a new overlap is a new version of the protocol."""
        user = signed_in(request)
        benchmark = visible_benchmark(user, slug, CURATE)
        fields = Fields()
        body = fields.mapping(object_of(request), "", ("title", "description", "overlap", "is_paused"))
        changes: dict[str, Any] = {}
        if "title" in body:
            changes["title"] = fields.text(body["title"], "title", most=200)
            if not changes["title"].strip():
                fields.fault("title", "is empty")
        if "description" in body:
            changes["description"] = fields.text(body["description"], "description", most=20_000)
        if "is_paused" in body:
            changes["is_paused"] = fields.flag(body["is_paused"], "is_paused")
        if "overlap" in body:
            fields.whole(body["overlap"], "overlap", least=1, most=50)
        if fields.errors:
            raise invalid(tuple(fields.errors), what="benchmark")
        _change(benchmark, changes, body.get("overlap"), user)
        return Response(describe_benchmark(benchmark, user))


@transaction.atomic
def _change(benchmark: Benchmark, changes: dict[str, Any], overlap: int | None, user: User) -> None:
    before = {name: getattr(benchmark, name) for name in changes}
    if overlap is not None:
        protocol = benchmark.protocol
        write_protocol(
            benchmark=benchmark, kind=protocol.kind, given={**protocol.config, "overlap": overlap}, actor=user
        )
    if before != changes:
        for name, value in changes.items():
            setattr(benchmark, name, value)
        benchmark.save(update_fields=list(changes))
        audit.record(
            "benchmark.changed",
            actor=user,
            benchmark_id=benchmark.pk,
            object_type="benchmark",
            object_id=benchmark.slug,
            before=before,
            after=changes,
        )


class ProtocolDetail(APIView):
    """The protocol in force."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, slug: str) -> Response:
        """Section 4's object with its kind, version and digest."""
        return Response(protocol_record(visible_benchmark(signed_in(request), slug, VIEW).protocol))

    def put(self, request: Request, slug: str) -> Response:
        """Put another in force: a new version if it differs. Missing fields take the kind's defaults; one is needed."""
        user = signed_in(request)
        benchmark = visible_benchmark(user, slug, CURATE)
        body = object_of(request)
        kind = body.get("kind", benchmark.protocol.kind)
        if kind not in ProtocolKind.values:
            fault = FieldError("kind", f"{str(kind)[:80]!r} is not one of {', '.join(ProtocolKind.values)}")
            raise invalid((fault,), what="protocol")
        config = config_of(body)
        if not config and "kind" not in body:  # else a slip would put a kind's defaults in force
            raise invalid(
                (FieldError("", f"the body says nothing: give one at least of kind, {', '.join(CONFIG_KEYS)}"),),
                what="protocol",
            )
        try:
            protocol = write_protocol(benchmark=benchmark, kind=kind, given=config, actor=user)
        except BadProtocol as error:
            raise _faults(error, "protocol") from None
        return Response(protocol_record(protocol))


class CaseList(APIView):
    """The cases of a benchmark."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, slug: str) -> Response:
        """A page, in the given order; a reader sees of each what may be seen blind."""
        user = signed_in(request)
        benchmark = visible_benchmark(user, slug, VIEW)
        given = arguments(request, {"cursor", "limit", "split", "status", "modality", "min_disagreement", "key"})
        is_blind = Role.READER.value in user.roles_in(benchmark.pk)
        if "min_disagreement" in given:
            require(user, SEE_MODELS, benchmark)
            if is_blind:
                raise refuse("min_disagreement", "is not for those who read in this benchmark: it tells of models")
        if "status" in given and is_blind:
            raise refuse("status", "is not for those who read in this benchmark: it tells of other readers")
        rows = _filtered(Case.objects.filter(benchmark=benchmark), given)
        if not is_blind:
            looking.see_page(user=user, benchmark=benchmark, page=looking.Page.CASES)

        def render(batch: list[Case]) -> list[dict[str, Any]]:
            return describe_cases([case.pk for case in batch], is_blind=is_blind)

        return Response(page(rows.only("position"), given, key="position", kind=int, render=render).as_json())


def _filtered(rows: QuerySet[Case], given: dict[str, str]) -> QuerySet[Case]:
    if "split" in given:
        rows = rows.filter(split=given["split"])
    if "key" in given:
        rows = rows.filter(key=given["key"])
    if "modality" in given:
        images = CaseImage.objects.filter(case=OuterRef("pk"))
        named = Q(modality=given["modality"]) | Q(modality="", asset__modality=given["modality"])
        rows = rows.filter(Exists(images.filter(named)))
    if "status" in given:
        if given["status"] not in STATUSES:
            raise refuse("status", f"{given['status'][:80]!r} is not one of {', '.join(STATUSES)}")
        rows = rows.filter(STATUSES[given["status"]])
    if "min_disagreement" in given:
        least = number(given["min_disagreement"], "min_disagreement", least=0, most=1)
        rows = rows.filter(facts__disagreement__gte=least)
    return rows


class CaseBulk(APIView):
    """Cases sent in."""

    permission_classes = (SignedIn,)
    parser_classes = (RecordsParser, LinesParser, JsonLinesParser)

    def post(self, request: Request, slug: str) -> Response:
        """Take in sightline records (a JSON list, or JSON lines); answers as import_cases does."""
        user = signed_in(request)
        benchmark = visible_benchmark(user, slug, CURATE)
        given = arguments(request, {"update", "dry_run", "split"})
        report = import_records(
            benchmark=benchmark,
            records=request.data,
            actor=user,
            split=_split(given),
            dry_run=_flag(given, "dry_run"),
            update=_flag(given, "update"),
        )
        return Response(report.as_json())


def _flag(given: dict[str, str], name: str) -> bool:
    value = given.get(name, "0")
    if value.lower() not in {"0", "1", "true", "false"}:
        raise refuse(name, f"{value[:80]!r} is neither 1 nor 0")
    return value.lower() in {"1", "true"}


def _split(given: dict[str, str]) -> str | None:
    split = given.get("split")
    if split is not None and (len(split) > 32 or "\0" in split):
        raise refuse("split", "is longer than 32 characters, or holds a NUL character")
    return split


urlpatterns = [
    path("benchmarks/", BenchmarkList.as_view(), name="benchmarks"),
    path("benchmarks/<slug:slug>/", BenchmarkDetail.as_view(), name="benchmark"),
    path("benchmarks/<slug:slug>/protocol/", ProtocolDetail.as_view(), name="benchmark-protocol"),
    path("benchmarks/<slug:slug>/cases/", CaseList.as_view(), name="benchmark-cases"),
    path("benchmarks/<slug:slug>/cases/bulk/", CaseBulk.as_view(), name="benchmark-cases-bulk"),
]
