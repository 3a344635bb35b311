"""Rows in which every column says something of its own: only what may be shown reaches a model or a blind reader."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations.assigning import HandedOut, next_case
from curation.images import rendered_frame
from curation.importing import import_cases
from curation.models import Case, Protocol
from curation.protocols import defaults
from inference import prompts
from inference.inputs import build_input
from tests.curation.medthinkvqa_rows import OPTIONS, PARTS
from tests.curation.sources import png, write_records
from tests.expectations import EXPECTED, build_world
from tests.inference.conftest import plant, predict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from curation.models import Benchmark, User

SIZE = (40, 30)
#: Numbers that stand nowhere else; as a box they lie within SIZE.
BOX = [3.0625, 2.9375, 17.8125, 21.4375]


def mark(column: str) -> str:
    """What a column says: found again wherever it goes."""
    return f"zq-{column.replace(' ', '-')}-qz"


def medthinkvqa() -> tuple[dict[str, Any], set[str], set[str]]:
    names = (
        "IMAGING_FINDINGS", "discussion", "correct_answer_text", "ICD Chapter", "ICD Block", "ICD Category",
        "CLINICAL_HISTORY", "is_longitudinal", "timepoint_count", "interval_text", "image_count",
    )  # fmt: skip
    row: dict[str, Any] = {name: mark(name) for name in names}
    row |= {"title": f"{mark('title')} 19003", "correct_answer": "E"}
    row["options"] = {letter: mark(f"option-{letter}") for letter in OPTIONS}
    slots = {f"image_{n:02d}_{part}" for n in range(1, 50) for part in PARTS}
    row |= {name: f"{mark(name)}.png" if name.endswith("_path") else mark(name) for name in slots}
    assert len(row) == 14 + 49 * 5
    to_models = {mark("CLINICAL_HISTORY"), *row["options"].values()}
    to_readers = {mark(name) for name in slots if name.endswith("modality")}
    return row, to_models, to_readers


def vgmed() -> tuple[dict[str, Any], set[str], set[str]]:
    hidden = ("mask", "label", "location", "ratio", "answer", "odd")
    row: dict[str, Any] = {name: mark(name) for name in hidden}
    row |= {"image": f"{mark('image')}.png", "question": mark("question"), "modality": mark("modality")}
    row |= {"bbox": [str(number) for number in BOX], "original_bboxes": [BOX]}
    return row, {mark("question")}, {mark("modality")}


def fetal_gauge(task: str = "CD") -> tuple[dict[str, Any], set[str], set[str]]:
    hidden = ("answer_text", "label_raw", "source_id", "box_area_frac", "odd")
    row: dict[str, Any] = {name: mark(name) for name in hidden}
    row |= {"id": "us-1", "task": task, "question": mark("question"), "domain": "phantom", "answer": "A"}
    row |= {name: f"{mark(name)}.png" for name in ("image", "image_clean")}
    row |= {"options": {"A": mark("option-A"), "B": mark("option-B")}, "box_xyxy": BOX}
    row |= {"image_width": SIZE[0], "image_height": SIZE[1]}
    return row, {mark("question"), *row["options"].values()}, set()


def with_house_columns(row: dict[str, Any], file_format: str) -> dict[str, Any]:
    """The row with all else that says whose it is."""
    names = {
        "fetal_gauge": ("patient_id", "source_dataset", "license", "split", "attribution"),
    }.get(file_format, ("patient", "source", "licence", "split", "attribution"))
    return {**row, **{name: mark(name) for name in names}}


FORMATS = {
    "medthinkvqa": medthinkvqa,
    "vgmed": vgmed,
    "fetal_gauge": fetal_gauge,
}


def marks(value: object) -> set[str]:
    """Every mark in a row, and its box's numbers."""
    if isinstance(value, dict):
        return set().union(*map(marks, value.values()))
    if isinstance(value, list):
        return set().union(*map(marks, value))
    if isinstance(value, str) and value.startswith("zq-"):
        return {value[: value.index("-qz") + 3]}
    return {repr(value)} if isinstance(value, float) else set()


def imported(benchmark: Benchmark, folder: Path, file_format: str, row: dict[str, Any]) -> Case:
    Protocol.objects.filter(benchmark=benchmark).update(kind=file_format, config=defaults(file_format))
    for name, value in row.items():
        if isinstance(value, str) and value.endswith(".png"):
            (folder / value).write_bytes(png(len(name), SIZE))
    file = write_records(folder, [row], "VGMED_attribute.jsonl")
    report = import_cases(benchmark=benchmark, path=file, format=file_format)
    assert report.rejected == []
    return Case.objects.get(benchmark=benchmark)


def everything_given_to(user: User, ids: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """What each address that is read gives to somebody, but the event stream (ids alone) and the API's description."""
    client = Client(raise_request_exception=False)
    client.force_login(user)
    for row in EXPECTED:
        if row.method == "GET" and row.name not in {"events", "api-schema", "api-docs"}:
            path = reverse(row.name, kwargs={key: ids[known] for key, known in row.kwargs.items()})
            answer: Any = client.get(path + row.query)
            yield row.name, b"".join(answer.streaming_content) if answer.streaming else answer.content
    for name, key in (("next-case", "slug"), ("assignment-heartbeat", "assignment")):
        answer = client.post(reverse(name, args=[ids[key]]))
        assert answer.status_code == 200
        yield name, answer.content


@pytest.fixture(params=list(FORMATS))
def given(
    request: pytest.FixtureRequest, benchmark: Benchmark, tmp_path: Path
) -> tuple[Case, set[str], set[str], set[str]]:
    """An imported case, all its marks, those that models may see, and those that blind readers may see as well."""
    row, to_models, to_readers = FORMATS[request.param]()
    row = with_house_columns(row, request.param)
    return imported(benchmark, tmp_path, request.param, row), marks(row), to_models, to_models | to_readers


def test_a_model_sees_history_question_options_and_pixels(given: tuple[Case, set[str], set[str], set[str]]) -> None:
    case, everything, to_models, _ = given
    seen = build_input(case, input_digest=case.input_digest)
    words = json.dumps([seen.case_key, seen.question, seen.options, seen.history])
    words += prompts.answer_prompt(seen.question, seen.options, seen.history) + prompts.question_prompt(seen.question)
    assert {word for word in everything if word in words} == to_models


def test_what_a_model_said_holds_no_column(given: tuple[Case, set[str], set[str], set[str]]) -> None:
    case, everything, to_models, _ = given
    prediction = predict(plant("planted"), case)
    assert prediction.state == "done"
    said = json.dumps(type(prediction).objects.filter(pk=prediction.pk).values()[0], default=repr)
    assert not {word for word in everything - to_models if word in said}


def test_a_blind_reader_finds_nothing_else_at_any_address(
    given: tuple[Case, set[str], set[str], set[str]], benchmark: Benchmark, reader: User
) -> None:
    case, everything, _, to_readers = given
    handed = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(handed, HandedOut)
    prediction = predict(plant("planted-too"), case)
    ids = dict(build_world(benchmark, reader).ids)
    ids |= {"case": case.pk, "sha256": case.images.first().asset_id, "prediction": prediction.pk}  # type: ignore[union-attr]
    ids |= {"reading": handed.reading.pk, "assignment": handed.assignment.pk}
    found: dict[str, set[str]] = {}
    for name, answer in everything_given_to(reader, ids):
        found[name] = {word for word in everything if word.encode() in answer}
        # Lists are filtered by split, which says nothing of a case.
        assert found[name] <= to_readers | {mark("split")}, name
    assert found["next-case"] == to_readers
    assert found["read"] == to_readers


def test_a_reviewer_finds_every_column(given: tuple[Case, set[str], set[str], set[str]], reviewer: User) -> None:
    """The marks are there to be found: else the tests above would prove nothing."""
    case, everything, _, _ = given
    client = Client()
    client.force_login(reviewer)
    answer = client.get(reverse("case", args=[case.pk])).content.decode()
    assert {word for word in everything if word not in answer} == set()


def test_a_question_about_a_box_shows_its_box_and_no_more(benchmark: Benchmark, tmp_path: Path, reader: User) -> None:
    row, to_models, _ = fetal_gauge("VG")
    imported(benchmark, tmp_path, "fetal_gauge", with_house_columns(row, "fetal_gauge"))
    client = Client()
    client.force_login(reader)
    case = client.post(reverse("next-case", args=[benchmark.slug])).json()["case"]
    assert (case["task"], case["question_box"]) == ("VG", BOX)
    del case["question_box"]
    shown = json.dumps(case)
    assert {word for word in marks(row) if word in shown} == to_models


@pytest.mark.parametrize("task", ["PI", "VC", "FO", "CD"])
def test_a_question_about_no_box_keeps_its_box_hidden(
    benchmark: Benchmark, tmp_path: Path, reader: User, task: str
) -> None:
    row, _, _ = fetal_gauge(task)
    imported(benchmark, tmp_path, "fetal_gauge", row)
    client = Client()
    client.force_login(reader)
    case = client.post(reverse("next-case", args=[benchmark.slug])).json()["case"]
    assert (case["task"], case["question_box"]) == (task, None)


def test_a_model_is_shown_the_box_that_a_question_speaks_of(benchmark: Benchmark, tmp_path: Path) -> None:
    row, _, _ = fetal_gauge("VG")
    case = imported(benchmark, tmp_path, "fetal_gauge", row)
    (image,) = build_input(case, input_digest=case.input_digest).images
    red = (image.pixels == (255, 0, 0)).all(axis=-1)
    assert red[1, 2:19].all()
    assert not red[2:22, 3:18].any()
    stored = case.images.get().asset
    assert (rendered_frame(stored, 0)[~red] == image.pixels[~red]).all()
    assert not (rendered_frame(stored, 0) == (255, 0, 0)).all(axis=-1).any(), "what is stored has no box"


def test_another_box_is_another_input(benchmark: Benchmark, tmp_path: Path) -> None:
    row, _, _ = fetal_gauge("VG")
    before = imported(benchmark, tmp_path, "fetal_gauge", row).input_digest
    file = write_records(tmp_path, [{**row, "box_xyxy": [1, 1, 9, 9]}])
    assert import_cases(benchmark=benchmark, path=file, format="fetal_gauge", update=True).updated == 1
    assert Case.objects.get().input_digest != before
