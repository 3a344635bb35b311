"""The pairs behind a number, worst first, and all that is known of one case."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from annotations.agreement_names import names, told_id
from annotations.agreement_rows import LOWER_IS_BETTER, METRICS, OF_LABELS, READERS, Kinds, Narrowed, where
from annotations.agreement_sides import turn
from annotations.models import AgreementScore, CaseAgreement, PartyKind
from annotations.naming import SOMEBODY, CaseNames, Mask
from curation.models import Case

if TYPE_CHECKING:
    from curation.models import Benchmark, User

PAGE, MOST = 50, 200
GOLD_NAME = "Gold"
LONGEST_CURSOR = 64
NUMBERS = (
    "is_same_answer", "rois_a", "rois_b", "rois_matched", "detection_f1", "matched_iou", "iou", "dice", "surface_dice",
    "hausdorff", "hausdorff_unit", "steps_a", "steps_b", "step_f1", "step_order", "critical_f1", "attention_ratio",
    "a_active_s", "b_active_s",
)  # fmt: skip


class BadCursor(ValueError):
    """It is none that the list gave out."""


@dataclass(frozen=True)
class ListedPair:
    """A pair with the number that the list is sorted by, its case's key, and the names of both."""

    row: AgreementScore
    value: float | None
    case_key: str
    a_name: str
    b_name: str


@dataclass(frozen=True)
class PairPage:
    """One page, and the cursor of the next or an empty text."""

    pairs: Sequence[ListedPair]
    next: str


def pairs(
    benchmark: Benchmark,
    metric: str,
    narrowed: Narrowed,
    *,
    kinds: Kinds = READERS,
    a: uuid.UUID | None = None,
    b: uuid.UUID | None = None,
    undefined: bool = False,
    cursor: str = "",
    limit: int = PAGE,
) -> PairPage:
    """A keyset page of pairs, the least alike first; five queries at most, however many pairs there are.

    Parameters
    ----------
    metric
        A name of METRICS; with a label of OF_LABELS.
    a, b
        Only pairs of these parties, in any order.
    undefined
        Those for which the number is not defined instead; each row says why.

    Raises
    ------
    BadCursor
        If the cursor is none that this list gave out.
    KeyError
        If the metric is unknown.
    """
    value = (METRICS if narrowed.label is None else OF_LABELS)[metric]
    condition, given = where(benchmark, narrowed, kinds)
    for party in (a, b):
        if party is not None:
            condition += " AND (score.a_party = %s OR score.b_party = %s)"
            given += [party, party]
    label = "" if narrowed.label is None else "JOIN annotations_agreementlabel label ON label.score_id = score.id"
    sign = "-" if metric in LOWER_IS_BETTER else ""
    after, places = _after(cursor, undefined=undefined)
    statement = f"""
        SELECT id, value FROM (
            SELECT score.id, {sign}({value})::float8 AS value FROM annotations_agreementscore score {label}
            WHERE {condition}
        ) AS valued WHERE value IS {"" if undefined else "NOT"} NULL {after}
        ORDER BY {"id" if undefined else "value, id"} LIMIT %s
    """  # noqa: S608 of this package's own constants
    with connection.cursor() as query:
        query.execute(statement, [*given, *places, limit + 1])
        found = query.fetchall()
    last = found[limit - 1] if len(found) > limit else None
    listed = _listed(found[:limit], sign=-1.0 if sign else 1.0, mask=narrowed.mask)
    return PairPage(listed, "" if last is None else _cursor(last[1], last[0]))


def _listed(found: Sequence[tuple[int, float | None]], *, sign: float, mask: Mask | None) -> list[ListedPair]:
    rows = AgreementScore.objects.in_bulk([pk for pk, _ in found])
    keys = dict(Case.objects.filter(pk__in={row.case_id for row in rows.values()}).values_list("pk", "key"))
    rows = {pk: turn(row, mask) for pk, row in rows.items()}
    called = names_of(rows.values(), mask)
    return [
        ListedPair(
            row=rows[pk],
            value=None if value is None else sign * value,
            case_key=keys[rows[pk].case_id],
            a_name=called[rows[pk].a_party].name,
            b_name=called[rows[pk].b_party].name,
        )
        for pk, value in found
        if pk in rows  # a submit may replace a pair between two queries
    ]


@dataclass(frozen=True)
class Told:
    """A party as whoever looks is told of it."""

    id: str
    name: str


def names_of(rows: Any, mask: Mask | None = None) -> dict[uuid.UUID, Told]:
    """Of every party of some rows."""
    parties = {(side, party) for row in rows for side, party in ((row.a_kind, row.a_party), (row.b_kind, row.b_party))}
    known = names((party for kind, party in parties if kind != PartyKind.GOLD), mask)
    ids = {party: told_id(party, kind, mask) for kind, party in parties}
    return {
        party: Told(ids[party], GOLD_NAME if kind == PartyKind.GOLD else known.get(party, ids[party]))
        for kind, party in parties
    }


def _cursor(value: float | None, pk: int) -> str:
    return f"{'' if value is None else repr(value)}_{pk}"


def _after(cursor: str, *, undefined: bool) -> tuple[str, list[Any]]:
    if not cursor:
        return "", []
    text, _, pk = cursor[:LONGEST_CURSOR].partition("_")
    try:
        place = int(pk)
        value = 0.0 if undefined else float(text)
    except ValueError:
        raise BadCursor(f"{cursor[:LONGEST_CURSOR]!r} is none that this list gave out") from None
    if not math.isfinite(value) or not 0 <= place < 2**63:
        raise BadCursor(f"{cursor[:LONGEST_CURSOR]!r} is none that this list gave out")
    return ("AND id > %s", [place]) if undefined else ("AND (value, id) > (%s, %s)", [value, place])


def describe_pair(row: AgreementScore, called: Mapping[uuid.UUID, Told]) -> dict[str, Any]:
    """A pair as JSON, without its labels."""
    return {
        "case": str(row.case_id),
        "arm": row.arm,
        **{
            side: {
                "kind": getattr(row, f"{side}_kind"),
                "id": called[getattr(row, f"{side}_party")].id,
                "name": called[getattr(row, f"{side}_party")].name,
                "said": str(getattr(row, f"{side}_said")),
                "revision": getattr(row, f"{side}_revision"),
                "answer": getattr(row, f"{side}_answer"),
            }
            for side in ("a", "b")
        },
        **{name: getattr(row, name) for name in NUMBERS},
        "why": row.why,
        "said_at": row.said_at,
        "computed_at": row.computed_at,
    }


def describe_case(case: Case, *, viewer: User, reader_id: uuid.UUID | None) -> dict[str, Any]:
    """Agreement on one case as JSON; with a `reader_id` only what models and this reader have in common."""
    state = CaseAgreement.objects.filter(pk=case.pk).first()
    rows = AgreementScore.objects.filter(case=case).prefetch_related("labels").order_by("arm", "a_kind", "b_kind", "pk")
    if reader_id is not None:
        rows = rows.filter(a_kind=PartyKind.READER, a_party=reader_id, b_kind=PartyKind.MODEL)
    mask = Mask.of(viewer, case.benchmark)
    listed = [turn(row, mask) for row in rows]
    if mask is not None:
        listed.sort(key=lambda row: (row.arm, row.a_kind, row.b_kind, mask.code(row.a_party), mask.code(row.b_party)))
    called = _numbered(names_of(listed, mask), CaseNames.of(viewer, [case]), case)
    is_all = reader_id is None
    return {
        "case": str(case.pk),
        "readers": state.readers if state and is_all else None,
        "answers": state.pattern if state and is_all else None,
        "aided_answers": state.aided_pattern if state and is_all else None,
        "computed_at": state.computed_at if state and is_all else None,
        "pairs": [
            {
                **describe_pair(row, called),
                "labels": [
                    {
                        "label": one.label,
                        "matched": one.matched,
                        "only_a": one.only_a,
                        "only_b": one.only_b,
                        "iou": one.iou,
                    }
                    for one in sorted(row.labels.all(), key=lambda one: one.label)
                ],
            }
            for row in listed
        ],
    }


def _numbered(called: Mapping[uuid.UUID, Told], aliases: CaseNames, case: Case) -> dict[uuid.UUID, Told]:
    """Those who have a number on a case by it, and by nothing else; any other reader keeps the code."""
    numbered = dict(called)
    for party in called:
        number = aliases.alias(party, case.pk)
        if number is not None and number != SOMEBODY:
            numbered[party] = Told(number, number)
    return numbered
