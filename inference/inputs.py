"""What a model gets of a case: its question, options, history and rendered frames, and nothing else.

Captions, the source's answer, gold, readings and `extra` are never read here, but for the box that a question speaks
of, which is drawn into the first image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curation.asking import asked
from curation.images import rendered_frame
from curation.rendering import RENDERING_VERSION, choose_frames, with_box
from inference.adapters.base import CaseInput, RenderedImage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from curation.models import Case, CaseImage

__all__ = ["RENDERING", "CaseChanged", "build_input"]

# Frames shown of a multi-frame image; part of the key, since other frames are another input.
FRAMES_SHOWN = 1
RENDERING = f"{RENDERING_VERSION}/frames={FRAMES_SHOWN}"


class CaseChanged(Exception):
    """The case is no longer what a prediction was asked for; its new content has a prediction of its own."""

    def __init__(self, case_key: str, asked: str, found: str) -> None:
        super().__init__(f"case {case_key} changed: asked for input {asked[:12]}, now {found[:12]}")


def build_input(case: Case, *, input_digest: str) -> CaseInput:
    """The model's input of a case, checked to be the one that was asked for.

    Parameters
    ----------
    case
        As read now; its images are read here.
    input_digest
        What the prediction is keyed by.

    Raises
    ------
    CaseChanged
        If the case had or got another digest while it was read.
    """
    shown = [
        RenderedImage(image.number, frame, _pixels(case, image, frame))
        for image in case.images.select_related("asset").order_by("number")
        for frame in choose_frames(image.asset.frames, FRAMES_SHOWN)
    ]
    # Read last: the digest covers all of the above, so one that is unchanged now was unchanged all along.
    found = type(case).objects.values_list("input_digest", flat=True).get(pk=case.pk)
    if not case.input_digest == input_digest == found:
        raise CaseChanged(case.key, input_digest, found)
    return CaseInput(
        case_key=case.key,
        question=case.question,
        options=case.options,
        history=case.history,
        images=tuple(shown),
    )


def _pixels(case: Case, image: CaseImage, frame: int) -> NDArray[np.uint8]:
    pixels = rendered_frame(image.asset, frame)
    if image.number != 1:
        return pixels
    box = asked(case.extra, width=image.asset.width, height=image.asset.height).question_box
    return pixels if box is None else with_box(pixels, box)
