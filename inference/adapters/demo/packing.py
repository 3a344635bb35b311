"""Several questions about one case in one sequence: images once, then a segment for each question.

    <s> image tokens | pad prompt answer pad | pad prompt answer pad | ...

A segment sees the images and itself, and its positions go on from the images as if it stood alone, so each question is
computed exactly as in a prompt of its own. Prompts end at the same column of their segments, which makes the last
prompt tokens' rows the same for the whole batch.

With routing (training only) the text before the last prompt token does not see the images: what the answer needs must
be fetched by the last prompt token, the one whose attention is measured. It says nothing of where to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inference.adapters.demo.architecture import GRID, PIXEL_MEAN, PIXEL_STD
from inference.adapters.demo.examples import Asked, Picture
from inference.adapters.demo.vocabulary import BOS, EOS, IMAGE, PAD, answer_ids, prompt_ids

CELLS = GRID * GRID
IGNORED = -100


class Words:
    """Tokens of prompts and answers, each computed once."""

    def __init__(self, tokenizer: Any) -> None:
        self.prompt = lru_cache(maxsize=None)(lambda text: tuple(prompt_ids(tokenizer, text)))
        self.answer = lru_cache(maxsize=None)(lambda text: (*answer_ids(tokenizer, text), EOS))


@dataclass(frozen=True)
class Pack:
    """A batch of cases with the same number of images and of questions."""

    pixels: torch.Tensor  # (cases * images, 3, 168, 168)
    ids: torch.Tensor  # (cases, tokens)
    positions: torch.Tensor  # (cases, tokens)
    mask: torch.Tensor  # (cases, 1, tokens, tokens), bool
    labels: torch.Tensor  # (cases, questions, answer tokens), IGNORED where there is none
    asking: tuple[int, ...]  # the last prompt token's row of each question
    targets: torch.Tensor  # (cases, questions, images * cells), 1/|G| on the region, 0 without one
    images: int

    @property
    def image_columns(self) -> torch.Tensor:
        """Columns of the image tokens, (cases, images * cells)."""
        return torch.arange(1, 1 + self.images * CELLS).expand(len(self.ids), -1)

    def to(self, device: torch.device) -> Pack:
        """The same on another device."""
        moved = {
            name: getattr(self, name).to(device, non_blocking=True)
            for name in ("pixels", "ids", "positions", "mask", "labels", "targets")
        }
        return Pack(**moved, asking=self.asking, images=self.images)


def pack(
    cases: Sequence[Sequence[Picture]],
    asked: Sequence[Sequence[Asked]],
    words: Words,
    *,
    routed: NDArray[np.bool_] | None = None,
) -> Pack:
    """Cases and their questions as tensors.

    Parameters
    ----------
    cases
        Pictures of each case, as many in each.
    asked
        Questions of each case, as many in each.
    words
        The tokenizer's.
    routed
        Which questions' text may not see the images but at its end, bool (cases, questions); None for none.
    """
    count, questions, images = len(cases), len(asked[0]), len(cases[0])
    prompts = [[words.prompt(one.prompt) for one in several] for several in asked]
    answers = [[words.answer(one.answer) for one in several] for several in asked]
    longest = max(len(one) for several in prompts for one in several)
    ending = max(len(one) for several in answers for one in several)
    prefix, length = 1 + images * CELLS, longest + ending
    ids = np.full((count, prefix + questions * length), PAD)
    ids[:, 0], ids[:, 1:prefix] = BOS, IMAGE
    positions = np.tile(np.arange(ids.shape[1]), (count, 1))
    labels = np.full((count, questions, ending), IGNORED)
    targets = np.zeros((count, questions, images * CELLS), dtype=np.float32)
    for case in range(count):
        for number, (prompt, answer) in enumerate(zip(prompts[case], answers[case], strict=True)):
            asking = prefix + number * length + longest
            ids[case, asking - len(prompt) : asking] = prompt
            ids[case, asking : asking + len(answer)] = answer
            start = asking - longest
            positions[case, start : start + length] = prefix + np.arange(length) - (longest - len(prompt))
            labels[case, number, : len(answer)] = answer
            cells = asked[case][number].cells
            if cells is not None:
                targets[case, number] = cells.ravel() / cells.sum()
    positions = np.maximum(positions, 0)
    return Pack(
        pixels=pixel_values([picture for pictures in cases for picture in pictures]),
        ids=torch.from_numpy(ids),
        positions=torch.from_numpy(positions),
        mask=torch.from_numpy(_mask(ids, prefix, longest, length, routed))[:, None],
        labels=torch.from_numpy(labels),
        asking=tuple(prefix + number * length + longest - 1 for number in range(questions)),
        targets=torch.from_numpy(targets),
        images=images,
    )


def pixel_values(pictures: Sequence[Picture]) -> torch.Tensor:
    """What the image processor makes of pictures of the model's own size, float32 (pictures, 3, 168, 168)."""
    shown = [
        np.repeat(picture.pixels[:, :, None], 3, axis=2) if picture.pixels.ndim == 2 else picture.pixels
        for picture in pictures
    ]
    values = torch.from_numpy(np.stack(shown)).permute(0, 3, 1, 2).float()
    return (values / 255 - PIXEL_MEAN) / PIXEL_STD


def _mask(
    ids: NDArray[np.int64], prefix: int, longest: int, length: int, routed: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    """Who sees whom, (cases, tokens, tokens). A padding token sees itself only, so that no row is empty."""
    tokens = ids.shape[1]
    place = np.arange(tokens)
    segment = np.where(place < prefix, -1, (place - prefix) // length)
    is_allowed = (segment[None, :] == segment[:, None]) | (segment[None, :] == -1)
    is_allowed &= place[None, :] <= place[:, None]
    mask = is_allowed[None] & (ids != PAD)[:, None, :]
    if routed is not None:
        within = np.where(segment >= 0, (place - prefix) % length, length)
        for case, number in zip(*np.nonzero(routed), strict=True):
            rows = np.flatnonzero((segment == number) & (within < longest - 1))
            mask[case, rows[0] : rows[-1] + 1, 1:prefix] = False
    mask[:, place, place] = True
    return np.asarray(mask)
