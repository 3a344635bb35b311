"""How far a step of one rationale says the same as a step of another: by its words, its evidence and its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.metrics.overlap import assign
from annotations.metrics.wording import text_likeness, text_similarity

METRIC_VERSION = "2"
"""Raised with any change of any number below; golden values in the tests guard it."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a rationale, by a reader or a model."""

    text: str
    kind: str = "free"
    image: int | None = None
    evidence: tuple[int | str, ...] = ()
    """What it rests on: a whole number is the place of a ROI in its reader's list (a row or column of `roi_overlap`),
    a string the name of a region."""
    is_critical: bool | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """What the parts of a similarity count for; those that a pair of steps does not have are left out."""

    text: float = 0.6
    evidence: float = 0.3
    place: float = 0.1


def step_similarity(
    a: Sequence[Step], b: Sequence[Step], *, roi_overlap: ArrayLike | None = None, weights: Weights | None = None
) -> Array:
    """How far each step of one rationale says the same as each of another, in [0, 1].

    The weighted mean of three parts, times 1 - contradiction: the texts' likeness (`wording.text_similarity`); the
    evidence both rest on, where both name some (summed IoU of matched ROIs and common regions, over what either names:
    a soft Jaccard index); and half each for the same kind and the same image. What it means: 1 is the same sentence on
    the same evidence; a finding and its denial, the other side, its opposite have about 0 whatever else they share, and
    another noun in the same sentence is another finding.

    Parameters
    ----------
    a, b
        The steps, in order.
    roi_overlap
        IoU of each ROI of a's reader with each of b's, float (ROIs of a, ROIs of b), 0 across images; ROIs are matched
        one to one here. None: ROIs cannot be compared (a model that draws none), only named regions are.
    weights
        None: `Weights()`.

    Returns
    -------
    Float (steps of a, steps of b).

    Notes
    -----
    Chance level: none in closed form; steps of different cases in one language have about 0.1 to 0.3.
    Empty case: no step on a side gives an array without rows or columns; weights that leave a pair no part give 0.

    Raises
    ------
    ValueError
        If `roi_overlap` holds a number outside [0, 1] or nan, a step names a ROI that it has no row or column for, or a
        weight is negative.

    References
    ----------
    `wording.text_similarity`; soft Jaccard index: Ruzicka 1958.

    Examples
    --------
    >>> ours = [Step("Left pleural effusion.", evidence=(0,)), Step("No pneumothorax.")]
    >>> theirs = [Step("No left pleural effusion.", evidence=(0,)), Step("Without pneumothorax")]
    >>> step_similarity(ours, theirs, roi_overlap=[[0.8]]).round(2)
    array([[0.  , 0.14],
           [0.14, 1.  ]])
    """
    weights = weights or Weights()
    for name, weight in (("text", weights.text), ("evidence", weights.evidence), ("place", weights.place)):
        if not 0 <= weight < np.inf:
            raise ValueError(f"the weight of {name} must be 0 or more, not {weight:g}")
    likeness, contradiction = text_similarity([step.text for step in a], [step.text for step in b])
    shared, is_shared = _shared_evidence(a, b, roi_overlap)
    place = _place(a, b)
    total = weights.text + weights.evidence * is_shared + weights.place
    summed = weights.text * likeness + weights.evidence * is_shared * shared + weights.place * place
    mean = np.divide(summed, total, out=np.zeros_like(summed), where=total > 0)
    result: Array = np.minimum(mean, 1.0) * (1 - contradiction)  # the mean of ones may round to just above 1
    return result


def same_subject(a: Sequence[Step], b: Sequence[Step]) -> Array:
    """How far each step of one rationale is about the same as each of another, whatever it says of it, in [0, 1].

    Six parts in seven the texts' subject (`wording.text_likeness`), one for the same kind and image, as the weights of
    `step_similarity` have them without evidence. What it means: steps that are to be read side by side; a finding and
    its denial, on the left and on the right, have about 1.

    Parameters
    ----------
    a, b
        The steps, in order.

    Returns
    -------
    Float (steps of a, steps of b).

    Notes
    -----
    Chance level, empty case: as `step_similarity`.

    Raises
    ------
    Nothing.

    References
    ----------
    As `step_similarity`.

    Examples
    --------
    >>> same_subject([Step("Left pleural effusion")], [Step("No pleural effusion"), Step("Left rib fracture")]).round(2)
    array([[0.9 , 0.17]])
    """
    likeness = text_likeness([step.text for step in a], [step.text for step in b])
    weights = Weights()
    summed = weights.text * likeness.subject + weights.place * _place(a, b)
    result: Array = np.minimum(summed / (weights.text + weights.place), 1.0)
    return result


def _place(a: Sequence[Step], b: Sequence[Step]) -> Array:
    """Half each for the same kind and the same image."""
    kinds = np.array([[one.kind == other.kind for other in b] for one in a], dtype=np.float64)
    images = np.array([[one.image == other.image for other in b] for one in a], dtype=np.float64)
    return ((kinds + images) / 2).reshape(len(a), len(b))


def _shared_evidence(a: Sequence[Step], b: Sequence[Step], roi_overlap: ArrayLike | None) -> tuple[Array, Array]:
    """How far each two steps rest on the same, and where both name something, float (steps of a, steps of b) each."""
    regions = {name for step in [*a, *b] for name in step.evidence if isinstance(name, str)}
    column = {name: place for place, name in enumerate(sorted(regions))}
    overlap = np.zeros((0, 0))
    if roi_overlap is not None:
        overlap = np.asarray(roi_overlap, dtype=np.float64)
        if overlap.ndim != 2:
            raise ValueError(f"roi_overlap must have the axes (ROIs, ROIs), not shape {overlap.shape}")
        is_bad = ~((overlap >= 0) & (overlap <= 1))
        if is_bad.any():
            raise ValueError(f"an IoU lies in [0, 1], not {overlap[is_bad][0]:g}")
    matched = np.zeros_like(overlap)
    for i, j, iou in assign(overlap, 0.0) if overlap.size else []:
        matched[i, j] = iou
    names_a, names_b = _named(a, column), _named(b, column)
    rois_a, rois_b = (
        _rois(side, count, roi_overlap is not None) for side, count in zip((a, b), overlap.shape, strict=True)
    )
    common = names_a @ names_b.T + rois_a @ matched @ rois_b.T
    many_a, many_b = (names.sum(axis=1) + rois.sum(axis=1) for names, rois in ((names_a, rois_a), (names_b, rois_b)))
    is_shared = ((many_a[:, None] > 0) & (many_b > 0)).astype(np.float64)
    either = many_a[:, None] + many_b - common
    return np.divide(common, either, out=np.zeros_like(common), where=either > 0), is_shared


def _named(steps: Sequence[Step], column: dict[str, int]) -> Array:
    """Which step names which region, (steps, regions)."""
    table = np.zeros((len(steps), len(column)))
    for row, step in enumerate(steps):
        for name in step.evidence:
            if isinstance(name, str):
                table[row, column[name]] = 1
    return table


def _rois(steps: Sequence[Step], count: int, is_compared: bool) -> Array:
    """Which step rests on which ROI, (steps, ROIs)."""
    table = np.zeros((len(steps), count))
    for row, step in enumerate(steps):
        for roi in step.evidence:
            if is_compared and not isinstance(roi, str):
                if not 0 <= roi < count:
                    raise ValueError(f"step {row + 1} rests on ROI {roi}, of {count} (counted from 0)")
                table[row, roi] = 1
    return table
