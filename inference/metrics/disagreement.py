"""How far experts and models are apart: on the answer, on the region, and among several voters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.metrics.grids import CellMask
from inference.metrics.grounding import Grid, grid_auroc

METRIC_VERSION = "1"
"""Raised with any change of any number below; golden values in the tests guard it."""

_SUM_TOLERANCE = 1e-6


def vote_entropy(votes: Sequence[Hashable]) -> float:
    """How evenly a set of votes is split, in nats, in [0, ln(number of different votes)].

    0 is unanimity, ln 2 (0.693) two camps of one size. A case with a high value is one on which voters disagree.

    Parameters
    ----------
    votes
        One vote for each voter, such as option letters; whoever abstained is left out.

    Returns
    -------
    minus the sum over options of share * ln(share).

    Notes
    -----
    Chance level: ln(options) for many voters who choose at random.
    Empty case: no vote raises; one vote gives 0.

    Raises
    ------
    ValueError
        If there is no vote.

    References
    ----------
    Dagan and Engelson 1995, DOI 10.1016/B978-1-55860-377-6.50027-X; here without division by ln(voters).

    Examples
    --------
    >>> round(vote_entropy(["A", "A", "B", "B"]), 6)
    0.693147
    """
    if not votes:
        raise ValueError("vote entropy needs at least one vote, got none")
    shares = np.array(list(Counter(votes).values()), dtype=np.float64) / len(votes)
    return float(abs((shares * np.log(shares)).sum()))


def jensen_shannon(first: ArrayLike, second: ArrayLike, *more: ArrayLike) -> float:
    """How far apart two or more distributions over the same options are, in nats, in [0, ln(number of them)].

    0 is the same distribution, ln 2 (0.693) two that share no option. Unlike votes, it sees how sure each voter is.

    Parameters
    ----------
    first, second, more
        Probabilities of the same options in the same order, float (options,), each summing to 1.

    Returns
    -------
    entropy of the mean distribution less the mean of the entropies.

    Notes
    -----
    Chance level: none; 0 for voters with equal distributions.
    Empty case: no option raises.

    Raises
    ------
    ValueError
        If shapes differ, a number is negative, nan or infinite, or a distribution does not sum to 1.

    References
    ----------
    Lin 1991, DOI 10.1109/18.61115.

    Examples
    --------
    >>> round(jensen_shannon([1.0, 0.0], [0.0, 1.0]), 6)
    0.693147
    """
    rows = [_distribution(one) for one in (first, second, *more)]
    for row in rows[1:]:
        if row.shape != rows[0].shape:
            raise ValueError(f"distributions differ in shape: {rows[0].shape} and {row.shape}")
    table = np.stack(rows)  # (voters, options)
    return max(
        0.0,
        _entropy(table.mean(axis=0)) - float(np.mean([_entropy(row) for row in table])),
    )


def answer_disagreement(
    expert: str,
    *,
    probabilities: Mapping[str, float] | None = None,
    choice: str | None = None,
) -> float:
    """How far a model's answer is from the expert's option, in [0, 1].

    0 is a model sure of the expert's option, 1 a model that gives it no chance. With probabilities it is
    1 - p(expert's option); a model without them is either with the expert (0) or against (1).

    Parameters
    ----------
    expert
        The expert's option letter.
    probabilities
        The model's probability of each option, if it gives any; used before `choice`.
    choice
        The model's option letter, if it gave one.

    Returns
    -------
    1 - p(expert), or 0.0 or 1.0; nan where the model gave neither probabilities nor an option, for an answer that
    could not be read is not a disagreement.

    Notes
    -----
    Chance level: 1 - 1/options.
    Empty case: no answer at all gives nan.

    Raises
    ------
    ValueError
        If the expert's option is not among the probabilities, or they are not a distribution.

    References
    ----------
    Ours.

    Examples
    --------
    >>> answer_disagreement("B", probabilities={"A": 0.75, "B": 0.25})
    0.75
    >>> answer_disagreement("B", choice="B")
    0.0
    """
    if probabilities:
        if expert not in probabilities:
            raise ValueError(f"the expert's option {expert!r} is not among the model's: {sorted(probabilities)}")
        _distribution(list(probabilities.values()))
        return min(1.0, max(0.0, 1.0 - float(probabilities[expert])))
    if choice is None:
        return float("nan")
    return 0.0 if choice == expert else 1.0


def region_disagreement(relative: Grid, cells: CellMask) -> float:
    """How badly the model's attention ranks the expert's region above the rest, 1 - AUROC, in [0, 1].

    0 ranks every cell of the region first, 0.5 is chance, 1 looks everywhere but there.

    Parameters
    ----------
    relative
        Relative attention, float (rows, columns), no unit.
    cells
        The region's cells, bool (rows, columns).

    Returns
    -------
    1 - AUROC over cells.

    Notes
    -----
    Chance level: 0.5.
    Empty case: a region of every cell gives nan; a region of no cell raises.

    Raises
    ------
    ValueError
        As `grounding.attention_ratio`.

    References
    ----------
    Ours, over DOI 10.1148/radiology.143.1.7063747.

    Examples
    --------
    >>> region_disagreement(np.array([[3.0, 1.0]]), np.array([[True, False]]))
    0.0
    """
    return 1.0 - grid_auroc(relative, cells)


def _distribution(values: ArrayLike) -> NDArray[np.float64]:
    row = np.asarray(values, dtype=np.float64)
    if row.ndim != 1 or not row.size:
        raise ValueError(f"a distribution needs one probability for each option, not shape {row.shape}")
    if not np.isfinite(row).all() or (row < 0).any() or abs(float(row.sum()) - 1.0) > _SUM_TOLERANCE:
        raise ValueError(f"probabilities must be 0 or more and sum to 1: {row.tolist()}")
    return row


def _entropy(row: NDArray[np.float64]) -> float:
    positive: NDArray[Any] = row[row > 0]
    return float(-(positive * np.log(positive)).sum())
