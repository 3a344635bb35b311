from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from curation.digests import case_record, content_digest, with_record_parts
from curation.importing import import_cases
from curation.models import Benchmark, Case, Gold, GoldRoi, Protocol
from curation.protocols import defaults
from tests.curation.sources import png, write_records
from tests.curation.test_commands import run_json
from tests.factories import make_benchmark

CORNERS = {"x0": 2, "y0": 1, "x1": 7, "y1": 5}


@pytest.fixture
def targets(db: None) -> Benchmark:
    """A benchmark with VGMED's protocol."""
    benchmark = make_benchmark("targets")
    Protocol.objects.filter(benchmark=benchmark).update(kind="vgmed", config=defaults("vgmed"))
    return benchmark


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    for name in ("CT", "Slake", "val"):
        (made / name).mkdir(parents=True)
        (made / name / "a.png").write_bytes(png(len(name)))
    return made


def row(image: str = "CT/a.png", **changes: Any) -> dict[str, Any]:
    return {"image": image, "question": "Is the left blob round or oval?", "bbox": [2, 1, 7, 5], **changes}


def take(
    benchmark: Benchmark, folder: Path, rows: list[Any], name: str = "VGMED_attribute.jsonl", **options: Any
) -> Any:
    return import_cases(benchmark=benchmark, path=write_records(folder, rows, name), format="vgmed", **options)


def boxes() -> list[Any]:
    return list(GoldRoi.objects.order_by("gold__case__position", "number").values_list("geometry", flat=True))


@pytest.mark.parametrize(
    ("file", "image", "bbox"),
    [
        ("VGMED_attribute.jsonl", "CT/a.png", [2, 1, 7, 5]),
        ("VGMED_localization.jsonl", "Slake/a.png", [2, 1, 5, 4]),
        ("VGMED_attribute.jsonl", "Slake/a.png", [2, 1, 5, 4]),
        ("COCO_attribute.jsonl", "val/a.png", [2, 1, 5, 4]),
        ("COCO_localization.jsonl", "CT/a.png", [2, 1, 5, 4]),
    ],
)
def test_the_box_trap(targets: Benchmark, folder: Path, file: str, image: str, bbox: list[int]) -> None:
    assert take(targets, folder, [row(image, bbox=bbox)], file).rejected == []
    assert boxes() == [CORNERS]
    roi = GoldRoi.objects.get()
    assert (roi.label, roi.image, roi.frame, roi.shape) == ("target", 1, 0, "box")


def test_only_a_path_that_begins_with_slake_holds_sizes(targets: Benchmark, folder: Path) -> None:
    (folder / "CT" / "Slake.png").write_bytes(png(9))
    take(targets, folder, [row("CT/Slake.png")])
    assert boxes() == [CORNERS]


@pytest.mark.parametrize(
    "given",
    [
        {"bbox": [[2, 1, 7, 5]]},
        {"bbox": None, "original_bboxes": [[2, 1, 7, 5]]},
        {"bbox": None, "original_bboxes": [2, 1, 7, 5]},
        {"bbox": [99, 99, 999, 999], "original_bboxes": [[2, 1, 7, 5]]},
    ],
)
def test_either_column_and_form(targets: Benchmark, folder: Path, given: dict[str, Any]) -> None:
    assert take(targets, folder, [row(**given)]).rejected == []
    assert boxes() == [CORNERS]


def test_each_of_several_boxes_is_converted(targets: Benchmark, folder: Path) -> None:
    take(targets, folder, [row("Slake/a.png", bbox=[[0, 0, 2, 3], [4, 5, 2.5, 1]])])
    assert boxes() == [{"x0": 0, "y0": 0, "x1": 2, "y1": 3}, {"x0": 4, "y0": 5, "x1": 6.5, "y1": 6}]


def test_other_columns_are_kept_as_they_came_and_no_answer_is_asked_for(targets: Benchmark, folder: Path) -> None:
    other: dict[str, Any] = {
        "mask": "masks/a.png",
        "label": "blob",
        "location": None,
        "ratio": 0.1875,
        "deep": {"a": [1, None]},
    }
    take(targets, folder, [row(modality="CT", **other)], "VGMED_localization.jsonl")
    (case,) = with_record_parts(Case.objects.values_list("pk", flat=True))
    record = case_record(case)
    assert re.fullmatch("[0-9a-f]{16}", record["id"])
    assert (record["answer"], record["options"], record["gold"]["answer"]) == (None, None, None)
    assert record["question"] == row()["question"]
    assert record["images"][0]["modality"] == "CT"
    notes = {"task": "localization", "boxes": "xyxy"}
    assert record["extra"] == {"image": "CT/a.png", "bbox": [2, 1, 7, 5], **other, "sightline": notes}
    assert case.content_digest == content_digest(record)


def test_nothing_of_a_row_is_dropped(targets: Benchmark, folder: Path) -> None:
    whole = row(
        answer="round", modality="M" * 40, split="test", patient="p1", source="ours", licence="CC0", attribution="us",
        options={"A": "round", "B": "oval"}, odd="ü",
    )  # fmt: skip
    take(targets, folder, [whole])
    (case,) = with_record_parts(Case.objects.values_list("pk", flat=True))
    record = case_record(case)
    names = ("question", "options", "answer", "split", "patient", "source", "licence", "attribution")
    kept = {name: record[name] for name in names}
    del record["extra"]["sightline"]
    assert {**kept, **record["extra"]} == whole


def test_an_answer_that_is_a_letter_of_its_options_is_gold(targets: Benchmark, folder: Path) -> None:
    take(targets, folder, [row(options={"A": "round", "B": "oval"}, answer="B"), row(question="Is it?", answer="B")])
    golds = Gold.objects.order_by("case__position").values_list("answer", flat=True)
    assert list(golds) == [{"choice": "B"}, None]


def test_rows_over_one_image_are_cases_of_their_own(targets: Benchmark, folder: Path) -> None:
    rows = [row(), row(question="Is there a blob in the image?"), row(bbox=[0, 0, 3, 3]), row()]
    report = take(targets, folder, rows)
    assert (report.created, report.unchanged, report.rejected) == (3, 1, [])
    assert take(targets, folder, rows[:1], "VGMED_localization.jsonl").created == 1
    assert {image.asset_id for case in Case.objects.all() for image in case.images.all()} == {
        Case.objects.order_by("position")[0].images.get().asset_id
    }


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"bbox": [2, 1, 70, 5]}, "bbox.x1", "70"),
        ({"bbox": [2, -1, 7, 5]}, "bbox.y0", "-1"),
        ({"bbox": [[2, 1, 7, 5], [2, 1, 7, 50]]}, "bbox[1].y1", "50"),
        ({"bbox": [7, 1, 2, 5]}, "bbox", "[7, 1, 2, 5]"),
        ({"bbox": [2, 1, 2, 5]}, "bbox", "[2, 1, 2, 5]"),
        ({"bbox": [2, 1, 1e12, 5]}, "bbox[2]", "1000000000000.0"),
        ({"bbox": [2, 1, 10**400, 5]}, "bbox[2]", "1000"),
        ({"bbox": [2, 1, "7", 5]}, "bbox[2]", "'7'"),
        ({"bbox": [2, 1, True, 5]}, "bbox[2]", "True"),
        ({"bbox": [2, 1, None, 5]}, "bbox[2]", "None"),
        ({"bbox": [2, 1, 7]}, "bbox", "[2, 1, 7]"),
        ({"bbox": []}, "bbox", "[]"),
        ({"bbox": {"x": 1}}, "bbox", "{'x': 1}"),
        ({"bbox": [[2, 1, 7, 5], 3]}, "bbox[1]", "3"),
        ({"bbox": None}, "bbox", "missing"),
        ({"question": None}, "question", "missing"),
        ({"question": "  "}, "question", "missing"),
        ({"question": 7}, "question", "int"),
        ({"question": "a\0b"}, "question", "NUL"),
        ({"image": None}, "image", "no path"),
        ({"image": 3}, "image", "no path"),
        ({"options": ["round"]}, "options", "object"),
        ({"sightline": {"task": "VG"}}, "sightline", "rename"),
        ({"licence": 3}, "licence", "int"),
    ],
)
def test_a_wrong_row_is_rejected_with_its_column_and_value(
    targets: Benchmark, folder: Path, change: dict[str, Any], field: str, value: str
) -> None:
    report = take(targets, folder, [row(**change), row()])
    (rejected,) = report.rejected
    assert (rejected.index, rejected.id, rejected.field) == (0, None, field)
    assert value in rejected.reason or (value == "no path" and "is not a path" in rejected.reason)
    assert report.created == 1


def test_a_size_that_leads_out_of_the_image_is_told_as_its_edge(targets: Benchmark, folder: Path) -> None:
    (rejected,) = take(targets, folder, [row("Slake/a.png", bbox=[2, 1, 11, 4])]).rejected
    assert (rejected.field, rejected.reason) == ("bbox.x1", "13 is outside of 0 to 12")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_rejects_its_row(targets: Benchmark, folder: Path, number: str) -> None:
    line = json.dumps(row()).replace("7", number)
    (folder / "VGMED_attribute.jsonl").write_text(f"{line}\n{json.dumps(row())}\n", encoding="utf-8")
    report = import_cases(benchmark=targets, path=folder, format="vgmed")
    (rejected,) = report.rejected
    said = str(math.inf) if number == "1e999" else number
    assert (rejected.index, said in rejected.reason, report.created) == (0, True, 1)


@pytest.mark.parametrize(
    "named",
    ["../secret.png", "/etc/hostname", "CT/../../secret.png", "link.png", "out/secret.png", "gone.png", "CT",
     "http://127.0.0.1/a.png", "file:///etc/hostname", "s3://bucket/a.png", "data:image/png;base64,AAAA",
     "CT/a.png\0", "x" * 5000],
)  # fmt: skip
def test_only_files_of_the_folder_are_opened(targets: Benchmark, folder: Path, named: str) -> None:
    secret = folder.parent / "secret.png"
    secret.write_bytes(png(77))
    (folder / "link.png").symlink_to(secret)
    (folder / "out").symlink_to(folder.parent)
    report = take(targets, folder, [row(named), row()])
    (rejected,) = report.rejected
    assert (rejected.index, rejected.field) == (0, "image")
    assert repr(named)[1:20].split("\\")[0] in rejected.reason
    assert report.created == 1


def test_a_file_that_is_no_picture_rejects_its_row(targets: Benchmark, folder: Path) -> None:
    (folder / "CT" / "b.png").write_bytes(b"<svg onload=alert(1)>")
    (rejected,) = take(targets, folder, [row("CT/b.png")]).rejected
    assert (rejected.field, "SVG" in rejected.reason) == ("image", True)


@pytest.mark.parametrize("line", [b"{", b"[1]", b"7", b'"x"', b"[" * 50_000, b'{"image": "\xff"}'])
def test_a_line_that_is_no_row_rejects_itself_alone(targets: Benchmark, folder: Path, line: bytes) -> None:
    good = json.dumps(row()).encode()
    (folder / "VGMED_attribute.jsonl").write_bytes(good + b"\n\n" + line + b"\n")
    report = import_cases(benchmark=targets, path=folder, format="vgmed")
    assert [(rejected.index, rejected.field) for rejected in report.rejected] == [(1, "")]
    assert report.created == 1


def test_all_files_of_a_folder_are_one_import_whose_index_counts_on(targets: Benchmark, folder: Path) -> None:
    write_records(folder, [row("val/a.png", bbox=[2, 1, 5, 4])], "COCO_attribute.jsonl")
    write_records(folder, [row("Slake/a.png", bbox=[2, 1, 5, 4]), row("gone.png")], "VGMED_localization.jsonl")
    report = import_cases(benchmark=targets, path=folder, format="vgmed")
    assert (report.created, [row.index for row in report.rejected]) == (2, [2])
    assert boxes() == [CORNERS, CORNERS]
    tasks = [case.extra["sightline"]["task"] for case in Case.objects.order_by("position")]
    assert tasks == ["attribute", "localization"]


def test_a_second_run_changes_nothing_and_an_update_takes_what_is_new(targets: Benchmark, folder: Path) -> None:
    def state() -> list[Any]:
        models = apps.get_app_config("curation").get_models()
        return [list(model.objects.order_by("pk").values()) for model in models]  # type: ignore[attr-defined]

    take(targets, folder, [row(), row("Slake/a.png", bbox=[2, 1, 5, 4])])
    before = state()
    report = take(targets, folder, [row(), row("Slake/a.png", bbox=[2, 1, 5, 4])])
    assert (report.created, report.updated, report.unchanged, report.rejected) == (0, 0, 2, [])
    assert state() == before
    assert [(row.index, row.field) for row in take(targets, folder, [row(ratio=0.2)]).rejected] == [(0, "id")]
    assert take(targets, folder, [row(ratio=0.2)], update=True).updated == 1
    assert Case.objects.get(extra__ratio=0.2).version == 2


def test_a_dry_run_stores_nothing(targets: Benchmark, folder: Path) -> None:
    report = take(targets, folder, [row(), row(bbox=[0, 0, 99, 9])], dry_run=True)
    assert (report.created, len(report.rejected)) == (1, 1)
    assert not Case.objects.exists()


def test_a_protocol_without_the_label_takes_the_region_and_says_so(benchmark: Benchmark, folder: Path) -> None:
    report = take(benchmark, folder, [row()])
    assert (report.rejected, GoldRoi.objects.get().label) == ([], "")
    (warning,) = report.warnings
    assert "'target'" in warning.reason
    assert Case.objects.get().extra["sightline"]["warnings"] == [warning.reason]


def test_the_command_says_what_was_rejected_with_exit_3(targets: Benchmark, folder: Path) -> None:
    file = write_records(folder, [row(), row(bbox=[0, 0, 99, 9])], "VGMED_attribute.jsonl")
    code, report = run_json("import_cases", "targets", str(file), "--format", "vgmed")
    assert code == 3
    assert report == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "rejected": [{"index": 1, "id": None, "field": "bbox.x1", "reason": "99 is outside of 0 to 12"}],
    }
