"""What every model family takes and gives: plain frozen dataclasses, and the Protocol of an adapter."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inference.metrics.grids import GridTransform


@dataclass(frozen=True)
class RenderedImage:
    """One frame of one image as the model sees it: 8-bit RGB, upright, by the benchmark's rendering.

    Raises ValueError if the pixels are not uint8 (rows, columns, 3), or a number is out of range.
    """

    number: int  # from 1
    frame: int  # from 0
    pixels: NDArray[np.uint8]  # (rows, columns, 3)

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or not self.pixels.size:
            raise ValueError(
                f"image {self.number} must be uint8 (rows, columns, 3), "
                f"not {self.pixels.dtype} of shape {self.pixels.shape}"
            )
        if self.number < 1 or self.frame < 0:
            raise ValueError(f"images count from 1 and frames from 0, not {self.number} and {self.frame}")

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]


@dataclass(frozen=True)
class CaseInput:
    """What a model may see of a case, and nothing else."""

    case_key: str
    question: str
    options: dict[str, str] | None  # text by letter
    history: str
    images: tuple[RenderedImage, ...]


@dataclass(frozen=True)
class MapArrays:
    """Attention of the last input token to one image's tokens, mean over heads, under the question and in general."""

    image: int
    frame: int
    question: NDArray[np.float32]  # (layers, rows, columns)
    general: NDArray[np.float32]  # (layers, rows, columns)
    transform: GridTransform


@dataclass(frozen=True)
class CaseOutput:
    """What a model says about a case. `image_share` is the share of all image attention that each image gets."""

    text: str
    choice: str | None
    option_probabilities: dict[str, float] | None
    steps: tuple[str, ...]
    maps: tuple[MapArrays, ...]
    image_share: dict[int, float]


@dataclass(frozen=True)
class AdapterCard:
    """What identifies a model's predictions, and what a page must say about it."""

    family: str
    is_trained: bool
    note: str
    n_layers: int
    weights_digest: str
    prompt_digest: str
    decoding_digest: str


class Adapter(Protocol):
    """One loaded model. `predict` gives the same output for the same case and leaves the case as it was."""

    def describe(self) -> AdapterCard:
        """The model's card."""
        ...

    def predict(self, case: CaseInput) -> CaseOutput:
        """The model's answer, steps and attention maps for one case."""
        ...


class ContextTooLong(ValueError):
    """A case does not fit the model's context; says how long it is and how long it may be."""

    def __init__(self, case_key: str, tokens: int, image_tokens: int, limit: int) -> None:
        self.tokens, self.image_tokens, self.limit = tokens, image_tokens, limit
        super().__init__(
            f"case {case_key} needs {tokens} tokens ({image_tokens} of them image tokens), "
            f"the model's context holds {limit}"
        )


def digest(facts: Mapping[str, object]) -> str:
    """sha256 of some facts as canonical JSON, in hex.

    Examples
    --------
    >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    True
    """
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def known_settings(settings: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """The settings over their defaults, or a ValueError that names a key nobody knows.

    Examples
    --------
    >>> known_settings({"gain": "2"}, {"gain": "3", "rows": "16"})
    {'gain': '2', 'rows': '16'}
    """
    unknown = sorted(set(settings) - set(defaults))
    if unknown:
        raise ValueError(
            f"unknown setting {unknown[0]}={settings[unknown[0]]}; known are {', '.join(sorted(defaults))}"
        )
    return {**defaults, **settings}


def integer_setting(settings: Mapping[str, str], key: str, low: int, high: int) -> int:
    """A whole-number setting within [low, high], or a ValueError that names key and value."""
    try:
        value = int(settings[key])
    except ValueError:
        raise ValueError(f"setting {key}={settings[key]} is not a whole number") from None
    if not low <= value <= high:
        raise ValueError(f"setting {key}={settings[key]} must be from {low} to {high}")
    return value


def image_shares(mass: list[tuple[int, float]]) -> dict[int, float]:
    """Each image's share of all image attention, frames of one image added up; sums to 1.

    Examples
    --------
    >>> image_shares([(1, 0.1), (1, 0.1), (2, 0.2)])
    {1: 0.5, 2: 0.5}
    """
    total = sum(part for _, part in mass)
    shares: dict[int, float] = {}
    for number, part in mass:
        shares[number] = shares.get(number, 0.0) + part / total
    return shares
