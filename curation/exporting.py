"""Writing a snapshot to a folder in one of several formats: whole, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils.module_loading import import_string

from curation import audit
from curation.formats.canonical import canonical_digest
from curation.formats.manifest import SNAPSHOT, hash_file, write_manifest
from curation.geometry import bounding_box
from curation.models import ImageAsset, Snapshot, SnapshotCase
from curation.snapshots import snapshot_document

if TYPE_CHECKING:
    from curation.models import User

# Format -> dotted path of what writes it: loaded on first use, since the web process needs none of them.
EXPORT_FORMATS = {"hf": "curation.export_hf.write_hf"}
FORMAT_TITLES = {"hf": "Hugging Face, Parquet"}

BATCH = 100
MOST_NAMED = 10


class ExportRefused(Exception):
    """Why nothing was written."""


class FolderTaken(ExportRefused):
    """The folder holds something, or is no folder."""


class TextUnchecked(ExportRefused):
    """Images in whose pixels a name may still stand; each as (case key, image number, sha256)."""

    def __init__(self, images: Sequence[tuple[str, int, str]]) -> None:
        named = "; ".join(f"image {number} of case {key} ({sha256})" for key, number, sha256 in images[:MOST_NAMED])
        more = f"; and {len(images) - MOST_NAMED} more" if len(images) > MOST_NAMED else ""
        super().__init__(f"not checked for burned-in text, so that a curator has to look first: {named}{more}")
        self.images = tuple(images)


class BytesGone(ExportRefused):
    """Stored bytes are missing, or are not what their name says."""


@dataclass(frozen=True)
class SectionRows:
    """What one app adds for a batch of frozen cases.

    Attributes
    ----------
    rows
        Each with the frozen case that it belongs to; its keys are the section's columns.
    rows_in
        How many there are to tell of, whether or not they can be carried.
    left_out
        How many were not carried, by reason.
    """

    rows: Sequence[tuple[SnapshotCase, dict[str, Any]]]
    rows_in: int
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class ExportSection:
    """One app's part of an export: settings' EXPORT_SECTIONS hold dotted paths to these.

    Attributes
    ----------
    config
        What the part is called, such as `readings`.
    about
        What one row is, in words.
    columns
        Name to type, as `curation.formats.hf` reads them.
    rows
        Asked for a batch of frozen cases, never one by one.
    notes
        What this part never carries, and why.
    """

    config: str
    about: str
    columns: dict[str, Any]
    rows: Callable[[Snapshot, Sequence[SnapshotCase]], SectionRows]
    notes: tuple[str, ...] = ()


@dataclass
class ConfigCount:
    """Rows of one config: there, and written."""

    rows_in: int = 0
    rows_out: int = 0


@dataclass(frozen=True)
class Writing:
    """What a format's writer gets: the snapshot, an empty folder, and whom to tell how many cases are done."""

    snapshot: Snapshot
    folder: Path
    has_originals: bool
    progress: Callable[[int], None]

    def batches(self) -> Iterator[list[SnapshotCase]]:
        """Frozen cases in the order of the benchmark, BATCH at a time; one query each."""
        return frozen_batches(self.snapshot)


@dataclass(frozen=True)
class Written:
    """What a format's writer did: rows by config, the main one first, and what it left out, in words."""

    configs: dict[str, ConfigCount]
    not_carried: list[str]


@dataclass(frozen=True)
class ExportReport:
    """Rows of the main config in and out (cases, for `hf`), rows of each, files, and what was left out and why."""

    rows_in: int
    rows_out: int
    configs: dict[str, ConfigCount]
    files: int
    total_bytes: int
    not_carried: list[str]

    def as_json(self) -> dict[str, Any]:
        """The document of `export --json`."""
        return {
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "configs": {name: {"rows_in": one.rows_in, "rows_out": one.rows_out} for name, one in self.configs.items()},
            "files": self.files,
            "bytes": self.total_bytes,
            "not_carried": self.not_carried,
        }


def _nobody(_: int) -> None:
    """Tell nobody."""


def export(
    *,
    snapshot: Snapshot,
    format: str,  # noqa: A002 the command's own word
    folder: Path,
    has_originals: bool = False,
    actor: User | None = None,
    progress: Callable[[int], None] = _nobody,
) -> ExportReport:
    """Write a snapshot to a folder.

    The content is what was frozen; scores are as they are now, and say whether they are stale.

    Parameters
    ----------
    format
        A key of EXPORT_FORMATS.
    folder
        Does not exist, or is an empty folder. Written beside under another name and put in place at the end: whatever
        goes wrong before, nothing lies there.
    has_originals
        Also the stored bytes of every image.
    actor
        Who asked; None for a command.
    progress
        Told the number of cases done, after every batch.

    Raises
    ------
    FolderTaken, TextUnchecked, BytesGone
        All are `ExportRefused`. Images whose burned-in text nobody has checked are refused unless the benchmark is a
        demo.
    KeyError
        For an unknown format.
    """
    write: Callable[[Writing], Written] = import_string(EXPORT_FORMATS[format])
    _check_folder(folder)
    if not snapshot.benchmark.is_demo:
        refuse_unchecked(snapshot)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.part-", dir=folder.parent))
    try:
        report = _write(write, Writing(snapshot, part, has_originals, progress))
        # Only the owner can look into what mkdtemp makes; an export is as open as any new folder.
        umask = os.umask(0)
        os.umask(umask)
        part.chmod(0o777 & ~umask)
        _check_folder(folder)
        part.replace(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    after = {"format": format, "rows_out": report.rows_out, "originals": has_originals}
    audit.record(
        "snapshot.exported",
        actor=actor,
        benchmark_id=snapshot.benchmark_id,
        object_type="snapshot",
        object_id=snapshot.digest,
        after=after,
    )
    return report


def _check_folder(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise FolderTaken(f"{folder} is no folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise FolderTaken(f"{folder} is not empty")


def _write(write: Callable[[Writing], Written], writing: Writing) -> ExportReport:
    document = snapshot_document(writing.snapshot)
    (writing.folder / SNAPSHOT).write_bytes(document)
    if hash_file(writing.folder / SNAPSHOT).sha256 != writing.snapshot.digest:
        raise BytesGone(f"the rows of the snapshot {writing.snapshot.digest} are not what was frozen")
    written = write(writing)
    if writing.has_originals:
        _copy_originals(writing)
    manifest = write_manifest(writing.folder, digest=writing.snapshot.digest)
    main = next(iter(written.configs.values()))
    # The manifest itself is a file too.
    return ExportReport(
        rows_in=main.rows_in,
        rows_out=main.rows_out,
        configs=written.configs,
        files=len(manifest.files) + 1,
        total_bytes=manifest.total_bytes,
        not_carried=written.not_carried,
    )


def frozen_batches(snapshot: Snapshot, size: int = BATCH) -> Iterator[list[SnapshotCase]]:
    """Frozen cases in the order of the benchmark, a batch at a time; one query each."""
    last = 0
    while batch := list(snapshot.frozen_cases.filter(pk__gt=last).order_by("pk")[:size]):
        last = batch[-1].pk
        for row in batch:
            row.snapshot = snapshot
        yield batch


def assets_of(cases: Sequence[SnapshotCase]) -> dict[str, ImageAsset]:
    """Every image of some frozen cases by its sha256; one query."""
    names = {image["sha256"] for case in cases for image in case.record["images"]}
    return ImageAsset.objects.in_bulk(list(names))


def unchecked_images(snapshot: Snapshot) -> list[tuple[str, int, str]]:
    """(case key, image number, sha256) of every image whose burned-in text nobody has checked."""
    found = []
    for batch in frozen_batches(snapshot, size=1000):
        names = {image["sha256"] for case in batch for image in case.record["images"]}
        barred = set(
            ImageAsset.objects.filter(
                pk__in=list(names), needs_text_check=True, text_checked_at__isnull=True
            ).values_list("pk", flat=True)
        )
        found += [
            (case.key, number, image["sha256"])
            for case in batch
            for number, image in enumerate(case.record["images"], 1)
            if image["sha256"] in barred
        ]
    return found


def refuse_unchecked(snapshot: Snapshot) -> None:
    """Raise TextUnchecked if an image's burned-in text is unchecked."""
    if images := unchecked_images(snapshot):
        raise TextUnchecked(images)


def _copy_originals(writing: Writing) -> None:
    """Stored bytes under names that are sha256 sums alone, each once, compared with their name on the way."""
    target = writing.folder / "originals"
    target.mkdir()
    done: set[str] = set()
    for batch in writing.batches():
        for sha256, asset in sorted(assets_of(batch).items()):
            if sha256 in done:
                continue
            done.add(sha256)
            path = target / Path(asset.storage_name).name
            try:
                with default_storage.open(asset.storage_name, "rb") as stored, path.open("wb") as copy:
                    shutil.copyfileobj(stored, copy)
            except FileNotFoundError:
                raise BytesGone(f"the stored bytes of image {sha256} are missing") from None
            if hash_file(path).sha256 != sha256:
                raise BytesGone(f"the stored bytes of image {sha256} are not what their name says")


def sections() -> list[ExportSection]:
    """What the apps add to an export, in the order of the settings."""
    return [import_string(path) for path in settings.EXPORT_SECTIONS]


def box_around(roi: dict[str, Any]) -> dict[str, float | None]:
    """The box around a ROI as columns x0, y0, x1, y1; all None around a mask without a pixel."""
    if roi["shape"] == "box":
        # Checked when it came in; most ROIs are boxes, and a reading may hold thousands.
        return {name: roi["geometry"][name] for name in ("x0", "y0", "x1", "y1")}
    try:
        corners: Sequence[float | None] = bounding_box(roi["shape"], roi["geometry"])
    except ValueError:
        corners = (None, None, None, None)
    return dict(zip(("x0", "y0", "x1", "y1"), corners, strict=True))


def same_gold(frozen: dict[str, Any] | None, other: dict[str, Any] | None) -> bool:
    """Whether two gold records are the same content."""
    return canonical_digest(frozen) == canonical_digest(other)
