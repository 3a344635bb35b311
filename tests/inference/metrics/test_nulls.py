"""The three nulls that stand beside every grounding number."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.metrics import nulls
from inference.metrics.catalogue import GRID_METRICS
from inference.metrics.grounding import attention_ratio
from inference.metrics.nulls import (
    centre_map,
    centre_null,
    moved_null,
    other_finding_null,
    places_of,
    score_with_nulls,
)

AR = GRID_METRICS["attention_ratio"]


def patch(shape: tuple[int, int], rows: slice, columns: slice) -> np.ndarray:
    cells = np.zeros(shape, dtype=bool)
    cells[rows, columns] = True
    return cells


def test_the_centre_map_is_the_documented_bell():
    values = centre_map((4, 8))
    assert values.shape == (4, 8)
    dx, dy = 2.5 / 8 - 0.5, 0.5 / 4 - 0.5
    assert values[0, 2] == pytest.approx(math.exp(-(dx**2 + dy**2) / (2 * 0.25**2)))
    assert np.array_equal(values, values[::-1, ::-1])
    with pytest.raises(ValueError, match=r"\(0, 3\)"):
        centre_map((0, 3))


def test_a_region_in_the_middle_scores_well_by_its_place_alone():
    middle, corner = (
        patch((12, 12), slice(5, 7), slice(5, 7)),
        patch((12, 12), slice(0, 2), slice(0, 2)),
    )
    assert centre_null(AR, middle) > 2
    assert centre_null(AR, corner) < 1
    assert centre_null(AR, middle) == attention_ratio(centre_map((12, 12)), middle)


def test_places_are_all_places_once():
    places = places_of(patch((4, 5), slice(1, 3), slice(2, 4)))
    assert len(places) == 3 * 4
    assert len({tuple(place) for place in places.tolist()}) == 12
    with pytest.raises(ValueError, match="no cell"):
        places_of(np.zeros((2, 2), dtype=bool))


def test_a_very_large_grid_draws_two_hundred_places_and_always_the_same():
    cells = patch((70, 70), slice(0, 2), slice(0, 2))
    places = places_of(cells, seed=3)
    assert len(places) == 200 == len({tuple(place) for place in places.tolist()})
    assert np.array_equal(places, places_of(cells, seed=3))
    assert not np.array_equal(places, places_of(cells, seed=4))
    assert places.min() >= 0
    assert places.max() <= 68


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_moving_by_sums_equals_moving_by_hand(seed, size):
    rng = np.random.default_rng(seed)
    relative = rng.random((2, 4, 5)) + 0.01
    flat = np.zeros(20, dtype=bool)
    flat[rng.choice(20, size, replace=False)] = True
    cells = flat.reshape(4, 5)
    rows, columns = np.nonzero(cells)
    places = places_of(cells)
    for metric in GRID_METRICS.values():
        by_sums = metric.over_places(relative, cells, places)
        for index, (row, column) in enumerate(places.tolist()):
            moved = np.zeros_like(cells)
            moved[rows - rows.min() + row, columns - columns.min() + column] = True
            by_hand = [metric.function(layer, moved) for layer in relative]
            assert by_sums[:, index].tolist() == pytest.approx(by_hand, abs=1e-9, nan_ok=True)


def test_moved_null_is_the_median_and_the_far_tail_towards_better():
    relative = np.arange(1.0, 101.0).reshape(1, 1, 100)
    cell = patch((1, 100), slice(0, 1), slice(99, 100))
    high = moved_null(AR, relative, cell)
    values = AR.over_places(relative, cell, places_of(cell))[0]
    assert high.n == 100
    assert high.median[0] == pytest.approx(np.median(values))
    assert high.p95[0] == pytest.approx(np.quantile(values, 0.95))
    low = moved_null(GRID_METRICS["kl"], relative, cell)
    assert low.p95[0] == pytest.approx(
        np.quantile(GRID_METRICS["kl"].over_places(relative, cell, places_of(cell))[0], 0.05)
    )
    assert low.p95[0] < low.median[0]


def test_places_without_attention_do_not_turn_the_null_into_nan():
    relative = np.zeros((1, 1, 8))
    relative[0, 0, 7] = 1.0
    null = moved_null(
        GRID_METRICS["log2_attention_ratio"],
        relative,
        patch((1, 8), slice(0, 1), slice(7, 8)),
    )
    assert null.median[0] == -math.inf


def test_a_layer_that_cannot_be_used_changes_no_null_of_the_others():
    layer = np.arange(1.0, 10.0).reshape(1, 9)
    spoilt = np.stack([layer, np.zeros_like(layer)])
    this, other = (patch((1, 9), slice(0, 1), slice(at, at + 1)) for at in (8, 2))
    for metric in GRID_METRICS.values():
        healthy = score_with_nulls(metric, layer[None], this, others=[other])
        score = score_with_nulls(metric, spoilt, this, others=[other])
        assert (score.moved.median[0], score.moved.p95[0]) == (healthy.moved.median[0], healthy.moved.p95[0])
        assert score.other_finding is not None
        assert healthy.other_finding is not None
        assert score.other_finding[0] == healthy.other_finding[0]
        assert np.isnan([score.values[1], score.moved.median[1], score.moved.p95[1], score.other_finding[1]]).all()


def test_a_region_that_fills_the_grid_has_one_place():
    null = moved_null(AR, np.ones((1, 2, 2)), np.ones((2, 2), dtype=bool))
    assert null.n == 1
    assert null.median[0] == pytest.approx(1.0)


def test_the_best_other_finding_counts_and_this_one_is_no_other():
    relative = np.array([[[8.0, 4.0, 2.0, 1.0]]])
    this, near, far = (patch((1, 4), slice(0, 1), slice(at, at + 1)) for at in (0, 1, 3))
    nothing = np.zeros((1, 4), dtype=bool)
    assert other_finding_null(AR, relative, this, [far, near, this, nothing]) == pytest.approx([4 / 3.75])
    lowest = other_finding_null(GRID_METRICS["kl"], relative, this, [far, near])
    assert lowest == pytest.approx([math.log(15 / 4)], abs=1e-6)
    assert other_finding_null(AR, relative, this, [this, nothing]) is None


def test_a_model_that_marks_everything_abnormal_is_caught_by_the_other_finding():
    asked, other = (
        patch((12, 12), slice(1, 3), slice(1, 3)),
        patch((12, 12), slice(8, 10), slice(8, 10)),
    )
    relative = np.where(asked | other, 10.0, 1.0)[None]
    score = score_with_nulls(AR, relative, asked, others=[other])
    assert score.values[0] > 5
    assert score.values[0] > score.centre
    assert score.values[0] > score.moved.p95[0]
    assert score.other_finding is not None
    assert score.other_finding[0] == pytest.approx(score.values[0])


def test_golden_values_of_this_metric_version():
    """A change here is a change of METRIC_VERSION: every stored score becomes stale."""
    assert nulls.METRIC_VERSION == "1"
    relative = np.arange(1.0, 17.0).reshape(1, 4, 4)
    cells = patch((4, 4), slice(1, 3), slice(1, 3))
    score = score_with_nulls(AR, relative, cells, others=[patch((4, 4), slice(3, 4), slice(3, 4))])
    assert score.values[0] == pytest.approx(1.0)
    assert score.centre == pytest.approx((2 / (1 + math.exp(-1))) ** 2, abs=1e-6)
    assert score.moved.n == 9
    assert score.moved.p95[0] == pytest.approx(13.1 / 8.5, abs=1e-6)
    assert score.other_finding is not None
    assert score.other_finding[0] == pytest.approx(16 / 8.5)
