"""What goes out about reviews and comments, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch

from annotations.models import Comment, Mention, Review
from annotations.reverting import can_revert, newest_revision, standing_revision
from annotations.review import written
from curation.models import Gold, User

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from curation.models import Case


def person(user: User | None) -> dict[str, Any] | None:
    """Who, as far as a page says it."""
    return None if user is None else {"id": str(user.pk), "username": user.username, "name": user.display_name}


def describe_review(review: Review, user: User, *, standing: int | None = None) -> dict[str, Any]:
    """One review; `standing` (the revision of gold that stands) is looked up where it is not given."""
    if standing is None:
        standing = standing_revision(Review.objects.filter(case=review.case_id), newest_revision(review.case_id))
    return {
        "id": str(review.pk),
        "case": str(review.case_id),
        "number": review.number,
        "state": review.state,
        "version": review.version,
        **written(review),
        "is_open": review.is_open,
        "is_mine": review.is_open and review.holder == user,
        "holder": person(review.holder) if review.is_open else None,
        "held_since": review.held_since,
        "opened_by": person(review.opened_by),
        "opened_at": review.opened_at,
        "saved_at": review.saved_at,
        "escalated_to": person(review.escalated_to),
        "escalation_reason": review.escalation_reason,
        "closed_by": person(review.closed_by),
        "closed_at": review.closed_at,
        "has_read_case": review.has_read_case,
        "gold_before": review.gold_before,
        "gold_revision": review.gold_revision,
        "can_revert": can_revert(review, standing),
        "reverted_by": person(review.reverted_by),
        "reverted_at": review.reverted_at,
        "revert_reason": review.revert_reason,
        "revert_revision": review.revert_revision,
    }


def describe_reviews(case: Case, user: User) -> list[dict[str, Any]]:
    """Every review of a case, the newest first: two queries."""
    rows = list(Review.objects.with_people().filter(case=case).order_by("-number"))
    standing = standing_revision(rows, newest_revision(case.pk))
    return [describe_review(row, user, standing=standing) for row in rows]


def gold_history(case: Case) -> list[dict[str, Any]]:
    """The revisions of a case's gold, the newest first, without their content."""
    rows = Gold.objects.filter(case=case).order_by("-revision")
    return [
        {"revision": row.revision, "is_withdrawn": row.is_withdrawn, "created_at": row.created_at}
        for row in rows.only("revision", "is_withdrawn", "created_at")
    ]


def describe_comments(rows: QuerySet[Comment]) -> list[dict[str, Any]]:
    """Comments in the order they were made, with who is named: two queries."""
    named = Prefetch("mentions", Mention.objects.select_related("user"))
    return [_comment(row) for row in rows.select_related("author", "resolved_by").prefetch_related(named)]


def _comment(row: Comment) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "case": str(row.case_id),
        "parent": str(row.parent_id) if row.parent_id else None,
        "anchor": row.anchor,
        "anchor_id": row.anchor_id,
        "reading": str(row.reading_id) if row.reading_id else None,
        "revision": row.revision,
        "text": row.text,
        "author": person(row.author),
        "mentions": [person(mention.user) for mention in row.mentions.all()],
        "resolved_by": person(row.resolved_by),
        "resolved_at": row.resolved_at,
        "created_at": row.created_at,
    }


def describe_mentions(rows: Iterable[Mention]) -> list[dict[str, Any]]:
    """What names somebody: the comment, its case, and whether they have seen it."""
    return [
        {
            "comment": str(row.comment_id),
            "case": str(row.comment.case_id),
            "key": row.comment.case.key,
            "benchmark": row.comment.case.benchmark.slug,
            "author": person(row.comment.author),
            "text": row.comment.text,
            "created_at": row.comment.created_at,
            "seen_at": row.seen_at,
        }
        for row in rows
    ]
