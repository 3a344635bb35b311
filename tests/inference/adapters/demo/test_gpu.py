"""The demo model on a CUDA device: the answers and the maps of a CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from curation.phantoms.organs import make_organ
from curation.phantoms.questions import questions_of
from inference.adapters.base import CaseInput, CaseOutput, RenderedImage
from inference.registry import load_adapter

pytestmark = pytest.mark.gpu
CASES = 12


def phantom_cases() -> list[CaseInput]:
    """One question with options of each of CASES phantoms that no training has seen."""
    cases = []
    for number in range(CASES):
        phantom = make_organ(77, number)
        asked = next(question for question in questions_of((phantom,), number) if len(question.options) > 1)
        pixels = np.repeat(phantom.image[:, :, None], 3, axis=2)
        image = RenderedImage(number=1, frame=0, pixels=pixels)
        cases.append(CaseInput(f"case{number}", asked.text, asked.options, "", (image,)))
    return cases


def answers(settings: dict[str, str]) -> list[CaseOutput]:
    adapter: Any = load_adapter("demo", "", "", {"weights": "trained", **settings}, allowed_roots=[])
    return [adapter.predict(case) for case in phantom_cases()]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("auto", 2e-2)])
def test_a_gpu_answers_and_looks_as_a_cpu_does(dtype: str, tolerance: float) -> None:
    """Float32 to rounding; the checkpoint's own float16 to what its ten bits of fraction leave."""
    here = answers({"device": "cpu", "dtype": "float32"})
    there = answers({"device": "cuda", "dtype": dtype})
    assert [one.choice for one in here] == [one.choice for one in there]
    for one, other in zip(here, there, strict=True):
        for mine, theirs in zip(one.maps, other.maps, strict=True):
            assert np.abs(mine.question - theirs.question).max() < tolerance
            assert np.abs(mine.general - theirs.general).max() < tolerance
