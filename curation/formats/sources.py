"""What every import format yields: cases as their source gives them, before any image was looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: The key of `extra` that is an importer's own; no source column may have this name.
NOTES = "sightline"


def printable(text: str) -> str:
    """Text that any encoder takes: a lone surrogate, which JSON and file names can hold, becomes its escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@dataclass(frozen=True)
class Rejection:
    """A row that was not taken; `index` counts from 0, `field` is a path such as ``images[1].path``.

    All three texts may quote what was sent, so that they are made printable: a report that cannot be written would hide
    what became of every other row.
    """

    index: int
    id: str | None
    field: str
    reason: str

    def __post_init__(self) -> None:
        if self.id is not None:
            object.__setattr__(self, "id", printable(self.id))
        object.__setattr__(self, "field", printable(self.field))
        object.__setattr__(self, "reason", printable(self.reason))


@dataclass(frozen=True)
class SourceImage:
    """An image as a source names it: a file, its bytes, or the sha256 of one that is stored."""

    file: Path | None = None
    data: bytes | None = field(default=None, repr=False)
    sha256: str = ""
    caption: str = ""
    modality: str = ""
    sub_modality: str = ""
    view: str = ""
    timepoint: str = ""
    series: str = ""


@dataclass(frozen=True)
class SourceCase:
    """A case as a source gives it; `id` None means that its key derives from its content.

    Rows in a shape of somebody else's have three more: `columns`, the source's own name for a path of the record, so
    that a rejection speaks of what was sent; `notes`, what the importer found, kept as ``extra[NOTES]`` (None: nothing
    is noted); `key_parts`, a kind and boxes that tell apart cases of one question over one image.
    """

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
    columns: dict[str, str] = field(default_factory=dict)
    notes: dict[str, Any] | None = None
    key_parts: tuple[str, tuple[Any, ...]] | None = None
    size: tuple[int, int] | None = None  # width and height that the source claims of the first image


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
    except (OSError, RuntimeError, UnicodeError) as error:  # a loop of links, a name too long or that no file can have
        raise FileNotFoundError(f"{name!r:.200} is not there") from error
    return found
