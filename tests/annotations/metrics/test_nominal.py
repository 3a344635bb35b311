"""Dawid and Skene: against the paper's equations in plain loops, on simulated readers, and its properties."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.metrics import nominal
from annotations.metrics.consensus import dawid_skene, dawid_skene_fit

NAN = math.nan


def simulated(readers, cases, skill, *, categories=3, missing=0.0, seed=0):
    """The truth and ratings of readers that are each right with their skill, else evenly wrong."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(categories, size=cases)
    wrong = (truth + rng.integers(1, categories, size=(readers, cases))) % categories
    ratings = np.where(rng.random((readers, cases)) < np.reshape(skill, (-1, 1)), truth, wrong).astype(float)
    ratings[rng.random((readers, cases)) < missing] = NAN
    return truth, ratings


def by_loops(ratings, categories, smoothing, iterations):
    """Dawid and Skene 1979, equations 2.3 to 2.5, one rating at a time."""
    readers, cases = len(ratings), len(ratings[0])
    said = [[-1 if math.isnan(x) else int(x) for x in row] for row in ratings]  # -1: not rated
    truth = []
    for case in range(cases):
        votes = [said[r][case] for r in range(readers) if said[r][case] >= 0]
        truth.append([votes.count(k) / len(votes) for k in range(categories)])
    for step in range(iterations + 1):
        prior = [sum(row[k] for row in truth) / cases for k in range(categories)]
        confusion = []
        for r in range(readers):
            table = [[smoothing] * categories for _ in range(categories)]
            for case in range(cases):
                if said[r][case] >= 0:
                    for k in range(categories):
                        table[k][said[r][case]] += truth[case][k]
            confusion.append([[x / sum(row) for x in row] for row in table])
        if step == iterations:
            return np.array(truth), np.array(confusion)
        for case in range(cases):
            chances = list(prior)
            for r in range(readers):
                if said[r][case] >= 0:
                    chances = [c * confusion[r][k][said[r][case]] for k, c in enumerate(chances)]
            truth[case] = [c / sum(chances) for c in chances]
    raise AssertionError("not reached")


@pytest.mark.parametrize("iterations", [1, 2, 7, 30])
@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_agrees_with_the_papers_equations_in_loops(iterations, missing):
    _, ratings = simulated(6, 40, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4], missing=missing)
    ratings = ratings[:, ~np.isnan(ratings).all(axis=0)]
    fit = dawid_skene_fit(ratings, most_iterations=iterations)
    truth, confusion = by_loops(ratings, 3, nominal.SMOOTHING, fit.n_iterations)
    assert fit.posterior == pytest.approx(truth, abs=1e-9)
    assert fit.confusion == pytest.approx(confusion, abs=1e-9)


def test_golden_values():
    """Raise METRIC_VERSION when these change."""
    assert nominal.METRIC_VERSION == "1"
    assert nominal.SMOOTHING == 0.01
    _, ratings = simulated(4, 30, [0.9, 0.8, 0.7, 0.5], seed=2)
    fit = dawid_skene_fit(ratings)
    assert fit.log_likelihood == pytest.approx(-98.938441, abs=1e-5)
    assert fit.prior == pytest.approx([0.3331044, 0.2669701, 0.3999255], abs=1e-6)
    assert fit.has_converged


def test_finds_the_able_readers_and_beats_their_majority():
    truth, ratings = simulated(7, 600, [0.95, 0.95, 0.45, 0.45, 0.45, 0.45, 0.45], seed=4)
    posterior, confusion = dawid_skene(ratings)
    votes = np.stack([(ratings == k).sum(axis=0) for k in range(3)], axis=1)
    assert (posterior.argmax(axis=1) == truth).mean() > (votes.argmax(axis=1) == truth).mean() + 0.05
    skill = confusion[:, range(3), range(3)].mean(axis=1)
    assert skill == pytest.approx([0.95, 0.95, 0.45, 0.45, 0.45, 0.45, 0.45], abs=0.08)


def test_a_reader_who_turns_two_categories_round_is_read_the_right_way():
    _, ratings = simulated(4, 300, [0.9, 0.9, 0.9, 0.9], seed=6)
    ratings[3] = np.choose(ratings[3].astype(int), [1, 0, 2])
    _, confusion = dawid_skene(ratings)
    assert confusion[3, 0, 1] > 0.8
    assert confusion[3, 1, 0] > 0.8
    assert confusion[3, 2, 2] > 0.8


def test_more_iterations_never_make_the_ratings_less_likely():
    _, ratings = simulated(5, 80, [0.9, 0.7, 0.6, 0.6, 0.5], missing=0.3, seed=8)
    tiny = [dawid_skene_fit(ratings, smoothing=1e-9, most_iterations=n).log_likelihood for n in range(1, 30)]
    assert all(after >= before - 1e-9 for before, after in itertools.pairwise(tiny))


@given(
    st.integers(1, 5).flatmap(
        lambda readers: st.lists(
            st.lists(st.sampled_from([0.0, 1.0, 2.0, NAN]), min_size=readers, max_size=readers), min_size=1, max_size=12
        )
    )
)
def test_probabilities_add_up_and_nothing_depends_on_the_readers_order(columns):
    ratings = np.array(columns).T
    if np.isnan(ratings).all():
        return
    fit = dawid_skene_fit(ratings, categories=3)
    rated = ~np.isnan(ratings).all(axis=0)
    assert fit.posterior[rated].sum(axis=1) == pytest.approx(1)
    assert np.isnan(fit.posterior[~rated]).all()
    assert fit.confusion.sum(axis=2) == pytest.approx(1)
    again = dawid_skene_fit(ratings, categories=3)
    assert np.array_equal(again.posterior, fit.posterior, equal_nan=True)
    five = dawid_skene_fit(ratings, categories=3, most_iterations=5)
    turned = dawid_skene_fit(ratings[::-1], categories=3, most_iterations=5)
    assert turned.posterior == pytest.approx(five.posterior, abs=1e-6, nan_ok=True)


def test_the_empty_cases():
    posterior, confusion = dawid_skene([[0, 1, NAN], [0, 1, NAN], [NAN, NAN, NAN]])
    assert np.isnan(posterior[2]).all()
    assert (confusion[2] == 0.5).all()
    posterior, _ = dawid_skene([[0, 0]])
    assert (posterior == 1).all()
    posterior, confusion = dawid_skene([[0, 0]], categories=3)
    assert posterior.shape == (2, 3)
    assert confusion.shape == (1, 3, 3)


def test_a_reader_who_guesses_evenly_changes_no_posterior():
    two = np.tile([[0.0, 0.0, 1.0, 1.0]], (2, 3))
    guesses = np.tile([0.0, 1.0], 6)
    alone, _ = dawid_skene(two)
    beside, _ = dawid_skene(np.vstack([two, guesses]))
    assert beside == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize(
    ("ratings", "more", "message"),
    [
        ([[NAN, NAN]], {}, "none of 1 readers rated any of 2 cases"),
        ([[0.5]], {}, "not 0.5"),
        ([[-1]], {}, "from 0 to 999, not -1"),
        ([[3]], {"categories": 3}, "from 0 to 2, not 3"),
        ([[math.inf]], {}, "not inf"),
        ([0, 1], {}, r"not shape \(2,\)"),
        ([[0, 1]], {"smoothing": 0}, "smoothing must be above 0, not 0"),
    ],
)
def test_bad_ratings_raise(ratings, more, message):
    with pytest.raises(ValueError, match=message):
        dawid_skene_fit(ratings, **more)
