"""The page of a benchmark's queue, for curators: order and overlap, readers, assigning by name, surplus drafts."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_POST, require_safe

from annotations import ordering, pushing, queue_settings, queue_state, submission
from annotations.api.pushing import curated
from annotations.assigning import MOST_REASON_CHARACTERS
from annotations.blinding import hidden_faults
from annotations.content import BadContent
from annotations.models import Assignment, Reading
from curation import looking
from curation.access import signed_in
from curation.models import Benchmark, Case, OrderPolicy, User
from curation.paging import rows_after
from curation.permissions import READ
from curation.protocols import MOST_OVERLAP

if TYPE_CHECKING:
    import uuid

    from django.http import HttpRequest, HttpResponse

MOST_NAMED_BACK = 5
LONGEST_KEYS = 200_000


class BadForm(ValueError):
    """Something typed that cannot be done, in words for the page."""


@require_safe
def queue(request: HttpRequest, slug: str) -> HttpResponse:
    """How cases come to readers, and who holds which now."""
    benchmark = curated(request, slug)
    looking.see_page(user=signed_in(request), benchmark=benchmark, page=looking.Page.QUEUE)
    readers = queue_state.readers_of(benchmark)
    rows = queue_state.held_now(benchmark)
    rows = rows_after(rows, request.GET.get("after", ""), "created_at", newest_first=False)
    held = list(rows[: queue_state.HELD_A_PAGE + 1])
    page = held[: queue_state.HELD_A_PAGE]
    context = {
        "nav": "benchmarks",
        "benchmark": benchmark,
        "policies": OrderPolicy.choices,
        "most_overlap": MOST_OVERLAP,
        "random_percent": round(100 * benchmark.random_share, 3),
        "singled": benchmark.cases.exclude(overlap=None, priority=0).count(),
        "counts": queue_state.counts_of(benchmark),
        "lines": queue_state.reader_lines(benchmark, readers),
        "held": page,
        # Who reads here too would tell a probe by its lack of the mark.
        "tells_origin": not signed_in(request).has_perm(READ, benchmark),
        "next_after": page[-1].pk if len(held) > len(page) else None,
        "surplus": queue_state.surplus_of(benchmark),
        "now": timezone.now(),
    }
    return render(request, "annotations/queue.html", context)


def _say(request: HttpRequest, text: str, *, is_bad: bool = False) -> None:
    messages.add_message(
        request, messages.ERROR if is_bad else messages.SUCCESS, text, extra_tags="bad" if is_bad else ""
    )


def _reason(request: HttpRequest) -> str:
    found = request.POST.get("reason", "").strip()
    if not found:
        raise BadForm("Give a reason: it goes to the trail")
    if len(found) > MOST_REASON_CHARACTERS:
        raise BadForm(f"The reason has {len(found)} characters; at most {MOST_REASON_CHARACTERS} are kept")
    return found.replace("\0", "")


@require_POST
def assign(request: HttpRequest, slug: str) -> HttpResponse:
    """Give cases to a reader: those named, or so many of the next ones."""
    benchmark = curated(request, slug)
    try:
        _say(request, _assign(request, benchmark))
    except BadForm as error:
        _say(request, f"Nothing was assigned: {error}.", is_bad=True)
    return redirect("queue-page", slug=slug)


def _assign(request: HttpRequest, benchmark: Benchmark) -> str:
    name = request.POST.get("reader", "").replace("\0", "")
    reader = pushing.reader_called(name, benchmark)
    if reader is None:
        raise BadForm(f"nobody called {name[:80]!r} reads in {benchmark.title}")
    due_at = _due(request.POST.get("due", ""))
    case_ids = _chosen(request.POST, benchmark, reader)
    if not case_ids:
        raise BadForm("no case has a place left for this reader")
    done = pushing.assign(
        benchmark=benchmark, case_ids=case_ids, reader=reader, curator=signed_in(request), due_at=due_at
    )
    said = f"{len(done.assigned)} case{'' if len(done.assigned) == 1 else 's'} assigned to {reader.display_name}."
    told = [f"{row.case.key}: {row.reason}" for row in done.refused[:MOST_NAMED_BACK]]
    left_out = len(done.refused) - len(told)
    if told:
        said += f" Not assigned: {'; '.join(told)}{f'; and {left_out} more' if left_out else ''}."
    return said


def _due(given: str) -> dt.datetime | None:
    """The end of a day, UTC; none where nothing was typed."""
    if not given:
        return None
    try:
        day = parse_date(given)
    except ValueError:
        day = None
    if day is None:
        raise BadForm(f"{given[:40]!r} is no date such as 2026-12-01")
    end = dt.datetime.combine(day, dt.time(23, 59), tzinfo=dt.UTC)
    if end < timezone.now():
        raise BadForm(f"{given} is over")
    return end


def _chosen(given: Any, benchmark: Benchmark, reader: User) -> list[uuid.UUID]:
    """The cases whose keys were typed, one a line; else as many of the next ones as were asked for."""
    if keys := named_keys(given):
        return [case.pk for case in cases_of(benchmark, keys)]
    count = given.get("count", "")
    if not (count.isascii() and count.isdecimal() and 1 <= int(count[:9]) <= pushing.MOST_AT_ONCE):
        raise BadForm(f"{count[:20]!r} is no number of cases from 1 to {pushing.MOST_AT_ONCE}")
    return pushing.next_unassigned(benchmark=benchmark, reader=reader, count=int(count))


def named_keys(given: Any) -> list[str]:
    """Keys of cases as they were typed: one a line, or separated by commas or blanks."""
    text = given.get("keys", "").replace("\0", "")
    if len(text) > LONGEST_KEYS:
        raise BadForm(f"the list of cases has {len(text)} characters; at most {LONGEST_KEYS} are read")
    return list(dict.fromkeys(text.replace(",", " ").split()))


def cases_of(benchmark: Benchmark, keys: list[str]) -> list[Case]:
    """The cases of those keys, in their order; refuses any that is unknown."""
    if len(keys) > pushing.MOST_AT_ONCE:
        raise BadForm(f"{len(keys)} cases at once; at most {pushing.MOST_AT_ONCE} are taken")
    known = {case.key: case for case in Case.objects.filter(benchmark=benchmark, key__in=keys)}
    unknown = [key for key in keys if key not in known]
    if unknown:
        raise BadForm(f"{unknown[0][:80]!r} is no case of {benchmark.title}")
    return [known[key] for key in keys]


@require_POST
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Change order, overlap, who gets cases, and whether the queue is paused."""
    benchmark = curated(request, slug)
    given = request.POST
    try:
        wanted = queue_settings.Settings(
            policy=given.get("policy") or None,
            seed=_whole(given.get("seed", ""), "the seed"),
            random_share=_share(given.get("share", "")),
            overlap=_overlap(given.get("overlap", "")),
            is_push_only=given.get("push_only") == "on",
            is_paused=given.get("paused") == "on",
        )
        queue_settings.change(benchmark=benchmark, wanted=wanted, actor=signed_in(request))
        _say(request, "The queue is changed; what is handed out already stays.")
    except (BadForm, ordering.BadOrder) as error:
        _say(request, f"Nothing was changed: {error}.", is_bad=True)
    return redirect("queue-page", slug=slug)


@require_POST
def single(request: HttpRequest, slug: str) -> HttpResponse:
    """Give some cases an overlap of their own, a priority, or both."""
    benchmark = curated(request, slug)
    try:
        _say(request, _single(request, benchmark))
    except (BadForm, ordering.BadOrder) as error:
        _say(request, f"Nothing was changed: {error}.", is_bad=True)
    return redirect("queue-page", slug=slug)


def _single(request: HttpRequest, benchmark: Benchmark) -> str:
    case_ids = [case.pk for case in cases_of(benchmark, named_keys(request.POST))]
    if not case_ids:
        raise BadForm("name at least one case")
    overlap = _overlap(request.POST.get("overlap", ""))
    priority = _whole(request.POST.get("priority", ""), "the priority")
    if overlap is None and priority is None and request.POST.get("reset") != "on":
        raise BadForm("give an overlap, a priority, or both")
    actor, changed = signed_in(request), 0
    with transaction.atomic():
        if overlap is not None or request.POST.get("reset") == "on":
            changed = ordering.set_overlap(benchmark=benchmark, overlap=overlap, case_ids=case_ids, actor=actor)
        if priority is not None:
            changed = max(
                changed,
                ordering.set_priority(benchmark=benchmark, case_ids=case_ids, priority=priority, actor=actor),
            )
    return f"{changed} case{'' if changed == 1 else 's'} changed."


def _whole(given: str, what: str) -> int | None:
    """A whole number; None where nothing was typed."""
    text = given.strip()
    if not text:
        return None
    if not re.fullmatch(r"-?[0-9]{1,12}", text):
        raise BadForm(f"{what} {text[:40]!r} is no whole number")
    return int(text)


def _overlap(given: str) -> int | None:
    found = _whole(given, "the number of readings")
    if found is not None and not 1 <= found <= MOST_OVERLAP:
        raise BadForm(f"the number of readings {found} is not between 1 and {MOST_OVERLAP}")
    return found


def _share(given: str) -> float | None:
    """Percent, as typed, as a share."""
    text = given.strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", text):
        raise BadForm(f"the random share {text[:40]!r} is no percentage such as 20")
    return float(text) / 100


@require_POST
def take_back(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """End what somebody holds."""
    benchmark = curated(request, slug)
    assignment = get_object_or_404(Assignment, pk=pk, case__benchmark=benchmark)
    try:
        pushing.take_back(assignment_id=assignment.pk, curator=signed_in(request), reason=_reason(request))
        _say(request, "The place is free again; the draft is kept.")
    except (BadForm, pushing.NotAssigned) as error:
        _say(request, f"Nothing was taken back: {error}.", is_bad=True)
    return redirect("queue-page", slug=slug)


@require_POST
def settle(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """Accept a surplus draft as a reading, or close it."""
    benchmark = curated(request, slug)
    reading = get_object_or_404(Reading, pk=pk, case__benchmark=benchmark)
    user = signed_in(request)
    try:
        reason = _reason(request)
        if request.POST.get("act") == "accept":
            with hidden_faults(user, reading.case):
                submission.accept_surplus(reading_id=reading.pk, curator=user, reason=reason)
            _say(request, "The draft counts as submitted, beyond the overlap.")
        else:
            submission.close_surplus(reading_id=reading.pk, curator=user, reason=reason)
            _say(request, "The draft is closed; nothing of it is lost.")
    except (BadForm, submission.NotSurplus, BadContent) as error:
        _say(request, f"Nothing was changed: {error}.", is_bad=True)
    return redirect("queue-page", slug=slug)


urlpatterns = [
    path("benchmarks/<slug:slug>/queue/", queue, name="queue-page"),
    path("benchmarks/<slug:slug>/queue/settings/", settings, name="queue-settings"),
    path("benchmarks/<slug:slug>/queue/cases/", single, name="queue-single"),
    path("benchmarks/<slug:slug>/queue/assign/", assign, name="queue-assign"),
    path("benchmarks/<slug:slug>/queue/take-back/<uuid:pk>/", take_back, name="queue-take-back"),
    path("benchmarks/<slug:slug>/queue/surplus/<uuid:pk>/", settle, name="queue-settle"),
]
