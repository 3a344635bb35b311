"""Looks at what is sensitive beside the pages of a single case: image bytes, whole benchmarks, the administration.

Each is one event for each person, thing and hour of the clock (UTC), and costs nothing once this process has told it.
What counts is the first look: a browser keeps image bytes and asks no more, and an answer of 304 carries none.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING

from curation.audit import Once, append_once, is_told, this_hour
from curation.models import Case

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable

    from curation.models import Benchmark, User

PAGE_SEEN = "benchmark.looked"
TRAIL_SEEN = "trail.looked"
ROWS_SEEN = "administration.looked"
IMAGES_SEEN = "images.looked"
THUMBNAILS_SEEN = "images.thumbnail_looked"
MOST_CASES = 50
"""An image that more cases share is told of once, as an image, with how many cases hold it."""


class Page(StrEnum):
    """What is shown of a whole benchmark, by page and endpoint alike."""

    AGREEMENT = "agreement"
    AIDED = "changed answers"
    CASES = "list of cases"
    DRIFT = "drift of readers"
    OVERVIEW = "overview"
    PROBES = "probes"
    PROGRESS = "progress"
    QUEUE = "queue"
    REVIEWS = "review queue"
    SCHEDULES = "schedules"
    WRONG_REASON = "wrong reason"


def see_page(*, user: User, benchmark: Benchmark, page: Page) -> None:
    """Append that somebody saw others' readings, names, gold or models of a benchmark as a whole."""
    see_pages(user=user, benchmark_ids=[benchmark.pk], page=page)


def see_pages(*, user: User, benchmark_ids: Iterable[uuid.UUID], page: Page) -> None:
    """As `see_page`, of every benchmark that a list tells of."""
    hour = this_hour()
    after = {"page": page.value, "hour": f"{hour}:00Z"}
    append_once(
        user=user,
        wanted=[
            Once(f"page:{user.pk}:{pk}:{page.name}:{hour}", PAGE_SEEN, pk, "benchmark", str(pk), after)
            for pk in set(benchmark_ids)
        ],
    )


def see_trail(*, user: User) -> None:
    """Append that somebody read the audit trail."""
    hour = this_hour()
    append_once(user=user, wanted=[Once(f"trail:{user.pk}:{hour}", TRAIL_SEEN, None, "", "", {"hour": f"{hour}:00Z"})])


def see_rows(*, user: User, table: str, row: str = "", case_id: uuid.UUID | None = None) -> None:
    """Append that somebody looked at a list of rows in Django's administration, or at one row, perhaps of a case."""
    hour = this_hour()
    # A digest, since keys of rows may be as long as they like.
    which = hashlib.sha256(f"{table}:{row}".encode()).hexdigest()[:32]
    benchmark_id = Case.objects.filter(pk=case_id).values_list("benchmark_id", flat=True).first() if case_id else None
    after = {"hour": f"{hour}:00Z", **({"case": str(case_id)} if case_id else {})}
    append_once(
        user=user,
        wanted=[Once(f"admin:{user.pk}:{which}:{hour}", ROWS_SEEN, benchmark_id, table[:64], row[:128], after)],
    )


def see_image(*, user: User, sha256: str, is_thumbnail: bool = False) -> None:
    """Append that bytes of an image go out to somebody: an event on every case that holds it and that they may see.

    An image that is in no such case (just uploaded), or in more than MOST_CASES, is told of as an image.

    Notes
    -----
    A SELECT and an INSERT the first time in a process and hour, nothing after that. A case of many images and frames is
    still one event; small pictures, which lists show, are told apart from the images themselves.
    """
    action = THUMBNAILS_SEEN if is_thumbnail else IMAGES_SEEN
    hour, kind = this_hour(), "thumb" if is_thumbnail else "image"
    whole = f"{kind}:{user.pk}:{sha256}:{hour}"
    if is_told(whole):
        return
    after = {"hour": f"{hour}:00Z"}
    holding = Case.objects.visible_to(user).filter(images__asset=sha256).distinct().order_by()
    cases = list(holding.values_list("pk", "benchmark_id")[: MOST_CASES + 1])
    wanted = [
        Once(f"{kind}:{user.pk}:{case_id}:{hour}", action, benchmark_id, "case", str(case_id), after)
        for case_id, benchmark_id in cases
    ]
    if not 1 <= len(cases) <= MOST_CASES:
        benchmarks = {benchmark_id for _, benchmark_id in cases}
        only = benchmarks.pop() if len(benchmarks) == 1 else None
        wanted = [Once(whole, action, only, "image", sha256, {**after, "cases": holding.count()})]
    append_once(user=user, wanted=wanted, remember=[whole])
