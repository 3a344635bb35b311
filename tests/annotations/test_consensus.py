"""What readings add up to: votes, a weighed answer, regions place by place, steps in rows."""

from __future__ import annotations

import base64
import io
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.core.cache import cache
from PIL import Image

from annotations.consensus import LEAST_CASES, consensus_content, consensus_of, fit_of
from annotations.consensus_regions import MOST_SIDE_PX, region_consensus
from annotations.consensus_steps import step_rows
from annotations.content import Frame, ImageExtent
from annotations.metrics.consensus import dawid_skene, majority, staple
from annotations.models import Arm, Reading, ReadingState
from curation.geometry import decode_rle, rasterize
from curation.models import Benchmark, Case, User
from tests.annotations.contents import content, roi, step
from tests.annotations.submitted import submitted
from tests.factories import make_case, make_user

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

SIZE = (48, 64)
BOXES: tuple[dict[str, float], ...] = (
    {"x0": 10, "y0": 10, "x1": 30, "y1": 30},
    {"x0": 12, "y0": 10, "x1": 32, "y1": 30},
    {"x0": 10, "y0": 12, "x1": 30, "y1": 32},
)


def frame(*, labels: dict[str, tuple[str, ...]] | None = None, width: int = 64, height: int = 48) -> Frame:
    return Frame({1: ImageExtent(width, height, 3)}, ("A", "B"), labels or {}, ("free",), ())


def drew(*boxes: dict[str, float], **fields: Any) -> dict[str, Any]:
    return content(rois=[roi(geometry=box, **fields) for box in boxes], steps=[], entities=[])


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    cache.clear()


# Regions ---------------------------------------------------------------------------------------------------------


def test_a_place_is_the_majority_and_staple_of_masks() -> None:
    (place,) = region_consensus([drew(box) for box in BOXES], frame())
    masks = [rasterize("box", box, SIZE) for box in BOXES]
    assert (place["image"], place["frame"], place["label"], place["drawn_by"]) == (1, 0, None, [0, 1, 2])
    assert np.array_equal(decode_rle(place["majority"]), majority(masks))
    assert place["area_px"] == majority(masks).sum()
    window = place["window"]
    assert window == {"x0": 2, "y0": 2, "x1": 40, "y1": 40, "step": 1}
    part = np.s_[2:40, 2:40]
    expected = staple([mask[part] for mask in masks])
    alpha = np.asarray(Image.open(io.BytesIO(base64.b64decode(place["staple"]["png"].split(",")[1]))))[..., 3]
    assert np.abs(alpha / 255 - expected).max() <= 0.5 / 255 + 1e-9
    assert np.array_equal(decode_rle(place["staple"]["mask"])[part], expected >= 0.5)
    assert all(0 < value <= 1 for value in place["staple"]["sensitivity"])
    assert place["roi"]["shape"] == "mask"


def test_who_drew_nothing_there_has_said_so() -> None:
    (place,) = region_consensus([drew(BOXES[0]), drew(), drew()], frame())
    assert (place["drawn_by"], place["readers"], place["area_px"], place["roi"]) == ([0], 3, 0, None)
    assert not decode_rle(place["majority"]).any()


def test_labels_and_frames_are_places_of_their_own() -> None:
    found = region_consensus(
        [drew(BOXES[0], label="x"), drew(BOXES[0], frame=2), drew(BOXES[0])], frame(labels={"x": ()})
    )
    assert [(one["frame"], one["label"]) for one in found] == [(0, None), (0, "x"), (2, None)]


def test_a_label_gets_a_shape_it_allows() -> None:
    for allowed, shape in ((("box",), "box"), (("ellipse",), None), (("mask", "box"), "mask")):
        (place,) = region_consensus([drew(BOXES[0], label="x")] * 2, frame(labels={"x": allowed}))
        assert (place["roi"] or {}).get("shape") == shape
        if shape == "box":
            assert place["roi"]["geometry"] == BOXES[0]


def test_a_large_region_is_computed_coarser_and_lies_where_it_was() -> None:
    side = 4 * MOST_SIDE_PX
    box: dict[str, float] = {"x0": 100, "y0": 200, "x1": side - 100, "y1": side - 50}
    (place,) = region_consensus([drew(box)] * 2, frame(width=side, height=side))
    assert place["window"]["step"] == 4
    whole, coarse = decode_rle(place["majority"]), decode_rle(place["staple"]["mask"])
    assert coarse.shape == whole.shape
    assert (whole & coarse).sum() / (whole | coarse).sum() > 0.98


def test_less_than_a_pixel_has_no_map() -> None:
    (place,) = region_consensus([drew({"x0": 1, "y0": 1, "x1": 1.2, "y1": 1.2})], frame())
    assert (place["window"], place["staple"], place["area_px"]) == (None, None, 0)


# Steps -----------------------------------------------------------------------------------------------------------


def said(*texts: str, critical: int | None = None) -> dict[str, Any]:
    steps = [step(text=text, is_critical=True if number == critical else None) for number, text in enumerate(texts)]
    return content(rois=[], entities=[], steps=steps)


def test_steps_that_say_the_same_share_a_row() -> None:
    rows = step_rows(
        [
            said("The heart is enlarged", "Left pleural effusion", critical=1),
            said("Heart is enlarged", "A fracture of the third rib", "Left pleural effusion"),
        ]
    )
    assert [row["steps"] for row in rows] == [[0, 0], [None, 1], [1, 2]]
    assert [row["said_by"] for row in rows] == [2, 1, 2]
    assert [row["critical"] for row in rows] == [0, 0, 1]
    assert rows[1]["likeness"] is None
    assert rows[2]["likeness"] > 0.9


def test_what_is_said_of_the_same_stands_in_one_row_and_is_told_apart() -> None:
    rows = step_rows(
        [
            said("A small left pleural effusion", "No pneumothorax"),
            said("A small right pleural effusion", "Without pneumothorax"),
            said("No left pleural effusion", "A rib fracture"),
        ]
    )
    assert [row["steps"] for row in rows] == [[0, 0, 0], [1, 1, None], [None, None, 1]]
    assert [row["views"] for row in rows] == [[0, 1, 2], [0, 0, None], [None, None, 0]]
    assert [row["likeness"] for row in rows] == [0, pytest.approx(1), None]
    assert rows[0]["differing"] == [[(2, 7), (8, 12)], [(2, 7), (8, 13)], [(0, 2), (3, 7)]]
    assert rows[1]["differing"] == [[], [], []]


def test_another_noun_in_the_same_sentence_is_another_row() -> None:
    rows = step_rows([said("D: a large calcification is not seen."), said("C: a large vessel is not seen.")])
    assert [row["said_by"] for row in rows] == [1, 1]


def test_a_step_of_its_own_stays_in_its_readers_order() -> None:
    rows = step_rows(
        [said("Alpha alone", "Bone is intact", "Lungs are clear"), said("Lungs are clear", "Zebra crossing")]
    )
    assert [row["steps"] for row in rows] == [[0, None], [1, None], [2, 0], [None, 1]]


def test_every_step_is_in_one_row() -> None:
    readers = [said(*[f"word{(n * k) % 5} seen here" for k in range(n)]) for n in range(1, 6)]
    rows = step_rows(readers)
    for number, reader in enumerate(readers):
        places = [row["steps"][number] for row in rows if row["steps"][number] is not None]
        assert places == list(range(len(reader["steps"])))
    assert step_rows([]) == []
    assert step_rows([said()]) == []


# Answers, and all of it ------------------------------------------------------------------------------------------


@pytest.fixture
def readers(benchmark: Benchmark) -> list[User]:
    return [make_user(f"reader{n}", None, benchmark) for n in range(3)]


def vote(case: Case, readers: list[User], choices: str) -> None:
    for reader, choice in zip(readers, choices, strict=True):
        submitted(case, reader, content(answer={"choice": choice}))


def test_votes_and_too_few_cases_to_weigh_them(case: Case, readers: list[User]) -> None:
    vote(case, readers, "AAB")
    answers = consensus_of(case=case)["answers"]
    assert (answers["votes"], answers["majority"], answers["is_tie"], answers["n"]) == ({"A": 2, "B": 1}, "A", False, 3)
    assert answers["shares"] == {"A": 2 / 3, "B": 1 / 3}
    assert answers["vote_entropy_bits"] == pytest.approx(0.9183, abs=1e-4)
    assert answers["dawid_skene"] is None


def test_a_tie_has_no_majority(case: Case, readers: list[User]) -> None:
    vote(case, readers[:2], "AB")
    answers = consensus_of(case=case)["answers"]
    assert (answers["majority"], answers["is_tie"]) == (None, True)


def test_the_weighed_answer_is_dawid_and_skenes(benchmark: Benchmark, readers: list[User]) -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, LEAST_CASES + 6)
    table, cases = np.empty((3, len(truth))), []
    for at, true in enumerate(truth):
        made = make_case(benchmark, f"case{at:02}")
        table[:, at] = [true, true, rng.integers(0, 2)]
        vote(made, readers, "".join("AB"[int(one)] for one in table[:, at]))
        cases.append(made)
    posterior, _ = dawid_skene(table, categories=2)
    for at in (0, 5, 9):
        found = consensus_of(case=cases[at])["answers"]["dawid_skene"]
        assert found["posterior"]["B"] == pytest.approx(posterior[at, 1], abs=1e-6)
        assert found["best"] == "AB"[int(posterior[at].argmax())]
        assert 0 <= found["entropy_bits"] <= found["most_entropy_bits"] == 1
        assert (found["ratings"], found["cases"]) == (48, 16)


def test_the_fit_is_kept_until_somebody_submits(
    benchmark: Benchmark, case: Case, readers: list[User], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    vote(case, readers, "AAB")
    first = fit_of(benchmark)
    with django_assert_num_queries(1):
        assert fit_of(benchmark) == first
    submitted(case, readers[0], content(answer={"choice": "B"}))
    assert fit_of(benchmark).prior != first.prior


def test_nothing_is_learnt_of_readers_from_a_question_that_is_no_more(
    benchmark: Benchmark, case: Case, readers: list[User]
) -> None:
    vote(case, readers, "AAB")
    vote(make_case(benchmark, "other"), readers, "BBB")
    before = fit_of(benchmark)
    Case.objects.filter(pk=case.pk).update(input_digest="f" * 64)
    after = fit_of(benchmark)
    assert ((before.ratings, before.cases), (after.ratings, after.cases)) == ((6, 2), (3, 1))


def test_only_independent_words_on_this_very_question_count(case: Case, readers: list[User]) -> None:
    vote(case, readers, "AAB")
    submitted(case, readers[0], content(answer={"choice": "B"}), arm=Arm.AIDED)
    old = Reading.objects.get(reader=readers[1])
    Case.objects.filter(pk=case.pk).update(input_digest="f" * 64)
    case.refresh_from_db()
    submitted(case, readers[2], content(answer={"choice": "B"}))
    surplus = submitted(case, make_user("late"), content(answer={"choice": "A"}))
    Reading.objects.filter(pk=surplus.pk).update(state=ReadingState.SURPLUS)
    found = consensus_of(case=case)
    assert found["answers"]["votes"] == {"A": 0, "B": 1}
    assert len(found["readings"]) == 4
    assert [one["reader"] for one in found["readings"]] == ["R1", "R2", "R3", "R1"]
    assert found["readings"][1]["is_of_this_input"] is False
    assert str(old.pk) == found["readings"][1]["reading"]
    assert all(one["name"] is None for one in found["readings"])
    assert consensus_of(case=case, is_named=True)["readings"][0]["name"] == "reader0"


def test_who_revised_after_a_look_counts_by_what_they_said_blind(case: Case, readers: list[User]) -> None:
    first, second, third = readers[:3]
    for reader in (first, second):
        submitted(case, reader, content(answer={"choice": "A"}))
    submitted(case, second, content(answer={"choice": "B"}), is_after_looking=True)
    submitted(case, third, content(answer={"choice": "B"}), is_after_looking=True)
    found = consensus_of(case=case)
    assert found["answers"]["votes"] == {"A": 2, "B": 0}
    assert [(row["revision"], row["counted_revision"]) for row in found["readings"]] == [(1, 1), (2, 1), (1, None)]
    assert found["readings"][1]["content"]["answer"] == {"choice": "B"}, "what they say now is what is shown"
    assert found["counted"] == [0, 1]
    assert fit_of(case.benchmark).ratings == 2


def test_taken_as_gold_it_has_an_answer_and_regions_but_no_words(case: Case, readers: list[User]) -> None:
    box = roi(id=str(uuid.uuid4()))
    for reader, choice in zip(readers, "AAB", strict=True):
        submitted(case, reader, content(answer={"choice": choice}, rois=[box], steps=[], entities=[]))
    told = consensus_content(consensus_of(case=case))
    assert told["answer"] == {"choice": "A"}
    assert [one["shape"] for one in told["rois"]] == ["mask"]
    assert told["steps"] == []


@pytest.mark.parametrize("count", [1, 3])
def test_it_costs_the_same_however_many_readings(
    case: Case, readers: list[User], count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    vote(case, readers[:count], "AAB"[:count])
    fit_of(case.benchmark)
    with django_assert_num_queries(6):
        consensus_of(case=case)


def test_a_reading_that_does_not_count_stands_beside_the_rows_and_changes_no_number() -> None:
    first = said("A nodule in the left lung.", "The heart is large.")
    rest = (
        said("A nodule in the left lung."),
        said("A nodule in the left lung.", "The heart is large.", "No effusion."),
    )
    alone = step_rows([first, rest[0]])
    rows = step_rows([first, *rest], counted=[0, 1])
    assert [row["said_by"] for row in rows] == [2, 1, 0]
    assert [row["steps"] for row in rows] == [[0, 0, 0], [1, None, 1], [None, None, 2]]
    for name in ("likeness", "critical"):
        assert [row[name] for row in rows][:2] == [row[name] for row in alone]
    assert [row["views"] for row in rows] == [[0, 0, 0], [0, None, 0], [None, None, 0]]
    aside = step_rows([said("A small left effusion"), said("A small right effusion")], counted=[0])
    assert aside[0]["differing"][0] == [], "what does not count marks no word of what does"
    assert aside[0]["differing"][1] != []
    assert step_rows([first], counted=[]) == step_rows([first])
