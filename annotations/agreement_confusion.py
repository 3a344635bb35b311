"""Which label the one gives where the other gives another: regions paired by place alone, whatever they are called."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from annotations.agreement_regions import THRESHOLD, Drawn, Scores
from annotations.metrics.overlap import assign

if TYPE_CHECKING:
    from collections.abc import Sequence

Confusion = Counter[tuple[str | None, str | None]]


def label_confusion(a: Sequence[Drawn], b: Sequence[Drawn], scores: Scores) -> Confusion:
    """How often each pair of labels met; None stands where the other drew nothing.

    Parameters
    ----------
    scores
        `roi_scores(a, b)`: two regions are the same finding from an IoU of THRESHOLD up, paired by Hungarian
        assignment without regard to labels. "" is a region that was given no label.

    Returns
    -------
    Every region of both is counted once: a paired one with its partner, any other with None.
    """
    pairs = [(i, j) for i, j, _ in assign(scores, THRESHOLD)]
    in_a, in_b = {i for i, _ in pairs}, {j for _, j in pairs}
    met: Confusion = Counter((a[i].label, b[j].label) for i, j in pairs)
    met.update((one.label, None) for i, one in enumerate(a) if i not in in_a)
    met.update((None, one.label) for j, one in enumerate(b) if j not in in_b)
    return met
