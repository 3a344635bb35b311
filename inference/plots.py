"""Where the marks of the dashboard's plots stand: numbers to places on a line, drawn by the templates as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 150.0
MARGIN = 5.0
MOST_DOTS = 68


@dataclass(frozen=True)
class Mark:
    """A value with its interval and nulls as places from 0 to WIDTH; None is not drawn."""

    point: float | None
    low: float | None
    high: float | None
    chance: float | None
    band_from: float | None = None
    band_to: float | None = None
    centre: float | None = None
    other: float | None = None
    ceiling: float | None = None

    @property
    def band_width(self) -> float:
        """Of the null range."""
        return round((self.band_to or 0) - (self.band_from or 0), 1)


@dataclass(frozen=True)
class Scale:
    """A line from `least` to `most`; on a logarithmic one twice and half lie as far from 1."""

    least: float
    most: float
    is_log: bool = False

    def place(self, value: float | None) -> float | None:
        """Where a value stands; what lies outside stands at the end."""
        if value is None:
            return None
        inside = min(max(value, self.least), self.most)
        if self.is_log:
            share = math.log(inside / self.least) / math.log(self.most / self.least)
        else:
            share = (inside - self.least) / (self.most - self.least)
        return round(MARGIN + share * (WIDTH - 2 * MARGIN), 1)


SHARES = Scale(0.0, 1.0)


def ratio_scale(values: Iterable[float | None]) -> Scale:
    """From a quarter to the power of two above the largest value, at least 4."""
    largest = max((value for value in values if value is not None), default=1.0)
    return Scale(0.25, max(4.0, 2.0 ** math.ceil(math.log2(max(largest, 1.0)))), is_log=True)


def mark(
    scale: Scale,
    value: float | None,
    interval: Sequence[float] | None,
    *,
    chance: float | None,
    band: tuple[float | None, float | None] = (None, None),
    centre: float | None = None,
    other: float | None = None,
    ceiling: float | None = None,
) -> Mark:
    """A value, its interval, its nulls and what experts reach among themselves on a scale."""
    low, high = interval if interval is not None else (None, None)
    return Mark(
        point=scale.place(value),
        low=scale.place(low),
        high=scale.place(high),
        chance=scale.place(chance),
        band_from=scale.place(band[0]),
        band_to=scale.place(band[1]),
        centre=scale.place(centre),
        other=scale.place(other),
        ceiling=scale.place(ceiling),
    )


@dataclass(frozen=True)
class Dots:
    """One dot a case; where there are too many to draw, one dot for `each` of them."""

    count: int
    each: int


def dots(counts: Sequence[int]) -> list[Dots]:
    """Dots of several fields, with one meaning for all of them."""
    each = max(1, math.ceil(max(counts, default=0) / MOST_DOTS))
    return [Dots(math.ceil(count / each), each) for count in counts]
