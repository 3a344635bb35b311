"""Cohen's kappa from a confusion matrix that adds up, and its intervals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from statsmodels.stats import inter_rater

from annotations.metrics import agreement
from annotations.metrics import confusion as confusion_module
from annotations.metrics.agreement import bootstrap_confusion, bootstrap_interval, cohen_kappa, confusion_kappa
from annotations.metrics.confusion import WEIGHTS

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # others share the cores

unchecked: Any = agreement
"""For what the types forbid."""
matrices = hnp.arrays(np.int64, st.integers(2, 5).map(lambda size: (size, size)), elements=st.integers(0, 6))


def _pairs(cells):
    first, second = np.indices(cells.shape)
    return np.repeat(first.ravel(), cells.ravel()), np.repeat(second.ravel(), cells.ravel())


@unhurried
@given(matrices)
def test_equals_the_kappa_of_the_ratings_and_statsmodels(cells):
    assume(cells.sum() > 0)
    a, b = _pairs(cells)
    for weights in WEIGHTS:
        kappa = confusion_kappa(cells, weights)
        ratings_kappa = cohen_kappa(a, b, weights, categories=range(len(cells)))
        assert kappa == pytest.approx(ratings_kappa, abs=1e-12, nan_ok=True)
    if not math.isnan(confusion_kappa(cells)):
        assert confusion_kappa(cells) == pytest.approx(inter_rater.cohens_kappa(cells, return_results=False), abs=1e-9)


@unhurried
@given(matrices, st.randoms(use_true_random=False))
def test_symmetry_range_and_order(cells, random):
    assume(cells.sum() > 0)
    for weights in WEIGHTS:
        kappa = confusion_kappa(cells, weights)
        assert kappa == pytest.approx(confusion_kappa(cells.T, weights), abs=1e-12, nan_ok=True)
        assert kappa == pytest.approx(confusion_kappa(cells[::-1, ::-1], weights), abs=1e-12, nan_ok=True)
        assert math.isnan(kappa) or -1 - 1e-12 <= kappa <= 1
    order = list(range(len(cells)))
    random.shuffle(order)
    mixed = cells[np.ix_(order, order)]
    assert confusion_kappa(mixed) == pytest.approx(confusion_kappa(cells), abs=1e-12, nan_ok=True)


def test_golden_values():
    """Raise METRIC_VERSION when these change."""
    assert confusion_module.METRIC_VERSION == "1"
    cells = [[20, 5, 1], [10, 15, 2], [0, 3, 8]]
    assert [confusion_kappa(cells, weights) for weights in WEIGHTS] == pytest.approx(
        [0.4778554779, 0.5586206897, 0.6526458616]
    )
    found = bootstrap_confusion(cells)
    assert [bound for weights in WEIGHTS for bound in found[weights]] == pytest.approx(
        [0.2882744676, 0.6722181878, 0.3733865538, 0.7248655081, 0.4655834698, 0.7996242775]
    )


@pytest.mark.parametrize("weights", WEIGHTS)
def test_intervals_are_those_of_drawing_the_cases_themselves(weights):
    cells = np.array([[40, 9, 2], [12, 30, 6], [1, 5, 25]])
    pairs = np.stack(_pairs(cells), axis=1)
    brute = bootstrap_interval(
        pairs, lambda rows: cohen_kappa(rows[:, 0], rows[:, 1], weights, categories=range(3)), n=2000
    )
    assert bootstrap_confusion(cells, [weights], n=4000)[weights] == pytest.approx(brute, abs=0.015)


def test_strata_weigh_their_cases():
    cells = np.array([[[8, 2], [1, 9]], [[30, 3], [5, 22]]])
    weighted = confusion_kappa(cells, case_weights=[3, 1])
    assert weighted == pytest.approx(confusion_kappa(3 * cells[0] + cells[1]))
    low, high = bootstrap_confusion(cells, [None], case_weights=[3, 1])[None]
    plain_low, plain_high = bootstrap_confusion(3 * cells[0] + cells[1], [None])[None]
    assert low < weighted < high
    assert high - low > plain_high - plain_low  # three times the weight is not three times the cases


def test_one_category_only_is_undefined():
    assert math.isnan(confusion_kappa([[5, 0], [0, 0]]))
    low, high = bootstrap_confusion([[5, 0], [0, 0]], ["linear"])["linear"]
    assert math.isnan(low)
    assert math.isnan(high)


def test_a_single_case_has_no_interval():
    assert math.isnan(bootstrap_confusion([[0, 1], [0, 0]], [None])[None][0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: unchecked.confusion_kappa([[0, 0], [0, 0]]), "needs a case with two ratings"),
        (lambda: unchecked.confusion_kappa([[1, 2]]), "square"),
        (lambda: unchecked.confusion_kappa([1, 2]), "square"),
        (lambda: unchecked.confusion_kappa([[1, -2], [0, 1]]), "not -2"),
        (lambda: unchecked.confusion_kappa([[1, 0.5], [0, 1]]), "not 0.5"),
        (lambda: unchecked.confusion_kappa([[1, math.nan], [0, 1]]), "not nan"),
        (lambda: unchecked.confusion_kappa([[1, 0], [0, 1]], "cubic"), "not 'cubic'"),
        (lambda: unchecked.bootstrap_confusion([[1, 0], [0, 1]], [None, "cubic"]), "not 'cubic'"),
        (lambda: unchecked.confusion_kappa([[1, 0], [0, 1]], case_weights=[0]), "above 0"),
        (lambda: unchecked.confusion_kappa([[1, 0], [0, 1]], case_weights=[1, 1]), "1 strata"),
        (lambda: unchecked.bootstrap_confusion([[1, 0], [0, 1]], n=0), "n must be at least 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
