"""Everybody against every reader: readers, models and gold in one table that is its own plot."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from annotations.agreement_asked import Asked
from annotations.agreement_names import names, told_id
from annotations.agreement_read import PairNumbers, by_reader, by_reader_with_gold, matrix, models
from annotations.agreement_rows import READERS, WHOLE, WITH_GOLD, WITH_MODELS, Narrowed, Number, slices
from annotations.agreement_sides import in_told_order
from annotations.agreement_words import words_of
from annotations.models import PartyKind
from curation.plotting import Axis, Column, Plot

if TYPE_CHECKING:
    from annotations.naming import Mask
    from curation.models import Benchmark

MOST_READERS = 16
MOST_MODELS = 30
# What the cells can show, in words, and what their pairs are then sorted by.
SHOWN = {
    "same_answer": ("Same answer", "same_answer"),
    "cohen_kappa": ("Cohen’s κ", "same_answer"),
    "matched_iou": ("Matched IoU", "matched_iou"),
    "detection_f1": ("Detection F1", "detection_f1"),
    "dice": ("Dice", "dice"),
    "step_f1": ("Step F1", "step_f1"),
}
_NOTHING = Number(None, None, 0, 0, "no_pairs")


@dataclass(frozen=True)
class Cell:
    """A number of two parties, how dark it stands, where its pairs are, and why there is none."""

    number: Number
    shade: int
    query: Mapping[str, str]
    why: str


@dataclass(frozen=True)
class Line:
    """One party: against all readers, and against each; None where it would meet itself."""

    kind: str
    name: str
    overall: Cell
    cells: list[Cell | None]


@dataclass(frozen=True)
class Matrix:
    """The table. Readers with fewer cases than the others are left out of it, not of the CSV."""

    words: str
    columns: list[str]
    lines: list[Line]
    left_out: int
    plot: Plot


def matrix_of(benchmark: Benchmark, asked: Asked, narrowed: Narrowed, shown: str) -> Matrix:
    """The table of one number; sixteen queries at most, however many parties and cases."""
    mask = narrowed.mask
    found = in_told_order(matrix(benchmark, narrowed, kinds=(READERS, WITH_MODELS)), mask)
    table = _Table(asked, shown, {(row.a, row.b): row for row in found}, mask)
    overall = {uuid.UUID(row.key): row.numbers for row in by_reader(benchmark, narrowed)}
    of_models = {uuid.UUID(row.key): row.numbers for row in models(benchmark, narrowed)}
    gold = {uuid.UUID(row.key): row.numbers for row in by_reader_with_gold(benchmark, narrowed)}
    cases: dict[uuid.UUID, int] = {}
    for row in found:
        for kind, party in ((row.a_kind, row.a), (row.b_kind, row.b)):
            if kind == PartyKind.READER:
                cases[party] = cases.get(party, 0) + row.cases
    called = {party: told_id(party, PartyKind.READER, mask) for party in cases} | names({*cases, *of_models}, mask)
    kept = sorted(cases, key=lambda party: (-cases[party], called[party]))[:MOST_READERS]
    kept.sort(key=lambda party: called[party])
    lines = [table.line("reader", called, one, overall.get(one), kept) for one in kept]
    lines += [
        table.line("model", called, one, of_models[one], kept)
        for one in sorted(of_models, key=lambda party: called.get(party, str(party)))[:MOST_MODELS]
    ]
    if gold:
        cells = [table.cell(gold.get(one, {}).get(shown), reader=table.told(one), kind="gold") for one in kept]
        whole = slices(benchmark, narrowed, WHOLE, kinds=WITH_GOLD, metrics=tuple(SHOWN))
        overall_gold = whole[0].numbers.get(shown) if whole else None
        lines.append(Line("gold", "Gold", table.cell(overall_gold, kind="gold"), list(cells)))
    return Matrix(
        words=SHOWN[shown][0],
        columns=[called[party] for party in kept],
        lines=lines,
        left_out=len(cases) - len(kept),
        plot=_as_rows(found, called, shown),
    )


def number_of(row: PairNumbers | None, shown: str) -> Number | None:
    """The number that is shown of two parties."""
    if row is None:
        return None
    if shown == "cohen_kappa":
        return row.kappas.numbers.get(shown) if row.kappas else None
    return row.numbers.get(shown)


def shade_of(value: float | None) -> int:
    """From 0 to 9, darker where more agree; a kappa below 0 is 0."""
    return 0 if value is None else round(9 * min(max(value, 0.0), 1.0))


@dataclass(frozen=True)
class _Table:
    asked: Asked
    shown: str
    found: Mapping[tuple[uuid.UUID, uuid.UUID], PairNumbers]
    mask: Mask | None

    def told(self, reader: uuid.UUID) -> str:
        """A reader as an address of whoever looks has them."""
        return told_id(reader, PartyKind.READER, self.mask)

    def line(
        self,
        kind: str,
        called: Mapping[uuid.UUID, str],
        party: uuid.UUID,
        overall: Mapping[str, Number] | None,
        kept: list[uuid.UUID],
    ) -> Line:
        pairs = "readers" if kind == "reader" else "models"
        other = self.told(party) if kind == "reader" else str(party)
        cells = [
            None
            if party == one
            else self.cell(
                number_of(self.found.get((one, party)) or self.found.get((party, one)), self.shown),
                reader=self.told(one),
                other=other,
                kind=pairs,
            )
            for one in kept
        ]
        whole = self.cell((overall or {}).get(self.shown), reader=None, other=other, kind=pairs)
        return Line(kind, called.get(party, str(party)), whole, cells)

    def cell(self, number: Number | None, **changes: object) -> Cell:
        known = number or _NOTHING
        query = self.asked.query(metric=SHOWN[self.shown][1], **changes)
        return Cell(known, shade_of(known.value), query, words_of(known.why))


def _as_rows(found: list[PairNumbers], called: Mapping[uuid.UUID, str], shown: str) -> Plot:
    """All of it as a CSV: the table on the page is the drawing."""
    rows = []
    for row in found:
        number = number_of(row, shown) or _NOTHING
        low, high = number.interval or (None, None)
        rows.append(
            {
                "one": called.get(row.a, str(row.a)),
                "other": called.get(row.b, str(row.b)),
                "kind": row.b_kind.value,
                "value": number.value,
                "low": low,
                "high": high,
                "n": number.n,
                "why": words_of(number.why),
            }
        )
    return Plot(
        name="matrix",
        kind="points",
        words=f"{SHOWN[shown][0]} of every two parties",
        x=Axis("one"),
        y=Axis("value"),
        columns=(
            Column("one", "One", is_number=False),
            Column("other", "The other", is_number=False),
            Column("kind", "The other is", is_number=False),
            Column("value", SHOWN[shown][0]),
            Column("low", "95 % from"),
            Column("high", "95 % to"),
            Column("n", "Cases"),
            Column("why", "Why not", is_number=False),
        ),
        rows=rows,
    )
