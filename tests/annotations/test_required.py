"""What a reading lacks to be submitted, requirement by requirement."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from annotations.content import Frame, ImageExtent, parse_content
from annotations.required import REQUIREMENTS, missing
from curation import protocols
from tests.annotations.contents import content, entity, roi, step

FRAME = Frame(
    images={1: ImageExtent(64, 48, 1), 2: ImageExtent(32, 32, 30)},
    options=("A", "B"),
    labels={"node": ()},
    step_kinds=("image_finding", "summary", "differential", "answer"),
    required=(),
)


def asking(*names: str) -> Frame:
    return replace(FRAME, required=names)


@pytest.mark.parametrize(
    ("name", "lacking", "path"),
    [
        ("answer", {"answer": None}, "answer"),
        ("confidence", {"confidence": None}, "confidence"),
        ("rois", {"rois": [], "steps": [], "entities": []}, "rois"),
        ("label", {}, "rois[0].label"),
        ("steps", {"steps": []}, "steps"),
        ("step_text", {"steps": [step(text="")]}, "steps[0].text"),
        ("evidence", {"steps": [step(kind="answer"), step()]}, "steps[1].evidence"),
        ("image_findings", {"steps": [step(image=2)]}, "steps.image_finding.1"),
        ("image_findings", {"steps": [step(), step(image=2, text=" ")]}, "steps[1].text"),
        ("image_findings", {"steps": [step(), step(kind="summary", image=2)]}, "steps.image_finding.2"),
        ("summary", {"steps": [step()]}, "steps.summary"),
        ("summary", {"steps": [step(), step(kind="summary", image=None, text="")]}, "steps[1].text"),
        ("differential", {"steps": [step(kind="summary")]}, "steps.differential"),
    ],
)
def test_what_a_protocol_requires_is_missing_only_when_asked(name: str, lacking: dict[str, Any], path: str) -> None:
    parsed = parse_content(content(**lacking), FRAME)
    assert missing(parsed, FRAME) == ()
    assert [error.path for error in missing(parsed, asking(name))] == [path]


@pytest.mark.parametrize(("task", "lacks"), [("VG", True), ("localization", True), ("PI", False), ("", False)])
def test_a_region_is_wanted_where_the_question_is_of_a_place(task: str, lacks: bool) -> None:
    frame = replace(FRAME, required=("task_rois",), task=task)
    assert bool(missing(parse_content({"answer": {"choice": "A"}}, frame), frame)) is lacks
    assert missing(parse_content({"rois": [roi()]}, frame), frame) == ()


def test_what_two_requirements_find_is_told_once() -> None:
    parsed = parse_content({"steps": [step(kind="summary", text="")]}, FRAME)
    assert [error.path for error in missing(parsed, asking("step_text", "summary"))] == ["steps[0].text"]


def test_a_confidence_of_0_is_a_confidence() -> None:
    assert missing(parse_content({"confidence": 0}, FRAME), asking("confidence")) == ()


def test_a_whole_reading_lacks_nothing() -> None:
    whole = content()
    whole["rois"][0]["label"] = "node"
    evidence = [whole["rois"][0]["id"]]
    whole["steps"] += [
        step(image=2, evidence=evidence),
        step(kind="summary", image=None, evidence=evidence),
        step(kind="differential", image=None, evidence=evidence),
    ]
    assert missing(parse_content(whole, FRAME), asking(*REQUIREMENTS)) == ()


def test_a_nameless_entity_is_a_draft_but_no_reading() -> None:
    parsed = parse_content({"entities": [entity(name="")]}, FRAME)
    assert [error.path for error in missing(parsed, FRAME)] == ["entities[0].name"]


def test_protocols_may_require_exactly_what_is_looked_at_here() -> None:
    assert set(protocols.REQUIREMENTS) == set(REQUIREMENTS)
