"""Endpoints of agreement: one case, a benchmark, the pairs behind a number, and how many more readings it needs."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.agreement_coefficients import LEVELS
from annotations.agreement_document import PARTS, REASONS, document
from annotations.agreement_names import party_of
from annotations.agreement_pairs import MOST, PAGE, BadCursor, describe_case, describe_pair, names_of, pairs
from annotations.agreement_plan import numbers, plan_of
from annotations.agreement_rows import (
    BETWEEN_MODELS,
    METRICS,
    MODEL_AND_GOLD,
    OF_LABELS,
    READERS,
    WITH_GOLD,
    WITH_MODELS,
    Narrowed,
    for_viewer,
)
from annotations.blinding import is_blind
from annotations.models import Arm
from annotations.naming import Mask
from curation import audit, looking
from curation.access import SignedIn, require, signed_in, visible_benchmark
from curation.models import Benchmark, Case
from curation.paging import arguments, number, refuse
from curation.permissions import SEE_OTHERS, VIEW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request

_LAST_READ = "a date, or a date with a time, in UTC unless it says otherwise: cases whose newest reading was submitted"
SPAN = [
    OpenApiParameter("since", str, description=f"{_LAST_READ} at or after it, with all their pairs"),
    OpenApiParameter("until", str, description=f"{_LAST_READ} before it, with all their pairs"),
]
"""The one meaning of a span of time, for coefficients, means and pairs."""
FILTERS = ("reader", "label", "modality", "arm", "since", "until", "level")
KINDS = {
    "readers": READERS,
    "models": WITH_MODELS,
    "gold": WITH_GOLD,
    "between_models": BETWEEN_MODELS,
    "model_gold": MODEL_AND_GOLD,
}
LONGEST_TEXT = 64
NARROWEST, WIDEST = 0.001, 1000.0


def narrowed_of(given: Mapping[str, str], mask: Mask | None = None) -> Narrowed:
    """The filters of a query, or 400 with the argument's name; somebody with a mask names readers by their codes."""
    return Narrowed(
        reader=_party(given, "reader", mask),
        label=_text(given, "label"),
        modality=_text(given, "modality"),
        arm=Arm(_one_of(given, "arm", Arm.values, Arm.UNAIDED.value)),
        since=_moment(given, "since"),
        until=_moment(given, "until"),
        level=_one_of(given, "level", LEVELS, LEVELS[0]),
    )


def _party(given: Mapping[str, str], name: str, mask: Mask | None) -> uuid.UUID | None:
    if name not in given:
        return None
    try:
        return party_of(given[name], mask).id
    except ValueError as error:
        raise refuse(name, str(error)) from None


def _text(given: Mapping[str, str], name: str) -> str | None:
    text = given.get(name)
    if text is not None and (len(text) > LONGEST_TEXT or not text.isprintable()):
        raise refuse(name, f"is longer than {LONGEST_TEXT} characters, or holds some that cannot be printed")
    return text


def _one_of(given: Mapping[str, str], name: str, known: Any, default: str) -> str:
    value = given.get(name, default)
    if value not in known:
        raise refuse(name, f"{value[:80]!r} is none of {', '.join(known)}")
    return value


def _moment(given: Mapping[str, str], name: str) -> dt.datetime | None:
    """A date or a date with a time; without a zone in UTC."""
    if name not in given:
        return None
    try:
        found = dt.datetime.fromisoformat(given[name])
        # In UTC: PostgreSQL knows no zone that is 16 hours off or more.
        return found.astimezone(dt.UTC) if timezone.is_aware(found) else found.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        raise refuse(name, f"{given[name][:80]!r} is no date, such as 2026-03-01") from None


class CaseAgreementDetail(APIView):
    """How far those who read a case agree on it."""

    permission_classes = (SignedIn,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, case_id: uuid.UUID) -> Response:
        """Every pair for staff; for a reader, after the own submit, the own pairs with models."""
        user = signed_in(request)
        arguments(request, ())
        case = get_object_or_404(Case.objects.visible_to(user).select_related("benchmark"), pk=case_id)
        require(user, VIEW, case.benchmark)
        if is_blind(user, case):
            raise PermissionDenied("Submit your own reading of this case first.")
        audit.look(user=user, case=case)
        is_staff = user.has_perm(SEE_OTHERS, case.benchmark)
        return Response(describe_case(case, viewer=user, reader_id=None if is_staff else user.pk))


class _OfBenchmark(APIView):
    """What staff get; who reads here as well gets it of the cases that they have submitted."""

    permission_classes = (SignedIn,)

    def _asked(self, request: Request, slug: str, *more: str) -> tuple[Benchmark, dict[str, str], Narrowed]:
        user = signed_in(request)
        benchmark = visible_benchmark(user, slug, SEE_OTHERS)
        given = arguments(request, (*FILTERS, *more))
        looking.see_page(user=user, benchmark=benchmark, page=looking.Page.AGREEMENT)
        return benchmark, given, for_viewer(narrowed_of(given, Mask.of(user, benchmark)), user, benchmark)


class BenchmarkAgreement(_OfBenchmark):
    """How far those who read a benchmark agree."""

    @extend_schema(parameters=SPAN, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str) -> Response:
        """Coefficients, splits, the matrix of parties and the ceiling; `parts` names some, by commas."""
        benchmark, given, narrowed = self._asked(request, slug, "parts")
        parts = [part for part in given.get("parts", "").split(",") if part]
        for part in parts:
            if part not in PARTS:
                raise refuse("parts", f"{part[:80]!r} is none of {', '.join(PARTS)}")
        return Response({**document(benchmark, narrowed, parts=parts), "reasons": REASONS})


class AgreementPairs(_OfBenchmark):
    """The pairs behind a number."""

    @extend_schema(parameters=SPAN, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str) -> Response:
        """Worst first; `undefined=1` those for which the number is not defined, each with why."""
        more = ("metric", "of", "a", "b", "undefined", "cursor", "limit")
        benchmark, given, narrowed = self._asked(request, slug, *more)
        known = tuple(METRICS if narrowed.label is None else OF_LABELS)
        metric = _one_of(given, "metric", known, known[0])
        try:
            found = pairs(
                benchmark,
                metric,
                narrowed,
                kinds=KINDS[_one_of(given, "of", KINDS, "readers")],
                a=_party(given, "a", narrowed.mask),
                b=_party(given, "b", narrowed.mask),
                undefined=_one_of(given, "undefined", ("0", "1"), "0") == "1",
                cursor=given.get("cursor", ""),
                limit=int(number(given.get("limit", str(PAGE)), "limit", least=1, most=MOST)),
            )
        except BadCursor:
            raise refuse("cursor", "is none that this list gave out") from None
        audit.look_at_all(user=signed_in(request), cases={one.row.case_id: benchmark.pk for one in found.pairs})
        called = names_of((one.row for one in found.pairs), narrowed.mask)
        results = [
            {"value": one.value, "case_key": one.case_key, **describe_pair(one.row, called)} for one in found.pairs
        ]
        return Response({"metric": metric, "results": results, "next": found.next or None})


class AgreementPlan(_OfBenchmark):
    """How many more readings a number needs."""

    @extend_schema(parameters=SPAN, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str) -> Response:
        """About how many, until `metric` stands at plus or minus `half_width`."""
        benchmark, given, narrowed = self._asked(request, slug, "metric", "half_width")
        known = numbers(benchmark, narrowed)
        metric = _one_of(given, "metric", known, next(iter(known)))
        wanted = number(given.get("half_width", "0.05"), "half_width", least=NARROWEST, most=WIDEST)
        found = plan_of(known[metric], benchmark, wanted, narrowed)
        return Response(
            {
                "metric": metric,
                "number": known[metric].as_json(),
                "half_width": wanted,
                "readings": found.readings,
                "cases": found.cases,
                "is_reliable": found.is_reliable,
                "why_not": found.why_not,
            }
        )


urlpatterns = [
    path("cases/<uuid:case_id>/agreement/", CaseAgreementDetail.as_view(), name="case-agreement"),
    path("benchmarks/<slug:slug>/agreement/", BenchmarkAgreement.as_view(), name="benchmark-agreement"),
    path("benchmarks/<slug:slug>/agreement/pairs/", AgreementPairs.as_view(), name="agreement-pairs"),
    path("benchmarks/<slug:slug>/agreement/plan/", AgreementPlan.as_view(), name="agreement-plan"),
]
