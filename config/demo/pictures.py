"""What the phantom benchmarks of the demo share: their seeds, their licence, and files as a source would send them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SPLITS = ("dev", "test")
#: Pictures and questions of the demo come from this seed and from numbers counted on from it. No model of ours is
#: trained or chosen on it: a score in the demo is one on cases never seen.
SEED = 20_261_122
LABEL = "Synthetic phantoms, CC0, not clinically validated"
LICENCE = "CC0-1.0"
SOURCE = "Sightline phantoms"
MODALITIES = {"ultrasound": "Ultrasound", "radiograph": "X-ray"}


def first_number(split: str, count: int) -> int:
    """The number of a split's first picture, where each split has `count`: splits share none."""
    return SPLITS.index(split) * count


def save_picture(pixels: NDArray[np.uint8], folder: Path, name: str) -> str:
    """Write a PNG below a folder; returns its name."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)
    return name


def save_rows(rows: Iterable[Mapping[str, Any]], file: Path) -> None:
    """Write one JSON object a line."""
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
