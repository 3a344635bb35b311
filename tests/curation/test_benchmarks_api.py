from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from curation import facts
from curation.models import AuditEvent, Benchmark, Case, CaseFacts, ImageUpload, Membership, Role, User
from curation.paging import encode_cursor
from tests.curation.sources import record
from tests.factories import make_asset, make_case, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

    Client = Callable[[User | None], APIClient]

BASE = "/api/v1/benchmarks/"


@pytest.fixture
def global_curator(db: None) -> User:
    """Cora curates everywhere."""
    return make_user("cora", Role.CURATOR)


def statuses(api: Client, method: str, address: str, body: Any, *users: User | None) -> list[int]:
    return [getattr(api(user), method)(address, body, format="json").status_code for user in users]


class TestBenchmarks:
    def test_each_sees_their_own(self, api: Client, benchmark: Benchmark, reader: User, outsider: User) -> None:
        assert [row["slug"] for row in api(reader).get(BASE).json()["results"]] == ["thorax"]
        assert [row["slug"] for row in api(outsider).get(BASE).json()["results"]] == ["elsewhere"]
        assert api(reader).get(f"{BASE}thorax/").json()["roles"] == ["reader"]
        assert api(outsider).get(f"{BASE}thorax/").status_code == 404
        assert api(None).get(BASE).status_code in {401, 403}

    def test_created_by_curators_of_everything(self, api: Client, curator: User, global_curator: User) -> None:
        body = {"slug": "new", "protocol": "care", "title": "New", "overlap": 3}
        assert statuses(api, "post", BASE, body, curator, global_curator) == [403, 201]
        made = Benchmark.objects.get(slug="new")
        assert (made.overlap, made.protocol.kind, made.protocol.config["overlap"]) == (3, "care", 3)

    @pytest.mark.parametrize(
        ("change", "path"),
        [
            ({"slug": "no spaces"}, "slug"),
            ({"slug": "thorax"}, "slug"),
            ({"protocol": "excel"}, "protocol"),
            ({"overlap": 0}, "overlap"),
            ({"config": {"labels": [{"id": "x", "colour": "red"}]}}, "config.labels[0].colour"),
            ({"config": [1]}, "config"),
            ({"owner": 1}, "owner"),
        ],
    )
    def test_wrong_bodies(
        self, api: Client, benchmark: Benchmark, global_curator: User, change: dict[str, Any], path: str
    ) -> None:
        answer = api(global_curator).post(BASE, {"slug": "new", "protocol": "free", **change}, format="json")
        assert answer.status_code == 400
        assert path in [error["path"] for error in answer.json()["errors"]]
        assert Benchmark.objects.count() == 1

    def test_changed_by_its_curators(
        self, api: Client, benchmark: Benchmark, reader: User, engineer: User, curator: User, outsider: User
    ) -> None:
        body = {"title": "Chest", "is_paused": True, "overlap": 4}
        found = statuses(api, "patch", f"{BASE}thorax/", body, reader, engineer, outsider, curator)
        assert found == [403, 403, 404, 200]
        benchmark.refresh_from_db()
        assert (benchmark.title, benchmark.is_paused, benchmark.overlap) == ("Chest", True, 4)
        assert (benchmark.protocol.version, benchmark.protocol.config["overlap"]) == (2, 4)
        assert AuditEvent.objects.get(action="benchmark.changed").after == {"title": "Chest", "is_paused": True}
        assert api(curator).patch(f"{BASE}thorax/", {"slug": "x"}, format="json").status_code == 400


class TestProtocol:
    def test_put_back_what_was_got_is_no_new_version(self, api: Client, benchmark: Benchmark, curator: User) -> None:
        address = f"{BASE}thorax/protocol/"
        first = api(curator).put(address, {"labels": [{"id": "nodule"}], "overlap": 2}, format="json").json()
        assert first["version"] == 2
        got = api(curator).get(address).json()
        assert got == first
        assert api(curator).put(address, got, format="json").json() == first
        benchmark.refresh_from_db()
        assert benchmark.overlap == 2

    def test_who_may(
        self, api: Client, benchmark: Benchmark, reader: User, engineer: User, outsider: User, curator: User
    ) -> None:
        address = f"{BASE}thorax/protocol/"
        assert statuses(api, "get", address, None, reader, engineer, curator, outsider) == [200, 200, 200, 404]
        body: dict[str, Any] = {"required": []}
        assert statuses(api, "put", address, body, reader, engineer, outsider, curator) == [403, 403, 404, 200]

    def test_a_fault_has_its_path_and_changes_nothing(self, api: Client, benchmark: Benchmark, curator: User) -> None:
        answer = api(curator).put(f"{BASE}thorax/protocol/", {"labels": [{"id": "a"}, {"id": "a"}]}, format="json")
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "labels[1].id")
        assert benchmark.protocol.version == 1

    @pytest.mark.parametrize("body", [{}, {"version": 1, "digest": "0" * 64}])
    def test_a_body_that_says_nothing_resets_nothing(
        self, api: Client, benchmark: Benchmark, curator: User, body: dict[str, Any]
    ) -> None:
        before = benchmark.protocol.config
        answer = api(curator).put(f"{BASE}thorax/protocol/", body, format="json")
        assert answer.status_code == 400
        assert "kind, labels, step_kinds, required" in answer.json()["detail"]
        assert (benchmark.protocol.version, benchmark.protocol.config) == (1, before)

    def test_a_kind_alone_asks_for_its_defaults(self, api: Client, benchmark: Benchmark, curator: User) -> None:
        told = api(curator).put(f"{BASE}thorax/protocol/", {"kind": "care"}, format="json").json()
        assert (told["kind"], told["version"]) == ("care", 2)
        assert told["labels"]


class TestCaseList:
    def test_pages_follow_one_another(self, api: Client, benchmark: Benchmark, engineer: User) -> None:
        for number in range(7):
            make_case(benchmark, f"c{number}")
        found, address = [], f"{BASE}thorax/cases/?limit=3"
        page = api(engineer).get(address).json()
        while True:
            found.append([row["key"] for row in page["results"]])
            if page["next"] is None:
                break
            page = api(engineer).get(f"{address}&cursor={page['next']}").json()
        assert found == [["c0", "c1", "c2"], ["c3", "c4", "c5"], ["c6"]]

    @pytest.mark.parametrize(
        "query",
        [
            "order=key", "limit=0", "limit=1000", "limit=x", "cursor=!!", f"cursor={encode_cursor('text')}",
            f"cursor={encode_cursor(10**30)}", "status=odd", "min_disagreement=2", "min_disagreement=nan",
            "split=a&split=b", "benchmark__slug=x", "split=%00",
        ],
    )  # fmt: skip
    def test_unknown_arguments_are_refused(self, api: Client, benchmark: Benchmark, engineer: User, query: str) -> None:
        assert api(engineer).get(f"{BASE}thorax/cases/?{query}").status_code == 400

    def test_filters(self, api: Client, benchmark: Benchmark, engineer: User, reader: User) -> None:
        for number in range(3):
            made = make_case(benchmark, f"c{number}", split=f"s{number % 2}")
            read = {"readings_submitted": number, "disagreement": number / 4}
            CaseFacts.objects.filter(case=made).update(**read)
        benchmark.overlap = 2
        benchmark.save()
        CaseFacts.objects.get(case__key="c1").case.images.update(modality="CT")

        def keys(query: str) -> list[str]:
            return [row["key"] for row in api(engineer).get(f"{BASE}thorax/cases/?{query}").json()["results"]]

        assert keys("split=s0") == ["c0", "c2"]
        assert (keys("status=unread"), keys("status=partial"), keys("status=done")) == (["c0"], ["c1"], ["c2"])
        Case.objects.filter(key="c1").update(overlap=1)  # its own counts before the benchmark's
        assert (keys("status=partial"), keys("status=done")) == ([], ["c1", "c2"])
        assert keys("min_disagreement=0.3") == ["c2"]
        assert keys("modality=CT") == ["c1"]
        assert keys("key=c2") == ["c2"]
        assert api(reader).get(f"{BASE}thorax/cases/?min_disagreement=0.3").status_code == 403

    def test_queries_do_not_grow(self, api: Client, benchmark: Benchmark, engineer: User, reader: User) -> None:
        def asked(user: User, address: str) -> int:
            client = api(user)
            client.get(address)  # the user's roles are known after it
            with CaptureQueriesContext(connection) as queries:
                assert client.get(address).status_code == 200
            return len(queries)

        first = make_case(benchmark, images=1)
        addresses = (f"{BASE}thorax/cases/", f"/api/v1/cases/{first.pk}/")
        before = [asked(user, address) for user in (engineer, reader) for address in addresses]
        for number in range(12):
            more = make_case(benchmark, f"c{number}", images=2)
            more.golds.create(revision=1, answer="A")
        first.golds.create(revision=1, answer="A")
        assert [asked(user, address) for user in (engineer, reader) for address in addresses] == before
        # Benchmark and page, or the case alone; its rows, images and, unless blind, gold and the look that is audited.
        assert before == [6, 5, 4, 3]

    def test_outsiders(self, api: Client, case: Case, outsider: User) -> None:
        assert statuses(api, "get", f"{BASE}thorax/cases/", None, outsider, None) in ([404, 401], [404, 403])


HIDDEN = {"answer", "gold", "extra", "patient", "source", "licence", "attribution", "facts"}


class TestCase:
    @pytest.fixture
    def told(self, benchmark: Benchmark) -> Case:
        """A case with something to hide in every place."""
        made = make_case(benchmark, "c1", answer="SECRET", extra={"d": "SECRET"}, source="SECRET", attribution="SECRET")
        made.images.update(caption="SECRET")
        made.golds.create(revision=1, answer="SECRET")
        facts.record([made.pk])
        return made

    def test_who_reads_there_sees_no_more_than_blind(
        self, api: Client, told: Case, reader: User, curator: User
    ) -> None:
        Membership.objects.create(user=curator, benchmark=told.benchmark, role=Role.READER)  # both at once
        for user in (reader, curator):
            for address in (f"/api/v1/cases/{told.pk}/", f"{BASE}thorax/cases/"):
                answer = api(user).get(address)
                assert answer.status_code == 200
                assert b"SECRET" not in answer.content
        body = api(reader).get(f"/api/v1/cases/{told.pk}/").json()
        assert not HIDDEN & set(body)
        assert body["question"]
        assert body["options"]
        assert body["images"][0]["sha256"]

    def test_staff_see_all_of_it(self, api: Client, told: Case, reviewer: User, engineer: User, admin: User) -> None:
        for user in (reviewer, engineer, admin):
            body = api(user).get(f"/api/v1/cases/{told.pk}/").json()
            assert set(body) > HIDDEN
            assert body["gold"]["answer"] == body["answer"] == body["images"][0]["caption"] == "SECRET"
            assert body["facts"]["readings_submitted"] == 0

    def test_outsiders_cannot_tell_that_it_is_there(self, api: Client, told: Case, outsider: User) -> None:
        refused = api(outsider).get(f"/api/v1/cases/{told.pk}/")
        absent = api(outsider).get("/api/v1/cases/00000000-0000-4000-8000-000000000000/")
        assert refused.status_code == absent.status_code == 404
        assert refused.json() == absent.json()


class TestBulk:
    ADDRESS = f"{BASE}thorax/cases/bulk/"

    @pytest.fixture
    def sha256(self, curator: User) -> str:
        """An image that the curator uploaded."""
        asset = make_asset(seed=5)
        ImageUpload.objects.create(asset=asset, user=curator)
        return asset.sha256

    def test_a_list_and_lines(self, api: Client, curator: User, sha256: str) -> None:
        rows = [record(f"c{number}", {"sha256": sha256}) for number in range(3)]
        assert api(curator).post(self.ADDRESS, rows, format="json").json() == {
            "created": 3, "updated": 0, "unchanged": 0, "rejected": [],
        }  # fmt: skip
        lines = "\n".join(json.dumps(row) for row in [*rows, record("c9", {"sha256": sha256})]) + "\n{broken\n"
        report = api(curator).post(self.ADDRESS, lines, content_type="application/x-ndjson").json()
        assert (report["created"], report["unchanged"]) == (1, 3)
        assert [(row["index"], row["field"]) for row in report["rejected"]] == [(4, "")]

    def test_unknown_images_and_paths(self, api: Client, curator: User, sha256: str) -> None:
        foreign = make_asset(seed=77).sha256
        rows = [record(key, {"sha256": name}) for key, name in (("a", foreign), ("b", "e" * 64), ("c", sha256))]
        report = api(curator).post(self.ADDRESS, [*rows, record("d", "/etc/passwd")], format="json").json()
        assert report["created"] == 1
        assert report["rejected"][0]["reason"] == report["rejected"][1]["reason"]
        assert [row["id"] for row in report["rejected"]] == ["a", "b", "d"]

    def test_update_and_dry_run(self, api: Client, curator: User, sha256: str) -> None:
        rows = [record("c", {"sha256": sha256})]
        assert api(curator).post(f"{self.ADDRESS}?dry_run=1", rows, format="json").json()["created"] == 1
        assert not Case.objects.exists()
        api(curator).post(f"{self.ADDRESS}?split=test", rows, format="json")
        changed = [record("c", {"sha256": sha256}, history="new")]
        assert api(curator).post(f"{self.ADDRESS}?split=test", changed, format="json").json()["rejected"]
        assert api(curator).post(f"{self.ADDRESS}?split=test&update=1", changed, format="json").json()["updated"] == 1
        assert Case.objects.get().version == 2

    def test_who_may(
        self,
        api: Client,
        benchmark: Benchmark,
        reader: User,
        reviewer: User,
        engineer: User,
        outsider: User,
        admin: User,
    ) -> None:
        found = statuses(api, "post", self.ADDRESS, [], reader, reviewer, engineer, outsider, admin)
        assert found == [403, 403, 403, 404, 200]

    @pytest.mark.parametrize("body", [b"{}", b"nonsense", b"[NaN]", b"[" * 100_000])
    def test_bodies_that_are_no_list(self, api: Client, curator: User, body: bytes) -> None:
        answer = api(curator).post(self.ADDRESS, body, content_type="application/json")
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")

    def test_a_body_beyond_the_limit(self, api: Client, curator: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("curation.api.bodies.MOST_BULK_BYTES", 10)
        assert (
            api(curator).post(self.ADDRESS, b"[" + b" " * 20 + b"]", content_type="application/json").status_code == 413
        )

    @pytest.mark.parametrize(
        ("kind", "body", "status"),
        [
            ("application/json", b"[1,2,3]", 200),
            ("application/json", b"[1,2,3,4]", 413),
            ("application/x-ndjson", b"1\n\n2\r\n3\n\n", 200),
            ("application/x-ndjson", b"1\n2\n3\n4", 413),
            ("application/jsonl", b"\n" * 40, 413),
        ],
    )
    def test_more_records_than_the_limit(
        self, api: Client, curator: User, monkeypatch: pytest.MonkeyPatch, kind: str, body: bytes, status: int
    ) -> None:
        monkeypatch.setattr("curation.api.bodies.MOST_BULK_RECORDS", 3)
        answer = api(curator).post(self.ADDRESS, body, content_type=kind)
        assert answer.status_code == status
        if status == 413:
            assert "at most 3 records" in answer.json()["detail"]
        else:
            assert len(answer.json()["rejected"]) == 3
