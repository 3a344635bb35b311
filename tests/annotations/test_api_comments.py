"""Comments: who sees which, whom they may name, and how threads are settled."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from annotations.models import Comment, Mention, Reading
from curation.models import AuditEvent, Benchmark, Case, Event, Membership, Role, User
from tests.annotations.contents import content
from tests.annotations.submitted import submitted
from tests.factories import make_case, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

    Api = Callable[[User | None], APIClient]


@pytest.fixture
def mine(case: Case, reader: User) -> Reading:
    return submitted(case, reader, content())


@pytest.fixture
def others(case: Case, other_reader: User) -> Reading:
    return submitted(case, other_reader, content())


def say(client: APIClient, case: Case, text: Any = "Why?", **body: Any) -> Any:
    return client.post(reverse("case-comments", args=[case.pk]), {"text": text, **body}, format="json")


def texts(client: APIClient, case: Case) -> list[str]:
    return [row["text"] for row in client.get(reverse("case-comments", args=[case.pk])).json()["results"]]


def settle(client: APIClient, act: str, comment: Any) -> Any:
    return client.post(reverse(f"comment-{act}", args=[comment["id"]]))


def mentions(client: APIClient, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(reverse("mentions") + query).json()["results"]
    return found


def test_a_thread_is_written_answered_resolved_and_taken_up_again(
    case: Case, mine: Reading, reviewer: User, curator: User, api: Api
) -> None:
    step = mine.draft["steps"][0]["id"]
    first = say(api(reviewer), case, "Left or right?", anchor="step", anchor_id=step, reading=str(mine.pk))
    assert first.status_code == 201
    assert (first.json()["revision"], first.json()["anchor_id"], first.json()["author"]["name"]) == (1, step, "vera")
    answer = say(api(curator), case, "Right.", parent=first.json()["id"]).json()
    assert (answer["anchor"], answer["anchor_id"], answer["parent"]) == ("step", step, first.json()["id"])
    assert texts(api(reviewer), case) == ["Left or right?", "Right."]
    resolved = settle(api(curator), "resolve", first.json()).json()
    assert resolved["resolved_by"]["username"] == "carl"
    assert settle(api(reviewer), "resolve", first.json()).json()["resolved_by"]["username"] == "carl"
    assert settle(api(reviewer), "reopen", first.json()).json()["resolved_at"] is None
    assert settle(api(reviewer), "resolve", answer).status_code == 404
    assert say(api(reviewer), case, "and?", parent=answer["id"]).status_code == 404
    actions = AuditEvent.objects.filter(object_type="comment").values_list("action", flat=True)
    assert sorted(actions) == ["comment.reopened", "comment.resolved", "comment.written", "comment.written"]
    assert Event.objects.filter(type="comment.changed", is_blinded=False, reader_id=None).count() == 0


def test_before_the_own_submit_there_is_nothing(
    case: Case, mine: Reading, other_reader: User, reviewer: User, api: Api
) -> None:
    said = say(api(reviewer), case).json()
    blind = api(other_reader)
    assert say(blind, case).status_code == 403
    assert blind.get(reverse("case-comments", args=[case.pk])).status_code == 403
    assert settle(blind, "resolve", said).status_code == 403
    assert mentions(blind) == []


def test_a_reader_sees_only_what_concerns_them(
    case: Case, mine: Reading, others: Reading, reader: User, other_reader: User, reviewer: User, api: Api
) -> None:
    staff, rosa, omar = api(reviewer), api(reader), api(other_reader)
    say(staff, case, "The others saw it.")
    about = say(staff, case, "About yours.", reading=str(mine.pk)).json()
    say(staff, case, "About his.", reading=str(others.pk))
    named = say(staff, case, "Look here, @rosa.").json()
    assert texts(rosa, case) == ["About yours.", "Look here, @rosa."]
    assert texts(omar, case) == ["About his."]
    assert say(rosa, case, "I meant the left.", parent=about["id"]).status_code == 201
    assert say(rosa, case, "Is the film turned?").status_code == 201
    assert texts(rosa, case) == ["About yours.", "Look here, @rosa.", "I meant the left.", "Is the film turned?"]
    assert texts(omar, case) == ["About his."]
    assert say(omar, case, "hm", parent=named["id"]).status_code == 404
    assert say(rosa, case, "His?", reading=str(others.pk)).status_code == 400
    heard = Event.objects.filter(type="comment.changed", reader_id=reader.pk)
    assert {row.payload["comment"] for row in heard} >= {about["id"], named["id"]}
    assert Event.objects.filter(type="comment.changed", reader_id=other_reader.pk).count() == 1


@pytest.mark.parametrize("name", ["otto", "nobody", "R9"])
def test_whoever_is_no_member_cannot_be_named(
    name: str, case: Case, mine: Reading, other_reader: User, outsider: User, reviewer: User, api: Api
) -> None:
    refused = say(api(reviewer), case, f"What says @{name}?")
    assert refused.status_code == 400
    assert refused.json()["errors"] == [{"path": "text", "detail": f"@{name} is nobody of this benchmark"}]
    assert not Comment.objects.exists()


@pytest.mark.parametrize("has_read", [False, True])
def test_that_a_name_is_taken_does_not_tell_who_has_read(
    has_read: bool, case: Case, mine: Reading, reader: User, other_reader: User, reviewer: User, api: Api
) -> None:
    """Whoever asks by naming a colleague gets the same answer, and so does every other reader in the thread."""
    if has_read:
        submitted(case, other_reader, content())
    answer = say(api(reader), case, "What says @omar?")
    assert answer.status_code == 201
    told = {**answer.json(), "id": "", "created_at": ""}
    assert told["mentions"] == [{"id": None, "username": "omar", "name": "omar"}]
    assert told["text"] == "What says @omar?"
    third = make_user("tess", Role.READER, case.benchmark)
    submitted(case, third, content())
    say(api(reviewer), case, "And @tess?", parent=answer.json()["id"])
    seen = api(third).get(reverse("case-comments", args=[case.pk])).json()["results"][0]
    somebody = {"id": None, "username": "a reader", "name": "a reader"}
    assert (seen["text"], seen["mentions"]) == ("What says @reader?", [somebody])


def test_who_is_named_hears_of_it_once_they_have_read(
    case: Case, mine: Reading, other_reader: User, reviewer: User, api: Api
) -> None:
    said = say(api(reviewer), case, "What says @omar?").json()
    assert mentions(api(other_reader)) == []
    assert not Event.objects.filter(reader_id=other_reader.pk).exists()
    submitted(case, other_reader, content())
    omar = api(User.objects.get(pk=other_reader.pk))
    assert [row["comment"] for row in mentions(omar)] == [said["id"]]
    assert texts(omar, case) == ["What says @omar?"]
    say(api(reviewer), case, "And this, @omar?")
    assert Event.objects.filter(type="mention.changed", reader_id=other_reader.pk).count() == 1


def test_names_end_where_the_sentence_does(case: Case, mine: Reading, reviewer: User, curator: User, api: Api) -> None:
    assert say(api(reviewer), case, "Ask @carl. Or @carl, or (@carl)?").status_code == 201
    assert Mention.objects.get().user == curator
    assert say(api(reviewer), case, "Mail me at vera@clinic.example").status_code == 201
    assert Mention.objects.count() == 1


def test_mentions_are_seen_once(case: Case, mine: Reading, reviewer: User, curator: User, api: Api) -> None:
    said = say(api(reviewer), case, "@carl please").json()
    (row,) = mentions(api(curator))
    assert (row["comment"], row["key"], row["text"], row["seen_at"]) == (said["id"], "case1", "@carl please", None)
    seen = api(curator).post(reverse("comment-seen", args=[said["id"]])).json()["seen_at"]
    assert api(curator).post(reverse("comment-seen", args=[said["id"]])).json()["seen_at"] == seen
    assert mentions(api(curator), "?unseen=true") == []
    assert len(mentions(api(curator))) == 1
    assert api(reviewer).post(reverse("comment-seen", args=[said["id"]])).status_code == 404
    assert api(curator).get(reverse("mentions") + "?unseen=maybe").status_code == 400


def test_who_turns_reader_no_longer_gets_what_names_them(
    case: Case, mine: Reading, reviewer: User, curator: User, benchmark: Benchmark, api: Api
) -> None:
    said = say(api(reviewer), case, "@carl please").json()
    Membership.objects.create(user=curator, benchmark=benchmark, role=Role.READER)
    fresh = api(User.objects.get(pk=curator.pk))
    assert mentions(fresh) == []
    assert fresh.post(reverse("comment-seen", args=[said["id"]])).status_code == 404
    Membership.objects.filter(user=curator).delete()
    assert mentions(api(User.objects.get(pk=curator.pk))) == []


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"text": ""}, "text"),
        ({"text": "  "}, "text"),
        ({"text": "x" * 4001}, "text"),
        ({"text": 7}, "text"),
        ({"text": "a\0"}, "text"),
        ({"text": " ".join(f"@n{number}" for number in range(30))}, "text"),
        ({"anchor": "image"}, "anchor"),
        ({"anchor": ["step"]}, "anchor"),
        ({"anchor": "step", "anchor_id": "x"}, "reading"),
        ({"anchor": "field", "anchor_id": "shoe"}, "anchor_id"),
        ({"anchor_id": "x"}, "anchor_id"),
        ({"reading": "x"}, "reading"),
        ({"reading": str(uuid.uuid4())}, "reading"),
        ({"parent": 7}, "parent"),
        ({"parent": str(uuid.uuid4()), "anchor": "field"}, "parent"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_hostile_bodies(body: dict[str, Any], path: str, case: Case, mine: Reading, reviewer: User, api: Api) -> None:
    address = reverse("case-comments", args=[case.pk])
    answer = api(reviewer).post(address, {"text": "Why?", **body}, format="json")
    assert answer.status_code == 400
    assert [row["path"] for row in answer.json()["errors"]][:1] == [path]
    assert not Comment.objects.exists()


def test_anchors_are_of_what_was_said(case: Case, mine: Reading, reviewer: User, api: Api) -> None:
    box, reading = mine.draft["rois"][0]["id"], str(mine.pk)
    assert say(api(reviewer), case, anchor="roi", anchor_id=box, reading=reading).status_code == 201
    assert say(api(reviewer), case, anchor="step", anchor_id=box, reading=reading).status_code == 400
    assert say(api(reviewer), case, anchor="field", anchor_id="gold").status_code == 201


def test_pages(case: Case, mine: Reading, reviewer: User, api: Api) -> None:
    client = api(reviewer)
    for number in range(5):
        say(client, case, f"{number}")
    address = reverse("case-comments", args=[case.pk])
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        told = client.get(f"{address}?limit=2" + (f"&cursor={cursor}" if cursor else "")).json()
        seen += [row["text"] for row in told["results"]]
        cursor = told["next"]
    assert seen == ["0", "1", "2", "3", "4"]
    assert client.get(address, {"cursor": "?"}).status_code == 400
    assert client.get(address, {"order": "x"}).status_code == 400


def test_to_be_told_what_a_comment_says_is_a_look_at_its_case(
    benchmark: Benchmark, curator: User, reviewer: User, api: Api
) -> None:
    case = make_case(benchmark)
    say(api(reviewer), case, "@carl The gold is B.")
    assert "The gold is B." in api(curator).get(reverse("mentions")).content.decode()
    assert AuditEvent.objects.filter(action="case.looked", actor=curator, object_id=str(case.pk)).count() == 1


@pytest.mark.parametrize("count", [1, 6])
def test_the_list_costs_the_same_however_long(
    count: int,
    benchmark: Benchmark,
    curator: User,
    reviewer: User,
    api: Api,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    case = make_case(benchmark)
    for _ in range(count):
        say(api(reviewer), case, "@carl")
    client = api(User.objects.get(pk=curator.pk))
    client.get(reverse("case-comments", args=[case.pk]))
    with django_assert_num_queries(4):
        client.get(reverse("case-comments", args=[case.pk]))
    with django_assert_num_queries(5):
        client.get(reverse("mentions"))
