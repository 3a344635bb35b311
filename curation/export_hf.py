"""A snapshot as a Hugging Face data set: configs cases, readings and scores in Parquet, and a dataset card."""

from __future__ import annotations

import io
import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from django.core.files.storage import default_storage
from PIL import Image

from curation.asking import asked
from curation.exporting import BytesGone, ConfigCount, Written, assets_of, box_around, sections
from curation.formats.card import Card, CardConfig, Credit, write_card
from curation.formats.hf import IMAGE, ConfigWriter, split_name
from curation.images import read_frame, voi_luts_of, windows_of
from curation.rendering import RENDERING_VERSION, choose_frames, default_window, render_frame, with_box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from curation.exporting import ExportSection, SectionRows, Writing
    from curation.models import ImageAsset, SnapshotCase

CASES = "cases"
CASE_COLUMNS: dict[str, Any] = {
    "id": "string",
    "split": "string",
    "question": "string",
    "options": [{"letter": "string", "text": "string"}],
    "answer": "string",
    "history": "string",
    "images": [IMAGE],
    "image_clean": IMAGE,
    "question_box": ["float64"],
    "image_info": [
        {
            "number": "int64",
            "frame": "int64",
            "frames": "int64",
            "sha256": "string",
            "kind": "string",
            "width": "int64",
            "height": "int64",
            "stored_dtype": "string",
            "window_centre": "float64",
            "window_width": "float64",
            "window_function": "string",
            "window_source": "string",
            "rendering": "string",
            "spacing_row_mm": "float64",
            "spacing_column_mm": "float64",
            "spacing_source": "string",
            "caption": "string",
            "modality": "string",
            "sub_modality": "string",
            "view": "string",
            "timepoint": "string",
            "series": "string",
        }
    ],
    "gold_answer": "string",
    "gold_rois": [
        {
            "id": "string",
            "image": "int64",
            "frame": "int64",
            "label": "string",
            "shape": "string",
            "geometry": "string",
            "x0": "float64",
            "y0": "float64",
            "x1": "float64",
            "y1": "float64",
        }
    ],
    "gold_steps": "string",
    "patient": "string",
    "source": "string",
    "licence": "string",
    "attribution": "string",
    "extra": "string",
    "input_digest": "string",
    "record_digest": "string",
    "record": "string",
}
CASES_ABOUT = "one case: question, options, images as shown to a model, gold, and the whole record as JSON"


def write_hf(writing: Writing) -> Written:
    """Write data/ and README.md.

    A row of each config goes to the split of its case; a case without a split goes to `test`. `answer`, `gold_answer`
    are text as it is, anything else as JSON; `record` holds the section 6 record whole.
    """
    parts = sections()
    counts = {name: ConfigCount() for name in [CASES, *(part.config for part in parts)]}
    tally = _Tally()
    with ExitStack() as stack:
        cases = stack.enter_context(ConfigWriter(writing.folder, CASES, CASE_COLUMNS))
        others = [stack.enter_context(ConfigWriter(writing.folder, part.config, part.columns)) for part in parts]
        for batch in writing.batches():
            _write_cases(cases, batch, counts[CASES], tally, writing)
            for part, writer in zip(parts, others, strict=True):
                added = part.rows(writing.snapshot, batch)
                _write_section(writer, added, counts[part.config])
                tally.add_section(part, added)
            writing.progress(counts[CASES].rows_out)
        splits = [writer.splits for writer in [cases, *others]]
    not_carried = tally.reasons(parts, has_originals=writing.has_originals)
    about = {CASES: CASES_ABOUT, **{part.config: part.about for part in parts}}
    configs = [
        CardConfig(name, count.rows_out, used, about[name])
        for (name, count), used in zip(counts.items(), splits, strict=True)
    ]
    card = write_card(_card(writing, configs, tally, not_carried))
    (writing.folder / "README.md").write_text(card, encoding="utf-8")
    return Written(counts, not_carried)


def _write_cases(
    writer: ConfigWriter, batch: Sequence[SnapshotCase], count: ConfigCount, tally: _Tally, writing: Writing
) -> None:
    assets = assets_of(batch)
    shown = int(writing.snapshot.protocol.get("rendering", {}).get("frames", 1))
    for case in batch:
        count.rows_in += 1
        row = _case_row(case, assets, shown)
        writer.write(split_name(case.record["split"]), row, size=sum(len(image["bytes"]) for image in row["images"]))
        count.rows_out += 1
        tally.add_case(case, row)


def _write_section(writer: ConfigWriter, added: SectionRows, count: ConfigCount) -> None:
    for case, row in added.rows:
        writer.write(split_name(case.record["split"]), row)
    count.rows_in += added.rows_in
    count.rows_out += len(added.rows)


def _case_row(case: SnapshotCase, assets: dict[str, ImageAsset], shown: int) -> dict[str, Any]:
    record, gold = case.record, case.record["gold"] or {}
    images, info = _images(case, assets, shown)
    framed = _framed(record, info, images)
    return {
        **{name: record[name] for name in ("id", "split", "question", "history", "patient", "source")},
        "licence": record["licence"],
        "attribution": record["attribution"],
        "options": [{"letter": letter, "text": text} for letter, text in sorted((record["options"] or {}).items())],
        "answer": _text(record["answer"]),
        **framed,
        "image_info": info,
        "gold_answer": _text(gold.get("answer")),
        "gold_rois": [
            {**roi, "geometry": json.dumps(roi["geometry"]), **box_around(roi)} for roi in gold.get("rois", [])
        ],
        "gold_steps": None if record["gold"] is None else json.dumps(gold["steps"], ensure_ascii=False),
        "extra": json.dumps(record["extra"], ensure_ascii=False),
        "input_digest": case.input_digest,
        "record_digest": case.record_digest,
        "record": json.dumps(record, ensure_ascii=False),
    }


def _framed(record: dict[str, Any], info: list[dict[str, Any]], images: list[dict[str, Any]]) -> dict[str, Any]:
    """The images as models and readers see them: with the frame that a question speaks of, and image 1 without it."""
    box = asked(record["extra"], width=info[0]["width"], height=info[0]["height"]).question_box if info else None
    if box is None:
        return {"images": images, "image_clean": None, "question_box": None}
    shown = [
        {"bytes": _with_frame(image["bytes"], box), "path": f"framed-{image['path']}"} if one["number"] == 1 else image
        for image, one in zip(images, info, strict=True)
    ]
    return {"images": shown, "image_clean": images[0], "question_box": list(box)}


def _with_frame(content: bytes, box: Sequence[float]) -> bytes:
    with Image.open(io.BytesIO(content)) as image:
        return _png(with_box(np.asarray(image.convert("RGB")), box))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _images(
    case: SnapshotCase, assets: dict[str, ImageAsset], shown: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    images, info = [], []
    for number, entry in enumerate(case.record["images"], 1):
        asset = assets.get(entry["sha256"])
        if asset is None:
            raise BytesGone(f"image {number} of case {case.key} ({entry['sha256']}) is no longer stored")
        for frame in choose_frames(asset.frames, shown):
            try:
                content, window = rendered_png(asset, frame)
            except OSError as error:
                raise BytesGone(f"image {number} of case {case.key} ({asset.sha256}) cannot be read: {error}") from None
            images.append({"bytes": content, "path": f"{asset.sha256}-{frame}.png"})
            info.append({**entry, **_info(asset), **window, "number": number, "frame": frame})
    return images, info


def _info(asset: ImageAsset) -> dict[str, Any]:
    facts = ("frames", "kind", "width", "height", "spacing_row_mm", "spacing_column_mm", "spacing_source")
    return {
        "rendering": RENDERING_VERSION,
        "stored_dtype": asset.dtype,
        **{name: getattr(asset, name) for name in facts},
    }


def rendered_png(asset: ImageAsset, frame: int) -> tuple[bytes, dict[str, Any]]:
    """One frame as a PNG of 8 bits, and the window it is shown through.

    An 8-bit colour PNG is its own rendering, so that its stored bytes are taken as they are.
    """
    if asset.kind != "dicom" and asset.channels == 3 and asset.dtype == "uint8":
        with default_storage.open(asset.storage_name, "rb") as stored:
            return stored.read(), {}
    samples = read_frame(asset, frame).samples
    tables = voi_luts_of(asset)
    facts: dict[str, Any] = {"slope": asset.slope, "intercept": asset.intercept}
    window = default_window(samples, windows=windows_of(asset), voi_luts=tables, **facts)
    table = None if window or not tables else tables[0]
    pixels = render_frame(samples, photometric=asset.photometric, window=window, voi_lut=table, **facts)
    content = _png(pixels)
    if window is None:
        return content, {"window_source": "VOI LUT" if table else None}
    told = asdict(window)
    return content, {
        "window_centre": told["centre"],
        "window_width": told["width"],
        "window_function": told["function"],
        "window_source": told["explanation"],
    }


class _Tally:
    """What the card and the report tell of the whole, gathered a batch at a time."""

    def __init__(self) -> None:
        self.credits: dict[tuple[str, str, str], list[str]] = {}
        self.readers: set[str] = set()
        self.left_out: Counter[str] = Counter()
        self.hidden_frames = 0
        self.cines = 0
        self.deep = 0
        self.renamed: dict[str, str] = {}

    def add_case(self, case: SnapshotCase, row: dict[str, Any]) -> None:
        who = (row["source"], row["licence"], row["attribution"])
        self.credits.setdefault(who, []).append(case.key)
        shown = Counter(one["number"] for one in row["image_info"])
        for one in {one["number"]: one for one in row["image_info"]}.values():
            hidden = one["frames"] - shown[one["number"]]
            self.hidden_frames += hidden
            self.cines += hidden > 0
            self.deep += one["stored_dtype"] != "uint8"
        split = case.record["split"]
        if split and split_name(split) != split:
            self.renamed[split] = split_name(split)

    def add_section(self, part: ExportSection, added: SectionRows) -> None:
        self.left_out.update({reason: number for reason, number in added.left_out.items() if number})
        if "reader" in part.columns:
            self.readers.update(row["reader"] for _, row in added.rows)

    def reasons(self, parts: Sequence[ExportSection], *, has_originals: bool) -> list[str]:
        """Everything that was not carried, and why."""
        reasons = [f"{number:,} {reason}" for reason, number in sorted(self.left_out.items())]
        if self.hidden_frames:
            where = "the rest only in the stored bytes" if has_originals else "the stored bytes go with originals"
            what = f"{self.hidden_frames:,} frames of {self.cines:,} multi-frame images"
            reasons.append(f"{what}: a model is shown the middle one; {where}")
        if self.deep and not has_originals:
            reasons.append(
                f"the full depth of {self.deep:,} images: the rendering has 8 bits; the stored bytes go with originals"
            )
        reasons += [f"the split {old!r} is called {new!r}" for old, new in sorted(self.renamed.items())]
        return reasons + [note for part in parts for note in part.notes]


def _card(writing: Writing, configs: Sequence[CardConfig], tally: _Tally, not_carried: Sequence[str]) -> Card:
    snapshot = writing.snapshot
    return Card(
        title=snapshot.benchmark.title,
        description=snapshot.benchmark.description,
        names=sorted(snapshot.names.values_list("name", flat=True)),
        digest=snapshot.digest,
        is_demo=snapshot.benchmark.is_demo,
        counts={"cases": snapshot.case_count, "images": snapshot.image_count, "readings": snapshot.reading_count},
        protocol=snapshot.protocol,
        rendering=RENDERING_VERSION,
        configs=configs,
        credits=[Credit(*who, keys) for who, keys in sorted(tally.credits.items())],
        readers=len(tally.readers),
        not_carried=not_carried,
        has_originals=writing.has_originals,
    )
