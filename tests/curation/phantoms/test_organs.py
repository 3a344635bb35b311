"""Organ phantoms: the truth is in the pixels, and only in the target's."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from curation.phantoms.organs import (
    EDGED_KINDS,
    KINDS,
    SIDE_PX,
    STYLES,
    grown,
    make_organ,
    make_organ_case,
    moved_region,
    paint_over,
)


@pytest.fixture(scope="module")
def phantoms():
    return [make_organ(77, index) for index in range(160)]


def test_the_same_seed_gives_the_same_bytes_in_any_order():
    later, first = make_organ(3, 9), make_organ(3, 2)
    assert np.array_equal(make_organ(3, 2).image, first.image)
    assert np.array_equal(make_organ(3, 9).image, later.image)
    assert not np.array_equal(first.image, later.image)
    assert not np.array_equal(make_organ(4, 2).image, first.image)


def test_a_picture_has_its_form(phantoms):
    for phantom in phantoms:
        assert phantom.image.shape == (SIDE_PX, SIDE_PX)
        assert phantom.image.dtype == np.uint8
        assert phantom.style in STYLES
        assert 2 <= len(phantom.lesions) <= 4
        kinds = [lesion.kind for lesion in phantom.lesions]
        assert len(set(kinds)) == len(kinds)
        assert phantom.image.std() > 20


def test_boxes_equal_the_masks_extent_and_masks_do_not_meet(phantoms):
    for phantom in phantoms:
        for lesion in phantom.lesions:
            x0, y0, x1, y1 = lesion.box
            assert lesion.mask[y0:y1, x0:x1].sum() == lesion.mask.sum() > 0
            for edge in (lesion.mask[y0, x0:x1], lesion.mask[y1 - 1, x0:x1],
                         lesion.mask[y0:y1, x0], lesion.mask[y0:y1, x1 - 1]):  # fmt: skip
                assert edge.any()
            assert (lesion.mask <= phantom.organ).all()
        for one, other in combinations(phantom.lesions, 2):
            assert not (grown(one.mask, 2) & other.mask).any()


def test_a_lesion_lies_where_its_halves_say(phantoms):
    for phantom in phantoms:
        for lesion in phantom.lesions:
            x, y = lesion.centre_xy
            assert min(abs(x - SIDE_PX / 2), abs(y - SIDE_PX / 2)) >= 5
            rows, columns = np.nonzero(lesion.mask)
            assert abs(columns.mean() + 0.5 - x) < 5
            assert abs(rows.mean() + 0.5 - y) < 5
            assert (lesion.horizontal == "left") == (x < SIDE_PX / 2)
            assert (lesion.vertical == "upper") == (y < SIDE_PX / 2)
            assert (lesion.edge is not None) == (lesion.kind in EDGED_KINDS)


def test_a_large_lesion_is_larger_than_any_small_one_of_its_kind(phantoms):
    for kind in KINDS:
        extents: dict[str, list[float]] = {"small": [], "large": []}
        for phantom in phantoms:
            lesion = phantom.lesion(kind)
            if lesion:
                x0, y0, x1, y1 = lesion.box
                extents[lesion.size].append(np.hypot(x1 - x0, y1 - y0))
        assert max(extents["small"]) < min(extents["large"])


def test_an_attribute_says_nothing_about_another_lesions():
    """Phi of size and edge between the lesions of a picture: within four standard errors of 0."""
    pairs: dict[str, list[tuple[bool, bool]]] = {"size": [], "edge": []}
    for index in range(400):
        for one, other in combinations(make_organ(5, index).lesions, 2):
            pairs["size"].append((one.size == "large", other.size == "large"))
            if one.edge and other.edge:
                pairs["edge"].append((one.edge == "smooth", other.edge == "smooth"))
    for values in pairs.values():
        first, second = np.array(values, dtype=float).T
        assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(len(values))
    assert Counter(value for pair in pairs["size"] for value in pair)[True] == pytest.approx(
        len(pairs["size"]), rel=0.1
    )


def test_painting_changes_the_region_and_nothing_else(phantoms):
    for number, phantom in enumerate(phantoms[:40]):
        target = phantom.lesions[0]
        painted = paint_over(phantom, grown(target.mask, 2), number)
        assert np.array_equal(painted[~grown(target.mask, 2)], phantom.image[~grown(target.mask, 2)])
        assert not np.array_equal(painted[target.mask], phantom.image[target.mask])
        assert np.array_equal(painted, paint_over(phantom, grown(target.mask, 2), number))
        elsewhere = moved_region(phantom, grown(target.mask, 2), number)
        if elsewhere is not None:
            assert elsewhere.sum() == grown(target.mask, 2).sum()
            other = paint_over(phantom, elsewhere, number)
            assert not np.array_equal(other, phantom.image)
            for lesion in phantom.lesions:
                assert np.array_equal(other[lesion.mask], phantom.image[lesion.mask])


def test_there_is_mostly_a_place_to_paint_elsewhere(phantoms):
    moved = [moved_region(one, grown(one.lesions[0].mask, 2), 0) for one in phantoms]
    assert np.mean([region is not None for region in moved]) > 0.8


def test_a_region_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(2, 2\) and \(168, 168\)"):
        paint_over(make_organ(1), np.ones((2, 2), dtype=bool), 0)


@pytest.mark.parametrize("images", [1, 2, 3, 4])
def test_a_case_holds_each_kind_once(images):
    for index in range(20):
        case = make_organ_case(8, index, images=images)
        assert len(case) == images
        assert all(phantom.lesions for phantom in case)
        kinds = [lesion.kind for phantom in case for lesion in phantom.lesions]
        assert len(kinds) == len(set(kinds)) <= len(KINDS)


@pytest.mark.parametrize("images", [0, 5])
def test_a_case_of_another_length_is_refused(images):
    with pytest.raises(ValueError, match=f"not {images}"):
        make_organ_case(1, images=images)


@pytest.mark.parametrize(("kinds", "named"), [(["stone"], "'stone'"), (["cyst", "cyst"], "cyst, cyst")])
def test_kinds_are_checked(kinds, named):
    with pytest.raises(ValueError, match=named):
        make_organ(1, kinds=kinds)
