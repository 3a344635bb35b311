"""Django's administration: snapshots are exported from their list, by the operation that the product uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from curation import queues
from curation.models import Export, Snapshot, User
from curation.snapshots import freeze
from tests.factories import make_asset, make_benchmark, make_case

if TYPE_CHECKING:
    from curation.models import Benchmark, Case

pytestmark = pytest.mark.django_db
ADDRESS = "admin:curation_snapshot_changelist"


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser(username="sue", password="correct-horse-battery")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    messages: list[tuple[str, dict[str, str]]] = []

    class Broker:
        def send_task(self, name: str, kwargs: dict[str, str]) -> None:
            messages.append((name, kwargs))

    monkeypatch.setattr(queues, "current_app", Broker())
    monkeypatch.setattr(queues, "_paused_until", 0.0)
    return messages


@pytest.fixture
def snapshot(benchmark: Benchmark, case: Case) -> Snapshot:
    return freeze(benchmark=benchmark, name="one", actor=None).snapshot


def export_all(client: Any, *snapshots: Snapshot) -> str:
    body = {"action": "export_to_hugging_face", "_selected_action": [str(row.pk) for row in snapshots]}
    answer = client.post(reverse(ADDRESS), body, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_the_action_queues_one_export_and_links_to_its_page(
    client: Any, superuser: User, snapshot: Snapshot, sent: Any, django_capture_on_commit_callbacks: Any
) -> None:
    client.force_login(superuser)
    with django_capture_on_commit_callbacks(execute=True):
        page = export_all(client, snapshot)
    asked = Export.objects.get()
    assert (asked.snapshot_id, asked.format, asked.has_originals, asked.state) == (snapshot.pk, "hf", False, "queued")
    assert asked.created_by == superuser
    assert ("curation.tasks.run_export", {"export_id": str(asked.pk)}) in sent
    assert reverse("snapshot-page", args=[snapshot.digest]) in page


def test_twice_is_once(client: Any, superuser: User, snapshot: Snapshot, sent: Any) -> None:
    client.force_login(superuser)
    export_all(client, snapshot)
    export_all(client, snapshot)
    assert Export.objects.count() == 1


def test_unchecked_images_are_refused_and_the_others_go_out(
    client: Any, superuser: User, snapshot: Snapshot, sent: Any
) -> None:
    other = make_benchmark("hand")
    case = make_case(other, "barred", images=0)
    case.images.create(number=1, asset=make_asset(seed=77, needs_text_check=True))
    barred = freeze(benchmark=other, name="barred", actor=None).snapshot
    client.force_login(superuser)
    page = export_all(client, snapshot, barred)
    assert [row.snapshot_id for row in Export.objects.all()] == [snapshot.pk]
    assert "is not exported" in page
    assert "barred" in page


def test_staff_without_the_permission_is_offered_no_action(client: Any, curator: User, snapshot: Snapshot) -> None:
    curator.is_staff = True
    curator.save()
    client.force_login(curator)
    answer = client.post(reverse(ADDRESS), {"action": "export_to_hugging_face", "_selected_action": [str(snapshot.pk)]})
    assert answer.status_code == 403
    assert not Export.objects.exists()
