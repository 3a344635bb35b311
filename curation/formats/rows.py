"""Rows in a shape of somebody else's: JSON, JSON lines and Parquet, one column after the other put in its place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curation.formats.sightline import (
    FaultyRecord,
    checked_json,
    checked_options,
    checked_text,
    json_rows,
    load_json,
    storable,
)
from curation.formats.sources import NOTES, Rejection, SourceCase

SUFFIXES = (".json", ".jsonl", ".parquet")
FARTHEST = 1_000_000  # pixels; no image that is taken is as wide
_PARQUET = b"PAR1"
_ROWS_AT_ONCE = 16  # of Parquet: a row may hold fifty pictures

Parse = Callable[[Mapping[str, Any], int, Path], SourceCase]
Named = Callable[[Mapping[str, Any]], str | None]


def read_rows(
    path: Path, parse: Parse, *, named: Named | None = None, suffixes: Sequence[str] = SUFFIXES
) -> Iterator[SourceCase | Rejection]:
    """Cases of a record file, or of every record file directly in a folder, in the order of their names.

    Parameters
    ----------
    parse
        Makes a case of a row, its index and the file it stands in; raises FaultyRecord with the column.
    named
        The case's key as far as a row tells it, for the report of its rejection.
    suffixes
        Of record files in a folder; what a file holds is told by its bytes.

    Raises
    ------
    FileNotFoundError
        If a folder holds no record file.
    """
    files = [path] if path.is_file() else sorted(file for file in path.iterdir() if file.suffix.lower() in suffixes)
    if not files:
        raise FileNotFoundError(f"{path} holds no record file ({', '.join(suffixes)})")
    index = 0
    for file in files:
        for row in _rows(file):
            yield _taken(row, index, file, parse, named)
            index += 1


def _taken(row: object, index: int, file: Path, parse: Parse, named: Named | None) -> SourceCase | Rejection:
    name = None
    try:
        given = load_json(row) if isinstance(row, bytes) else row
        if isinstance(given, FaultyRecord):
            raise given
        if not isinstance(given, Mapping):
            raise FaultyRecord("", "is not a JSON object")
        if named is not None:
            name = named(given)
        return parse(given, index, file)
    except FaultyRecord as error:
        return Rejection(index, name, error.path, error.reason)


def _rows(file: Path) -> Iterator[object]:
    with file.open("rb") as stream:
        start = stream.read(64)
    if start.startswith(_PARQUET):
        yield from _parquet_rows(file)
        return
    if file.suffix.lower() == ".json" and start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        try:
            yield load_json(file.read_bytes())
        except FaultyRecord:
            pass  # lines, the first of which is an object
        else:
            return
    yield from (row for row in json_rows(file) if not isinstance(row, bytes) or row.strip())


def _parquet_rows(file: Path) -> Iterator[object]:
    try:
        with pq.ParquetFile(file, pre_buffer=False) as table:  # else the whole file, pictures and all, is in memory
            for group in range(table.num_row_groups):
                for batch in table.iter_batches(batch_size=_ROWS_AT_ONCE, row_groups=[group]):
                    for place in range(batch.num_rows):
                        yield _parquet_row(batch.slice(place, 1))
    except (pa.ArrowException, OSError) as error:
        yield FaultyRecord("", f"{file.name} is damaged: {str(error)[:200]}")


def _parquet_row(one: pa.RecordBatch) -> object:
    """A row as an object, or why Python has no value for it: a date beyond year 9999, text that is not UTF-8."""
    try:
        return one.to_pylist()[0]
    except (ValueError, OverflowError) as error:
        return FaultyRecord("", f"holds a value that cannot be read: {str(error)[:200]}")


class Columns:
    """The columns of one row; what nobody asked for is left in `rest`.

    Parameters
    ----------
    row
        As it came.

    Raises
    ------
    FaultyRecord
        At the column, by every method.
    """

    def __init__(self, row: Mapping[str, Any]) -> None:
        if NOTES in row:
            raise FaultyRecord(NOTES, "is a name that the importer needs for itself: rename the column")
        self._row = row
        self._placed: set[str] = set()

    def look(self, name: str) -> Any:
        """The value; the column stays in `rest`."""
        return self._row.get(name)

    def take(self, name: str) -> Any:
        """The value; it has its place in the record, so that it is not in `rest`."""
        self._placed.add(name)
        return checked_json(self._row.get(name), name)

    def drop(self, name: str) -> None:
        """Count a column as placed: its value became something else."""
        self._placed.add(name)

    def text(self, name: str, *, stays: bool = False) -> str:
        """Text, or "" where the row says nothing; `stays` leaves it in `rest` as well."""
        if not stays:
            self._placed.add(name)
        return checked_text(self._row, name, "")

    def fitting(self, name: str, *, most: int) -> str:
        """Text that fits its place; what does not is left in `rest`, and the place is empty."""
        value = self._row.get(name)
        if value is None or (isinstance(value, str) and len(value) <= most):
            return self.text(name)
        return ""

    def needed(self, name: str) -> str:
        """Text that must be there."""
        found = self.text(name)
        if not found.strip():
            raise FaultyRecord(name, "is missing")
        return found

    def first_text(self, *names: str) -> str:
        """The first of these columns that says something, as text."""
        return next((self.text(name) for name in names if self._row.get(name) not in (None, "")), "")

    def options(self, name: str = "options") -> dict[str, str] | None:
        """Options by letter, given as an object or as the JSON text of one.

        A letter without a text is no option: Parquet gives every row the letters of all.
        """
        self._placed.add(name)
        value = self._row.get(name)
        if isinstance(value, str):
            try:
                value = load_json(value.encode("utf-8", "surrogatepass"))
            except FaultyRecord as error:
                raise FaultyRecord(name, error.reason) from None
        if isinstance(value, Mapping):
            value = {letter: text for letter, text in value.items() if text is not None}
        return checked_options(value)

    def choice(self, name: str, options: Mapping[str, str] | None) -> str | None:
        """The letter of an option, or None where the row names none."""
        value = self.take(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or value not in (options or {}):
            raise FaultyRecord(name, f"{value!r:.80} is none of the options {', '.join(options or {}) or '(none)'}")
        return value

    def rest(self) -> dict[str, Any]:
        """Every column without a place, as it came."""
        left = {name: value for name, value in self._row.items() if name not in self._placed}
        return {storable(name, name): checked_json(value, name) for name, value in left.items()}


def corners(value: object, path: str, *, is_xywh: bool) -> dict[str, float]:
    """A box as x0, y0, x1, y1 in pixels; whether it lies within its image is seen when that is known.

    Parameters
    ----------
    is_xywh
        Whether it is given as corner, width and height.

    Raises
    ------
    FaultyRecord
        If it is no four numbers, one is not finite or beyond any image, or it is turned inside out.

    Examples
    --------
    >>> corners([3, 4, 10, 20], "bbox", is_xywh=True)
    {'x0': 3, 'y0': 4, 'x1': 13, 'y1': 24}
    """
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise FaultyRecord(path, f"{value!r:.80} is not four numbers")
    for number, item in enumerate(value):
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise FaultyRecord(f"{path}[{number}]", f"{item!r:.80} is not a number")
        if isinstance(item, float) and not math.isfinite(item):
            raise FaultyRecord(f"{path}[{number}]", f"{item} is not finite")
        if abs(item) > FARTHEST:
            raise FaultyRecord(f"{path}[{number}]", f"{item!r:.80} is beyond any image")
    x0, y0, x1, y1 = value
    if is_xywh:
        x1, y1 = x0 + x1, y0 + y1
    if x1 <= x0 or y1 <= y0:
        form = "x, y, width, height" if is_xywh else "x0, y0, x1, y1"
        raise FaultyRecord(path, f"{list(value)!r:.120} as {form} has no area or is turned inside out")
    return {"x0": x0, "y0": y0, "x1": x1, "y1": y1}
