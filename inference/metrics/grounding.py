"""Does a model look where the expert drew? Scores of one relative attention map against the cells of one region.

The definitions, with their small constants, are those of VGMED (arXiv 2603.14323); `normalized_kl`, `grid_auroc` and
the treatment of ties are ours. N is the number of cells of the grid, G the region's cells, r the relative map.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.metrics.grids import CellMask

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

Grid = NDArray[np.floating[Any]]
"""A map over a token grid, float (rows, columns)."""

GENERAL_EPSILON = 1e-10
RATIO_EPSILON = 1e-8
SUM_EPSILON = 1e-8
JS_EPSILON = 1e-8
KL_FLOOR = 1e-12


def relative_map(question: Grid, general: Grid) -> NDArray[np.float32]:
    """Attention under the question over attention under a general prompt, r = q / (g + 1e-10), in [0, inf).

    What an image draws to itself whatever is asked is divided out; 1 means that the question changed nothing there.

    Parameters
    ----------
    question, general
        Attention of the last input token to each image token, float (..., rows, columns), no unit.

    Returns
    -------
    float32 of the same shape.

    Notes
    -----
    Chance level: 1 in every cell, for a model whose attention does not depend on the question.
    Empty case: a grid without cells gives a map without cells.

    Raises
    ------
    ValueError
        If the shapes differ, or a number is negative, nan or infinite.

    References
    ----------
    arXiv 2603.14323 (the authors' script has no epsilon); relative attention: arXiv 2502.17422.

    Examples
    --------
    >>> relative_map(np.array([[0.2, 0.1]]), np.array([[0.1, 0.1]]))
    array([[2., 1.]], dtype=float32)
    """
    if question.shape != general.shape:
        raise ValueError(f"question and general map differ in shape: {question.shape} and {general.shape}")
    for name, values in (("question", question), ("general", general)):
        _refuse_bad_numbers(values, f"the {name} map")
    divided = question.astype(np.float32) / (general.astype(np.float32) + np.float32(GENERAL_EPSILON))
    return np.asarray(divided, dtype=np.float32)


def attention_ratio(relative: Grid, cells: CellMask) -> float:
    """Mean attention inside the expert's region over mean attention anywhere, in [0, N/|G|].

    1 is what a model that looks everywhere alike scores; 3 means that a cell of the region gets three times the
    attention of an average cell. A value above 1 is not yet grounding: compare it with the nulls.

    Parameters
    ----------
    relative
        Relative attention, float (rows, columns), no unit; reduced in float64.
    cells
        The region's cells, bool (rows, columns).

    Returns
    -------
    sum of r over G / (|G|/N * sum of r + 1e-8).

    Notes
    -----
    Chance level: 1.
    Empty case: a region of every cell gives 1 whatever the map; a region of no cell raises.

    Raises
    ------
    ValueError
        If the shapes differ, the map holds a negative, nan or infinite number or only zeros, or no cell is set.

    References
    ----------
    arXiv 2603.14323.

    Examples
    --------
    >>> relative = np.array([[3.0, 1.0], [0.0, 0.0]])
    >>> round(attention_ratio(relative, np.array([[True, False], [False, False]])), 6)
    3.0
    """
    values, inside = checked(relative, cells)
    return float(values[inside].sum() / (inside.sum() / values.size * values.sum() + RATIO_EPSILON))


def log2_attention_ratio(relative: Grid, cells: CellMask) -> float:
    """The attention ratio on a scale where twice and half are equally far from chance, in [-inf, log2(N/|G|)].

    0 is a model that looks everywhere alike, 1 twice as much attention inside, -1 half as much. Means over cases are
    taken on this scale, because ratios are not symmetric.

    Parameters
    ----------
    relative
        Relative attention, float (rows, columns), no unit; reduced in float64.
    cells
        The region's cells, bool (rows, columns).

    Returns
    -------
    log2 of the attention ratio; -inf where the region gets no attention at all.

    Notes
    -----
    Chance level: 0.
    Empty case: a region of every cell gives 0; a region of no cell raises.

    Raises
    ------
    ValueError
        As `attention_ratio`.

    References
    ----------
    Ours, over arXiv 2603.14323.

    Examples
    --------
    >>> round(log2_attention_ratio(np.array([[2.0, 1.0, 1.0, 0.0]]), np.array([[True, False, False, False]])), 6)
    1.0
    """
    ratio = attention_ratio(relative, cells)
    return float(np.log2(ratio)) if ratio > 0 else -np.inf


def kl_divergence(relative: Grid, cells: CellMask) -> float:
    """Kullback-Leibler divergence of the attention from even attention on the region, in nats, 0 or more.

    0 is attention spread evenly over the region and nowhere else. It asks that all of the region be covered: attention
    on one cell of it is punished. It depends on the region's size, so compare it only between regions of one size, or
    use `normalized_kl`.

    Parameters
    ----------
    relative
        Relative attention, float (rows, columns), no unit; reduced in float64.
    cells
        The region's cells, bool (rows, columns).

    Returns
    -------
    sum of g * ln(g / p) with p = r / (sum of r + 1e-8), g = 1/|G| on the region and 0 elsewhere, both clipped to
    [1e-12, 1].

    Notes
    -----
    Chance level: ln(N/|G|), what even attention over the whole grid gives.
    Empty case: a region of every cell is 0 for even attention; a region of no cell raises.

    Raises
    ------
    ValueError
        As `attention_ratio`.

    References
    ----------
    arXiv 2603.14323.

    Examples
    --------
    >>> uniform = np.ones((2, 2))
    >>> round(kl_divergence(uniform, np.array([[True, False], [False, False]])), 6)  # ln 4
    1.386294
    """
    values, inside = checked(relative, cells)
    p, g = (np.clip(part, KL_FLOOR, 1.0) for part in _distributions(values, inside))
    return float((g * np.log(g / p)).sum())


def js_divergence(relative: Grid, cells: CellMask) -> float:
    """Jensen-Shannon divergence between the attention and even attention on the region, in nats, in [0, ln 2].

    0 is attention spread evenly over the region and nowhere else, ln 2 (0.693) attention that never meets it.
    It depends on the region's size.

    Parameters
    ----------
    relative
        Relative attention, float (rows, columns), no unit; reduced in float64.
    cells
        The region's cells, bool (rows, columns).

    Returns
    -------
    half the sum of p * ln((p + e) / (m + e)) + g * ln((g + e) / (m + e)), m = (p + g) / 2, e = 1e-8.

    Notes
    -----
    Chance level: with f = |G|/N, even attention over the grid gives ln 2 + (f ln f - (1 + f) ln(1 + f)) / 2.
    Empty case: a region of every cell is 0 for even attention; a region of no cell raises.

    Raises
    ------
    ValueError
        As `attention_ratio`.

    References
    ----------
    arXiv 2603.14323.

    Examples
    --------
    >>> apart = np.array([[0.0, 1.0]])
    >>> round(js_divergence(apart, np.array([[True, False]])), 6)  # ln 2
    0.693147
    """
    values, inside = checked(relative, cells)
    p, g = _distributions(values, inside)
    m = (p + g) / 2
    first = (p * np.log((p + JS_EPSILON) / (m + JS_EPSILON))).sum()
    second = (g * np.log((g + JS_EPSILON) / (m + JS_EPSILON))).sum()
    return float((first + second) / 2)


def normalized_kl(relative: Grid, cells: CellMask) -> float:
    """KL divergence set against that of even attention, 1 - KL / ln(N/|G|), in (-inf, 1].

    1 is attention spread evenly over the region, 0 no better than looking everywhere alike. It may be below 0 while
    the attention ratio is high, when all attention falls on a small part of the region: never use it as a gate.

    Parameters
    ----------
    relative
        Relative attention, float (rows, columns), no unit; reduced in float64.
    cells
        The region's cells, bool (rows, columns).

    Returns
    -------
    1 - KL / ln(N/|G|).

    Notes
    -----
    Chance level: 0.
    Empty case: a region of every cell gives nan, for there is nothing to tell apart; a region of no cell raises.

    Raises
    ------
    ValueError
        As `attention_ratio`.

    References
    ----------
    Ours, over arXiv 2603.14323.

    Examples
    --------
    >>> cells = np.array([[True, False], [False, False]])
    >>> round(normalized_kl(np.array([[1.0, 0.0], [0.0, 0.0]]), cells), 6)
    1.0
    >>> normalized_kl(np.ones((2, 2)), np.ones((2, 2), dtype=bool))
    nan
    """
    values, inside = checked(relative, cells)
    if inside.all():
        return float("nan")
    return 1.0 - kl_divergence(values, inside) / float(np.log(values.size / inside.sum()))


def energy_pointing_game(relative: Grid, cells: CellMask) -> float:
    """Share of all attention that falls inside the expert's region, in [0, 1].

    1 means that the model looks nowhere else. It equals the attention ratio times |G|/N, so large regions score high
    by themselves.

    Parameters
    ----------
    relative
        Relative attention, float (rows, columns), no unit; reduced in float64.
    cells
        The region's cells, bool (rows, columns).

    Returns
    -------
    sum of r over G / sum of r.

    Notes
    -----
    Chance level: |G|/N.
    Empty case: a region of every cell gives 1; a region of no cell raises.

    Raises
    ------
    ValueError
        As `attention_ratio`.

    References
    ----------
    Score-CAM's energy-based pointing game, arXiv 1910.01279.

    Examples
    --------
    >>> energy_pointing_game(np.array([[3.0, 1.0]]), np.array([[True, False]]))
    0.75
    """
    values, inside = checked(relative, cells)
    return float(values[inside].sum() / values.sum())


def pointing_hit(relative: Grid, cells: CellMask) -> float:
    """Whether the cell with the most attention lies in the expert's region: 1 or 0, or between them at a tie.

    Averaged over cases it is the pointing game's accuracy. Where several cells share the maximum it is the share of
    them inside, which is what a tie broken at random scores on average.

    Parameters
    ----------
    relative
        Relative attention, float (rows, columns), no unit.
    cells
        The region's cells, bool (rows, columns).

    Returns
    -------
    1.0 for a hit, 0.0 for a miss, the share of the maximal cells inside at a tie.

    Notes
    -----
    Chance level: |G|/N.
    Empty case: a region of every cell gives 1; a region of no cell raises.

    Raises
    ------
    ValueError
        As `attention_ratio`.

    References
    ----------
    Pointing game, arXiv 1608.00507; without its 15-pixel tolerance, and with ties as said above.

    Examples
    --------
    >>> pointing_hit(np.array([[3.0, 1.0]]), np.array([[True, False]]))
    1.0
    """
    values, inside = checked(relative, cells)
    return float(inside[values == values.max()].mean())


def grid_auroc(relative: Grid, cells: CellMask) -> float:
    """Chance that a random cell of the region gets more attention than a random cell outside it, in [0, 1].

    1 ranks every cell of the region above all others, 0.5 is no better than tossing a coin, 0 looks exactly beside it.
    Only the order of the cells counts, so a single hot cell cannot carry it. Ties count half.

    Parameters
    ----------
    relative
        Relative attention, float (rows, columns), no unit.
    cells
        The region's cells, bool (rows, columns).

    Returns
    -------
    Area under the receiver operating characteristic of r as a detector of G.

    Notes
    -----
    Chance level: 0.5.
    Empty case: a region of every cell gives nan, for there is nothing outside it; a region of no cell raises.

    Raises
    ------
    ValueError
        As `attention_ratio`.

    References
    ----------
    Mann-Whitney form: Hanley and McNeil 1982, DOI 10.1148/radiology.143.1.7063747.

    Examples
    --------
    >>> grid_auroc(np.array([[0.9, 0.4], [0.5, 0.1]]), np.array([[True, True], [False, False]]))
    0.75
    """
    values, inside = checked(relative, cells)
    n_in, n_out = int(inside.sum()), int((~inside).sum())
    if n_out == 0:
        return float("nan")
    rank_sum = float(midranks(values.ravel())[inside.ravel()].sum())
    return (rank_sum - n_in * (n_in + 1) / 2) / (n_in * n_out)


def checked(relative: Grid, cells: CellMask) -> tuple[NDArray[np.float64], CellMask]:
    """The map in float64 and the cells, or a ValueError that names what is wrong with them."""
    values, inside = np.asarray(relative), np.asarray(cells)
    if values.shape != inside.shape:
        raise ValueError(f"map and cells differ in shape: {values.shape} and {inside.shape}")
    if inside.dtype != np.bool_:
        raise ValueError(f"cells must be bool, not {inside.dtype}")
    _refuse_bad_numbers(values, "the map")
    if not inside.any():
        raise ValueError(f"the region has no cell on the grid of shape {values.shape}")
    if not values.any():
        raise ValueError(f"the map of shape {values.shape} is zero everywhere")
    return values.astype(np.float64), inside


def midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1, equal values sharing the mean of their ranks, float64 (cells,).

    Examples
    --------
    >>> midranks(np.array([5.0, 1.0, 5.0]))
    array([2.5, 1. , 2.5])
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse], dtype=np.float64)


def _refuse_bad_numbers(values: Grid, name: str) -> None:
    if not np.isfinite(values).all():
        worst = values[~np.isfinite(values)].flat[0]
        raise ValueError(f"{name} holds {worst}, which is not a finite number")
    if (values < 0).any():
        raise ValueError(f"{name} holds {values.min()}, which is negative")


def _distributions(values: NDArray[np.float64], inside: CellMask) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return values / (values.sum() + SUM_EPSILON), inside / inside.sum()
