"""Drawing cases again with replacement where only how many there are of each kind is known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MOST_AT_ONCE = 2**21
"""Numbers held of one kind: 16 MiB, so that many kinds need no more memory than few."""


def draw_times(cases: Array, *, n: int, seed: int) -> Iterator[Array]:
    """How often the cases of each row come up when as many as there are are drawn with replacement, (draws, rows)."""
    rng = np.random.default_rng(seed)
    total = int(cases.sum())
    by_case = cases.size * 4 > total  # hardly a pattern occurs twice: drawing cases is then faster than binomials
    row_of = np.repeat(np.arange(cases.size), cases.astype(np.int64)) if by_case else None
    at_once = max(1, _MOST_AT_ONCE // (total if by_case else cases.size))
    for start in range(0, n, at_once):
        draws = min(at_once, n - start)
        if row_of is None:
            yield rng.multinomial(total, cases / total, size=draws).astype(np.float64)
        else:
            rows = row_of[rng.integers(total, size=(draws, total), dtype=np.int32)]
            rows += np.arange(draws)[:, np.newaxis] * cases.size
            times = np.bincount(rows.ravel(), minlength=draws * cases.size)
            yield times.reshape(draws, cases.size).astype(np.float64)


def percentiles(drawn: Array, level: float) -> tuple[float, float]:
    """The middle `level` of the numbers that are defined; (nan, nan) of none."""
    drawn = drawn[~np.isnan(drawn)]
    if not drawn.size:
        return (float("nan"), float("nan"))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return (float(low), float(high))


def check_draws(n: int, level: float) -> None:
    """Refuse a number of draws below 1 and a level outside (0, 1)."""
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level:g}")
