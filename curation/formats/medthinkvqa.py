"""MedThinkVQA's rows (arXiv 2604.16506): one question with five options over up to 49 images of a published case.

Shown to models and blind readers: history, options, images with their modality. Everything that gives the answer away
goes where it stays hidden: captions to the images and to steps of the gold, beside IMAGING_FINDINGS (summary) and
discussion (differential), whose own words stay in `extra` too, since gold may be revised; correct_answer to answer and
gold; every other column to `extra`. Defects of the published rows are taken and told as warnings, never mended in
silence.

A row without a licence of its own is Eurorad's: CC BY-NC-SA 4.0, with its attribution.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.formats.rows import Columns, read_rows
from curation.formats.sightline import FaultyRecord, image_file
from curation.formats.sources import Rejection, SourceCase, SourceImage

MOST_SLOTS = 49
# The rows hold no question: it is the same for all, and in our words.
QUESTION = "Which of the options is the most likely diagnosis?"
LICENCE = "CC BY-NC-SA 4.0"
SOURCE = "Eurorad"
_MOST_STEP = 10_000  # characters of a step, as gold takes them
_NUMBER = re.compile(r"(?<![0-9])([0-9]{1,12})\s*$")
_FOLDER = re.compile(r"(?:^|/)case([0-9]{1,12})/")


@dataclass(frozen=True)
class _Slot:
    """A used slot: its number in the row, from 1, and its image."""

    number: int
    column: str
    image: SourceImage


def read_file(path: Path) -> Iterator[SourceCase | Rejection]:
    """Cases of a record file (JSON, JSON lines or Parquet), or of every record file directly in a folder.

    Images lie below the folder of the file, or in the Parquet file itself.

    Raises
    ------
    FileNotFoundError
        If a folder holds no record file.
    """
    return read_rows(path, parse_row, named=_key)


def _key(row: Mapping[str, Any]) -> str | None:
    """``case19254`` of "Case number 19254", as in the paths of its images: at least five digits."""
    found = _NUMBER.search(str(row.get("title"))) if isinstance(row.get("title"), str | int) else None
    return f"case{int(found[1]):05d}" if found else None


def parse_row(row: Mapping[str, Any], index: int, file: Path) -> SourceCase:
    """One row.

    Raises
    ------
    FaultyRecord
        At the column, naming the value.
    """
    columns = Columns(row)
    key, title = _key(row), columns.look("title")
    if key is None:
        raise FaultyRecord("title", f"{title!r:.80} ends in no case number")
    slots = _slots(columns, file.parent)
    options, history = columns.options(), columns.text("CLINICAL_HISTORY")
    if options is None:
        raise FaultyRecord("options", "is missing")
    answer = columns.choice("correct_answer", options)
    warnings = _warnings(columns, key, options, answer, history, slots)
    gold, gold_columns = _gold(columns, answer, slots, warnings)
    licence = columns.first_text("licence", "license")
    return SourceCase(
        index=index,
        id=key,
        images=tuple(slot.image for slot in slots),
        question=columns.text("question") or QUESTION,
        options=options,
        answer=answer,
        history=history,
        gold=gold,
        split=columns.text("split"),
        patient=columns.text("patient"),
        source=columns.text("source") or ("" if licence else SOURCE),
        licence=licence or LICENCE,
        attribution=columns.text("attribution") or ("" if licence else _attribution(key)),
        extra=_without_empty_slots(columns.rest(), {slot.number for slot in slots}),
        columns={
            **{f"images[{place}].path": slot.column for place, slot in enumerate(slots)},
            **gold_columns,
        },
        notes={"warnings": warnings} if warnings else {},
    )


def _attribution(key: str) -> str:
    return f"Eurorad (European Society of Radiology), case {int(key[4:])}, as released in MedThinkVQA"


def _name(number: int, part: str = "") -> str:
    return f"image_{number:02d}{part}"


def _slots(columns: Columns, folder: Path) -> list[_Slot]:
    found = [slot for number in range(1, MOST_SLOTS + 1) if (slot := _slot(columns, number, folder)) is not None]
    if not found:
        raise FaultyRecord("image_01_path", "is missing: the row names no image")
    return found


def _slot(columns: Columns, number: int, folder: Path) -> _Slot | None:
    """The image of a slot: bytes in the row itself come before a path."""
    embedded, path = columns.look(_name(number)), columns.look(_name(number, "_path"))
    data, column = None, _name(number, "_path")
    columns.drop(_name(number))
    if embedded is not None:
        column = _name(number)
        if not isinstance(embedded, Mapping):
            raise FaultyRecord(column, f"{embedded!r:.80} is no image")
        data, path = embedded.get("bytes"), path or embedded.get("path")
        if data is not None and not isinstance(data, bytes):
            raise FaultyRecord(column, f"{data!r:.80} is not the bytes of an image")
    if data is None and path in (None, ""):
        return None
    image = SourceImage(
        file=None if data is not None else image_file(path, column, folder),
        data=data,
        caption=columns.text(_name(number, "_caption")),
        modality=columns.fitting(_name(number, "_modality"), most=32),
        sub_modality=columns.fitting(_name(number, "_sub_modality"), most=64),
    )
    return _Slot(number, column, image)


def _without_empty_slots(extra: dict[str, Any], used: set[int]) -> dict[str, Any]:
    """Fixed features give every row all slots; what an unused one holds empty says nothing."""
    unused = {
        _name(number, part)
        for number in range(1, MOST_SLOTS + 1)
        if number not in used
        for part in ("_id", "_path", "_caption", "_modality", "_sub_modality")
    }
    return {name: value for name, value in extra.items() if not (name in unused and value in (None, ""))}


def _gold(
    columns: Columns, answer: str | None, slots: list[_Slot], warnings: list[str]
) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """The three steps of the source, and the column that each came from."""
    texts: list[tuple[str, int | None, str, str]] = [
        ("image_finding", place, _name(slot.number, "_caption"), slot.image.caption)
        for place, slot in enumerate(slots, 1)
    ]
    texts.append(("summary", None, "IMAGING_FINDINGS", columns.text("IMAGING_FINDINGS", stays=True)))
    texts.append(("differential", None, "discussion", columns.text("discussion", stays=True)))
    steps: list[dict[str, Any]] = []
    named: dict[str, str] = {}
    for kind, image, column, text in texts:
        if len(text) > _MOST_STEP:
            warnings.append(f"{column} has {len(text)} characters: it is kept, but is no step of the gold")
        elif text.strip():
            named[f"gold.steps[{len(steps)}]"] = column
            steps.append({"kind": kind, "image": image, "text": text})
    if answer is None and not steps:
        return None, {}
    return {"answer": None if answer is None else {"choice": answer}, "rois": [], "steps": steps}, named


def _warnings(
    columns: Columns, key: str, options: Mapping[str, str], answer: str | None, history: str, slots: list[_Slot]
) -> list[str]:
    """What is odd about a row that is taken as it is."""
    found = [*_odd_options(options), *_odd_answer(columns, options, answer, history)]
    paths = (str(columns.look(_name(slot.number, "_path")) or "") for slot in slots)
    folders = {int(folder[1]) for path in paths if (folder := _FOLDER.search(path))} - {int(key[4:])}
    found += [f"images lie in the folder of case {number}" for number in sorted(folders)]
    count = columns.look("image_count")
    if count is not None and count != len(slots):
        found.append(f"image_count is {count!r:.80}, {len(slots)} slots name an image")
    used = {slot.number for slot in slots}
    for number in range(1, MOST_SLOTS + 1):
        parts = ("_id", "_caption", "_modality", "_sub_modality")
        if number not in used and any(columns.look(_name(number, part)) not in (None, "") for part in parts):
            found.append(f"{_name(number)} is described but names no image: kept in extra")
    return found


def _odd_options(options: Mapping[str, str]) -> Iterator[str]:
    letters: dict[str, list[str]] = {}
    for letter, text in options.items():
        letters.setdefault(text.strip().casefold(), []).append(letter)
    for same in letters.values():
        if len(same) > 1:
            yield f"options {' and '.join(same)} say the same: {options[same[0]]!r:.80}"


def _odd_answer(columns: Columns, options: Mapping[str, str], answer: str | None, history: str) -> Iterator[str]:
    if answer is None:
        return
    text, said = options[answer].strip(), columns.look("correct_answer_text")
    if text and re.search(rf"(?<!\w){re.escape(text.casefold())}(?!\w)", history.casefold()):
        yield f"the answer stands in the history: {text!r:.80}"
    if isinstance(said, str) and said.strip() and said.strip() != text:
        yield f"correct_answer_text is {said!r:.80}, option {answer} says {text!r:.80}"
