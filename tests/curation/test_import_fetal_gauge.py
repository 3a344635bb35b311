from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from annotations.content import Frame
from curation.asking import asked
from curation.digests import case_record, content_digest, with_record_parts
from curation.importing import import_cases
from curation.models import Benchmark, Case, GoldRoi, ImageAsset, Protocol
from curation.protocols import defaults
from tests.curation.sources import png, write_records
from tests.curation.test_commands import run_json
from tests.factories import make_benchmark

SIZE = (40, 30)


@pytest.fixture
def fetal(db: None) -> Benchmark:
    """A benchmark with FETAL-GAUGE's protocol."""
    benchmark = make_benchmark("fetal")
    Protocol.objects.filter(benchmark=benchmark).update(kind="fetal_gauge", config=defaults("fetal_gauge"))
    return benchmark


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    (made / "clean.png").write_bytes(png(1, SIZE))
    (made / "red.png").write_bytes(png(2, SIZE))
    return made


def row(key: str = "us-1", **changes: Any) -> dict[str, Any]:
    return {
        "id": key,
        "image": "red.png",
        "image_clean": "clean.png",
        "task": "VG",
        "question": "Which structure lies in the red box?",
        "options": {"A": "midline", "B": "skull", "C": "cavum"},
        "answer": "C",
        "answer_text": "cavum",
        "label_raw": "csp",
        "source_dataset": "drawn by rule",
        "source_id": "0001",
        "patient_id": "p-12",
        "split": "test",
        "domain": "phantom",
        "box_xyxy": [10, 8, 21.5, 16],
        "image_width": 40,
        "image_height": 30,
        "box_area_frac": 0.0767,
        "license": "CC0-1.0",
        **changes,
    }


def take(benchmark: Benchmark, folder: Path, rows: list[Any], **options: Any) -> Any:
    return import_cases(
        benchmark=benchmark, path=write_records(folder, rows, "rows.jsonl"), format="fetal_gauge", **options
    )


def only_record() -> dict[str, Any]:
    (case,) = with_record_parts(Case.objects.values_list("pk", flat=True))
    record = case_record(case)
    assert case.content_digest == content_digest(record)
    return record


def test_a_row_becomes_a_case_over_its_clean_image(fetal: Benchmark, folder: Path) -> None:
    report = take(fetal, folder, [row()])
    assert (report.created, report.rejected, report.warnings) == (1, [], [])
    record = only_record()
    asset = ImageAsset.objects.get()
    assert asset.source_sha256 == hashlib.sha256((folder / "clean.png").read_bytes()).hexdigest()
    assert (record["id"], record["answer"], record["patient"], record["split"]) == ("us-1", "C", "p-12", "test")
    assert (record["licence"], record["source"]) == ("CC0-1.0", "drawn by rule")
    assert record["images"][0]["modality"] == "US"
    assert record["gold"]["answer"] == {"choice": "C"}
    (roi,) = record["gold"]["rois"]
    assert (roi["label"], roi["shape"], roi["image"]) == ("structure", "box", 1)
    assert roi["geometry"] == {"x0": 10, "y0": 8, "x1": 21.5, "y1": 16}


def test_the_copy_with_the_box_is_recorded_and_not_stored(fetal: Benchmark, folder: Path) -> None:
    take(fetal, folder, [row()])
    extra = only_record()["extra"]
    assert (extra["image"], extra["image_clean"]) == ("red.png", "clean.png")
    red = hashlib.sha256((folder / "red.png").read_bytes()).hexdigest()
    assert extra["sightline"]["image_sha256"] == red
    assert not ImageAsset.objects.filter(source_sha256=red).exists()


def test_nothing_of_a_row_is_dropped(fetal: Benchmark, folder: Path) -> None:
    whole = row(attribution="us", odd={"ü": [None, 1e22]})
    take(fetal, folder, [whole])
    record = only_record()
    del record["extra"]["sightline"]
    placed = {"license": "licence", "patient_id": "patient", "source_dataset": "source", "id": "id"}
    same = ("question", "options", "answer", "split", "attribution")
    kept = {column: record[place] for column, place in {**placed, **dict(zip(same, same, strict=True))}.items()}
    assert {**kept, **record["extra"]} == whole


@pytest.mark.parametrize("task", ["PI", "VC", "FO", "CD", "VG"])
def test_each_task_is_taken_and_known_to_the_page(fetal: Benchmark, folder: Path, task: str) -> None:
    take(fetal, folder, [row(task=task)])
    case = Case.objects.get()
    question = asked(case.extra, width=40, height=30)
    assert question.task == Frame.of(case, defaults("fetal_gauge")).task == task
    assert question.question_box == ((10, 8, 21.5, 16) if task == "VG" else None)
    assert GoldRoi.objects.count() == 1


@pytest.mark.parametrize("image", ["clean.png", None, ""])
@pytest.mark.parametrize("column", ["image", "image_clean"])
def test_without_a_box_one_image_is_enough(fetal: Benchmark, folder: Path, image: str | None, column: str) -> None:
    images: dict[str, Any] = {"image": image, "image_clean": image, column: "clean.png"}
    assert take(fetal, folder, [row(task="PI", box_xyxy=None, **images)]).rejected == []
    assert not GoldRoi.objects.exists()
    assert only_record()["gold"]["answer"] == {"choice": "C"}


def test_a_row_whose_answer_is_withheld_has_no_gold_answer(fetal: Benchmark, folder: Path) -> None:
    take(fetal, folder, [row(task="PI", box_xyxy=None, answer=None, answer_text=None)])
    assert (only_record()["answer"], only_record()["gold"]) == (None, None)


def test_an_answer_text_that_says_otherwise_is_taken_with_a_warning(fetal: Benchmark, folder: Path) -> None:
    (warning,) = take(fetal, folder, [row(answer_text="skull")]).warnings
    assert (warning.index, warning.id) == (0, "us-1")
    assert "'skull'" in warning.reason
    assert only_record()["extra"]["sightline"]["warnings"] == [warning.reason]


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"task": "XX"}, "task", "'XX'"),
        ({"task": "vg"}, "task", "'vg'"),
        ({"task": None}, "task", "None"),
        ({"task": ["VG"]}, "task", "['VG']"),
        ({"domain": "moon"}, "domain", "'moon'"),
        ({"id": "../x"}, "id", "'../x'"),
        ({"id": 7}, "id", "int"),
        ({"id": None}, "id", "missing"),
        ({"question": ""}, "question", "missing"),
        ({"options": None}, "options", "missing"),
        ({"options": {"A!": "x"}}, "options.A!", "letter"),
        ({"options": "not json"}, "options", "JSON"),
        ({"answer": "D"}, "answer", "'D'"),
        ({"answer": 2}, "answer", "2"),
        ({"image_clean": None}, "image_clean", "missing"),
        ({"image_clean": "red.png"}, "image_clean", "red.png"),
        ({"image_clean": "gone.png"}, "image_clean", "gone.png"),
        ({"image": "gone.png"}, "image", "gone.png"),
        ({"image": "../secret.png"}, "image", "../secret.png"),
        ({"image_clean": "/etc/hostname"}, "image_clean", "/etc/hostname"),
        ({"image_clean": "link.png"}, "image_clean", "link.png"),
        ({"image_clean": "https://127.0.0.1/a.png"}, "image_clean", "URL"),
        ({"box_xyxy": None}, "box_xyxy", "missing"),
        ({"box_xyxy": [10, 8, 41, 16]}, "box_xyxy.x1", "41"),
        ({"box_xyxy": [21, 8, 10, 16]}, "box_xyxy", "[21, 8, 10, 16]"),
        ({"box_xyxy": [1, 2, 3]}, "box_xyxy", "[1, 2, 3]"),
        ({"box_xyxy": [1, 2, 3, 10**300]}, "box_xyxy[3]", "1000"),
        ({"image_width": 400}, "image_width, image_height", "400 x 30"),
        ({"image_width": "40"}, "image_width", "'40'"),
        ({"image_height": None}, "image_height", "None"),
        ({"split": "s" * 33}, "split", "33"),
    ],
)
def test_a_wrong_row_is_rejected_with_its_column_and_value(
    fetal: Benchmark, folder: Path, change: dict[str, Any], field: str, value: str
) -> None:
    (folder.parent / "secret.png").write_bytes(png(7, SIZE))
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    report = take(fetal, folder, [row("bad", **change) if "id" not in change else row(**change), row("good")])
    (rejected,) = report.rejected
    assert (rejected.index, rejected.field) == (0, field)
    assert value in rejected.reason
    assert report.created == 1


def test_a_second_run_changes_nothing(fetal: Benchmark, folder: Path) -> None:
    take(fetal, folder, [row(), row("us-2", task="FO")])
    before = list(Case.objects.order_by("pk").values())
    report = take(fetal, folder, [row(), row("us-2", task="FO")])
    assert (report.unchanged, report.created, report.updated) == (2, 0, 0)
    assert list(Case.objects.order_by("pk").values()) == before
    (rejected,) = take(fetal, folder, [row(domain="clinical")]).rejected
    assert (rejected.id, rejected.field) == ("us-1", "id")
    assert take(fetal, folder, [row(domain="clinical")], update=True).updated == 1


def test_a_dry_run_stores_nothing(fetal: Benchmark, folder: Path) -> None:
    assert take(fetal, folder, [row()], dry_run=True).created == 1
    assert not Case.objects.exists()
    assert not ImageAsset.objects.exists()


def test_the_command_says_what_was_rejected_with_exit_3(fetal: Benchmark, folder: Path) -> None:
    file = write_records(folder, [row(), row("us-2", task="XX")], "rows.jsonl")
    code, report = run_json("import_cases", "fetal", str(file), "--format", "fetal_gauge")
    assert (code, report["created"]) == (3, 1)
    assert report["rejected"] == [
        {"index": 1, "id": "us-2", "field": "task", "reason": "'XX' is none of PI, VC, FO, CD, VG"}
    ]
