"""Coefficients of agreement: by hand, their edge cases, and against krippendorff, scikit-learn, statsmodels, irrCAC."""

from __future__ import annotations

import json
import math
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import krippendorff
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats import inter_rater

from annotations.metrics import agreement, coefficients
from annotations.metrics.agreement import cohen_kappa, fleiss_kappa, gwet_ac1, krippendorff_alpha
from annotations.metrics.coefficients import LEVELS

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # others share the cores

NAN = float("nan")
unchecked: Any = agreement
"""For what the types forbid."""

#: Krippendorff 2011, section E: four observers, twelve units, categories 1 to 5; the units' first to last rating.
TEXTBOOK = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
]

ratings_tables = hnp.arrays(
    np.float64,
    st.tuples(st.integers(2, 5), st.integers(2, 12)),
    elements=st.sampled_from([0.0, 1.0, 2.0, 5.0, NAN]),
)


def _is_defined(table):
    pairable = table[:, (~np.isnan(table)).sum(axis=0) >= 2]
    return pairable.size > 0 and len(np.unique(pairable[~np.isnan(pairable)])) > 1


def _counts(table):
    return np.stack([(table == category).sum(axis=0) for category in np.unique(table[~np.isnan(table)])], axis=1)


@pytest.mark.parametrize(("level", "expected"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_the_textbooks_reliability_data(level, expected):
    assert krippendorff_alpha(TEXTBOOK, level) == pytest.approx(expected, abs=5e-4)


def test_alpha_by_hand():
    # Pairable values 1 1 | 2 2 | 3 2. Nominal: observed 2/6, expected 1 - (2*1 + 3*2 + 0) / (6*5) = 22/30.
    table = [[1, 2, 3, NAN], [1, 2, 2, 4]]
    assert krippendorff_alpha(table, "nominal") == pytest.approx(1 - (2 / 6) / (22 / 30))
    # Interval: observed 2/6, expected 2 * (17/6) / 5.
    assert krippendorff_alpha(table, "interval") == pytest.approx(1 - (2 / 6) / (2 * (17 / 6) / 5))


def test_cohen_by_hand():
    # Rows 20 5 / 10 15: observed 35/50, expected (25*30 + 25*20) / 2500 = 1/2.
    a = [1] * 25 + [0] * 25
    b = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert cohen_kappa(a, b) == pytest.approx(0.4)


def test_fleiss_by_hand():
    # Observed (1 + 1 + 1/3 + 1/3) / 4 = 2/3; each category half: expected 1/2.
    assert fleiss_kappa([[3, 0], [0, 3], [2, 1], [1, 2]]) == pytest.approx(1 / 3)


def test_ac1_by_hand():
    # Observed 4/5, share of 1 is 9/10: expected 2 * 0.9 * 0.1 = 0.18.
    assert gwet_ac1([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]) == pytest.approx((0.8 - 0.18) / 0.82)


def test_ac1_holds_where_kappa_collapses():
    a = np.r_[np.ones(93), [1, 1, 1, 1], [0, 0, 0]]
    b = np.r_[np.ones(93), [0, 0, 0, 0], [1, 1, 1]]
    assert abs(cohen_kappa(a, b)) < 0.05
    assert gwet_ac1([a, b]) > 0.9


def test_golden_values():
    """Raise METRIC_VERSION when these change."""
    assert coefficients.METRIC_VERSION == "1"
    assert [krippendorff_alpha(TEXTBOOK, level) for level in LEVELS] == pytest.approx(
        [0.7434210526315789, 0.8153877414024649, 0.8491071428571428]
    )
    assert gwet_ac1(TEXTBOOK) == pytest.approx(0.7754437869822485)
    assert fleiss_kappa(_counts(np.array(TEXTBOOK))) == pytest.approx(0.7611693154704637)
    assert cohen_kappa(TEXTBOOK[0], TEXTBOOK[3], "quadratic") == pytest.approx(0.5524861878453038)


@unhurried
@given(ratings_tables)
def test_alpha_equals_krippendorffs(table):
    assume(_is_defined(table))
    for level in LEVELS:
        theirs = krippendorff.alpha(reliability_data=table, level_of_measurement=level)
        assert krippendorff_alpha(table, level) == pytest.approx(theirs, abs=1e-9)


@unhurried
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=40))
def test_cohen_equals_scikit_learns(pairs):
    a, b = zip(*pairs, strict=True)
    assume(len({*a, *b}) > 1)
    for weights in (None, "linear", "quadratic"):
        assert cohen_kappa(a, b, weights) == pytest.approx(cohen_kappa_score(a, b, weights=weights), abs=1e-12)
        assert cohen_kappa(a, b, weights, categories=range(5)) == pytest.approx(
            cohen_kappa_score(a, b, weights=weights, labels=list(range(5))), abs=1e-12
        )


@unhurried
@given(st.integers(2, 6), hnp.arrays(np.int64, st.tuples(st.integers(2, 15), st.just(6)), elements=st.integers(0, 3)))
def test_fleiss_equals_statsmodels(readers, said):
    counts = np.stack([(said[:, :readers] == category).sum(axis=1) for category in range(4)], axis=1)
    assume((counts.sum(axis=0) > 0).sum() > 1)
    assert fleiss_kappa(counts) == pytest.approx(inter_rater.fleiss_kappa(counts), abs=1e-12)


IRRCAC = json.loads((Path(__file__).parents[2] / "fixtures/irrcac.json").read_text())["tables"]


@pytest.mark.parametrize("known", IRRCAC)
def test_equals_irrcac_with_missing_ratings(known):
    """Its numbers are kept: irrCAC needs SciPy 1.12, with which nothing else here installs."""
    table = np.array(known["ratings"], dtype=np.float64)
    assert gwet_ac1(table) == pytest.approx(known["gwet_ac1"], abs=1e-11)
    assert fleiss_kappa(_counts(table)) == pytest.approx(known["fleiss_kappa"], abs=1e-11)
    assert krippendorff_alpha(table, "nominal") == pytest.approx(known["alpha_nominal"], abs=1e-11)
    assert krippendorff_alpha(table, "interval") == pytest.approx(known["alpha_interval"], abs=1e-11)


@unhurried
@given(ratings_tables, st.randoms(use_true_random=False))
def test_order_of_readers_and_cases_does_not_matter_and_nothing_exceeds_one(table, random):
    assume(_is_defined(table))
    rows, columns = list(range(table.shape[0])), list(range(table.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    mixed = table[rows][:, columns]
    alphas: list[Any] = [partial(krippendorff_alpha, level=level) for level in LEVELS]
    for measure in (*alphas, gwet_ac1):
        assert measure(mixed) == pytest.approx(measure(table), abs=1e-12)
        assert measure(table) <= 1 + 1e-12
    assert gwet_ac1(table) >= -1


@unhurried
@given(ratings_tables)
def test_names_of_categories_do_not_matter_to_nominal_measures(table):
    assume(_is_defined(table))
    names = np.array([[None if math.isnan(one) else f"answer {9 - one}" for one in row] for row in table], dtype=object)
    assert krippendorff_alpha(names, "nominal") == pytest.approx(krippendorff_alpha(table, "nominal"), abs=1e-12)
    assert gwet_ac1(names) == pytest.approx(gwet_ac1(table), abs=1e-12)


@unhurried
@given(ratings_tables, st.floats(0.001, 1000), st.floats(-1000, 1000))
def test_interval_alpha_does_not_see_the_unit(table, factor, offset):
    assume(_is_defined(table))
    assert krippendorff_alpha(table * factor + offset, "interval") == pytest.approx(
        krippendorff_alpha(table, "interval"), abs=1e-6
    )


@unhurried
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_cohen_is_symmetric_and_in_range(pairs):
    a, b = zip(*pairs, strict=True)
    for weights in (None, "linear", "quadratic"):
        one, other = cohen_kappa(a, b, weights), cohen_kappa(b, a, weights)
        assert (math.isnan(one) and math.isnan(other)) or one == pytest.approx(other, abs=1e-12)
        assert math.isnan(one) or -1 - 1e-12 <= one <= 1


def test_full_agreement_is_one():
    table = [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, NAN, 3.0]]
    assert [krippendorff_alpha(table, level) for level in LEVELS] == pytest.approx([1, 1, 1])
    assert gwet_ac1(table) == 1
    assert cohen_kappa(table[0], table[2]) == 1


def test_one_category_only_is_undefined():
    same = [[1, 1, NAN], [1, 1, 2]]  # the 2 has nothing to be compared with
    assert all(math.isnan(krippendorff_alpha(same, level)) for level in LEVELS)
    assert math.isnan(gwet_ac1([[1, 1], [1, 1]]))
    assert math.isnan(cohen_kappa([1, 1], [1, 1]))
    assert math.isnan(fleiss_kappa([[2, 0], [3, 0]]))


def test_two_readers_of_one_answer_each_that_differ_are_at_chance():
    assert cohen_kappa([1, 1], [2, 2]) == 0


@pytest.mark.parametrize("table", [[[1, NAN], [NAN, 2]], [[1, 2, 3]], [[NAN, NAN], [NAN, NAN]], np.zeros((3, 0))])
def test_no_case_with_two_ratings_is_an_error(table):
    for level in LEVELS:
        with pytest.raises(ValueError, match="needs a case with two ratings"):
            krippendorff_alpha(table, level)
    with pytest.raises(ValueError, match="needs a case with two ratings"):
        gwet_ac1(table)


def test_cohen_and_fleiss_need_two_ratings_too():
    with pytest.raises(ValueError, match="needs a case with two ratings"):
        cohen_kappa([1, NAN], [NAN, 2])
    with pytest.raises(ValueError, match="needs a case with two ratings"):
        cohen_kappa([], [])
    with pytest.raises(ValueError, match="needs a case with two ratings"):
        fleiss_kappa([[1, 0], [0, 1]])


def test_a_nan_beside_names_is_missing():
    assert cohen_kappa(["yes", "no", NAN], ["yes", "no", "no"]) == 1
    assert krippendorff_alpha([["a", "b", NAN], ["a", "b", "c"]], "nominal") == 1


def test_weights_of_names_need_their_order():
    a, b = ["low", "mid", "high", "high"], ["low", "high", "high", "mid"]
    with pytest.raises(ValueError, match="need an order"):
        cohen_kappa(a, b, "linear")
    ranks = {"low": 0, "mid": 1, "high": 2}
    assert cohen_kappa(a, b, "linear", categories=["low", "mid", "high"]) == pytest.approx(
        cohen_kappa_score([ranks[one] for one in a], [ranks[one] for one in b], weights="linear")
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: unchecked.krippendorff_alpha([[1, 2], [1, 2]], "ratio"), "not 'ratio'"),
        (lambda: unchecked.krippendorff_alpha([1, 2], "nominal"), r"shape \(2,\)"),
        (lambda: unchecked.krippendorff_alpha([[1, math.inf], [1, 2]], "interval"), "infinity"),
        (lambda: unchecked.krippendorff_alpha([["a", "b"], ["a", "b"]], "interval"), "are numbers"),
        (lambda: unchecked.gwet_ac1([1, 2]), r"shape \(2,\)"),
        (lambda: unchecked.gwet_ac1([[1, 2, 3], [1, 2, 3]], categories=2), "scale of 2 categories, but 3"),
        (lambda: unchecked.cohen_kappa([1, 2], [1]), "a has 2 cases, b 1"),
        (lambda: unchecked.cohen_kappa([1, 2], [1, 2], "cubic"), "not 'cubic'"),
        (lambda: unchecked.cohen_kappa([1, 2], [1, 3], categories=[1, 2]), "rating 3 is not among"),
        (lambda: unchecked.cohen_kappa([1.0, math.inf], [1.0, 2.0]), "a holds infinity"),
        (lambda: unchecked.cohen_kappa([[1]], [[1]]), r"shape \(1, 1\)"),
        (lambda: unchecked.fleiss_kappa([2, 1]), r"shape \(2,\)"),
        (lambda: unchecked.fleiss_kappa([[2, -1]]), "not -1"),
        (lambda: unchecked.fleiss_kappa([[1.5, 1]]), "not 1.5"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32))
def test_a_hundred_thousand_different_values_need_no_table_of_pairs(seed):
    table = np.random.default_rng(seed).normal(size=(3, 50_000))
    tracemalloc.start()
    alphas = [krippendorff_alpha(table, level) for level in LEVELS]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 60 * table.nbytes
    assert alphas == pytest.approx([0, 0, 0], abs=0.02)


def test_values_near_the_end_of_doubles_do_not_overflow():
    assert krippendorff_alpha([[-1e308, 1e308, 0], [-1e308, 1e308, 0]], "interval") == 1


def test_the_names_of_the_interface_are_in_agreement():
    assert {"krippendorff_alpha", "cohen_kappa", "fleiss_kappa", "gwet_ac1", "bootstrap_interval"} <= set(
        agreement.__all__
    )
