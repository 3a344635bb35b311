"""The review queue and the page of one case: who may, what is listed, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotations.commenting import mark_seen, write_comment
from annotations.escalating import escalate_review, may_review, reviewers_of
from annotations.models import Comment, Review
from annotations.reverting import revert_review
from annotations.review import Wanted, close_review, open_review
from annotations.review_queue import NoSuchState, list_waiting, open_counts
from curation.models import Benchmark, Case, CaseFacts, Membership, Role, User
from tests.annotations.contents import content
from tests.annotations.submitted import submitted
from tests.factories import make_case, make_user

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

APART = (0.2, None, 0.9, 0.9)


@pytest.fixture
def cases(benchmark: Benchmark, reader: User, other_reader: User) -> list[Case]:
    """Four cases read twice, and one read once."""
    made = []
    for number, apart in enumerate([*APART, 1.0]):
        case = make_case(benchmark, f"case{number}")
        for who in (reader, other_reader)[: 1 if number == 4 else 2]:
            submitted(case, who, content())
        CaseFacts.objects.filter(case=case).update(disagreement=apart, readings_submitted=1 if number == 4 else 2)
        made.append(case)
    return made


def keys(benchmark: Benchmark, user: User, **wanted: str) -> list[str]:
    return [row.case.key for row in list_waiting(benchmark=benchmark, user=user, **wanted).rows]


def get(user: User, name: str, *args: object, query: str = "") -> tuple[int, str]:
    client = Client()
    client.force_login(user)
    answer = client.get(reverse(name, args=args) + query)
    return answer.status_code, answer.content.decode()


def test_the_most_disputed_first_and_unknown_last(benchmark: Benchmark, cases: list[Case], reviewer: User) -> None:
    assert keys(benchmark, reviewer) == ["case2", "case3", "case0", "case1"]


def test_who_reads_here_is_told_no_count_of_reviews_of_unread_cases(
    benchmark: Benchmark, cases: list[Case], reviewer: User, curator: User
) -> None:
    open_review(case_id=cases[0].pk, reviewer=curator)
    assert open_counts(benchmark=benchmark, user=reviewer)["open"] == 1
    Membership.objects.create(user=reviewer, benchmark=benchmark, role=Role.READER)
    reading = User.objects.get(pk=reviewer.pk)
    assert open_counts(benchmark=benchmark, user=reading)["open"] == 0
    submitted(cases[0], reading, content())
    assert open_counts(benchmark=benchmark, user=reading)["open"] == 1


def test_pages_follow_one_another(
    benchmark: Benchmark, cases: list[Case], reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotations.review_queue.PAGE", 1)
    seen, after = [], ""
    for _ in range(4):
        listed = list_waiting(benchmark=benchmark, user=reviewer, after=after)
        seen += [row.case.key for row in listed.rows]
        after = listed.next_after
    assert (seen, after) == (["case2", "case3", "case0", "case1"], "")
    for odd in ("x", "nan_1", "2_1", "0.5", "0.5_x", "inf_3"):
        assert keys(benchmark, reviewer, after=odd) == ["case2"]


def test_states(benchmark: Benchmark, cases: list[Case], reviewer: User, curator: User) -> None:
    open_review(case_id=cases[0].pk, reviewer=reviewer)
    handed, _ = open_review(case_id=cases[1].pk, reviewer=reviewer)
    escalate_review(review_id=handed.pk, actor=reviewer, to="carl", reason="hard")
    done, _ = open_review(case_id=cases[2].pk, reviewer=curator)
    wanted = Wanted(action="edit", content={"answer": {"choice": "A"}}, reason="clear")
    close_review(review_id=done.pk, reviewer=curator, version=0, wanted=wanted)
    assert keys(benchmark, reviewer, state="waiting") == ["case3"]
    assert keys(benchmark, reviewer, state="open") == ["case0"]
    assert keys(benchmark, reviewer, state="escalated") == ["case1"]
    assert keys(benchmark, reviewer, state="closed") == ["case2"]
    assert keys(benchmark, reviewer, state="mine") == ["case0"]
    assert keys(benchmark, curator, state="mine") == ["case1"]
    assert len(keys(benchmark, reviewer)) == 4
    with pytest.raises(NoSuchState, match="lost"):
        list_waiting(benchmark=benchmark, user=reviewer, state="lost")
    assert get(reviewer, "review-queue", "thorax", query="?state=lost")[0] == 404
    page = get(reviewer, "review-queue", "thorax")[1]
    assert "carl since" in page
    assert "gold 1" in page


def test_who_reads_too_gets_only_what_they_have_read(benchmark: Benchmark, cases: list[Case], reviewer: User) -> None:
    Membership.objects.create(user=reviewer, benchmark=benchmark, role=Role.READER)
    fresh = User.objects.get(pk=reviewer.pk)
    assert keys(benchmark, fresh) == []
    submitted(cases[0], reviewer, content())
    assert keys(benchmark, fresh) == ["case0"]
    status, page = get(fresh, "review-page", cases[1].pk)
    assert (status, "Blind until you submit" in page, "review-data" in page) == (200, True, False)
    assert "review-data" in get(fresh, "review-page", cases[0].pk)[1]


@pytest.mark.parametrize("count", [0, 3])
def test_the_queue_costs_the_same_however_long(
    benchmark: Benchmark,
    cases: list[Case],
    reviewer: User,
    count: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for case in cases[:count]:
        open_review(case_id=case.pk, reviewer=reviewer)
    fresh = User.objects.get(pk=reviewer.pk)
    fresh.roles_by_benchmark()
    with django_assert_num_queries(4):
        found = list_waiting(benchmark=benchmark, user=fresh)
        assert [(row.case.facts.disagreement, len(row.case.images.all())) for row in found.rows] == [
            (apart, 1) for apart in (0.9, 0.9, 0.2, None)
        ]


@pytest.mark.parametrize(
    ("after", "begins"), [("", ""), ("0.9_3", "disagreement <= "), ("-1.0_2", "disagreement IS NULL")]
)
def test_an_index_gives_the_next_page_without_sorting_the_benchmark(
    benchmark: Benchmark, reviewer: User, after: str, begins: str
) -> None:
    with CaptureQueriesContext(connection) as run:
        list_waiting(benchmark=benchmark, user=reviewer, after=after)
    walks = [
        query["sql"] for query in run.captured_queries if 'ORDER BY "curation_casefacts"."disagreement"' in query["sql"]
    ]
    assert len(walks) == (1 if after.startswith("-1") else 2)
    with connection.cursor() as cursor:
        # Of a handful of rows the planner would rather read all, or sort: whatever it knows of them just now.
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashjoin = off;"
            "SET LOCAL enable_sort = off"
        )
        for walk in walks:
            cursor.execute(f"EXPLAIN {walk}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "facts_by_disagreement" in plan
            assert "Sort" not in plan
            if walk == walks[0] and begins:
                assert begins in plan.split("Index Cond", 1)[1].split("\n")[0]


def test_the_page_names_colleagues_who_may(
    benchmark: Benchmark, case: Case, reviewer: User, curator: User, engineer: User, reader: User
) -> None:
    both = make_user("bea", Role.REVIEWER, benchmark)
    Membership.objects.create(user=both, benchmark=benchmark, role=Role.READER)
    everybody = User.objects.all()
    assert [user.username for user in reviewers_of(case)] == ["carl", "vera"]
    assert {user.username for user in everybody if may_review(user, case)} == {"carl", "vera"}
    submitted(case, both, content())
    assert "bea" in {user.username for user in reviewers_of(case)}
    assert may_review(User.objects.get(pk=both.pk), case)


def test_looking_opens_nothing_and_is_written_down(cases: list[Case], reviewer: User) -> None:
    assert get(reviewer, "review-page", cases[0].pk)[0] == 200
    assert not Review.objects.exists()
    assert "Review" in get(reviewer, "case-page", cases[0].pk)[1]


def test_the_queue_says_who_was_mentioned_until_it_was_seen(
    benchmark: Benchmark, cases: list[Case], reviewer: User, curator: User
) -> None:
    write_comment(case=cases[0], author=reviewer, text="@carl, is this <b>new</b>?")
    page = get(curator, "review-queue", "thorax")[1]
    assert "You were mentioned" in page
    assert "is this &lt;b&gt;new&lt;/b&gt;?" in page
    assert "You were mentioned" not in get(reviewer, "review-queue", "thorax")[1]
    mark_seen(comment_id=Comment.objects.get().pk, user=curator)
    assert "You were mentioned" not in get(curator, "review-queue", "thorax")[1]


def test_undoing_the_last_review_leaves_the_one_before(benchmark: Benchmark, cases: list[Case], reviewer: User) -> None:
    reviews = []
    for choice in "AB":
        review, _ = open_review(case_id=cases[0].pk, reviewer=reviewer)
        wanted = Wanted(action="edit", content={"answer": {"choice": choice}}, reason="clear")
        reviews.append(close_review(review_id=review.pk, reviewer=reviewer, version=0, wanted=wanted))
    revert_review(review_id=reviews[1].pk, reviewer=reviewer, reason="no")
    (row,) = list_waiting(benchmark=benchmark, user=reviewer, state="closed").rows
    assert row.review == reviews[0]
    revert_review(review_id=reviews[0].pk, reviewer=reviewer, reason="no")
    waiting = {
        row.case.pk: row.review for row in list_waiting(benchmark=benchmark, user=reviewer, state="waiting").rows
    }
    assert waiting[cases[0].pk] == reviews[1]


def test_a_reader_finds_the_comments_on_the_case_page_after_the_own_submit_only(
    benchmark: Benchmark, case: Case, reader: User, other_reader: User
) -> None:
    submitted(case, other_reader, content())
    assert "case-comments" not in get(reader, "case-page", case.pk)[1]
    submitted(case, reader, content())
    assert 'id="case-comments"' in get(reader, "case-page", case.pk)[1]
