"""Exports in Hugging Face format that are refused, fail or are killed, and what that leaves behind."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from curation import exporting
from curation.exporting import BytesGone, FolderTaken, TextUnchecked
from curation.images import mark_text_checked
from curation.models import Case, Snapshot
from curation.verifying import verify
from tests.curation.hf_exports import dicom_asset, with_image, write
from tests.factories import make_asset, make_case

if TYPE_CHECKING:
    from curation.models import Benchmark, User

pytestmark = pytest.mark.django_db


def test_unchecked_images_are_refused_by_name_until_a_curator_has_looked(
    benchmark: Benchmark, case: Case, curator: User, out: Path
) -> None:
    cine = dicom_asset()
    with_image(case, cine)
    with pytest.raises(TextUnchecked, match=f"image 2 of case case1 .{cine.sha256}") as refused:
        write(benchmark, out)
    assert refused.value.images == (("case1", 2, cine.sha256),)
    assert list(out.parent.iterdir()) == []
    mark_text_checked(asset=cine, curator=curator, benchmark=benchmark)
    assert write(benchmark, out).rows_out == 1


def test_a_demo_is_not_barred_and_says_what_it_is(benchmark: Benchmark, case: Case, out: Path) -> None:
    benchmark.is_demo = True
    benchmark.save()
    with_image(case, dicom_asset())
    write(benchmark, out)
    assert "Not clinically validated" in (out / "README.md").read_text()


def test_originals_are_the_stored_bytes_each_once(benchmark: Benchmark, out: Path) -> None:
    cine = dicom_asset(needs_text_check=False)
    for key in ("a", "b"):
        with_image(make_case(benchmark, key), cine)
    write(benchmark, out, has_originals=True)
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (out / "originals").iterdir()}
    assert len(found) == 3
    assert f"{cine.sha256}.dcm" in found
    assert all(name.split(".")[0] == sha256 for name, sha256 in found.items())
    assert verify(out).digest == Snapshot.objects.get().digest


@pytest.mark.parametrize("fault", ["missing", "different"])
def test_bytes_that_are_gone_or_changed_leave_nothing(
    benchmark: Benchmark, case: Case, out: Path, media: Path, fault: str
) -> None:
    asset = case.images.get().asset
    path = media / asset.storage_name
    if fault == "missing":
        path.unlink()
    else:
        other = make_asset(seed=77)
        path.write_bytes((media / other.storage_name).read_bytes())
    with pytest.raises(BytesGone, match=asset.sha256):
        write(benchmark, out, has_originals=True)
    assert list(out.parent.iterdir()) == []


def test_a_killed_export_leaves_no_half_folder(
    benchmark: Benchmark, case: Case, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        assert (next(out.parent.iterdir()) / "data" / "cases").is_dir()
        raise SystemExit(143)

    monkeypatch.setattr(exporting, "write_manifest", killed)
    with pytest.raises(SystemExit):
        write(benchmark, out)
    assert list(out.parent.iterdir()) == []


def test_a_folder_that_holds_something_is_refused(benchmark: Benchmark, case: Case, out: Path) -> None:
    out.mkdir()
    (out / "mine").write_text("mine")
    with pytest.raises(FolderTaken, match="is not empty"):
        write(benchmark, out)
    assert [path.name for path in out.iterdir()] == ["mine"]
    link = out.parent / "link"
    link.symlink_to(out)
    with pytest.raises(FolderTaken, match="is no folder"):
        write(benchmark, link)
    (out / "mine").unlink()
    assert write(benchmark, out).rows_out == 1


def test_keys_never_become_paths(benchmark: Benchmark, out: Path) -> None:
    for number, key in enumerate(["../../evil", "/etc/passwd", "a\\b", "..", "CON"]):
        make_case(benchmark, key, split=["..", "a/b"][number % 2])
    report = write(benchmark, out)
    assert report.rows_out == 5
    inside = sorted(str(path.relative_to(out)) for path in out.rglob("*.parquet"))
    named = re.compile(r"data/(cases/(_|a_b)|readings/test|scores/test)-00000\.parquet")
    assert [path for path in inside if not named.fullmatch(path)] == []
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert verify(out)
