"""The reader's own page: what to read next, and what was submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from annotations.desks import desks_of
from annotations.own_readings import submitted_last
from curation.access import signed_in

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """My cases."""
    user = signed_in(request)
    context = {"nav": "home", "desks": desks_of(user), "submitted": submitted_last(user)}
    return render(request, "annotations/home.html", context)


urlpatterns = [path("", home, name="home")]
