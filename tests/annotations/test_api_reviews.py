"""Reviewing over HTTP: who may, what is answered, and that nothing hostile is more than a 400."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections, transaction
from django.urls import reverse
from rest_framework.test import APIClient

from annotations.assigning import lock_case
from annotations.models import Reading, Review
from curation.models import AuditEvent, Benchmark, Case, Gold, Membership, Role, User
from tests.annotations.contents import content, roi
from tests.annotations.submitted import submitted
from tests.annotations.together import PATIENCE_S, until_waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries

    Api = Callable[[User | None], APIClient]


@pytest.fixture
def first(case: Case, reader: User) -> Reading:
    return submitted(case, reader, content())


@pytest.fixture
def second(case: Case, other_reader: User) -> Reading:
    return submitted(case, other_reader, content(answer={"choice": "A"}))


def post(client: APIClient, case: Case, body: Any = None) -> Any:
    return client.post(reverse("case-review", args=[case.pk]), body, format="json")


def act(client: APIClient, name: str, review: Any, **body: Any) -> Any:
    return client.post(reverse(f"review-{name}", args=[review["case"], review["id"]]), body, format="json")


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def test_open_save_close_revert(case: Case, first: Reading, second: Reading, reviewer: User, api: Api) -> None:
    client = api(reviewer)
    opened = post(client, case)
    assert (opened.status_code, opened.json()["state"], opened.json()["is_mine"]) == (201, "open", True)
    assert post(client, case).status_code == 200
    said = {"action": "pick", "sources": [{"reading": str(first.pk)}], "reason": "Clear."}
    saved = post(client, case, {**said, "version": 0}).json()
    assert (saved["version"], saved["content"]["answer"]) == (1, {"choice": "B"})
    stale = post(client, case, {**said, "reason": "Other.", "version": 0})
    assert problem(stale) == (409, "stale-draft")
    assert (stale.json()["yours"]["reason"], stale.json()["theirs"]["reason"]) == ("Other.", "Clear.")
    closed = post(client, case, {"version": 1, "close": True}).json()
    assert (closed["state"], closed["gold_revision"], closed["can_revert"]) == ("closed", 1, True)
    told = client.get(reverse("case-scores", args=[case.pk])).json()["gold"]
    assert (told["revision"], told["answer"]) == (1, {"choice": "B"})
    reverted = act(client, "revert", closed, reason="Wrong side.").json()
    assert (reverted["state"], reverted["revert_revision"]) == ("reverted", 2)
    history = client.get(reverse("case-review", args=[case.pk])).json()
    assert [row["state"] for row in history["results"]] == ["reverted"]
    assert [row["is_withdrawn"] for row in history["gold"]] == [True, False]
    assert client.get(reverse("case", args=[case.pk])).json()["gold"] is None
    assert client.get(reverse("case-scores", args=[case.pk])).json()["gold"] is None


def test_in_one_request(case: Case, first: Reading, second: Reading, reviewer: User, api: Api) -> None:
    body = {"action": "consensus", "reason": "They agree on where.", "close": True}
    done = post(api(reviewer), case, body)
    assert (done.status_code, done.json()["state"]) == (201, "closed")
    assert [source["reading"] for source in done.json()["sources"]] == [str(first.pk), str(second.pk)]
    assert Gold.objects.in_force().get(case=case).rois.get().shape == "mask"


@pytest.mark.parametrize("is_changed", [False, True])
def test_only_the_computed_consensus_is_kept_as_one(
    is_changed: bool, case: Case, first: Reading, second: Reading, reviewer: User, api: Api
) -> None:
    client = api(reviewer)
    computed = post(client, case, {"action": "consensus", "reason": "As computed."}).json()
    assert computed["action"] == "consensus"
    content = {**computed["content"], "rois": [{**roi, "id": str(uuid.uuid4())} for roi in computed["content"]["rois"]]}
    if is_changed:
        content["answer"] = None if content["answer"] else {"choice": "B"}
    named = [{**source, "rois": [], "steps": []} for source in computed["sources"]]
    body = {"action": "consensus", "content": content, "sources": named, "version": computed["version"]}
    assert post(client, case, body).json()["action"] == ("merge" if is_changed else "consensus")


def test_a_refused_close_opens_nothing_that_stays_unsaid(
    case: Case, first: Reading, second: Reading, reviewer: User, api: Api
) -> None:
    refused = post(api(reviewer), case, {"action": "edit", "reason": " ", "close": True})
    assert problem(refused) == (400, "invalid")
    assert {row["path"] for row in refused.json()["errors"]} == {"reason", "content"}
    assert Review.objects.get().version == 0
    again = post(api(reviewer), case, {"reason": "why"})
    assert (problem(again), again.json()["errors"][0]["path"]) == ((400, "invalid"), "version")


@pytest.mark.parametrize("is_opened_before", [True, False])
def test_a_close_sent_again_writes_no_second_gold(
    is_opened_before: bool, case: Case, first: Reading, second: Reading, reviewer: User, api: Api
) -> None:
    client = api(reviewer)
    body: dict[str, Any] = {
        "action": "pick",
        "sources": [{"reading": str(first.pk)}],
        "reason": "Clear.",
        "close": True,
    }
    if is_opened_before:
        body["version"] = post(client, case).json()["version"]
    done = post(client, case, body)
    again = post(client, case, body)
    assert (again.status_code, again.json()) == (200, done.json())
    assert (Review.objects.count(), Gold.objects.count()) == (1, 1)
    changed = post(client, case, {**body, "reason": "Still clear.", "version": 1})
    assert problem(changed) == (409, "review-over")
    assert Review.objects.count() == 1, "what was meant for a review that has ended opens no other"
    assert post(client, case, {**body, "reason": "Looked again.", "version": None}).status_code == 201


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_opened_before", [True, False])
def test_two_identical_closes_at_once_make_one_review(
    is_opened_before: bool, case: Case, first: Reading, second: Reading, reviewer: User
) -> None:
    body: dict[str, Any] = {
        "action": "pick",
        "sources": [{"reading": str(first.pk)}],
        "reason": "Clear.",
        "close": True,
    }

    def sent(body: dict[str, Any] | None = None) -> Any:
        client = APIClient()
        client.force_login(reviewer)
        try:
            return post(client, case, body)
        finally:
            connections.close_all()

    if is_opened_before:
        body["version"] = sent().json()["version"]

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            lock_case(case.pk)
            both = [pool.submit(sent, body) for _ in range(2)]
            until_waiting(2)  # neither has done anything yet
        answers = [one.result(timeout=PATIENCE_S) for one in both]
    assert sorted(answer.status_code for answer in answers) == [200, 200 if is_opened_before else 201]
    assert answers[0].json() == answers[1].json()
    assert (Review.objects.count(), Gold.objects.count()) == (1, 1)


def test_a_close_after_the_gold_was_undone_is_no_repetition(
    case: Case, first: Reading, second: Reading, reviewer: User, api: Api
) -> None:
    client = api(reviewer)
    body = {"action": "pick", "sources": [{"reading": str(first.pk)}], "reason": "Clear.", "close": True}
    done = post(client, case, body).json()
    act(client, "revert", done, reason="Wrong side.")
    assert post(client, case, body).json()["number"] == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"content": {"answer": {"choice": "A"}}},
        {"sources": []},
        {"sources": "both"},
        {"sources": "answer alone"},
    ],
)
def test_one_reading_as_it_is_must_be_one_reading_as_it_is(
    changed: dict[str, Any], case: Case, first: Reading, second: Reading, reviewer: User, api: Api
) -> None:
    named: dict[str, Any] = {
        "both": [{"reading": str(first.pk)}, {"reading": str(second.pk)}],
        "answer alone": [{"reading": str(first.pk), "rois": [], "steps": []}],
    }
    body = {"action": "pick", "sources": [{"reading": str(first.pk)}], "reason": "Clear.", "close": True, **changed}
    if isinstance(body["sources"], str):
        body["sources"] = named[body["sources"]]
    refused = post(api(reviewer), case, body)
    assert (refused.status_code, Gold.objects.count()) == (400, 0)
    assert {row["path"] for row in refused.json()["errors"]} <= {"action", "sources", "content"}


def test_the_second_reviewer_hears_who_and_since_when(
    case: Case, first: Reading, second: Reading, reviewer: User, curator: User, api: Api
) -> None:
    review = post(api(reviewer), case).json()
    taken = post(api(curator), case)
    assert problem(taken) == (409, "review-taken")
    assert (taken.json()["holder"], taken.json()["review"]) == ("vera", review["id"])
    assert taken.json()["since"] == review["held_since"]
    assert problem(act(api(curator), "discard", review, reason="mine")) == (409, "review-taken")
    handed = act(api(curator), "escalate", review, to="carl", reason="She is away.")
    assert (handed.status_code, handed.json()["is_mine"]) == (200, True)
    nobody = act(api(curator), "escalate", review, to="rosa", reason="hm")
    assert nobody.json()["errors"] == [{"path": "to", "detail": "'rosa' is nobody who may review this case"}]
    assert act(api(curator), "discard", review, reason="Later.").json()["state"] == "discarded"
    assert problem(act(api(curator), "discard", review, reason="Later.")) == (409, "review-over")


def test_who_must_read_it_blind_learns_nothing(
    case: Case, first: Reading, second: Reading, reviewer: User, benchmark: Benchmark, api: Api
) -> None:
    Membership.objects.create(user=reviewer, benchmark=benchmark, role=Role.READER)
    client = api(User.objects.get(pk=reviewer.pk))
    for name in ("case-consensus", "case-review", "case-comments"):
        answer = client.get(reverse(name, args=[case.pk]))
        assert answer.status_code == 403
        assert "Submit your own reading" in answer.json()["detail"]
        assert "ETag" not in answer.headers
    assert post(client, case).status_code == 403
    submitted(case, reviewer, content())
    assert post(client, case).status_code == 201


@pytest.mark.parametrize("who", ["reader", "engineer", "outsider"])
def test_who_may_not(
    who: str, case: Case, first: Reading, second: Reading, api: Api, request: pytest.FixtureRequest
) -> None:
    client = api(request.getfixturevalue(who))
    assert post(client, case).status_code == (404 if who == "outsider" else 403)
    seen = client.get(reverse("case-consensus", args=[case.pk])).status_code
    assert seen == {"reader": 403, "engineer": 200, "outsider": 404}[who]
    assert not Review.objects.exists()


def test_names_are_for_curators(case: Case, first: Reading, reviewer: User, curator: User, api: Api) -> None:
    address = reverse("case-consensus", args=[case.pk])
    assert api(reviewer).get(address).json()["readings"][0]["name"] is None
    assert api(curator).get(address).json()["readings"][0]["name"] == "rosa"
    assert AuditEvent.objects.filter(action="case.looked", actor=curator).count() == 1


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([], ""),
        ({"close": 1}, "close"),
        ({"version": "0"}, "version"),
        ({"version": -1}, "version"),
        ({"version": 10**30}, "version"),
        ({"what": 1}, "what"),
        ({"version": 0, "action": ["pick"]}, "action"),
        ({"version": 0, "reason": 7}, "reason"),
        ({"version": 0, "reason": "a\0"}, "reason"),
        ({"version": 0, "content": "x"}, "content"),
        ({"version": 0, "content": {"rois": [{"id": "x"}]}}, "content.rois[0].image"),
        (
            {"version": 0, "content": {"rois": [roi(geometry={"x0": 5, "y0": 0, "x1": 1, "y1": 4})]}},
            "content.rois[0].geometry",
        ),
        ({"version": 0, "content": {"entities": []}}, "content.entities"),
        ({"version": 0, "sources": {"reading": 1}}, "sources"),
        ({"version": 0, "sources": [7]}, "sources[0]"),
        ({"version": 0, "sources": [{"reading": {"a": 1}}]}, "sources[0].reading"),
    ],
)
def test_hostile_bodies(
    body: Any, path: str, case: Case, first: Reading, second: Reading, reviewer: User, api: Api
) -> None:
    client = api(reviewer)
    post(client, case)
    answer = post(client, case, body)
    assert answer.status_code == 400
    assert any(row["path"].startswith(path) for row in answer.json()["errors"])


def test_broken_text_and_numbers(case: Case, first: Reading, second: Reading, reviewer: User, api: Api) -> None:
    client, address = api(reviewer), reverse("case-review", args=[case.pk])
    for raw in (b"{", b'{"reason": "\\ud800", "version": 0}', b'{"version": 1e999}', b"\xff", b"[" * 500):
        answer = client.post(address, raw, content_type="application/json")
        assert answer.status_code == 400, raw


def test_a_review_of_another_case_is_not_found(
    case: Case, first: Reading, second: Reading, reviewer: User, api: Api
) -> None:
    review = post(api(reviewer), case).json()
    for changed in ({"id": str(uuid.uuid4())}, {"case": str(uuid.uuid4())}):
        assert act(api(reviewer), "revert", {**review, **changed}, reason="x").status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_the_history_costs_the_same_however_long(
    count: int,
    case: Case,
    first: Reading,
    second: Reading,
    curator: User,
    api: Api,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = api(curator)
    for number in range(count):
        said = {"action": "edit", "content": {"answer": {"choice": "A"}}, "reason": f"{number}", "close": True}
        assert post(client, case, said).status_code == 201
    client.get(reverse("case-review", args=[case.pk]))
    fresh = api(User.objects.get(pk=curator.pk))
    with django_assert_num_queries(6):
        told = fresh.get(reverse("case-review", args=[case.pk])).json()
    assert [row["can_revert"] for row in told["results"]] == [True] + [False] * (count - 1)
    assert "first" not in json.dumps(told)
