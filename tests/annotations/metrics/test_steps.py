"""Alignment of rationales: against brute force, by hand, its properties, its empty cases and its errors."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import kendalltau

from annotations.metrics import step_similarity as similarity_module
from annotations.metrics import steps
from annotations.metrics.steps import (
    Step,
    Weights,
    agreement_of_steps,
    align_steps,
    compare_steps,
    step_similarity,
)

TABLES = arrays.arrays(np.float64, st.tuples(st.integers(0, 4), st.integers(0, 4)), elements=st.floats(0, 1))


def best_by_brute_force(table, threshold, gap):
    """The greatest score of any set of pairs without a crossing."""
    rows, columns = table.shape
    best = -gap * (rows + columns)
    for size in range(1, min(rows, columns) + 1):
        for chosen in itertools.combinations(range(rows), size):
            for partners in itertools.combinations(range(columns), size):
                each = [table[i, j] for i, j in zip(chosen, partners, strict=True)]
                if all(one > 0 and one >= threshold for one in each):
                    best = max(best, sum(each) - gap * (rows + columns - 2 * size))
    return best


@given(TABLES, st.sampled_from([0.0, 0.3, 0.5, 1.0]), st.sampled_from([0.0, 0.1, 0.6]))
def test_the_alignment_is_the_best_there_is(table, threshold, gap):
    result = align_steps(table, threshold=threshold, gap=gap)
    assert result.score == pytest.approx(best_by_brute_force(table, threshold, gap), abs=1e-9)
    rows, columns = [i for i, _, _ in result.pairs], [j for _, j, _ in result.pairs]
    assert all(one < other for places in (rows, columns) for one, other in itertools.pairwise(places))
    assert all(s == table[i, j] and s > 0 and s >= threshold for i, j, s in result.pairs)
    assert sorted([*rows, *result.only_a]) == list(range(table.shape[0]))
    assert sorted([*columns, *result.only_b]) == list(range(table.shape[1]))
    alone = len(result.only_a) + len(result.only_b)
    assert result.score == pytest.approx(sum(s for _, _, s in result.pairs) - gap * alone, abs=1e-9)


@given(TABLES, st.sampled_from([0.3, 0.8]))
def test_the_rows_show_every_step_once_in_its_own_order(table, threshold):
    result = align_steps(table, threshold=threshold)
    rows = result.rows()
    assert [i for i, _, _ in rows if i is not None] == list(range(table.shape[0]))
    assert [j for _, j, _ in rows if j is not None] == list(range(table.shape[1]))
    assert tuple(row for row in rows if row[2] is not None) == result.pairs
    assert all((i is None) != (j is None) for i, j, similarity in rows if similarity is None)


@given(TABLES)
def test_the_matching_whatever_the_order_is_never_worse(table):
    a, b = ([Step("x")] * count for count in table.shape)
    both = agreement_of_steps(a, b, table, threshold=0.3)
    assert sum(s for *_, s in both.any_order) >= both.alignment.score - 1e-9
    turned = agreement_of_steps(b, a, table.T, threshold=0.3)
    assert sum(s for *_, s in turned.any_order) == pytest.approx(sum(s for *_, s in both.any_order))
    assert turned.alignment.score == pytest.approx(both.alignment.score)
    if not both.inversions:
        assert both.alignment.score == pytest.approx(sum(s for *_, s in both.any_order))


@given(st.permutations(range(6)))
def test_the_order_is_kendalls_tau_and_f1_the_longest_run_kept(order):
    table = np.zeros((6, 6))
    table[range(6), order] = 0.9
    both = agreement_of_steps([Step("x")] * 6, [Step("y")] * 6, table)
    assert both.order == pytest.approx(kendalltau(range(6), order).statistic)
    assert both.any_order_f1 == 1
    longest = max(
        size for size in range(1, 7) for run in itertools.combinations(order, size) if list(run) == sorted(run)
    )
    assert both.f1 == pytest.approx(longest / 6)
    assert len(both.moved) == 6 - longest
    assert both.inversions == sum(one > other for one, other in itertools.combinations(order, 2))


READER = [
    Step("The heart is enlarged", "image_finding", 1, (0,), is_critical=False),
    Step("Left pleural effusion with a blunted angle", "image_finding", 1, (1,), is_critical=True),
    Step("No pneumothorax", "image_finding", 1),
    Step("Congestive heart failure is most likely", "differential", is_critical=True),
]
MODEL = [
    Step("Pleural effusion on the left, blunted angle", "image_finding", 1, (0,), is_critical=True),
    Step("Enlarged heart", "image_finding", 1, (1,)),
    Step("There is a pneumothorax", "image_finding", 1),
    Step("Most likely congestive heart failure", "differential"),
    Step("Pacemaker in place", "image_finding", 1),
]


def test_a_reader_and_a_model_by_hand():
    both = compare_steps(READER, MODEL, roi_overlap=[[0.1, 0.8], [0.7, 0.0]])
    assert [(i, j) for i, j, _ in both.any_order] == [(0, 1), (1, 0), (3, 3)]  # the pneumothorax is denied by one
    assert len(both.alignment.pairs) == 2
    assert both.alignment.pairs[1][:2] == (3, 3)
    assert len(both.moved) == 1
    assert both.inversions == 1
    assert (both.precision, both.recall) == (2 / 5, 2 / 4)
    assert both.f1 == pytest.approx(4 / 9)
    assert both.any_order_f1 == pytest.approx(6 / 9)
    assert both.order == pytest.approx(1 / 3)
    assert both.critical_f1 == pytest.approx(2 / 3)  # one in common of two and one
    assert 2 in both.alignment.only_a
    assert {2, 4} <= set(both.alignment.only_b)


def test_golden_values():
    """Raise METRIC_VERSION when these change."""
    assert (steps.METRIC_VERSION, similarity_module.METRIC_VERSION) == ("1", "2")
    assert steps.THRESHOLD == 0.5
    table = step_similarity(READER, MODEL, roi_overlap=[[0.1, 0.8], [0.7, 0.0]])
    assert table[0] == pytest.approx([0.1, 0.8099019, 0.1428571, 0.1428571, 0.1428571], abs=1e-6)
    assert compare_steps(READER, MODEL).alignment.score == pytest.approx(1.8652225, abs=1e-6)


def test_a_denied_finding_is_never_the_same_whatever_else_is_shared():
    asserted = Step("Effusion", "image_finding", 1, (0,))
    denied = replace(asserted, text="No effusion")
    table = step_similarity([denied], [asserted], roi_overlap=[[1.0]])
    assert table[0, 0] == 0


def test_the_parts_by_hand():
    def similarity(evidence_a, evidence_b, overlap, **places):
        one = Step("effusion", evidence=evidence_a)
        return float(step_similarity([one], [Step("heart", evidence=evidence_b, **places)], roi_overlap=overlap)[0, 0])

    # Texts without a common trigram: 0.1 of 0.7 for the place alone, half of it for the kind alone.
    assert similarity((), (), None) == pytest.approx(0.1 / 0.7)
    assert similarity((), (), None, image=2) == pytest.approx(0.05 / 0.7)
    assert similarity((), (), None, image=2, kind="answer") == 0
    # Evidence on one side alone says nothing; on both it is a soft Jaccard index.
    assert similarity((0,), (), [[0.5]]) == pytest.approx(0.1 / 0.7)
    assert similarity((0,), (0,), [[0.5]]) == pytest.approx(0.3 * (0.5 / 1.5) + 0.1)
    assert similarity((0,), (0,), None) == pytest.approx(0.1 / 0.7)
    assert similarity(("left lung",), ("left lung", "heart"), None) == pytest.approx(0.3 * (1 / 2) + 0.1)
    assert similarity((0, "left lung"), (0, "left lung"), [[1.0]]) == pytest.approx(0.4)
    # ROIs are matched one to one before: the second overlap of ROI 0 is not counted.
    assert similarity((0,), (0, 1), [[0.9, 0.4]]) == pytest.approx(0.3 * (0.9 / 2.1) + 0.1)
    # The same ROI cited twice is cited once.
    assert similarity((0, 0), (0,), [[0.5]]) == pytest.approx(0.2)


def test_weights_are_relative_and_may_leave_a_part_out():
    a, b = [Step("effusion", image=1)], [Step("effusion", image=2)]
    assert step_similarity(a, b, weights=Weights(text=1, evidence=0, place=0))[0, 0] == pytest.approx(1)
    assert step_similarity(a, b, weights=Weights(text=6, evidence=3, place=1)) == pytest.approx(step_similarity(a, b))
    assert step_similarity(a, b, weights=Weights(text=0, evidence=1, place=0))[0, 0] == 0


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["effusion", "no effusion", "left effusion", "right effusion", "heart", ""]),
        st.sampled_from(["free", "answer"]),
        st.sampled_from([None, 1]),
        st.lists(st.sampled_from([0, 1, "lung"]), max_size=3).map(tuple),
    ),
    max_size=4,
)
AMOUNTS = st.floats(0, 1e3)


@given(STEPS, STEPS, st.integers(0, 1000), AMOUNTS, AMOUNTS, AMOUNTS)
def test_similarities_lie_between_0_and_1_and_do_not_depend_on_the_side(a, b, seed, text, evidence, place):
    weights = Weights(text, evidence, place)
    overlap = np.random.default_rng(seed).random((2, 2))  # no ties, of which either may be taken
    table = step_similarity(a, b, roi_overlap=overlap, weights=weights)
    assert ((table >= 0) & (table <= 1)).all()
    turned = step_similarity(b, a, roi_overlap=overlap.T, weights=weights).T
    assert turned == pytest.approx(table, abs=1e-6)


@given(st.lists(st.builds(Step, st.text(max_size=20), st.sampled_from(["free", "answer"])), max_size=5))
def test_a_rationale_agrees_with_itself(rationale):
    spoken = [step for step in rationale if step.text.strip()]
    both = compare_steps(spoken, spoken)
    if spoken:
        assert both.f1 == both.any_order_f1 == 1
        assert both.alignment.score == pytest.approx(len(spoken))


def test_rationales_of_other_cases_hardly_agree():
    other = [
        Step("The bowel gas pattern is nonobstructive", "image_finding", 1),
        Step("Degenerative changes of the spine", "image_finding", 1),
        Step("Therefore the answer is C", "answer"),
    ]
    assert compare_steps(READER, other).any_order_f1 == 0


def test_gaps_that_cost_prefer_more_pairs():
    table = [[0.6, 0.0], [0.95, 0.0], [0.0, 0.6]]
    assert [pair[:2] for pair in align_steps(table).pairs] == [(1, 0), (2, 1)]
    crossing = [[0.4, 0.9], [0.0, 0.4]]
    assert [pair[:2] for pair in align_steps(crossing, threshold=0.3).pairs] == [(0, 1)]
    assert [pair[:2] for pair in align_steps(crossing, threshold=0.3, gap=0.1).pairs] == [(0, 0), (1, 1)]


def test_the_empty_cases():
    nothing = compare_steps([], [])
    assert (nothing.f1, nothing.any_order_f1, nothing.precision, nothing.recall) == (None,) * 4
    assert (nothing.order, nothing.critical_f1) == (None, None)
    one_sided = compare_steps([Step("effusion", is_critical=True)], [])
    assert (one_sided.f1, one_sided.any_order_f1, one_sided.critical_f1) == (0, 0, 0)
    assert (one_sided.precision, one_sided.recall) == (None, 0)
    assert one_sided.alignment.only_a == (0,)
    assert step_similarity([], [Step("x")]).shape == (0, 1)
    single = compare_steps([Step("effusion")], [Step("effusion")])
    assert (single.order, single.critical_f1, single.f1) == (None, None, 1)


def test_critical_steps_agree_whatever_their_order_and_only_when_marked_by_both():
    a = [Step("heart enlarged", is_critical=True), Step("effusion", is_critical=None)]
    b = [Step("effusion", is_critical=True), Step("heart enlarged", is_critical=True)]
    assert compare_steps(a, b).critical_f1 == pytest.approx(2 / 3)
    assert compare_steps(a, [Step("effusion"), Step("heart enlarged")]).critical_f1 == 0


def test_two_hundred_long_steps_on_either_side_are_compared():
    text = "no effusion, heart normal. " * 400
    ours = [Step(f"{number} {text}", evidence=(number,)) for number in range(200)]
    theirs = ours[::-1]
    both = compare_steps(ours, theirs, roi_overlap=np.eye(200))
    assert len(both.any_order) == 200
    assert both.any_order_f1 == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"roi_overlap": [[1.5]]}, r"an IoU lies in \[0, 1\], not 1.5"),
        ({"roi_overlap": [[math.nan]]}, "not nan"),
        ({"roi_overlap": [0.5]}, r"not shape \(1,\)"),
        ({"roi_overlap": np.zeros((0, 1))}, r"step 1 rests on ROI 0, of 0"),
        ({"weights": Weights(text=-1)}, "the weight of text must be 0 or more, not -1"),
        ({"weights": Weights(place=math.nan)}, "the weight of place must be 0 or more, not nan"),
        ({"threshold": 1.5}, r"threshold must lie in \[0, 1\], not 1.5"),
        ({"gap": -1}, "gap must be 0 or more, not -1"),
    ],
)
def test_bad_input_raises(more, message):
    with pytest.raises(ValueError, match=message):
        compare_steps([Step("x", evidence=(0,))], [Step("y")], **more)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([0.5], r"not shape \(1,\)"),
        ([[2.0]], "not 2"),
        ([[math.nan]], "not nan"),
        ([[0.5, 0.5]], r"a similarity of shape \(1, 2\) for 1 and 1 steps"),
    ],
)
def test_bad_similarities_raise(table, message):
    with pytest.raises(ValueError, match=message):
        agreement_of_steps([Step("x")], [Step("y")], table)
