"""DRF's side of permissions: denied unless a view names who may, and outsiders cannot tell what exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework.permissions import BasePermission, IsAuthenticated

from curation.models import Benchmark, User
from curation.permissions import NEEDED, VIEW
from curation.statements import Columns, Statement

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

__all__ = ["Denied", "SignedIn", "require", "signed_in", "visible_benchmark"]

_BENCHMARK = Columns(Benchmark, "b")
_OF_SLUG = Statement(f"SELECT {_BENCHMARK.sql} FROM curation_benchmark b WHERE slug = %(slug)s")  # noqa: S608 - names


class Denied(BasePermission):
    """The default of every API view: nobody. A view states who may by naming another class."""

    message = "This endpoint does not say who may use it."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Nobody."""
        return False


class SignedIn(IsAuthenticated):
    """Whoever is signed in; the view then narrows by `require` or a `visible_to` query."""


def signed_in(request: Any) -> User:
    """The user of a request behind `SignedIn` or the log-in middleware."""
    user = request.user
    if not isinstance(user, User):
        raise Http404
    return user


def require(user: User, permission: str, benchmark: Benchmark | None) -> None:
    """Raise unless the user holds the permission: 404 for who may not even see the benchmark, else 403.

    Parameters
    ----------
    permission
        A name of `curation.permissions`.
    benchmark
        None asks for a role held in every benchmark.
    """
    from_outside = benchmark is not None and not user.has_perm(VIEW, benchmark)
    if from_outside:
        raise Http404
    if not user.has_perm(permission, benchmark):
        where = f"in {benchmark.slug}" if benchmark else "in every benchmark"
        raise PermissionDenied(f"This needs the role {NEEDED[permission]} {where}.")


def visible_benchmark(user: User, slug: str, permission: str = VIEW) -> Benchmark:
    """The benchmark of that name, if the user may do this there: 404 to an outsider, 403 to another role."""
    values = _OF_SLUG.row(slug=slug)
    if values is None:
        raise Http404
    benchmark = _BENCHMARK.made(values)
    require(user, permission, benchmark)
    return benchmark
