"""What the operations refuse, as HTTP."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from annotations.aided import AidedOpened, NotYetSubmitted
from annotations.assigning import LeaseEnded, PlaceTaken
from annotations.commenting import NoSuchComment
from annotations.content import BadContent
from annotations.drafting import ReadingLocked, StaleDraft
from annotations.escalating import NobodyToEscalateTo
from annotations.pushing import NotAssigned
from annotations.reverting import NotInForce
from annotations.review import GoldMoved, NothingToReview, OnlyOwnReading, ReviewOver, ReviewTaken, StaleReview
from annotations.submission import NotSubmitted, NotSurplus
from curation.problems import FieldError, Problem, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONFLICTS: tuple[tuple[type[Exception], str, str], ...] = (
    (PlaceTaken, "overlap-reached", "Others have read this case"),
    (LeaseEnded, "lease-ended", "There is no lease"),
    (NotAssigned, "not-assigned", "The case is not assigned"),
    (ReadingLocked, "reading-locked", "The reading is locked"),
    (NotSubmitted, "not-submitted", "The reading is not submitted"),
    (NotYetSubmitted, "not-submitted", "The reading is not submitted"),
    (AidedOpened, "aided-opened", "The case was opened again with models in view"),
    (NotSurplus, "not-surplus", "The reading is not surplus"),
    (ReviewOver, "review-over", "The review has ended"),
    (NothingToReview, "nothing-to-review", "There is nothing to review"),
    (OnlyOwnReading, "own-reading-only", "Somebody else must review the case"),
    (GoldMoved, "gold-moved", "The gold has changed"),
    (NotInForce, "gold-moved", "The gold has moved on"),
)


@contextmanager
def as_problems() -> Iterator[None]:
    """Turn the refusals of this app's operations into problem documents: 400 for bad content, 409 for a conflict."""
    try:
        yield
    except BadContent as error:
        raise invalid(error.errors, what="reading") from error
    except (StaleDraft, StaleReview) as error:
        raise Problem(
            "stale-draft",
            status=409,
            title="The draft has moved on",
            detail=str(error),
            extra={"yours": error.yours, "theirs": error.theirs, "version": error.version},
        ) from error
    except ReviewTaken as error:
        review = error.review
        raise Problem(
            "review-taken",
            status=409,
            title="Somebody else is reviewing this case",
            detail=str(error),
            extra={"review": str(review.pk), "holder": review.holder.display_name, "since": review.held_since},
        ) from error
    except NobodyToEscalateTo as error:
        raise invalid((FieldError("to", str(error)),), what="escalation") from error
    except NoSuchComment as error:
        raise Problem("not-found", status=404, title="Not found", detail=str(error)) from error
    except tuple(kind for kind, _, _ in _CONFLICTS) as error:
        name, title = next((name, title) for kind, name, title in _CONFLICTS if isinstance(error, kind))
        raise Problem(name, status=409, title=title, detail=str(error)) from error
