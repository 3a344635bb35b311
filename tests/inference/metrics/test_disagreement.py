"""How far experts and models are apart."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from inference.metrics import disagreement
from inference.metrics.disagreement import (
    answer_disagreement,
    jensen_shannon,
    region_disagreement,
    vote_entropy,
)


def test_golden_values_of_this_metric_version():
    """A change here is a change of METRIC_VERSION: every stored score becomes stale."""
    assert disagreement.METRIC_VERSION == "1"
    assert vote_entropy("AAB") == pytest.approx(0.6365141682948128)
    assert jensen_shannon([0.5, 0.5], [0.9, 0.1]) == pytest.approx(0.10174922507919676)
    assert answer_disagreement("B", probabilities={"A": 0.7, "B": 0.3}) == pytest.approx(0.7)
    assert region_disagreement(np.array([[4.0, 2.0, 1.0, 3.0]]), np.array([[True, False, True, False]])) == 0.5


def test_votes():
    assert vote_entropy(["A"]) == 0.0
    assert vote_entropy(["A", "A", "A"]) == 0.0
    assert vote_entropy(["A", "B"]) == pytest.approx(math.log(2))
    with pytest.raises(ValueError, match="at least one vote"):
        vote_entropy([])


@given(st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=30))
def test_vote_entropy_is_the_entropy_of_the_counts(votes):
    counts = [votes.count(option) for option in set(votes)]
    assert vote_entropy(votes) == pytest.approx(entropy(counts), abs=1e-12)
    assert vote_entropy(votes[::-1]) == pytest.approx(vote_entropy(votes), abs=1e-12)


distributions = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(lambda row: np.array(row) / sum(row))


@given(distributions, distributions)
def test_jensen_shannon_equals_scipy_and_is_symmetric(first, second):
    # By relative entropies: scipy's own distance is the root of a rounding error, nan, where the two are equal.
    middle = (first + second) / 2
    expected = (entropy(first, middle) + entropy(second, middle)) / 2
    assert jensen_shannon(first, second) == pytest.approx(expected, abs=1e-9)
    assert jensen_shannon(first, second) == pytest.approx(jensen_shannon(second, first), abs=1e-12)


def test_jensen_shannon_of_three_that_share_nothing_is_ln_3():
    assert jensen_shannon(*np.eye(3)) == pytest.approx(math.log(3))


def test_jensen_shannon_refuses_what_is_no_distribution():
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        jensen_shannon([0.5, 0.5], [0.5, 0.25, 0.25])
    for bad in ([0.5, 0.4], [-0.5, 1.5], [math.nan, 1.0]):
        with pytest.raises(ValueError, match="sum to 1"):
            jensen_shannon([0.5, 0.5], bad)
    with pytest.raises(ValueError, match="shape"):
        jensen_shannon([], [])


def test_answer_disagreement_prefers_probabilities_to_the_choice():
    assert answer_disagreement("A", probabilities={"A": 1.0, "B": 0.0}, choice="B") == 0.0
    assert answer_disagreement("A", choice="A") == 0.0
    assert answer_disagreement("A", choice="B") == 1.0
    assert math.isnan(answer_disagreement("A"))
    assert math.isnan(answer_disagreement("A", probabilities={}))


def test_answer_disagreement_refuses_an_option_the_model_did_not_have():
    with pytest.raises(ValueError, match="'C' is not among"):
        answer_disagreement("C", probabilities={"A": 0.5, "B": 0.5})
    with pytest.raises(ValueError, match="sum to 1"):
        answer_disagreement("A", probabilities={"A": 0.5, "B": 0.1})


def test_region_disagreement_is_one_minus_auroc():
    assert region_disagreement(np.array([[3.0, 1.0]]), np.array([[True, False]])) == 0.0
    assert region_disagreement(np.array([[1.0, 3.0]]), np.array([[True, False]])) == 1.0
