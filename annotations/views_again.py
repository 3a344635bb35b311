"""Pages after the own submit: the case again with models in view, and in training what the gold says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_safe

from annotations import feedback, payloads
from annotations.aided import NotYetSubmitted, open_aided
from annotations.feedback_pictures import pictures_of
from annotations.models import Arm, Reading, ReadingState
from annotations.submission import revise
from annotations.views import workspace_data
from curation.access import signed_in, visible_benchmark
from curation.models import User
from curation.permissions import READ

if TYPE_CHECKING:
    import uuid

    from django.http import HttpRequest, HttpResponse


def own_reading(request: HttpRequest, slug: str, pk: uuid.UUID) -> tuple[User, Reading]:
    """A reading of whoever asks, in a benchmark that they read; of anybody else it does not exist."""
    user = signed_in(request)
    benchmark = visible_benchmark(user, slug, READ)
    readings = Reading.objects.filter(reader=user, case__benchmark=benchmark)
    return user, get_object_or_404(readings.select_related("case__benchmark"), pk=pk)


def aided_workspace(reading: Reading, user: User) -> dict[str, Any]:
    """What the reading page starts from in the aided arm: this case, no lease, and where models speak."""
    data = workspace_data(reading.case.benchmark, user)
    handed = {
        "assignment": None,
        "lease_expires_at": None,
        "case": payloads.blind_case(reading.case),
        "reading": payloads.own_reading(reading),
    }
    return {**data, "next": handed}


@never_cache
@ensure_csrf_cookie
@require_http_methods(["GET", "HEAD", "POST"])
def again(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """The reading page in the aided arm; before it is open, or once it is submitted, what opening it means."""
    user, reading = own_reading(request, slug, pk)
    if request.method == "POST":
        return _open(request, slug, reading)
    if reading.arm == Arm.UNAIDED:
        if not reading.revision:
            return redirect("read", slug=slug)
        aided = Reading.objects.filter(case=reading.case, reader=user, arm=Arm.AIDED).first()
        if aided is not None:
            return redirect("read-again", slug=slug, pk=aided.pk)
    elif reading.state == ReadingState.DRAFT:
        context = {"benchmark": reading.case.benchmark, "workspace": aided_workspace(reading, user)}
        return render(request, "annotations/read_again.html", context)
    return render(request, "annotations/again.html", {"nav": "home", "reading": reading, "case": reading.case})


def _open(request: HttpRequest, slug: str, reading: Reading) -> HttpResponse:
    try:
        aided = open_aided(reading_id=reading.pk)
    except NotYetSubmitted as error:
        messages.add_message(request, messages.ERROR, f"Not opened: {error}.", extra_tags="bad")
        return redirect("home")
    if aided.state == ReadingState.SUBMITTED:
        revise(reading_id=aided.pk)
    return redirect("read-again", slug=slug, pk=aided.pk)


@never_cache
@require_safe
def feedback_page(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """In training: right or wrong, the gold's regions over the own ones, and the reviewer's reason."""
    _, reading = own_reading(request, slug, pk)
    try:
        told = feedback.feedback_on(reading_id=reading.pk)
    except feedback.NoFeedback as error:
        raise PermissionDenied(str(error)) from error
    revision = reading.revisions.filter(revision=reading.revision).first()
    if revision is None:  # a submitted reading has its revisions
        raise Http404
    context = {
        "nav": "home",
        "case": reading.case,
        "reading": reading,
        "told": told,
        "own": revision.content,
        "own_answer": answer_words(revision.content["answer"], reading.case.options),
        "gold_answer": answer_words(told["answer"], reading.case.options),
        "pictures": pictures_of(reading.case, own=revision.content["rois"], gold=told["rois"]),
    }
    return render(request, "annotations/feedback.html", context)


def answer_words(answer: Any, options: dict[str, str] | None) -> str:
    """An answer as a sentence's part: its letter and option, or its text; empty for none."""
    if isinstance(answer, dict):
        answer = answer.get("choice") or answer.get("text")
    if not isinstance(answer, str):
        return ""
    option = (options or {}).get(answer)
    return f"{answer}, {option}" if option else answer


urlpatterns = [
    path("read/<slug:slug>/again/<uuid:pk>/", again, name="read-again"),
    path("read/<slug:slug>/feedback/<uuid:pk>/", feedback_page, name="feedback-page"),
]
