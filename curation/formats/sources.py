"""What every import format yields: cases as their source gives them, before any image was looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Rejection:
    """A row that was not taken; `index` counts from 0, `field` is a path such as ``images[1].path``."""

    index: int
    id: str | None
    field: str
    reason: str


@dataclass(frozen=True)
class SourceImage:
    """An image as a source names it: a file, or the sha256 of one that is stored."""

    file: Path | None = None
    sha256: str = ""
    caption: str = ""
    modality: str = ""
    sub_modality: str = ""
    view: str = ""
    timepoint: str = ""
    series: str = ""


@dataclass(frozen=True)
class SourceCase:
    """A case as a source gives it; `id` None means that its key derives from its content."""

    index: int
    id: str | None
    images: tuple[SourceImage, ...]
    split: str = ""
    question: str = ""
    options: dict[str, str] | None = None
    answer: Any = None
    history: str = ""
    patient: str = ""
    source: str = ""
    licence: str = ""
    attribution: str = ""
    gold: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class OutsideFolderError(ValueError):
    """A path that leads out of the folder it must stay in."""


def inside(folder: Path, name: str) -> Path:
    """The file of a relative name below a folder.

    Raises
    ------
    OutsideFolderError
        If the name is absolute, climbs out, or passes through a link that leads out.
    FileNotFoundError
        If there is no such regular file.
    """
    if "\0" in name:
        raise FileNotFoundError(f"{name!r:.200} is no file name")
    root = folder.resolve()
    given = Path(name)
    try:
        found = (root / given).resolve()
        if given.is_absolute() or not found.is_relative_to(root):
            raise OutsideFolderError(f"{name!r:.200} leads out of the folder of the import")
        if not found.is_file():
            raise FileNotFoundError(f"{name!r:.200} is not there")
    except (OSError, RuntimeError) as error:  # a loop of links, or a name that is too long
        raise FileNotFoundError(f"{name!r:.200} is not there") from error
    return found
