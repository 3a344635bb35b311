"""Regions in pixels come down to the cells that they touch."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.metrics.grids import (
    GridTransform,
    centre_crop,
    mask_cells,
    pad_to_square,
    squash,
    touched_cells,
    union_of_boxes,
)

SQUASH = squash((100, 100), (40, 40), (4, 4))  # a cell is 25 pixels of the image


def cells_of(box: tuple[float, float, float, float], transform: GridTransform = SQUASH) -> list[tuple[int, int]]:
    return [(int(row), int(column)) for row, column in np.argwhere(touched_cells(box, transform))]


@pytest.mark.parametrize(
    ("box", "cells"),
    [
        ((0, 0, 25, 25), [(0, 0)]),
        ((0, 0, 25.5, 25), [(0, 0), (0, 1)]),
        ((24.9, 50, 25.1, 75), [(2, 0), (2, 1)]),
        ((75, 75, 100, 100), [(3, 3)]),
        ((-50, -50, 5, 5), [(0, 0)]),
        ((90, 90, 500, 500), [(3, 3)]),
        ((25, 25, 25, 25), [(1, 1)]),
        ((100, 100, 100, 100), [(3, 3)]),
        ((25, 0, 25, 30), [(0, 1), (1, 1)]),
        ((100, 0, 120, 30), []),
        ((-20, 0, 0, 30), []),
        ((200, 200, 300, 300), []),
    ],
)
def test_every_touched_cell_counts_and_no_other(box, cells):
    assert cells_of(box) == cells


def test_a_box_on_a_cell_edge_does_not_spill_over_by_rounding():
    # 125 * 336 / 500 is 84.00000000000001 in floats: six cells of 14, not seven.
    transform = squash((500, 500), (336, 336), (24, 24))
    assert int(touched_cells((0, 0, 125, 125), transform).sum()) == 36


def test_rows_and_columns_are_not_exchanged():
    transform = squash((100, 200), (336, 336), (24, 24))
    rows, columns = np.nonzero(touched_cells((150, 10, 200, 20), transform))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 4, 18, 23)


def test_a_box_never_reaches_padding():
    transform = pad_to_square((100, 200), 336, (24, 24))
    rows, columns = np.nonzero(touched_cells((-10, -1000, 210, 1000), transform))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (6, 17, 0, 23)


def test_what_the_crop_cut_away_has_no_cell():
    transform = centre_crop((100, 200), (336, 672), (336, 336), (24, 24))
    assert not touched_cells((0, 0, 50, 100), transform).any()
    assert not touched_cells((10, 10, 10, 10), transform).any()
    assert touched_cells((50, 0, 150, 100), transform).all()
    assert touched_cells((0, 0, 51, 100), transform)[:, 0].all()


def test_an_image_smaller_than_the_crop_is_centred_in_it():
    transform = centre_crop((10, 10), (11, 11), (20, 20), (20, 20))
    rows, columns = np.nonzero(touched_cells((0, 0, 10, 10), transform))
    assert (rows.min(), rows.max()) == (5, 15)
    assert (columns.min(), columns.max()) == (
        5,
        15,
    )


def test_several_boxes_give_the_union_of_their_cells():
    boxes = [(0.0, 0.0, 25.0, 25.0), (50.0, 50.0, 75.0, 75.0), (0.0, 0.0, 10.0, 10.0)]
    assert np.argwhere(union_of_boxes(boxes, SQUASH)).tolist() == [[0, 0], [2, 2]]
    assert not union_of_boxes([], SQUASH).any()


@pytest.mark.parametrize("box", [(math.nan, 0, 1, 1), (0, 0, math.inf, 1), (5, 0, 4, 1), (0, 5, 1, 4)])
def test_a_box_that_is_none_is_refused(box):
    with pytest.raises(ValueError, match="a box"):
        touched_cells(box, SQUASH)


@pytest.mark.parametrize(
    "change",
    [
        {"image_size": (0, 10)},
        {"scale_xy": (1.0, math.nan)},
        {"grid_shape": (4, 0)},
        {"cell_size": -1},
    ],
)
def test_an_impossible_transform_is_refused_by_name(change):
    facts = {
        "image_size": (10, 10),
        "scale_xy": (1.0, 1.0),
        "offset_xy": (0.0, 0.0),
        "grid_shape": (2, 2),
        "cell_size": (5.0, 5.0),
    } | change
    with pytest.raises(ValueError, match=next(iter(change))):
        GridTransform(**facts)


def test_an_infinite_offset_is_refused():
    with pytest.raises(ValueError, match="offset_xy"):
        GridTransform((10, 10), (1.0, 1.0), (math.inf, 0.0), (2, 2), 5)


def test_a_mask_of_another_size_is_refused_with_both_shapes():
    with pytest.raises(ValueError, match=r"\(3, 4\) and \(100, 100\)"):
        mask_cells(np.ones((3, 4), dtype=bool), SQUASH)


def test_an_empty_mask_touches_nothing():
    assert not mask_cells(np.zeros((100, 100), dtype=bool), SQUASH).any()


def test_a_ring_touches_fewer_cells_than_its_box():
    ring = np.zeros((100, 100), dtype=bool)
    ring[:, [0, 99]] = ring[[0, 99], :] = True
    assert int(mask_cells(ring, SQUASH).sum()) == 12


transforms = st.sampled_from(
    [
        SQUASH,
        squash((37, 61), (336, 336), (24, 24)),
        pad_to_square((37, 61), 336, (24, 24)),
        centre_crop((37, 61), (224, 369), (224, 224), (16, 16)),
        squash((61, 37), (16, 16), (16, 16)),
    ]
)


@given(transforms, st.data())
def test_the_mask_of_a_whole_pixel_box_touches_what_the_box_touches(transform, data):
    height, width = transform.image_size
    x0, y0 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    x1, y1 = (
        data.draw(st.integers(x0 + 1, width)),
        data.draw(st.integers(y0 + 1, height)),
    )
    mask = np.zeros((height, width), dtype=bool)
    mask[y0:y1, x0:x1] = True
    assert np.array_equal(mask_cells(mask, transform), touched_cells((x0, y0, x1, y1), transform))


@given(transforms, st.data())
def test_a_mask_touches_what_its_pixels_touch_one_by_one(transform, data):
    height, width = transform.image_size
    pixels = data.draw(st.lists(st.tuples(st.integers(0, height - 1), st.integers(0, width - 1)), max_size=6))
    mask = np.zeros((height, width), dtype=bool)
    for row, column in pixels:
        mask[row, column] = True
    boxes = [(column, row, column + 1, row + 1) for row, column in pixels]
    assert np.array_equal(mask_cells(mask, transform), union_of_boxes(boxes, transform))


@given(transforms)
def test_a_transform_survives_json(transform):
    assert GridTransform.from_dict(transform.to_dict()) == transform


def test_a_box_thinner_than_rounding_still_touches_a_cell() -> None:
    for x0 in (0.0, 25.0, 100.0 - 1e-12):
        cells = touched_cells((x0, 0, x0 + 1e-12, 10), squash((100, 100), (40, 40), (4, 4)))
        assert np.argwhere(cells).tolist() == [[0, min(int(x0 // 25), 3)]]
