from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.digests import case_record, content_digest, with_record_parts
from curation.images import rendered_frame
from curation.import_images import ImageResolver
from curation.importing import import_cases
from curation.models import Benchmark, Case, Gold, ImageAsset, Protocol
from curation.protocols import defaults
from tests.curation.medthinkvqa_rows import OPTIONS, PARTS, rgba_png, row, slot, write_images
from tests.curation.sources import png, write_records
from tests.curation.test_commands import run, run_json
from tests.factories import make_benchmark

EURORAD = "Eurorad (European Society of Radiology), case 19001, as released in MedThinkVQA"


@pytest.fixture
def thinking(db: None) -> Benchmark:
    """A benchmark with MedThinkVQA's protocol."""
    benchmark = make_benchmark("thinking")
    Protocol.objects.filter(benchmark=benchmark).update(kind="medthinkvqa", config=defaults("medthinkvqa"))
    return benchmark


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    write_images(made)
    return made


def take(benchmark: Benchmark, folder: Path, rows: list[Any], **options: Any) -> Any:
    path = write_records(folder, rows, "test.jsonl")
    return import_cases(benchmark=benchmark, path=path, format="medthinkvqa", **options)


def only_record() -> dict[str, Any]:
    (case,) = with_record_parts(Case.objects.values_list("pk", flat=True))
    record = case_record(case)
    assert case.content_digest == content_digest(record)
    return record


PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write_parquet(file: Path, rows: list[dict[str, Any]], *, options_as_text: bool = False) -> Path:
    """All slots in every row, as fixed features have them, with the pictures inside."""
    columns = {name: pa.array([given.get(name) for given in rows]) for name in row(images=0)}
    if options_as_text:
        columns["options"] = pa.array([json.dumps(given["options"]) for given in rows])
    for number in range(1, 50):
        image = f"image_{number:02d}"
        columns[image] = pa.array([given.get(image) for given in rows], type=PICTURE)
        for part in PARTS:
            columns[f"{image}_{part}"] = pa.array([given.get(f"{image}_{part}") for given in rows], type=pa.string())
    pq.write_table(pa.table(columns), file)
    return file


class TestRow:
    def test_a_row_becomes_a_case_with_every_column_in_its_place(self, thinking: Benchmark, folder: Path) -> None:
        report = take(thinking, folder, [row()])
        assert (report.created, report.rejected, report.warnings) == (1, [], [])
        record = only_record()
        assert record["id"] == "case19001"
        assert (record["history"], record["options"]) == ("A drawing was found on a desk.", OPTIONS)
        assert (record["answer"], record["gold"]["answer"]) == ("B", {"choice": "B"})
        assert "most likely diagnosis" in record["question"]
        assert [image["caption"] for image in record["images"]] == [f"A drawn blob, view {n}." for n in (1, 2)]
        assert record["images"][0]["modality"] == "CT"
        assert record["images"][0]["sub_modality"] == "Drawn CT"
        assert record["gold"]["steps"] == [
            {"kind": "image_finding", "image": 1, "text": "A drawn blob, view 1."},
            {"kind": "image_finding", "image": 2, "text": "A drawn blob, view 2."},
            {"kind": "summary", "image": None, "text": "Both views show dots inside the blob."},
            {"kind": "differential", "image": None, "text": "Stripes would run across; only dots are seen."},
        ]

    def test_nothing_of_a_row_is_dropped(self, thinking: Benchmark, folder: Path) -> None:
        whole = {**row(), "odd column": [1, {"ü": None}], "split": "test", "patient": "p7", "timepoint_count": 2}
        take(thinking, folder, [whole])
        record = only_record()
        kept = {
            "CLINICAL_HISTORY": record["history"],
            "options": record["options"],
            "correct_answer": record["answer"],
            "split": record["split"],
            "patient": record["patient"],
            **record["extra"],
        }
        for number, image in enumerate(record["images"], 1):
            kept |= {f"image_{number:02d}_{part}": image[part] for part in ("caption", "modality", "sub_modality")}
        assert kept == whole

    def test_licence_and_attribution_travel_with_the_case(self, thinking: Benchmark, folder: Path) -> None:
        take(thinking, folder, [row()])
        record = only_record()
        assert (record["licence"], record["source"]) == ("CC BY-NC-SA 4.0", "Eurorad")
        assert record["attribution"] == EURORAD

    @pytest.mark.parametrize("name", ["licence", "license"])
    def test_a_licence_of_the_rows_own_wins(self, thinking: Benchmark, folder: Path, name: str) -> None:
        take(thinking, folder, [{**row(), name: "CC0-1.0", "source": "drawn by rule"}])
        record = only_record()
        assert (record["licence"], record["source"], record["attribution"]) == ("CC0-1.0", "drawn by rule", "")

    def test_discussion_may_be_absent_and_the_answer_withheld(self, thinking: Benchmark, folder: Path) -> None:
        given = row(correct_answer=None, correct_answer_text="")
        del given["discussion"]
        take(thinking, folder, [given])
        gold = Gold.objects.get()
        assert (gold.answer, [step["kind"] for step in gold.steps][-1]) == (None, "summary")

    @pytest.mark.parametrize(
        ("title", "key"),
        [("Case number 19254", "case19254"), ("Case number 68", "case00068"), ("68", "case00068"), (68, "case00068")],
    )
    def test_the_key_is_the_folder_of_the_case(
        self, thinking: Benchmark, folder: Path, title: object, key: str
    ) -> None:
        take(thinking, folder, [row(title=title)])
        record = only_record()
        assert (record["id"], record["extra"]["title"]) == (key, title)

    def test_all_49_slots_are_taken(self, thinking: Benchmark, folder: Path) -> None:
        write_images(folder, images=49)
        assert take(thinking, folder, [row(images=49)]).rejected == []
        assert [image["caption"][-2:] for image in only_record()["images"]][-1] == "9."
        assert len(only_record()["images"]) == 49


class TestDefects:
    def test_a_jpg_that_is_a_png_with_alpha_is_composited(self, thinking: Benchmark, folder: Path) -> None:
        (folder / "images/case19001/im1.jpg").write_bytes(rgba_png())
        assert take(thinking, folder, [row()]).rejected == []
        shown = rendered_frame(Case.objects.get().images.get(number=1).asset, 0)
        assert np.asarray(shown).reshape(-1, 3)[0].tolist() == [100, 0, 0]

    @pytest.mark.parametrize(
        ("change", "warning"),
        [
            ({"options": {**OPTIONS, "D": " dotted BLOB"}}, "options B and D say the same: 'Dotted blob'"),
            ({"CLINICAL_HISTORY": "Known dotted blob."}, "the answer stands in the history: 'Dotted blob'"),
            ({"correct_answer_text": "Twin blob"}, "correct_answer_text is 'Twin blob', option B says 'Dotted blob'"),
            ({"title": "Case number 68"}, "images lie in the folder of case 19001"),
            ({"image_count": 5}, "image_count is 5, 2 slots name an image"),
            ({"image_07_caption": "An orphan."}, "image_07 is described but names no image: kept in extra"),
            ({"discussion": "x" * 10_001}, "discussion has 10001 characters: it is kept, but is no step of the gold"),
        ],
    )
    def test_what_is_odd_is_taken_as_it_is_and_told(
        self, thinking: Benchmark, folder: Path, change: dict[str, Any], warning: str
    ) -> None:
        report = take(thinking, folder, [row(**change)])
        assert (report.created, report.rejected) == (1, [])
        assert [told.reason for told in report.warnings] == [warning]
        record = only_record()
        assert record["extra"]["sightline"] == {"warnings": [warning]}
        places = {"CLINICAL_HISTORY": record["history"], "options": record["options"], **record["extra"]}
        assert {name: places[name] for name in change} == change

    def test_a_word_that_holds_the_answer_within_is_no_answer(self, thinking: Benchmark, folder: Path) -> None:
        given = row(options={**OPTIONS, "B": "MS"}, correct_answer_text="MS", CLINICAL_HISTORY="Symptoms for a week.")
        assert take(thinking, folder, [given]).warnings == []

    def test_case_68_in_folder_case00068_is_no_defect(self, thinking: Benchmark, folder: Path) -> None:
        write_images(folder, 68)
        assert take(thinking, folder, [row(68)]).warnings == []
        assert only_record()["id"] == "case00068"

    def test_images_of_the_same_pixels_are_kept_and_told(self, thinking: Benchmark, folder: Path) -> None:
        (folder / "images/case19001/im2.jpg").write_bytes((folder / "images/case19001/im1.jpg").read_bytes())
        (warning,) = take(thinking, folder, [row()]).warnings
        assert (warning.id, warning.reason) == ("case19001", "images 1, 2 have the same pixels")
        assert len(only_record()["images"]) == 2

    def test_an_unused_slot_may_stand_there_empty(self, thinking: Benchmark, folder: Path) -> None:
        empty = slot(19001, 3, id=None, path="", caption="", modality=None, sub_modality=None)
        report = take(thinking, folder, [row(**empty)])
        assert (report.rejected, report.warnings) == ([], [])
        assert not [name for name in only_record()["extra"] if name.startswith("image_03")]

    def test_a_slot_left_free_between_two_counts_no_image(self, thinking: Benchmark, folder: Path) -> None:
        write_images(folder, images=3)
        given = row(images=3, image_count=2, image_02_path=None, image_02_id=None, image_02_caption=None)
        given |= {"image_02_modality": None, "image_02_sub_modality": None}
        assert take(thinking, folder, [given]).warnings == []
        assert [step["image"] for step in Gold.objects.get().steps] == [1, 2, None, None]
        assert "image_03_path" in only_record()["extra"]

    def test_pictures_with_burned_in_names_can_be_barred_from_release(self, thinking: Benchmark, folder: Path) -> None:
        take(thinking, folder, [row()])
        assert not any(asset.is_barred_from_release for asset in ImageAsset.objects.all())
        write_images(folder, 7)
        rows = write_records(folder, [row(), row(7)], "test.jsonl")
        command = ("import_cases", "thinking", str(rows), "--format", "medthinkvqa", "--check-text")
        assert run(*command, "--dry-run")[0] == 0
        assert not ImageAsset.objects.filter(needs_text_check=True).exists()
        code, report = run_json(*command)
        assert (code, report["created"], report["unchanged"]) == (0, 1, 1)
        assert all(asset.is_barred_from_release for asset in ImageAsset.objects.all())


class TestRejection:
    @pytest.mark.parametrize(
        ("change", "field", "value"),
        [
            ({"title": "no number"}, "title", "'no number'"),
            ({"title": None}, "title", "None"),
            ({"title": "Case number " + "9" * 13}, "title", "9999"),
            ({"title": ["Case number 7"]}, "title", "Case number 7"),
            ({"options": None}, "options", "missing"),
            ({"options": "{"}, "options", "JSON"),
            ({"options": ["A"]}, "options", "object"),
            ({"options": {**OPTIONS, "F": 3}}, "options.F", "int"),
            ({"correct_answer": "F"}, "correct_answer", "'F'"),
            ({"correct_answer": "b"}, "correct_answer", "'b'"),
            ({"CLINICAL_HISTORY": 3}, "CLINICAL_HISTORY", "int"),
            ({"CLINICAL_HISTORY": "nul\0"}, "CLINICAL_HISTORY", "NUL"),
            ({"IMAGING_FINDINGS": ["x"]}, "IMAGING_FINDINGS", "list"),
            ({"discussion": 7}, "discussion", "int"),
            ({"image_02_caption": 7}, "image_02_caption", "int"),
            ({"image_02_path": "images/gone.jpg"}, "image_02_path", "gone.jpg"),
            ({"image_02_path": "../secret.png"}, "image_02_path", "../secret.png"),
            ({"image_02_path": "/etc/hostname"}, "image_02_path", "/etc/hostname"),
            ({"image_02_path": "link.png"}, "image_02_path", "link.png"),
            ({"image_02_path": "https://127.0.0.1/x.jpg"}, "image_02_path", "URL"),
            ({"image_02_path": 5}, "image_02_path", "path"),
            ({"image_02_path": "test.jsonl"}, "image_02_path", "text file"),
            ({"image_02": "x"}, "image_02", "'x'"),
            ({"image_02": {"bytes": "x"}}, "image_02", "'x'"),
            ({"image_01_path": None, "image_02_path": ""}, "image_01_path", "missing"),
            ({"sightline": 1}, "sightline", "rename"),
            ({"deep": {"half": "\ud800"}}, "deep.half", "surrogate"),
            ({"big": 2**70 + 1}, "", "1180591620717411303425"),
        ],
    )
    def test_a_wrong_row_is_rejected_with_its_column_and_value(
        self, thinking: Benchmark, folder: Path, change: dict[str, Any], field: str, value: str
    ) -> None:
        (folder.parent / "secret.png").write_bytes(png(7))
        (folder / "link.png").symlink_to(folder.parent / "secret.png")
        write_images(folder, 19002)
        report = take(thinking, folder, [row(**change), row(19002)])
        (rejected,) = report.rejected
        assert (rejected.index, rejected.field) == (0, field)
        assert value in rejected.reason
        assert report.created == 1
        assert Case.objects.get().key == "case19002"

    def test_one_case_twice_with_other_words_is_rejected(self, thinking: Benchmark, folder: Path) -> None:
        report = take(thinking, folder, [row(), row(discussion="Other."), row()])
        assert [(told.index, told.id, told.field) for told in report.rejected] == [(1, "case19001", "id")]

    def test_a_second_run_changes_nothing_and_an_update_is_a_new_version(
        self, thinking: Benchmark, folder: Path
    ) -> None:
        take(thinking, folder, [row()])
        before = list(Case.objects.values())
        assert take(thinking, folder, [row()]).unchanged == 1
        assert list(Case.objects.values()) == before
        changed = row(IMAGING_FINDINGS="Dots, and a stripe.")
        assert [told.field for told in take(thinking, folder, [changed]).rejected] == ["id"]
        assert take(thinking, folder, [changed], update=True).updated == 1
        assert Gold.objects.order_by("-revision")[0].steps[2]["text"] == "Dots, and a stripe."

    def test_a_dry_run_stores_nothing(self, thinking: Benchmark, folder: Path) -> None:
        assert take(thinking, folder, [row()], dry_run=True).created == 1
        assert not Case.objects.exists()
        assert not ImageAsset.objects.exists()


class TestFiles:
    @pytest.mark.parametrize("text", ["object", "indented", "list"])
    def test_a_json_file_holds_a_row_or_a_list(self, thinking: Benchmark, folder: Path, text: str) -> None:
        document = [row()] if text == "list" else row()
        indent = None if text == "object" else 1
        (folder / "test.json").write_text(json.dumps(document, indent=indent), encoding="utf-8")
        report = import_cases(benchmark=thinking, path=folder / "test.json", format="medthinkvqa")
        assert (report.created, report.rejected) == (1, [])

    @pytest.mark.parametrize("options_as_text", [False, True])
    def test_parquet_with_pictures_inside(self, thinking: Benchmark, folder: Path, options_as_text: bool) -> None:
        inside = {f"image_{n:02d}": {"bytes": png(n) if n == 1 else rgba_png(), "path": f"im{n}.jpg"} for n in (1, 2)}
        more = {**OPTIONS, "F": "Sixth blob"}
        write_images(folder, 7)
        rows = [{**row(), **inside}, row(7, options=more)]
        file = write_parquet(folder / "test.parquet", rows, options_as_text=options_as_text)
        report = import_cases(benchmark=thinking, path=folder, format="medthinkvqa")
        assert (report.created, report.rejected, report.warnings) == (2, [], [])
        first, second = Case.objects.order_by("position")
        assert (first.key, first.options, second.options) == ("case19001", OPTIONS, more)
        assert [image.asset.channels for image in first.images.order_by("number")] == [1, 3]
        assert first.extra["image_01_path"] == "images/case19001/im1.jpg"
        assert len(first.extra) == len(row()) - 3 - 2 * 3
        assert import_cases(benchmark=thinking, path=file, format="medthinkvqa").unchanged == 2

    def test_rows_that_hold_large_pictures_are_taken_a_few_at_a_time(
        self, thinking: Benchmark, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked_up: list[int] = []
        look_up = ImageResolver.look_up

        def counted(self: ImageResolver, images: list[Any]) -> None:
            looked_up.append(len(images))
            look_up(self, images)

        monkeypatch.setattr(ImageResolver, "look_up", counted)
        monkeypatch.setattr("curation.importing.MOST_HELD", len(png(1)))
        rows = [row(case, images=1, image_01={"bytes": png(case), "path": None}) for case in (1, 2, 3)]
        write_parquet(folder / "test.parquet", rows)
        assert import_cases(benchmark=thinking, path=folder, format="medthinkvqa").created == 3
        assert looked_up == [1, 1, 1]

    def test_parquet_without_pictures_names_files(self, thinking: Benchmark, folder: Path) -> None:
        write_parquet(folder / "test.parquet", [row(), row(5)])
        report = import_cases(benchmark=thinking, path=folder, format="medthinkvqa")
        assert report.created == 1
        assert [(told.id, told.field) for told in report.rejected] == [("case00005", "image_01_path")]

    def test_pictures_inside_are_judged_as_files_are(self, thinking: Benchmark, folder: Path) -> None:
        write_parquet(folder / "test.parquet", [row(image_02={"bytes": b"GIF89a", "path": "/etc/hostname"})])
        (rejected,) = import_cases(benchmark=thinking, path=folder, format="medthinkvqa").rejected
        assert (rejected.field, "GIF" in rejected.reason) == ("image_02", True)

    def test_a_path_inside_a_picture_column_stays_in_the_folder(self, thinking: Benchmark, folder: Path) -> None:
        given = row(image_02_path=None, image_02={"bytes": None, "path": "../../etc/hostname"})
        write_parquet(folder / "test.parquet", [given])
        (rejected,) = import_cases(benchmark=thinking, path=folder, format="medthinkvqa").rejected
        assert (rejected.field, "leads out" in rejected.reason) == ("image_02", True)

    def test_damaged_parquet_is_told_and_other_files_are_read(self, thinking: Benchmark, folder: Path) -> None:
        (folder / "a.parquet").write_bytes(b"PAR1 and nothing else")
        write_records(folder, [row()], "b.jsonl")
        report = import_cases(benchmark=thinking, path=folder, format="medthinkvqa")
        (rejected,) = report.rejected
        assert (rejected.index, "a.parquet is damaged" in rejected.reason, report.created) == (0, True, 1)

    def test_a_folder_without_rows_fails_as_a_whole(self, thinking: Benchmark, folder: Path) -> None:
        assert run("import_cases", "thinking", str(folder), "--format", "medthinkvqa")[0] == 1


def test_the_command_tells_warnings_and_exits_0(thinking: Benchmark, folder: Path) -> None:
    file = write_records(folder, [row(image_count=3)], "test.jsonl")
    code, text = run("import_cases", "thinking", str(file), "--format", "medthinkvqa", "--dry-run")
    assert (code, "row 0 (case19001): warning: image_count is 3" in text) == (0, True)
    code, report = run_json("import_cases", "thinking", str(file), "--format", "medthinkvqa")
    assert (code, report) == (0, {"created": 1, "updated": 0, "unchanged": 0, "rejected": []})
