"""Numbers of a whole benchmark from cases that were not drawn evenly: every case counts by how likely it was drawn.

A queue that prefers cases on which readers disagree makes a plain mean over the cases read say more disagreement than
the benchmark holds. Each draw's stored selection probability undoes that, as long as every case had a chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.metrics.agreement import bootstrap_interval

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

_ALMOST_NONE = 1e-9

Array = NDArray[np.float64]


def lure_weights(probabilities: ArrayLike, pool: int) -> Array:
    """What each drawn case counts for in an estimate over its pool, in (0, inf), 1 under an even draw.

    The levelled unbiased risk estimator's weights. With M of N cases drawn one after another, none twice, and q the
    probability with which the m-th draw (from 1) took the case it took among the N - m + 1 left,

        v_m = 1 + (N - M) / (N - m) * (1 / ((N - m + 1) q_m) - 1).

    A case that the queue preferred counts for less than 1, one that came by the random share for more. The mean of
    value x weight over the draws is then, in expectation, the mean over the whole pool, whatever the queue preferred
    and although it learnt as it went. What it means: "on 62 % of all cases readers agree" may be said of the benchmark
    and not only of the hard cases that were read first.

    Parameters
    ----------
    probabilities
        q of each draw in the order of drawing, float (draws,), in (0, 1]: as stored when the case was drawn. Only a
        case's first draw counts; a second reader of a case draws no new one.
    pool
        N, how many cases could be drawn at the first draw.

    Returns
    -------
    Weights, float (draws,), in the order given.

    Notes
    -----
    Chance level: none. Even draws, q = 1 / (N - m + 1), weigh 1 each; so do all weights once the pool is drawn empty.
    Empty case: no draw gives no weight.
    No weight is negative: that of draw m is above (M - m) / (N - m).
    The expectation holds where each case left had q > 0 at each draw and the pool stayed the same: a case added after
    the first draw belongs to a pool of its own.

    Raises
    ------
    ValueError
        If a probability is not in (0, 1], or there are more draws than cases.

    References
    ----------
    Farquhar, Gal and Rainforth 2021, arXiv 2101.11665; for estimates: Kossen et al. 2021, arXiv 2103.05331.

    Examples
    --------
    >>> lure_weights([1 / 4, 1 / 3], pool=4)
    array([1., 1.])
    >>> lure_weights([0.8, 0.1], pool=4)  # the queue's favourite, then a case by the random share
    array([0.54166667, 3.33333333])
    """
    chances = np.asarray(probabilities, dtype=np.float64)
    _check_chances(chances)
    draws = len(chances)
    if draws > pool:
        raise ValueError(f"{draws} draws from a pool of {pool}")
    if draws == pool:
        return np.ones(draws)
    left = pool - np.arange(draws, dtype=np.float64)  # N - m + 1
    return 1 + (pool - draws) / (left - 1) * (1 / (left * chances) - 1)


def history_weights(probabilities: ArrayLike, pools: ArrayLike) -> tuple[Array, Array]:
    """What each drawn case counts for where other things than draws changed the pool too, and the share of each draw.

    Every draw by itself estimates the sum over all cases: what was known before it, and the drawn value over its
    probability for all that was left. The weights are those of a mean of these estimates, (0, inf). What it means: as
    `lure_weights`, whose proportions these are while only draws make the pool smaller.

    Parameters
    ----------
    probabilities
        As `lure_weights`.
    pools
        How many cases could be drawn at each draw, this one among them, (draws,).

    Returns
    -------
    Weights, and the shares that add up to 1, float (draws,) each. A case that became known without a draw after draw
    m counts for the sum of the shares of the draws after m: before, it was among those that m stands for.

    Notes
    -----
    Chance level: as `lure_weights`.
    Empty case: no draw gives none.
    A share goes by 1 / (pool (pool - 1)), which keeps the weights of even draws even; a draw of the last case left
    comes to know everything and has all of it.

    Raises
    ------
    ValueError
        If a probability is not in (0, 1], a pool is not 1 or more, or their numbers differ.

    References
    ----------
    As `lure_weights`.

    Examples
    --------
    >>> history_weights([1 / 4, 1 / 3], [4, 3])[0].round(9)
    array([2., 2.])
    >>> history_weights([0.8, 0.1], [4, 3])[0] / lure_weights([0.8, 0.1], 4)
    array([2., 2.])
    """
    chances, left = np.asarray(probabilities, dtype=np.float64), np.asarray(pools, dtype=np.float64)
    _check_chances(chances)
    if left.shape != chances.shape or (left < 1).any():
        raise ValueError(f"pools {left.tolist()} for {len(chances)} draws: each draw takes from 1 case or more")
    shares = 1 / (left * np.maximum(left - 1, _ALMOST_NONE))
    shares = shares / shares.sum() if len(shares) else shares
    return shares / chances + shares.sum() - np.cumsum(shares), shares


def weighted_mean(values: ArrayLike, weights: ArrayLike, *, is_normalised: bool = False) -> float:
    """Mean over a whole pool from its drawn cases, in the values' unit.

    sum(weight x value) / draws: without bias, yet it may leave the values' range (an agreement of 1.04) while few cases
    are drawn. Normalised, sum(weight x value) / sum(weight): steadier and, weights being positive, inside the range,
    with a bias that vanishes as cases are drawn. Show the normalised one; add up or test with the other.

    Parameters
    ----------
    values
        One number a drawn case, float (draws,).
    weights
        Of the same draws, from `lure_weights`, float (draws,).
    is_normalised
        Whether to divide by the weights' sum.

    Returns
    -------
    The mean.

    Notes
    -----
    Chance level: that of the values.
    Empty case: no draw, or weights that do not add up to more than 0 where it is normalised, gives nan.

    Raises
    ------
    ValueError
        If the two differ in length or hold nan or infinity: what is missing of a drawn case is not missing at random.

    References
    ----------
    As `lure_weights`.

    Examples
    --------
    >>> weighted_mean([1.0, 0.0], [0.5, 1.5])
    0.25
    >>> weighted_mean([1.0, 1.0], [0.5, 3.5]), weighted_mean([1.0, 1.0], [0.5, 3.5], is_normalised=True)
    (2.0, 1.0)
    """
    numbers, counts = _paired(values, weights)
    if not numbers.size:
        return float("nan")
    total = float((numbers * counts).sum())
    if not is_normalised:
        return total / len(numbers)
    whole = float(counts.sum())
    return total / whole if whole > 0 else float("nan")


def weighted_interval(
    values: ArrayLike,
    weights: ArrayLike,
    *,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    is_normalised: bool = False,
    n: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of `weighted_mean`, (low, high), in the values' unit.

    The drawn cases are drawn again with their weights, as `bootstrap_interval` draws rows. Means: as there. The draws
    are treated as independent although each depended on those before, which is an approximation: with few draws and
    uneven weights the interval is too narrow, so show `effective_size` beside it.

    Parameters
    ----------
    values, weights, is_normalised
        As `weighted_mean`.
    groups, n, level, seed
        As `bootstrap_interval`.

    Returns
    -------
    (low, high).

    Notes
    -----
    Chance level: that of the values.
    Empty case: fewer than two draws or clusters give (nan, nan).

    Raises
    ------
    ValueError
        As `weighted_mean` and `bootstrap_interval`.

    References
    ----------
    As `bootstrap_interval` and `lure_weights`.

    Examples
    --------
    >>> weighted_interval([1.0, 1.0, 1.0], [0.5, 1.0, 1.5], is_normalised=True)
    (1.0, 1.0)
    >>> weighted_interval([1.0], [1.0])
    (nan, nan)
    """
    numbers, counts = _paired(values, weights)
    if not is_normalised:
        return bootstrap_interval(numbers * counts, np.mean, groups=groups, n=n, level=level, seed=seed)

    def mean_of_rows(rows: Array) -> float:
        whole = float(rows[:, 1].sum())
        return float(rows[:, 0].sum()) / whole if whole > 0 else float("nan")

    rows = np.column_stack([numbers * counts, counts])  # (draws, 2)
    return bootstrap_interval(rows, mean_of_rows, groups=groups, n=n, level=level, seed=seed)


def effective_size(weights: ArrayLike) -> float:
    """How many evenly drawn cases the weighted ones are worth (Kish), in [0, draws].

    sum(weight)^2 / sum(weight^2). 40 of 200 says: the estimate is as unsure as one of 40 cases drawn evenly, because a
    few cases carry it.

    Parameters
    ----------
    weights
        Float (draws,).

    Returns
    -------
    The size, not rounded.

    Notes
    -----
    Chance level: none; even weights give the number of draws.
    Empty case: no draw, or weights of 0 alone, give 0.

    Raises
    ------
    ValueError
        If a weight is nan or infinite.

    References
    ----------
    Kish 1965, Survey Sampling, section 11.7.

    Examples
    --------
    >>> effective_size([1, 1, 1, 1])
    4.0
    >>> effective_size([10, 0, 0, 0])
    1.0
    >>> effective_size([])
    0.0
    """
    _, counts = _paired(np.zeros(np.shape(weights)), weights)
    squares = float((counts**2).sum())
    return float(counts.sum()) ** 2 / squares if squares else 0.0


def _check_chances(chances: Array) -> None:
    if chances.ndim != 1:
        raise ValueError(f"probabilities must have the axis (draws,), not shape {chances.shape}")
    is_bad = ~((chances > 0) & (chances <= 1))
    if is_bad.any():
        place = int(np.argmax(is_bad))
        raise ValueError(f"the probability of draw {place + 1} is {chances[place]:g}, not in (0, 1]")


def _paired(values: ArrayLike, weights: ArrayLike) -> tuple[Array, Array]:
    """Both as finite float (draws,)."""
    numbers, counts = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    if numbers.ndim != 1 or numbers.shape != counts.shape:
        raise ValueError(f"values and weights differ in shape: {numbers.shape} and {counts.shape}")
    for name, row in (("value", numbers), ("weight", counts)):
        if not np.isfinite(row).all():
            place = int(np.argmin(np.isfinite(row)))
            raise ValueError(f"the {name} of draw {place + 1} is {row[place]:g}")
    return numbers, counts
