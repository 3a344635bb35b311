"""`verify`: the first file that is missing, extra or different, and nothing that leads out of the folder."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command

from curation.formats.manifest import write_manifest
from curation.management.command import Failed
from curation.verifying import NotIntact, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SNAPSHOT = b'{"cases":[],"protocol":{}}'
DIGEST = hashlib.sha256(SNAPSHOT).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "export"
    (made / "data" / "cases").mkdir(parents=True)
    (made / "snapshot.json").write_bytes(SNAPSHOT)
    (made / "README.md").write_text("# A card\n")
    (made / "data" / "cases" / "test-00000.parquet").write_bytes(b"rows")
    write_manifest(made, digest=DIGEST)
    return made


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "manifest.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_an_untouched_export_is_intact(folder: Path) -> None:
    manifest = verify(folder)
    assert manifest.digest == DIGEST
    assert sorted(manifest.files) == ["README.md", "data/cases/test-00000.parquet", "snapshot.json"]
    written = json.loads((folder / "manifest.json").read_text())
    assert written["files"]["README.md"] == {
        "sha256": hashlib.sha256(b"# A card\n").hexdigest(),
        "bytes": 9,
    }


@pytest.mark.parametrize(
    ("touch", "path", "reason"),
    [
        (lambda at: (at / "README.md").unlink(), "README.md", "is missing"),
        (lambda at: (at / "README.md").write_text("# B card\n"), "README.md", "is different: its sha256"),
        (lambda at: (at / "README.md").write_text("longer than it was\n"), "README.md", "is different: 19 bytes"),
        (lambda at: (at / "data" / "extra").write_text(""), "data/extra", "is not in the manifest"),
        (lambda at: (at / ".hidden").write_text(""), ".hidden", "is not in the manifest"),
        (lambda at: (at / "link").symlink_to("README.md"), "link", "is a link"),
        (lambda at: (at / "out").symlink_to("/"), "out", "is a link"),
        (lambda at: os.mkfifo(at / "pipe"), "pipe", "is neither a plain file nor a folder"),
        (lambda at: (at / "manifest.json").unlink(), "manifest.json", "is missing"),
        (lambda at: (at / "manifest.json").write_text("{"), "manifest.json", "is not JSON"),
        (lambda at: (at / "manifest.json").write_text("[" * 100_000), "manifest.json", "is not JSON"),
        (lambda at: (at / "manifest.json").write_text("[]"), "manifest.json", "is not {files"),
    ],
)
def test_the_first_fault_is_named(folder: Path, touch: Callable[[Path], object], path: str, reason: str) -> None:
    touch(folder)
    with pytest.raises(NotIntact) as fault:
        verify(folder)
    assert fault.value.path == path
    assert reason in fault.value.reason


def test_of_several_faults_the_first_by_path_is_named(folder: Path) -> None:
    (folder / "snapshot.json").write_bytes(b"{}")
    (folder / "data" / "cases" / "test-00000.parquet").unlink()
    (folder / "zzz").write_text("")
    with pytest.raises(NotIntact, match=r"test-00000\.parquet: is missing"):
        verify(folder)


def test_a_manifest_that_is_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "manifest.json").rename(tmp_path / "elsewhere")
    (folder / "manifest.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotIntact, match=r"manifest\.json: is not a plain file"):
        verify(folder)


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../b", "", ".", "a//b", "manifest.json", "a\0b"])
def test_a_path_that_leads_out_is_refused(folder: Path, path: str) -> None:
    entry = {"sha256": "0" * 64, "bytes": 0}
    change_manifest(folder, lambda document: document["files"].update({path: entry}))
    with pytest.raises(NotIntact, match="names a path that is none of a file in the folder"):
        verify(folder)


@pytest.mark.parametrize(
    "entry", [None, [], {}, {"sha256": "x", "bytes": 1}, {"sha256": "0" * 64, "bytes": True}, {"sha256": "0" * 64}]
)
def test_an_entry_without_sha256_or_bytes_is_refused(folder: Path, entry: object) -> None:
    change_manifest(folder, lambda document: document["files"].update({"README.md": entry}))
    with pytest.raises(NotIntact, match=r"says of 'README\.md' neither"):
        verify(folder)


def test_the_digest_is_the_one_of_what_was_frozen(folder: Path) -> None:
    change_manifest(folder, lambda document: document.update(digest="0" * 64))
    with pytest.raises(NotIntact, match=r"is not the sha256 of snapshot\.json"):
        verify(folder)
    change_manifest(folder, lambda document: document.update(digest="none"))
    with pytest.raises(NotIntact, match="its digest is no sha256: 'none'"):
        verify(folder)


def test_a_forged_snapshot_is_seen_by_the_digest(folder: Path) -> None:
    forged = b'{"cases":[],"protocol":{"kind":"free"}}'
    (folder / "snapshot.json").write_bytes(forged)
    entry = {"sha256": hashlib.sha256(forged).hexdigest(), "bytes": len(forged)}
    change_manifest(folder, lambda document: document["files"].update({"snapshot.json": entry}))
    with pytest.raises(NotIntact, match=r"is not the sha256 of snapshot\.json"):
        verify(folder)


def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify", str(folder), json=True)
    told = json.loads(capsys.readouterr().out)
    assert told == {"intact": True, "files": 3, "bytes": 39, "digest": DIGEST}
    (folder / "README.md").unlink()
    with pytest.raises(Failed, match=r"README\.md: is missing") as failed:
        call_command("verify", str(folder))
    assert failed.value.returncode == 1
    with pytest.raises(Failed, match="is no folder"):
        call_command("verify", str(folder / "nowhere"))
