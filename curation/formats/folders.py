"""Folders of image files: a sub-folder is one case, a file directly in the folder is one case."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from curation.formats.sources import OutsideFolderError, Rejection, SourceCase, SourceImage, inside

# Left behind by file managers, or the table of contents of a DICOM disc; everything else in the folder is meant.
_LITTER = {"thumbs.db", "desktop.ini", "dicomdir"}


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """A sort key that puts ``slice10`` after ``slice9``."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name.lower()) if part]


def read_folder(path: Path) -> Iterator[SourceCase | Rejection]:
    """Cases of a folder, or of a single file, in the natural order of their names.

    Names that begin with a dot are passed over. Files are not opened here.
    """
    if path.is_file():
        yield SourceCase(index=0, id=None, images=(SourceImage(file=path),))
        return
    entries = sorted(
        (entry for entry in path.iterdir() if _is_meant(entry)), key=lambda entry: natural_order(entry.name)
    )
    for index, entry in enumerate(entries):
        try:
            names = _files_of(path, entry)
            if not names:
                yield Rejection(index, None, "images", f"{entry.name}: the folder holds no file")
                continue
            images = tuple(SourceImage(file=inside(path, name)) for name in names)
        except (OutsideFolderError, FileNotFoundError) as error:
            yield Rejection(index, None, "images", str(error))
            continue
        yield SourceCase(index=index, id=None, images=images)


def _is_meant(entry: Path) -> bool:
    return not entry.name.startswith(".") and entry.name.lower() not in _LITTER


def _files_of(root: Path, entry: Path) -> list[str]:
    if not entry.is_dir():
        return [entry.name]
    if not entry.resolve().is_relative_to(root.resolve()):
        raise OutsideFolderError(f"{entry.name!r:.200} leads out of the folder of the import")
    found = [
        str(file.relative_to(root))
        for file in entry.rglob("*")
        if not file.is_dir() and all(_is_meant(root / part) for part in file.relative_to(root).parts)
    ]
    return sorted(found, key=natural_order)
