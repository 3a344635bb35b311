"""Taking cases in: any format, row by row, the same twice, and never a name or an identity that the files carry."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection, transaction
from django.db.models import F, Max
from django.utils import timezone
from psycopg import sql

from curation import audit, events, facts
from curation.formats import fetal_gauge, folders, medthinkvqa, sightline, vgmed
from curation.formats.canonical import canonical_digest
from curation.formats.sources import Rejection, SourceCase
from curation.gold_revisions import add_revisions
from curation.import_images import ImageResolver
from curation.import_rows import Prepared, prepare
from curation.models import Benchmark, Case, CaseImage, Role
from curation.signals import cases_changed

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from curation.models import User

# How a path becomes rows, and which kinds of file a format takes, by their bytes.
IMPORT_FORMATS: dict[str, Callable[[Path], Iterator[SourceCase | Rejection]]] = {
    "images": folders.read_folder,
    "dicom": folders.read_folder,
    "sightline": sightline.read_file,
    "medthinkvqa": medthinkvqa.read_file,
    "vgmed": vgmed.read_file,
    "fetal_gauge": fetal_gauge.read_file,
}
PICTURES = frozenset({"png", "jpeg"})
KINDS = {
    **dict.fromkeys(("images", "medthinkvqa", "vgmed", "fetal_gauge"), PICTURES),
    "dicom": frozenset({"dicom"}),
}
BATCH = 100
MOST_HELD = 16 * 1024 * 1024  # bytes of images that came within rows
Row = TypeVar("Row")


class ImportFailed(ValueError):
    """Nothing was imported."""


@dataclass
class ImportReport:
    """What became of each row.

    A warning has the form of a rejection, but its row is taken; it stays with the case, in ``extra[NOTES]``.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    warnings: list[Rejection] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """INTERFACE.md section 2's object."""
        return {name: value for name, value in asdict(self).items() if name != "warnings"}


def import_cases(
    *,
    benchmark: Benchmark,
    path: Path,
    format: str,  # noqa: A002 the interface's word
    split: str | None = None,
    dry_run: bool = False,
    update: bool = False,
    check_text: bool = False,
    actor: User | None = None,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Take in the cases of a file or folder.

    Parameters
    ----------
    format
        A name of `IMPORT_FORMATS`.
    split
        Put on every case, whatever its record says.
    dry_run
        Look at everything, store nothing.
    update
        Take a known id with other content as a new version of its case; without it such a row is rejected.
    check_text
        Bar the images from release until a curator has looked at each for names and dates in its pixels, as DICOM
        images are.
    progress
        Called with the number of rows looked at.

    Raises
    ------
    ImportFailed
        If the path or the format is none; a fault in a row rejects that row and no other.

    Notes
    -----
    Images are decoded and stored before the cases are written, in one transaction, so that a long decode holds no
    lock. A file whose bytes are known is not decoded again.
    """
    if format not in IMPORT_FORMATS:
        raise ImportFailed(f"unknown format {format!r}: one of {', '.join(IMPORT_FORMATS)}")
    if not path.exists():
        raise ImportFailed(f"{path} is not there")
    resolver = ImageResolver(store=not dry_run, kinds=KINDS.get(format), bars=check_text)
    try:
        return _take(benchmark, IMPORT_FORMATS[format](path), resolver, format, split, dry_run, update, actor, progress)
    except OSError as error:
        raise ImportFailed(f"{path}: {error.strerror or error}") from error


def import_records(
    *,
    benchmark: Benchmark,
    records: Iterable[object],
    actor: User | None = None,
    folder: Path | None = None,
    split: str | None = None,
    dry_run: bool = False,
    update: bool = False,
) -> ImportReport:
    """Take in sightline records: decoded objects, or lines of JSON as bytes.

    Parameters
    ----------
    actor
        Who sent them: images are named by sha256, among those that the sender may know (`images_known_to`). None for
        a command, which may name every stored image.
    folder
        What image paths are relative to. None: paths are not taken, as over HTTP.
    split, dry_run, update
        As `import_cases`.
    """
    resolver = ImageResolver(store=not dry_run, known_to=actor)
    rows = sightline.read_records(records, folder=folder)
    return _take(benchmark, rows, resolver, "sightline", split, dry_run, update, actor, None)


def _take(
    benchmark: Benchmark,
    rows: Iterator[SourceCase | Rejection],
    resolver: ImageResolver,
    kind: str,
    split: str | None,
    dry_run: bool,
    update: bool,
    actor: User | None,
    progress: Callable[[int], None] | None,
) -> ImportReport:
    report, prepared, seen = ImportReport(), list[Prepared](), 0
    labels = frozenset(label["id"] for label in benchmark.protocol.config.get("labels", []))
    for batch in _bearable(rows):
        cases = [row for row in batch if isinstance(row, SourceCase)]
        report.rejected += [row for row in batch if isinstance(row, Rejection)]
        resolver.look_up(list(chain.from_iterable(case.images for case in cases)))
        for case in cases:
            taken = prepare(case, resolver, kind, split, labels)
            if isinstance(taken, Rejection):
                report.rejected.append(taken)
            else:
                prepared.append(taken)
                report.warnings += [Rejection(case.index, taken.key, "", said) for said in taken.warnings]
            seen += 1
            if progress is not None:
                progress(seen)
    _write(benchmark, prepared, report, kind, dry_run, update, actor)
    report.rejected.sort(key=lambda row: row.index)
    return report


def _bearable(rows: Iterable[SourceCase | Rejection]) -> Iterator[list[SourceCase | Rejection]]:
    """Batches that hold no more bytes of images than `MOST_HELD`, unless one row alone does."""
    batch: list[SourceCase | Rejection] = []
    held = 0
    for row in rows:
        batch.append(row)
        held += sum(len(image.data or b"") for image in row.images) if isinstance(row, SourceCase) else 0
        if len(batch) >= BATCH or held >= MOST_HELD:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        yield batch


@transaction.atomic
def _write(
    benchmark: Benchmark,
    prepared: list[Prepared],
    report: ImportReport,
    kind: str,
    dry_run: bool,
    update: bool,
    actor: User | None,
) -> None:
    # Positions count on, and of two imports of one id the second must see the first.
    Benchmark.objects.select_for_update(no_key=True).get(pk=benchmark.pk)
    position = Case.objects.filter(benchmark=benchmark).aggregate(last=Max("position"))["last"] or 0
    changed: list[uuid.UUID] = []
    updated: list[uuid.UUID] = []
    taken: dict[str, str] = {}
    for batch in _batches(prepared):
        new, old = _sort_out(benchmark, batch, report, taken, update=update)
        if dry_run:
            continue
        created = [_case(benchmark, row, position + number) for number, row in enumerate(new, 1)]
        position += len(created)
        Case.objects.bulk_create(created)
        audit.record_cases("case.changed", _changes(old), actor=actor, benchmark_id=benchmark.pk)
        _bump(old)
        both = [*zip(created, new, strict=True), *old]
        _write_parts(both, replaced=[case for case, _ in old])
        facts.record_new([case.pk for case in created])
        facts.record([case.pk for case, _ in old])
        changed += [case.pk for case, _ in both]
        updated += [case.pk for case, _ in old]
    if changed:
        # Cases came into the queue, perhaps before where readers are.
        Benchmark.objects.filter(pk=benchmark.pk).update(queue_epoch=F("queue_epoch") + 1)
        _tell(benchmark, changed, report, kind, actor)
    if updated:  # whoever has such a case open loads it again
        events.publish_cases("case.changed", updated, benchmark_id=benchmark.pk, least_role=Role.READER)


def _sort_out(
    benchmark: Benchmark, rows: Iterable[Prepared], report: ImportReport, taken: dict[str, str], *, update: bool
) -> tuple[list[Prepared], list[tuple[Case, Prepared]]]:
    rows = list(rows)
    known = {case.key: case for case in Case.objects.filter(benchmark=benchmark, key__in=[row.key for row in rows])}
    new: list[Prepared] = []
    old: list[tuple[Case, Prepared]] = []
    for row in rows:
        earlier = taken.get(row.key)
        taken.setdefault(row.key, row.content_digest)
        case = known.get(row.key)
        is_same = case is not None and case.content_digest == row.content_digest
        if earlier not in (None, row.content_digest):
            reason = "stands in this import before, with other content"
            report.rejected.append(Rejection(row.index, row.key, "id", reason))
        elif earlier is not None or is_same:
            report.unchanged += 1
        elif case is None:
            new.append(row)
            report.created += 1
        elif update:
            old.append((case, row))
            report.updated += 1
        else:
            report.rejected.append(
                Rejection(row.index, row.key, "id", "is known with other content; an update takes it as a new version")
            )
    return new, old


_CASE_FIELDS = (
    "split",
    "question",
    "options",
    "answer",
    "history",
    "patient",
    "source",
    "licence",
    "attribution",
    "extra",
)


def _case(benchmark: Benchmark, row: Prepared, position: int) -> Case:
    return Case(
        benchmark=benchmark,
        key=row.key,
        position=position,
        content_digest=row.content_digest,
        input_digest=row.input_digest,
        **{name: row.record[name] for name in _CASE_FIELDS},
    )


# Told in the trail as they are; of the others, which are clinical text or long, the digest.
_TOLD_FIELDS = ("split", "options", "answer")


def _changes(old: list[tuple[Case, Prepared]]) -> list[tuple[Case, dict[str, Any], dict[str, Any]]]:
    """What is about to be written over, and by what; images and gold, which have rows of their own, by the digest."""
    return [
        (
            case,
            {"version": case.version, "content": case.content_digest, **_told(vars(case), row.record)},
            {"version": case.version + 1, "content": row.content_digest, **_told(row.record, vars(case))},
        )
        for case, row in old
    ]


def _told(side: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """One side of every field in which the two differ."""
    return {
        name: side[name] if name in _TOLD_FIELDS else canonical_digest(side[name])
        for name in _CASE_FIELDS
        if side[name] != other[name]
    }


def _bump(old: list[tuple[Case, Prepared]]) -> None:
    now = timezone.now()
    for case, row in old:
        for name in _CASE_FIELDS:
            setattr(case, name, row.record[name])
        case.version += 1
        case.updated_at = now
        case.content_digest, case.input_digest = row.content_digest, row.input_digest
    names = [*_CASE_FIELDS, "version", "updated_at", "content_digest", "input_digest"]
    Case.objects.bulk_update([case for case, _ in old], names)


_IMAGE_TEXTS = ("caption", "modality", "sub_modality", "view", "timepoint", "series")
_COPY_IMAGES = sql.SQL("COPY {} ({}) FROM STDIN").format(
    sql.Identifier(CaseImage._meta.db_table),
    sql.SQL(", ").join([sql.Identifier(name) for name in ("case_id", "number", "asset_id", *_IMAGE_TEXTS)]),
)


def _copy_images(both: list[tuple[Case, Prepared]]) -> None:
    """Rows of the cases' images by COPY: most rows of an import are these, and each costs a third of an INSERT's."""
    with connection.cursor() as cursor, cursor.copy(_COPY_IMAGES) as copy:
        for case, row in both:
            for number, image in enumerate(row.record["images"], 1):
                copy.write_row((case.pk, number, image["sha256"], *(image[name] for name in _IMAGE_TEXTS)))


def _write_parts(both: list[tuple[Case, Prepared]], *, replaced: list[Case]) -> None:
    if replaced:
        CaseImage.objects.filter(case__in=replaced).delete()
    _copy_images(both)
    # A record that says nothing of gold leaves the gold there is.
    add_revisions([(case, row.record["gold"]) for case, row in both if row.record["gold"] is not None])


def _tell(benchmark: Benchmark, changed: list[uuid.UUID], report: ImportReport, kind: str, actor: User | None) -> None:
    audit.record(
        "cases.imported",
        actor=actor,
        benchmark_id=benchmark.pk,
        object_type="benchmark",
        object_id=benchmark.slug,
        after={
            "format": kind,
            "created": report.created,
            "updated": report.updated,
            "unchanged": report.unchanged,
            "rejected": len(report.rejected),
        },
    )
    # The cases are in, whatever becomes of those who hear of it; the sweep finds what was not asked for.
    transaction.on_commit(partial(cases_changed.send_robust, sender=Case, case_ids=changed))
