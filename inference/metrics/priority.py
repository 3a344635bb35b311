"""One score of a case from every way in which readers and models can disagree on it; each part stays visible."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.metrics import disagreement
from inference.metrics.disagreement import jensen_shannon, vote_entropy
from inference.metrics.grids import GridTransform
from inference.metrics.grounding import Grid

METRIC_VERSION = "1"
"""Raised with any change of any number or weight below; golden values in the tests guard it."""

FORMULA_VERSION = f"{METRIC_VERSION}.{disagreement.METRIC_VERSION}"
"""What a stored score names: of the combination, and of the measures that it is made of."""

READER_ANSWERS = "reader_answers"
READER_REGIONS = "reader_regions"
MODEL_ANSWERS = "expert_model_answers"
MODEL_VOTES = "votes_model_options"
MODEL_REGIONS = "expert_model_attention"
BETWEEN_ANSWERS = "between_models_options"
BETWEEN_ATTENTION = "between_models_attention"

WEIGHTS: Mapping[str, float] = {
    READER_ANSWERS: 0.25,
    READER_REGIONS: 0.25,
    MODEL_ANSWERS: 0.15,
    MODEL_VOTES: 0.10,
    MODEL_REGIONS: 0.15,
    BETWEEN_ANSWERS: 0.05,
    BETWEEN_ATTENTION: 0.05,
}
"""What each part counts for, summing to 1: readers among themselves a half, for they make the gold; readers against
models four tenths; models among themselves a tenth, the only part of a case that nobody has read."""

SIDE = 48
"""Points a side at which two maps over different grids are compared."""


@dataclass(frozen=True)
class Part:
    """One way to disagree: its value in [0, 1] and of how many comparisons it is the mean."""

    value: float
    n: int


@dataclass(frozen=True)
class Combined:
    """The score, None where there is nothing to compare, and what each part that exists counted for in it."""

    value: float | None
    weights: Mapping[str, float]


def combine(parts: Mapping[str, Part]) -> Combined:
    """The disagreement of a case: the weighted mean of the parts that exist, in [0, 1].

    0: everybody says the same and points at the same place. A case without models is judged by its readers alone, one
    that nobody has read by its models alone: weights are divided by the sum of those that exist, so a part that is
    missing neither lowers nor raises the score. Two scores made of different parts are therefore not the same
    measurement, which is why parts are shown wherever the score is.

    Parameters
    ----------
    parts
        By the names of `WEIGHTS`; one that is not there is missing.

    Returns
    -------
    The score and the weights after division, which sum to 1.

    Notes
    -----
    Chance level: none; a model that guesses adds 1 - 1/options by its answers and 0.5 by its attention.
    Empty case: no part gives None and no weight.
    It never falls when a part rises, and lies between the lowest and the highest part.

    Raises
    ------
    ValueError
        If a name is unknown, a value lies outside [0, 1] or a part is of no comparison.

    References
    ----------
    Ours.

    Examples
    --------
    >>> combine({"reader_answers": Part(1.0, 2), "reader_regions": Part(0.5, 1)}).value
    0.75
    >>> combine({"reader_answers": Part(1.0, 2)}).value
    1.0
    >>> combine({}).value is None
    True
    """
    for name, part in parts.items():
        if name not in WEIGHTS:
            raise ValueError(f"{name!r} is none of the parts {', '.join(WEIGHTS)}")
        if not 0 <= part.value <= 1:
            raise ValueError(f"{name} must lie in [0, 1], not {part.value!r}")
        if part.n < 1:
            raise ValueError(f"{name} must be of at least one comparison, not {part.n}")
    whole = math.fsum(WEIGHTS[name] for name in parts)
    weights = {name: WEIGHTS[name] / whole for name in WEIGHTS if name in parts}
    if not weights:
        return Combined(None, {})
    value = math.fsum(weights[name] * parts[name].value for name in weights)
    # The weights sum to 1 up to rounding, and so may the score.
    return Combined(min(1.0, max(0.0, value)), weights)


def vote_split(votes: Sequence[Hashable], options: int) -> float:
    """How evenly readers' votes are split, as a share of the most that so many readers could differ, in [0, 1].

    0 is unanimity; 1 is every reader for another option, or every option equally often. Two readers who differ give
    1, three of whom one differs 0.58.

    Parameters
    ----------
    votes
        One option for each reader; whoever abstained is left out.
    options
        How many options the question has.

    Returns
    -------
    `vote_entropy` over ln(min(readers, options)).

    Notes
    -----
    Chance level: near 1 for many readers who choose at random.
    Empty case: fewer than two votes, or a question of one option, give nan.

    Raises
    ------
    ValueError
        If there are more different votes than options.

    References
    ----------
    As `vote_entropy`.

    Examples
    --------
    >>> vote_split(["A", "B"], options=5)
    1.0
    >>> round(vote_split(["A", "A", "B"], options=5), 2)
    0.58
    >>> vote_split(["A"], options=5)
    nan
    """
    if len(set(votes)) > options:
        raise ValueError(f"{len(set(votes))} different votes on a question of {options} options")
    most = min(len(votes), options)
    return min(1.0, vote_entropy(votes) / math.log(most)) if most > 1 else float("nan")


def divergence(first: ArrayLike, second: ArrayLike) -> float:
    """`jensen_shannon` of two distributions as a share of the most it can be, ln 2, in [0, 1].

    0 is the same distribution, 1 two that have nothing in common.

    Parameters
    ----------
    first, second
        As `jensen_shannon`: readers' shares of votes and a model's option probabilities, or those of two models.

    Returns
    -------
    The divergence in bits.

    Notes
    -----
    Chance level: none. Empty case: no option raises.

    Raises
    ------
    ValueError
        As `jensen_shannon`.

    References
    ----------
    As `jensen_shannon`.

    Examples
    --------
    >>> divergence([1.0, 0.0], [0.0, 1.0]), divergence([0.3, 0.7], [0.3, 0.7])
    (1.0, 0.0)
    """
    return min(1.0, jensen_shannon(first, second) / math.log(2))


def attention_divergence(first: Grid, second: Grid, transforms: tuple[GridTransform, GridTransform]) -> float:
    """How far apart two models look on one image, whatever grids they have, in [0, 1].

    0: the same places in the same measure; 1: what one looks at the other does not. Each map is read at SIDE x SIDE
    points spread evenly over the image, at those that both models were shown, and divided by its sum there.

    Parameters
    ----------
    first, second
        Attention of one layer each, float (rows, columns), 0 or more, no unit; either may have its own grid.
    transforms
        How the same image reached each grid.

    Returns
    -------
    `divergence` of the two.

    Notes
    -----
    Chance level: none.
    Empty case: no point that both were shown, or a map without attention or with numbers that are none, gives nan.

    Raises
    ------
    ValueError
        If the transforms are of images of different sizes.

    References
    ----------
    Ours, over DOI 10.1109/18.61115.

    Examples
    --------
    >>> from inference.metrics.grids import squash
    >>> fine, rough = squash((40, 40), (8, 8), (4, 4)), squash((40, 40), (8, 8), (2, 2))
    >>> attention_divergence(np.ones((4, 4)), np.ones((2, 2)), (fine, rough))
    0.0
    >>> attention_divergence(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), (squash((9, 9), (2, 2), (1, 2)),) * 2)
    1.0
    """
    sizes = [transform.image_size for transform in transforms]
    if sizes[0] != sizes[1]:
        raise ValueError(f"the maps are of images of different sizes: {sizes[0]} and {sizes[1]}")
    places = [_cells_at_points(transform) for transform in transforms]
    shared = (places[0] >= 0) & (places[1] >= 0)
    rows = [
        np.asarray(one, dtype=np.float64).ravel()[place[shared]]
        for one, place in zip((first, second), places, strict=True)
    ]
    sums = [float(row.sum()) if np.isfinite(row).all() and (row >= 0).all() else 0.0 for row in rows]
    if not all(math.isfinite(total) and total > 0 for total in sums):
        return float("nan")
    return divergence(rows[0] / sums[0], rows[1] / sums[1])


def _cells_at_points(transform: GridTransform) -> NDArray[np.int64]:
    """The cell, counted row by row, under each point; -1 where the processor cut the point away."""
    height, width = transform.image_size
    cell_height, cell_width = transform.cell_hw
    steps = (np.arange(SIDE) + 0.5) / SIDE
    row = np.floor((steps * height * transform.scale_xy[1] + transform.offset_xy[1]) / cell_height).astype(np.int64)
    column = np.floor((steps * width * transform.scale_xy[0] + transform.offset_xy[0]) / cell_width).astype(np.int64)
    rows, columns = transform.grid_shape
    is_shown = ((row >= 0) & (row < rows))[:, None] & ((column >= 0) & (column < columns))[None, :]
    return np.where(is_shown, row[:, None] * columns + column[None, :], -1).ravel()
