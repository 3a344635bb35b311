"""Agreement on one case as its page shows it: each pair by who the two are, with what is undefined and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annotations.agreement_asked import ARM_WORDS
from annotations.agreement_pairs import describe_case
from annotations.agreement_words import words_of

if TYPE_CHECKING:
    import uuid

    from curation.models import Case, User

GROUPS = {
    ("reader", "reader"): "Two readers",
    ("reader", "gold"): "Reader and gold",
    ("reader", "model"): "Reader and model",
    ("model", "gold"): "Model and gold",
    ("model", "model"): "Two models",
}
MOST_SHOWN = 60


@dataclass(frozen=True)
class CasePair:
    """One pair of the case, and why by column."""

    group: str
    arm: str
    pair: dict[str, Any]
    why: dict[str, str]


@dataclass(frozen=True)
class CaseCard:
    """What is shown; `left_out` pairs are too many for a card, and in the case's endpoint."""

    readers: int
    answers: list[tuple[str, int]]
    pairs: list[CasePair]
    left_out: int


def card_of(case: Case, *, viewer: User, reader_id: uuid.UUID | None) -> CaseCard | None:
    """The card; None where no two have said something yet. With a `reader_id` only this reader's pairs with models."""
    found = describe_case(case, viewer=viewer, reader_id=reader_id)
    order = {kinds: place for place, kinds in enumerate(GROUPS)}
    listed = sorted(found["pairs"], key=lambda pair: (pair["arm"] != "unaided", order.get(_kinds(pair), len(order))))
    if not listed:
        return None
    return CaseCard(
        readers=found["readers"] or 0,
        answers=sorted((found["answers"] or {}).items(), key=lambda one: (-one[1], one[0])),
        pairs=[
            CasePair(
                GROUPS.get(_kinds(pair), "Two parties"),
                ARM_WORDS[pair["arm"]],
                pair,
                {name: words_of(reason) for name, reason in pair["why"].items()},
            )
            for pair in listed[:MOST_SHOWN]
        ],
        left_out=max(len(listed) - MOST_SHOWN, 0),
    )


def _kinds(pair: dict[str, Any]) -> tuple[str, str]:
    return (pair["a"]["kind"], pair["b"]["kind"])
