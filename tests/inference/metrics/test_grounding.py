"""Grounding metrics against hand-computed cases, independent implementations and their own properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy, rankdata
from sklearn.metrics import roc_auc_score

from inference.metrics import catalogue, grounding
from inference.metrics.catalogue import GRID_METRICS, METRICS
from inference.metrics.grounding import (
    attention_ratio,
    energy_pointing_game,
    grid_auroc,
    js_divergence,
    kl_divergence,
    log2_attention_ratio,
    midranks,
    normalized_kl,
    pointing_hit,
    relative_map,
)

R = np.array([[4.0, 2.0, 1.0], [1.0, 0.0, 0.0]])  # sums to 8
G = np.array([[True, False, True], [False, False, False]])  # 2 of 6 cells
ALL = np.ones((2, 3), dtype=bool)
EVERY = [metric.function for metric in GRID_METRICS.values()]


def test_by_hand():
    assert attention_ratio(R, G) == pytest.approx(5 / (2 / 6 * 8), abs=1e-8)
    assert log2_attention_ratio(R, G) == pytest.approx(math.log2(5 / (8 / 3)), abs=1e-8)
    assert energy_pointing_game(R, G) == 5 / 8
    assert pointing_hit(R, G) == 1.0
    # p = (1/2, 1/8) on G: half of each ln(g / p), plus the clipped rest, which is below 1e-9
    assert kl_divergence(R, G) == pytest.approx(0.5 * math.log(1.0) + 0.5 * math.log(4.0), abs=1e-8)
    assert normalized_kl(R, G) == pytest.approx(1 - 0.5 * math.log(4.0) / math.log(3.0), abs=1e-8)
    # pairs (4: beats all 4; 1: beats 2, ties with 1, loses 1)
    assert grid_auroc(R, G) == (4 + 2.5) / 8


def test_golden_values_of_this_metric_version():
    """A change here is a change of METRIC_VERSION: every stored score becomes stale."""
    assert grounding.METRIC_VERSION == "1"
    golden = {
        "attention_ratio": 1.87499999296875,
        "log2_attention_ratio": 0.906890590098,
        "kl": 0.69314718,
        "js": 0.19019782,
        "kl_norm": 0.36907025,
        "ebpg": 0.625,
        "pointing_hit": 1.0,
        "auroc": 0.8125,
        "region_disagreement": 0.1875,
    }
    assert {name: metric.function(R, G) for name, metric in GRID_METRICS.items()} == pytest.approx(golden, abs=1e-8)


def test_the_small_constants_are_where_the_authors_put_them():
    tiny = R * 1e-8
    assert attention_ratio(tiny, G) == pytest.approx(5e-8 / (2 / 6 * 8e-8 + 1e-8), rel=1e-12)
    p = tiny / (8e-8 + 1e-8)
    g = G / 2
    pc, gc = np.clip(p, 1e-12, 1), np.clip(g, 1e-12, 1)
    assert kl_divergence(tiny, G) == pytest.approx(float((gc * np.log(gc / pc)).sum()), rel=1e-12)
    assert energy_pointing_game(tiny, G) == pytest.approx(0.625, rel=1e-12)


def test_relative_map_divides_in_single_precision():
    result = relative_map(np.array([[0.2, 0.0]]), np.array([[0.1, 0.0]]))
    assert result.dtype == np.float32
    assert result.tolist() == [[2.0, 0.0]]
    assert relative_map(np.array([[1e-10]]), np.array([[0.0]]))[0, 0] == pytest.approx(1.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -0.5])
def test_relative_map_refuses_what_is_no_attention(bad):
    with pytest.raises(ValueError, match="question map holds"):
        relative_map(np.array([[bad]]), np.array([[0.1]]))
    with pytest.raises(ValueError, match="general map holds"):
        relative_map(np.array([[0.1]]), np.array([[bad]]))


def test_relative_map_refuses_different_shapes():
    with pytest.raises(ValueError, match=r"\(1, 2\) and \(2, 1\)"):
        relative_map(np.ones((1, 2)), np.ones((2, 1)))


@pytest.mark.parametrize("metric", EVERY)
def test_bad_input_is_refused_with_its_value(metric):
    for bad in (math.nan, math.inf, -0.25):
        relative = R.copy()
        relative[1, 1] = bad
        with pytest.raises(ValueError, match=str(bad)):
            metric(relative, G)
    with pytest.raises(ValueError, match="zero everywhere"):
        metric(np.zeros((2, 3)), G)
    with pytest.raises(ValueError, match="no cell"):
        metric(R, ~ALL)
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(3, 2\)"):
        metric(R, G.T)
    with pytest.raises(ValueError, match="bool"):
        metric(R, G.astype(int))


def test_a_region_of_every_cell():
    assert attention_ratio(R, ALL) == pytest.approx(1.0)
    assert log2_attention_ratio(R, ALL) == pytest.approx(0.0, abs=1e-7)
    assert energy_pointing_game(R, ALL) == 1.0
    assert pointing_hit(R, ALL) == 1.0
    assert math.isnan(normalized_kl(R, ALL))
    assert math.isnan(grid_auroc(R, ALL))
    assert math.isnan(GRID_METRICS["region_disagreement"].function(R, ALL))


def test_even_attention_scores_the_documented_chance_level():
    even = np.full((2, 3), 0.3)
    f = 2 / 6
    assert attention_ratio(even, G) == pytest.approx(1.0)
    assert log2_attention_ratio(even, G) == pytest.approx(0.0, abs=1e-7)
    assert kl_divergence(even, G) == pytest.approx(math.log(6 / 2), abs=1e-7)
    assert normalized_kl(even, G) == pytest.approx(0.0, abs=1e-7)
    assert js_divergence(even, G) == pytest.approx(
        math.log(2) + (f * math.log(f) - (1 + f) * math.log(1 + f)) / 2, abs=1e-6
    )
    assert energy_pointing_game(even, G) == pytest.approx(f)
    assert pointing_hit(even, G) == pytest.approx(f)
    assert grid_auroc(even, G) == 0.5


def test_perfect_and_opposite_attention():
    perfect, opposite = G.astype(float), (~G).astype(float)
    assert attention_ratio(perfect, G) == pytest.approx(3.0, abs=1e-7)
    assert kl_divergence(perfect, G) == pytest.approx(0.0, abs=1e-7)
    assert normalized_kl(perfect, G) == pytest.approx(1.0, abs=1e-7)
    assert js_divergence(perfect, G) == pytest.approx(0.0, abs=1e-7)
    assert js_divergence(opposite, G) == pytest.approx(math.log(2), abs=1e-6)
    assert log2_attention_ratio(opposite, G) == -math.inf
    assert grid_auroc(opposite, G) == 0.0


def test_normalised_kl_may_be_negative_where_the_ratio_is_high():
    cells = np.zeros((24, 24), dtype=bool)
    cells[:6, :6] = True
    one_cell = np.zeros((24, 24))
    one_cell[3, 3] = 1.0
    assert attention_ratio(one_cell, cells) == pytest.approx(16.0, rel=1e-6)
    assert normalized_kl(one_cell, cells) < -1


def test_a_single_precision_map_is_reduced_in_double():
    relative = np.full((1000, 1000), 0.1, dtype=np.float32)
    cells = np.zeros((1000, 1000), dtype=bool)
    cells[0, 0] = True
    exact = 1e6 * float(np.float32(0.1))
    in_double = float(np.float32(0.1)) / (1e-6 * exact + 1e-8)
    assert attention_ratio(relative, cells) == pytest.approx(in_double, rel=1e-12)


maps = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 5), st.integers(2, 5)),
    elements=st.floats(0, 8, width=16),
).filter(lambda values: values.sum() > 0.01)


def with_cells(values: np.ndarray) -> st.SearchStrategy:
    some = hnp.arrays(np.bool_, values.shape).filter(lambda cells: cells.any() and not cells.all())
    return st.tuples(st.just(values), some)


cases = maps.flatmap(with_cells)


@given(cases)
def test_against_scipy_and_scikit_learn(case):
    relative, cells = case
    p, g = relative.ravel() / relative.sum(), cells.ravel() / cells.sum()
    assert grid_auroc(relative, cells) == pytest.approx(roc_auc_score(cells.ravel(), relative.ravel()))
    assert js_divergence(relative, cells) == pytest.approx(jensenshannon(p, g) ** 2, abs=1e-5)
    if (relative[cells] > 1e-6).all():
        assert kl_divergence(relative, cells) == pytest.approx(entropy(g, p), abs=1e-4)
    assert midranks(relative.ravel()).tolist() == rankdata(relative.ravel()).tolist()


@given(cases)
def test_ranges(case):
    relative, cells = case
    assert 0 <= attention_ratio(relative, cells) <= cells.size / cells.sum() + 1e-9
    assert 0 <= energy_pointing_game(relative, cells) <= 1 + 1e-12
    assert 0 <= pointing_hit(relative, cells) <= 1
    assert 0 <= grid_auroc(relative, cells) <= 1
    assert -1e-7 <= js_divergence(relative, cells) <= math.log(2) + 1e-7
    assert kl_divergence(relative, cells) >= -1e-5
    assert normalized_kl(relative, cells) <= 1 + 1e-5


@given(cases, st.randoms(use_true_random=False))
def test_only_what_lies_inside_counts_and_not_where(case, random):
    relative, cells = case
    order = list(range(cells.size))
    random.shuffle(order)
    shuffled = (
        relative.ravel()[order].reshape(relative.shape),
        cells.ravel()[order].reshape(cells.shape),
    )
    for metric in EVERY:
        assert metric(*shuffled) == pytest.approx(metric(relative, cells), abs=1e-9, nan_ok=True)


@given(cases)
def test_ratio_and_energy_are_tied_by_the_regions_size(case):
    relative, cells = case
    expected = energy_pointing_game(relative, cells) * cells.size / cells.sum()
    assert attention_ratio(relative, cells) == pytest.approx(expected, rel=1e-5)


@given(cases)
def test_the_input_is_left_as_it_was(case):
    relative, cells = case
    before = relative.copy(), cells.copy()
    for metric in EVERY:
        metric(relative, cells)
    assert np.array_equal(relative, before[0])
    assert np.array_equal(cells, before[1])


@given(
    st.integers(1, 4)
    .flatmap(
        lambda rows: st.tuples(
            hnp.arrays(np.float32, (3, rows, 4), elements=st.floats(0.0, 4.0, width=16)),
            hnp.arrays(np.bool_, (rows, 4)).filter(lambda cells: bool(cells.any())),
        )
    )
    .filter(lambda pair: bool((pair[0].sum(axis=(1, 2)) > 0.01).all()))
)
def test_layers_at_once_equal_layers_one_by_one(pair):
    relative, cells = pair
    for metric in GRID_METRICS.values():
        single = [metric.function(layer, cells) for layer in relative]
        assert metric.over_layers(relative, cells).tolist() == pytest.approx(single, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("fault", [0.0, np.nan, np.inf, -1.0])
@pytest.mark.parametrize("metric", GRID_METRICS.values(), ids=GRID_METRICS)
def test_a_layer_that_cannot_be_used_takes_its_own_value_and_no_other(metric, fault):
    healthy = np.stack([R, R + 1])
    spoilt = np.stack([R, np.full_like(R, fault), R + 1])
    places = np.array([[0, 0]])
    for ours, wanted in (
        (metric.over_layers(spoilt, G), metric.over_layers(healthy, G)),
        (metric.over_places(spoilt, G, places), metric.over_places(healthy, G, places)),
    ):
        assert np.isnan(ours[1]).all()
        assert np.array_equal(ours[[0, 2]], wanted)


def test_a_map_without_a_usable_layer_names_the_first():
    with pytest.raises(ValueError, match="no layer can be used; layer 0: the map of shape"):
        GRID_METRICS["kl"].over_layers(np.zeros((3, 2, 3)), G)
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        GRID_METRICS["kl"].over_layers(R, G)


def test_the_catalogue_names_each_metric_once_and_says_what_chance_is():
    assert set(METRICS) == {
        "attention_ratio",
        "log2_attention_ratio",
        "kl",
        "js",
        "kl_norm",
        "ebpg",
        "pointing_hit",
        "auroc",
        "region_disagreement",
        "answer_disagreement",
    }
    assert all(name == metric.name and metric.chance and metric.version for name, metric in METRICS.items())
    assert set(catalogue.GRID_METRICS).isdisjoint(catalogue.ANSWER_METRICS)
    worse_when_high = {name for name, metric in METRICS.items() if not metric.higher_is_better}
    assert worse_when_high == {"kl", "js", "region_disagreement", "answer_disagreement"}
