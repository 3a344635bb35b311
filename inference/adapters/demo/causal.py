"""Does the answer come from the region? Experiments on cases with one image: take the region away, and see.

Questions of presence are left out: a lesion that was painted over is not there any more, so "no" would be right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.phantoms.organs import Mask, grown, moved_region, paint_over
from inference.adapters.demo.architecture import GRID, PATCH_PX
from inference.adapters.demo.evaluation import Share, share_of
from inference.adapters.demo.examples import Asked, Picture
from inference.adapters.demo.packing import Pack, Words
from inference.adapters.demo.readings import HeldOut, Reading, read, without_cells

MARGIN_PX = 3
"""Painted beyond the mask: a radiograph is blurred, so that a lesion shows a little beyond its edge."""


@dataclass(frozen=True)
class Effect:
    """What an experiment does to accuracy (forced choice) and to the right answer's log probability."""

    name: str
    right: Share
    by_kind: dict[str, float]
    log_p_change: float


def effects(model: Any, words: Words, held: Sequence[HeldOut]) -> list[Effect]:
    """Every experiment on the same questions, the undisturbed reading first.

    Parameters
    ----------
    model, words
        A weight set and the tokenizer's tokens.
    held
        Organ cases with one image, two at least.
    """
    alone = [part for case in held for part in _by_target(case)]
    partner = {case.items[0].case: held[(at + 1) % len(held)].pictures for at, case in enumerate(held)}
    regions = [_painted_region(part) for part in alone]
    moved = [moved_region(part.phantoms[0], one, part.items[0].case) for part, one in zip(alone, regions, strict=True)]
    # Only targets for which there is a place elsewhere: every experiment is on the same questions.
    kept = [at for at, one in enumerate(moved) if one is not None]
    alone, regions = [alone[at] for at in kept], [regions[at] for at in kept]
    elsewhere = [one for one in moved if one is not None]
    cells = [_cells(one) for one in regions]
    away = [_cells(one) & ~own for one, own in zip(elsewhere, cells, strict=True)]

    def shown(pictures: Callable[[int], tuple[Picture, ...]]) -> list[Reading]:
        return read(model, words, alone, pictures=[pictures(at) for at in range(len(alone))])

    base = read(model, words, alone)
    others = {
        "ROI painted over": shown(lambda at: _painted(alone[at], regions[at])),
        "same shape painted elsewhere": shown(lambda at: _painted(alone[at], elsewhere[at])),
        "text blind to the ROI's cells, all layers": _blinded(model, words, alone, cells),
        "text blind to as many cells elsewhere": _blinded(model, words, alone, away),
        "another patient's image": shown(lambda at: partner[alone[at].items[0].case]),
        "black image": shown(lambda at: _black(alone[at])),
    }
    return [_effect(name, after, base) for name, after in {"undisturbed": base, **others}.items()]


def _by_target(case: HeldOut) -> list[HeldOut]:
    """The case once for each lesion, with the questions about that lesion."""
    parts = []
    for lesion in case.phantoms[0].lesions:
        items = tuple(
            item
            for item, question in zip(case.items, case.questions, strict=True)
            if question.target == lesion.kind and question.kind != "presence"
        )
        questions = tuple(one for one in case.questions if one.target == lesion.kind)
        parts.append(replace(case, items=items, questions=questions))
    return parts


def _painted_region(part: HeldOut) -> Mask:
    lesion = part.phantoms[0].lesion(part.questions[0].target)
    assert lesion is not None  # `_by_target` goes by the lesions that are there
    return grown(lesion.mask, MARGIN_PX)


def _painted(part: HeldOut, region: Mask) -> tuple[Picture, ...]:
    return (replace(part.pictures[0], pixels=paint_over(part.phantoms[0], region, part.items[0].case)),)


def _black(part: HeldOut) -> tuple[Picture, ...]:
    return (replace(part.pictures[0], pixels=np.zeros_like(part.pictures[0].pixels)),)


def _cells(region: Mask) -> NDArray[np.bool_]:
    return np.asarray(region.reshape(GRID, PATCH_PX, GRID, PATCH_PX).any(axis=(1, 3)))[None]


def _blinded(model: Any, words: Words, alone: Sequence[HeldOut], cells: Sequence[NDArray[np.bool_]]) -> list[Reading]:
    readings = []
    for part, region in zip(alone, cells, strict=True):

        def blind(packed: Pack, asked: Sequence[Asked], region: NDArray[np.bool_] = region) -> Pack:
            return without_cells(packed, [region] * len(asked))

        readings += read(model, words, [part], change=blind)
    return readings


def _effect(name: str, after: Sequence[Reading], before: Sequence[Reading]) -> Effect:
    kinds = dict.fromkeys(one.item.asked.kind for one in after)
    return Effect(
        name=name,
        right=share_of(after, lambda one: one.is_right),
        by_kind={kind: float(np.mean([o.is_right for o in after if o.item.asked.kind == kind])) for kind in kinds},
        log_p_change=float(np.mean([a.log_p - b.log_p for a, b in zip(after, before, strict=True)])),
    )
