"""Pages of this app: log-in, health, and the API's documentation."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from curation.access import require, signed_in
from curation.guessing import address_of, wait_for
from curation.images import mark_text_checked
from curation.models import Case, CaseImage
from curation.permissions import CURATE

if TYPE_CHECKING:
    import uuid

    from django.contrib.auth.forms import AuthenticationForm
    from django.http import HttpRequest


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether the process answers."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether requests can be served: 503 while PostgreSQL is away."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("PostgreSQL does not answer", status=503, content_type="text/plain")
    return HttpResponse("ready", content_type="text/plain")


class LogIn(LoginView):
    """The log-in page; after too many failures it names the wait, and never which half was wrong."""

    template_name = "curation/login.html"
    http_method_names = ["get", "post"]

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """The page again: 200, or 429 where another try is of no use yet."""
        name = str(form.cleaned_data.get("username") or "")
        wait = wait_for(name=name, address=address_of(self.request))
        if wait is None:
            return super().form_invalid(form)
        seconds = ceil(wait.total_seconds())
        context = self.get_context_data(form=form, wait_minutes=ceil(seconds / 60))
        return self.render_to_response(context, status=429, headers={"Retry-After": str(seconds)})


@require_POST
def check_text(request: HttpRequest, case_id: uuid.UUID, number: int) -> HttpResponse:
    """A curator has looked at an image's pixels and found no name in them."""
    user = signed_in(request)
    found = get_object_or_404(Case.objects.visible_to(user).select_related("benchmark"), pk=case_id)
    require(user, CURATE, found.benchmark)
    image = get_object_or_404(CaseImage.objects.select_related("asset"), case=found, number=number)
    mark_text_checked(asset=image.asset, curator=user, benchmark=found.benchmark)
    messages.success(request, f"Image {number} is marked as checked for burned-in text.")
    return redirect("case-page", case_id=found.pk)


LOGIN = LogIn.as_view()
urlpatterns = [
    path("cases/<uuid:case_id>/images/<int:number>/text-check/", check_text, name="check-text"),
    path("login/", LOGIN, name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
]
