"""Rows of somebody else's in which one column holds anything at all: a case or a rejection, never a crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from curation.formats import fetal_gauge, medthinkvqa, vgmed
from curation.formats.sources import Rejection, SourceCase
from curation.importing import import_cases
from curation.models import Case
from tests.curation import medthinkvqa_rows
from tests.curation.sources import png

if TYPE_CHECKING:
    from curation.models import Benchmark

VGMED = {
    "image": "a.png", "question": "Which?", "bbox": [1, 1, 5, 5], "original_bboxes": [[1, 1, 5, 5]], "modality": "CT",
    "options": {"A": "x"}, "answer": "A", "split": "test", "patient": "p", "source": "s", "licence": "l",
    "attribution": "a", "mask": "m",
}  # fmt: skip
FETAL = {
    "id": "us-1", "image": "a.png", "image_clean": "b.png", "task": "VG", "question": "Which?",
    "options": {"A": "x", "B": "y"}, "answer": "A", "answer_text": "x", "label_raw": "x", "source_dataset": "s",
    "source_id": "1", "patient_id": "p", "split": "test", "domain": "phantom", "box_xyxy": [1, 1, 5, 5],
    "image_width": 12, "image_height": 9, "box_area_frac": 0.1, "license": "l",
}  # fmt: skip
SHAPES: dict[str, tuple[Any, dict[str, Any]]] = {
    "vgmed": (vgmed.read_file, VGMED),
    "fetal_gauge": (fetal_gauge.read_file, FETAL),
    "medthinkvqa": (
        medthinkvqa.read_file,
        {**medthinkvqa_rows.row(images=1), "image_01_path": "a.png", "image_01": None},
    ),
}

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**400), 1e308, -0.0, 2**53 + 1])
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["\ud800", "\0", "../../etc/passwd", "/dev/zero", "http://127.0.0.1/", "%00", "a.png/", "."]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6) | st.just("A"), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("rows")
    for number, name in enumerate(("a.png", "b.png")):
        (made / name).write_bytes(png(number))
    return made


def cases() -> st.SearchStrategy[tuple[str, str, Any]]:
    columns = [(name, column) for name, (_, row) in SHAPES.items() for column in [*row, "sightline", "odd"]]
    return st.sampled_from(columns).flatmap(lambda at: st.tuples(st.just(at[0]), st.just(at[1]), anything))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases())
@example(("vgmed", "bbox", [10**400, 1, 1e308, 1e308]))
@example(("fetal_gauge", "box_xyxy", [1, 1, 10**400, 5]))
@example(("medthinkvqa", "options", "\ud800"))
@example(("medthinkvqa", "title", "9" * 5000))
@example(("medthinkvqa", "image_01_path", "x" * 5000))
def test_anything_in_a_column_is_a_case_or_a_rejection(folder: Path, change: tuple[str, str, Any]) -> None:
    name, column, value = change
    read, row = SHAPES[name]
    file = folder / f"{name}.jsonl"
    file.write_text(json.dumps({**row, column: value}) + "\n", encoding="utf-8")
    (found,) = read(file)
    assert isinstance(found, SourceCase | Rejection)
    if isinstance(found, Rejection):
        assert found.reason
        json.dumps([found.id, found.field, found.reason]).encode()


@pytest.mark.parametrize("name", list(SHAPES))
@pytest.mark.parametrize(
    "value",
    ["\ud800", "nul\0", 10**400, 2**53 + 1, [[[]]], {"a": {"\ud800": 1}}, "x" * 300_000, [1] * 1000],
    ids=["surrogate", "nul", "huge", "inexact", "nested", "key", "long", "list"],
)
def test_what_no_column_can_hold_leaves_nothing_behind(
    benchmark: Benchmark, folder: Path, name: str, value: object
) -> None:
    _, row = SHAPES[name]
    file = folder / f"{name}.jsonl"
    rows = [{**row, column: value} for column in row]
    file.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    report = import_cases(benchmark=benchmark, path=file, format=name)
    told = len(report.rejected) + report.created + report.unchanged
    assert told == len(rows)
    assert Case.objects.count() == report.created


@pytest.mark.parametrize(
    "column",
    [
        pa.array([None, 2**62], pa.timestamp("us")),
        pa.array([None, 2**31 - 1], pa.date32()),
        pa.Array.from_buffers(pa.string(), 2, pa.array([b"", b"\xff"]).buffers()),
        pa.StructArray.from_arrays([pa.array(["a", "b"])] * 2, names=["A", "A"]),
    ],
    ids=["time", "date", "text", "names"],
)
def test_a_parquet_value_that_python_has_none_for_is_a_rejection(column: pa.Array, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["us-1", "us-2"], "extra": column}), tmp_path / "rows.parquet")
    found = list(fetal_gauge.read_file(tmp_path / "rows.parquet"))
    assert len(found) == 2
    assert isinstance(found[1], Rejection)
    assert "cannot be read" in found[1].reason
