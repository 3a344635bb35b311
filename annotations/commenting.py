"""Comments on a case: anchored, answered, resolved; and whom they name.

Who must still read the case blind neither sees nor writes any. They can be named, as every member can, and find it
once they have submitted: that a name is taken says nothing of who has read. A reader who has submitted sees the threads
about the own readings, those they began and those that name them: the rest speaks of what others said.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from annotations.blinding import blind_case_ids, is_blind
from annotations.content import BadContent
from annotations.models import Anchor, Comment, Mention, Reading, ReadingRevision
from annotations.naming import NAMED, numbers_of, spellings
from curation import audit, events
from curation.fields import FieldError
from curation.models import Case, Role, User
from curation.permissions import SEE_OTHERS, VIEW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_CHARACTERS = 4_000
MOST_MENTIONS = 20
FIELDS = ("answer", "confidence", "question", "gold")


class NoSuchComment(Exception):
    """There is none that the person may see."""


@dataclass(frozen=True)
class About:
    """What a comment is anchored to; a reading's revision where it is a part of what somebody said."""

    anchor: str = Anchor.CASE
    anchor_id: str = ""
    reading: uuid.UUID | None = None


def visible_comments(user: User, case: Case) -> QuerySet[Comment]:
    """Those of the case that the user may see; the caller has seen to blindness."""
    rows = Comment.objects.filter(case=case)
    if user.has_perm(SEE_OTHERS, case.benchmark):
        return rows
    mine = Q(author=user) | Q(reading__reader=user) | Q(mentions__user=user)
    threads = Comment.objects.filter(mine, case=case)
    begun = threads.filter(parent=None).values("pk")
    answered = threads.exclude(parent=None).values("parent")
    return rows.filter(Q(pk__in=begun) | Q(pk__in=answered) | Q(parent__in=begun) | Q(parent__in=answered))


@transaction.atomic
def write_comment(
    *, case: Case, author: User, text: str, about: About | None = None, parent_id: uuid.UUID | None = None
) -> Comment:
    """Say something about a case, or answer.

    Parameters
    ----------
    about
        What it is about; an answer is about what its thread is about.
    parent_id
        A comment that the author may see, and that is no answer itself.

    Raises
    ------
    annotations.content.BadContent
        If the text names nobody of the benchmark, or the anchor is nothing of this case.
    NoSuchComment
        If there is no such thread.
    """
    named = mentioned(text, case, author)
    parent = None if parent_id is None else _thread(author, case, parent_id)
    if parent is not None:
        comment = Comment(
            reading=parent.reading, revision=parent.revision, anchor=parent.anchor, anchor_id=parent.anchor_id
        )
    else:
        comment = _anchored(about or About(), author, case)
    comment.case, comment.author, comment.parent, comment.text = case, author, parent, text
    comment.save()
    _name(comment, named)
    _record("comment.written", comment, author)
    _publish(comment)
    return comment


@transaction.atomic
def notify(*, case: Case, author: User, named: User, text: str) -> Comment:
    """A comment of the case that names one person, whether or not the text does; the caller has seen to permission."""
    comment = Comment.objects.create(case=case, author=author, text=text)
    _name(comment, [named])
    _publish(comment)
    return comment


@transaction.atomic
def set_resolved(*, comment_id: uuid.UUID, actor: User, is_resolved: bool) -> Comment:
    """Resolve a thread or take it up again; twice is the same as once.

    Raises
    ------
    NoSuchComment
        If there is no such thread; answers are not resolved.
    """
    comment = Comment.objects.select_for_update(no_key=True, of=("self",)).select_related("case__benchmark", "reading")
    found = comment.get(pk=comment_id)
    if found.parent_id is not None:
        raise NoSuchComment(f"{comment_id} is an answer: its thread is resolved as a whole")
    if (found.resolved_at is not None) == is_resolved:
        return found
    found.resolved_at = timezone.now() if is_resolved else None
    found.resolved_by = actor if is_resolved else None
    found.save(update_fields=["resolved_at", "resolved_by"])
    _record("comment.resolved" if is_resolved else "comment.reopened", found, actor)
    _publish(found)
    return found


def mentioned(text: str, case: Case, author: User) -> list[User]:
    """Everybody whom a text names: members by their user names, and for staff whoever read the case by number, as @R2.

    Raises
    ------
    annotations.content.BadContent
        Naming each who is none: nobody of that name, or no member. Both are told in the same words.
    """
    given = dict.fromkeys(NAMED.findall(text))
    if len(given) > MOST_MENTIONS:
        raise BadContent((FieldError("text", f"names {len(given)} people, at most {MOST_MENTIONS} are taken"),))
    known = _called({one for name in given for one in spellings(name)}, case, author)
    found, faults = [], []
    for name in given:
        user = next((known[one] for one in spellings(name) if one in known), None)
        if user is None or not is_member(user, case):
            faults.append(FieldError("text", f"@{name} is nobody of this benchmark"))
        elif user not in found:
            found.append(user)
    if faults:
        raise BadContent(tuple(faults))
    return found


def _called(names: set[str], case: Case, author: User) -> dict[str, User]:
    """Who goes by these names; to staff R1, R2 … are those who read the case, whatever user has that name."""
    people = Q(username__in=names)
    numbers: dict[uuid.UUID, int] = {}
    if any(name[:1] == "R" and name[1:].isdecimal() for name in names) and author.has_perm(SEE_OTHERS, case.benchmark):
        numbers = numbers_of([case.pk]).get(case.pk, {})
        people |= Q(pk__in=[pk for pk, number in numbers.items() if f"R{number}" in names])
    found = list(User.objects.filter(people))
    by_name = {user.username: user for user in found}
    return by_name | {f"R{numbers[user.pk]}": user for user in found if user.pk in numbers}


def is_member(user: User, case: Case) -> bool:
    """Whether comments of the case may reach somebody at all, now or once they have read it."""
    return user.is_active and user.has_perm(VIEW, case.benchmark)


def mentions_of(user: User) -> QuerySet[Mention]:
    """What names the user, in benchmarks they are a member of, but for cases they must still read blind."""
    rows = Mention.objects.filter(user=user, comment__case__in=Case.objects.visible_to(user))
    cases = Case.objects.filter(comments__mentions__user=user).distinct().only("pk", "benchmark_id")
    blind = blind_case_ids(user, cases)
    return rows.exclude(comment__case__in=blind) if blind else rows


@transaction.atomic
def mark_seen(*, comment_id: uuid.UUID, user: User) -> Mention:
    """Remember that the user has seen what names them.

    Raises
    ------
    NoSuchComment
        If nothing there names them.
    """
    mention = mentions_of(user).filter(comment=comment_id).first()
    if mention is None:
        raise NoSuchComment(f"no comment {comment_id} names you")
    if mention.seen_at is None:
        mention.seen_at = timezone.now()
        mention.save(update_fields=["seen_at"])
    return mention


def _thread(author: User, case: Case, parent_id: uuid.UUID) -> Comment:
    parent = visible_comments(author, case).select_related("reading").filter(pk=parent_id, parent=None).first()
    if parent is None:
        raise NoSuchComment(f"there is no thread {parent_id} on this case")
    return parent


def _anchored(about: About, author: User, case: Case) -> Comment:
    """An unsaved comment with a checked anchor."""
    comment = Comment(anchor=about.anchor, anchor_id=about.anchor_id)
    if about.reading is None:
        if about.anchor in (Anchor.STEP, Anchor.ROI):
            raise BadContent((FieldError("reading", f"a {about.anchor} is of a reading: name it"),))
        known: Sequence[str] = FIELDS if about.anchor == Anchor.FIELD else ("",)
    else:
        content = _said(comment, about.reading, author, case)
        known = {
            Anchor.STEP.value: [step["id"] for step in content["steps"]],
            Anchor.ROI.value: [roi["id"] for roi in content["rois"]],
            Anchor.FIELD.value: FIELDS,
        }.get(about.anchor, ("",))
    if about.anchor_id not in known:
        raise BadContent((FieldError("anchor_id", f"{about.anchor_id[:64]!r} is no {about.anchor} of it"),))
    return comment


def _said(comment: Comment, reading_id: uuid.UUID, author: User, case: Case) -> dict[str, list[dict[str, str]]]:
    """The newest content of the reading that a comment is about, one that its author may see."""
    readings = Reading.objects.filter(case=case, revision__gt=0, pk=reading_id)
    if not author.has_perm(SEE_OTHERS, case.benchmark):
        readings = readings.filter(reader=author)
    reading = readings.first()
    if reading is None:
        raise BadContent((FieldError("reading", f"{reading_id} is no submitted reading of this case"),))
    comment.reading, comment.revision = reading, reading.revision
    return ReadingRevision.objects.get(reading=reading, revision=reading.revision).content


def _name(comment: Comment, named: Iterable[User]) -> None:
    """Note whom a comment names; who must still read the case blind hears nothing yet (see `mentions_of`)."""
    Mention.objects.bulk_create(Mention(comment=comment, user=user) for user in named)
    for user in named:
        if is_blind(user, comment.case):
            continue
        events.publish(
            "mention.changed",
            benchmark_id=comment.case.benchmark_id,
            least_role=Role.READER,
            reader_id=user.pk,
            case=str(comment.case_id),
            comment=str(comment.pk),
        )


def _record(action: str, comment: Comment, actor: User) -> None:
    audit.record(
        action,
        actor=actor,
        benchmark_id=comment.case.benchmark_id,
        object_type="comment",
        object_id=str(comment.pk),
        after={"case": str(comment.case_id), "anchor": comment.anchor, "anchor_id": comment.anchor_id},
    )


def _publish(comment: Comment) -> None:
    """To those who may see everything; and to each reader who sees this thread, by name."""
    thread = comment.parent_id or comment.pk
    benchmark_id = comment.case.benchmark_id
    tell = partial(
        events.publish,
        "comment.changed",
        benchmark_id=benchmark_id,
        case=str(comment.case_id),
        comment=str(thread),
    )
    tell(least_role=Role.REVIEWER, is_blinded=True)
    in_thread = Comment.objects.filter(Q(pk=thread) | Q(parent=thread))
    people = User.objects.filter(
        Q(Exists(in_thread.filter(author=OuterRef("pk"))))
        | Q(Exists(in_thread.filter(reading__reader=OuterRef("pk"))))
        | Q(Exists(Mention.objects.filter(comment__in=in_thread, user=OuterRef("pk"))))
    )
    for user in people:
        if not user.has_perm(VIEW, comment.case.benchmark) or is_blind(user, comment.case):
            continue
        if not user.has_perm(SEE_OTHERS, comment.case.benchmark) or Role.READER in user.roles_in(benchmark_id):
            tell(least_role=Role.READER, reader_id=user.pk)
