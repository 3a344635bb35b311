"""The `sightline` record, one JSON object a line: checked field by field, every fault with its path."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from curation.formats.sources import OutsideFolderError, Rejection, SourceCase, SourceImage, inside, printable

MOST_IMAGES = 1000
MOST_TEXT = 200_000
MOST_LEVELS = 100  # of nesting in answer, gold and extra: what reads them later recurses
RECORD_FIELDS = (
    "id",
    "split",
    "question",
    "options",
    "answer",
    "history",
    "images",
    "patient",
    "source",
    "licence",
    "attribution",
    "gold",
    "extra",
)
TEXT_FIELDS = ("split", "question", "history", "patient", "source", "licence", "attribution")
IMAGE_FIELDS = ("path", "sha256", "caption", "modality", "sub_modality", "view", "timepoint", "series")
# As long as the columns that hold them.
_LIMITS = {
    "split": 32,
    "patient": 128,
    "source": 200,
    "licence": 200,
    "modality": 32,
    "sub_modality": 64,
    "view": 64,
    "timepoint": 64,
    "series": 64,
}
_KEY = re.compile(r"[^\s./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]{0,127}")
_OPTION = re.compile(r"[A-Za-z0-9]{1,8}")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|(?:data|file):", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class FaultyRecord(ValueError):
    """A record that cannot be taken: the path of the field, and why."""

    def __init__(self, path: str, reason: str) -> None:
        path, reason = printable(path), printable(reason)
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def read_file(path: Path) -> Iterator[SourceCase | Rejection]:
    """Cases of a record file (JSON lines, or one JSON list), or of every ``*.jsonl`` directly in a folder.

    Raises
    ------
    FileNotFoundError
        If a folder holds no record file.
    """
    files = [path] if path.is_file() else sorted(path.glob("*.jsonl"))
    if not files:
        raise FileNotFoundError(f"{path} holds no .jsonl file")
    index = 0
    for file in files:
        for row in read_records(json_rows(file), folder=file.parent, start=index):
            yield row
            index = row.index + 1


def json_rows(file: Path) -> Iterator[object]:
    """What a file of JSON lines, or of one JSON list, holds: lines as bytes, or decoded items."""
    with file.open("rb") as stream:
        first = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        stream.seek(0)
        if first == b"[":
            try:
                yield from load_json(stream.read())
            except FaultyRecord:
                stream.seek(0)  # lines, the first of which is no object
            else:
                return
        yield from stream


def read_records(rows: Iterable[object], *, folder: Path | None, start: int = 0) -> Iterator[SourceCase | Rejection]:
    """Check rows one by one.

    Parameters
    ----------
    rows
        Decoded objects, or lines of JSON as bytes; blank lines are passed over and not counted.
    folder
        What image paths are relative to; None where paths are not taken (over HTTP).
    start
        Index of the first row.
    """
    index = start
    for row in rows:
        if isinstance(row, bytes) and not row.strip():
            continue
        name = None
        try:
            record = load_json(row) if isinstance(row, bytes) else row
            if isinstance(record, Mapping) and isinstance(record.get("id"), str):
                name = record["id"][:128]
            yield parse_record(record, index=index, folder=folder)
        except FaultyRecord as error:
            yield Rejection(index, name, error.path, error.reason)
        index += 1


def load_json(data: bytes) -> Any:
    """Strict JSON: no NaN, no infinity, no key twice in an object, no endless nesting.

    Raises
    ------
    FaultyRecord
        With an empty path.
    """
    try:
        return json.loads(data, parse_constant=_refuse_constant, object_pairs_hook=_once)
    except RecursionError:
        raise FaultyRecord("", "is nested too deeply") from None
    except ValueError as error:
        raise FaultyRecord("", f"is not JSON: {str(error)[:200]}") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(f"a key stands twice among {', '.join(key for key, _ in pairs)[:120]}")
    return found


def parse_record(record: object, *, index: int, folder: Path | None) -> SourceCase:
    """One section 6 record.

    Raises
    ------
    FaultyRecord
        At the first fault.
    """
    if not isinstance(record, Mapping):
        raise FaultyRecord("", "is not a JSON object")
    _known(record, RECORD_FIELDS, "")
    key = record.get("id")
    if not is_key(key):
        raise FaultyRecord("id", "is not 1 to 128 characters without slashes, control characters or a dot in front")
    texts: dict[str, Any] = {
        name: checked_text(record, name, "")
        for name in ("split", "question", "history", "patient", "source", "licence", "attribution")
    }
    options = checked_options(record.get("options"))
    extra = record.get("extra")
    if extra is not None and not isinstance(extra, Mapping):
        raise FaultyRecord("extra", "is not an object")
    return SourceCase(
        index=index,
        id=storable(key, "id"),
        images=_images(record.get("images"), folder),
        options=options,
        answer=checked_json(record.get("answer"), "answer"),
        gold=_gold(record.get("gold")),
        extra=checked_json(dict(extra or {}), "extra"),
        **texts,
    )


def is_key(value: object) -> TypeGuard[str]:
    """Whether a value can name a case: in addresses and in names of files, too."""
    return isinstance(value, str) and _KEY.fullmatch(value) is not None and value == value.strip()


def _known(given: Mapping[str, Any], known: tuple[str, ...], start: str) -> None:
    for name in given:
        if name not in known:
            raise FaultyRecord(f"{start}{str(name)[:80]}", "is not a known field; other columns belong in extra")


def storable(text: str, path: str) -> str:
    """The text, if PostgreSQL can hold it."""
    if "\0" in text or text.encode("utf-8", "replace").decode("utf-8") != text:
        raise FaultyRecord(path, "holds a character that is no text (NUL or half a surrogate pair)")
    return text


def checked_text(given: Mapping[str, Any], name: str, start: str) -> str:
    """Text of limited length that PostgreSQL can hold, or "" for null; FaultyRecord at ``{start}{name}`` otherwise."""
    value, most = given.get(name), _LIMITS.get(name, MOST_TEXT)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FaultyRecord(f"{start}{name}", f"is {type(value).__name__}, not text")
    if len(value) > most:
        raise FaultyRecord(f"{start}{name}", f"{len(value)} characters, at most {most} are taken")
    return storable(value, f"{start}{name}")


def checked_json(value: Any, path: str, level: int = 0) -> Any:
    """The value, if PostgreSQL can hold every text in it and it is not nested beyond `MOST_LEVELS`."""
    if level > MOST_LEVELS:
        raise FaultyRecord(path, f"is nested deeper than {MOST_LEVELS} levels")
    if isinstance(value, float) and not math.isfinite(value):
        raise FaultyRecord(path, f"{value} is not finite")
    if isinstance(value, str):
        storable(value, path)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            storable(key, path)
            checked_json(inner, f"{path}.{key}"[:200], level + 1)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            checked_json(inner, f"{path}[{number}]"[:200], level + 1)
    return value


def checked_options(value: object) -> dict[str, str] | None:
    """Options by letter, in the order given."""
    if value is None:
        return None
    if not isinstance(value, Mapping) or not value:
        raise FaultyRecord("options", "is neither null nor an object of letter and text")
    for letter, text in value.items():
        if not _OPTION.fullmatch(letter):
            raise FaultyRecord(f"options.{letter[:80]}", "is no letter: 1 to 8 letters and digits are taken")
        checked_text(value, letter, "options.")
        if text is None:
            raise FaultyRecord(f"options.{letter}", "is null, not text")
    return dict(value)


def _images(value: object, folder: Path | None) -> tuple[SourceImage, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_IMAGES:
        raise FaultyRecord("images", f"is not a list of 1 to {MOST_IMAGES} images")
    return tuple(_image(item, f"images[{number}]", folder) for number, item in enumerate(value))


def _image(value: object, path: str, folder: Path | None) -> SourceImage:
    if not isinstance(value, Mapping):
        raise FaultyRecord(path, "is not an object")
    _known(value, IMAGE_FIELDS, f"{path}.")
    named, sha256 = value.get("path"), value.get("sha256")
    if named is None and sha256 is None:
        raise FaultyRecord(path, "names no image: path or sha256 is needed")
    if sha256 is not None and (not isinstance(sha256, str) or not _SHA256.fullmatch(sha256)):
        raise FaultyRecord(f"{path}.sha256", "is not 64 hexadecimal digits in lower case")
    file = None if named is None else image_file(named, f"{path}.path", folder)
    texts: dict[str, Any] = {name: checked_text(value, name, f"{path}.") for name in IMAGE_FIELDS[2:]}
    return SourceImage(file=file, sha256=sha256 or "", **texts)


def image_file(named: object, path: str, folder: Path | None) -> Path:
    """The file of an image named relative to the folder of the import; FaultyRecord at `path` for anything else."""
    if folder is None:
        raise FaultyRecord(path, "is not taken here: upload the image and name it by sha256")
    if not isinstance(named, str) or not named:
        raise FaultyRecord(path, "is not a path")
    if _URL.match(named):
        raise FaultyRecord(path, f"{named!r:.200} is a URL; images are taken from the folder of the import only")
    try:
        return inside(folder, named)
    except (OutsideFolderError, FileNotFoundError) as error:
        raise FaultyRecord(path, str(error)) from None


def _gold(value: object) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise FaultyRecord("gold", "is not an object")
    _known(value, ("answer", "rois", "steps"), "gold.")
    for name in ("rois", "steps"):
        rows = value.get(name, [])
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise FaultyRecord(f"gold.{name}", "is not a list of objects")
    checked = {"answer": value.get("answer"), "rois": value.get("rois", []), "steps": value.get("steps", [])}
    return dict(checked_json(checked, "gold"))
