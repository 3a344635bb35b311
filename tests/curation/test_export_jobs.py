"""Exports as jobs: one worker each, a result or a reason, and nothing lost with the broker."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from curation import export_jobs, queues
from curation.export_jobs import ask_export, resend_lost_exports, run_export
from curation.exporting import TextUnchecked
from curation.models import AuditEvent, Event, Export, ExportState, ImageAsset, Snapshot
from curation.snapshots import freeze
from curation.tasks import run_export as run_export_task
from curation.verifying import verify
from inference.supervising import sweep

if TYPE_CHECKING:
    from curation.models import Benchmark, Case, User

pytestmark = pytest.mark.django_db


class Broker:
    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, str]]] = []

    def send_task(self, name: str, kwargs: dict[str, str]) -> None:
        self.sent.append((name, kwargs))


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    made = Broker()
    monkeypatch.setattr(queues, "current_app", made)
    return made


@pytest.fixture
def snapshot(benchmark: Benchmark, case: Case) -> Snapshot:
    return freeze(benchmark=benchmark, name="one", actor=None).snapshot


def ask(snapshot: Snapshot, actor: User, **options: Any) -> Export:
    return ask_export(snapshot=snapshot, format="hf", has_originals=False, actor=actor, **options)


def test_an_export_is_asked_once_and_sent_after_the_commit(
    snapshot: Snapshot, curator: User, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first, again = ask(snapshot, curator), ask(snapshot, curator)
        assert broker.sent == []
    assert first == again
    assert broker.sent == [("curation.tasks.run_export", {"export_id": str(first.pk)})]
    assert Event.objects.get(type="export.changed").least_role == "curator"
    assert AuditEvent.objects.get(action="export.asked").actor_name == "carl"


def test_the_archive_is_a_whole_export(snapshot: Snapshot, curator: User, broker: Broker, tmp_path: Path) -> None:
    asked = ask(snapshot, curator)
    run_export_task(str(asked.pk))
    asked.refresh_from_db()
    assert (asked.state, asked.rows_in, asked.rows_out, asked.error) == ("done", 1, 1, "")
    with default_storage.open(asked.storage_name) as stored:
        content = stored.read()
    assert asked.byte_size == len(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path / "unpacked")
    (folder,) = (tmp_path / "unpacked").iterdir()
    assert verify(folder).digest == snapshot.digest
    assert json.loads((folder / "snapshot.json").read_text())["cases"][0][0] == "case1"


def test_running_twice_writes_once(snapshot: Snapshot, curator: User, broker: Broker) -> None:
    asked = ask(snapshot, curator)
    run_export(asked.pk)
    before = Export.objects.values().get()
    run_export(asked.pk)
    assert Export.objects.values().get() == before
    assert AuditEvent.objects.filter(action="snapshot.exported").count() == 1


def test_unchecked_images_are_refused_when_asked_and_when_run(
    snapshot: Snapshot, curator: User, broker: Broker
) -> None:
    asked = ask(snapshot, curator)
    ImageAsset.objects.update(needs_text_check=True)
    run_export(asked.pk)
    asked.refresh_from_db()
    assert asked.state == ExportState.FAILED
    assert "image 1 of case case1" in asked.error
    assert not default_storage.exists(asked.storage_name)
    with pytest.raises(TextUnchecked):
        ask(snapshot, curator)


def test_a_crash_is_told_without_its_insides(
    snapshot: Snapshot, curator: User, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("postgres://user:secret@host")

    monkeypatch.setattr(export_jobs, "export", crash)
    asked = ask(snapshot, curator)
    run_export(asked.pk)
    asked.refresh_from_db()
    assert asked.state == ExportState.FAILED
    assert "secret" not in asked.error


def test_a_worker_given_up_for_lost_changes_nothing(
    snapshot: Snapshot, curator: User, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask(snapshot, curator)
    write = export_jobs._write

    def write_while_another_takes_over(row: Export) -> dict[str, Any]:
        changes = write(row)
        Export.objects.update(attempts=2)
        return changes

    monkeypatch.setattr(export_jobs, "_write", write_while_another_takes_over)
    run_export(asked.pk)
    asked.refresh_from_db()
    assert (asked.state, asked.attempts, asked.finished_at) == (ExportState.RUNNING, 2, None)


@pytest.mark.parametrize(
    ("fields", "state", "sent"),
    [
        ({"state": "queued", "sent_at": -20}, "queued", 1),
        ({"state": "queued", "sent_at": -1}, "queued", 0),
        ({"state": "running", "heartbeat_at": -20, "attempts": 1}, "queued", 1),
        ({"state": "running", "heartbeat_at": -1, "attempts": 1}, "running", 0),
        ({"state": "running", "heartbeat_at": -20, "attempts": 3}, "failed", 0),
        ({"state": "done", "sent_at": -20, "heartbeat_at": -20}, "done", 0),
    ],
)
def test_what_was_lost_is_sent_again(
    snapshot: Snapshot,
    broker: Broker,
    django_capture_on_commit_callbacks: Any,
    fields: dict[str, Any],
    state: str,
    sent: int,
) -> None:
    times = {
        name: timezone.now() + dt.timedelta(minutes=value) if name.endswith("_at") else value
        for name, value in fields.items()
    }
    asked = Export.objects.create(snapshot=snapshot, format="hf", **times)
    with django_capture_on_commit_callbacks(execute=True):
        assert resend_lost_exports() == sent
        assert resend_lost_exports() == 0
    assert len(broker.sent) == sent
    asked.refresh_from_db()
    assert asked.state == state


def test_the_sweep_sends_lost_exports(
    snapshot: Snapshot, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    asked = Export.objects.create(snapshot=snapshot, format="hf", sent_at=timezone.now() - dt.timedelta(hours=1))
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep().exports_resent == 1
    assert ("curation.tasks.run_export", {"export_id": str(asked.pk)}) in broker.sent
