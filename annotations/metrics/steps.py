"""Two rationales held against each other: which steps say the same, in which order, and what only one of them says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.metrics.overlap import assign
from annotations.metrics.step_similarity import Step, Weights, step_similarity

__all__ = [
    "Alignment",
    "Step",
    "StepAgreement",
    "Weights",
    "agreement_of_steps",
    "align_steps",
    "compare_steps",
    "step_similarity",
]

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

THRESHOLD = 0.5
"""From which similarity on two steps count as the same."""

_AS_GOOD = 1e-9

Array = NDArray[np.float64]
Pair = tuple[int, int, float]
"""Place in the first rationale, place in the second (both from 0), similarity."""
Row = tuple[int | None, int | None, float | None]
"""As a pair; None on the side that has no such step, and then no similarity."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Steps of two rationales side by side, both in their own order."""

    pairs: tuple[Pair, ...]
    """The same in both, in order: no two cross."""
    only_a: tuple[int, ...]
    only_b: tuple[int, ...]
    score: float
    """Sum of the pairs' similarities, less the gaps' cost."""

    def rows(self) -> tuple[Row, ...]:
        """Every step of both once, from top to bottom, as a page shows them next to each other.

        Between two pairs the steps of the first rationale alone come before those of the second.

        Examples
        --------
        >>> align_steps([[0.0, 0.9], [0.0, 0.0]]).rows()
        ((None, 0, None), (0, 1, 0.9), (1, None, None))
        """
        rows: list[Row] = []
        a = b = 0
        last = (len(self.pairs) + len(self.only_a), len(self.pairs) + len(self.only_b), None)
        for i, j, similarity in (*self.pairs, last):
            rows += [(one, None, None) for one in range(a, i)]
            rows += [(None, one, None) for one in range(b, j)]
            if similarity is not None:
                rows.append((i, j, similarity))
            a, b = i + 1, j + 1
        return tuple(rows)


@dataclass(frozen=True, slots=True)
class StepAgreement:
    """How two rationales agree. None is undefined, to be shown so, and not 0."""

    alignment: Alignment
    any_order: tuple[Pair, ...]
    """The best matching whatever the order, by place in the first rationale."""
    moved: tuple[Pair, ...]
    """Pairs of `any_order` that the order keeps out of the alignment: said by both, elsewhere in the argument."""
    inversions: int
    """How many two pairs of `any_order` cross."""
    precision: float | None
    """Share of the second rationale's steps that the first has too, in order."""
    recall: float | None
    """Share of the first rationale's steps that the second has too, in order."""
    f1: float | None
    any_order_f1: float | None
    order: float | None
    """Kendall's tau of the places of `any_order`, in [-1, 1]; None under two pairs."""
    critical_f1: float | None
    """F1 of the steps marked critical, by `any_order`; None where neither marked any."""


def align_steps(similarity: ArrayLike, *, threshold: float = THRESHOLD, gap: float = 0.0) -> Alignment:
    """The alignment of two rationales with the greatest total similarity in which no two pairs cross.

    Global alignment (Needleman and Wunsch) in which only steps that are alike enough may stand side by side. What it
    means: rows for a page that shows two rationales next to each other, each in its own order.

    Parameters
    ----------
    similarity
        Float (steps of a, steps of b), in [0, 1], as from `step_similarity`.
    threshold
        Pairs below are never made, nor those of 0; in [0, 1].
    gap
        What each step without a counterpart costs, 0 or more. It prefers more pairs to better ones.

    Returns
    -------
    Alignment. Of equally good ones that with the earlier steps of a unaligned.

    Notes
    -----
    Chance level: as `step_similarity`.
    Empty case: without steps on one side, all of the other stand alone.

    Raises
    ------
    ValueError
        If `similarity` has not two axes or holds a number outside [0, 1], or `threshold` or `gap` is out of range.

    References
    ----------
    Needleman and Wunsch 1970, DOI 10.1016/0022-2836(70)90057-4.

    Examples
    --------
    >>> align_steps([[0.9, 0.0, 0.0], [0.0, 0.0, 0.8], [0.0, 0.7, 0.0]]).pairs
    ((0, 0, 0.9), (1, 2, 0.8))
    """
    table = _checked(similarity, threshold)
    if not 0 <= gap < np.inf:
        raise ValueError(f"gap must be 0 or more, not {gap:g}")
    rows, columns = table.shape
    gains = np.where((table > 0) & (table >= threshold), table, -np.inf)
    best = np.empty((rows + 1, columns + 1))  # of the first i and first j steps
    along = gap * np.arange(columns + 1)
    best[0] = -along
    for i in range(rows):
        here = best[i] - gap
        here[1:] = np.maximum(here[1:], best[i, :-1] + gains[i])
        best[i + 1] = np.maximum.accumulate(here + along) - along  # gaps to the left, all at once
    pairs = _traced(best, gains, gap)
    with_a, with_b = {i for i, _ in pairs}, {j for _, j in pairs}
    return Alignment(
        pairs=tuple((i, j, float(table[i, j])) for i, j in pairs),
        only_a=tuple(i for i in range(rows) if i not in with_a),
        only_b=tuple(j for j in range(columns) if j not in with_b),
        score=float(best[rows, columns]),
    )


def compare_steps(
    a: Sequence[Step],
    b: Sequence[Step],
    *,
    roi_overlap: ArrayLike | None = None,
    threshold: float = THRESHOLD,
    gap: float = 0.0,
    weights: Weights | None = None,
) -> StepAgreement:
    """How far two rationales make the same argument: shared steps as F1 in [0, 1], their order as tau in [-1, 1].

    F1 is the share of steps that both have in the same order; beside it stand the share whatever the order, how well
    the order agrees, and the agreement on critical steps. What it means: f1 well below any_order_f1 is the same
    observations in another order; a low critical_f1 with a high f1 is agreement on everything but what matters.

    Parameters
    ----------
    a, b
        The steps, in order. For a reader against a model, a is the reader.
    roi_overlap, weights
        As `step_similarity`.
    threshold, gap
        As `align_steps`.

    Returns
    -------
    StepAgreement. Swapping a and b swaps precision with recall and, but for equally good matchings, leaves the rest.

    Notes
    -----
    Chance level: about 0 for rationales of different cases at the threshold of 0.5; measure it on shuffled cases.
    Empty case: neither has steps: all None; only one has: f1 and any_order_f1 are 0, and of precision and recall that
    of the empty side is None.

    Raises
    ------
    ValueError
        As `step_similarity` and `align_steps`.

    References
    ----------
    As `align_steps`; Kuhn 1955, DOI 10.1002/nav.3800020109; Kendall 1938, DOI 10.1093/biomet/30.1-2.81.

    Examples
    --------
    >>> reader = [Step("The heart is enlarged"), Step("Left pleural effusion", is_critical=True), Step("Heart failure")]
    >>> model = [Step("Pleural effusion on the left", is_critical=True), Step("Enlarged heart")]
    >>> both = compare_steps(reader, model)
    >>> round(both.f1, 2), round(both.any_order_f1, 2), both.order, both.critical_f1
    (0.4, 0.8, -1.0, 1.0)
    >>> [(i, j) for i, j, _ in both.moved]
    [(0, 1)]
    """
    return agreement_of_steps(
        a, b, step_similarity(a, b, roi_overlap=roi_overlap, weights=weights), threshold=threshold, gap=gap
    )


def agreement_of_steps(
    a: Sequence[Step], b: Sequence[Step], similarity: ArrayLike, *, threshold: float = THRESHOLD, gap: float = 0.0
) -> StepAgreement:
    """`compare_steps` where the similarity of the steps is known already, as from another text model.

    Range, meaning, returns, chance level, empty case, source: as `compare_steps`.

    Parameters
    ----------
    a, b, threshold, gap
        As `compare_steps`; of the steps only `is_critical` is looked at.
    similarity
        Float (steps of a, steps of b), in [0, 1].

    Raises
    ------
    ValueError
        As `align_steps`; if `similarity` has not a row for each step of a and a column for each of b.

    Examples
    --------
    >>> agreement_of_steps([Step("x")], [Step("y"), Step("z")], [[0.0, 0.9]]).f1
    0.6666666666666666
    """
    table = _checked(similarity, threshold)
    if table.shape != (len(a), len(b)):
        raise ValueError(f"a similarity of shape {table.shape} for {len(a)} and {len(b)} steps")
    alignment = align_steps(table, threshold=threshold, gap=gap)
    any_order = tuple(assign(table, threshold)) if table.size else ()
    aligned = {(i, j) for i, j, _ in alignment.pairs}
    columns = np.array([j for _, j, _ in any_order], dtype=np.int64)
    inversions = int(np.triu(columns[:, None] > columns, k=1).sum())
    crossable = len(any_order) * (len(any_order) - 1) // 2
    critical = [sum(step.is_critical is True for step in side) for side in (a, b)]
    both_critical = sum(a[i].is_critical is True and b[j].is_critical is True for i, j, _ in any_order)
    return StepAgreement(
        alignment=alignment,
        any_order=any_order,
        moved=tuple(pair for pair in any_order if pair[:2] not in aligned),
        inversions=inversions,
        precision=len(aligned) / len(b) if b else None,
        recall=len(aligned) / len(a) if a else None,
        f1=_f1(len(aligned), len(a) + len(b)),
        any_order_f1=_f1(len(any_order), len(a) + len(b)),
        order=1 - 2 * inversions / crossable if crossable else None,
        critical_f1=_f1(both_critical, sum(critical)),
    )


def _f1(both: int, all_of_two: int) -> float | None:
    return 2 * both / all_of_two if all_of_two else None


def _traced(best: Array, gains: Array, gap: float) -> list[tuple[int, int]]:
    """The pairs of the best alignment, in order."""
    pairs = []
    i, j = gains.shape
    while i and j:
        if abs(best[i, j] - best[i - 1, j - 1] - gains[i - 1, j - 1]) < _AS_GOOD:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif abs(best[i, j] - best[i, j - 1] + gap) < _AS_GOOD:
            j -= 1
        else:
            i -= 1
    return pairs[::-1]


def _checked(similarity: ArrayLike, threshold: float) -> Array:
    table = np.asarray(similarity, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"similarity must have the axes (steps, steps), not shape {table.shape}")
    is_bad = ~((table >= 0) & (table <= 1))
    if is_bad.any():
        raise ValueError(f"a similarity lies in [0, 1], not {table[is_bad][0]:g}")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must lie in [0, 1], not {threshold:g}")
    return table
