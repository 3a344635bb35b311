"""Bodies and arguments that were written to break the server: each is refused by a problem, and none is a 500."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from curation.formats.sightline import MOST_LEVELS, FaultyRecord, load_json
from curation.formats.sources import Rejection
from curation.models import Benchmark, Case, Role, User
from curation.paging import encode_cursor
from curation.strict_json import MOST_BYTES
from tests.curation.sources import record
from tests.factories import make_case, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client as DjangoClient
    from rest_framework.test import APIClient

    Client = Callable[[User | None], APIClient]

BASE = "/api/v1/"
BULK = f"{BASE}benchmarks/thorax/cases/bulk/"
LONE = "\ud800"


@pytest.fixture
def sha(benchmark: Benchmark) -> str:
    """An image that the benchmark holds."""
    case = make_case(benchmark, "holds-it")
    return str(case.images.get().asset_id)


def post(client: APIClient, address: str, body: str, kind: str = "application/json") -> Any:
    return client.generic("POST", address, body, content_type=kind)


class TestObjects:
    @pytest.mark.parametrize(
        "body", ["[" * 100_000, '{"slug":' * 100_000, '{"slug":NaN}', '{"slug":1,"slug":2}', "nonsense"]
    )
    @pytest.mark.parametrize("address", ["benchmarks/", "enrolments/"])
    def test_unreadable_json_is_a_400(self, api: Client, db: None, address: str, body: str) -> None:
        everywhere = make_user("ada", Role.ADMIN)
        answer = post(api(everywhere), BASE + address, body)
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/unreadable")

    def test_no_more_is_read_than_is_taken(self, api: Client, db: None) -> None:
        everywhere = make_user("ada", Role.ADMIN)
        answer = post(api(everywhere), f"{BASE}benchmarks/", json.dumps({"title": "x" * MOST_BYTES}))
        assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
        assert str(MOST_BYTES) in answer.json()["detail"]

    def test_a_flood_of_form_fields_is_a_problem_too(self, api: Client, curator: User) -> None:
        fields: dict[str, Any] = {f"field{number}": "x" for number in range(1100)}
        answer = api(curator).post(f"{BASE}images/", {**fields, "file": SimpleUploadedFile("a.png", b"x")})
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


class TestArguments:
    @pytest.mark.parametrize(
        "address",
        ["enrolments/?benchmark=%00", "runs/?benchmark=%00", "runs/?kind=%00", "benchmarks/thorax/cases/?key=%00"],
    )
    def test_nul(self, api: Client, engineer: User, address: str) -> None:
        answer = api(engineer).get(BASE + address)
        assert answer.status_code == 400
        assert "NUL" in answer.json()["detail"]

    @pytest.mark.parametrize("address", ["benchmarks/", "models/", "runs/", "enrolments/"])
    def test_half_a_surrogate_pair_in_a_cursor(self, api: Client, engineer: User, address: str) -> None:
        answer = api(engineer).get(f"{BASE}{address}?cursor={encode_cursor(LONE)}")
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "cursor")

    def test_a_page_after_a_number_that_python_does_not_read(self, client: DjangoClient, engineer: User) -> None:
        client.force_login(engineer)
        assert client.get(f"/benchmarks/thorax/?after={'9' * 5000}").status_code == 200


class TestRecords:
    @pytest.mark.parametrize(
        "change",
        [{"id": LONE}, {LONE: 1}, {"options": {LONE: "x"}}, {"images": [{LONE: 1}]}, {"extra": {LONE: 1}}],
    )
    def test_what_cannot_be_written_rejects_its_row_and_no_other(
        self, api: Client, curator: User, sha: str, change: dict[str, Any]
    ) -> None:
        good = record("good", {"sha256": sha})
        body = json.dumps([{**record("bad", {"sha256": sha}), **change}, good])
        answer = post(api(curator), BULK, body)
        assert answer.status_code == 200
        assert (answer.json()["created"], [row["index"] for row in answer.json()["rejected"]]) == (1, [0])
        assert Case.objects.filter(key="good").exists()

    def test_a_line_with_a_key_twice(self, api: Client, curator: User) -> None:
        answer = post(api(curator), BULK, '{"\\ud800":1,"\\ud800":2}', "application/x-ndjson")
        assert answer.json()["rejected"][0]["reason"].startswith("is not JSON: a key stands twice among \\ud800")

    @pytest.mark.parametrize("field", ["extra", "answer"])
    def test_nesting_is_bounded(self, api: Client, curator: User, sha: str, field: str) -> None:
        def nested(levels: int) -> Any:
            value: Any = 1
            for _ in range(levels):
                value = {"in": [value]}
            return value

        rows = [
            record("shallow", {"sha256": sha}, **{field: nested(MOST_LEVELS // 2)}),
            record("deep", {"sha256": sha}, **{field: nested(200)}),
        ]
        answer = post(api(curator), BULK, json.dumps(rows))
        assert answer.json()["created"] == 1
        [rejected] = answer.json()["rejected"]
        assert (rejected["id"], rejected["reason"]) == ("deep", f"is nested deeper than {MOST_LEVELS} levels")


def test_a_rejection_can_always_be_written() -> None:
    rejected = Rejection(0, f"id{LONE}", f"field{LONE}", "name\udcff.png")
    assert (rejected.id, rejected.field, rejected.reason) == ("id\\ud800", "field\\ud800", "name\\udcff.png")


def test_a_fault_of_json_can_always_be_written() -> None:
    with pytest.raises(FaultyRecord) as caught:
        load_json(b'{"\\ud800":1,"\\ud800":2}')
    caught.value.reason.encode("utf-8")
