"""Exports in Hugging Face format: rows in and out, what `datasets` reads, what is refused, what a failure leaves."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from annotations.models import Draw, ReadingState
from curation import exporting
from curation.exporting import export
from curation.images import rendered_frame
from curation.management.command import Failed
from curation.models import AuditEvent, Case, Gold, GoldRoi, ImageAsset, Snapshot
from curation.rendering import with_box
from curation.snapshots import freeze
from tests.annotations.contents import roi
from tests.curation.hf_exports import dicom_asset, load, rows_of, with_image, write
from tests.factories import make_asset, make_case
from tests.releases import score, submit

if TYPE_CHECKING:
    from curation.models import Benchmark, User

pytestmark = pytest.mark.django_db


def test_datasets_reads_every_config_with_images_in_it(
    benchmark: Benchmark, reader: User, other_reader: User, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [make_case(benchmark, f"case{number}", images=2) for number in range(3)]
    first = submit(cases[0], reader)
    submit(cases[0], other_reader)
    score(cases[0], first)
    report = write(benchmark, out)

    loaded = load(out, "cases", monkeypatch)
    assert list(loaded) == ["test"]
    assert loaded["test"].num_rows == report.rows_in == report.rows_out == 3
    row = loaded["test"][0]
    assert row["id"] == "case0"
    assert [image.size for image in row["images"]] == [(64, 48), (64, 48)]
    shown = rendered_frame(cases[0].images.get(number=1).asset, 0)
    assert np.array_equal(np.asarray(row["images"][0].convert("RGB")), shown)
    assert row["options"] == [{"letter": "A", "text": "yes"}, {"letter": "B", "text": "no"}]

    readings = load(out, "readings", monkeypatch)["test"]
    assert readings.num_rows == 2
    drawn = json.loads(readings[0]["rois"][0]["geometry"])
    assert drawn == {"x0": 10.5, "y0": 20, "x1": 40, "y1": 30}
    assert readings[0]["steps"][0]["evidence"] == [readings[0]["rois"][0]["id"]]
    scores = load(out, "scores", monkeypatch)["test"]
    assert scores.num_rows == 1
    assert scores[0]["values"] == [1.5, None]
    assert scores[0]["target"] == readings[0]["reading"]


def test_a_config_without_rows_is_not_offered_but_has_its_columns(
    benchmark: Benchmark, case: Case, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = write(benchmark, out)
    assert (report.configs["readings"].rows_out, report.configs["scores"].rows_out) == (0, 0)
    assert load(out, "cases", monkeypatch)["test"].num_rows == 1
    matter = yaml.safe_load((out / "README.md").read_text().split("---\n")[1])
    assert [config["config_name"] for config in matter["configs"]] == ["cases"]
    empty = pq.read_table(out / "data" / "scores" / "test-00000.parquet")
    assert (empty.num_rows, "values" in empty.column_names) == (0, True)


def test_splits_become_splits(benchmark: Benchmark, out: Path, reader: User, monkeypatch: Any) -> None:
    for key, split in (("a", "train"), ("b", ""), ("c", "../5 fold"), ("d", "train")):
        submit(make_case(benchmark, key, split=split), reader)
    report = write(benchmark, out)
    loaded = load(out, "cases", monkeypatch)
    for one in (loaded, load(out, "readings", monkeypatch)):
        assert {name: rows.num_rows for name, rows in one.items()} == {"train": 2, "test": 1, "_5_fold": 1}
    assert loaded["_5_fold"][0]["split"] == "../5 fold"
    assert "the split '../5 fold' is called '_5_fold'" in report.not_carried
    assert sorted(path.name for path in (out / "data" / "cases").iterdir()) == [
        "_5_fold-00000.parquet",
        "test-00000.parquet",
        "train-00000.parquet",
    ]


def test_the_frozen_case_is_exported_not_the_present_one(benchmark: Benchmark, case: Case, out: Path) -> None:
    gold = Gold.objects.create(case=case, revision=1, answer={"choice": "A"}, steps=[{"text": "seen"}])
    box = {"x0": 1, "y0": 2, "x1": 5, "y1": 4}
    GoldRoi.objects.create(gold=gold, image=1, label="square", shape="box", geometry=box)
    snapshot = freeze(benchmark=benchmark, name="one", actor=None).snapshot
    Case.objects.update(question="Changed?", answer="B")
    Gold.objects.create(case=case, revision=2, answer={"choice": "B"})
    export(snapshot=snapshot, format="hf", folder=out)
    row = rows_of(out, "cases")[0]
    assert (row["question"], row["answer"], row["gold_answer"]) == (case.question, "A", '{"choice": "A"}')
    corners = {name: row["gold_rois"][0][name] for name in ("x0", "y0", "x1", "y1")}
    assert corners == {"x0": 1.0, "y0": 2.0, "x1": 5.0, "y1": 4.0}
    record = json.loads(row["record"])
    assert record == Snapshot.objects.get().frozen_cases.get().record
    assert record["images"][0]["sha256"] == row["image_info"][0]["sha256"]


def test_window_and_frame_are_told_for_each_image(benchmark: Benchmark, case: Case, out: Path) -> None:
    window = {"centre": 500.0, "width": 300.0, "explanation": "organ", "function": "LINEAR"}
    cine = dicom_asset(windows=[window], needs_text_check=False, spacing_row_mm=0.5, spacing_column_mm=0.25)
    with_image(case, cine)
    report = write(benchmark, out)
    row = rows_of(out, "cases")[0]
    plain, shown = row["image_info"]
    assert (plain["number"], plain["frame"], plain["window_source"]) == (1, 0, "least to greatest value")
    assert (shown["number"], shown["frame"], shown["frames"]) == (2, 1, 3)
    assert (shown["window_centre"], shown["window_width"], shown["window_function"]) == (500.0, 300.0, "LINEAR")
    assert (shown["window_source"], shown["stored_dtype"], shown["spacing_column_mm"]) == ("organ", "uint16", 0.25)
    pixels = np.asarray(Image.open(io.BytesIO(row["images"][1]["bytes"])))
    assert np.array_equal(pixels, rendered_frame(cine, 1))
    lost = [reason for reason in report.not_carried if "frames" in reason or "depth" in reason]
    assert lost[0].startswith("2 frames of 1 multi-frame images")
    assert lost[1].startswith("the full depth of 1 images")


def test_a_question_of_a_red_rectangle_is_shown_with_it_and_without(
    benchmark: Benchmark, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = [10, 8, 30, 20]
    framed = make_case(benchmark, "framed", images=2, extra={"sightline": {"task": "VG", "question_box": box}})
    make_case(benchmark, "plain")
    write(benchmark, out)
    first, second = load(out, "cases", monkeypatch)["test"]
    clean = [rendered_frame(image.asset, 0) for image in framed.images.order_by("number")]
    assert np.array_equal(np.asarray(first["images"][0]), with_box(clean[0], box))
    assert np.array_equal(np.asarray(first["images"][1]), clean[1])
    assert np.array_equal(np.asarray(first["image_clean"]), clean[0])
    assert (first["question_box"], second["question_box"], second["image_clean"]) == (box, None, None)


def test_a_colour_image_is_carried_byte_by_byte(benchmark: Benchmark, out: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    asset = make_asset(width=7, height=5, seed=9)
    case = make_case(benchmark, images=0)
    colour = ImageAsset.objects.create(
        sha256=sha256,
        source_sha256=sha256,
        kind="png",
        content_type="image/png",
        byte_size=len(buffer.getvalue()),
        width=7,
        height=5,
        channels=3,
        dtype="uint8",
        photometric="RGB",
    )
    default_storage.save(colour.storage_name, ContentFile(buffer.getvalue()))
    with_image(with_image(case, colour, 1), asset, 2)
    write(benchmark, out)
    images = rows_of(out, "cases")[0]["images"]
    assert images[0]["bytes"] == buffer.getvalue()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(images[0]["bytes"]))), rendered_frame(colour, 0))


def test_every_revision_is_a_row_under_a_pseudonym(
    benchmark: Benchmark, case: Case, reader: User, other_reader: User, out: Path
) -> None:
    reader.first_name, reader.last_name = "Rosa", "Lindqvist"
    reader.save()
    submit(case, reader, answer={"text": "a square"}, rois=[roi(label="x")], steps=[], entities=[])
    submit(case, reader, answer={"boxes": [[1, 2, 3, 4]]}, rois=[], steps=[], entities=[])
    submit(case, other_reader, answer=None, confidence=None, rois=[], steps=[], entities=[])
    report = write(benchmark, out)
    first, second, third = rows_of(out, "readings")
    assert (report.configs["readings"].rows_in, report.configs["readings"].rows_out) == (3, 3)
    assert [row["is_newest"] for row in (first, second, third)] == [False, True, True]
    assert (first["text"], second["boxes"], third["choice"]) == ("a square", [[1.0, 2.0, 3.0, 4.0]], None)
    assert first["reader"] == second["reader"] != third["reader"]
    assert re.fullmatch("R[0-9a-f]{10}", first["reader"])
    for path in out.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for identity in ("rosa", "omar", "Lindqvist", str(reader.pk)):
                assert identity.encode() not in content, path
    # Parquet is compressed: what stands in the rows is looked at there.
    told = json.dumps(rows_of(out, "readings"))
    assert not any(identity in told for identity in ("rosa", "omar", "Lindqvist", str(reader.pk)))
    before, again = first["reader"], out.parent / "again"
    export(snapshot=Snapshot.objects.get(), format="hf", folder=again)
    assert rows_of(again, "readings")[0]["reader"] == before
    make_case(benchmark, "another")
    later = out.parent / "later"
    write(benchmark, later)
    assert rows_of(later, "readings")[0]["reader"] != before


def test_what_came_after_the_freeze_is_not_exported(
    benchmark: Benchmark, case: Case, reader: User, other_reader: User, out: Path
) -> None:
    said = submit(case, reader, rois=[], steps=[], entities=[])
    score(case, said)
    snapshot = freeze(benchmark=benchmark, name="one", actor=None).snapshot
    # The very same words from another reader, and a new revision.
    same = submit(case, other_reader, rois=[], steps=[], entities=[])
    assert same.digest == said.digest
    score(case, same)
    score(case, submit(case, reader, state=ReadingState.DRAFT))
    report = export(snapshot=snapshot, format="hf", folder=out)
    assert [row["reading"] for row in rows_of(out, "readings")] == [str(said.reading_id)]
    kept = rows_of(out, "scores")
    assert [row["target"] for row in kept] == [str(said.reading_id)]
    assert (kept[0]["is_stale"], kept[0]["stale_because"]) == (True, "revision_superseded")
    assert (report.configs["scores"].rows_in, report.configs["scores"].rows_out) == (3, 1)
    assert "2 scores against a reading or a gold that is not in the snapshot" in report.not_carried


def test_scores_tell_model_layer_and_nulls(benchmark: Benchmark, case: Case, reader: User, out: Path) -> None:
    said = submit(case, reader)
    score(case, said)
    answer: dict[str, Any] = {"image": None, "frame": None, "map": None, "roi_rule": None, "nulls": [], "n_cells": None}
    score(case, said, metric="answer_disagreement", values=[0.25], roi_cells=None, **answer)
    score(case, said, metric="pointing_hit", frame=2, values=[], nulls=[], unavailable="frame_not_shown")
    Gold.objects.create(case=case, revision=1, answer="A")
    score(case, said, target_kind="gold", target_id=case.pk, target_revision=1)
    report = write(benchmark, out)
    assert report.configs["scores"].rows_out == 4
    rows = {(row["metric"], row["target_kind"]): row for row in rows_of(out, "scores")}
    ratio = rows[("attention_ratio", "reading")]
    assert (ratio["model"], ratio["family"], ratio["is_trained"]) == ("planted", "planted", True)
    assert (ratio["headline_layer"], ratio["value"], ratio["values"]) == (1, None, [1.5, None])
    assert (ratio["null_centre"], ratio["null_moved_median"]) == ([0.9, 0.9], [1.1, None])
    assert ratio["null_moved_n"] == [7, None]
    answer_row = rows[("answer_disagreement", "reading")]
    assert (answer_row["value"], answer_row["headline_layer"], answer_row["image"]) == (0.25, None, None)
    assert rows[("pointing_hit", "reading")]["unavailable"] == "frame_not_shown"
    assert rows[("attention_ratio", "gold")]["target"] == case.key


def test_a_prediction_of_another_version_of_the_case_stays_out(
    benchmark: Benchmark, case: Case, reader: User, out: Path
) -> None:
    score(case, submit(case, reader))
    Case.objects.update(input_digest="f" * 64)
    report = write(benchmark, out)
    assert rows_of(out, "scores") == []
    assert "1 scores of predictions made from another version of their case" in report.not_carried
    assert rows_of(out, "readings")[0]["is_of_frozen_input"] is False


def test_the_card_names_configs_licences_and_protocol(benchmark: Benchmark, reader: User, out: Path) -> None:
    benchmark.description = "Look <script>alert(1)</script> | here"
    benchmark.save()
    credit: dict[str, Any] = {"source": "set A", "licence": "CC BY 4.0", "attribution": "A. *Person*\n| 2020"}
    submit(make_case(benchmark, "a", **credit), reader)
    make_case(benchmark, "b", **credit)
    write(benchmark, out)
    text = (out / "README.md").read_text()
    matter = yaml.safe_load(text.split("---\n")[1])
    assert matter["license"] == "cc-by-4.0"
    assert matter["size_categories"] == ["n<1K"]
    assert matter["tags"] == ["medical", "expert-regions"]
    configs = {config["config_name"]: config["data_files"] for config in matter["configs"]}
    assert configs["readings"] == [{"split": "test", "path": "data/readings/test-*.parquet"}]
    assert list(configs) == ["cases", "readings"]
    assert "<script>" not in text
    assert "| set A | CC BY 4.0 | A. \\*Person\\* \\| 2020 | a, b |" in text
    assert "2 cases, 2 images, 1 readings" in text
    assert Snapshot.objects.get().digest in text


def test_the_cards_tags_say_only_what_is_there(benchmark: Benchmark, out: Path) -> None:
    make_case(benchmark, "a", images=2)
    write(benchmark, out)
    matter = yaml.safe_load((out / "README.md").read_text().split("---\n")[1])
    assert matter["tags"] == ["medical", "multi-image"]


def test_two_exports_of_one_snapshot_are_the_same_files(
    benchmark: Benchmark, case: Case, reader: User, out: Path
) -> None:
    said = submit(case, reader)
    score(case, said)
    score(case, said, metric="pointing_hit")
    write(benchmark, out)
    again = out.parent / "again"
    export(snapshot=Snapshot.objects.get(), format="hf", folder=again)
    assert (out / "manifest.json").read_bytes() == (again / "manifest.json").read_bytes()
    digest = hashlib.sha256((out / "snapshot.json").read_bytes()).hexdigest()
    assert json.loads((out / "manifest.json").read_text())["digest"] == digest == Snapshot.objects.get().digest


def test_queries_grow_with_batches_not_with_rows(
    benchmark: Benchmark, reader: User, other_reader: User, out: Path
) -> None:
    score(make_case(benchmark, "first"), submit(Case.objects.get(), reader))
    few_snapshot = freeze(benchmark=benchmark, name="few", actor=None).snapshot
    with CaptureQueriesContext(connection) as few:
        export(snapshot=few_snapshot, format="hf", folder=out)
    for number in range(8):
        case = make_case(benchmark, f"case{number}", images=2)
        Gold.objects.create(case=case, revision=1, answer="A")
        score(case, submit(case, reader))
        score(case, submit(case, other_reader))
    many_snapshot = freeze(benchmark=benchmark, name="many", actor=None).snapshot
    with CaptureQueriesContext(connection) as many:
        export(snapshot=many_snapshot, format="hf", folder=out.parent / "many")
    # One more where there is gold: its regions.
    assert len(few) <= len(many) <= len(few) + 2


def test_batches_change_nothing(benchmark: Benchmark, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        make_case(benchmark, f"case{number}")
    write(benchmark, out)
    monkeypatch.setattr(exporting.frozen_batches, "__defaults__", (2,))
    done: list[int] = []
    export(snapshot=Snapshot.objects.get(), format="hf", folder=out.parent / "parts", progress=done.append)
    assert done == [2, 4, 5]
    assert rows_of(out.parent / "parts", "cases") == rows_of(out, "cases")


def test_the_command(
    benchmark: Benchmark, case: Case, out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curation.management.commands.export.signal.signal", lambda *_: None)
    digest = freeze(benchmark=benchmark, name="one", actor=None).snapshot.digest
    call_command("export", "one", format="hf", to=out, json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["rows_in"], told["rows_out"], told["files"]) == (1, 1, 6)
    assert told["files"] == sum(path.is_file() for path in out.rglob("*"))
    assert told["configs"]["readings"] == {"rows_in": 0, "rows_out": 0}
    assert oct(out.stat().st_mode & 0o777) == oct(0o777 & ~_umask())
    assert AuditEvent.objects.get(action="snapshot.exported").object_id == digest
    with pytest.raises(Failed) as failed:
        call_command("export", digest, format="hf", to=out)
    assert failed.value.returncode == 1
    assert "is not empty" in str(failed.value)
    with pytest.raises(Failed, match="there is no snapshot 'two'"):
        call_command("export", "two", format="hf", to=out)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def test_a_case_that_was_drawn_carries_its_probability(benchmark: Benchmark, reader: User, out: Path) -> None:
    drawn, assigned = make_case(benchmark, "drawn"), make_case(benchmark, "assigned")
    Draw.objects.create(
        case=drawn, benchmark=benchmark, number=1, pool=2, probability=0.9, is_random=False, random_share=0.2
    )
    for case in (drawn, assigned):
        submit(case, reader)
    write(benchmark, out)
    names = ("case", "selection_probability", "draw", "pool")
    told = [tuple(row[name] for name in names) for row in rows_of(out, "readings")]
    assert told == [("drawn", 0.9, 1, 2), ("assigned", None, None, None)]
    assert "an estimate over all cases can be reweighted" in (out / "README.md").read_text()
