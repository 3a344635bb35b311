"""Endpoints of comments on a case, and of what names oneself."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations import commenting
from annotations.api import review_bodies
from annotations.api.conflicts import as_problems
from annotations.api.reviews import opened_case
from annotations.models import Comment, Mention
from annotations.naming import CaseNames
from annotations.review_payloads import describe_comments, describe_mentions
from curation import audit
from curation.access import SignedIn, signed_in
from curation.paging import MOST, PAGE, arguments, decode_cursor, encode_cursor, number, page, refuse, rows_after
from curation.permissions import VIEW

if TYPE_CHECKING:
    from rest_framework.request import Request


class CaseComments(APIView):
    """Comments on a case."""

    permission_classes = (SignedIn,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, case_id: uuid.UUID) -> Response:
        """Those that one may see, in the order they were made."""
        case = opened_case(request, case_id, VIEW)
        given = arguments(request, ("cursor", "limit"))
        limit = int(number(given.get("limit", str(PAGE)), "limit", least=1, most=MOST))
        rows = commenting.visible_comments(signed_in(request), case).order_by("created_at", "pk")
        if "cursor" in given:
            rows = rows_after(rows, decode_cursor(given["cursor"], str), "created_at", newest_first=False)
        told = describe_comments(rows[: limit + 1], CaseNames.of(signed_in(request), [case]))
        has_more = len(told) > limit
        return Response({"results": told[:limit], "next": encode_cursor(told[limit - 1]["id"]) if has_more else None})

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, case_id: uuid.UUID) -> Response:
        """Say something about the case, a part of a reading or a field; or answer, with `parent`."""
        case = opened_case(request, case_id, VIEW)
        given = review_bodies.comment(request.data)
        with as_problems():
            written = commenting.write_comment(case=case, author=signed_in(request), **given)
        names = CaseNames.of(signed_in(request), [case])
        return Response(describe_comments(Comment.objects.filter(pk=written.pk), names)[0], status=201)


class _Resolving(APIView):
    permission_classes = (SignedIn,)
    is_resolved = True

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Whoever sees a thread may; who did is kept."""
        user = signed_in(request)
        found = get_object_or_404(Comment, pk=pk)
        case = opened_case(request, found.case_id, VIEW)
        if not commenting.visible_comments(user, case).filter(pk=pk).exists():
            raise Http404
        with as_problems():
            commenting.set_resolved(comment_id=pk, actor=user, is_resolved=self.is_resolved)
        return Response(describe_comments(Comment.objects.filter(pk=pk), CaseNames.of(user, [case]))[0])


class CommentResolve(_Resolving):
    """Calling a thread settled."""


class CommentReopen(_Resolving):
    """Taking a thread up again."""

    is_resolved = False


class Mentions(APIView):
    """What names oneself."""

    permission_classes = (SignedIn,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """The oldest first; `unseen=true` leaves out what was seen."""
        given = arguments(request, ("cursor", "limit", "unseen"))
        if given.get("unseen", "true") not in ("true", "false"):
            raise refuse("unseen", f"{given['unseen'][:80]!r} is neither true nor false")
        user = signed_in(request)
        rows = commenting.mentions_of(user).select_related("comment__case__benchmark")
        if given.get("unseen") == "true":
            rows = rows.filter(seen_at=None)

        def told(found: list[Mention]) -> list[dict[str, Any]]:
            audit.look_at_all(user=user, cases={row.comment.case_id: row.comment.case.benchmark_id for row in found})
            return describe_mentions(found, user)

        return Response(page(rows, given, key="pk", kind=int, render=told).as_json())


class CommentSeen(APIView):
    """Having seen what names oneself."""

    permission_classes = (SignedIn,)

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Once is enough: the first time is kept."""
        with as_problems():
            mention = commenting.mark_seen(comment_id=pk, user=signed_in(request))
        return Response({"comment": str(mention.comment_id), "seen_at": mention.seen_at})


urlpatterns: list[Any] = [
    path("cases/<uuid:case_id>/comments/", CaseComments.as_view(), name="case-comments"),
    path("comments/<uuid:pk>/resolve/", CommentResolve.as_view(), name="comment-resolve"),
    path("comments/<uuid:pk>/reopen/", CommentReopen.as_view(), name="comment-reopen"),
    path("comments/<uuid:pk>/seen/", CommentSeen.as_view(), name="comment-seen"),
    path("mentions/", Mentions.as_view(), name="mentions"),
]
