"""The demo's benchmarks: one over real images, and phantoms that are taken in by the importers of real data."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.demo import cases, fetal, grounding, thinking
from config.demo.pictures import SPLITS
from curation.importing import ImportReport, import_cases, import_records
from curation.models import Benchmark, ProtocolKind
from curation.protocols import create_benchmark


@dataclass(frozen=True)
class PhantomBenchmark:
    """What one of them is. `write` puts the files of a split into a folder; `format` names the importer."""

    slug: str
    kind: ProtocolKind
    format: str
    title: str
    description: str
    cases: int
    write: Callable[[Path, str], None]
    config: Mapping[str, Any] = field(default_factory=dict)
    """Of the protocol, beside the overlap; an existing benchmark keeps its own."""


PHANTOMS = (
    PhantomBenchmark(
        slug=grounding.SLUG,
        kind=ProtocolKind.VGMED,
        format="vgmed",
        title=grounding.TITLE,
        description=grounding.DESCRIPTION,
        cases=grounding.CASES,
        write=grounding.write,
    ),
    PhantomBenchmark(
        slug=thinking.SLUG,
        kind=ProtocolKind.MEDTHINKVQA,
        format="medthinkvqa",
        title=thinking.TITLE,
        description=thinking.DESCRIPTION,
        cases=thinking.CASES,
        write=thinking.write,
        config=thinking.CONFIG,
    ),
    PhantomBenchmark(
        slug=fetal.SLUG,
        kind=ProtocolKind.FETAL_GAUGE,
        format="fetal_gauge",
        title=fetal.TITLE,
        description=fetal.DESCRIPTION,
        cases=fetal.CASES,
        write=fetal.write,
    ),
)


# So many of the demo's five readers read each phantom case.
OVERLAP = 3


class DemoRefused(Exception):
    """A demo benchmark cannot be loaded, with the cause."""


def add_sample() -> Benchmark:
    """The benchmark over pydicom's images, with its cases.

    Raises
    ------
    DemoRefused
        As `add_phantoms`.
    """
    benchmark = _demo_named(
        cases.SLUG, kind=ProtocolKind.FREE, title=cases.TITLE, description=cases.DESCRIPTION, config=cases.CONFIG
    )
    _check(cases.SLUG, import_records(benchmark=benchmark, records=cases.CASES, folder=cases.image_folder()))
    return benchmark


def add_phantoms(made: PhantomBenchmark) -> Benchmark:
    """A phantom benchmark with its cases; one that holds them already is left as it is, and nothing is drawn.

    Raises
    ------
    DemoRefused
        If somebody else's benchmark has the slug, or a row is rejected.
    """
    config = {**made.config, "overlap": OVERLAP}
    benchmark = _demo_named(made.slug, kind=made.kind, title=made.title, description=made.description, config=config)
    if benchmark.cases.count() < made.cases:
        for split in SPLITS:
            with tempfile.TemporaryDirectory(prefix="sightline-phantoms-") as folder:
                made.write(Path(folder), split)
                report = import_cases(benchmark=benchmark, path=Path(folder), format=made.format, split=split)
            _check(made.slug, report)
    return benchmark


def _demo_named(
    slug: str, *, kind: ProtocolKind, title: str, description: str, config: dict[str, Any] | None = None
) -> Benchmark:
    known = Benchmark.objects.filter(slug=slug).first()
    if known is None:
        return create_benchmark(slug=slug, kind=kind, title=title, description=description, config=config, is_demo=True)
    if not known.is_demo:
        raise DemoRefused(f"there is a benchmark {slug!r} that is not the demo's; it was left alone")
    return known


def _check(slug: str, report: ImportReport) -> None:
    if report.rejected:
        first = report.rejected[0]
        raise DemoRefused(f"{slug}: case {first.id or first.index} cannot be loaded: {first.field}: {first.reason}")
