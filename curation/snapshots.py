"""Freezing a benchmark: its content at one moment, named by the digest of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from curation import audit, events
from curation.digests import canonical, case_record, digest, with_record_parts
from curation.models import Case, Role, Snapshot, SnapshotCase, SnapshotName

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable, Iterator

    from curation.models import Benchmark, User

    ReadingDigests = Callable[[list[uuid.UUID]], dict[uuid.UUID, list[str]]]

BATCH = 500
LONGEST_NAME = 100
DIGEST_LENGTH = 64


class FreezeRefused(ValueError):
    """Why nothing was frozen."""


class BadName(FreezeRefused):
    """A name that a snapshot cannot have."""


class NameTaken(FreezeRefused):
    """The name belongs to a snapshot with other content; a name never moves."""

    def __init__(self, name: str, held_by: str) -> None:
        super().__init__(f"the name {name!r} belongs to a snapshot with other content: {held_by}")
        self.name = name
        self.held_by = held_by


class NothingToFreeze(FreezeRefused):
    """A benchmark without a case or without a protocol."""


class NoSuchSnapshot(LookupError):
    """No snapshot of this name or digest, or more than one benchmark has one of this digest."""


@dataclass(frozen=True)
class Frozen:
    """A snapshot, and what freezing did: made it new, or only gave it one more name, or nothing."""

    snapshot: Snapshot
    name: str
    is_new: bool
    is_new_name: bool


def freeze(*, benchmark: Benchmark, name: str, actor: User | None) -> Frozen:
    """Freeze a benchmark's cases, submitted readings and protocol under a name.

    Parameters
    ----------
    benchmark
        With at least one case.
    name
        1 to 100 printable characters without a space at either end, unique among all snapshots and no digest. The
        same content under another name is the same snapshot with one more name.
    actor
        Who froze it; None for a command.

    Raises
    ------
    BadName, NameTaken, NothingToFreeze
        All are `FreezeRefused`; nothing was changed.

    Notes
    -----
    **The digest** is the sha256 of the RFC 8785 form (UTF-8, no spaces, keys sorted) of::

        {"cases": [[KEY, RECORD, INPUT, [READING, ...]], ...], "protocol": {"kind": KIND, ...}}

    - one list for each case, sorted by KEY, the case's key, by Unicode code point;
    - RECORD: the sha256 of the RFC 8785 form of the case's section 6 record, its images named by sha256;
    - INPUT: the case's input digest;
    - READING: the sha256 of the RFC 8785 form of the content of one submitted revision, sorted. Every submitted
      revision counts, in every arm, of readings that are not closed and not surplus; a draft never does;
    - protocol: section 4's object in force, with its kind. Its version number is outside, as are names, scores,
      files and times: the same content has the same digest.

    Every export holds these very bytes as `snapshot.json`: ``sha256sum snapshot.json`` is the digest.

    **At once**: everything is read in one REPEATABLE READ transaction, so that a reading submitted or a case
    imported meanwhile is wholly in or wholly out, and nobody who reads or imports waits. Two freezes at once wait for
    each other, by a table lock taken before the first look at the data. Called inside a transaction, freeze sees what
    that transaction sees.
    """
    _check_name(name)
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if is_outermost:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            # LOCK takes no view of the data yet: the view begins after whoever froze before us has committed.
            cursor.execute("LOCK TABLE curation_snapshotname IN SHARE ROW EXCLUSIVE MODE")
        before = transaction.savepoint()
        snapshot = _write(benchmark, actor)
        known = Snapshot.objects.filter(benchmark=benchmark, digest=snapshot.digest).exclude(pk=snapshot.pk).first()
        if known is None:
            snapshot.save()
        else:
            transaction.savepoint_rollback(before)
            snapshot = known
        is_new_name = _give_name(snapshot, name)
        frozen = Frozen(snapshot, name, is_new=known is None, is_new_name=is_new_name)
        _tell(frozen, actor)
    return frozen


def _check_name(name: str) -> None:
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise BadName(f"{name!r:.120} is no name of 1 to {LONGEST_NAME} printable characters without outer spaces")
    if _is_digest(name):
        raise BadName(f"{name!r} looks like a digest, which names a snapshot by its content")


def _is_digest(text: str) -> bool:
    return len(text) == DIGEST_LENGTH and not set(text) - set("0123456789abcdef")


def _write(benchmark: Benchmark, actor: User | None) -> Snapshot:
    protocol = benchmark.protocols.order_by("-version").first()
    if protocol is None:
        raise NothingToFreeze(f"the benchmark {benchmark.slug} has no protocol")
    snapshot = Snapshot.objects.create(
        benchmark=benchmark,
        protocol={"kind": protocol.kind, **protocol.config},
        case_count=0,
        image_count=0,
        reading_count=0,
        created_by=actor,
    )
    entries: list[list[Any]] = []
    for rows in _frozen_rows(snapshot):
        SnapshotCase.objects.bulk_create(rows)
        entries += [entry_of(row) for row in rows]
        snapshot.image_count += sum(len(row.record["images"]) for row in rows)
        snapshot.reading_count += sum(len(row.reading_digests) for row in rows)
    if not entries:
        raise NothingToFreeze(f"the benchmark {benchmark.slug} has no case")
    snapshot.case_count = len(entries)
    snapshot.digest = digest(_document(entries, snapshot.protocol))
    return snapshot


def _frozen_rows(snapshot: Snapshot) -> Iterator[list[SnapshotCase]]:
    """Rows of all cases in the given order, a batch at a time; the number of queries a batch is always the same."""
    sections: list[ReadingDigests] = [import_string(path) for path in settings.SNAPSHOT_SECTIONS]
    ids = list(Case.objects.filter(benchmark=snapshot.benchmark_id).order_by("position").values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        readings = [section(batch) for section in sections]
        yield [
            _frozen(snapshot, case, sorted(one for found in readings for one in found.get(case.pk, [])))
            for case in with_record_parts(batch)
        ]


def _frozen(snapshot: Snapshot, case: Case, reading_digests: list[str]) -> SnapshotCase:
    record = case_record(case)
    return SnapshotCase(
        snapshot=snapshot,
        case=case,
        key=case.key,
        record=record,
        record_digest=digest(record),
        input_digest=case.input_digest,
        reading_digests=reading_digests,
    )


def entry_of(row: SnapshotCase) -> list[Any]:
    """What stands for one case in the document that the digest is of."""
    return [row.key, row.record_digest, row.input_digest, row.reading_digests]


def _document(entries: list[list[Any]], protocol: dict[str, Any]) -> dict[str, Any]:
    return {"cases": sorted(entries), "protocol": protocol}


def snapshot_document(snapshot: Snapshot) -> bytes:
    """The bytes that a snapshot's digest is the sha256 of, as `freeze` says, from the rows that were frozen."""
    fields = ("key", "record_digest", "input_digest", "reading_digests")
    entries = [list(row) for row in snapshot.frozen_cases.order_by().values_list(*fields)]
    return canonical(_document(entries, snapshot.protocol))


def _give_name(snapshot: Snapshot, name: str) -> bool:
    """Whether the name is new; the table lock of `freeze` is held."""
    held = SnapshotName.objects.select_related("snapshot").filter(name=name).first()
    if held is None:
        SnapshotName.objects.create(name=name, snapshot=snapshot)
        return True
    if held.snapshot_id != snapshot.pk:
        raise NameTaken(name, held.snapshot.digest)
    return False


def _tell(frozen: Frozen, actor: User | None) -> None:
    if not frozen.is_new_name:
        return
    snapshot = frozen.snapshot
    audit.record(
        "snapshot.frozen" if frozen.is_new else "snapshot.named",
        actor=actor,
        benchmark_id=snapshot.benchmark_id,
        object_type="snapshot",
        object_id=snapshot.digest,
        after={"name": frozen.name, "cases": snapshot.case_count, "readings": snapshot.reading_count},
    )
    events.publish(
        "snapshot.changed",
        benchmark_id=snapshot.benchmark_id,
        least_role=Role.REVIEWER,
        snapshot=str(snapshot.pk),
    )


def find_snapshot(name_or_digest: str) -> Snapshot:
    """The snapshot of a name, or of a whole digest.

    Raises
    ------
    NoSuchSnapshot
        If there is none; or if two benchmarks have the same content, so that only a name tells them apart.
    """
    rows = Snapshot.objects.select_related("benchmark")
    if not _is_digest(name_or_digest):
        found = rows.filter(names__name=name_or_digest).first()
        if found is None:
            raise NoSuchSnapshot(f"there is no snapshot {name_or_digest!r:.120}")
        return found
    several = list(rows.filter(digest=name_or_digest)[:2])
    if len(several) != 1:
        many = "more than one benchmark has a snapshot of" if several else "there is no snapshot of"
        raise NoSuchSnapshot(f"{many} the digest {name_or_digest}{': give its name' if several else ''}")
    return several[0]


def describe_snapshot(snapshot: Snapshot) -> dict[str, Any]:
    """What goes out about a snapshot; reads `benchmark` and `names`."""
    return {
        "digest": snapshot.digest,
        "benchmark": snapshot.benchmark.slug,
        "names": sorted(row.name for row in snapshot.names.all()),
        "cases": snapshot.case_count,
        "images": snapshot.image_count,
        "readings": snapshot.reading_count,
        "created_at": snapshot.created_at,
    }


def licences(snapshot: Snapshot) -> list[tuple[str, int]]:
    """(licence, number of cases), the most common first."""
    counted = Counter(snapshot.frozen_cases.order_by().values_list("record__licence", flat=True))
    return sorted(((name or "", number) for name, number in counted.items()), key=lambda pair: (-pair[1], pair[0]))
