"""Nothing that others do reaches a reader before the own submit, through any address that there is.

What a blind reader gets is taken down twice, before and after others have done everything they can do to the case, and
must be the same, byte by byte and header by header: then no count, id, order, filter, ETag or error says anything. The
addresses are those of tests/expectations.py, which has every one, so that a new address is tried by itself.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import reverse

from curation import facts
from curation.hub import Listener, Told
from curation.models import Benchmark, Case, Event, Membership, Role, User
from tests.annotations.contents import content
from tests.annotations.others import MARK, ROI_ID, others_act, others_elsewhere
from tests.expectations import EXPECTED, Row, World, build_world
from tests.factories import make_case, make_user
from tests.inference.conftest import FakeBroker

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Asked of every address: filters and orders that would be an oracle, other formats, pages.
QUERIES = (
    "",
    "?format=csv",
    "?format=json",
    "?status=unread",
    "?status=partial",
    "?status=done",
    "?min_disagreement=0.5",
    "?sort=disagreement",
    "?sort=-disagreement",
    "?verdict=right_grounded",
    "?model=planted",
    "?limit=1",
    "?after=1",
    "?arm=aided",
    "?reader=omar",
    "?layer=0",
)
#: The event stream is asked row by row below; the rest is the same for everybody.
LEFT_OUT = {"events", "api-schema", "api-docs", "healthz", "readyz", "login", "admin:index"}
#: Nothing is there for this reader, however it is asked: whether it stays so, the plain address tells.
SHUT = {403, 404}
#: Headers that differ between any two answers.
PASSING_HEADERS = {"Date", "Expires", "Set-Cookie", "Content-Length", "Vary", "X-Request-ID"}
SECRETS = re.compile(
    rb'(name="csrfmiddlewaretoken" value="|csrf[^"]*": ?"|nonce[-=]"?)[^"\';]+'
    rb'|"(saved_at|lease_expires_at|now)": ?"[^"]*"'
)
OWN_QUERIES = {row.name: row.query for row in EXPECTED if row.method == "GET"}
READS = [row for row in EXPECTED if row.method == "GET" and row.name not in LEFT_OUT]

Answers = dict[str, tuple[int, bytes, tuple[tuple[str, str], ...]]]


@pytest.fixture(autouse=True)
def nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker is asked for."""
    monkeypatch.setattr("curation.queues.current_app", FakeBroker())


@pytest.fixture
def blind(benchmark: Benchmark, reader: User) -> World:
    """Rosa holds a case of four, of which five readings are wanted, and has not submitted it."""
    Benchmark.objects.filter(pk=benchmark.pk).update(overlap=5)
    benchmark.refresh_from_db()
    world = build_world(benchmark, reader)
    for number in range(3):
        make_case(benchmark, f"later{number}")
    return world


@pytest.fixture
def others(benchmark: Benchmark) -> list[User]:
    """Two more readers, whose names nobody else has."""
    return [make_user(f"{MARK}-reader-{number}", Role.READER, benchmark) for number in range(2)]


def addresses(ids: list[dict[str, Any]], queries: tuple[str, ...] = ("",)) -> Iterator[tuple[str, str]]:
    """(name, address) of every page and endpoint that is read, of what is one's own and of what is others'."""
    for row in READS:
        for path in sorted({path_of(row, one) for one in ids}):
            for query in sorted({*queries, row.query}):
                yield row.name, path + query


def path_of(row: Row, ids: dict[str, Any]) -> str:
    return reverse(row.name, kwargs={key: ids[known] for key, known in row.kwargs.items()})


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def taken_down(user: User, ids: list[dict[str, Any]], queries: tuple[str, ...] = ("",)) -> Answers:
    """What every address gives the user: status, body without what changes with each request, headers."""
    client = Client(raise_request_exception=False)
    client.force_login(user)
    found: Answers = {}
    shut: set[str] = set()
    for name, address in addresses(ids, queries):
        path, mark, query = address.partition("?")
        if path in shut and mark + query not in ("", OWN_QUERIES[name]):
            continue
        answer = client.get(address)
        if answer.status_code in SHUT:
            shut.add(path)
        headers = tuple(sorted((k, v) for k, v in answer.headers.items() if k not in PASSING_HEADERS))
        found[f"{name} {address}"] = (answer.status_code, SECRETS.sub(b"", body_of(answer)), headers)
    return found


def differing(before: Answers, after: Answers) -> dict[str, str]:
    """Addresses whose answer changed, and the first place at which it did."""
    found = {}
    for name, (status, body, headers) in after.items():
        was_status, was_body, was_headers = before.get(name, (0, b"", ()))
        if status != was_status:
            found[name] = f"{was_status} became {status}"
        elif body != was_body:
            at = next((i for i, (a, b) in enumerate(zip(was_body, body, strict=False)) if a != b), 0)
            found[name] = f"...{was_body[max(at - 60, 0) : at + 60]!r} became ...{body[max(at - 60, 0) : at + 60]!r}"
        elif headers != was_headers:
            found[name] = f"{set(headers) ^ set(was_headers)}"
    return found


@pytest.mark.django_db
def test_what_others_do_changes_nothing_that_a_blind_reader_gets(
    blind: World, reader: User, others: list[User], reviewer: User
) -> None:
    own = dict(blind.ids)
    case = Case.objects.select_related("benchmark").get(pk=own["case"])
    # What others make has ids that are there from the beginning as far as the address goes: unknown before.
    before = taken_down(reader, [own], QUERIES)
    theirs = own | others_act(case, reader, others, reviewer)
    others_elsewhere(case, others[0])
    after = taken_down(reader, [own], QUERIES)
    leaks = differing(before, after)
    assert not leaks, json.dumps(leaks, indent=1)
    for name, (status, body, _) in taken_down(reader, [own, theirs]).items():
        assert MARK.encode() not in body, name
        assert ROI_ID[4:].encode() not in body, name
        assert status < 500, name


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.REVIEWER, Role.ENGINEER, Role.CURATOR, Role.ADMIN])
def test_another_role_beside_reader_opens_no_answer_of_others(
    blind: World, reader: User, others: list[User], reviewer: User, role: Role
) -> None:
    """Ids, counts and names of colleagues may be known to staff; what was said of a case that they read may not."""
    Membership.objects.create(user=reader, benchmark_id=Case.objects.all()[0].benchmark_id, role=role)
    user = User.objects.get(pk=reader.pk)
    own = dict(blind.ids)
    case = Case.objects.select_related("benchmark").get(pk=own["case"])
    theirs = own | others_act(case, reader, others, reviewer)
    told = [
        "step-0",
        "step-1",
        "aided-step",
        "model-step",
        "model-text",
        "gold-step",
        "review-reason",
        "comment",
        "part",
    ]
    found: dict[str, list[str]] = {}
    for name, (_, body, _) in taken_down(user, [own, theirs]).items():
        said = [word for word in told if f"{MARK}-{word}".encode() in body]
        if said:
            found[name] = said
    assert not found, json.dumps(found, indent=1)


@pytest.mark.django_db
def test_no_event_that_others_cause_is_heard_by_a_blind_reader(
    blind: World, reader: User, others: list[User], reviewer: User
) -> None:
    case = Case.objects.select_related("benchmark").get(pk=blind.ids["case"])
    last = Event.objects.order_by("-id").values_list("id", flat=True).first() or 0
    others_act(case, reader, others, reviewer)
    others_elsewhere(case, others[0])
    listener = Listener(user_id=reader.pk, roles=reader.roles_by_benchmark())
    rows = list(Event.objects.filter(id__gt=last))
    told = [
        Told(row.id, row.type, row.benchmark_id, row.least_role, row.reader_id, row.is_blinded, row.payload)
        for row in rows
    ]
    assert {"reading.submitted", "prediction.changed"} <= {one.type for one in told}
    assert [(one.type, one.payload) for one in told if listener.may_hear(one)] == []


@pytest.mark.django_db
def test_what_a_blind_reader_does_is_answered_alike_whatever_others_did(
    benchmark: Benchmark, reader: User, others: list[User], reviewer: User
) -> None:
    """The same acts over two cases, to one of which others have done everything: only ids and times differ."""
    Benchmark.objects.filter(pk=benchmark.pk).update(overlap=5)
    quiet = [shape_of(act, reader) for act in own_acts(reader, make_case(benchmark, "quiet"))]
    loud = make_case(benchmark, "loud")
    Case.objects.filter(pk=loud.pk).update(benchmark=benchmark)
    others_act(Case.objects.select_related("benchmark").get(pk=loud.pk), reader, others, reviewer)
    Case.objects.filter(pk=loud.pk).update(is_probe=False)
    Benchmark.objects.update(probe_rate=0)
    facts.record([loud.pk])
    acts = list(own_acts(reader, loud))
    assert all(MARK.encode() not in answer.content for answer in acts)
    assert [shape_of(act, reader) for act in acts] == quiet


def own_acts(reader: User, case: Case) -> Iterator[Any]:
    """What a reader does on the way of one case, up to the submit."""
    client = Client(raise_request_exception=False)
    client.force_login(reader)
    handed = client.post(reverse("next-case", args=[case.benchmark.slug]))
    yield handed
    given = handed.json()
    assert given["case"]["key"] == case.key
    reading, assignment = given["reading"]["id"], given["assignment"]
    json_type: dict[str, Any] = {"content_type": "application/json"}
    yield client.post(reverse("assignment-heartbeat", args=[assignment]))
    yield client.put(reverse("reading-draft", args=[reading]), {"version": 0, **content()}, **json_type)
    yield client.put(reverse("reading-draft", args=[reading]), {"version": 0, **content()}, **json_type)
    yield client.post(reverse("reading-revise", args=[reading]))
    yield client.post(reverse("reading-aided", args=[reading]))
    yield client.get(reverse("reading-aid", args=[reading]))
    yield client.get(reverse("reading-feedback", args=[reading]))
    yield client.post(reverse("assignment-release", args=[assignment]))
    yield client.post(reverse("next-case", args=[case.benchmark.slug]))
    key: dict[str, Any] = {"headers": {"Idempotency-Key": "k"}}
    yield client.post(reverse("reading-submit", args=[reading]), {"version": 9}, **json_type, **key)
    yield client.post(reverse("reading-submit", args=[reading]), {"version": 1}, **json_type, **key)
    yield client.post(reverse("reading-submit", args=[reading]), {"version": 1}, **json_type, **key)


def shape_of(answer: Any, reader: User) -> tuple[int, Any, list[str]]:
    """Status, form of the body and names of the headers: what is left once ids and times are taken away."""
    return answer.status_code, form(json.loads(answer.content)), sorted(answer.headers)


def form(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: form(part) for key, part in value.items()}
    if isinstance(value, list):
        return [form(part) for part in value]
    is_plain = value is None or isinstance(value, bool | int)
    return value if is_plain else type(value).__name__


@pytest.mark.django_db
def test_after_the_own_submit_models_are_there(blind: World, reader: User, others: list[User], reviewer: User) -> None:
    """The marks are there to be found: else nothing above would prove anything."""
    own = dict(blind.ids)
    case = Case.objects.select_related("benchmark").get(pk=own["case"])
    theirs = own | others_act(case, reader, others, reviewer)
    client = Client()
    client.force_login(reader)
    key: dict[str, Any] = {"headers": {"Idempotency-Key": "k"}}
    sent = client.post(
        reverse("reading-submit", args=[own["reading"]]), {"version": 0}, content_type="application/json", **key
    )
    assert sent.status_code == 200
    said = client.get(reverse("prediction", args=[theirs["prediction"]])).content.decode()
    assert f"{MARK}-model-text" in said
    assert f"{MARK}-model-step" in said
    assert client.get(reverse("case-scores", args=[case.pk])).json()["is_blind"] is False
    staff = Client()
    staff.force_login(reviewer)
    seen = "".join(body_of(staff.get(address)).decode(errors="replace") for _, address in addresses([own, theirs]))
    for word in ("step-0", "model-step", "gold-step", "review-reason", "comment"):
        assert f"{MARK}-{word}" in seen, word
