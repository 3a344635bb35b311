"""The page of a case's history: what happened, and what stood at any moment of it; the same as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.views.decorators.http import require_safe

from curation import audit
from curation.access import require, signed_in
from curation.case_trail import ALL, SHOWN, Moment, Voice, history_of, voices_at, whole_history
from curation.models import Case, CaseImage, Role
from curation.permissions import SEE_TRAIL
from curation.plotting import safe_cell
from curation.saying import Outline, Pair, answer_words, outline, roi_words, step_words

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Sequence

    from django.http import HttpRequest

MOST_IMAGES = 6
MOST_OUTLINES = 300
STYLES = 6
HEAD = ("at (UTC)", "who", "what", "kind", "before", "after", "event", "seal")


@dataclass(frozen=True)
class Told:
    """A voice as the page tells it; `style` is its place among those with regions."""

    voice: Voice
    style: int
    is_new: bool
    answer: str
    rois: list[str]
    steps: list[str]


@dataclass(frozen=True)
class Drawn:
    """One image with everybody's regions on it."""

    image: CaseImage
    outlines: list[tuple[int, str, Outline]]


def _case(request: HttpRequest, case_id: uuid.UUID) -> Case:
    """The case for somebody who may see its whole trail, whose look is noted.

    Whoever reads in a benchmark is blind there, also as its curator: the trail tells of every reading.
    """
    user = signed_in(request)
    case = get_object_or_404(Case.objects.visible_to(user).select_related("benchmark"), pk=case_id)
    require(user, SEE_TRAIL, case.benchmark)
    if Role.READER.value in user.roles_in(case.benchmark_id):
        raise PermissionDenied("Whoever reads in a benchmark reads blind, and the history tells of every reading.")
    audit.look(user=user, case=case)
    return case


def _shown(request: HttpRequest) -> str:
    shown = request.GET.get("show") or ALL
    if shown not in SHOWN:
        raise Http404(f"show: {shown[:80]!r} is none of {', '.join(SHOWN)}")
    return shown


@require_safe
def case_trail(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """A page of moments, the newest first, and the case as it stood at the chosen one."""
    case, shown = _case(request, case_id), _shown(request)
    before = request.GET.get("before", "")
    history = history_of(case, before=before, shown=shown)
    moments = history.moments
    at = request.GET.get("at", "")
    place = next((number for number, one in enumerate(moments) if one.cursor == at), 0)
    chosen = moments[place] if moments else None
    voices = _told(voices_at(case, chosen.at), chosen) if chosen else []

    def query(**changes: str) -> str:
        given = {"show": shown if shown != ALL else "", "before": before, **changes}
        return urlencode({name: value for name, value in given.items() if value})

    older = query(before=history.next_before) if history.next_before else ""
    return render(
        request,
        "curation/case_trail.html",
        {
            "nav": "benchmarks",
            "case": case,
            "chosen": chosen,
            "rows": [(one, query(at=one.cursor)) for one in moments],
            "place": len(moments) - place,
            "count": len(moments),
            "earlier": query(at=moments[place + 1].cursor) if place + 1 < len(moments) else older,
            "later": query(at=moments[place - 1].cursor) if place else "",
            "older": older,
            "newest": query(before="") if before else None,
            "ticks": _ticks(moments, query),
            "voices": voices,
            "drawn": _drawn(case, voices),
            "shows": [(words, f"show={name}", name == shown) for name, words in SHOWN.items()],
            "csv_query": urlencode({"show": shown}) if shown != ALL else "",
        },
    )


def _ticks(moments: Sequence[Moment], query: Any) -> list[tuple[Moment, str, float]]:
    """The moments of the page evenly along a line, the oldest at the left; their place from 0 to 100."""
    last = max(1, len(moments) - 1)
    return [(one, query(at=one.cursor), 100 - 100 * number / last) for number, one in enumerate(moments)]


def _told(voices: Iterable[Voice], chosen: Moment) -> list[Told]:
    found: list[Told] = []
    style = 0
    for voice in voices:
        has_regions = bool(voice.content.rois)
        found.append(
            Told(
                voice=voice,
                style=style % STYLES if has_regions else -1,
                is_new=voice.since == chosen.at,
                answer=answer_words(voice.content.answer),
                rois=[roi_words(roi) for roi in voice.content.rois],
                steps=[step_words(step) for step in voice.content.steps],
            )
        )
        style += has_regions
    return found


def _drawn(case: Case, voices: Sequence[Told]) -> list[Drawn]:
    """The first images of the case with the regions of every voice; one query."""
    by_image: dict[int, list[tuple[int, str, Outline]]] = {}
    count = 0
    for told in voices:
        for roi in told.voice.content.rois:
            drawn = outline(roi)
            if drawn is not None and count < MOST_OUTLINES:
                words = f"{told.voice.name}: {roi_words(roi)}"
                by_image.setdefault(int(roi["image"]), []).append((told.style, words, drawn))
                count += 1
    images = list(case.images.select_related("asset").order_by("number"))
    marked = [image for image in images if image.number in by_image] or images[:1]
    return [Drawn(image, by_image.get(image.number, [])) for image in marked[:MOST_IMAGES]]


@require_safe
def case_trail_csv(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """The whole history as CSV, the newest first; that it was taken away is an event of its own."""
    case, shown = _case(request, case_id), _shown(request)
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(HEAD)
    writer.writerows([safe_cell(cell) for cell in _cells(one)] for one in whole_history(case, shown=shown))
    audit.record(
        "case.trail_downloaded",
        actor=signed_in(request),
        benchmark_id=case.benchmark_id,
        object_type="case",
        object_id=str(case.pk),
        after={"shown": shown},
    )
    # With a byte order mark: without it a spreadsheet takes the letters of names for another alphabet's.
    answer = HttpResponse("\ufeff" + lines.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="case-{case.pk}-trail.csv"'
    return answer


def _cells(one: Moment) -> list[str | int | None]:
    return [
        one.at.isoformat(),
        one.who,
        one.did,
        one.kind,
        _line(one.before),
        _line(one.after),
        one.event.pk if one.event else None,
        one.seal.number if one.seal else None,
    ]


def _line(pairs: Sequence[Pair]) -> str:
    return "; ".join(f"{name}: {text}" if name else text for name, text in pairs)


urlpatterns = [
    path("cases/<uuid:case_id>/trail/", case_trail, name="case-trail-page"),
    path("cases/<uuid:case_id>/trail.csv", case_trail_csv, name="case-trail-csv"),
]
