"""The true category of each case from several readers' nominal ratings, and how able each reader is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

SMOOTHING = 0.01
"""Ratings added to each cell of a reader's confusion matrix: an error never seen stays possible, at 1 in 100 cases."""

_TOLERANCE = 1e-9
_MOST_CATEGORIES = 1000


@dataclass(frozen=True, slots=True)
class DawidSkeneFit:
    """A Dawid and Skene estimate with how it came about."""

    posterior: Array
    """Probability of each category, (cases, categories); nan for a case nobody rated."""
    confusion: Array
    """Probability of what a reader says given the truth, (readers, true category, said category)."""
    prior: Array
    """Share of each category among rated cases, (categories,)."""
    log_likelihood: float
    n_iterations: int
    has_converged: bool


def posterior_entropy(posterior: ArrayLike) -> Array:
    """How unsure a consensus is of each case, in bits, in [0, log2(categories)].

    0 is certainty, 1 is two categories at even chances. What it means: sort by it to review first what the readers'
    ratings settle least. Of a STAPLE map `w`, give `np.stack([1 - w, w], axis=-1)`.

    Parameters
    ----------
    posterior
        Probabilities, float (..., categories), that add up to 1; nan for a case without any.

    Returns
    -------
    Float (...); nan where the posterior is.

    Notes
    -----
    Chance level: log2(categories) where nothing is known.
    Empty case: no case gives an empty array.

    Raises
    ------
    ValueError
        If a probability is outside [0, 1] or those of a case do not add up to 1.

    References
    ----------
    Shannon 1948, DOI 10.1002/j.1538-7305.1948.tb01338.x.

    Examples
    --------
    >>> posterior_entropy([[0.5, 0.5], [1.0, 0.0]])
    array([1., 0.])
    """
    chances = np.asarray(posterior, dtype=np.float64)
    if not chances.ndim:
        raise ValueError(f"a posterior has the axes (..., categories); {float(chances):g} is a single number")
    if ((chances < 0) | (chances > 1)).any():
        wrong = chances[(chances < 0) | (chances > 1)][0]
        raise ValueError(f"a posterior's probabilities lie in [0, 1], not {wrong:g}")
    totals = chances.sum(axis=-1)
    if (np.abs(totals - 1) > 1e-6).any():
        raise ValueError(f"the probabilities of a case add up to {totals[np.abs(totals - 1) > 1e-6][0]:g}, not 1")
    logs = np.log2(np.where(chances > 0, chances, 1.0))
    bits: Array = np.abs((chances * logs).sum(axis=-1))
    return bits


def dawid_skene(ratings: ArrayLike, *, categories: int | None = None) -> tuple[Array, Array]:
    """Probability of each case's true category and of each reader's confusions, from nominal ratings, each in [0, 1].

    Expectation maximisation that estimates at once the truth and each reader's errors, so that one who confuses two
    categories counts for less between these two and in full elsewhere. What it means: a better consensus than the
    majority where readers differ in skill and share many cases; with a handful of cases it says about the majority.

    Parameters
    ----------
    ratings
        Float (readers, cases): the category as a whole number from 0; nan where a reader did not rate the case.
    categories
        How many there are; None: the greatest rating + 1. Give it where a category may not have been chosen by anyone.

    Returns
    -------
    (posterior, confusion): float (cases, categories), and (readers, true category, said category) whose rows add up
    to 1.

    Notes
    -----
    Chance level: a reader who guesses has equal rows, and changes no posterior.
    Empty case: a case nobody rated has nan; a reader without any rating has 1 / categories everywhere.
    Deterministic: started from each case's shares of votes, it always ends the same. The start also settles which
    category is which; readers who mostly err are not found out. `SMOOTHING` ratings are added to each cell of each
    confusion matrix (and none to the categories' shares), so that one case does not make a reader infallible.

    Raises
    ------
    ValueError
        If nobody rated anything, or a rating is no whole number from 0 to categories - 1.

    References
    ----------
    Dawid and Skene 1979, DOI 10.2307/2346806.

    Examples
    --------
    >>> nan = float("nan")
    >>> careful, hasty = [0, 1, 0, 1, 1, 0], [0, 1, 1, 1, 0, nan]
    >>> posterior, confusion = dawid_skene([careful, careful, hasty])
    >>> posterior.argmax(axis=1)
    array([0, 1, 0, 1, 1, 0])
    >>> confusion[2].round(1)
    array([[0.5, 0.5], [0.3, 0.7]])
    """
    fit = dawid_skene_fit(ratings, categories=categories)
    return fit.posterior, fit.confusion


def dawid_skene_fit(
    ratings: ArrayLike, *, categories: int | None = None, smoothing: float = SMOOTHING, most_iterations: int = 1000
) -> DawidSkeneFit:
    """`dawid_skene` with the categories' shares, the likelihood and whether the estimation settled.

    Range, meaning, chance level, empty case, source: as `dawid_skene`.

    Parameters
    ----------
    ratings, categories
        As `dawid_skene`.
    smoothing
        Ratings added to each cell of a confusion matrix, above 0.
    most_iterations
        Where to stop if posteriors have not settled to 1e-9 before.

    Returns
    -------
    DawidSkeneFit. Its log likelihood (nats) is that of the ratings under the estimate.

    Raises
    ------
    ValueError
        As `dawid_skene`; if `smoothing` is not above 0.

    Examples
    --------
    >>> fit = dawid_skene_fit([[0, 1, 1], [0, 1, 0]])
    >>> fit.has_converged, fit.prior.round(2)
    (True, array([0.5, 0.5]))
    """
    if not smoothing > 0:
        raise ValueError(f"smoothing must be above 0, not {smoothing:g}")
    given = _given(ratings, categories)
    truth = given.shares()
    n_iterations, has_converged = 0, False
    prior, confusion = _abilities(given, truth, smoothing)
    likelihood = 0.0
    while not has_converged and n_iterations < most_iterations:
        before = truth
        truth, likelihood = _truth(given, prior, confusion)
        prior, confusion = _abilities(given, truth, smoothing)
        has_converged = bool(np.abs(truth - before).max() < _TOLERANCE)
        n_iterations += 1
    posterior = np.full((len(given.is_rated), given.categories), np.nan)
    posterior[given.is_rated] = truth
    return DawidSkeneFit(posterior, confusion, prior, likelihood, n_iterations, has_converged)


@dataclass(frozen=True, slots=True)
class _Given:
    """The ratings there are, one after another: an overlap of 3 among 50 readers costs 3 a case, not 50."""

    reader: NDArray[np.intp]  # (ratings,)
    case: NDArray[np.intp]  # (ratings,), a place among the rated cases
    said: NDArray[np.intp]  # (ratings,)
    is_rated: Mask  # (cases,)
    readers: int
    categories: int

    def shares(self) -> Array:
        """Of each rated case the share of votes of each category, (rated cases, categories)."""
        rated = int(self.is_rated.sum())
        cells = np.bincount(self.case * self.categories + self.said, minlength=rated * self.categories)
        votes = cells.reshape(rated, self.categories).astype(np.float64)
        result: Array = votes / votes.sum(axis=1, keepdims=True)
        return result


def _abilities(given: _Given, truth: Array, smoothing: float) -> tuple[Array, Array]:
    """The categories' shares and each reader's confusion matrix, given how likely each truth is."""
    cells = given.reader * given.categories + given.said
    said = np.empty((given.readers, given.categories, given.categories))
    for true in range(given.categories):
        sums = np.bincount(cells, weights=truth[given.case, true], minlength=given.readers * given.categories)
        said[:, true, :] = sums.reshape(given.readers, given.categories)
    said += smoothing
    return truth.mean(axis=0), said / said.sum(axis=2, keepdims=True)


def _truth(given: _Given, prior: Array, confusion: Array) -> tuple[Array, float]:
    """How likely each truth is given the readers, and the ratings' log likelihood."""
    chance = np.log(confusion)
    rated = int(given.is_rated.sum())
    logs = np.empty((rated, given.categories))
    for true in range(given.categories):
        logs[:, true] = np.bincount(given.case, weights=chance[given.reader, true, given.said], minlength=rated)
    logs += np.log(np.maximum(prior, np.finfo(np.float64).tiny))  # a category that died out stays out
    most = logs.max(axis=1, keepdims=True)
    chances = np.exp(logs - most)
    totals = chances.sum(axis=1, keepdims=True)
    return chances / totals, float((most + np.log(totals)).sum())


def _given(ratings: ArrayLike, categories: int | None) -> _Given:
    """The ratings, checked."""
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"ratings must have the axes (readers, cases), not shape {table.shape}")
    is_there = ~np.isnan(table)
    if not is_there.any():
        raise ValueError(f"none of {table.shape[0]} readers rated any of {table.shape[1]} cases")
    said = table[is_there]
    many = categories if categories is not None else _MOST_CATEGORIES
    is_wrong = (said < 0) | (said >= many) | (said != np.floor(said))
    if is_wrong.any():
        raise ValueError(f"a rating is a whole number from 0 to {many - 1}, not {said[is_wrong][0]:g}")
    reader, case = np.nonzero(is_there)
    is_rated: Mask = np.any(is_there, axis=0)
    place = np.cumsum(is_rated) - 1
    kinds = categories if categories is not None else int(said.max()) + 1
    return _Given(reader, place[case], said.astype(np.intp), is_rated, len(table), kinds)
