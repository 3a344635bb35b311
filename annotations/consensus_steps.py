"""Steps of several readers in rows: who says the same stands side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotations.metrics.steps import Step, align_steps, step_similarity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Lower than agreement asks for: a row is looked at, not counted.
ALIKE = 0.35


def step_rows(readers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Align the steps of all readers, each in its own order.

    The reader with the most steps gives the rows; every other one is aligned to it by likeness and order. A step
    without a counterpart gets a row of its own before its reader's next row, or at the end.

    Parameters
    ----------
    readers
        Contents of readings.

    Returns
    -------
    list of dict
        Rows with `steps`: for each reader the place of the step (from 0) or None; `said_by`, how many say it;
        `likeness`, the mean similarity to the first reader's words or None where one says it alone; `critical`, how
        many mark it so.

    Notes
    -----
    Rows are found by comparing each reader with one other, so that the choice of that one matters where steps are only
    half alike; they are a way to look at readings, not a measure. Agreement is measured pair by pair.
    """
    if not readers:
        return []
    steps = [[_step(step) for step in content["steps"]] for content in readers]
    pivot = max(range(len(steps)), key=lambda number: len(steps[number]))
    rows: list[dict[int, int]] = [{pivot: place} for place in range(len(steps[pivot]))]
    alike: dict[tuple[int, int], float] = {}
    for number, own in enumerate(steps):
        if number == pivot or not own:
            continue
        rows = _joined(rows, number, own, steps[pivot], pivot, alike)
    return [_told(row, readers, pivot, alike) for row in rows]


def _step(step: Mapping[str, Any]) -> Step:
    return Step(text=step["text"], kind=step["kind"], image=step["image"], is_critical=step["is_critical"])


def _joined(
    rows: list[dict[int, int]],
    number: int,
    own: Sequence[Step],
    pivot_steps: Sequence[Step],
    pivot: int,
    alike: dict[tuple[int, int], float],
) -> list[dict[int, int]]:
    """The rows with one more reader's steps in them."""
    table = step_similarity(pivot_steps, own)
    beside: dict[int, int] = {}
    for a, b, likeness in align_steps(table, threshold=ALIKE).pairs:
        beside[b] = a
        alike[number, b] = likeness
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


def _told(
    row: Mapping[int, int],
    readers: Sequence[Mapping[str, Any]],
    pivot: int,
    alike: Mapping[tuple[int, int], float],
) -> dict[str, Any]:
    likeness = [alike[number, place] for number, place in row.items() if number != pivot and (number, place) in alike]
    critical = sum(readers[number]["steps"][place]["is_critical"] is True for number, place in row.items())
    return {
        "steps": [row.get(number) for number in range(len(readers))],
        "said_by": len(row),
        "likeness": sum(likeness) / len(likeness) if likeness else None,
        "critical": critical,
    }
