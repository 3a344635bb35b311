"""From imported rows to a submitted reading: what each protocol asks for over HTTP, and the path of what lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from annotations.models import ReadingRevision
from curation.importing import import_cases
from curation.models import Protocol
from curation.protocols import defaults
from tests.annotations.contents import content, roi, step
from tests.curation import medthinkvqa_rows
from tests.curation.sources import png, write_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rest_framework.test import APIClient

    from curation.models import Benchmark, User

BOX = {"x0": 2, "y0": 1, "x1": 7, "y1": 5}
FETAL: dict[str, Any] = {
    "id": "us-1", "image": "b.png", "image_clean": "a.png", "question": "Which?", "options": {"A": "x", "B": "y"},
    "answer": "A", "box_xyxy": [2, 1, 7, 5],
}  # fmt: skip


@pytest.fixture
def reading(
    benchmark: Benchmark, reader: User, api: Callable[[User], APIClient], tmp_path: Path
) -> Callable[[str, dict[str, Any], dict[str, Any]], Any]:
    """Import a row, read its case with a content, submit: the answer of the submit."""

    def read(file_format: str, row: dict[str, Any], given: dict[str, Any]) -> Any:
        Protocol.objects.filter(benchmark=benchmark).update(kind=file_format, config=defaults(file_format))
        for number, name in enumerate(("a.png", "b.png")):
            (tmp_path / name).write_bytes(png(number))
        medthinkvqa_rows.write_images(tmp_path)
        rows = write_records(tmp_path, [row], "VGMED_localization.jsonl")
        assert import_cases(benchmark=benchmark, path=rows, format=file_format).rejected == []
        client = api(reader)
        pk = client.post(reverse("next-case", args=[benchmark.slug])).json()["reading"]["id"]
        body = {"version": 0, **given}
        saved = client.put(reverse("reading-draft", args=[pk]), body, format="json")
        assert saved.status_code == 200, saved.json()
        version = {"version": saved.json()["version"]}
        return client.post(
            reverse("reading-submit", args=[pk]), version, format="json", headers={"Idempotency-Key": "k"}
        )

    return read


def lacking(answer: Any) -> list[str]:
    assert answer.status_code == 400, answer.json()
    return [error["path"] for error in answer.json()["errors"]]


def steps(*kinds: tuple[str, int | None]) -> list[dict[str, Any]]:
    return [step(kind=kind, image=image) for kind, image in kinds]


EMPTY = content(answer=None, confidence=None, rois=[], steps=[], entities=[])


def test_medthinkvqa_asks_for_every_step(reading: Any) -> None:
    assert lacking(reading("medthinkvqa", medthinkvqa_rows.row(), EMPTY)) == [
        "answer",
        "steps.image_finding.1",
        "steps.image_finding.2",
        "steps.summary",
        "steps.differential",
    ]
    assert not ReadingRevision.objects.exists()


def test_medthinkvqa_names_the_image_without_a_finding(reading: Any) -> None:
    said = steps(("image_finding", 2), ("summary", None), ("differential", None))
    given = {**EMPTY, "answer": {"choice": "C"}, "steps": said}
    answer = reading("medthinkvqa", medthinkvqa_rows.row(), given)
    assert lacking(answer) == ["steps.image_finding.1"]
    assert answer.json()["errors"][0]["detail"] == "image 1 has no finding yet"


def test_medthinkvqa_takes_a_whole_reading(reading: Any) -> None:
    said = steps(("image_finding", 1), ("image_finding", 2), ("summary", None), ("differential", None))
    answer = reading("medthinkvqa", medthinkvqa_rows.row(), {**EMPTY, "answer": {"choice": "C"}, "steps": said})
    assert answer.status_code == 200, answer.json()


def test_vgmed_wants_a_region_and_no_answer(reading: Any) -> None:
    row = {"image": "a.png", "question": "Is there a blob?", "bbox": [2, 1, 7, 5]}
    assert lacking(reading("vgmed", row, EMPTY)) == ["rois"]


def test_vgmed_takes_a_region_alone(reading: Any) -> None:
    row = {"image": "a.png", "question": "Is there a blob?", "bbox": [2, 1, 7, 5]}
    answer = reading("vgmed", row, {**EMPTY, "rois": [roi(label="target", geometry=BOX)]})
    assert answer.status_code == 200, answer.json()


@pytest.mark.parametrize("task", ["PI", "VC", "FO", "CD"])
def test_a_fetal_question_wants_an_answer(reading: Any, task: str) -> None:
    answer = reading("fetal_gauge", {**FETAL, "task": task}, {**EMPTY, "answer": {"choice": "B"}})
    assert answer.status_code == 200, answer.json()


def test_a_fetal_question_without_an_answer_lacks_it_alone(reading: Any) -> None:
    assert lacking(reading("fetal_gauge", {**FETAL, "task": "PI"}, EMPTY)) == ["answer"]


def test_visual_grounding_wants_the_experts_own_region_too(reading: Any) -> None:
    answer = reading("fetal_gauge", {**FETAL, "task": "VG"}, {**EMPTY, "answer": {"choice": "B"}})
    assert lacking(answer) == ["rois"]
    assert answer.json()["errors"][0]["detail"] == "a VG question wants at least one ROI"


def test_visual_grounding_takes_answer_and_region(reading: Any) -> None:
    region = roi(label="structure", geometry=BOX)
    answer = reading("fetal_gauge", {**FETAL, "task": "VG"}, {**EMPTY, "answer": {"choice": "B"}, "rois": [region]})
    assert answer.status_code == 200, answer.json()
