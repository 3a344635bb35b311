"""Where marks stand, and how numbers are written."""

from __future__ import annotations

import pytest

from curation.templatetags.plotting import interval
from curation.templatetags.sightline import two_decimals
from inference import plots
from inference.templatetags.figures import lookup, percent, percents, times


def test_a_share_stands_at_its_share_of_the_line() -> None:
    assert [plots.SHARES.place(value) for value in (0.0, 0.5, 1.0, 1.5, None)] == [5.0, 75.0, 145.0, 145.0, None]


def test_twice_and_half_lie_as_far_from_chance() -> None:
    scale = plots.ratio_scale([0.3, 3.1, None])
    assert scale.most == 4.0
    half, chance, twice = (scale.place(value) for value in (0.5, 1.0, 2.0))
    assert half is not None
    assert chance is not None
    assert twice is not None
    assert twice - chance == pytest.approx(chance - half, abs=0.11)
    assert scale.place(0.0) == 5.0


@pytest.mark.parametrize(("largest", "most"), [(None, 4.0), (0.2, 4.0), (4.1, 8.0), (33.0, 64.0)])
def test_the_line_ends_at_a_power_of_two_above_every_value(largest: float | None, most: float) -> None:
    assert plots.ratio_scale([largest]).most == most


def test_a_mark_without_an_interval_or_nulls_has_none() -> None:
    bare = plots.mark(plots.SHARES, 0.5, None, chance=None)
    assert (bare.point, bare.low, bare.high, bare.chance, bare.band_from, bare.centre) == (75.0, *[None] * 5)
    full = plots.mark(plots.SHARES, 0.5, (0.25, 0.75), chance=0.2, band=(0.1, 0.3), centre=0.4, other=0.6)
    assert (full.low, full.high, full.band_width) == (40.0, 110.0, 28.0)


@pytest.mark.parametrize(
    ("counts", "drawn", "each"), [([3, 0], [3, 0], 1), ([136, 5], [68, 3], 2), ([0, 0], [0, 0], 1), ([], [], None)]
)
def test_a_dot_is_a_case_until_there_are_too_many(counts: list[int], drawn: list[int], each: int | None) -> None:
    found = plots.dots(counts)
    assert [one.count for one in found] == drawn
    assert {one.each for one in found} == ({each} if each else set())


def test_how_numbers_are_written() -> None:
    assert [two_decimals(value) for value in (0.714, 0.08, -0.5, -0.0004, 0.0, None)] == [
        "0.71",
        "0.080",
        "−0.50",
        "0.000",
        "0.00",
        "–",
    ]
    assert (interval((0.651, 0.77)), interval(None)) == ("[0.65, 0.77]", "")
    assert (percent(0.2), percent(None), percents((0.14, 0.281))) == ("20\N{NO-BREAK SPACE}%", "–", "[14, 28]")
    assert (times(1.18), times(None)) == ("1.18×", "–")
    assert (lookup({"a": "words"}, "a"), lookup({}, "b")) == ("words", "b")
