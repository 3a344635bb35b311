"""Steps of several readers in rows: who speaks of the same stands side by side, and whether they say the same of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotations.metrics.step_similarity import same_subject
from annotations.metrics.steps import THRESHOLD, Step, align_steps, step_similarity
from annotations.metrics.wording import differing_words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

# Lower than agreement asks for: a row is looked at, not counted.
ALIKE = 0.35


def step_rows(readers: Sequence[Mapping[str, Any]], *, counted: Collection[int] | None = None) -> list[dict[str, Any]]:
    """Align the steps of all readers, each in its own order.

    Of those counted the reader with the most steps gives the rows; every other one is aligned to it by what its steps
    are about and by order, so that a finding stands beside its denial. A step without a counterpart gets a row of its
    own before its reader's next row, or at the end.

    Parameters
    ----------
    readers
        Contents of readings.
    counted
        Places in `readers` of those that the consensus is made of; None for all. The others stand beside them and
        change no number: an aided reading, say, is the same reader's once more.

    Returns
    -------
    list of dict
        Rows with `steps`: for each reader the place of the step (from 0) or None; `said_by`, how many counted have one;
        `views`, for each reader the number (from 0) of what it says there, the same where agreement would count the
        steps as the same; `differing`, for each reader [start, end] of the words that not all counted in the row have;
        `likeness`, the least similarity of two counted or None where one stands alone; `critical`, how many counted
        mark it so.

    Notes
    -----
    Rows are found by comparing each reader with one other, so that the choice of that one matters where steps are only
    half alike; they are a way to look at readings, not a measure. Agreement is measured pair by pair.
    """
    if not readers:
        return []
    steps = [[_step(step) for step in content["steps"]] for content in readers]
    voices = sorted(counted or range(len(steps)))
    pivot = max(voices, key=lambda number: len(steps[number]))
    rows: list[dict[int, int]] = [{pivot: place} for place in range(len(steps[pivot]))]
    for number, own in enumerate(steps):
        if number != pivot and own:
            rows = _joined(rows, number, own, steps[pivot], pivot)
    return [_told(row, steps, frozenset(voices)) for row in rows]


def _step(step: Mapping[str, Any]) -> Step:
    return Step(text=step["text"], kind=step["kind"], image=step["image"], is_critical=step["is_critical"])


def _joined(
    rows: list[dict[int, int]], number: int, own: Sequence[Step], pivot_steps: Sequence[Step], pivot: int
) -> list[dict[int, int]]:
    """The rows with one more reader's steps in them."""
    beside = {b: a for a, b, _ in align_steps(same_subject(pivot_steps, own), threshold=ALIKE).pairs}
    by_pivot = {row[pivot]: row for row in rows if pivot in row}
    result = list(rows)
    at = len(result)
    for place in reversed(range(len(own))):
        if place in beside:
            row = by_pivot[beside[place]]
            row[number] = place
            at = next(index for index, one in enumerate(result) if one is row)
        else:
            result.insert(at, {number: place})
    return result


def _told(row: Mapping[int, int], steps: Sequence[Sequence[Step]], counted: frozenset[int]) -> dict[str, Any]:
    numbers = sorted(row, key=lambda number: (number not in counted, number))
    said = [steps[number][row[number]] for number in numbers]
    voices = sum(number in counted for number in numbers)
    table = step_similarity(said, said)
    views: list[int] = []
    for one in range(len(said)):
        # As the first one before it that agreement would count as the same.
        same = (views[other] for other in range(one) if table[other, one] >= THRESHOLD)
        views.append(next(same, max(views, default=-1) + 1))
    pairs = [float(table[one, other]) for one in range(voices) for other in range(one)]
    at = {number: place for place, number in enumerate(numbers)}
    texts = [step.text for step in said]
    differing = differing_words(texts[:voices])
    differing += [differing_words([*texts[:voices], text])[-1] for text in texts[voices:]]
    return {
        "steps": [row.get(number) for number in range(len(steps))],
        "said_by": voices,
        "views": [views[at[number]] if number in at else None for number in range(len(steps))],
        "differing": [differing[at[number]] if number in at else [] for number in range(len(steps))],
        "likeness": min(pairs) if pairs else None,
        "critical": sum(step.is_critical is True for step in said[:voices]),
    }
