"""Joining parts of several readings: evidence always points at a ROI that is there."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.content import BadContent, Frame, ImageExtent
from annotations.review_content import (
    NOTHING,
    Source,
    as_gold,
    from_gold,
    merged,
    parse_gold_content,
    parse_sources,
    records,
)
from tests.annotations.contents import content, roi, step

FRAME = Frame(
    images={1: ImageExtent(64, 48, 1)},
    options=("A", "B"),
    labels={"box_only": ("box",)},
    step_kinds=("image_finding", "free"),
    required=(),
)


def source(said: dict[str, Any], **taken: Any) -> Source:
    return Source(reading=str(uuid.uuid4()), revision=1, content=said, **taken)


def test_a_step_brings_the_rois_it_rests_on() -> None:
    said = content()
    only = source(said, has_answer=False, rois=(), steps=(said["steps"][0]["id"],))
    joined = merged([only])
    assert joined == {"answer": None, "rois": said["rois"], "steps": said["steps"]}
    assert only.record()["rois"] == [said["rois"][0]["id"]]


def test_a_roi_comes_alone() -> None:
    said = content()
    assert merged([source(said, rois=(said["rois"][0]["id"],), steps=())])["steps"] == []


def test_the_first_answer_counts_and_is_named() -> None:
    first, second = source(content(answer=None)), source(content(answer={"choice": "A"}))
    third = source(content(answer={"choice": "B"}))
    assert merged([first, second, third])["answer"] == {"choice": "A"}
    assert [row["answer"] for row in records([first, second, third])] == [False, True, False]


def test_ids_that_two_readings_share_part_ways() -> None:
    said = content()
    joined = merged([source(said), source(said)])
    ids = [row["id"] for row in joined["rois"] + joined["steps"]]
    assert len(set(ids)) == 4
    assert joined["steps"][1]["evidence"] == [joined["rois"][1]["id"]]
    parse_gold_content(joined, FRAME)


@st.composite
def sources(draw: st.DrawFn) -> list[Source]:
    pool = [str(uuid.UUID(int=number + 1)) for number in range(6)]
    found = []
    for number in range(draw(st.integers(1, 4))):
        ids = draw(st.permutations(pool))
        rois = [roi(id=name) for name in ids[: draw(st.integers(0, 3))]]
        steps = [
            step(id=name, evidence=draw(st.lists(st.sampled_from([row["id"] for row in rois]), unique=True)))
            if rois
            else step(id=name)
            for name in ids[3 : 3 + draw(st.integers(0, 3))]
        ]
        said = content(rois=rois, steps=steps, entities=[])
        pick = [
            draw(st.none() | st.just(tuple(draw(st.lists(st.sampled_from([r["id"] for r in rows] or [""]))))))
            for rows in (rois, steps)
        ]
        found.append(
            Source(str(uuid.UUID(int=100 + number)), 1, said, draw(st.booleans()), rois=pick[0], steps=pick[1])
        )
    return found


@given(sources())
@settings(max_examples=150, deadline=None)
def test_whatever_is_joined_is_valid_and_rests_on_what_is_there(given_sources: list[Source]) -> None:
    joined = merged(given_sources)
    parsed = parse_gold_content(joined, FRAME)
    there = {row["id"] for row in parsed["rois"]}
    assert all(set(row["evidence"]) <= there for row in parsed["steps"])
    assert len(parsed["rois"]) == sum(len(one.record()["rois"]) for one in given_sources)
    assert merged(given_sources) == joined


def test_paths_begin_where_the_body_does() -> None:
    with pytest.raises(BadContent) as caught:
        parse_gold_content({"answer": {"choice": "Z"}, "rois": [roi(image=9)], "steps": []}, FRAME)
    assert {error.path for error in caught.value.errors} == {"content.answer.choice", "content.rois[0].image"}
    with pytest.raises(BadContent, match=r"content\.confidence"):
        parse_gold_content({"confidence": 1}, FRAME)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "sources"),
        ([{}], "sources[0].reading"),
        ([{"reading": str(uuid.UUID(int=9))}], "sources[0].reading"),
        ([{"reading": "r", "revision": 2}], "sources[0].revision"),
        ([{"reading": "r", "revision": True}], "sources[0].revision"),
        ([{"reading": "r", "answer": 1}], "sources[0].answer"),
        ([{"reading": "r", "rois": [str(uuid.UUID(int=9))]}], "sources[0].rois[0]"),
        ([{"reading": "r", "steps": "all"}], "sources[0].steps"),
        ([{"reading": "r", "why": ""}], "sources[0].why"),
        ([{"reading": ["r"]}], "sources[0].reading"),
    ],
)
def test_sources_are_of_this_case(body: Any, path: str) -> None:
    with pytest.raises(BadContent) as caught:
        parse_sources(body, {("r", 1): content()})
    assert path in {error.path for error in caught.value.errors}


def test_without_a_revision_the_newest_is_meant() -> None:
    (found,) = parse_sources([{"reading": "r"}], {("r", 1): content(), ("r", 2): content(answer=None)})
    assert (found.revision, found.content["answer"]) == (2, None)


def test_a_review_starts_from_the_gold_there_is() -> None:
    said = as_gold(parse_gold_content(merged([source(content())]), FRAME))
    started = from_gold(said, FRAME)
    assert as_gold(started) == said
    assert from_gold({"answer": "B", "rois": [], "steps": []}, FRAME)["answer"] == {"choice": "B"}
    assert from_gold({"answer": "a cyst", "rois": [], "steps": []}, FRAME)["answer"] == {"text": "a cyst"}
    assert from_gold({"answer": None, "rois": [], "steps": [{"kind": "odd"}]}, FRAME) == NOTHING
    assert from_gold(None, FRAME) == NOTHING
