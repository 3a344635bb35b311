"""Freezing: what the digest is of, what a name is, and what a freeze sees while others write."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
import rfc8785
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from annotations.models import Arm, Reading, ReadingState
from curation import snapshots
from curation.digests import case_record, with_record_parts
from curation.management.command import Failed
from curation.models import AuditEvent, Benchmark, Case, Event, Gold, Protocol, Snapshot, SnapshotCase, SnapshotName
from curation.snapshots import BadName, FreezeRefused, NameTaken, NoSuchSnapshot, NothingToFreeze, find_snapshot, freeze
from tests.factories import make_benchmark, make_case, make_user
from tests.releases import submit

if TYPE_CHECKING:
    from curation.models import User

pytestmark = pytest.mark.django_db


def by_hand(benchmark: Benchmark) -> str:
    """The digest as `freeze`'s docstring says, from the API's own views of the rows and rfc8785 alone."""
    cases: list[list[Any]] = []
    for case in Case.objects.filter(benchmark=benchmark):
        revisions = [
            hashlib.sha256(rfc8785.dumps(revision.content)).hexdigest()
            for reading in Reading.objects.filter(case=case, state__in=["draft", "submitted"])
            for revision in reading.revisions.all()
        ]
        record = hashlib.sha256(rfc8785.dumps(case_record(case))).hexdigest()
        cases.append([case.key, record, case.input_digest, sorted(revisions)])
    protocol = {"kind": benchmark.protocol.kind, **benchmark.protocol.config}
    document = rfc8785.dumps({"protocol": protocol, "cases": sorted(cases)})
    return hashlib.sha256(document).hexdigest()


def test_the_digest_is_recomputed_from_what_the_docstring_says(
    benchmark: Benchmark, reader: User, other_reader: User
) -> None:
    cases = [make_case(benchmark, key, images=2, extra={"größe": 1.5, "n": 2**53 - 1}) for key in ("ß", "b", "a")]
    submit(cases[0], reader)
    submit(cases[0], other_reader)
    submit(cases[0], reader)
    frozen = freeze(benchmark=benchmark, name="one", actor=None)
    assert frozen.snapshot.digest == by_hand(benchmark)
    assert (frozen.snapshot.case_count, frozen.snapshot.image_count, frozen.snapshot.reading_count) == (3, 6, 3)
    document = snapshots.snapshot_document(Snapshot.objects.get())
    assert hashlib.sha256(document).hexdigest() == frozen.snapshot.digest
    assert [row[0] for row in json.loads(document)["cases"]] == ["a", "b", "ß"]


def test_every_submitted_revision_counts_and_no_draft(benchmark: Benchmark, case: Case, reader: User) -> None:
    first = submit(case, reader)
    second = submit(case, reader, state=ReadingState.DRAFT)
    aided = Reading.objects.create(case=case, reader=reader, arm=Arm.AIDED, draft={"answer": None})
    frozen = freeze(benchmark=benchmark, name="one", actor=None).snapshot
    assert frozen.frozen_cases.get().reading_digests == sorted([first.digest, second.digest])
    aided.draft = {"answer": {"choice": "A"}}
    aided.save()
    assert freeze(benchmark=benchmark, name="two", actor=None).snapshot == frozen


@pytest.mark.parametrize("state", [ReadingState.CLOSED, ReadingState.SURPLUS])
def test_closed_and_surplus_readings_stay_out(benchmark: Benchmark, case: Case, reader: User, state: str) -> None:
    submit(case, reader, state=state)
    assert freeze(benchmark=benchmark, name="one", actor=None).snapshot.reading_count == 0


def test_two_readers_who_say_the_same_count_twice(
    benchmark: Benchmark, case: Case, reader: User, other_reader: User
) -> None:
    said = submit(case, reader, rois=[], steps=[], entities=[])
    again = submit(case, other_reader, rois=[], steps=[], entities=[])
    assert said.digest == again.digest
    assert freeze(benchmark=benchmark, name="one", actor=None).snapshot.reading_count == 2


def test_the_same_content_gets_one_more_name(benchmark: Benchmark, case: Case, curator: User) -> None:
    one = freeze(benchmark=benchmark, name="2026.1", actor=curator)
    two = freeze(benchmark=benchmark, name="2026.1 final", actor=curator)
    again = freeze(benchmark=benchmark, name="2026.1", actor=curator)
    assert one.snapshot == two.snapshot == again.snapshot
    assert [one.is_new, two.is_new, again.is_new] == [True, False, False]
    assert [one.is_new_name, two.is_new_name, again.is_new_name] == [True, True, False]
    assert Snapshot.objects.count() == 1
    assert SnapshotCase.objects.count() == 1
    assert sorted(SnapshotName.objects.values_list("name", flat=True)) == ["2026.1", "2026.1 final"]
    assert list(AuditEvent.objects.order_by("id").values_list("action", "actor_name")) == [
        ("snapshot.frozen", "carl"),
        ("snapshot.named", "carl"),
    ]
    assert Event.objects.filter(type="snapshot.changed", least_role="reviewer").count() == 2


@pytest.mark.parametrize("change", ["question", "answer", "gold", "reading", "protocol", "case"])
def test_a_used_name_with_other_content_is_refused(benchmark: Benchmark, case: Case, reader: User, change: str) -> None:
    before = freeze(benchmark=benchmark, name="one", actor=None).snapshot
    if change in ("question", "answer"):
        Case.objects.update(**{change: "B"})
    elif change == "gold":
        Gold.objects.create(case=case, revision=1, answer="A")
    elif change == "reading":
        submit(case, reader)
    elif change == "case":
        make_case(benchmark, "another")
    else:
        Protocol.objects.create(benchmark=benchmark, version=2, kind="vgmed", config={}, digest="1" * 64)
    with pytest.raises(NameTaken, match=before.digest):
        freeze(benchmark=benchmark, name="one", actor=None)
    assert Snapshot.objects.get() == before
    assert freeze(benchmark=benchmark, name="two", actor=None).snapshot.digest != before.digest


def test_a_name_belongs_to_one_benchmark(benchmark: Benchmark, case: Case) -> None:
    freeze(benchmark=benchmark, name="one", actor=None)
    other = make_benchmark("abdomen")
    make_case(other, "other")
    with pytest.raises(NameTaken):
        freeze(benchmark=other, name="one", actor=None)


@pytest.mark.parametrize("name", ["", " one", "one ", "o\nne", "x" * 101, "a" * 64, "\x1b[31m"])
def test_names_that_are_none(benchmark: Benchmark, case: Case, name: str) -> None:
    with pytest.raises(BadName):
        freeze(benchmark=benchmark, name=name, actor=None)
    assert not Snapshot.objects.exists()


def test_an_empty_benchmark_is_not_frozen(benchmark: Benchmark) -> None:
    with pytest.raises(NothingToFreeze, match="thorax has no case"):
        freeze(benchmark=benchmark, name="one", actor=None)
    assert not Snapshot.objects.exists()


def test_a_snapshot_is_found_by_name_or_digest(benchmark: Benchmark, case: Case) -> None:
    snapshot = freeze(benchmark=benchmark, name="one", actor=None).snapshot
    assert find_snapshot("one") == find_snapshot(snapshot.digest) == snapshot
    for unknown in ("two", "0" * 64):
        with pytest.raises(NoSuchSnapshot, match=unknown):
            find_snapshot(unknown)


def test_one_digest_in_two_benchmarks_asks_for_a_name(benchmark: Benchmark, case: Case) -> None:
    snapshot = freeze(benchmark=benchmark, name="one", actor=None).snapshot
    Snapshot.objects.create(
        digest=snapshot.digest,
        benchmark=make_benchmark("copy"),
        protocol={},
        case_count=1,
        image_count=1,
        reading_count=0,
    )
    with pytest.raises(NoSuchSnapshot, match="give its name"):
        find_snapshot(snapshot.digest)


def test_queries_do_not_grow_with_cases_or_readings(benchmark: Benchmark, reader: User, other_reader: User) -> None:
    submit(make_case(benchmark, "first"), reader)
    with CaptureQueriesContext(
        connection,
    ) as few:
        freeze(benchmark=benchmark, name="few", actor=None)
    for number in range(12):
        case = make_case(benchmark, f"case{number}", images=2)
        Gold.objects.create(case=case, revision=1, answer="A")
        submit(case, reader)
        submit(case, other_reader)
    with CaptureQueriesContext(connection) as many:
        freeze(benchmark=benchmark, name="many", actor=None)
    # Gold's regions are one more query where there is gold at all.
    assert len(many) <= len(few) + 1


def test_batches_change_nothing(benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        make_case(benchmark, f"case{number}")
    whole = freeze(benchmark=benchmark, name="whole", actor=None)
    monkeypatch.setattr(snapshots, "BATCH", 2)
    assert freeze(benchmark=benchmark, name="parts", actor=None).snapshot == whole.snapshot


def test_the_command(benchmark: Benchmark, case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("freeze", "thorax", name="one", json=True)
    told = json.loads(capsys.readouterr().out)
    assert told == {"name": "one", "digest": by_hand(benchmark), "cases": 1, "images": 1, "readings": 0}
    call_command("freeze", "thorax", name="one")
    assert "Already frozen: one: 1 cases, 1 images, 0 readings" in capsys.readouterr().out
    Case.objects.update(question="Another?")
    with pytest.raises(Failed) as failed:
        call_command("freeze", "thorax", name="one")
    assert failed.value.returncode == 1
    with pytest.raises(Failed, match="there is no benchmark 'elsewhere'"):
        call_command("freeze", "elsewhere", name="two")


def in_another_connection(do: Any) -> None:
    """Run to the end, committed, in a thread with a connection of its own."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            with transaction.atomic():
                do()
        except BaseException as error:  # noqa: BLE001 told to the test
            failures.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=120)
    assert not thread.is_alive(), "waited for the freeze"
    assert failures == []


@pytest.mark.django_db(transaction=True)
def test_what_is_written_meanwhile_is_wholly_out(monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark = make_benchmark()
    reader = make_user("rosa")
    cases = [make_case(benchmark, f"case{number}") for number in range(4)]
    expected = by_hand(benchmark)
    monkeypatch.setattr(snapshots, "BATCH", 2)
    read = with_record_parts
    batches = []

    def read_after_others_wrote(ids: Any) -> list[Case]:
        batches.append(ids)
        if len(batches) == 1:

            def write() -> None:
                submit(cases[0], reader)
                submit(cases[3], reader)
                Case.objects.filter(pk=cases[3].pk).update(question="Changed?")
                Gold.objects.create(case=cases[1], revision=1, answer="B")
                make_case(benchmark, "late")

            in_another_connection(write)
        return read(ids)

    monkeypatch.setattr(snapshots, "with_record_parts", read_after_others_wrote)
    before = freeze(benchmark=benchmark, name="before", actor=None).snapshot
    assert len(batches) == 2
    assert (before.digest, before.case_count, before.reading_count) == (expected, 4, 0)
    after = freeze(benchmark=benchmark, name="after", actor=None).snapshot
    assert (after.digest, after.case_count, after.reading_count) == (by_hand(benchmark), 5, 2)


@pytest.mark.django_db(transaction=True)
def test_freezes_at_once_make_one_snapshot() -> None:
    benchmark = make_benchmark()
    make_case(benchmark)
    results: list[object] = []

    def one(number: int) -> None:
        try:
            results.append(freeze(benchmark=benchmark, name=f"name{number % 2}", actor=None).snapshot.digest)
        except FreezeRefused as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [Snapshot.objects.get().digest] * 4
    assert SnapshotName.objects.count() == 2
