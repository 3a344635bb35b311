"""`manifest.json`: every file of an export with its sha256 and size, and the digest of what was frozen.

The manifest's `digest` is the snapshot's; it is also the sha256 of the file `snapshot.json` beside it, so that
`sha256sum snapshot.json` recomputes it.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

MANIFEST = "manifest.json"
SNAPSHOT = "snapshot.json"
LARGEST_MANIFEST = 512 * 1024 * 1024

_SHA256 = re.compile(r"[0-9a-f]{64}")


class ManifestFault(ValueError):
    """A folder that is not what its manifest says; names the first file that is not."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True)
class FileEntry:
    """What is recorded of one file."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """Files by their path below the folder, with `/` between parts, and the digest of the snapshot."""

    files: dict[str, FileEntry]
    digest: str

    @property
    def total_bytes(self) -> int:
        """Size of all files together, without the manifest's own."""
        return sum(entry.size for entry in self.files.values())

    def as_json(self) -> dict[str, Any]:
        """The document that is written."""
        files = {path: {"sha256": entry.sha256, "bytes": entry.size} for path, entry in sorted(self.files.items())}
        return {"files": files, "digest": self.digest}


def write_manifest(folder: Path, *, digest: str) -> Manifest:
    """Write `manifest.json` over everything that lies in a folder.

    Parameters
    ----------
    folder : Path
        A finished export, without a manifest.
    digest : str
        The snapshot's.

    Raises
    ------
    ManifestFault
        If the folder holds a link or anything else that is not a plain file.
    """
    files = {path: hash_file(folder / path) for path in _plain_files(folder)}
    manifest = Manifest(files, digest)
    (folder / MANIFEST).write_text(json.dumps(manifest.as_json(), indent=1) + "\n", encoding="utf-8")
    return manifest


def check_folder(folder: Path) -> Manifest:
    """Compare a folder with its manifest.

    Parameters
    ----------
    folder : Path
        An export, wherever it came from: nothing in it is trusted, no link in it is followed.

    Returns
    -------
    Manifest
        If every file is there, none is different, there is none beside, and the digest is the one of `snapshot.json`.

    Raises
    ------
    ManifestFault
        Naming the first missing, extra or different file in the order of their paths.
    """
    manifest = read_manifest(folder)
    found = set(_plain_files(folder)) - {MANIFEST}
    for path in sorted(found | manifest.files.keys()):
        if path not in found:
            raise ManifestFault(path, "is missing")
        if path not in manifest.files:
            raise ManifestFault(path, "is not in the manifest")
        recorded, size = manifest.files[path], (folder / path).stat().st_size
        if size != recorded.size:
            raise ManifestFault(path, f"is different: {size} bytes, {recorded.size} recorded")
        actual = hash_file(folder / path).sha256
        if actual != recorded.sha256:
            raise ManifestFault(path, f"is different: its sha256 is {actual}, {recorded.sha256} recorded")
    content = manifest.files.get(SNAPSHOT)
    if content is None:
        raise ManifestFault(SNAPSHOT, "is missing from the manifest")
    if content.sha256 != manifest.digest:
        raise ManifestFault(MANIFEST, f"its digest {manifest.digest} is not the sha256 of {SNAPSHOT}: {content.sha256}")
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder, checked for its own form only.

    Raises
    ------
    ManifestFault
        If it is missing, a link, not JSON, or names a path that leads out of the folder.
    """
    path = folder / MANIFEST
    if not folder.is_dir():
        raise ManifestFault(str(folder), "is no folder")
    try:
        facts = path.lstat()
    except OSError:
        raise ManifestFault(MANIFEST, "is missing") from None
    if not stat.S_ISREG(facts.st_mode):
        raise ManifestFault(MANIFEST, "is not a plain file")
    if facts.st_size > LARGEST_MANIFEST:
        raise ManifestFault(MANIFEST, f"is too large: {facts.st_size} bytes")
    try:
        given = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ManifestFault(MANIFEST, f"is not JSON: {error}") from None
    return _parsed(given)


def hash_file(path: Path) -> FileEntry:
    """Sha256 and size of a file, read in pieces."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileEntry(digest, file.tell())


def _parsed(given: Any) -> Manifest:
    if not isinstance(given, dict) or not isinstance(given.get("files"), dict):
        raise ManifestFault(MANIFEST, "is not {files: {path: {sha256, bytes}}, digest}")
    digest = given.get("digest")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise ManifestFault(MANIFEST, f"its digest is no sha256: {digest!r:.80}")
    return Manifest({path: _entry(path, entry) for path, entry in given["files"].items()}, digest)


def _entry(path: str, entry: Any) -> FileEntry:
    pure = PurePosixPath(path)
    if str(pure) != path or pure.is_absolute() or ".." in pure.parts or "\0" in path or path in ("", ".", MANIFEST):
        raise ManifestFault(MANIFEST, f"names a path that is none of a file in the folder: {path!r:.200}")
    sha256, size = (entry.get("sha256"), entry.get("bytes")) if isinstance(entry, dict) else (None, None)
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256) or type(size) is not int or size < 0:
        raise ManifestFault(MANIFEST, f"says of {path!r:.200} neither sha256 nor bytes")
    return FileEntry(sha256, size)


def _plain_files(folder: Path, below: str = "") -> Iterator[str]:
    """Paths of plain files; anything else but a folder is refused by name."""
    for path in sorted((folder / below).iterdir(), key=lambda path: path.name):
        name = f"{below}/{path.name}" if below else path.name
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise ManifestFault(name, "is a link")
        if stat.S_ISDIR(mode):
            yield from _plain_files(folder, name)
        elif stat.S_ISREG(mode):
            yield name
        else:
            raise ManifestFault(name, "is neither a plain file nor a folder")
