"""Reweighted estimates: exact by enumeration, by simulation of the queue's policy, their bounds and their errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.metrics import sampling
from annotations.metrics.agreement import bootstrap_interval
from annotations.metrics.sampling import effective_size, history_weights, lure_weights, weighted_interval, weighted_mean

VALUES = np.array([0.9, 0.1, 0.4, 0.0, 1.0])
"""What is estimated: agreement on each of five cases."""

SCORES = np.array([0.1, 0.8, 0.5, 0.9, 0.2])
"""What the queue sorts by: disagreement."""


def policy(scores, left, share):
    """The queue's: with `share` any of those left evenly, else the one with the highest score."""
    chances = np.full(len(left), share / len(left))
    chances[int(np.argmax(scores[left]))] += 1 - share
    return chances


def orders(scores, draws, share, learns=False):
    """Every order of `draws` cases with its probability and the probability of each of its draws."""
    paths: list[tuple[tuple[int, ...], float, tuple[float, ...]]] = [((), 1.0, ())]
    for _ in range(draws):
        longer = []
        for taken, whole, each in paths:
            left = np.array([case for case in range(len(scores)) if case not in taken])
            seen = np.where(np.isin(np.arange(len(scores)), taken), 0, scores)
            now = scores + seen.sum() * VALUES if learns else scores  # what was drawn changes what is preferred
            for case, chance in zip(left, policy(now, left, share), strict=True):
                longer.append(((*taken, int(case)), whole * chance, (*each, chance)))
        paths = longer
    return paths


@pytest.mark.parametrize("draws", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("learns", [False, True])
def test_the_expectation_over_every_order_is_the_mean_of_the_pool(draws, share, learns):
    expected = naive = total = 0.0
    for taken, whole, each in orders(SCORES, draws, share, learns):
        expected += whole * weighted_mean(VALUES[list(taken)], lure_weights(each, len(VALUES)))
        naive += whole * VALUES[list(taken)].mean()
        total += whole
    assert total == pytest.approx(1)
    assert expected == pytest.approx(VALUES.mean(), abs=1e-12)
    if draws < 5 and share < 1:
        assert abs(naive - VALUES.mean()) > 0.015


def test_many_runs_of_the_queue_centre_on_the_mean_of_the_pool_where_the_plain_mean_does_not():
    rng = np.random.default_rng(3)
    pool, draws, share = 60, 25, 0.3
    values = rng.beta(4, 2, size=pool)
    scores = 1 - values + rng.normal(0, 0.1, size=pool)
    plain, weighted, normalised = [], [], []
    for _ in range(2000):
        left, taken, chances = list(range(pool)), [], []
        for _ in range(draws):
            each = policy(scores, np.array(left), share)
            place = int(rng.choice(len(left), p=each))
            taken.append(left.pop(place))
            chances.append(each[place])
        weights = lure_weights(chances, pool)
        plain.append(values[taken].mean())
        weighted.append(weighted_mean(values[taken], weights))
        normalised.append(weighted_mean(values[taken], weights, is_normalised=True))
    off = np.std(weighted) / math.sqrt(len(weighted))
    assert abs(np.mean(weighted) - values.mean()) < 4 * off
    assert abs(np.mean(plain) - values.mean()) > 30 * off
    assert abs(np.mean(normalised) - values.mean()) < abs(np.mean(plain) - values.mean()) / 4
    assert np.std(normalised) < np.std(weighted)


def test_golden_values():
    """Raise METRIC_VERSION when these change."""
    assert sampling.METRIC_VERSION == "1"
    weights = lure_weights([0.5, 0.25, 0.1, 0.7], pool=10)
    assert weights == pytest.approx([0.46666667, 0.58333333, 1.21428571, 0.20408163])
    assert weighted_mean([1, 0, 1, 0], weights) == pytest.approx(0.42023810)
    assert effective_size(weights) == pytest.approx(2.93744722)
    assert weighted_interval([1, 0, 1, 0], weights, is_normalised=True) == pytest.approx((0.0, 1.0))


@given(st.integers(1, 40), st.data())
def test_even_draws_and_an_emptied_pool_weigh_one_each(pool, data):
    draws = data.draw(st.integers(0, pool))
    even = 1 / (pool - np.arange(draws))
    assert lure_weights(even, pool) == pytest.approx(np.ones(draws))
    chances = data.draw(st.lists(st.floats(0.01, 1), min_size=pool, max_size=pool))
    assert (lure_weights(chances, pool) == 1).all()


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=30), st.integers(0, 100), st.data())
def test_weights_are_positive_above_their_bound_and_the_normalised_mean_inside_the_range(chances, more, data):
    draws, pool = len(chances), len(chances) + more
    weights = lure_weights(chances, pool)
    m = np.arange(1, draws + 1)
    if more:
        assert (weights >= (draws - m) / (pool - m) - 1e-9).all()
    assert (weights >= 0).all()
    values = np.array(data.draw(st.lists(st.floats(0, 1), min_size=draws, max_size=draws)))
    mean = weighted_mean(values, weights, is_normalised=True)
    assert math.isnan(mean) or values.min() - 1e-9 <= mean <= values.max() + 1e-9
    assert 0 <= effective_size(weights) <= draws + 1e-9


def test_a_preferred_case_counts_for_less_and_one_of_the_random_share_for_more():
    preferred, random = lure_weights([0.9, 0.01], pool=50)
    assert preferred < 1 < random


def test_the_interval_with_even_weights_is_the_plain_one():
    values = np.random.default_rng(0).random(40)
    groups = np.arange(40) // 4
    for grouped in (None, groups):
        plain = bootstrap_interval(values, np.mean, groups=grouped)
        assert weighted_interval(values, np.ones(40), groups=grouped) == pytest.approx(plain)
        assert weighted_interval(values, np.ones(40), groups=grouped, is_normalised=True) == pytest.approx(plain)


def test_the_interval_holds_the_pools_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(11)
    pool, draws, share, held = 400, 80, 0.5, 0
    values = rng.beta(3, 2, size=pool)
    for _ in range(200):
        left, taken, chances = list(range(pool)), [], []
        for _ in range(draws):
            each = policy(1 - values, np.array(left), share)
            place = int(rng.choice(len(left), p=each))
            taken.append(left.pop(place))
            chances.append(each[place])
        low, high = weighted_interval(values[taken], lure_weights(chances, pool), is_normalised=True, n=300)
        held += low <= values.mean() <= high
    assert 170 <= held <= 200


def test_the_empty_cases():
    assert lure_weights([], pool=5).size == 0
    assert math.isnan(weighted_mean([], []))
    assert math.isnan(weighted_mean([1.0], [0.0], is_normalised=True))
    assert all(math.isnan(bound) for bound in weighted_interval([], []))
    assert effective_size([0, 0]) == 0


@pytest.mark.parametrize(
    ("chances", "pool", "message"),
    [
        ([0.5, 0.0], 5, r"the probability of draw 2 is 0, not in \(0, 1\]"),
        ([1.5], 5, r"the probability of draw 1 is 1.5"),
        ([math.nan], 5, r"the probability of draw 1 is nan"),
        ([0.5] * 3, 2, "3 draws from a pool of 2"),
        ([[0.5]], 2, r"not shape \(1, 1\)"),
    ],
)
def test_bad_probabilities_raise(chances, pool, message):
    with pytest.raises(ValueError, match=message):
        lure_weights(chances, pool)


def test_bad_values_raise():
    with pytest.raises(ValueError, match=r"differ in shape: \(2,\) and \(1,\)"):
        weighted_mean([1, 2], [1])
    with pytest.raises(ValueError, match="the value of draw 2 is nan"):
        weighted_mean([1, math.nan], [1, 1])
    with pytest.raises(ValueError, match="the weight of draw 1 is inf"):
        weighted_interval([1, 1], [math.inf, 1])
    with pytest.raises(ValueError, match="the weight of draw 1 is nan"):
        effective_size([math.nan])


def test_a_history_of_draws_alone_has_the_proportions_of_the_levelled_weights() -> None:
    source = np.random.default_rng(5)
    chances = source.uniform(0.05, 0.9, 6)
    weights, shares = history_weights(chances, np.arange(12, 6, -1))
    assert weights / weights.sum() == pytest.approx(lure_weights(chances, 12) / lure_weights(chances, 12).sum())
    assert shares.sum() == pytest.approx(1)
    assert history_weights([0.5, 1.0], [2, 1])[0] == pytest.approx([1, 1])
    with pytest.raises(ValueError, match="pools"):
        history_weights([0.5], [0])
