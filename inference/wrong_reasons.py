"""Right for the wrong reason: cases that a trained model answers rightly without looking at what the experts marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, OuterRef, QuerySet

from curation.models import Case
from inference.case_list import PAGE, after_disagreement, disagreement_cursor, with_disagreement
from inference.metrics.verdicts import Quadrant
from inference.models import Enrolment, Verdict, VerdictTarget

if TYPE_CHECKING:
    import uuid

    from curation.models import Benchmark

QUADRANT = Quadrant.RIGHT_NOT_GROUNDED.value


@dataclass(frozen=True)
class WrongReasons:
    """One page: cases with the verdicts of the models concerned, and where the next page begins."""

    rows: list[tuple[Case, list[Verdict]]]
    next_after: str


def _verdicts(benchmark: Benchmark) -> QuerySet[Verdict]:
    """Of trained models: a control that was taught nothing is right by chance alone, and that says nothing of it."""
    trained = Enrolment.objects.filter(benchmark=benchmark, model__is_trained=True).values("model")
    return Verdict.objects.filter(
        benchmark_id=benchmark.pk, target_kind=VerdictTarget.CASE, model__in=trained, quadrant=QUADRANT
    )


def count_wrong_reasons(benchmark: Benchmark) -> int:
    """How many cases at least one trained model that reads the benchmark answers so; one query."""
    return _verdicts(benchmark).values("case").distinct().count()


def counts_by_model(benchmark: Benchmark) -> list[tuple[str, int]]:
    """How many cases each trained model that reads the benchmark answers so, by its name; two queries."""
    grouped = _verdicts(benchmark).order_by().values_list("model_id").annotate(Count("pk"))
    found: dict[uuid.UUID, int] = dict(grouped)
    enrolled = Enrolment.objects.filter(benchmark=benchmark, model__is_trained=True).order_by("model__name")
    return [(name, found.get(pk, 0)) for pk, name in enrolled.values_list("model_id", "model__name")]


def list_wrong_reasons(*, benchmark: Benchmark, after: str) -> WrongReasons:
    """A keyset page, highest disagreement first, cases whose disagreement is not known last; three queries."""
    told = _verdicts(benchmark).filter(case=OuterRef("pk"))
    cases: Any = Case.objects.filter(Exists(told), facts__benchmark_id=benchmark.pk)
    cases = with_disagreement(cases.select_related("facts", "disagreement").prefetch_related("images"), is_needed=False)
    page = list(after_disagreement(cases, after).order_by("-apart", "position")[: PAGE + 1])
    shown = page[:PAGE]
    verdicts: dict[uuid.UUID, list[Verdict]] = {}
    for verdict in _verdicts(benchmark).filter(case__in=shown).select_related("model").order_by("model__name"):
        verdicts.setdefault(verdict.case_id, []).append(verdict)
    following = disagreement_cursor(shown[-1]) if len(page) > PAGE else ""
    return WrongReasons([(case, verdicts.get(case.pk, [])) for case in shown], following)
