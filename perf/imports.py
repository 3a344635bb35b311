"""Import of cases of six images: CPU of this process and of PostgreSQL for each case, and memory.

    python perf/imports.py [--cases 10000 100000] [--files 300]

Records that name stored images (what Label Studio and doccano import: text and addresses), in an empty benchmark and
one after the other; then the same again, which changes nothing; then cases whose image files are read, decoded in
the limited child process and stored. Everything is made in a database of its own on a server of its own, unless
DATABASE_URL names an empty one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from perf._site import own_cpu, prepare_database

# isort: split

import numpy as np
from PIL import Image

from curation.importing import ImportReport, import_cases
from curation.protocols import create_benchmark
from perf._cases import IMAGES_A_CASE, peak_mib, records, stored_images, temporary_media

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE = 56
DISTINCT_IMAGES = 1000
PEERS = (
    ("Label Studio 1.23.2 (PEERS.md)", "10,000", "1,759", "0.31", ""),
    ("doccano 1.8.4 (PEERS.md)", "10,000", "20", "", ""),
    ("wanted", "10,000", "5,000", "", ""),
)


def measured(what: str, cases: int, do: Callable[[], ImportReport]) -> None:
    """Print what one import cost; it must have taken every case."""
    memory, wall, cpu = peak_mib(), time.perf_counter(), own_cpu()
    report = do()
    spent, wall = own_cpu().since(cpu), time.perf_counter() - wall
    if report.created + report.unchanged != cases:
        raise RuntimeError(f"{what}: {report.created} created, {report.unchanged} unchanged, {report.rejected[:3]}")
    row(what, f"{cases:,}", f"{cases / wall:,.0f}", f"{spent.both / cases * 1000:.2f}", f"{peak_mib() - memory:+.0f}")
    print(f"{'':42}of which here {spent.server / cases * 1000:.2f}, PostgreSQL {spent.database / cases * 1000:.2f}")


def row(what: str, cases: str, rate: str, cpu: str, memory: str) -> None:
    print(f"{what:42}{cases:>9}{rate:>10}{cpu:>14}{memory:>12}", flush=True)


def write_records(file: Path, count: int, images: list[str]) -> None:
    with file.open("w", encoding="utf-8") as stream:
        for record in records(count, images):
            stream.write(json.dumps(record) + "\n")


def write_files(folder: Path, count: int) -> None:
    """Cases of image files: one folder each."""
    rng = np.random.default_rng(1)
    for number in range(count):
        (folder / f"case{number}").mkdir(parents=True)
        for place in range(IMAGES_A_CASE):
            pixels = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"case{number}" / f"{place}.png")


def measure(given: argparse.Namespace, folder: Path) -> None:
    images = stored_images(DISTINCT_IMAGES, SIDE)
    row("import", "cases", "cases/s", "CPU ms a case", "memory MiB")
    for peer in PEERS:
        row(*peer)
    for count in given.cases:
        benchmark = create_benchmark(slug=f"records-{count}", kind="free")
        file = folder / f"{count}.jsonl"
        write_records(file, count, images)
        again: dict[str, Any] = {"benchmark": benchmark, "path": file, "format": "sightline"}
        measured("records of stored images", count, lambda again=again: import_cases(**again))  # type: ignore[misc]
        measured("the same again", count, lambda again=again: import_cases(**again))  # type: ignore[misc]
    benchmark = create_benchmark(slug="files", kind="free")
    write_files(folder / "files", given.files)
    measured(
        f"{IMAGES_A_CASE} PNG files of 9 kB each, decoded",
        given.files,
        lambda: import_cases(benchmark=benchmark, path=folder / "files", format="images"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--files", type=int, default=300, help="cases whose image files are decoded")
    given = parser.parse_args()
    prepare_database()
    with temporary_media() as folder:
        measure(given, folder)


if __name__ == "__main__":
    main()
