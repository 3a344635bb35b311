"""The one disagreement score of a case, part by part."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.metrics import priority
from inference.metrics.grids import centre_crop, squash
from inference.metrics.priority import (
    WEIGHTS,
    Part,
    attention_divergence,
    combine,
    divergence,
    vote_split,
)

parts = st.dictionaries(
    st.sampled_from(sorted(WEIGHTS)),
    st.builds(Part, value=st.floats(0, 1), n=st.integers(1, 50)),
)


def test_golden_values_of_this_version():
    """A change here is a change of METRIC_VERSION: every stored score is computed anew."""
    assert priority.METRIC_VERSION == "1"
    assert priority.FORMULA_VERSION == "1.1"
    assert vote_split("AAB", 5) == pytest.approx(0.579380164285695)
    assert vote_split("AABC", 3) == pytest.approx(0.946394630357186)
    assert divergence([0.5, 0.5], [0.9, 0.1]) == pytest.approx(0.14679310275544827)
    every = {name: Part(index / 10, 1) for index, name in enumerate(WEIGHTS)}
    by_hand = 0.25 * (0 + 0.1) + 0.15 * (0.2 + 0.4) + 0.1 * 0.3 + 0.05 * (0.5 + 0.6)
    assert combine(every).value == pytest.approx(by_hand)


def test_the_weights_sum_to_one_and_readers_among_themselves_are_half():
    assert math.fsum(WEIGHTS.values()) == 1
    assert WEIGHTS["reader_answers"] + WEIGHTS["reader_regions"] == 0.5
    between = WEIGHTS["between_models_options"] + WEIGHTS["between_models_attention"]
    assert between == pytest.approx(0.1)


@given(parts)
def test_it_lies_between_the_lowest_and_the_highest_part(given_parts):
    found = combine(given_parts)
    if not given_parts:
        assert (found.value, found.weights) == (None, {})
        return
    values = [part.value for part in given_parts.values()]
    assert found.value is not None
    assert min(values) - 1e-12 <= found.value <= max(values) + 1e-12
    assert 0 <= found.value <= 1
    assert math.fsum(found.weights.values()) == pytest.approx(1)


@given(parts, st.sampled_from(sorted(WEIGHTS)), st.floats(0, 1))
def test_it_never_falls_when_a_part_rises(given_parts, name, value):
    lower = {**given_parts, name: Part(value / 2, 1)}
    higher = {**given_parts, name: Part(value, 1)}
    below, above = combine(lower).value, combine(higher).value
    assert below is not None
    assert above is not None
    assert below <= above + 1e-12


@given(parts)
def test_how_many_comparisons_a_part_is_of_does_not_move_it(given_parts):
    once = {name: Part(part.value, 1) for name, part in given_parts.items()}
    assert combine(given_parts).value == combine(once).value


def test_a_missing_part_neither_lowers_nor_raises_it():
    alone = combine({"reader_answers": Part(0.4, 2)})
    assert (alone.value, alone.weights) == (0.4, {"reader_answers": 1.0})
    two = combine({"reader_answers": Part(0.4, 2), "expert_model_answers": Part(0.4, 3)})
    assert two.value == pytest.approx(0.4)
    assert two.weights["reader_answers"] == pytest.approx(0.25 / 0.4)


@pytest.mark.parametrize(
    ("given_parts", "message"),
    [
        ({"readers": Part(0.1, 1)}, "'readers' is none of the parts"),
        ({"reader_answers": Part(1.01, 1)}, "must lie in"),
        ({"reader_answers": Part(math.nan, 1)}, "not nan"),
        ({"reader_answers": Part(0.1, 0)}, "at least one comparison, not 0"),
    ],
)
def test_it_refuses_what_is_no_part(given_parts, message):
    with pytest.raises(ValueError, match=message):
        combine(given_parts)


@given(st.lists(st.sampled_from("ABCD"), min_size=2, max_size=12))
def test_a_split_is_a_share_of_the_most(votes):
    found = vote_split(votes, 4)
    assert 0 <= found <= 1
    assert (found == 0) == (len(set(votes)) == 1)


def test_a_split_is_whole_where_all_differ():
    assert vote_split("AB", 5) == 1
    assert vote_split("ABC", 5) == pytest.approx(1)
    assert vote_split("AABB", 2) == 1
    assert math.isnan(vote_split("A", 5))
    assert math.isnan(vote_split("AA", 1))
    with pytest.raises(ValueError, match="3 different votes on a question of 2 options"):
        vote_split("ABC", 2)


WHOLE = (60, 80)


def test_two_models_that_look_alike_on_other_grids_do_not_differ():
    fine, rough = squash(WHOLE, (48, 48), (24, 24)), squash(WHOLE, (48, 48), (8, 8))
    look = np.zeros((8, 8))
    look[2:4, 5:7] = 3.0
    assert attention_divergence(np.kron(look, np.ones((3, 3))), look, (fine, rough)) == pytest.approx(0)


@given(st.integers(0, 2**32 - 1))
def test_looks_differ_by_a_share_and_alike_both_ways(seed):
    source = np.random.default_rng(seed)
    first, second = source.random((6, 6)), source.random((4, 5))
    one, other = squash(WHOLE, (36, 36), (6, 6)), squash(WHOLE, (40, 40), (4, 5))
    found = attention_divergence(first, second, (one, other))
    assert 0 <= found <= 1
    assert found == pytest.approx(attention_divergence(second, first, (other, one)), abs=1e-12)
    # Attention has no unit: a model that attends ten times as much looks at the same places.
    assert found == pytest.approx(attention_divergence(10 * first, second, (one, other)), abs=1e-12)


def test_what_one_model_was_not_shown_is_left_out():
    whole, middle = squash(WHOLE, (40, 40), (1, 4)), centre_crop(WHOLE, (60, 80), (60, 40), (1, 2))
    # The crop shows the two middle columns; what the other looks at beside them is not held against either.
    seen = attention_divergence(np.array([[9.0, 1.0, 1.0, 9.0]]), np.array([[1.0, 1.0]]), (whole, middle))
    assert seen == pytest.approx(0)


def test_undefined_looks():
    grid = squash(WHOLE, (40, 40), (2, 2))
    for bad in (np.zeros((2, 2)), np.full((2, 2), np.nan), np.array([[1.0, -1.0], [1.0, 1.0]])):
        assert math.isnan(attention_divergence(bad, np.ones((2, 2)), (grid, grid)))
    with pytest.raises(ValueError, match="different sizes"):
        attention_divergence(np.ones((2, 2)), np.ones((2, 2)), (grid, squash((9, 9), (4, 4), (2, 2))))
