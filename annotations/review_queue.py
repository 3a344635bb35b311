"""Which cases of a benchmark wait for somebody to settle them, the most disputed first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from annotations.blinding import opened_cases
from annotations.models import Review, ReviewState
from curation.models import Case, Role

if TYPE_CHECKING:
    from uuid import UUID

    from curation.models import Benchmark, User

PAGE = 50
LEAST_READINGS = 2
LONGEST_CURSOR = 64
NOT_KNOWN = -1.0
"""Stands below every disagreement."""

ALL, WAITING, MINE = "", "waiting", "mine"
WORDS = {
    ALL: "All",
    WAITING: "Waiting",
    ReviewState.OPEN.value: "Open",
    ReviewState.ESCALATED.value: "Escalated",
    MINE: "Mine",
    ReviewState.CLOSED.value: "Closed",
}
_ENDED_WITHOUT_GOLD = (ReviewState.REVERTED, ReviewState.DISCARDED)


class NoSuchState(Exception):
    """A filter names what there is not."""


@dataclass(frozen=True)
class Waiting:
    """A case in the list, and its newest review if there is one."""

    case: Case
    review: Review | None


@dataclass(frozen=True)
class Listed:
    """One page, and where the next one begins."""

    rows: list[Waiting]
    next_after: str


def list_waiting(*, benchmark: Benchmark, user: User, state: str = ALL, after: str = "") -> Listed:
    """A keyset page of cases with at least two readings, or with a review; four queries, however many cases.

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
    newest = Review.objects.filter(case=OuterRef("pk")).order_by("-number")
    cases = Case.objects.filter(facts__benchmark_id=benchmark.pk).annotate(
        review_state=Subquery(newest.values("state")[:1]),
        review_id=Subquery(newest.values("pk")[:1]),
        apart=Coalesce("facts__disagreement", Value(NOT_KNOWN)),
    )
    if Role.READER.value in user.roles_in(benchmark.pk):
        cases = cases.filter(pk__in=opened_cases(user))
    cases = _after(_in_state(cases, state, user), after)
    cases = cases.select_related("facts").prefetch_related("images").order_by("-apart", "position")
    found: list[Any] = list(cases[: PAGE + 1])
    shown = found[:PAGE]
    reviews = Review.objects.with_people().in_bulk([case.review_id for case in shown if case.review_id])
    last = shown[-1] if len(found) > PAGE else None
    return Listed(
        [Waiting(case, reviews.get(case.review_id)) for case in shown],
        "" if last is None else f"{last.apart!r}_{last.position}",
    )


def open_counts(*, benchmark: Benchmark, user: User) -> dict[str, int]:
    """How many reviews are open, escalated, and held by the user; one query."""
    rows = Review.objects.open().filter(case__benchmark=benchmark)
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


def _in_state(cases: QuerySet[Case], state: str, user: User) -> QuerySet[Case]:
    is_read = Q(facts__readings_submitted__gte=LEAST_READINGS)
    if state == WAITING:
        return cases.filter(is_read, Q(review_state=None) | Q(review_state__in=_ENDED_WITHOUT_GOLD))
    if state == MINE:
        held = Review.objects.open().filter(_held_by(user))
        return cases.filter(pk__in=held.values("case"))
    if state:
        return cases.filter(review_state=state)
    return cases.filter(is_read | Q(review_state__isnull=False))


def _after(cases: QuerySet[Case], after: str) -> QuerySet[Case]:
    text, _, place = after[:LONGEST_CURSOR].partition("_")
    try:
        value = float(text)
    except ValueError:
        return cases
    is_place = place.isascii() and place.isdecimal() and len(place) < 19
    if not (0 <= value <= 1 or value == NOT_KNOWN) or not is_place:
        return cases
    return cases.filter(Q(apart__lt=value) | Q(apart=value, position__gt=int(place)))
