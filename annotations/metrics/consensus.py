"""One region from several experts' and how sure it is: majority and STAPLE; of answers, Dawid and Skene's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.metrics.nominal import DawidSkeneFit, dawid_skene, dawid_skene_fit, posterior_entropy

__all__ = [
    "DawidSkeneFit",
    "StapleFit",
    "dawid_skene",
    "dawid_skene_fit",
    "majority",
    "posterior_entropy",
    "staple",
    "staple_fit",
    "staple_performance",
]

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_TOLERANCE = 1e-9
_LEAST_CHANCE = 1e-12  # keeps log() finite for a rater who is never wrong
_CODES_AT_ONCE = 2**40


@dataclass(frozen=True, slots=True)
class StapleFit:
    """A STAPLE estimate with how it came about."""

    map: Array
    """Probability that the pixel belongs to the true region, the masks' shape."""
    sensitivity: Array
    """Of each rater, (raters,); nan where no pixel is held to be inside."""
    specificity: Array
    """Of each rater, (raters,); nan where no pixel is held to be outside."""
    prior: float
    """Share of pixels inside that was assumed: the mean over raters."""
    n_iterations: int
    has_converged: bool


def majority(masks: ArrayLike | Sequence[ArrayLike]) -> Mask:
    """The pixels that more than half of the raters drew, bool.

    What it means: the plainest consensus, good where raters are equally able. A pixel drawn by exactly half is out, so
    that two raters' majority is what both drew.

    Parameters
    ----------
    masks
        One mask a rater, bool (raters, rows, columns) or with any other axes after the first.

    Returns
    -------
    Bool, the shape of one mask.

    Notes
    -----
    Chance level: none.
    Empty case: all masks empty give an empty mask; one rater's majority is that mask.

    Raises
    ------
    ValueError
        If there is no mask, they differ in shape, or one is not bool.

    References
    ----------
    Majority voting; as a baseline of STAPLE in Warfield et al. 2004, DOI 10.1109/TMI.2004.828354.

    Examples
    --------
    >>> majority([[True, True, False], [True, False, False], [False, True, False]])
    array([ True,  True, False])
    >>> majority([[True, False], [False, False]])  # a tie
    array([False, False])
    """
    stack = _stacked(masks)
    result: Mask = stack.sum(axis=0, dtype=np.int64) * 2 > len(stack)
    return result


def staple(masks: ArrayLike | Sequence[ArrayLike]) -> Array:
    """Probability of each pixel to be inside the true region, from several raters' masks, in [0, 1].

    Expectation maximisation that estimates at once the region and how able each rater is, so that a rater who errs more
    counts for less. 0.5 and more is inside. What it means: a better consensus than the majority where raters differ in
    skill; where they do not, about the majority.

    Parameters
    ----------
    masks
        One mask a rater, bool (raters, rows, columns) or with any other axes after the first.

    Returns
    -------
    Float64, the shape of one mask.

    Notes
    -----
    Chance level: none.
    Empty case: all masks empty give 0 everywhere, all full 1; one rater's mask comes back as 0 and 1, to 1e-9.
    The prior of a pixel is the mean share of pixels drawn, so that the result depends on how much background the masks
    hold: crop neither more nor less for one rater than for another. Pixels are independent of their neighbours.

    Raises
    ------
    ValueError
        If there is no mask, they differ in shape, or one is not bool.

    References
    ----------
    Warfield, Zou and Wells 2004, DOI 10.1109/TMI.2004.828354; started from the raters' mean, as ITK does.

    Examples
    --------
    >>> drawn = [[True, True, True, False, False, False], [True, True, True, False, False, False],
    ...          [True, False, False, True, False, False]]
    >>> staple(drawn).round(3)
    array([1., 1., 1., 0., 0., 0.])
    """
    return staple_fit(masks).map


def staple_performance(masks: ArrayLike | Sequence[ArrayLike]) -> tuple[Array, Array]:
    """Each rater's sensitivity and specificity against the STAPLE consensus, each in [0, 1].

    Sensitivity: share of the true region that the rater drew; specificity: share of the rest left out. What it means:
    low sensitivity draws too little or misses findings, low specificity too much. As the background is mostly large,
    compare specificities with one another rather than with 1.

    Parameters
    ----------
    masks
        As `staple`.

    Returns
    -------
    (sensitivity, specificity), float (raters,) each.

    Notes
    -----
    Chance level: a rater who draws a share f of all pixels at random has f and 1 - f.
    Empty case: sensitivity is nan where no pixel is inside, specificity where none is outside.

    Raises
    ------
    ValueError
        As `staple`.

    References
    ----------
    As `staple`.

    Examples
    --------
    >>> sensitivity, specificity = staple_performance([[True, True, False, False]] * 2 + [[True, False, False, False]])
    >>> sensitivity.round(2), specificity.round(2)
    (array([1. , 1. , 0.5]), array([1., 1., 1.]))
    """
    fit = staple_fit(masks)
    return fit.sensitivity, fit.specificity


def staple_fit(masks: ArrayLike | Sequence[ArrayLike], *, most_iterations: int = 1000) -> StapleFit:
    """`staple` with each rater's performance, the prior and whether the estimation settled.

    Pixels that the same raters drew are one pattern with a count, which changes no number: what unanimous background
    costs is one pattern. Range, meaning, chance level, source: as `staple`.

    Parameters
    ----------
    masks
        As `staple`.
    most_iterations
        Where to stop if sensitivities and specificities have not settled to 1e-9 before.

    Returns
    -------
    StapleFit.

    Notes
    -----
    Empty case: as `staple` and `staple_performance`.

    Raises
    ------
    ValueError
        As `staple`.

    Examples
    --------
    >>> fit = staple_fit([[True, False], [True, False]])
    >>> fit.has_converged, fit.prior
    (True, 0.5)
    """
    stack = _stacked(masks)
    flat = stack.reshape(len(stack), -1)
    drawn, counts, pattern_of = _patterns(flat)
    said = drawn.astype(np.float64)  # (patterns, raters)
    prior = float(flat.mean()) if flat.size else 0.0
    inside = said.mean(axis=1)
    sensitivity, specificity = _performance(said, counts, inside)
    n_iterations, has_converged = 0, prior in (0.0, 1.0)
    while not has_converged and n_iterations < most_iterations:
        inside = _inside(said, prior, sensitivity, specificity)
        before = np.concatenate([sensitivity, specificity])
        sensitivity, specificity = _performance(said, counts, inside)
        has_converged = bool(np.abs(np.concatenate([sensitivity, specificity]) - before).max() < _TOLERANCE)
        n_iterations += 1
    chances = inside[pattern_of].reshape(stack.shape[1:])
    return StapleFit(chances, sensitivity, specificity, prior, n_iterations, has_converged)


def _performance(said: Array, counts: Array, inside: Array) -> tuple[Array, Array]:
    """Sensitivity and specificity of each rater, given how likely each pattern is inside."""
    true, false = inside * counts, (1 - inside) * counts
    nothing = np.full(said.shape[1], np.nan)
    sensitivity = true @ said / true.sum() if true.sum() > 0 else nothing
    specificity = false @ (1 - said) / false.sum() if false.sum() > 0 else nothing
    return sensitivity, specificity


def _inside(said: Array, prior: float, sensitivity: Array, specificity: Array) -> Array:
    """How likely each pattern is inside, given the raters; as log odds, so that many raters do not underflow."""
    p, q = (np.clip(np.nan_to_num(one), _LEAST_CHANCE, 1 - _LEAST_CHANCE) for one in (sensitivity, specificity))
    odds = np.log(prior / (1 - prior)) + said @ np.log(p / (1 - q)) + (1 - said) @ np.log((1 - p) / q)
    chances: Array = 0.5 * (1 + np.tanh(odds / 2))
    return chances


def _patterns(flat: Mask) -> tuple[Mask, Array, NDArray[np.intp]]:
    """Who drew a pixel: the different patterns (patterns, raters), how many pixels have each, and each pixel's own."""
    code = np.zeros(flat.shape[1], dtype=np.int64)
    most = 1
    for row in flat:
        code = code * 2 + row
        most *= 2
        if most > _CODES_AT_ONCE:
            _, code = np.unique(code, return_inverse=True)
            most = len(code)
    _, first, pattern_of, counts = np.unique(code, return_index=True, return_inverse=True, return_counts=True)
    return flat[:, first].T, counts.astype(np.float64), pattern_of


def _stacked(masks: ArrayLike | Sequence[ArrayLike]) -> Mask:
    """The masks as bool (raters, ...)."""
    each = [np.asarray(mask) for mask in masks]  # type: ignore[union-attr]
    if not each:
        raise ValueError("a consensus needs at least one mask, got none")
    for mask in each:
        if mask.dtype != np.bool_:
            raise ValueError(f"masks must be bool, not {mask.dtype}")
        if mask.shape != each[0].shape:
            raise ValueError(f"masks differ in shape: {each[0].shape} and {mask.shape}")
        if not mask.ndim:
            raise ValueError("a mask must have an axis, not be a single value")
    return np.stack(each)
