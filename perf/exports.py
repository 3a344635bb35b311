"""Rows a CPU-second and peak memory of freezing and exporting synthetic cases in Hugging Face format.

    python perf/exports.py [--cases 200] [--images 6] [--side 56] [--grey]

Prints one line of figures for `freeze` and one for `export`. CPU is this process alone, without the database
server; memory is what the process grew by while exporting. Images are distinct noise, since repeated
ones shrink and flatter. Colour images are carried byte by byte; `--grey` ones are rendered, which costs a decoding
and an encoding each. Everything is made in a benchmark of its own and taken away again, in a database of its
own, on a server of its own unless DATABASE_URL names one, so that it runs beside a live installation.
"""

# ruff: noqa: E402 - Django is set up before models are imported

from __future__ import annotations

import argparse
import atexit
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

from config.temporary import temporary_servers

servers = ExitStack()
atexit.register(servers.close)
servers.enter_context(temporary_servers())
django.setup()

import numpy as np
import pyarrow as pa
from django.test.runner import DiscoverRunner
from django.utils import timezone
from django.utils.module_loading import import_string

from annotations.models import Reading, ReadingRevision, ReadingState
from curation.exporting import EXPORT_FORMATS, export
from curation.formats.canonical import canonical_digest
from curation.models import Benchmark, Case, CaseImage, ImageAsset, User
from curation.protocols import create_benchmark
from curation.snapshots import freeze
from perf._cases import IMAGES_A_CASE, REGIONS_A_READING, content, peak_mib, stored_image, temporary_media

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS_AT_ONCE = 500


def fill(benchmark: Benchmark, given: argparse.Namespace) -> None:
    """Cases with images and one submitted reading each."""
    rng = np.random.default_rng(0)
    reader = User.objects.create_user(username="perf")
    for start in range(0, given.cases, ROWS_AT_ONCE):
        numbers = range(start, min(start + ROWS_AT_ONCE, given.cases))
        cases = [
            Case(
                benchmark=benchmark,
                key=f"case{number}",
                position=number + 1,
                question="Which finding is shown?",
                options={"A": "one", "B": "another"},
                history="a history " * 20,
                content_digest="0" * 64,
                input_digest="0" * 64,
            )
            for number in numbers
        ]
        assets = [stored_image(rng, given.side, is_grey=given.grey) for _ in range(len(cases) * given.images)]
        ImageAsset.objects.bulk_create(assets)
        Case.objects.bulk_create(cases)
        CaseImage.objects.bulk_create(
            CaseImage(case=cases[index // given.images], number=index % given.images + 1, asset=asset)
            for index, asset in enumerate(assets)
        )
        readings = [Reading(case=case, reader=reader, state=ReadingState.SUBMITTED, revision=1) for case in cases]
        Reading.objects.bulk_create(readings)
        said = [content(rng, given.side) for _ in cases]
        ReadingRevision.objects.bulk_create(
            ReadingRevision(
                reading=reading,
                revision=1,
                content=one,
                digest=canonical_digest(one),
                case_version=1,
                input_digest="0" * 64,
                protocol_digest="0" * 64,
                submitted_at=timezone.now(),
            )
            for reading, one in zip(readings, said, strict=True)
        )


def timed(what: str, rows: int, do: Callable[[], Any]) -> Any:
    memory, wall, cpu = peak_mib(), time.perf_counter(), time.process_time()
    result = do()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(
        f"{what}: {rows} cases, {rows / cpu:,.0f} rows a CPU-second, {rows / wall:,.0f} a second, "
        f"peak memory +{peak_mib() - memory:.0f} MiB (to {peak_mib():.0f} MiB)"
    )
    return result


def measure(given: argparse.Namespace, folder: Path) -> None:
    benchmark = create_benchmark(slug="perf-exports", kind="free")
    fill(benchmark, given)
    # What the first use of pyarrow loads (pandas too, where the tests' packages are installed) is not an export's own.
    import_string(EXPORT_FORMATS["hf"])
    pa.Table.from_pylist([{"text": "a"}])
    frozen = timed("freeze", given.cases, lambda: freeze(benchmark=benchmark, name="perf", actor=None))
    out = folder / "out"
    report = timed("export hf", given.cases, lambda: export(snapshot=frozen.snapshot, format="hf", folder=out))
    regions = given.cases * REGIONS_A_READING
    print(f"{report.total_bytes / 1e6:,.1f} MB, {report.files} files, {regions} regions, {given.images} images a case")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--images", type=int, default=IMAGES_A_CASE)
    parser.add_argument("--side", type=int, default=56, help="pixels; 56 in colour is 9 kB of noise")
    parser.add_argument("--grey", action="store_true", help="grey images, which are rendered")
    given = parser.parse_args()
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        with temporary_media() as folder:
            measure(given, folder)
    finally:
        runner.teardown_databases(databases)


if __name__ == "__main__":
    main()
