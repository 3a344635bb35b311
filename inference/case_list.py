"""The cases of a benchmark as staff look through them: by place or by disagreement, narrowed to one model's verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, FilteredRelation, Q, Value
from django.db.models.functions import Coalesce

from curation.models import Case, CaseFacts
from curation.pictures import first_pictures
from inference.dashboard import QUADRANT_WORDS, verdicts_of
from inference.models import Enrolment, ModelVersion, Verdict, VerdictTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from curation.models import Benchmark

PAGE = 50
BY_PLACE, BY_DISAGREEMENT = "place", "disagreement"
GROUNDED = {"grounded": True, "not_grounded": False}
VERDICT_WORDS = {**QUADRANT_WORDS, "grounded": "All grounded", "not_grounded": "All not grounded"}
SORTS = {BY_PLACE: "given order", BY_DISAGREEMENT: "disagreement, highest first"}
LONGEST_CURSOR = 64
# What the page's rows show and its cursor holds: cases also carry long texts, and lists have fifty of them.
_SHOWN = (
    *("key", "position", "question", "overlap", "is_probe", "disagreement__parts"),
    *(f"facts__{name}" for name in ("modalities", "readings_submitted", "predictions_done", "disagreement")),
)
NOT_KNOWN = -1.0
"""Stands below every disagreement where a list also holds cases without one."""


class NoSuchList(Exception):
    """A filter names what there is not."""


@dataclass(frozen=True)
class Wanted:
    """Which cases, in which order, after which."""

    sort: str
    model: ModelVersion | None
    verdict: str
    after: str

    def query(self, **changes: str) -> dict[str, str]:
        """The arguments of the page's address, with changes; an empty one is left out."""
        named = {
            "model": self.model.name if self.model else "",
            "verdict": self.verdict,
            "sort": self.sort if self.sort != BY_PLACE else "",
            **changes,
        }
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True)
class Listed:
    """One page: cases with the chosen model's verdict and the images of each, and where the next page begins."""

    rows: list[tuple[Case, Verdict | None, list[str]]]
    next_after: str


def wanted_of(given: Mapping[str, str], enrolments: list[Enrolment]) -> Wanted:
    """What an address asks for.

    Raises
    ------
    NoSuchList
        Naming an order, a model or a verdict that there is not.
    """
    sort, verdict, name = given.get("sort") or BY_PLACE, given.get("verdict", ""), given.get("model", "")
    if sort not in SORTS:
        raise NoSuchList(f"{sort[:80]!r} is none of the orders {', '.join(SORTS)}")
    if verdict and verdict not in VERDICT_WORDS:
        raise NoSuchList(f"{verdict[:80]!r} is none of the verdicts {', '.join(VERDICT_WORDS)}")
    models = {one.model.name: one.model for one in enrolments}
    if name and name not in models:
        raise NoSuchList(f"no model {name[:80]!r} reads this benchmark")
    if verdict and not name:
        raise NoSuchList(f"the verdict {verdict} needs the model whose it is")
    return Wanted(sort=sort, model=models.get(name), verdict=verdict, after=given.get("after", ""))


def list_cases(*, benchmark: Benchmark, wanted: Wanted) -> Listed:
    """A keyset page of cases with their facts and images; three queries at most, however many cases."""
    cases = Case.objects.filter(facts__benchmark_id=benchmark.pk)
    cases = cases.select_related("facts", "disagreement").only(*_SHOWN)
    # The facts' copy of the place, so that one index finds the page: by the cases' own all would be read and sorted.
    place = "facts__position"
    if wanted.model is not None and wanted.verdict:
        condition = Q(
            verdicts__model=wanted.model,
            verdicts__target_kind=VerdictTarget.CASE,
            verdicts__benchmark_id=benchmark.pk,
        ) & (
            Q(verdicts__is_grounded=GROUNDED[wanted.verdict])
            if wanted.verdict in GROUNDED
            else Q(verdicts__quadrant=wanted.verdict)
        )
        of_model = FilteredRelation("verdicts", condition=condition)
        cases = cases.alias(of_model=of_model).filter(of_model__isnull=False)
        place = "of_model__position"
    if wanted.sort == BY_DISAGREEMENT:
        cases = with_disagreement(cases, is_needed=not wanted.verdict)
        ordered = after_disagreement(cases, wanted.after).order_by("-apart", "facts__position")
    else:
        ordered = _after_place(cases, place, wanted.after).order_by(place)
    page = list(ordered[: PAGE + 1])
    last = page[PAGE - 1] if len(page) > PAGE else None
    shown = page[:PAGE]
    verdicts = verdicts_of(wanted.model.pk, shown) if wanted.model else {}
    pictures = first_pictures(case.pk for case in shown)
    rows = [(case, verdicts.get(case.pk), pictures.get(case.pk, [])) for case in shown]
    return Listed(rows, "" if last is None else _cursor(last, wanted.sort))


def count_of(benchmark: Benchmark) -> int:
    """How many cases there are; one query, which an index answers."""
    counted = CaseFacts.objects.filter(benchmark_id=benchmark.pk).aggregate(cases=Count("position"))
    return int(counted["cases"])


def _cursor(case: Any, sort: str) -> str:
    return disagreement_cursor(case) if sort == BY_DISAGREEMENT else str(case.position)


def with_disagreement(cases: Any, *, is_needed: bool) -> Any:
    """Cases with `apart`, their disagreement; those without one are left out where it is needed, else come last."""
    if is_needed:
        return cases.filter(facts__disagreement__isnull=False).annotate(apart=F("facts__disagreement"))
    return cases.annotate(apart=Coalesce("facts__disagreement", Value(NOT_KNOWN)))


def disagreement_cursor(case: Any) -> str:
    """Where a list by `apart` goes on after this case."""
    return f"{case.apart!r}_{case.position}"


def _after_place(cases: Any, place: str, after: str) -> Any:
    """A cursor that this page did not give out begins at the beginning."""
    return cases.filter(**{f"{place}__gt": int(after)}) if _is_place(after) else cases


def after_disagreement(cases: Any, after: str) -> Any:
    """The cases with `apart` after a cursor; all of them after one that no list gave out."""
    text, _, place = after[:LONGEST_CURSOR].partition("_")
    try:
        value = float(text)
    except ValueError:
        return cases
    if not (0 <= value <= 1 or value == NOT_KNOWN) or not _is_place(place):
        return cases
    return cases.filter(Q(apart__lt=value) | Q(apart=value, facts__position__gt=int(place)))


def _is_place(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def verdict_counts(*, benchmark: Benchmark, model: ModelVersion) -> dict[str, int]:
    """How many of the model's cases each verdict has; one query."""
    rows = (
        Verdict.objects.filter(benchmark_id=benchmark.pk, target_kind=VerdictTarget.CASE, model=model)
        .order_by()
        .values_list("quadrant", "is_grounded")
        .annotate(count=Count("pk"))
    )
    counts = dict.fromkeys(VERDICT_WORDS, 0)
    for quadrant, is_grounded, count in rows:
        counts[quadrant] += count
        if is_grounded is not None:
            counts["grounded" if is_grounded else "not_grounded"] += count
    return counts
