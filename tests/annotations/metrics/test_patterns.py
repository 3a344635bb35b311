"""Agreement from running counts: the same numbers as from the ratings, and the same intervals as drawing cases."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from annotations.metrics import patterns as patterns_module
from annotations.metrics.agreement import (
    PatternCounts,
    agreement_of_patterns,
    bootstrap_interval,
    bootstrap_patterns,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    move_case,
)
from annotations.metrics.coefficients import LEVELS
from annotations.metrics.patterns import STATISTICS

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # others share the cores

#: For what the types forbid.
counted: Any = PatternCounts.of
of_patterns: Any = agreement_of_patterns
interval: Any = bootstrap_patterns
ALPHAS = STATISTICS[3:]
VALUES = [0.0, 1.0, 4.0]

case_counts = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))


def _ratings(counts, readers=9):
    """(readers, cases) that show these counts."""
    table = np.full((readers, len(counts)), np.nan)
    for case, row in enumerate(counts):
        said = np.repeat(VALUES, row)
        table[: len(said), case] = said
    return table


@unhurried
@given(st.lists(case_counts, min_size=1, max_size=15))
def test_equal_those_of_the_ratings(counts):
    assume(any(sum(row) >= 2 for row in counts))
    assume((np.array([row for row in counts if sum(row) >= 2]).sum(axis=0) > 0).sum() > 1)
    found = agreement_of_patterns(PatternCounts.of(Counter(counts), values=VALUES))
    table = _ratings(counts)
    assert found["fleiss_kappa"] == pytest.approx(fleiss_kappa(counts), abs=1e-12)
    assert found["gwet_ac1"] == pytest.approx(gwet_ac1(table), abs=1e-12)
    for name, level in zip(ALPHAS, LEVELS, strict=True):
        assert found[name] == pytest.approx(krippendorff_alpha(table, level), abs=1e-12)


@unhurried
@given(st.lists(case_counts, min_size=2, max_size=10), st.permutations(range(10)))
def test_order_does_not_matter_and_numbers_stay_in_range(counts, order):
    assume(any(sum(row) >= 2 for row in counts))
    table = PatternCounts.of(Counter(counts))
    mixed = PatternCounts.of(Counter([counts[place] for place in order if place < len(counts)]))
    one, other = agreement_of_patterns(table), agreement_of_patterns(mixed)
    for name in STATISTICS:
        assert one[name] == pytest.approx(other[name], abs=1e-12, nan_ok=True)
        assert math.isnan(one[name]) or one[name] <= 1 + 1e-12
    assert 0 <= one["percent_agreement"] <= 1


def test_by_hand():
    # 100 cases, two readers, 80 agree, each answer half: kappa (0.8 - 0.5) / 0.5; alpha with 200 ratings.
    found = agreement_of_patterns(PatternCounts.of({(2, 0): 40, (0, 2): 40, (1, 1): 20}))
    assert found["percent_agreement"] == pytest.approx(0.8)
    assert found["fleiss_kappa"] == found["gwet_ac1"] == pytest.approx(0.6)
    assert found["alpha_nominal"] == pytest.approx(1 - 0.2 / (0.5 * 200 / 199))


def test_golden_values():
    """Raise METRIC_VERSION when these change."""
    assert patterns_module.METRIC_VERSION == "1"
    table = PatternCounts.of({(3, 0, 0): 30, (2, 1, 0): 12, (1, 1, 1): 3, (0, 1, 2): 8, (0, 0, 3): 20, (0, 1, 0): 4})
    assert [agreement_of_patterns(table)[name] for name in STATISTICS] == pytest.approx(
        [0.7762557078, 0.6292858729, 0.6795528698, 0.6115918842, 0.8394988915, 0.8475891996]
    )
    assert bootstrap_patterns(table, ["alpha_ordinal"])["alpha_ordinal"] == pytest.approx((0.7509086015, 0.9038907513))


def test_percent_agreement_of_one_category_is_whole_and_the_rest_undefined():
    found = agreement_of_patterns(PatternCounts.of({(2, 0): 3}))
    assert found.pop("percent_agreement") == 1
    assert all(math.isnan(number) for number in found.values())


def test_weights_count_like_repeated_cases_in_every_share():
    rows = [((2, 0, 0), 5, 3.0), ((1, 1, 0), 4, 1.0), ((0, 1, 2), 6, 2.0), ((0, 1, 0), 2, 2.0)]
    weighted = agreement_of_patterns(PatternCounts.of(rows))
    repeated = agreement_of_patterns(PatternCounts.of({row: int(cases * weight) for row, cases, weight in rows}))
    for name in STATISTICS[:3]:
        assert weighted[name] == pytest.approx(repeated[name])
    # Alpha's correction for small samples keeps the number of ratings that there really are.
    real, more = 2 * 5 + 2 * 4 + 3 * 6, 2 * 15 + 2 * 4 + 3 * 12
    ratio = (more / (more - 1)) / (real / (real - 1))
    for name in ALPHAS:
        assert 1 - weighted[name] == pytest.approx((1 - repeated[name]) * ratio)


def test_the_unit_of_the_weights_does_not_matter():
    rows = [((2, 0), 5, 3.0), ((1, 1), 4, 1.0), ((0, 2), 6, 2.0)]
    tenfold = [(row, cases, weight * 10) for row, cases, weight in rows]
    one, other = (agreement_of_patterns(PatternCounts.of(some)) for some in (rows, tenfold))
    assert one == pytest.approx(other)


def test_reweighting_undoes_a_preference_for_disagreement():
    everything = PatternCounts.of({(2, 0): 600, (1, 1): 200, (0, 2): 200})
    # Disagreed cases were all read, of the others one in four.
    preferred = PatternCounts.of([((2, 0), 150, 4.0), ((1, 1), 200, 1.0), ((0, 2), 50, 4.0)])
    whole, part = agreement_of_patterns(everything), agreement_of_patterns(preferred)
    assert part["fleiss_kappa"] == pytest.approx(whole["fleiss_kappa"])
    assert part["alpha_nominal"] == pytest.approx(whole["alpha_nominal"], abs=1e-3)


@pytest.mark.parametrize("readers", [2, 4])
def test_intervals_are_those_of_drawing_the_cases_themselves(readers):
    rng = np.random.default_rng(3)
    counts = np.array([rng.multinomial(readers, rng.dirichlet([0.4, 0.4, 0.4])) for _ in range(150)])
    table = PatternCounts.of(Counter(map(tuple, counts.tolist())))
    ours = bootstrap_patterns(table, n=4000)
    brute = bootstrap_interval(counts, fleiss_kappa, n=4000)
    assert ours["fleiss_kappa"] == pytest.approx(brute, abs=0.01)

    def alpha(drawn):
        return agreement_of_patterns(PatternCounts.of(Counter(map(tuple, drawn.tolist()))), ["alpha_ordinal"])[
            "alpha_ordinal"
        ]

    assert ours["alpha_ordinal"] == pytest.approx(bootstrap_interval(counts, alpha, n=2000), abs=0.015)


def test_drawing_rows_and_drawing_cases_agree():
    """Rows that stand for one case each are drawn case by case, the same cases as few patterns by binomials."""
    rows = [((2, 0), 1, 1.0)] * 60 + [((0, 2), 1, 1.0)] * 60 + [((1, 1), 1, 1.0)] * 30
    by_case = bootstrap_patterns(PatternCounts.of(rows), n=4000)
    by_pattern = bootstrap_patterns(PatternCounts.of(Counter(row for row, _, _ in rows)), n=4000)
    for name in STATISTICS:
        assert by_case[name] == pytest.approx(by_pattern[name], abs=0.015)


def test_the_order_of_the_rows_does_not_move_an_interval():
    rows = [((2, 0), 7, 1.5), ((0, 2), 9, 1.0), ((1, 1), 3, 2.0), ((2, 0), 4, 3.0)]
    one, other = (bootstrap_patterns(PatternCounts.of(some)) for some in (rows, rows[::-1]))
    assert one == other


def test_many_weights_of_few_patterns_are_drawn_as_they_are():
    """Weights that are all but one and the same change nothing; weights far apart widen the interval."""
    rows = [((2, 0), 1, 1.0)] * 60 + [((0, 2), 1, 1.0)] * 60 + [((1, 1), 1, 1.0)] * 30
    alike = [(row, 1, 1 + place * 1e-9) for place, (row, _, _) in enumerate(rows)]
    apart = [(row, 1, 20.0 if place % 10 == 0 else 1.0) for place, (row, _, _) in enumerate(rows)]
    plain, same, wide = (bootstrap_patterns(PatternCounts.of(some), n=2000) for some in (rows, alike, apart))
    for name in STATISTICS:
        assert same[name] == pytest.approx(plain[name], abs=1e-6)
        assert wide[name][1] - wide[name][0] > 1.5 * (plain[name][1] - plain[name][0])


def test_the_same_seed_gives_the_same_interval_and_another_another():
    table = PatternCounts.of({(2, 0): 12, (0, 2): 9, (1, 1): 7})
    assert bootstrap_patterns(table, seed=4) == bootstrap_patterns(table, seed=4)
    assert bootstrap_patterns(table, seed=4) != bootstrap_patterns(table, seed=5)


@pytest.mark.parametrize("patterns", [{(1, 1): 1}, {(2, 0): 1, (1, 0): 5}, {(2, 0): 10}])
def test_an_interval_that_says_nothing_is_undefined(patterns):
    low, high = bootstrap_patterns(PatternCounts.of(patterns), ["alpha_nominal"])["alpha_nominal"]
    assert math.isnan(low)
    assert math.isnan(high)


def test_a_case_moves_from_pattern_to_pattern():
    patterns: dict[tuple[int, ...], int] = {}
    move_case(patterns, None, (1, 0))
    move_case(patterns, None, (1, 0))
    move_case(patterns, (1, 0), (2, 0))
    assert patterns == {(1, 0): 1, (2, 0): 1}
    move_case(patterns, (1, 0), None)
    assert patterns == {(2, 0): 1}
    with pytest.raises(ValueError, match=r"no case shows the pattern \(1, 0\)"):
        move_case(patterns, (1, 0), (1, 1))


def test_cases_without_a_reader_and_patterns_without_a_case_are_left_out():
    with_empty = PatternCounts.of({(0, 0): 50, (2, 0): 4, (1, 1): 2, (0, 2): 0})
    assert with_empty.cases.tolist() == [4, 2]
    assert with_empty.pairable_cases == 6


def test_a_scale_may_have_categories_that_nobody_used():
    narrow = PatternCounts.of({(2, 0): 4, (1, 1): 2})
    wide = PatternCounts.of({(2, 0): 4, (1, 1): 2}, categories=4)
    assert agreement_of_patterns(wide)["gwet_ac1"] > agreement_of_patterns(narrow)["gwet_ac1"]
    assert agreement_of_patterns(wide)["alpha_nominal"] == agreement_of_patterns(narrow)["alpha_nominal"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: of_patterns(counted({(1, 0): 5})),
            "needs a case with two ratings",
        ),
        (lambda: of_patterns(counted({})), "needs a case with two ratings"),
        (
            lambda: interval(counted({(1, 0): 5})),
            "needs a case with two ratings",
        ),
        (
            lambda: of_patterns(counted({(2, 0): 5}), ["kappa"]),
            "unknown statistic 'kappa'",
        ),
        (lambda: counted({(2, 0): 1, (1,): 1}), "differ in length"),
        (lambda: counted({(2, -1): 1}), "not -1"),
        (lambda: counted({(2, 0): -1}), "not -1"),
        (lambda: counted([((2, 0), 1, 0.0)]), "not 0"),
        (lambda: counted([((2, 0), 1, math.nan)]), "not nan"),
        (lambda: counted({(2, 0): 1}, values=[1]), "1 values for 2 categories"),
        (lambda: counted({(2, 0): 1}, values=[1, 1]), "must rise"),
        (lambda: counted({(1, 1): 1}, categories=1), "scale of 1 categories, but 2"),
        (lambda: interval(counted({(2, 0): 5}), n=0), "n must be at least 1"),
        (lambda: interval(counted({(2, 0): 5}), level=1), "between 0 and 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
