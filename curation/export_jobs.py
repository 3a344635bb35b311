"""Exports that somebody asked for in the browser: queued, written by a worker, kept as one archive in storage."""

from __future__ import annotations

import datetime as dt
import logging
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from curation import audit, events, queues
from curation.exporting import ExportRefused, export, refuse_unchecked
from curation.models import Export, ExportState, Role

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable

    from django.db.models import QuerySet

    from curation.models import Snapshot, User

EXPORT_TASK = "curation.tasks.run_export"
MOST_ATTEMPTS = 3
QUEUED_FOR = dt.timedelta(minutes=10)
SILENT_FOR = dt.timedelta(minutes=10)
SECONDS_BETWEEN_NEWS = 1.0

logger = logging.getLogger(__name__)


@transaction.atomic
def ask_export(*, snapshot: Snapshot, format: str, has_originals: bool, actor: User) -> Export:  # noqa: A002
    """Queue an export, or find the same one under way.

    Raises
    ------
    curation.exporting.TextUnchecked
        At once, rather than after the wait.
    """
    if not snapshot.benchmark.is_demo:
        refuse_unchecked(snapshot)
    # One lock a snapshot: a double click asks once.
    type(snapshot).objects.select_for_update(no_key=True).get(pk=snapshot.pk)
    wanted = Export.objects.filter(snapshot=snapshot, format=format, has_originals=has_originals)
    under_way = wanted.filter(state__in=[ExportState.QUEUED, ExportState.RUNNING]).first()
    if under_way is not None:
        return under_way
    asked = Export.objects.create(
        snapshot=snapshot, format=format, has_originals=has_originals, rows_in=snapshot.case_count, created_by=actor
    )
    _record("export.asked", asked, actor, {"format": format, "originals": has_originals})
    _tell(asked)
    queues.send(EXPORT_TASK, export_id=str(asked.pk))
    return asked


def run_export(export_id: uuid.UUID) -> None:
    """Write a queued export and keep it as a zip in the default storage; nothing if another worker has it.

    What cannot be written fails with its reason; it never leaves half an archive.
    """
    claimed = Export.objects.filter(pk=export_id, state=ExportState.QUEUED)
    if not claimed.update(state=ExportState.RUNNING, attempts=F("attempts") + 1, heartbeat_at=timezone.now()):
        return
    asked = Export.objects.select_related("snapshot__benchmark", "created_by").get(pk=export_id)
    _tell(asked)
    try:
        changes = _write(asked)
    except ExportRefused as error:
        changes = {"state": ExportState.FAILED, "error": str(error)}
    except Exception:
        logger.exception("export %s failed", export_id)
        changes = {"state": ExportState.FAILED, "error": "the export could not be written; the worker's log says why"}
    with transaction.atomic():
        if _own(asked).update(**changes, finished_at=timezone.now()):
            _tell(asked)


def _own(asked: Export) -> QuerySet[Export]:
    """The row while this attempt holds it: a worker that was given up for lost changes nothing."""
    return Export.objects.filter(pk=asked.pk, state=ExportState.RUNNING, attempts=asked.attempts)


def _write(asked: Export) -> dict[str, Any]:
    told_at = time.monotonic()

    def progress(done: int) -> None:
        nonlocal told_at
        _own(asked).update(rows_out=done, heartbeat_at=timezone.now())
        if time.monotonic() - told_at > SECONDS_BETWEEN_NEWS:
            told_at = time.monotonic()
            _tell(asked)

    with tempfile.TemporaryDirectory(prefix="sightline-export-") as scratch:
        folder = Path(scratch) / f"{asked.snapshot.digest[:12]}-{asked.format}"
        report = export(
            snapshot=asked.snapshot,
            format=asked.format,
            folder=folder,
            has_originals=asked.has_originals,
            actor=asked.created_by,
            progress=progress,
        )
        archive = Path(scratch) / "archive.zip"
        pack(folder, archive, beat=lambda: progress(report.rows_out))
        default_storage.delete(asked.storage_name)
        with archive.open("rb") as stream:
            default_storage.save(asked.storage_name, File(stream))
        size = archive.stat().st_size
    return {
        "state": ExportState.DONE,
        "rows_in": report.rows_in,
        "rows_out": report.rows_out,
        "byte_size": size,
        "not_carried": report.not_carried,
        "error": "",
    }


def pack(folder: Path, archive: Path, *, beat: Callable[[], None]) -> None:
    """Put a folder into a zip under its own name; stored as it is, since Parquet and PNG are compressed."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED, strict_timestamps=False) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            packed.write(path, path.relative_to(folder.parent))
            beat()


def resend_lost_exports(*, queued_for: dt.timedelta = QUEUED_FOR, silent_for: dt.timedelta = SILENT_FOR) -> int:
    """Send again what was queued too long or whose worker is gone; what was tried MOST_ATTEMPTS times fails."""
    now = timezone.now()
    silent = Export.objects.filter(state=ExportState.RUNNING, heartbeat_at__lt=now - silent_for)
    silent.filter(attempts__gte=MOST_ATTEMPTS).update(
        state=ExportState.FAILED, finished_at=now, error=f"its worker went away {MOST_ATTEMPTS} times"
    )
    lost = Q(state=ExportState.QUEUED, sent_at__lt=now - queued_for)
    lost |= Q(state=ExportState.RUNNING, heartbeat_at__lt=now - silent_for)
    resent = 0
    for pk in list(Export.objects.filter(lost).values_list("pk", flat=True)):
        with transaction.atomic():
            # One sender, should two sweeps run at once.
            if Export.objects.filter(lost, pk=pk).update(state=ExportState.QUEUED, sent_at=now):
                queues.send(EXPORT_TASK, export_id=str(pk))
                resent += 1
    return resent


def record_download(asked: Export, actor: User) -> None:
    """That somebody took a finished export away goes to the trail."""
    _record("export.downloaded", asked, actor, {"format": asked.format})


def _record(action: str, asked: Export, actor: User, after: dict[str, Any]) -> None:
    audit.record(
        action,
        actor=actor,
        benchmark_id=asked.snapshot.benchmark_id,
        object_type="export",
        object_id=str(asked.pk),
        after={"snapshot": asked.snapshot.digest, **after},
    )


def _tell(asked: Export) -> None:
    events.publish(
        "export.changed",
        benchmark_id=asked.snapshot.benchmark_id,
        least_role=Role.CURATOR,
        export=str(asked.pk),
        snapshot=str(asked.snapshot_id),
    )


def describe_export(asked: Export) -> dict[str, Any]:
    """What goes out about an export; reads `snapshot`."""
    return {
        "id": str(asked.pk),
        "snapshot": asked.snapshot.digest,
        "format": asked.format,
        "originals": asked.has_originals,
        "state": asked.state,
        "rows_in": asked.rows_in,
        "rows_out": asked.rows_out,
        "bytes": asked.byte_size,
        "not_carried": asked.not_carried,
        "error": asked.error,
        "created_at": asked.created_at,
        "finished_at": asked.finished_at,
    }
