"""What a reading may hold, field by field."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from annotations.content import (
    MOST_ROIS,
    MOST_STEP_CHARACTERS,
    BadContent,
    Frame,
    ImageExtent,
    parse_content,
)
from curation.geometry import decode_rle
from tests.annotations.contents import content, entity, roi, step
from tests.factories import make_case

if TYPE_CHECKING:
    from curation.models import Benchmark

ID = "9f1b6a3e-8d5c-4f77-9f0e-3d7a54a3a111"
FRAME = Frame(
    images={1: ImageExtent(64, 48, 1), 2: ImageExtent(32, 32, 30)},
    options=("A", "B"),
    labels={"effusion": ("box",), "node": ()},
    step_kinds=("image_finding", "summary", "differential", "answer"),
    required=(),
)


def faults(body: object) -> dict[str, str]:
    with pytest.raises(BadContent) as caught:
        parse_content(body, FRAME)
    return {error.path: error.detail for error in caught.value.errors}


def boxed(x0: Any, y0: Any, x1: Any, y1: Any) -> dict[str, Any]:
    return {"rois": [roi(geometry={"x0": x0, "y0": y0, "x1": x1, "y1": y1})]}


def test_takes_a_whole_reading_as_it_is() -> None:
    given = content()
    assert parse_content(given, FRAME) == given


def test_an_empty_object_is_an_empty_reading() -> None:
    assert parse_content({}, FRAME) == {"answer": None, "confidence": None, "rois": [], "steps": [], "entities": []}


def test_fills_what_may_be_left_out() -> None:
    box = {"id": ID, "image": 1, "shape": "point", "geometry": {"x": 0, "y": 48}}
    parsed = parse_content({"rois": [box], "steps": [{"id": str(uuid.uuid4()), "kind": "summary"}]}, FRAME)
    assert parsed["rois"][0] == {**box, "frame": 0, "label": None, "origin": "manual"}
    assert parsed["steps"][0]["evidence"] == []


def test_ids_come_out_in_their_usual_spelling_and_still_link() -> None:
    parsed = parse_content({"rois": [roi(id=ID.upper())], "steps": [step(evidence=[ID.replace("-", "")])]}, FRAME)
    assert parsed["rois"][0]["id"] == ID
    assert parsed["steps"][0]["evidence"] == [ID]


@pytest.mark.parametrize("body", [None, [], 3, "text", True])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    assert list(faults(body)) == [""]


@pytest.mark.parametrize(
    ("geometry", "path"),
    [
        ((float("nan"), 0, 5, 5), "rois[0].geometry.x0"),
        ((0, float("inf"), 5, 5), "rois[0].geometry.y0"),
        ((-1, 0, 5, 5), "rois[0].geometry.x0"),
        ((0, 0, 64.01, 5), "rois[0].geometry.x1"),
        ((0, 0, 5, 48.5), "rois[0].geometry.y1"),
        ((5, 0, 5, 5), "rois[0].geometry.x1"),
        ((0, 9, 5, 5), "rois[0].geometry.y1"),
        (("0", 0, 5, 5), "rois[0].geometry.x0"),
        ((0, 0, True, 5), "rois[0].geometry.x1"),
        ((0, 0, 10**400, 5), "rois[0].geometry.x1"),
    ],
)
def test_a_box_outside_or_turned_inside_out_is_refused(geometry: tuple[Any, Any, Any, Any], path: str) -> None:
    assert list(faults(boxed(*geometry))) == [path]


def test_a_box_over_the_whole_image_is_taken() -> None:
    parsed = parse_content(boxed(0, 0, 64, 48), FRAME)
    assert parsed["rois"][0]["geometry"] == {"x0": 0, "y0": 0, "x1": 64, "y1": 48}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"shape": "polygon", "geometry": {"points": [[1, 1], [2, 2]]}}, "rois[0].geometry.points"),
        ({"shape": "polygon", "geometry": {"points": [[1, 1], [2, 2], [3, 99]]}}, "rois[0].geometry.points[2][1]"),
        ({"shape": "ellipse", "geometry": {"cx": 5, "cy": 5, "rx": 0, "ry": 2, "angle": 0}}, "rois[0].geometry.rx"),
        ({"shape": "circle"}, "rois[0].shape"),
        ({"shape": ["box"]}, "rois[0].shape"),
        ({"geometry": None}, "rois[0].geometry"),
        ({"geometry": {"x0": 1, "y0": 1, "x1": 2}}, "rois[0].geometry.y1"),
        ({"image": 3}, "rois[0].image"),
        ({"image": 0}, "rois[0].image"),
        ({"image": 1.0}, "rois[0].image"),
        ({"image": True}, "rois[0].image"),
        ({"frame": 1}, "rois[0].frame"),
        ({"frame": -1}, "rois[0].frame"),
        ({"image": 2, "frame": 30, "geometry": {"x0": 1, "y0": 1, "x1": 2, "y1": 2}}, "rois[0].frame"),
        ({"label": "mass"}, "rois[0].label"),
        ({"label": ""}, "rois[0].label"),
        ({"label": "effusion", "shape": "point", "geometry": {"x": 1, "y": 1}}, "rois[0].shape"),
        ({"origin": "guessed"}, "rois[0].origin"),
        ({"id": "one"}, "rois[0].id"),
        ({"id": None}, "rois[0].id"),
        ({"colour": "red"}, "rois[0].colour"),
    ],
)
def test_a_wrong_roi_is_refused_with_its_path(changes: dict[str, Any], path: str) -> None:
    assert list(faults({"rois": [roi(**changes)]})) == [path]


def test_an_image_number_between_two_others_must_exist() -> None:
    frame = Frame(
        images={1: ImageExtent(9, 9, 1), 3: ImageExtent(9, 9, 1)}, options=(), labels={}, step_kinds=(), required=()
    )
    with pytest.raises(BadContent, match=r"rois\[0\].image: 2 is no image of this case"):
        parse_content({"rois": [roi(image=2)]}, frame)


def test_a_label_without_shapes_allows_each() -> None:
    parsed = parse_content({"rois": [roi(label="node", shape="point", geometry={"x": 1, "y": 1})]}, FRAME)
    assert parsed["rois"][0]["label"] == "node"


@pytest.mark.parametrize("counts", [[0, 4, 3068], "04lo2"])
def test_a_mask_is_stored_as_a_compressed_string(counts: object) -> None:
    mask = {"size": [48, 64], "counts": counts}
    stored = parse_content({"rois": [roi(shape="mask", geometry=mask)]}, FRAME)["rois"][0]["geometry"]
    assert stored["counts"] == "04lo2"
    assert decode_rle(stored).sum() == 4


@pytest.mark.parametrize(
    ("mask", "path"),
    [
        ({"size": [64, 48], "counts": [3072]}, "rois[0].geometry.size"),
        ({"size": [10**9, 10**9], "counts": [1]}, "rois[0].geometry.size"),
        ({"size": [48, 64], "counts": [3, -1]}, "rois[0].geometry.counts"),
        ({"size": [48, 64], "counts": [3072]}, "rois[0].geometry.counts"),
        ({"size": [48, 64], "counts": "~~~~"}, "rois[0].geometry.counts"),
    ],
)
def test_a_wrong_mask_is_refused(mask: dict[str, Any], path: str) -> None:
    assert list(faults({"rois": [roi(shape="mask", geometry=mask)]})) == [path]


def test_ids_are_used_once_in_a_reading() -> None:
    assert list(faults({"rois": [roi(id=ID), roi(id=ID.upper())]})) == ["rois[1].id"]
    assert list(faults({"rois": [roi(id=ID)], "steps": [step(id=ID)]})) == ["steps[0].id"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"kind": "guess"}, "steps[0].kind"),
        ({"kind": "free"}, "steps[0].kind"),
        ({"image": 9}, "steps[0].image"),
        ({"text": None}, "steps[0].text"),
        ({"text": "x" * (MOST_STEP_CHARACTERS + 1)}, "steps[0].text"),
        ({"text": "nul\0"}, "steps[0].text"),
        ({"text": "half \ud800"}, "steps[0].text"),
        ({"evidence": [str(uuid.uuid4())]}, "steps[0].evidence[0]"),
        ({"evidence": ["x"]}, "steps[0].evidence[0]"),
        ({"evidence": [{}]}, "steps[0].evidence[0]"),
        ({"evidence": None}, "steps[0].evidence"),
        ({"evidence": [ID, ID]}, "steps[0].evidence[1]"),
        ({"regions": [4]}, "steps[0].regions[0]"),
        ({"is_critical": 1}, "steps[0].is_critical"),
        ({"confidence": 1.01}, "steps[0].confidence"),
        ({"topic": 5}, "steps[0].topic"),
        ({"state": "x" * 33}, "steps[0].state"),
        ({"is_factual": True}, "steps[0].is_factual"),
    ],
)
def test_a_wrong_step_is_refused_with_its_path(changes: dict[str, Any], path: str) -> None:
    assert list(faults({"rois": [roi(id=ID)], "steps": [step(**changes)]})) == [path]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": "x" * 201}, "entities[0].name"),
        ({"role": "organ"}, "entities[0].role"),
        ({"present": None}, "entities[0].present"),
        ({"rois": [str(uuid.uuid4())]}, "entities[0].rois[0]"),
        ({"view": "side"}, "entities[0].view"),
        ({"code": "x"}, "entities[0].code"),
    ],
)
def test_a_wrong_entity_is_refused_with_its_path(changes: dict[str, Any], path: str) -> None:
    assert list(faults({"entities": [entity(**changes)]})) == [path]


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        ({"choice": "C"}, "answer.choice"),
        ({"choice": None}, "answer.choice"),
        ({"choice": "A", "text": "x"}, "answer"),
        ({}, "answer"),
        ("A", "answer"),
        ({"letter": "A"}, "answer.letter"),
        ({"text": 7}, "answer.text"),
        ({"boxes": [[0, 0, 5]]}, "answer.boxes[0]"),
        ({"boxes": [[0, 0, 5, 5], [0, 0, 65, 5]]}, "answer.boxes[1][2]"),
        ({"boxes": [[5, 0, 5, 5]]}, "answer.boxes[0][2]"),
        ({"boxes": {}}, "answer.boxes"),
    ],
)
def test_a_wrong_answer_is_refused(answer: object, path: str) -> None:
    assert path in faults({"answer": answer})


@pytest.mark.parametrize("answer", [None, {"choice": "B"}, {"text": "a fracture"}, {"boxes": [[0, 0, 64, 48.0]]}])
def test_takes_each_kind_of_answer(answer: object) -> None:
    assert parse_content({"answer": answer}, FRAME)["answer"] == answer


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan"), float("inf"), "0.5", True, [0.5]])
def test_confidence_is_a_number_from_0_to_1(confidence: object) -> None:
    assert list(faults({"confidence": confidence})) == ["confidence"]


@pytest.mark.parametrize("confidence", [0, 1, 0.25, None])
def test_takes_a_confidence_within(confidence: object) -> None:
    assert parse_content({"confidence": confidence}, FRAME)["confidence"] == confidence


def test_every_fault_is_found_at_once() -> None:
    found = faults({"rois": [roi(image=7), roi(label="mass")], "steps": [step(kind="x")], "mood": 1, "confidence": 2})
    assert set(found) == {"rois[0].image", "rois[1].label", "steps[0].kind", "mood", "confidence"}


def test_unknown_fields_are_named_in_a_form_that_can_be_sent() -> None:
    assert list(faults({"\ud800": 1})) == ["\\ud800"]


def test_too_many_rois_are_refused_without_looking_at_each() -> None:
    assert faults({"rois": [None] * (MOST_ROIS + 1)}) == {"rois": "2001 items, at most 2000 are taken"}


def test_the_list_of_faults_ends() -> None:
    assert len(faults({"rois": [None] * MOST_ROIS})) == 50


def test_2000_rois_are_taken() -> None:
    assert len(parse_content({"rois": [roi() for _ in range(MOST_ROIS)]}, FRAME)["rois"]) == MOST_ROIS


def test_the_frame_of_a_case_knows_its_task(benchmark: Benchmark) -> None:
    case = make_case(benchmark, extra={"sightline": {"task": "VG"}})
    assert Frame.of(case, {}).task == "VG"
