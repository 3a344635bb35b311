"""Errors over HTTP as application/problem+json (RFC 9457)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from curation.fields import FieldError
from curation.strict_json import TooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TYPE_PREFIX", "FieldError", "Problem", "handle", "invalid"]

TYPE_PREFIX = "/problems/"


class Problem(exceptions.APIException):
    """An error with a type, a title, a detail that names the value, and what else the caller needs."""

    def __init__(
        self,
        kind: str,
        *,
        status: int,
        title: str,
        detail: str,
        errors: tuple[FieldError, ...] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.status_code = status
        self.title = title
        self.errors = errors
        self.extra = dict(extra or {})


def invalid(errors: tuple[FieldError, ...], *, what: str) -> Problem:
    """A 400 for a body with wrong fields."""
    first = errors[0]
    return Problem(
        "invalid",
        status=400,
        title=f"The {what} is not valid",
        detail=f"{first.path}: {first.detail}" if first.path else first.detail,
        errors=errors,
    )


def _flatten(detail: Any, path: str = "") -> list[dict[str, str]]:
    if isinstance(detail, dict):
        return [row for key, value in detail.items() for row in _flatten(value, f"{path}.{key}" if path else str(key))]
    if isinstance(detail, list):
        rows: list[dict[str, str]] = []
        for index, value in enumerate(detail):
            rows += _flatten(value, f"{path}[{index}]" if isinstance(value, dict | list) else path)
        return rows
    return [{"path": path, "detail": str(detail)}]


def _known(error: Exception) -> tuple[str, str]:
    kinds: dict[type[Exception], tuple[str, str]] = {
        exceptions.ValidationError: ("invalid", "The request is not valid"),
        exceptions.ParseError: ("unreadable", "The body cannot be read"),
        TooLarge: ("too-large", "The body is too large"),
        exceptions.NotAuthenticated: ("not-signed-in", "Not signed in"),
        exceptions.AuthenticationFailed: ("not-signed-in", "Not signed in"),
        exceptions.PermissionDenied: ("forbidden", "Not allowed"),
        PermissionDenied: ("forbidden", "Not allowed"),
        exceptions.NotFound: ("not-found", "Not found"),
        Http404: ("not-found", "Not found"),
        exceptions.MethodNotAllowed: ("method-not-allowed", "Method not allowed"),
        exceptions.Throttled: ("too-many-requests", "Too many requests"),
        exceptions.UnsupportedMediaType: (
            "unsupported-media-type",
            "Unsupported media type",
        ),
    }
    found = (words for kind, words in kinds.items() if isinstance(error, kind))
    return next(found, ("error", "The request failed"))


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every error in one shape."""
    if isinstance(error, SuspiciousOperation):  # Django would answer with a page of its own
        detail = str(error) or type(error).__name__
        error = TooLarge(detail) if isinstance(error, RequestDataTooBig) else exceptions.ParseError(detail)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, Problem):
        body: dict[str, Any] = {
            "type": TYPE_PREFIX + error.kind,
            "title": error.title,
            "status": error.status_code,
            "detail": str(error.detail),
            "errors": [{"path": row.path, "detail": row.detail} for row in error.errors],
            **error.extra,
        }
    else:
        kind, title = _known(error)
        rows = _flatten(
            response.data.get("detail", response.data) if isinstance(response.data, dict) else response.data
        )
        detail = "; ".join(f"{row['path']}: {row['detail']}" if row["path"] else row["detail"] for row in rows)
        errors = [row for row in rows if row["path"]]
        body = {
            "type": TYPE_PREFIX + kind,
            "title": title,
            "status": response.status_code,
            "detail": detail,
            "errors": errors,
        }
    response.data = body
    return response
