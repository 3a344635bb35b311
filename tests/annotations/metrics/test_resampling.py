"""The interval of observations that are all the same: by hand, against statsmodels, and how often it holds."""

from __future__ import annotations

import pytest
from statsmodels.stats.proportion import proportion_confint

from annotations.metrics.resampling import interval_of_equals


@pytest.mark.parametrize("n", [1, 5, 59, 1000])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_of_shares_it_is_clopper_and_pearsons(n: int, level: float) -> None:
    for count in (0, n):
        oracle = proportion_confint(count, n, alpha=1 - level, method="beta")
        assert interval_of_equals(count / n, n, level=level) == pytest.approx(oracle, abs=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.2, 0.7, 1.0])
@pytest.mark.parametrize(("least", "most"), [(0.0, 1.0), (-1.0, 1.0)])
def test_it_misses_no_more_often_than_it_says(value: float, least: float, most: float) -> None:
    """Of what hides most: the value, and else the least or the greatest that there can be."""
    for n in (1, 7, 40):
        low, high = interval_of_equals(value, n, least=least, most=most)
        assert least <= low <= value <= high <= most
        for end, bound in ((least, low), (most, high)):
            for share in (0.01, 0.3, 0.9, 0.999):  # of the value
                mean = share * value + (1 - share) * end
                is_missed = mean < low - 1e-12 or mean > high + 1e-12
                assert not is_missed or share**n <= 0.025 + 1e-12, (n, end, bound, share)


def test_more_observations_say_more() -> None:
    widths = [high - low for low, high in (interval_of_equals(0.5, n) for n in (1, 5, 50, 500))]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.01


@pytest.mark.parametrize(
    ("value", "n", "level", "message"),
    [
        (1.5, 5, 0.95, "1.5 is outside of 0 to 1"),
        (0.5, 0, 0.95, "n must be at least 1, not 0"),
        (0.5, 5, 1.0, "level must lie between 0 and 1, not 1"),
        (float("nan"), 5, 0.95, "nan is outside"),
    ],
)
def test_bad_input_is_named(value: float, n: int, level: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        interval_of_equals(value, n, level=level)
