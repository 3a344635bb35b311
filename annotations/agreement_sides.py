"""Pairs as they are told to whoever is not told who the readers are.

Two readers stand in a stored pair in the order of their ids. From it somebody could put the readers of a benchmark in
order, and do so in another, and know who is who. So pairs stand in the order of the codes that are told there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from annotations.agreement_names import told_id
from annotations.models import AgreementScore, PartyKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from annotations.agreement_read import PairNumbers
    from annotations.naming import Mask

OF_SIDES = ("party", "said", "revision", "answer", "active_s")
COUNTED = ("rois", "steps")


def _is_turned(row: AgreementScore | PairNumbers, mask: Mask | None) -> bool:
    if mask is None or not row.a_kind == row.b_kind == PartyKind.READER:
        return False
    a, b = (row.a_party, row.b_party) if isinstance(row, AgreementScore) else (row.a, row.b)
    return mask.code(b) < mask.code(a)


def turn(row: AgreementScore, mask: Mask | None) -> AgreementScore:
    """A pair of one case, not to be saved; its labels turn with it where they were prefetched."""
    if not _is_turned(row, mask):
        return row
    names = [(f"a_{name}", f"b_{name}") for name in OF_SIDES] + [(f"{name}_a", f"{name}_b") for name in COUNTED]
    for a, b in names:
        one, other = getattr(row, a), getattr(row, b)
        setattr(row, a, other)
        setattr(row, b, one)
    other_name = dict(names) | {b: a for a, b in names}
    row.why = {other_name.get(name, name): why for name, why in row.why.items()}
    if "labels" in getattr(row, "_prefetched_objects_cache", {}):
        for label in row.labels.all():
            label.only_a, label.only_b = label.only_b, label.only_a
    return row


def in_told_order(found: Iterable[PairNumbers], mask: Mask | None) -> list[PairNumbers]:
    """Numbers of every two parties, each turned, by the ids that are told."""
    if mask is None:
        return list(found)
    told = [_turned(row) if _is_turned(row, mask) else row for row in found]
    order = {PartyKind.READER: 0}
    return sorted(
        told,
        key=lambda row: (
            order.get(row.b_kind, 1),
            told_id(row.a, row.a_kind, mask),
            told_id(row.b, row.b_kind, mask),
        ),
    )


def _turned(row: PairNumbers) -> PairNumbers:
    met = row.kappas and {(b, a): count for (a, b), count in row.kappas.confusion.items()}
    kappas = row.kappas and replace(row.kappas, confusion=dict(sorted((met or {}).items())))
    return replace(row, a=row.b, b=row.a, kappas=kappas)
