"""A control whose every number can be computed by hand: attention by a formula, an answer by setting.

It looks at no pixel. Settings (`register_model NAME --family planted --set key=value`), with their defaults:

    rows=16 columns=16   the token grid; every image is stretched onto it
    layers=4             L
    focus=0.25,0.25,0.75,0.75   x0,y0,x1,y1 as fractions of the image
    gain=3               how many times more attention a focus cell gets at the last layer
    choice=              the option it chooses; the first letter where none is given
    p=0.7                its probability of that option, the rest shared evenly

The formula. With N = rows * columns cells and n images, cell (r, c) at layer l = 1 ... L has the weight

    w = gain_l where x0 <= (c + 1/2) / columns < x1 and y0 <= (r + 1/2) / rows < y1, else 1
    gain_l = 1 + (gain - 1) * l / L

and gets the attention w / (2 n * sum of w) under the question and 1 / (2 n N) under the general prompt: half of all
attention is on images, in equal parts. The relative map is r = N w / sum of w, so a region G, of which k cells lie in
the focus of F cells, scores

    AR   = (1 + (gain_l - 1) * k / |G|) / (1 + (gain_l - 1) * F / N)
    EBPG = AR * |G| / N

up to the small constants of the metrics (below one in a million).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.adapters.base import (
    AdapterCard,
    CaseInput,
    CaseOutput,
    MapArrays,
    digest,
    image_shares,
    integer_setting,
    known_settings,
)
from inference.metrics.grids import squash

DEFAULTS = {
    "rows": "16",
    "columns": "16",
    "layers": "4",
    "focus": "0.25,0.25,0.75,0.75",
    "gain": "3",
    "choice": "",
    "p": "0.7",
}
NOTE = "Planted control: its attention follows a formula and its answer a setting. It reads no image."
STEPS = (
    "Planted control: this step is fixed text and describes no image.",
    "Planted control: the answer is set when the model is registered.",
)
IMAGE_ATTENTION = 0.5
CELL_PX = 14


@dataclass(frozen=True)
class PlantedAdapter:
    """The planted control with its settings read."""

    rows: int
    columns: int
    layers: int
    focus: tuple[float, float, float, float]
    gain: float
    choice: str
    p: float

    def describe(self) -> AdapterCard:
        """The control's card; its digests are those of its settings."""
        facts = {
            "rows": self.rows,
            "columns": self.columns,
            "layers": self.layers,
            "focus": list(self.focus),
            "gain": self.gain,
        }
        return AdapterCard(
            family="planted",
            is_trained=False,
            note=NOTE,
            n_layers=self.layers,
            weights_digest=digest(facts),
            prompt_digest=digest({"steps": list(STEPS)}),
            decoding_digest=digest({"choice": self.choice, "p": self.p}),
        )

    def predict(self, case: CaseInput) -> CaseOutput:
        """The planted answer, steps and maps.

        Raises
        ------
        ValueError
            If the case has options and the set choice is not among them.
        """
        choice, probabilities = self._answer(case.options)
        weights = self.weights()
        shares = IMAGE_ATTENTION / max(1, len(case.images))
        question = (weights * (shares / weights.sum(axis=(1, 2), keepdims=True))).astype(np.float32)
        general = np.full_like(question, shares / (self.rows * self.columns))
        maps = tuple(
            MapArrays(
                image=image.number,
                frame=image.frame,
                question=question.copy(),
                general=general.copy(),
                transform=squash(image.size, (self.rows * CELL_PX, self.columns * CELL_PX), (self.rows, self.columns)),
            )
            for image in case.images
        )
        said = f"Planted control. The answer is {choice}." if choice else "Planted control. It gives no answer."
        return CaseOutput(
            text=said,
            choice=choice,
            option_probabilities=probabilities,
            steps=STEPS,
            maps=maps,
            image_share=image_shares([(image.number, shares) for image in case.images]),
        )

    def focus_cells(self) -> NDArray[np.bool_]:
        """Cells whose centre lies in the focus, bool (rows, columns)."""
        x0, y0, x1, y1 = self.focus
        x, y = (np.arange(self.columns) + 0.5) / self.columns, (np.arange(self.rows) + 0.5) / self.rows
        return np.asarray(((y >= y0) & (y < y1))[:, None] & ((x >= x0) & (x < x1))[None, :])

    def weights(self) -> NDArray[np.float64]:
        """The weight w of the formula, float64 (layers, rows, columns)."""
        gains = 1 + (self.gain - 1) * np.arange(1, self.layers + 1) / self.layers
        return np.where(self.focus_cells()[None], gains[:, None, None], 1.0)

    def _answer(self, options: Mapping[str, str] | None) -> tuple[str | None, dict[str, float] | None]:
        if not options:
            return None, None
        choice = self.choice or min(options)
        if choice not in options:
            raise ValueError(f"setting choice={choice} is not among the case's options {', '.join(sorted(options))}")
        if len(options) == 1:
            return choice, {choice: 1.0}
        rest = (1 - self.p) / (len(options) - 1)
        return choice, {letter: self.p if letter == choice else rest for letter in options}


def load(source: str, revision: str, settings: Mapping[str, str]) -> PlantedAdapter:
    """The planted control of some settings.

    Parameters
    ----------
    source, revision
        Must be empty: there are no weights.
    settings
        As the module says; what is not given has its default.

    Raises
    ------
    ValueError
        If a source is given, a setting is unknown or cannot be read, naming key and value.

    Examples
    --------
    >>> load("", "", {"gain": "5", "layers": "2"}).weights().max(axis=(1, 2)).tolist()
    [3.0, 5.0]
    """
    if source or revision:
        raise ValueError(f"the planted family has no weights: source {source!r}, revision {revision!r}")
    known = known_settings(settings, DEFAULTS)
    gain, p = _number(known, "gain"), _number(known, "p")
    if gain <= 0:
        raise ValueError(f"setting gain={known['gain']} must be above 0")
    if not 0 <= p <= 1:
        raise ValueError(f"setting p={known['p']} must be from 0 to 1")
    return PlantedAdapter(
        rows=integer_setting(known, "rows", 1, 64),
        columns=integer_setting(known, "columns", 1, 64),
        layers=integer_setting(known, "layers", 1, 128),
        focus=_focus(known["focus"]),
        gain=gain,
        choice=known["choice"],
        p=p,
    )


def _number(settings: Mapping[str, str], key: str) -> float:
    try:
        value = float(settings[key])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"setting {key}={settings[key]} is not a number")
    return value


def _focus(text: str) -> tuple[float, float, float, float]:
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"setting focus={text} must be four numbers x0,y0,x1,y1") from None
    if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        raise ValueError(f"setting focus={text} must lie in the image: 0 <= x0 < x1 <= 1, 0 <= y0 < y1 <= 1")
    return x0, y0, x1, y1
