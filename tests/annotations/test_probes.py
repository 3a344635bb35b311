"""Gold cases at a secret rate: who gets which and when, that it takes nobody's place, and that nothing tells it."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from annotations import probes
from annotations.assigning import HandedOut, NothingLeft, heartbeat, next_case, release, skip
from annotations.drafting import save_draft
from annotations.models import Assignment, AssignmentState, Origin, ProbeTurn, Reading, ReadingState
from annotations.ordering import set_reading_order
from annotations.probes import NoGold, UnknownCases, change_probing, due_probe, mark_probes
from annotations.submission import revise, submit
from curation.models import AuditEvent, Benchmark, Case, Gold, Membership, OrderPolicy, Role, User
from tests.annotations.contents import content
from tests.factories import make_benchmark, make_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient


@pytest.fixture(autouse=True)
def same_draws_in_every_run(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """A draw follows from the secret key and from ids, which are new in each run: here from a fixed key, and from the
    numbers of the ids in the order in which they come up."""
    settings.SECRET_KEY = "the-key-of-these-draws-" * 3
    drawn, numbers = probes._drawn, dict[str, int]()

    def numbered(what: str, turn: str) -> float:
        *ids, ended = turn.split(":")
        return drawn(what, ":".join([*(str(numbers.setdefault(name, len(numbers))) for name in ids), ended]))

    monkeypatch.setattr(probes, "_drawn", numbered)


def golden(benchmark: Benchmark, key: str, **fields: Any) -> Case:
    case = make_case(benchmark, key, **fields)
    Gold.objects.create(case=case, revision=1, answer={"choice": "B"})
    return case


@pytest.fixture
def probing(benchmark: Benchmark, curator: User) -> Benchmark:
    """Forty cases, of which ten are probes; every second hand-out is one."""
    cases = [golden(benchmark, f"case{number}") for number in range(40)]
    mark_probes(benchmark=benchmark, case_ids=[case.pk for case in cases[::4]], is_probe=True, actor=curator)
    return change_probing(benchmark=benchmark, actor=curator, probe_rate=0.5)


def take(reader: User, benchmark: Benchmark) -> Assignment:
    given = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(given, HandedOut)
    return given.assignment


def read(reader: User, benchmark: Benchmark) -> Assignment:
    held = take(reader, benchmark)
    reading = Reading.objects.get(case=held.case, reader=reader)
    submit(reading_id=reading.pk, version=reading.version, key="k")
    return held


def test_probes_come_at_their_rate_once_each_and_hold_no_place(probing: Benchmark, reader: User) -> None:
    origins = [read(reader, probing).origin for _ in range(30)]
    assert origins.count(Origin.PROBE) == 10, "all of them, and none twice"
    assert 4 <= origins[:16].count(Origin.PROBE) <= 10
    now = timezone.now()
    assert not Assignment.objects.holding_a_place(now).filter(case__is_probe=True).exists()


def test_a_probe_comes_to_every_reader_though_one_reading_is_wanted(
    probing: Benchmark, reader: User, other_reader: User
) -> None:
    for user in (reader, other_reader):
        while Assignment.objects.filter(reader=user, origin=Origin.PROBE).count() < 10:
            read(user, probing)
    shared = set(Assignment.objects.filter(reader=reader).values_list("case", flat=True))
    shared &= set(Assignment.objects.filter(reader=other_reader).values_list("case", flat=True))
    assert shared == set(Case.objects.filter(is_probe=True).values_list("pk", flat=True))


def test_readers_get_theirs_at_different_turns(probing: Benchmark, reader: User, other_reader: User) -> None:
    turns = [[read(user, probing).origin for _ in range(12)] for user in (reader, other_reader)]
    assert turns[0] != turns[1]


def test_another_secret_key_draws_other_turns(probing: Benchmark, reader: User, settings: Any) -> None:
    turn = [probes._drawn("whether", f"{reader.pk}:{number}") for number in range(20)]
    assert turn == [probes._drawn("whether", f"{reader.pk}:{number}") for number in range(20)]
    settings.SECRET_KEY = "another-key-" * 5
    assert turn != [probes._drawn("whether", f"{reader.pk}:{number}") for number in range(20)]


def test_the_draw_is_even(reader: User) -> None:
    drawn = [probes._drawn("whether", f"{reader.pk}:{number}") for number in range(4000)]
    assert all(0 <= value < 1 for value in drawn)
    assert abs(sum(value < 0.2 for value in drawn) / 4000 - 0.2) < 0.03


def test_asking_again_draws_nothing_anew(probing: Benchmark, reader: User) -> None:
    first = due_probe(reader=reader, benchmark=probing)
    assert {due_probe(reader=reader, benchmark=probing) for _ in range(20)} == {first}


def test_who_was_told_that_nothing_is_left_is_told_so_again(benchmark: Benchmark, reader: User, curator: User) -> None:
    cases = [golden(benchmark, f"case{number}") for number in range(30)]
    mark_probes(benchmark=benchmark, case_ids=[case.pk for case in cases], is_probe=True, actor=curator)
    drawn = probes._drawn("whether", f"{reader.pk}:{benchmark.pk}:0")
    Benchmark.objects.update(probe_rate=min(drawn, 0.5) * 0.999)
    benchmark.refresh_from_db()
    assert all(isinstance(next_case(reader=reader, benchmark=benchmark), NothingLeft) for _ in range(20))


@pytest.mark.parametrize("policy", OrderPolicy.values)
@pytest.mark.parametrize("ending", [release, "lapsed"])
def test_what_was_released_or_ran_out_comes_back_as_any_case_does(
    probing: Benchmark, reader: User, curator: User, ending: Callable[..., Any] | str, policy: str
) -> None:
    set_reading_order(benchmark=probing, policy=policy, actor=curator)
    probing.refresh_from_db()
    for _ in range(8):
        held = take(reader, probing)
        if callable(ending):
            ending(assignment_id=held.pk)
        else:
            Assignment.objects.filter(pk=held.pk).update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
        assert take(reader, probing).case_id == held.case_id
        reading = Reading.objects.get(case=held.case, reader=reader)
        submit(reading_id=reading.pk, version=0, key="k")
    assert Assignment.objects.filter(origin=Origin.PROBE).exists()
    assert Assignment.objects.filter(origin=Origin.QUEUE).exists()


def test_a_case_given_back_that_others_took_since_is_not_waited_for(
    benchmark: Benchmark, reader: User, other_reader: User, curator: User
) -> None:
    for number in range(2):
        make_case(benchmark, f"case{number}")
    set_reading_order(benchmark=benchmark, policy=OrderPolicy.BALANCED, actor=curator)
    given = take(reader, benchmark)
    release(assignment_id=given.pk)
    other = read(other_reader, benchmark)
    while other.case_id != given.case_id:
        other = read(other_reader, benchmark)
    assert not isinstance(next_case(reader=reader, benchmark=benchmark), HandedOut)


def test_a_draft_that_waits_for_a_curator_is_not_handed_out_again(
    benchmark: Benchmark, reader: User, curator: User
) -> None:
    make_case(benchmark, "case0")
    set_reading_order(benchmark=benchmark, policy=OrderPolicy.BALANCED, actor=curator)
    given = take(reader, benchmark)
    Assignment.objects.filter(pk=given.pk).update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    Reading.objects.filter(case=given.case).update(state=ReadingState.SURPLUS)
    assert isinstance(next_case(reader=reader, benchmark=benchmark), NothingLeft)


def test_a_curator_who_reads_here_is_not_told_which_cases_are_probes(
    probing: Benchmark, reader: User, other_reader: User, api: Callable[[User], APIClient]
) -> None:
    """By no origin of what is held, by no refusal to assign one, and by no due time that is gone once it is read."""
    Membership.objects.create(user=reader, benchmark=probing, role=Role.CURATOR)
    client = api(User.objects.get(pk=reader.pk))
    for user in (reader, other_reader):
        while read(user, probing).origin != Origin.PROBE:
            pass
    address = reverse("assignments", args=[probing.slug])
    assert {row["origin"] for row in client.get(address).json()["results"]} == {None}
    unread = Case.objects.exclude(assignments__reader=other_reader).filter(assignments=None)
    keys = [unread.filter(is_probe=is_probe).values_list("key", flat=True)[0] for is_probe in (True, False)]
    given = client.post(
        address, {"reader": other_reader.username, "cases": keys, "due_at": "2031-01-01T00:00:00Z"}, format="json"
    ).json()
    assert given["refused"] == []
    for _ in keys:
        read(other_reader, probing)
    rows = {row["key"]: row for row in client.get(address, {"reader": other_reader.username}).json()["results"]}
    told = [{name: rows[key][name] for name in ("state", "origin", "due_at", "skip_reason")} for key in keys]
    assert told[0] == told[1]
    assert told[0]["due_at"]
    probe = Assignment.objects.get(case__key=keys[0], reader=other_reader)
    assert probe.origin == Origin.PROBE, "it takes nobody's place, and is scored"


def test_a_skipped_probe_does_not_come_again(probing: Benchmark, reader: User) -> None:
    while (held := take(reader, probing)).origin != Origin.PROBE:
        skip(assignment_id=held.pk, reason="no")
    skip(assignment_id=held.pk, reason="no")
    later = [read(reader, probing).case_id for _ in range(20)]
    assert held.case_id not in later


def test_a_lapsed_probe_is_taken_up_again_whoever_read_it_since(
    benchmark: Benchmark, reader: User, other_reader: User, curator: User
) -> None:
    case = golden(benchmark, "case1")
    mark_probes(benchmark=benchmark, case_ids=[case.pk], is_probe=True, actor=curator)
    now = timezone.now()
    reading = Reading.objects.create(case=case, reader=reader)
    own = Assignment.objects.create(
        case=case, reader=reader, origin=Origin.PROBE, lease_expires_at=now - dt.timedelta(hours=8)
    )
    Assignment.objects.create(
        case=case, reader=other_reader, state=AssignmentState.SUBMITTED, lease_expires_at=now, origin=Origin.QUEUE
    )
    assert heartbeat(assignment_id=own.pk).lease_expires_at > now
    Assignment.objects.filter(pk=own.pk).update(lease_expires_at=now - dt.timedelta(hours=8))
    assert save_draft(reading_id=reading.pk, version=0, content=content()).version == 1
    assert submit(reading_id=reading.pk, version=1, key="k").revision == 1


def test_no_rate_no_probe(probing: Benchmark, reader: User, curator: User) -> None:
    still = change_probing(benchmark=probing, actor=curator, probe_rate=0.0)
    assert [read(reader, still).origin for _ in range(30)] == [Origin.QUEUE] * 30
    assert isinstance(next_case(reader=reader, benchmark=still), NothingLeft), "probes are not in the queue"


def test_no_probe_where_cases_only_come_by_assignment(probing: Benchmark, reader: User) -> None:
    probing.is_push_only = True
    assert due_probe(reader=reader, benchmark=probing) is None


def test_a_probe_whose_gold_was_withdrawn_is_not_handed_out(probing: Benchmark, reader: User) -> None:
    for case in Case.objects.filter(is_probe=True):
        Gold.objects.create(case=case, revision=2, is_withdrawn=True)
    assert {read(reader, probing).origin for _ in range(20)} == {Origin.QUEUE}


def test_marking_needs_gold_and_changes_nothing_that_readers_see(benchmark: Benchmark, curator: User) -> None:
    case, bare = golden(benchmark, "case1"), make_case(benchmark, "bare")
    before = Case.objects.values("version", "updated_at", "content_digest").get(pk=case.pk)
    with pytest.raises(NoGold, match="no gold is in force for bare"):
        mark_probes(benchmark=benchmark, case_ids=[case.pk, bare.pk], is_probe=True, actor=curator)
    assert not Case.objects.filter(is_probe=True).exists()
    assert mark_probes(benchmark=benchmark, case_ids=[case.pk], is_probe=True, actor=curator) == 1
    assert mark_probes(benchmark=benchmark, case_ids=[case.pk], is_probe=True, actor=curator) == 0
    assert Case.objects.values("version", "updated_at", "content_digest").get(pk=case.pk) == before
    event = AuditEvent.objects.get(action="probes.marked")
    assert (event.actor, event.after) == (curator, {"cases": [str(case.pk)]})


def test_marking_takes_a_case_out_of_the_queue_and_back(benchmark: Benchmark, reader: User, curator: User) -> None:
    case = golden(benchmark, "case1")
    mark_probes(benchmark=benchmark, case_ids=[case.pk], is_probe=True, actor=curator)
    assert isinstance(next_case(reader=reader, benchmark=benchmark), NothingLeft)
    epoch = Benchmark.objects.get().queue_epoch
    mark_probes(benchmark=benchmark, case_ids=[case.pk], is_probe=False, actor=curator)
    assert Benchmark.objects.get().queue_epoch == epoch + 1
    assert take(reader, Benchmark.objects.get()).origin == Origin.QUEUE


def test_cases_of_another_benchmark_are_refused(benchmark: Benchmark, curator: User) -> None:
    other = golden(make_benchmark("elsewhere"), "case1")
    with pytest.raises(UnknownCases, match=f"{other.pk} is no case"):
        mark_probes(benchmark=benchmark, case_ids=[other.pk], is_probe=True, actor=curator)


@pytest.mark.parametrize("rate", [-0.1, 0.51, float("nan")])
def test_a_rate_out_of_range_is_refused(benchmark: Benchmark, curator: User, rate: float) -> None:
    with pytest.raises(ValueError, match=r"is outside of 0 to 0\.5"):
        change_probing(benchmark=benchmark, actor=curator, probe_rate=rate)
    assert not AuditEvent.objects.exists()


def test_a_draw_costs_the_same_however_many_were_read(
    probing: Benchmark, reader: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        read(reader, probing)
    due = due_probe(reader=reader, benchmark=probing) is not None
    with django_assert_num_queries(3 if due else 2):
        due_probe(reader=reader, benchmark=probing)


def test_turns_are_counted_as_cases_end_and_only_where_probes_are_handed_out(
    probing: Benchmark, reader: User, curator: User
) -> None:
    for _ in range(2):
        read(reader, probing)
    held = take(reader, probing)
    release(assignment_id=held.pk)
    assert turns_of(reader) == [2], "what was given back has not ended"
    held = take(reader, probing)
    skip(assignment_id=held.pk, reason="blurred")
    skip(assignment_id=held.pk, reason="blurred")
    assert turns_of(reader) == [3], "twice is the same as once"
    change_probing(benchmark=probing, actor=curator, probe_rate=0.0)
    read(reader, Benchmark.objects.get(pk=probing.pk))
    assert turns_of(reader) == [3]


def test_a_correction_is_no_new_turn(probing: Benchmark, reader: User) -> None:
    held = read(reader, probing)
    reading = revise(reading_id=Reading.objects.get(case=held.case, reader=reader).pk)
    submit(reading_id=reading.pk, version=reading.version, key="again")
    assert turns_of(reader) == [1]


def turns_of(reader: User) -> list[int]:
    return list(ProbeTurn.objects.filter(reader=reader).values_list("ended", flat=True))


def shape(value: Any) -> Any:
    """A payload without what differs between any two cases: names and kinds of its values, in order."""
    if isinstance(value, dict):
        return [(key, shape(part)) for key, part in value.items()]
    if isinstance(value, list):
        return [shape(part) for part in value]
    return type(value).__name__


def test_nothing_that_a_reader_gets_tells_a_probe(
    probing: Benchmark, reader: User, client: Any, api: Callable[[User], APIClient]
) -> None:
    """Every answer on the way of a case, from `next/` to the revision, has the same form for a probe and for others."""
    seen: dict[str, list[tuple[str, Any]]] = {Origin.PROBE: [], Origin.QUEUE: []}
    http = api(reader)
    client.force_login(reader)
    for turn in range(16):
        handed = http.post(reverse("next-case", args=[probing.slug]))
        body = handed.json()
        held = Assignment.objects.get(pk=body["assignment"])
        reading = body["reading"]["id"]
        answers = [
            handed,
            http.post(reverse("next-case", args=[probing.slug])),
            http.post(reverse("assignment-heartbeat", args=[held.pk])),
            http.get(reverse("reading", args=[reading])),
            http.get(reverse("case", args=[held.case_id])),
            http.get(reverse("case-scores", args=[held.case_id])),
            http.put(reverse("reading-draft", args=[reading]), {"version": 0, **content()}, format="json"),
            http.post(reverse("assignment-release", args=[held.pk])),
            http.post(reverse("next-case", args=[probing.slug])),
            http.post(
                reverse("reading-submit", args=[reading]),
                {"version": 1},
                format="json",
                headers={"Idempotency-Key": f"k{turn}"},
            ),
            http.get(reverse("reading", args=[reading])),
            http.get(reverse("case", args=[held.case_id])),
            http.post(reverse("reading-revise", args=[reading])),
            http.post(reverse("reading-revise", args=[reading])),
        ]
        assert all(b"probe" not in answer.content.lower() for answer in answers)
        seen[held.origin] += [
            (f"{number} {answer.status_code} {sorted(answer.headers)}", shape(json.loads(answer.content)))
            for number, answer in enumerate(answers)
        ]
        assert b"probe" not in client.get(reverse("home")).content.lower()
        assert b"probe" not in client.get(reverse("read", args=[probing.slug])).content.lower()
    forms = {origin: {json.dumps(row) for row in rows} for origin, rows in seen.items()}
    assert len(seen[Origin.PROBE]) > 14
    assert forms[Origin.PROBE] == forms[Origin.QUEUE]
