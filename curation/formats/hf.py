"""Hugging Face datasets as Parquet: columns, splits, and files that `datasets.load_dataset` reads with its features.

Written with pyarrow alone. The features stand in the schema's metadata where `datasets` looks for them, so that an
image column comes back as images.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

IMAGE = "image"
"""A struct of `bytes` and `path`, shown by `datasets` as an image."""

DEFAULT_SPLIT = "test"
LARGEST_FILE = 400 * 1024 * 1024
LARGEST_GROUP = 8 * 1024 * 1024
MOST_ROWS_A_GROUP = 500

# A column is a name of a type, a list of one column, or named columns.
Column = str | list[Any] | dict[str, Any]
Columns = Mapping[str, Column]

_ARROW: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    IMAGE: pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
}
_RESERVED = {"all"}


def arrow_type(column: Column) -> pa.DataType:
    """The Arrow type of a column.

    Examples
    --------
    >>> arrow_type(["float64"])
    ListType(list<item: double>)
    """
    if isinstance(column, list):
        return pa.list_(arrow_type(column[0]))
    if isinstance(column, dict):
        return pa.struct([(name, arrow_type(inner)) for name, inner in column.items()])
    return _ARROW[column]


def feature(column: Column) -> Any:
    """The feature of a column as `datasets` spells it in JSON.

    Examples
    --------
    >>> feature([{"x": "float64"}])
    {'feature': {'x': {'dtype': 'float64', '_type': 'Value'}}, '_type': 'List'}
    """
    if isinstance(column, list):
        return {"feature": feature(column[0]), "_type": "List"}
    if isinstance(column, dict):
        return {name: feature(inner) for name, inner in column.items()}
    return {"_type": "Image"} if column == IMAGE else {"dtype": column, "_type": "Value"}


def schema_of(columns: Columns) -> pa.Schema:
    """The Arrow schema of columns, with the features in its metadata."""
    features = {name: feature(column) for name, column in columns.items()}
    fields = [pa.field(name, arrow_type(column)) for name, column in columns.items()]
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def split_name(split: str) -> str:
    """A name that `datasets` takes for a split and that is safe in a file name; none becomes "test".

    Examples
    --------
    >>> split_name(""), split_name("train"), split_name("../5 fold"), split_name("all")
    ('test', 'train', '_5_fold', 'all_')
    """
    name = re.sub(r"\W+", "_", split, flags=re.ASCII)
    if not name:
        return DEFAULT_SPLIT
    return f"{name}_" if name in _RESERVED else name


def size_category(rows: int) -> str:
    """The Hub's name for a number of rows.

    Examples
    --------
    >>> size_category(12), size_category(1000), size_category(2_000_000)
    ('n<1K', '1K<n<10K', '1M<n<10M')
    """
    bounds = (("1K", 10**3), ("10K", 10**4), ("100K", 10**5), ("1M", 10**6), ("10M", 10**7), ("100M", 10**8))
    below = "n<1K"
    for (name, least), (above, most) in itertools.pairwise(bounds):
        if least <= rows < most:
            return f"{name}<n<{above}"
    return below if rows < 1000 else "n>100M"


class ConfigWriter:
    """Writes one config: a series of Parquet files for each split, a row group at a time.

    Used as a context manager: files are complete only once it is left.
    """

    def __init__(self, folder: Path, config: str, columns: Columns) -> None:
        self.schema = schema_of(columns)
        self.rows = 0
        self._folder = folder / "data" / config
        self._folder.mkdir(parents=True)
        self._splits: dict[str, _SplitWriter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._splits:
            # `datasets` loads no split without rows; any other reader finds the columns here.
            self._open_split(DEFAULT_SPLIT)
        for split in self._splits.values():
            split.close()

    @property
    def splits(self) -> list[str]:
        """Splits that have rows, in the order they came; to be read before the writer is left."""
        return list(self._splits)

    def _open_split(self, split: str) -> None:
        if split not in self._splits:
            self._splits[split] = _SplitWriter(self._folder, split, self.schema)

    def write(self, split: str, row: Mapping[str, Any], *, size: int = 0) -> None:
        """Add a row; `size` is roughly what its images take, so that memory stays flat."""
        self._open_split(split)
        self._splits[split].add(row, size)
        self.rows += 1


class _SplitWriter:
    def __init__(self, folder: Path, split: str, schema: pa.Schema) -> None:
        self._folder, self._split, self._schema = folder, split, schema
        self._waiting: list[Mapping[str, Any]] = []
        self._waiting_bytes = 0
        self._number = 0
        self._open()

    def _open(self) -> None:
        self._path = self._folder / f"{self._split}-{self._number:05d}.parquet"
        # Embedded images are compressed already; a second pass over them costs time and gains nothing.
        compression = {name: "NONE" if self._holds_images(name) else "ZSTD" for name in self._schema.names}
        leaves = {path: compression[path.split(".")[0]] for path in _leaves(self._schema)}
        plain = [path for path, used in leaves.items() if used == "ZSTD"]
        self._file = pq.ParquetWriter(self._path, self._schema, compression=leaves, use_dictionary=plain)

    def _holds_images(self, name: str) -> bool:
        return "binary" in str(self._schema.field(name).type)

    def add(self, row: Mapping[str, Any], size: int) -> None:
        self._waiting.append(row)
        self._waiting_bytes += size
        if self._waiting_bytes >= LARGEST_GROUP or len(self._waiting) >= MOST_ROWS_A_GROUP:
            self._flush()
            if self._path.stat().st_size >= LARGEST_FILE:
                self._file.close()
                self._number += 1
                self._open()

    def _flush(self) -> None:
        if self._waiting:
            self._file.write_table(pa.Table.from_pylist(self._waiting, schema=self._schema))
            self._waiting, self._waiting_bytes = [], 0

    def close(self) -> None:
        self._flush()
        self._file.close()


def _leaves(schema: pa.Schema) -> Sequence[str]:
    """Paths of Parquet columns as its writer names them, such as `images.list.element.bytes`."""
    return [path for field in schema for path in _leaf_paths(field.name, field.type)]


def _leaf_paths(path: str, kind: pa.DataType) -> list[str]:
    if pa.types.is_list(kind):
        return _leaf_paths(f"{path}.list.element", kind.value_type)
    if pa.types.is_struct(kind):
        return [
            leaf
            for index in range(kind.num_fields)
            for leaf in _leaf_paths(f"{path}.{kind.field(index).name}", kind.field(index).type)
        ]
    return [path]
