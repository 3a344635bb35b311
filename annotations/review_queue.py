"""Which cases of a benchmark wait for somebody to settle them, the most disputed first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, QuerySet, prefetch_related_objects

from annotations.blinding import opened_cases
from annotations.models import Review, ReviewState
from curation.models import CaseFacts, Role

if TYPE_CHECKING:
    from uuid import UUID

    from curation.models import Benchmark, Case, User

PAGE = 50
LEAST_READINGS = 2
LONGEST_CURSOR = 64
NOT_KNOWN = -1.0
"""In a cursor, of a disagreement that is not known."""

ALL, WAITING, MINE = "", "waiting", "mine"
WORDS = {
    ALL: "All",
    WAITING: "Waiting",
    ReviewState.OPEN.value: "Open",
    ReviewState.ESCALATED.value: "Escalated",
    MINE: "Mine",
    ReviewState.CLOSED.value: "Closed",
}
STANDING = (ReviewState.OPEN, ReviewState.ESCALATED, ReviewState.CLOSED)


class NoSuchState(Exception):
    """A filter names what there is not."""


@dataclass(frozen=True)
class Waiting:
    """A case in the list, and the review that stands, if there is one."""

    case: Case
    review: Review | None


@dataclass(frozen=True)
class Listed:
    """One page, and where the next one begins."""

    rows: list[Waiting]
    next_after: str


def list_waiting(*, benchmark: Benchmark, user: User, state: str = ALL, after: str = "") -> Listed:
    """A keyset page of cases with at least two readings, or with a review; at most four queries, however many cases.

    Parameters
    ----------
    user
        Whoever reads in the benchmark too gets no case that they must still read blind.
    state
        A key of WORDS.
    after
        A cursor that an earlier page gave; anything else begins at the beginning.

    Raises
    ------
    NoSuchState
        If there is no such state.
    """
    if state not in WORDS:
        raise NoSuchState(f"{state[:80]!r} is none of the states {', '.join(filter(None, WORDS))}")
    facts: Any = CaseFacts.objects.filter(benchmark_id=benchmark.pk)
    if Role.READER.value in user.roles_in(benchmark.pk):
        facts = facts.filter(case__in=opened_cases(user))
    found: list[CaseFacts] = []
    for walk in _walks(_in_state(facts, state, user), after):
        found += walk.select_related("case")[: PAGE + 1 - len(found)]
        if len(found) > PAGE:
            break
    shown = found[:PAGE]
    prefetch_related_objects(shown, "case__images")
    reviews = _standing([row.case for row in shown])
    return Listed(
        [Waiting(row.case, reviews.get(row.case_id)) for row in shown], _cursor(shown[-1]) if len(found) > PAGE else ""
    )


def _standing(cases: list[Case]) -> dict[UUID, Review]:
    """Of each case the newest review that is open or whose gold was not undone, else the newest of all; one query."""
    found: dict[UUID, Review] = {}
    for review in Review.objects.with_people().filter(case__in=cases).order_by("number"):
        known = found.get(review.case_id)
        if known is None or review.state in STANDING or known.state not in STANDING:
            found[review.case_id] = review
    return found


def open_counts(*, benchmark: Benchmark, user: User) -> dict[str, int]:
    """How many reviews are open, escalated, and held by the user, of the cases that are listed for them; one query."""
    rows = Review.objects.open().filter(case__benchmark=benchmark)
    if Role.READER.value in user.roles_in(benchmark.pk):
        rows = rows.filter(case__in=opened_cases(user))
    counts: dict[str, int] = rows.aggregate(
        open=Count("pk", filter=Q(state=ReviewState.OPEN)),
        escalated=Count("pk", filter=Q(state=ReviewState.ESCALATED)),
        mine=Count("pk", filter=_held_by(user)),
    )
    return counts


def next_waiting(*, benchmark: Benchmark, user: User, but: UUID) -> Case | None:
    """The first case that waits, other than the one that was just settled."""
    rows = list_waiting(benchmark=benchmark, user=user, state=WAITING).rows
    return next((row.case for row in rows if row.case.pk != but), None)


def _held_by(user: User) -> Q:
    return Q(state=ReviewState.OPEN, opened_by=user) | Q(state=ReviewState.ESCALATED, escalated_to=user)


def _in_state(facts: Any, state: str, user: User) -> Any:
    is_read = Q(readings_submitted__gte=LEAST_READINGS)
    at_it = _cases_of(Review.objects.open())
    settled = _cases_of(Review.objects.filter(state=ReviewState.CLOSED))
    if state == WAITING:
        return facts.filter(is_read, ~at_it, ~settled)
    if state == ReviewState.CLOSED:
        return facts.filter(settled, ~at_it)
    if state == MINE:
        return facts.filter(_cases_of(Review.objects.filter(_held_by(user))))
    if state:
        return facts.filter(_cases_of(Review.objects.filter(state=state)))
    return facts.filter(is_read | _cases_of(Review.objects.all()))


def _cases_of(reviews: QuerySet[Review]) -> Q:
    return Q(case_id__in=reviews.order_by().values("case"))


def _cursor(last: CaseFacts) -> str:
    value = NOT_KNOWN if last.disagreement is None else last.disagreement
    return f"{value!r}_{last.position}"


def _walks(facts: Any, after: str) -> list[Any]:
    """Known disagreement, then unknown, each along the index: one order over both would sort the whole benchmark."""
    known = facts.filter(disagreement__isnull=False).order_by("-disagreement", "position")
    unknown = facts.filter(disagreement=None).order_by("-disagreement", "position")
    text, _, place = after[:LONGEST_CURSOR].partition("_")
    try:
        value = float(text)
    except ValueError:
        return [known, unknown]
    is_place = place.isascii() and place.isdecimal() and len(place) < 19
    if not (0 <= value <= 1 or value == NOT_KNOWN) or not is_place:
        return [known, unknown]
    if value == NOT_KNOWN:
        return [unknown.filter(position__gt=int(place))]
    # The first condition says nothing more than the second, but it is what an index can begin at.
    rest = Q(disagreement__lte=value) & (Q(disagreement__lt=value) | Q(position__gt=int(place)))
    return [known.filter(rest), unknown]
