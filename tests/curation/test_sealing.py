"""The chain over the trail: what is sealed, what is found when somebody changes it past the triggers."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from curation import audit, sealing
from curation.formats.canonical import canonical_json
from curation.models import AuditEvent, AuditSeal, AuditWaiting, Case, User
from curation.sealing import GENESIS, chained, seal_waiting
from curation.tasks import seal_audit
from curation.verifying_audit import verify_trail
from tests.annotations.together import at_once
from tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client


@contextlib.contextmanager
def past_the_triggers() -> Iterator[None]:
    """What the owner of the database server can do."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")


@pytest.fixture
def trail(db: None) -> list[AuditEvent]:
    """Six sealed events."""
    for number in range(1, 7):
        audit.record("thing.done", actor=None, object_type="thing", object_id=str(number), after={"n": number})
    assert seal_waiting() == 6
    return list(AuditEvent.objects.order_by("pk"))


def verdict(*arguments: str) -> dict[str, Any]:
    """What `verify_audit --json` prints; it fails just where the trail is broken."""
    out = io.StringIO()
    status = 0
    try:
        call_command("verify_audit", "--json", *arguments, stdout=out)
    except CommandError as error:
        status = error.returncode
    document = dict(json.loads(out.getvalue()))
    assert status == (0 if document["ok"] else 1)
    return document


class TestSealing:
    def test_a_seal_is_the_digest_of_the_one_before_and_the_row(self, trail: list[AuditEvent]) -> None:
        first, second = AuditSeal.objects.order_by("number")[:2]
        event = trail[1]
        row = {
            "id": event.pk,
            "uid": str(event.uid),
            "actor_id": None,
            "actor_name": "",
            "action": "thing.done",
            "benchmark_id": None,
            "object_type": "thing",
            "object_id": "2",
            "before": None,
            "after": {"n": 2},
            "created_at": event.created_at.isoformat(timespec="microseconds"),
            "once": None,
            "number": 2,
            "sealed_at": second.sealed_at.isoformat(timespec="microseconds"),
        }
        assert second.digest == hashlib.sha256(first.digest.encode() + canonical_json(row)).hexdigest()

    def test_numbers_go_on_without_a_hole_over_several_calls(self, trail: list[AuditEvent]) -> None:
        audit.record("thing.done", actor=None)
        seal_audit()
        assert list(AuditSeal.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6, 7]
        assert not AuditWaiting.objects.exists()
        assert verify_trail().broken is None

    def test_nothing_new_costs_one_query(self, trail: list[AuditEvent], django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            assert seal_waiting() == 0

    def test_more_than_a_batch_is_sealed_in_one_call(self, db: None, monkeypatch: Any) -> None:
        monkeypatch.setattr(sealing, "BATCH", 3)
        for _ in range(8):
            audit.record("thing.done", actor=None)
        assert seal_waiting() == 8
        assert verify_trail().broken is None

    def test_a_number_beyond_json_stops_nothing(self, db: None) -> None:
        audit.record("thing.done", actor=None, after={"big": 2**70, "list": [1.5, 2**60], "yes": True})
        audit.record("thing.done", actor=None)
        assert seal_waiting() == 2
        assert verify_trail().broken is None

    def test_an_id_beyond_json_stops_nothing(self, db: None) -> None:
        AuditEvent.objects.create(id=2**62, action="thing.done")
        assert seal_waiting() == 1
        assert verify_trail().broken is None

    def test_an_event_of_after_its_seal_was_put_in(self, trail: list[AuditEvent]) -> None:
        with pgtrigger.ignore("curation.AuditEvent:append_only"):
            event = AuditEvent.objects.create(action="thing.done")
            AuditEvent.objects.filter(pk=event.pk).update(created_at=dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
        seal_waiting()
        broken = verify_trail().broken
        assert broken is not None
        assert (broken.kind, broken.event) == ("inserted", event.pk)
        assert "claims 2100-01-01" in broken.detail

    def test_an_event_that_is_rolled_back_leaves_no_hole(self, trail: list[AuditEvent]) -> None:
        with contextlib.suppress(ZeroDivisionError), transaction.atomic():
            audit.record("thing.undone", actor=None)
            raise ZeroDivisionError
        audit.record("thing.done", actor=None)
        newest = AuditEvent.objects.order_by("pk").last()
        assert newest is not None
        assert newest.pk > trail[-1].pk + 1  # the id is lost
        assert seal_waiting() == 1
        found = verify_trail()
        assert (found.broken, found.sealed, found.waiting) == (None, 7, 0)

    @pytest.mark.parametrize("table", ["curation_auditseal", "curation_auditevent"])
    @pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
    def test_the_database_refuses_to_change_the_trail(
        self, trail: list[AuditEvent], table: str, statement: str
    ) -> None:
        column = "sealed_at" if table.endswith("seal") else "created_at"
        with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
            connection.cursor().execute(statement.format(table, column, column))


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_two_sealers_at_once_make_one_chain(self) -> None:
        for _ in range(400):
            audit.record("thing.done", actor=None)
        done = at_once([seal_waiting] * 4)
        assert sum(done) == 400
        assert AuditSeal.objects.count() == 400
        assert verify_trail().broken is None

    def test_a_second_sealer_does_not_wait_for_the_first(self) -> None:
        audit.record("thing.done", actor=None)

        def in_the_middle() -> int:
            with transaction.atomic():
                connection.cursor().execute("SELECT pg_advisory_xact_lock(%s)", [sealing.LOCK])
                return at_once([seal_waiting])[0]

        assert in_the_middle() == 0
        assert seal_waiting() == 1

    def test_what_commits_late_is_sealed_later_and_not_left_out(self) -> None:
        late: list[int] = []

        def newer() -> int:
            audit.record("thing.second", actor=None)
            return seal_waiting()

        with transaction.atomic():
            late.append(audit.record("thing.first", actor=None).pk)
            assert at_once([newer]) == [1]
        assert seal_waiting() == 1
        first, second = AuditSeal.objects.order_by("number")
        assert second.event_id == late[0] < first.event_id
        assert verify_trail().broken is None


class TestTampering:
    def test_an_untouched_trail_holds(self, trail: list[AuditEvent]) -> None:
        audit.record("thing.done", actor=None)
        found = verdict()
        last = AuditSeal.objects.get(number=6)
        assert found == {"ok": True, "sealed": 6, "waiting": 1, "head": f"6:{last.digest}", "broken": None}

    def test_an_empty_trail_holds(self, db: None) -> None:
        assert verdict() == {"ok": True, "sealed": 0, "waiting": 0, "head": f"0:{GENESIS}", "broken": None}

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("actor_name", "somebody"),
            ("action", "thing.else"),
            ("after", '{"n": 4}'),
            ("before", "1"),
            ("object_id", "9"),
            ("created_at", "2026-01-01"),
            ("once", "x"),
        ],
    )
    def test_a_changed_event_is_named(self, trail: list[AuditEvent], column: str, value: str) -> None:
        with past_the_triggers():
            connection.cursor().execute(
                f"UPDATE curation_auditevent SET {column} = %s WHERE id = %s", [value, trail[2].pk]
            )
        found = verdict()
        assert found["sealed"] == 2
        assert (found["broken"]["kind"], found["broken"]["event"]) == ("changed_event", trail[2].pk)
        assert f"event {trail[2].pk} was changed" in found["broken"]["detail"]

    def test_the_last_event_is_no_exception(self, trail: list[AuditEvent]) -> None:
        with past_the_triggers():
            AuditEvent.objects.filter(pk=trail[-1].pk).update(action="thing.else")
        assert (verdict()["broken"]["kind"], verdict()["broken"]["event"]) == ("changed", trail[-1].pk)

    def test_a_deleted_event_is_named(self, trail: list[AuditEvent]) -> None:
        with past_the_triggers():
            AuditEvent.objects.filter(pk=trail[3].pk).delete()
        broken = verdict()["broken"]
        assert (broken["kind"], broken["event"], broken["seal"]) == ("missing_event", trail[3].pk, 4)

    def test_an_event_deleted_before_its_seal_is_named(self, trail: list[AuditEvent]) -> None:
        event = audit.record("thing.done", actor=None)
        with past_the_triggers():
            AuditEvent.objects.filter(pk=event.pk).delete()
        assert (verdict()["broken"]["kind"], verdict()["broken"]["event"]) == ("missing_event", event.pk)
        audit.record("thing.done", actor=None)
        assert seal_waiting() == 1  # and what comes after is sealed all the same

    def test_a_deleted_event_and_seal_are_named(self, trail: list[AuditEvent]) -> None:
        with past_the_triggers():
            AuditEvent.objects.filter(pk=trail[3].pk).delete()
            AuditSeal.objects.filter(number=4).delete()
        assert (verdict()["broken"]["kind"], verdict()["broken"]["seal"]) == ("missing_seal", 4)

    def test_an_event_put_in_the_middle_past_the_triggers_is_named(self, trail: list[AuditEvent]) -> None:
        with past_the_triggers():
            AuditEvent.objects.filter(pk=trail[3].pk).update(id=trail[-1].pk + 100)
            AuditEvent.objects.bulk_create([AuditEvent(pk=trail[3].pk, action="thing.forged")])
        broken = verdict()["broken"]
        assert (broken["kind"], broken["event"]) == ("changed_event", trail[3].pk)
        assert seal_waiting() == 0  # what no trigger noted is never sealed by itself

    def test_an_event_in_a_free_place_past_the_triggers_is_named(self, trail: list[AuditEvent]) -> None:
        with past_the_triggers():
            AuditEvent.objects.bulk_create([AuditEvent(pk=trail[0].pk - 1, action="thing.forged")])
        assert (verdict()["broken"]["kind"], verdict()["broken"]["event"]) == ("inserted", trail[0].pk - 1)

    @pytest.mark.parametrize("place", ["before all", "behind all"])
    def test_an_event_that_claims_an_earlier_time_is_named(self, trail: list[AuditEvent], place: str) -> None:
        forged = trail[0].pk - 1 if place == "before all" else trail[-1].pk + 1
        AuditEvent.objects.bulk_create([AuditEvent(pk=forged, action="thing.forged")])  # and its trigger fires
        with past_the_triggers():
            AuditEvent.objects.filter(pk=forged).update(created_at=timezone.now() - dt.timedelta(days=9))
        seal_waiting()
        broken = verdict()["broken"]
        assert (broken["kind"], broken["event"], broken["seal"]) == ("inserted", forged, 7)

    @pytest.mark.parametrize("change", [{"digest": "ab" * 32}, {"sealed_at": "2026-01-01T00:00Z"}])
    def test_a_changed_seal_is_named(self, trail: list[AuditEvent], change: dict[str, str]) -> None:
        with past_the_triggers():
            AuditSeal.objects.filter(number=3).update(**change)
        broken = verdict()["broken"]
        assert broken["seal"] == 3
        assert broken["kind"] == ("changed_seal" if "digest" in change else "changed_event")
        assert str(trail[2].pk) in broken["detail"]

    def test_swapped_places_are_named(self, trail: list[AuditEvent]) -> None:
        second, third = AuditSeal.objects.filter(number__in=[2, 3]).order_by("number")
        with past_the_triggers():
            AuditSeal.objects.filter(number=2).update(event_id=-1)
            AuditSeal.objects.filter(number=3).update(event_id=second.event_id)
            AuditSeal.objects.filter(number=2).update(event_id=third.event_id)
        broken = verdict()["broken"]
        assert (broken["seal"], broken["event"]) == (2, third.event_id)
        assert "changed" in broken["kind"]

    def test_a_chain_written_anew_differs_from_its_anchor(self, trail: list[AuditEvent]) -> None:
        head = verdict()["head"]
        with past_the_triggers():
            AuditEvent.objects.filter(pk=trail[1].pk).update(action="thing.else")
            AuditSeal.objects.all().delete()
            events = list(AuditEvent.objects.order_by("pk"))
            AuditSeal.objects.bulk_create(chained(events, after=None, sealed_at=timezone.now()))
        assert verdict()["ok"]
        assert verdict("--anchor", head)["broken"]["kind"] == "rewritten"

    def test_a_cut_chain_is_shorter_than_its_anchor(self, trail: list[AuditEvent]) -> None:
        head = verdict()["head"]
        assert verdict("--anchor", head)["ok"]
        with past_the_triggers():
            AuditSeal.objects.filter(number=6).delete()
            AuditEvent.objects.filter(pk=trail[-1].pk).delete()
        assert verdict()["ok"]
        assert verdict("--anchor", head)["broken"]["kind"] == "missing_seal"

    @pytest.mark.parametrize("anchor", ["7", "7:xyz", ":" + "a" * 64, "²:" + "a" * 64, "9" * 30 + ":" + "a" * 64])
    def test_an_anchor_that_is_none_is_a_wrong_usage(self, db: None, anchor: str) -> None:
        with pytest.raises(CommandError, match="NUMBER:DIGEST") as refused:
            call_command("verify_audit", "--anchor", anchor)
        assert refused.value.returncode == 2

    def test_a_walk_over_pages_holds(self, trail: list[AuditEvent], monkeypatch: Any) -> None:
        monkeypatch.setattr("curation.verifying_audit.PAGE", 2)
        assert (verify_trail().sealed, verify_trail().broken) == (6, None)

    def test_a_person_reads_what_waits(self, trail: list[AuditEvent], capsys: Any) -> None:
        audit.record("thing.done", actor=None)
        call_command("verify_audit")
        told = capsys.readouterr().out
        assert "6 events are sealed and unbroken" in told
        assert "1 not sealed yet" in told


class TestLooks:
    def test_one_row_for_each_person_case_and_hour(self, reviewer: User, curator: User, case: Case) -> None:
        for _ in range(3):
            audit.look(user=reviewer, case=case)
        audit.look(user=curator, case=case)
        rows = AuditEvent.objects.filter(action="case.looked").order_by("pk")
        assert [row.actor_name for row in rows] == ["vera", "carl"]
        assert rows[0].object_id == str(case.pk)

    def test_the_next_hour_is_another_row(self, reviewer: User, case: Case, monkeypatch: Any) -> None:
        audit.look(user=reviewer, case=case)
        later = timezone.now() + dt.timedelta(hours=1)
        monkeypatch.setattr("curation.audit.timezone.now", lambda: later)
        audit.look(user=reviewer, case=case)
        assert AuditEvent.objects.filter(action="case.looked").count() == 2

    @pytest.mark.django_db(transaction=True)
    def test_a_look_that_is_known_costs_nothing(self, case: Case, django_assert_num_queries: Any) -> None:
        vera = make_user("vera")
        with django_assert_num_queries(3):  # BEGIN, INSERT, COMMIT
            audit.look(user=vera, case=case)
        with django_assert_num_queries(0):
            audit.look(user=vera, case=case)

    @pytest.mark.parametrize("name", ["case-page", "case", "case-scores"])
    def test_staff_are_noted_where_they_look(self, client: Client, reviewer: User, case: Case, name: str) -> None:
        client.force_login(reviewer)
        for _ in range(2):
            assert client.get(reverse(name, args=[case.pk])).status_code == 200
        noted = AuditEvent.objects.get(action="case.looked")
        assert (noted.actor_name, noted.object_id, noted.benchmark_id) == ("vera", str(case.pk), case.benchmark_id)

    @pytest.mark.parametrize("name", ["case-page", "case", "case-scores"])
    def test_blind_readers_have_nothing_to_look_at(self, client: Client, reader: User, case: Case, name: str) -> None:
        client.force_login(reader)
        assert client.get(reverse(name, args=[case.pk])).status_code == 200
        assert not AuditEvent.objects.filter(action="case.looked").exists()
