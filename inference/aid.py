"""The aided arm as models see it: what was shown to whom, and whose answers changed after it."""

from __future__ import annotations

import math
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import transaction
from django.db.models import F, Prefetch

from annotations.metrics.agreement import bootstrap_interval
from annotations.models import Arm, Reading, ReadingRevision, ReadingState
from curation import audit
from curation.models import Gold
from inference.models import AidShown, AttentionMap, Prediction
from inference.sources import newest_predictions
from inference.targets import option_chosen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from curation.models import Benchmark, Case

LEAST_READINGS = 5


class NotAided(Exception):
    """Models are only in view in the aided arm."""


@dataclass(frozen=True)
class Change:
    """One reader on one case: the options named before and after, the right one if it is known, and each model's."""

    case_id: uuid.UUID
    before: str | None
    after: str | None
    right: str | None
    shown: dict[uuid.UUID, str | None]


@dataclass
class Changes:
    """Readings counted by what became of the answer. `difference` is of the share right, aided less unaided."""

    model: str | None
    readings: int = 0
    changed: int = 0
    toward_model: int = 0
    unmarked: int = 0
    stayed_right: int = 0
    stayed_wrong: int = 0
    right_to_wrong: int = 0
    wrong_to_right: int = 0
    difference: float | None = None
    interval: tuple[float, float] | None = None
    pairs: list[tuple[uuid.UUID, int]] = field(default_factory=list)

    @property
    def marked(self) -> int:
        """Readings of which the right answer is known."""
        return self.readings - self.unmarked


@transaction.atomic
def show_aid(*, reading_id: uuid.UUID) -> list[Prediction]:
    """What finished models say of the case of an aided reading, for its reader.

    Returns
    -------
    The newest finished prediction of each model, by name, with steps and maps (their sizes, not their bytes). While the
    reading is a draft each is noted as shown, before it leaves: nothing is in view of which there is no row.

    Raises
    ------
    NotAided
        If the reading is not of the aided arm.
    """
    reading = Reading.objects.select_related("case__benchmark", "reader").get(pk=reading_id)
    if reading.arm != Arm.AIDED:
        raise NotAided("what models said comes into view in the aided arm only")
    newest = [prediction.pk for prediction in newest_predictions([reading.case_id])]
    maps = Prefetch("maps", AttentionMap.objects.defer("question", "general"))
    rows = Prediction.objects.filter(pk__in=newest).select_related("model", "case").prefetch_related("steps", maps)
    found = list(rows.order_by("model__name"))
    if reading.state == ReadingState.DRAFT:
        AidShown.objects.bulk_create(
            [AidShown(reading=reading, prediction=prediction) for prediction in found], ignore_conflicts=True
        )
    audit.look(user=reading.reader, case=reading.case)
    return found


def changes_of(benchmark: Benchmark) -> list[Changes]:
    """Whose answers changed after models came into view: over all aided readings, then for each model shown, by name.

    Returns
    -------
    Counts of readings that were submitted in both arms over the same input; before is what the reader last said blind,
    as agreement counts it, since who revised after a look at the models had their aid already. Right is the gold's
    option, else the source's; never the one that most readers chose, since theirs are among those compared. A reading
    in which several models were in view counts under each: which of them moved the reader cannot be told.
    """
    by_model: dict[str | None, Changes] = {None: Changes(None)}
    for change, names in _changes(benchmark):
        _count(by_model[None], change, set(change.shown.values()))
        for model_id, name in names.items():
            _count(by_model.setdefault(name, Changes(name)), change, {change.shown[model_id]})
    found = [by_model.pop(None), *(by_model[name] for name in sorted(filter(None, by_model)))]
    for row in found:
        _estimate(row)
    return found


def _changes(benchmark: Benchmark) -> Iterable[tuple[Change, dict[uuid.UUID, str]]]:
    """Every reader and case with both arms submitted, and the names of the models shown; four queries."""
    rows = ReadingRevision.objects.filter(reading__case__benchmark=benchmark)
    newest = rows.filter(reading__arm=Arm.AIDED, revision=F("reading__revision"))
    aided = list(newest.select_related("reading__case").order_by("reading_id"))
    cases = {revision.reading.case_id: revision.reading.case for revision in aided}
    blind = rows.filter(reading__arm=Arm.UNAIDED, reading__case__in=list(cases), is_after_looking=False)
    blind = blind.order_by("reading_id", "-revision").distinct("reading_id").select_related("reading")
    unaided = {(revision.reading.case_id, revision.reading.reader_id): revision for revision in blind}
    golds = {gold.case_id: gold for gold in Gold.objects.in_force().filter(case__in=list(cases))}
    shown: dict[uuid.UUID, list[Prediction]] = defaultdict(list)
    noted = AidShown.objects.filter(reading__in=[revision.reading_id for revision in aided])
    for row in noted.select_related("prediction__model").defer("prediction__text"):
        shown[row.reading_id].append(row.prediction)
    for after in aided:
        reading = after.reading
        before = unaided.get((reading.case_id, reading.reader_id))
        if before is None or before.input_digest != after.input_digest:
            continue
        change = Change(
            case_id=reading.case_id,
            before=_option(reading.case, before.content["answer"]),
            after=_option(reading.case, after.content["answer"]),
            right=_right(reading.case, golds.get(reading.case_id)),
            shown={row.model_id: row.choice or None for row in shown[reading.pk]},
        )
        yield change, {row.model_id: row.model.name for row in shown[reading.pk]}


def _option(case: Case, answer: Any) -> str | None:
    chosen = option_chosen(answer)
    return chosen if chosen in (case.options or {}) else None


def _right(case: Case, gold: Gold | None) -> str | None:
    return (_option(case, gold.answer) if gold else None) or _option(case, case.answer)


def _count(counts: Changes, change: Change, said: set[str | None]) -> None:
    counts.readings += 1
    if change.before != change.after:
        counts.changed += 1
        counts.toward_model += change.after is not None and change.after in said
    if change.right is None:
        counts.unmarked += 1
        return
    was, now = change.before == change.right, change.after == change.right
    counts.stayed_right += was and now
    counts.stayed_wrong += not was and not now
    counts.right_to_wrong += was and not now
    counts.wrong_to_right += not was and now
    counts.pairs.append((change.case_id, int(now) - int(was)))


def _estimate(counts: Changes) -> None:
    """The difference and its interval; cases are drawn whole, since one case may have been read by several."""
    if not counts.pairs:
        return
    moved = np.array([value for _, value in counts.pairs], dtype=np.float64)
    counts.difference = float(moved.mean())
    if len(moved) >= LEAST_READINGS:
        groups = [str(case_id) for case_id, _ in counts.pairs]
        low, high = bootstrap_interval(moved, np.mean, groups=groups)
        counts.interval = (low, high) if math.isfinite(low) and math.isfinite(high) else None
