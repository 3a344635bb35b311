from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from pydicom import dcmread

from curation.digests import case_record, content_digest, input_digest, with_record_parts
from curation.formats.canonical import canonical_digest
from curation.importing import IMPORT_FORMATS, ImportFailed, import_cases, import_records
from curation.models import AuditEvent, Benchmark, Case, CaseFacts, Event, Gold, ImageAsset, ImageUpload, Role, User
from curation.signals import cases_changed
from tests.curation.sources import (
    MARKERS,
    dicom_file,
    huge_png_header,
    identified_dicom,
    png,
    record,
    write_records,
)

BOX = {"image": 1, "frame": 0, "shape": "box", "geometry": {"x0": 1, "y0": 2.5, "x1": 6, "y1": 7}}


def take(benchmark: Benchmark, path: Path, kind: str = "sightline", **options: Any) -> Any:
    return import_cases(benchmark=benchmark, path=path, format=kind, **options)


def database_state() -> dict[str, list[dict[str, Any]]]:
    return {
        model.__name__: list(model.objects.order_by("pk").values())  # type: ignore[attr-defined]
        for model in apps.get_app_config("curation").get_models()
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    return made


class TestSightline:
    def test_a_record_becomes_a_case_with_every_field(self, benchmark: Benchmark, folder: Path) -> None:
        (folder / "a.png").write_bytes(png(1))
        given = record(
            "case1",
            {"path": "a.png", "caption": "bright", "modality": "XR", "view": "PA", "timepoint": "0", "series": "2"},
            split="test",
            options={"A": "yes", "B": "no"},
            answer="B",
            history="Cough.",
            patient="p7",
            source="ours",
            licence="CC0",
            attribution="us",
            extra={"ICD Chapter": "J", "n": 1e22, "nested": [None, {"ü": 2.0}]},
        )
        report = take(benchmark, write_records(folder, [given]))
        assert (report.created, report.rejected) == (1, [])
        (case,) = with_record_parts(Case.objects.values_list("pk", flat=True))
        sha256 = ImageAsset.objects.get().sha256
        (image,) = given["images"]
        expected = {**given, "gold": None, "images": [{**image, "sha256": sha256, "sub_modality": ""}]}
        del expected["images"][0]["path"]
        assert case_record(case) == expected
        assert case.content_digest == content_digest(case_record(case))
        assert case.input_digest == input_digest(
            question=given["question"], options=given["options"], history="Cough.", images=[sha256]
        )

    def test_gold_is_kept_with_its_ids_and_order(self, benchmark: Benchmark, folder: Path) -> None:
        (folder / "a.png").write_bytes(png(1))
        ids = ["b" * 8 + "-0000-4000-8000-" + "0" * 12, "a" * 8 + "-0000-4000-8000-" + "0" * 12]
        gold = {
            "answer": "A",
            "rois": [{"id": name, "label": None, **BOX} for name in ids],
            "steps": [{"kind": "free", "text": "there", "evidence": [ids[1]]}],
        }
        take(benchmark, write_records(folder, [record("case1", "a.png", gold=gold)]))
        (case,) = with_record_parts(Case.objects.values_list("pk", flat=True))
        assert case_record(case)["gold"] == gold
        assert case.content_digest == content_digest(case_record(case))

    @pytest.mark.parametrize(
        ("change", "path"),
        [
            ({"image": 2}, "gold.rois[0].image"),
            ({"frame": 1}, "gold.rois[0].frame"),
            ({"geometry": {"x0": 5, "y0": 0, "x1": 5, "y1": 3}}, "gold.rois[0].geometry.x1"),
            ({"geometry": {"x0": 5, "y0": 0, "x1": 500, "y1": 3}}, "gold.rois[0].geometry.x1"),
            ({"shape": "polygon", "geometry": {"points": [[0, 0], [1, 1]]}}, "gold.rois[0].geometry.points"),
            ({"label": "nowhere"}, "gold.rois[0].label"),
        ],
    )
    def test_wrong_gold_rejects_its_row_with_the_path(
        self, benchmark: Benchmark, folder: Path, change: dict[str, Any], path: str
    ) -> None:
        (folder / "a.png").write_bytes(png(1))
        bad = record("bad", "a.png", gold={"answer": None, "rois": [{**BOX, **change}], "steps": []})
        report = take(benchmark, write_records(folder, [bad, record("good", "a.png")]))
        assert [(row.index, row.id, row.field) for row in report.rejected] == [(0, "bad", path)]
        assert report.created == 1

    @pytest.mark.parametrize(
        ("line", "field"),
        [
            (b"{not json", ""),
            (b"[1]", ""),
            (b'{"id": "x", "images": [{"path": "a.png"}], "extra": {"v": NaN}}', ""),
            (b'{"id": "x", "id": "y", "images": [{"path": "a.png"}]}', ""),
            (b"[" * 100_000, ""),
            (b'{"images": [{"path": "a.png"}]}', "id"),
            (b'{"id": "../x", "images": [{"path": "a.png"}]}', "id"),
            (b'{"id": "x\\u0000", "images": [{"path": "a.png"}]}', "id"),
            (b'{"id": "x", "images": []}', "images"),
            (b'{"id": "x", "images": [{"caption": "no image"}]}', "images[0]"),
            (b'{"id": "x", "images": [{"path": "a.png"}], "colour": 1}', "colour"),
            (b'{"id": "x", "images": [{"path": "a.png"}], "question": 7}', "question"),
            (b'{"id": "x", "images": [{"path": "a.png"}], "question": "\\ud800"}', "question"),
            (b'{"id": "x", "images": [{"path": "a.png"}], "options": ["a"]}', "options"),
            (b'{"id": "x", "images": [{"path": "a.png"}], "options": {"A B": "a"}}', "options.A B"),
            (b'{"id": "x", "images": [{"path": "a.png"}], "extra": {"v": [{"w": "\\u0000"}]}}', "extra.v[0].w"),
            (b'{"id": "x", "images": [{"path": "a.png"}], "extra": {"v": 123456789012345678901}}', ""),
            (b'{"id": "x", "images": [{"path": "gone.png"}]}', "images[0].path"),
            (b'{"id": "x", "images": [{"path": "a.png", "sha256": "' + b"0" * 64 + b'"}]}', "images[0].sha256"),
            (b'{"id": "x", "images": [{"sha256": "' + b"0" * 64 + b'"}]}', "images[0].sha256"),
        ],
    )
    def test_a_bad_row_is_rejected_and_the_rest_goes_on(
        self, benchmark: Benchmark, folder: Path, line: bytes, field: str
    ) -> None:
        (folder / "a.png").write_bytes(png(1))
        file = folder / "cases.jsonl"
        file.write_bytes(line + b"\n\n" + json.dumps(record("good", "a.png")).encode() + b"\n")
        report = take(benchmark, file)
        assert [(row.index, row.field) for row in report.rejected] == [(0, field)]
        assert report.rejected[0].reason
        assert list(Case.objects.values_list("key", flat=True)) == ["good"]

    @pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "link.png", "sub/../../secret.png", "sub"])
    def test_paths_that_lead_out_are_refused(self, benchmark: Benchmark, folder: Path, name: str) -> None:
        (folder.parent / "secret.png").write_bytes(png(1))
        (folder / "sub").mkdir()
        (folder / "link.png").symlink_to(folder.parent / "secret.png")
        report = take(benchmark, write_records(folder, [record("case1", name)]))
        assert [row.field for row in report.rejected] == ["images[0].path"]
        assert not ImageAsset.objects.exists()

    def test_a_json_list_and_a_folder_of_files_are_taken_too(self, benchmark: Benchmark, folder: Path) -> None:
        (folder / "a.png").write_bytes(png(1))
        listed = folder / "list.json"
        listed.write_text(json.dumps([record("one", "a.png"), record("two", "a.png")]))
        assert take(benchmark, listed).created == 2
        write_records(folder, [record("three", "a.png")], "a.jsonl")
        write_records(folder, [record("four", "a.png"), 7], "b.jsonl")
        report = take(benchmark, folder)
        assert report.created == 2
        assert [row.index for row in report.rejected] == [2]

    def test_the_same_id_twice_in_one_import(self, benchmark: Benchmark, folder: Path) -> None:
        (folder / "a.png").write_bytes(png(1))
        rows = [record("one", "a.png"), record("one", "a.png"), record("one", "a.png", history="other")]
        report = take(benchmark, write_records(folder, rows), update=True)
        assert (report.created, report.unchanged) == (1, 1)
        assert [(row.index, row.field) for row in report.rejected] == [(2, "id")]

    def test_split_of_the_command_wins(self, benchmark: Benchmark, folder: Path) -> None:
        (folder / "a.png").write_bytes(png(1))
        take(benchmark, write_records(folder, [record("one", "a.png", split="train")]), split="test")
        assert Case.objects.get().split == "test"


class TestKnownCases:
    def test_an_update_is_told_with_what_was_and_what_came(self, benchmark: Benchmark, folder: Path) -> None:
        (folder / "a.png").write_bytes(png(1))
        take(benchmark, write_records(folder, [record("one", "a.png", split="train", history="old")]))
        before = Case.objects.get()
        take(
            benchmark,
            write_records(folder, [record("one", "a.png", split="test", history="new")]),
            update=True,
        )
        after = Case.objects.get()
        event = AuditEvent.objects.get(action="case.changed")
        assert (event.object_type, event.object_id, event.benchmark_id) == ("case", str(after.pk), benchmark.pk)
        # Clinical text stays out of the trail: its digest says that it changed.
        assert event.before == {
            "version": 1,
            "content": before.content_digest,
            "split": "train",
            "history": canonical_digest("old"),
        }
        assert event.after == {
            "version": 2,
            "content": after.content_digest,
            "split": "test",
            "history": canonical_digest("new"),
        }
        take(benchmark, write_records(folder, [record("one", "a.png", split="test", history="new")]), update=True)
        assert AuditEvent.objects.filter(action="case.changed").count() == 1

    def test_a_second_run_changes_nothing_and_decodes_nothing(
        self, benchmark: Benchmark, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(3):
            (folder / f"{number}.png").write_bytes(png(number))
        file = write_records(folder, [record(f"c{number}", f"{number}.png") for number in range(3)])
        take(benchmark, file)
        before = database_state()
        monkeypatch.setattr("curation.import_images.decode_untrusted", None)
        report = take(benchmark, file)
        assert report.as_json() == {"created": 0, "updated": 0, "unchanged": 3, "rejected": []}
        assert database_state() == before

    def test_other_content_is_rejected_without_update(self, benchmark: Benchmark, folder: Path) -> None:
        (folder / "a.png").write_bytes(png(1))
        take(benchmark, write_records(folder, [record("one", "a.png")]))
        changed = write_records(folder, [record("one", "a.png", history="new")])
        report = take(benchmark, changed)
        assert [(row.index, row.id, row.field) for row in report.rejected] == [(0, "one", "id")]
        assert Case.objects.get().history == ""

    def test_update_is_a_new_version_with_the_images_replaced(
        self, benchmark: Benchmark, folder: Path, django_capture_on_commit_callbacks: Any
    ) -> None:
        for number in range(2):
            (folder / f"{number}.png").write_bytes(png(number))
        take(benchmark, write_records(folder, [record("one", "0.png", "1.png"), record("two", "0.png")]))
        old = Case.objects.get(key="one")
        assert not Event.objects.exists()
        heard: list[Any] = []

        def listen(**sent: Any) -> None:
            heard.append(sent["case_ids"])

        cases_changed.connect(listen)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                report = take(
                    benchmark, write_records(folder, [record("one", "1.png"), record("two", "0.png")]), update=True
                )
        finally:
            cases_changed.disconnect(listen)
        assert (report.updated, report.unchanged) == (1, 1)
        new = Case.objects.get(key="one")
        assert (new.pk, new.position, new.version) == (old.pk, old.position, 2)
        assert new.input_digest != old.input_digest
        assert [image.number for image in new.images.all()] == [1]
        assert heard == [[old.pk]]
        event = Event.objects.get()
        assert (event.type, event.payload) == ("case.changed", {"case": str(old.pk)})
        assert (event.benchmark_id, event.least_role, event.is_blinded) == (benchmark.pk, Role.READER, False)
        assert CaseFacts.objects.get(case=new).image_count == 1

    def test_cases_are_in_whatever_becomes_of_those_who_hear_of_it(
        self, benchmark: Benchmark, tmp_path: Path, django_capture_on_commit_callbacks: Any
    ) -> None:
        folder = tmp_path
        (folder / "0.png").write_bytes(png(0))

        def fail(**_: Any) -> None:
            raise RuntimeError("no time")

        cases_changed.connect(fail)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                report = take(benchmark, write_records(folder, [record("one", "0.png")]))
        finally:
            cases_changed.disconnect(fail)
        assert report.created == Case.objects.count() == 1

    def test_new_gold_is_a_new_revision_and_leaves_the_input_alone(self, benchmark: Benchmark, folder: Path) -> None:
        (folder / "a.png").write_bytes(png(1))
        golds = [{"answer": letter, "rois": [BOX], "steps": []} for letter in "AB"]
        for gold in golds:
            take(benchmark, write_records(folder, [record("one", "a.png", gold=gold)]), update=True)
        assert list(Gold.objects.order_by("revision").values_list("revision", "answer")) == [(1, "A"), (2, "B")]
        assert Case.objects.get().version == 2

    def test_a_dry_run_stores_nothing(self, benchmark: Benchmark, folder: Path, media: Path) -> None:
        (folder / "a.png").write_bytes(png(1))
        before = database_state()
        report = take(benchmark, write_records(folder, [record("one", "a.png"), record("two", "b.png")]), dry_run=True)
        assert (report.created, len(report.rejected)) == (1, 1)
        assert database_state() == before
        assert not list(media.rglob("*.png"))

    def test_an_import_is_one_audit_event_without_names(self, benchmark: Benchmark, folder: Path) -> None:
        (folder / "a.png").write_bytes(png(1))
        take(
            benchmark,
            write_records(folder, [record(f"c{number}", "a.png") for number in range(5)] + [record("x", "y")]),
        )
        event = AuditEvent.objects.get(action="cases.imported")
        assert event.after == {"format": "sightline", "created": 5, "updated": 0, "unchanged": 0, "rejected": 1}

    def test_positions_count_on(self, benchmark: Benchmark, folder: Path) -> None:
        (folder / "a.png").write_bytes(png(1))
        take(benchmark, write_records(folder, [record("b", "a.png"), record("a", "a.png")]))
        take(benchmark, write_records(folder, [record("0", "a.png")]))
        assert list(Case.objects.order_by("position").values_list("key", "position")) == [("b", 1), ("a", 2), ("0", 3)]

    def test_queries_do_not_grow_with_the_rows(
        self, benchmark: Benchmark, folder: Path, django_assert_max_num_queries: Any
    ) -> None:
        (folder / "a.png").write_bytes(png(1))
        take(benchmark, write_records(folder, [record("first", "a.png")]))
        rows = [record(f"c{number}", "a.png", gold={"answer": "A", "rois": [BOX], "steps": []}) for number in range(90)]
        with django_assert_max_num_queries(40):
            take(benchmark, write_records(folder, rows))
        assert Case.objects.count() == 91


class TestFolders:
    def test_a_sub_folder_and_a_file_are_each_one_case(self, benchmark: Benchmark, folder: Path) -> None:
        (folder / "anna smith").mkdir()
        for number in (1, 2, 10):
            (folder / "anna smith" / f"view{number}.png").write_bytes(png(number))
        (folder / "single.jpg").write_bytes(png(5))  # wrongly named, and a picture all the same
        (folder / ".hidden").write_bytes(b"x")
        report = take(benchmark, folder, "images")
        assert (report.created, report.rejected) == (2, [])
        first, second = Case.objects.order_by("position")
        assert [image.asset.source_sha256 for image in first.images.order_by("number")] == [
            hashlib.sha256(png(number)).hexdigest() for number in (1, 2, 10)
        ]
        assert second.images.count() == 1
        assert all(len(case.key) == 16 and int(case.key, 16) >= 0 for case in (first, second))
        assert "smith" not in json.dumps(database_state(), default=str).lower()

    def test_a_key_is_of_content_alone(self, benchmark: Benchmark, tmp_path: Path) -> None:
        for name in ("here", "there"):
            (tmp_path / name).mkdir()
            (tmp_path / name / f"{name}.png").write_bytes(png(1))
        assert take(benchmark, tmp_path / "here", "images").created == 1
        assert take(benchmark, tmp_path / "there", "images").unchanged == 1

    def test_dicom_is_ordered_by_series_and_instance(self, benchmark: Benchmark, folder: Path) -> None:
        (folder / "study").mkdir()
        placed = {"c.dcm": (1, 1), "b.dcm": (10, 1), "a.dcm": (2, 1), "0.dcm": (1, 2)}
        for number, (name, (instance, series)) in enumerate(placed.items()):
            (folder / "study" / name).write_bytes(identified_dicom(instance, series, offset=number))
        take(benchmark, folder, "dicom")
        images = Case.objects.get().images.select_related("asset")
        found = [(int(image.series), image.asset.acquisition["InstanceNumber"]) for image in images]
        assert found == [(1, 1), (1, 2), (1, 10), (2, 1)]
        assert {image.modality for image in images} == {"CT"}

    def test_nothing_of_an_identity_is_kept(self, benchmark: Benchmark, folder: Path, media: Path) -> None:
        (folder / MARKERS[0]).mkdir()
        (folder / MARKERS[0] / f"{MARKERS[1]}.dcm").write_bytes(identified_dicom())
        assert take(benchmark, folder, "dicom").created == 1
        dumped = json.dumps(database_state(), default=str)
        uids = [element.value for element in dcmread(dicom_file("CT_small.dcm")) if element.VR == "UI"]
        stored = list(media.rglob("*"))
        for marker in (*MARKERS, "QUAGMIRE", *(uid for uid in uids if len(uid) > 30)):
            assert marker not in dumped
            assert not [file for file in stored if marker in file.name]
            assert not [file for file in stored if file.is_file() and marker.encode() in file.read_bytes()]
        assert ImageAsset.objects.get().needs_text_check

    def test_each_format_takes_its_own_kinds(self, benchmark: Benchmark, folder: Path) -> None:
        (folder / "a.png").write_bytes(png(1))
        (folder / "b.dcm").write_bytes(dicom_file("CT_small.dcm").read_bytes())
        for kind, rejected in (("images", 1), ("dicom", 0)):
            report = take(benchmark, folder, kind)
            assert (report.created, [row.index for row in report.rejected]) == (1, [rejected])
        report = take(benchmark, folder, "images")  # the DICOM file is known by now, and still not taken
        assert (report.unchanged, [row.index for row in report.rejected]) == (1, [1])

    def test_hostile_files_are_refused_by_name_and_the_rest_goes_on(self, benchmark: Benchmark, folder: Path) -> None:
        whole = dicom_file("CT_small.dcm").read_bytes()
        hostile = {
            "00-empty.png": b"",
            "01-cut.png": png(3, (60, 40))[:900],
            "02-text.jpg": b"hello, I am no picture",
            "03-huge.png": huge_png_header(),
            "04-archive.zip": b"PK\x03\x04" + b"\0" * 60,
            "05-page.png": b"<html><script>alert(1)</script>",
            "06-plan.dcm": dicom_file("rtplan.dcm").read_bytes(),
            "07-cut.dcm": whole[: len(whole) // 2],
            "08-lying.dcm": dicom_file("MR_truncated.dcm").read_bytes(),
        }
        for name, data in hostile.items():
            (folder / name).write_bytes(data)
        (folder / "99-good.png").write_bytes(png(9))
        (folder / "99-good.dcm").write_bytes(whole)
        reasons: dict[int, str] = {}
        for kind in ("images", "dicom"):
            report = take(benchmark, folder, kind)
            assert report.created == 1
            reasons = {row.index: row.reason for row in report.rejected}
            for index, name in enumerate(hostile):
                assert reasons[index].startswith(f"{name}: "), reasons[index]
        assert ImageAsset.objects.count() == 2
        assert "zip" in reasons[4]

    def test_one_bad_file_rejects_its_case(self, benchmark: Benchmark, folder: Path) -> None:
        (folder / "case").mkdir()
        (folder / "case" / "1.png").write_bytes(png(1))
        (folder / "case" / "2.png").write_bytes(b"")
        report = take(benchmark, folder, "images")
        assert [(row.index, row.id, row.field) for row in report.rejected] == [(0, None, "images[1].path")]
        assert not Case.objects.exists()

    def test_links_out_of_the_folder_are_refused(self, benchmark: Benchmark, folder: Path) -> None:
        outside = folder.parent / "outside"
        outside.mkdir()
        (outside / "secret.png").write_bytes(png(1))
        (folder / "a").symlink_to(outside)
        (folder / "b.png").symlink_to(outside / "secret.png")
        (folder / "c.png").symlink_to(folder / "c.png")
        report = take(benchmark, folder, "images")
        assert [row.index for row in report.rejected] == [0, 1, 2]

    def test_what_is_no_path_or_format_fails_as_a_whole(self, benchmark: Benchmark, folder: Path) -> None:
        for path, kind in ((folder / "gone", "images"), (folder, "excel"), (folder, "sightline")):
            with pytest.raises(ImportFailed):
                take(benchmark, path, kind)
        assert set(IMPORT_FORMATS) == {"images", "dicom", "sightline", "medthinkvqa", "vgmed", "fetal_gauge"}


class TestRecordsOverHttp:
    def test_an_image_is_known_to_its_uploader_and_to_members_only(
        self, benchmark: Benchmark, curator: User, outsider: User, folder: Path
    ) -> None:
        (folder / "a.png").write_bytes(png(1))
        take(benchmark, write_records(folder, [record("one", "a.png")]))
        held = ImageAsset.objects.get()
        elsewhere = Benchmark.objects.get(slug="elsewhere")
        absent = "0" * 64
        rows = [record("x", {"sha256": held.sha256}), record("y", {"sha256": absent})]
        refused = import_records(benchmark=elsewhere, records=rows, actor=outsider)
        assert len({row.reason for row in refused.rejected}) == 1
        assert refused.rejected[0].reason.startswith("unknown-image")
        assert [row.index for row in import_records(benchmark=benchmark, records=rows, actor=curator).rejected] == [1]
        ImageUpload.objects.create(asset=held, user=outsider)
        assert import_records(benchmark=elsewhere, records=rows, actor=outsider).created == 1

    def test_paths_are_not_taken(self, benchmark: Benchmark, curator: User) -> None:
        report = import_records(
            benchmark=benchmark, records=[record("x", "/etc/passwd"), record("y", "http://localhost/")], actor=curator
        )
        assert [row.field for row in report.rejected] == ["images[0].path"] * 2
        assert not default_storage.exists("images")
