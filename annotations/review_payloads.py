"""What goes out about reviews and comments, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch

from annotations.models import Comment, Mention, Review
from annotations.naming import CaseNames, person, without_names
from annotations.reverting import can_revert, newest_revision, standing_revision
from annotations.review import written
from curation.models import Gold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from curation.models import Case, User


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


def describe_comments(rows: QuerySet[Comment], names: CaseNames) -> list[dict[str, Any]]:
    """Comments in the order they were made, with who is named: two queries."""
    named = Prefetch("mentions", Mention.objects.select_related("user").order_by("pk"))
    return [_comment(row, names) for row in rows.select_related("author", "resolved_by").prefetch_related(named)]


def _comment(row: Comment, names: CaseNames) -> dict[str, Any]:
    people = [mention.user for mention in row.mentions.all()]
    # What somebody wrote they read again as they wrote it: else a name would lead them to a number. Nor to an id, by
    # which pairs tell readers apart; of nobody alike, so that its lack does not tell who has read.
    is_own = row.author_id == names.viewer.pk
    is_id_told = not is_own or names.are_told(row.case_id)
    aliases = {one.pk: None if is_own else names.alias_of_named(one.pk, row.case_id) for one in people}
    return {
        "id": str(row.pk),
        "case": str(row.case_id),
        "parent": str(row.parent_id) if row.parent_id else None,
        "anchor": row.anchor,
        "anchor_id": row.anchor_id,
        "reading": str(row.reading_id) if row.reading_id else None,
        "revision": row.revision,
        "text": without_names(row.text, {one.username: alias for one in people if (alias := aliases[one.pk])}),
        "author": names.person(row.author, row.case_id),
        "mentions": [person(one, aliases[one.pk], is_id_told=is_id_told) for one in people],
        "resolved_by": names.person(row.resolved_by, row.case_id),
        "resolved_at": row.resolved_at,
        "created_at": row.created_at,
    }


def describe_mentions(rows: Sequence[Mention], viewer: User) -> list[dict[str, Any]]:
    """What names the viewer: the comment, its case, and whether they have seen it; three queries, of any number."""
    names = CaseNames.of(viewer, [row.comment.case for row in rows])
    comments = Comment.objects.filter(pk__in=[row.comment_id for row in rows])
    told = {one["id"]: one for one in describe_comments(comments, names)}
    return [
        {
            "comment": str(row.comment_id),
            "case": str(row.comment.case_id),
            "key": row.comment.case.key,
            "benchmark": row.comment.case.benchmark.slug,
            "author": told[str(row.comment_id)]["author"],
            "text": told[str(row.comment_id)]["text"],
            "created_at": row.comment.created_at,
            "seen_at": row.seen_at,
        }
        for row in rows
    ]
