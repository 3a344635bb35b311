"""Agreement of two readers from their confusion matrix, which adds up case by case, and its intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.metrics.resampling import check_draws, draw_times, percentiles

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

Array = NDArray[np.float64]
Weights = Literal["linear", "quadratic"] | None
WEIGHTS: tuple[Weights, ...] = (None, "linear", "quadratic")


def confusion_kappa(confusion: ArrayLike, weights: Weights = None, *, case_weights: ArrayLike | None = None) -> float:
    """Cohen's kappa of two readers from their confusion matrix, in [-1, 1].

    As `coefficients.cohen_kappa`, which says what it means. The matrix adds up: a submit adds 1 to one cell, so kappa
    is live without reading the other cases again.

    Parameters
    ----------
    confusion
        Cases on which the first reader gave category i and the second j, (categories, categories), whole, in the
        categories' order; or several of them, (strata, categories, categories), whose cases weigh differently.
    weights
        None: any difference is one. "linear", "quadratic": a difference counts by the distance of the two places in
        the order, or its square.
    case_weights
        What one case of each stratum weighs, (strata,), above 0. None: 1.

    Returns
    -------
    1 - observed disagreement / disagreement expected of two readers with these habits who look at different cases.

    Notes
    -----
    Chance level: 0.
    Empty case: where both used one and the same category only it is nan.

    Raises
    ------
    ValueError
        If no case is in the matrix, it is not square, a cell is negative or not whole, or a weight is not above 0.

    References
    ----------
    Cohen 1960, DOI 10.1177/001316446002000104; weighted: Cohen 1968, DOI 10.1037/h0026256.

    Examples
    --------
    >>> round(confusion_kappa([[20, 5], [10, 15]]), 6)
    0.4
    """
    cells, heavy = _checked(confusion, weights, case_weights)
    return float(_kappas(cells.reshape(1, -1), heavy, cells.shape[1], weights)[0])


def bootstrap_confusion(
    confusion: ArrayLike,
    weights: Sequence[Weights] = WEIGHTS,
    *,
    case_weights: ArrayLike | None = None,
    n: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[Weights, tuple[float, float]]:
    """Percentile bootstrap intervals of Cohen's kappa over cases, (low, high) in [-1, 1].

    Cases are drawn again with replacement, which is one multinomial draw over the cells. What an interval means is
    said at `agreement.bootstrap_interval`.

    Parameters
    ----------
    confusion, case_weights
        As `confusion_kappa`.
    weights
        Which kappas, drawn from the same cases.
    n, level, seed
        As `bootstrap_interval`.

    Returns
    -------
    (low, high) for each kind of weights. A draw in which both used one category only is left out.

    Notes
    -----
    Chance level: none; hold kappa's 0 against the interval.
    Empty case: a single case, or a kappa that is nan in every draw, gives (nan, nan).
    Cases of one patient are drawn as if they were of several.

    Raises
    ------
    ValueError
        As `confusion_kappa`, or if `n` or `level` is out of range.

    References
    ----------
    Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.

    Examples
    --------
    >>> low, high = bootstrap_confusion([[20, 5], [10, 15]], [None])[None]
    >>> 0.1 < low < 0.2 and 0.6 < high < 0.7
    True
    """
    cells, heavy = _checked(confusion, weights[0] if weights else None, case_weights)
    for kind in weights:
        _check_kind(kind)
    check_draws(n, level)
    size = cells.shape[1]
    flat = cells.ravel()
    if flat.sum() < 2:
        return dict.fromkeys(weights, (float("nan"), float("nan")))
    used = np.flatnonzero(flat)
    kappas: dict[Weights, list[Array]] = {kind: [] for kind in weights}
    for times in draw_times(flat[used], n=n, seed=seed):
        drawn = np.zeros((len(times), flat.size))
        drawn[:, used] = times
        for kind in weights:
            kappas[kind].append(_kappas(drawn, heavy, size, kind))
    return {kind: percentiles(np.concatenate(found), level) for kind, found in kappas.items()}


def _check_kind(weights: Weights) -> None:
    if weights not in WEIGHTS:
        raise ValueError(f"weights is None, 'linear' or 'quadratic', not {weights!r:.80}")


def _checked(confusion: ArrayLike, weights: Weights, case_weights: ArrayLike | None) -> tuple[Array, Array]:
    """The matrix as (strata, categories, categories), and the weight of each stratum."""
    _check_kind(weights)
    cells = np.asarray(confusion, dtype=np.float64)
    cells = cells[np.newaxis] if cells.ndim == 2 else cells
    if cells.ndim != 3 or cells.shape[1] != cells.shape[2]:
        raise ValueError(f"a confusion matrix is square, not of shape {np.shape(confusion)}")
    wrong = cells[~((cells >= 0) & (cells == np.floor(cells)) & np.isfinite(cells))]
    if wrong.size:
        raise ValueError(f"a cell is a whole number of cases and not negative, not {wrong[0]:g}")
    if not cells.sum():
        raise ValueError("agreement needs a case with two ratings; the confusion matrix holds none")
    heavy = np.ones(len(cells)) if case_weights is None else np.asarray(case_weights, dtype=np.float64)
    if heavy.shape != (len(cells),) or not ((heavy > 0) & np.isfinite(heavy)).all():
        raise ValueError(f"{len(cells)} strata need as many weights above 0, not {heavy.tolist()!r:.80}")
    return cells, heavy


def _kappas(drawn: Array, heavy: Array, size: int, weights: Weights) -> Array:
    """Kappa of each draw; drawn: (draws, strata x categories x categories)."""
    cells = np.einsum("dsij,s->dij", drawn.reshape(len(drawn), heavy.size, size, size), heavy)
    places = np.arange(size, dtype=np.float64)
    gaps = np.abs(places[:, np.newaxis] - places)
    cost = (gaps > 0).astype(np.float64) if weights is None else gaps if weights == "linear" else gaps**2
    first, second, total = cells.sum(axis=2), cells.sum(axis=1), cells.sum(axis=(1, 2))
    observed = (cells * cost).sum(axis=(1, 2)) * total
    expected = np.einsum("di,ij,dj->d", first, cost, second)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 0, 1 - observed / expected, np.nan)
