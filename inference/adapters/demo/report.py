"""The tables of the card, as Markdown, and their place in it."""

from __future__ import annotations

from collections.abc import Sequence

from inference.adapters.demo.causal import Effect
from inference.adapters.demo.evaluation import AccuracyRow, LayerRow, Share

ACCURACY_COLUMNS = ("questions", "chance", "accuracy [95 %]", "n", "word for word", "conflict subset [95 %]")
LAYER_COLUMNS = (
    "layer", "AR [95 %]", "centre map", "moved ROI: median, p95", "another lesion", "grounded", "AR absolute [95 %]",
    "KL_norm [95 %]", "JS", "pointing hit", "AUROC",
)  # fmt: skip
EFFECT_COLUMNS = ("condition", "accuracy [95 %]", "by kind", "change of log p")


def accuracy_table(rows: Sequence[AccuracyRow]) -> str:
    """Accuracy by kind of question."""
    lines = []
    for row in rows:
        conflict = "-" if row.conflict is None else f"{_share(row.conflict)}, n {row.conflict.n}"
        lines.append(
            [row.kind, f"{row.chance:.2f}", _share(row.forced), str(row.forced.n), f"{row.exact.mean:.2f}", conflict]
        )
    return _table(ACCURACY_COLUMNS, lines)


def layer_table(rows: Sequence[LayerRow]) -> str:
    """Attention by layer, with its nulls."""
    lines = []
    for row in rows:
        nulls = {name: _number(value) for name, value in row.ratio.nulls.items()}
        verdict = {None: "-", True: "yes", False: f"no: {row.ratio.lost_to}"}[row.ratio.is_grounded]
        low, high = row.ratio.interval or (float("nan"), float("nan"))
        lines.append(
            [
                str(row.layer),
                f"{_number(row.ratio.mean)} [{low:.2f}, {high:.2f}]",
                nulls["centre"],
                f"{nulls['moved']}, {row.moved_p95:.2f}",
                nulls["other_finding"],
                verdict.replace("_", " "),
                _share(row.absolute),
                _share(row.spreads["kl_norm"]),
                *(f"{row.spreads[name].mean:.2f}" for name in ("js", "pointing_hit", "auroc")),
            ]
        )
    return _table(LAYER_COLUMNS, lines)


def effect_table(rows: Sequence[Effect]) -> str:
    """What each experiment does."""
    return _table(
        EFFECT_COLUMNS,
        [
            [
                row.name,
                _share(row.right),
                ", ".join(f"{kind} {mean:.2f}" for kind, mean in row.by_kind.items()),
                f"{row.log_p_change:+.2f}",
            ]
            for row in rows
        ],
    )


def with_tables(card: str, name: str, tables: str) -> str:
    """The card with what stands between the two marks of a name replaced.

    Raises
    ------
    ValueError
        If the card lacks one of the marks.

    Examples
    --------
    >>> print(with_tables("<!-- a -->old<!-- /a -->", "a", "new"))
    <!-- a -->
    new
    <!-- /a -->
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if start not in card or end not in card:
        raise ValueError(f"the card has no place for the tables of {name}: {start} ... {end}")
    before, rest = card.split(start, 1)
    return f"{before}{start}\n{tables.strip()}\n{end}{rest.split(end, 1)[1]}"


def _table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    head = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    return "\n".join([*head, *(f"| {' | '.join(line)} |" for line in lines)])


def _share(share: Share) -> str:
    return f"{share.mean:.2f} [{share.interval[0]:.2f}, {share.interval[1]:.2f}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
