"""What a case asks beyond its text: the kind of its question, and the box that the question speaks of.

An importer notes both under `NOTES` in the case's `extra`; everything else of `extra` stays hidden from models and
blind readers. Only a known word and four numbers within the image leave here, whatever stands in `extra`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curation.formats.sources import NOTES
from curation.geometry import check_geometry
from curation.protocols import TASKS

if TYPE_CHECKING:
    from collections.abc import Mapping
_CORNERS = ("x0", "y0", "x1", "y1")


@dataclass(frozen=True)
class Asked:
    """The kind of a question, "" where there is none, and its box on image 1."""

    task: str = ""
    question_box: tuple[float, float, float, float] | None = None


def asked(extra: Mapping[str, Any], *, width: int, height: int) -> Asked:
    """What an importer noted of a case's question.

    Parameters
    ----------
    extra
        Of the case.
    width, height
        Of its first image, in pixels.

    Examples
    --------
    >>> asked({"sightline": {"task": "VG", "question_box": [1, 2, 8, 9]}}, width=10, height=10)
    Asked(task='VG', question_box=(1, 2, 8, 9))
    >>> asked({"sightline": {"task": "the answer is B", "question_box": [1, 2, 80, 9]}}, width=10, height=10)
    Asked(task='', question_box=None)
    """
    notes = extra.get(NOTES)
    if not isinstance(notes, dict):
        return Asked()
    task, box = notes.get("task"), notes.get("question_box")
    return Asked(task if isinstance(task, str) and task in TASKS else "", _box(box, width, height))


def _box(value: object, width: int, height: int) -> tuple[float, float, float, float] | None:
    if not isinstance(value, list) or len(value) != len(_CORNERS):
        return None
    if check_geometry("box", dict(zip(_CORNERS, value, strict=True)), width, height):
        return None
    x0, y0, x1, y1 = value
    return (x0, y0, x1, y1)
