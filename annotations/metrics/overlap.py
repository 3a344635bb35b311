"""How alike two drawn regions are: area in common, distance of outlines (`outlines`), which of many belong together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from annotations.metrics.outlines import Mask, check_masks, hausdorff, hausdorff95, surface_dice

__all__ = [
    "assign",
    "crop_iou",
    "crop_of",
    "detection_counts",
    "detection_f1",
    "dice",
    "hausdorff",
    "hausdorff95",
    "iou",
    "match_rois",
    "surface_dice",
]

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

Array = NDArray[np.float64]


def iou(a: Mask, b: Mask) -> float:
    """Intersection over union of two masks (Jaccard index), in [0, 1].

    1 is the same region, 0 no pixel in common. It falls fast for small regions: two circles of 10 pixels across, one
    moved by 2, have 0.6.

    Parameters
    ----------
    a, b
        bool, (rows, columns), of one image.

    Returns
    -------
    Pixels in both over pixels in either.

    Notes
    -----
    Chance level: depends on the regions' share p of the image; about p / (2 - p) for two of that share put at random.
    Empty case: both empty is nan, one empty is 0.

    Raises
    ------
    ValueError
        If a mask is not bool, has not two axes, or the shapes differ.

    References
    ----------
    Jaccard 1901; Everingham et al. 2010, DOI 10.1007/s11263-009-0275-4.

    Examples
    --------
    >>> iou(np.array([[True, True, False]]), np.array([[False, True, True]]))
    0.3333333333333333
    >>> iou(np.zeros((2, 2), dtype=bool), np.zeros((2, 2), dtype=bool))
    nan
    """
    check_masks(a, b)
    either = np.count_nonzero(a | b)
    return float(np.count_nonzero(a & b) / either) if either else float("nan")


def dice(a: Mask, b: Mask) -> float:
    """Dice coefficient of two masks (F1 of their pixels), in [0, 1].

    1 is the same region, 0 no pixel in common. It orders pairs as `iou` does and is higher: dice = 2 iou / (1 + iou).

    Parameters
    ----------
    a, b
        bool, (rows, columns), of one image.

    Returns
    -------
    Twice the pixels in both over the pixels of the one plus those of the other.

    Notes
    -----
    Chance level: depends on the regions' share p of the image; about p for two of that share put at random.
    Empty case: both empty is nan, one empty is 0.

    Raises
    ------
    ValueError
        As `iou`.

    References
    ----------
    Dice 1945, DOI 10.2307/1932409.

    Examples
    --------
    >>> dice(np.array([[True, True, False]]), np.array([[False, True, True]]))
    0.5
    """
    check_masks(a, b)
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return float(2 * np.count_nonzero(a & b) / total) if total else float("nan")


def match_rois(a: Sequence[Mask], b: Sequence[Mask], threshold: float = 0.5) -> list[tuple[int, int, float]]:
    """Which regions of one reader are those of another: pairs (i, j, iou), each region in one pair at most.

    What is in a pair was found by both; what is in none was found by one alone. `detection_counts` counts them.

    Parameters
    ----------
    a, b
        Masks of one image, bool (rows, columns).
    threshold
        In [0, 1]: a pair of less IoU is no pair, nor is one without a common pixel.

    Returns
    -------
    (place in a, place in b, IoU), by place in a: of all ways to pair regions that reach the threshold the one with the
    greatest sum of IoU (Hungarian assignment), whatever their order, exact ties apart.

    Notes
    -----
    Chance level: none.
    Empty case: no region on one side gives no pair; an empty mask is in none.

    Raises
    ------
    ValueError
        As `iou`, or if the threshold is outside [0, 1].

    References
    ----------
    Kuhn 1955, DOI 10.1002/nav.3800020109; for readers' findings: Maier-Hein et al., DOI 10.1038/s41592-023-02151-z.

    Examples
    --------
    >>> left, right = np.array([[True, True, False, False]]), np.array([[False, False, True, True]])
    >>> match_rois([left, right], [right])
    [(1, 0, 1.0)]
    """
    cut = [[crop_of(mask) for mask in masks] for masks in (a, b)]
    shapes = {np.shape(mask) for mask in (*a, *b)}
    if len(shapes) > 1:
        raise ValueError(f"masks differ in shape: {' and '.join(str(shape) for shape in sorted(shapes))}")
    scores = np.array([[crop_iou(one, other) for other in cut[1]] for one in cut[0]]).reshape(len(a), len(b))
    return assign(scores, threshold)


def detection_counts(a: Sequence[Mask], b: Sequence[Mask], threshold: float = 0.5) -> tuple[int, int, int]:
    """Count the regions that both found, only the first, and only the second: (matched, only_a, only_b).

    With the second reader as the truth these are hits, false alarms and misses.

    Parameters
    ----------
    a, b, threshold
        As `match_rois`.

    Returns
    -------
    Three counts; `detection_f1` makes one number of them.

    Notes
    -----
    Chance level: none.
    Empty case: (0, 0, 0) where neither drew anything, which is agreement on a case without a finding.

    Raises
    ------
    ValueError
        As `match_rois`.

    References
    ----------
    As `match_rois`.

    Examples
    --------
    >>> left, right = np.array([[True, True, False, False]]), np.array([[False, False, True, True]])
    >>> detection_counts([left, right], [right])
    (1, 1, 0)
    """
    matched = len(match_rois(a, b, threshold))
    return matched, len(a) - matched, len(b) - matched


def detection_f1(matched: int, only_a: int, only_b: int) -> float:
    """Share of the drawn regions that both readers drew, in [0, 1]: the F1 score of one as a detector of the other's.

    1: every finding of one is a finding of the other; 0.5: as many single findings as both have in common, counted
    over both readers.

    Parameters
    ----------
    matched, only_a, only_b
        Counts of regions, whole and not negative, of one case or summed over many.

    Returns
    -------
    2 matched / (2 matched + only_a + only_b).

    Notes
    -----
    Chance level: none.
    Empty case: no region at all is nan.

    Raises
    ------
    ValueError
        If a count is negative.

    References
    ----------
    van Rijsbergen 1979, Information Retrieval, chapter 7.

    Examples
    --------
    >>> detection_f1(1, 1, 0)
    0.6666666666666666
    """
    if min(matched, only_a, only_b) < 0:
        raise ValueError(f"counts of regions are not negative: {matched}, {only_a}, {only_b}")
    drawn = 2 * matched + only_a + only_b
    return 2 * matched / drawn if drawn else float("nan")


def assign(scores: Array, threshold: float) -> list[tuple[int, int, float]]:
    """Pairs (row, column, score) of greatest total score, of those above 0 and not below the threshold, by row.

    Raises
    ------
    ValueError
        If the threshold is outside [0, 1].

    Examples
    --------
    >>> assign(np.array([[0.9, 0.8], [0.8, 0.1]]), 0.5)
    [(0, 1, 0.8), (1, 0, 0.8)]
    """
    check_threshold(threshold)
    allowed = np.where((scores > 0) & (scores >= threshold), scores, 0.0)  # nan is not above 0
    rows, columns = linear_sum_assignment(allowed, maximize=True)
    return [(int(i), int(j), float(scores[i, j])) for i, j in zip(rows, columns, strict=True) if allowed[i, j] > 0]


def check_threshold(threshold: float) -> None:
    """Refuse a threshold of IoU outside [0, 1]."""
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must lie in [0, 1], not {threshold}")


Crop = tuple[int, int, Mask, int]
"""Top row, left column, the mask from there to its last set pixel, and how many are set."""


def crop_of(mask: Mask) -> Crop:
    """The part of a mask that holds its pixels; (0, 0, nothing, 0) of an empty one.

    Examples
    --------
    >>> crop_of(np.array([[False, True], [False, False]]))
    (0, 1, array([[ True]]), 1)
    """
    check_masks(mask, mask)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return (0, 0, mask[:0, :0], 0)
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return (int(rows[0]), int(columns[0]), cut, int(np.count_nonzero(cut)))


def crop_iou(a: Crop, b: Crop) -> float:
    """`iou` of two masks that are known by their crops.

    Examples
    --------
    >>> one = crop_of(np.array([[True, True, False]]))
    >>> crop_iou(one, one), crop_iou(one, crop_of(np.array([[False, False, True]])))
    (1.0, 0.0)
    """
    total = a[3] + b[3]
    if not total:
        return float("nan")
    top, left = max(a[0], b[0]), max(a[1], b[1])
    bottom = min(a[0] + a[2].shape[0], b[0] + b[2].shape[0])
    right = min(a[1] + a[2].shape[1], b[1] + b[2].shape[1])
    if bottom <= top or right <= left:
        return 0.0
    windows = [one[2][top - one[0] : bottom - one[0], left - one[1] : right - one[1]] for one in (a, b)]
    both = int(np.count_nonzero(windows[0] & windows[1]))
    return both / (total - both)
