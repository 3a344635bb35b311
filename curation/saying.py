"""What somebody says of a case (answer, regions, steps) in words, and what changed from one version to the next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curation.geometry import bounding_box

Pair = tuple[str, str]
"""What it is, and what it says."""

LONGEST = 400


@dataclass(frozen=True)
class Content:
    """One version of what somebody says: ROIs and steps as records hold them, with the ids that they keep."""

    answer: Any = None
    rois: Sequence[Mapping[str, Any]] = ()
    steps: Sequence[Mapping[str, Any]] = ()


def answer_words(answer: Any) -> str:
    """An answer as readings and gold hold it; empty where there is none.

    Examples
    --------
    >>> answer_words({"choice": "B", "text": None}), answer_words("B"), answer_words({"text": "a cyst"})
    ('B', 'B', 'a cyst')
    >>> answer_words({"boxes": [[1, 2, 3, 4]]}), answer_words(None)
    ('1 box', '')
    """
    if not isinstance(answer, Mapping):
        return "" if answer is None else _cut(answer if isinstance(answer, str) else json.dumps(answer))
    boxes = answer.get("boxes") or []
    drawn = f"{len(boxes)} box{'es' if len(boxes) > 1 else ''}" if boxes else ""
    told = [answer.get("choice"), answer.get("text"), drawn]
    return _cut("; ".join(str(one) for one in told if one))


def roi_words(roi: Mapping[str, Any]) -> str:
    """Where a region is, by its bounding box, and what it is called.

    Examples
    --------
    >>> roi_words({"image": 1, "frame": 0, "label": "Cyst", "shape": "box",
    ...            "geometry": {"x0": 1, "y0": 2, "x1": 30.5, "y1": 4}})
    'Cyst, box on image 1 from 1, 2 to 30.5, 4'
    """
    try:
        x0, y0, x1, y1 = bounding_box(roi["shape"], roi["geometry"])
        where = f" from {x0:g}, {y0:g} to {x1:g}, {y1:g}"
    except (KeyError, TypeError, ValueError):  # a mask without a pixel has no box
        where = ""
    points = roi["geometry"].get("points") if isinstance(roi.get("geometry"), Mapping) else None
    shape = f"{roi.get('shape')} of {len(points)} points" if points else f"{roi.get('shape')}"
    frame = f", frame {roi['frame'] + 1}" if roi.get("frame") else ""
    label = f"{roi['label']}, " if roi.get("label") else ""
    return f"{label}{shape} on image {roi.get('image')}{frame}{where}"


def step_words(step: Mapping[str, Any]) -> str:
    """The text of a step, cut where it is long; its kind where it has none."""
    critical = " (critical)" if step.get("is_critical") else ""
    return _cut(str(step.get("text") or step.get("kind") or "a step")) + critical


def differences(before: Content | None, after: Content | None) -> tuple[list[Pair], list[Pair]]:
    """What was, and what came instead, by answer, region and step; what is the same in both is left out.

    Regions and steps are told apart by their ids, and named by their place.

    Examples
    --------
    >>> old, new = Content("A", steps=[{"id": "1", "text": "dark"}]), Content("B", steps=[{"id": "1", "text": "dark"}])
    >>> differences(old, new)
    ([('answer', 'A')], [('answer', 'B')])
    >>> differences(None, Content("B"))
    ([], [('answer', 'B')])
    """
    old, new = before or Content(), after or Content()
    was: list[Pair] = []
    now: list[Pair] = []
    if answer_words(old.answer) != answer_words(new.answer):
        was += [("answer", words)] if (words := answer_words(old.answer)) else []
        now += [("answer", words)] if (words := answer_words(new.answer)) else []
    for name, words_of, one, other in (
        ("region", roi_words, old.rois, new.rois),
        ("step", step_words, old.steps, new.steps),
    ):
        first, second = _by_id(one), _by_id(other)
        for key, (number, item) in first.items():
            if key not in second or not _is_same(item, second[key][1]):
                was.append((f"{name} {number}", words_of(item)))
        for key, (number, item) in second.items():
            if key not in first or not _is_same(first[key][1], item):
                now.append((f"{name} {number}", words_of(item)))
    return was, now


def _by_id(items: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, Mapping[str, Any]]]:
    return {str(item.get("id", number)): (number, item) for number, item in enumerate(items, start=1)}


def _is_same(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    return json.dumps(dict(first), sort_keys=True, default=str) == json.dumps(dict(second), sort_keys=True, default=str)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


@dataclass(frozen=True)
class Outline:
    """A region as SVG draws it: `tag` is rect, ellipse, polyline or polygon, with its attributes."""

    tag: str
    attributes: Mapping[str, str]
    is_rough: bool = False
    """A mask is drawn by the box around it."""


def outline(roi: Mapping[str, Any]) -> Outline | None:
    """How a region is drawn; None where it has no place.

    Examples
    --------
    >>> outline({"shape": "box", "geometry": {"x0": 1, "y0": 2, "x1": 4, "y1": 6}}).attributes
    {'x': '1', 'y': '2', 'width': '3', 'height': '4'}
    """
    shape, given = roi.get("shape"), roi.get("geometry") or {}
    try:
        if shape == "ellipse":
            centre = {name: f"{float(given[name]):g}" for name in ("cx", "cy", "rx", "ry")}
            turn = f"rotate({float(given.get('angle') or 0) * 57.29577951308232:g} {centre['cx']} {centre['cy']})"
            return Outline("ellipse", {**centre, "transform": turn})
        if shape in ("polygon", "freehand", "line"):
            points = " ".join(f"{float(x):g},{float(y):g}" for x, y in given["points"])
            return Outline("polyline" if shape == "line" else "polygon", {"points": points})
        x0, y0, x1, y1 = bounding_box(str(shape), given)
    except (KeyError, TypeError, ValueError):
        return None
    if shape == "point":
        return Outline("ellipse", {"cx": f"{x0:g}", "cy": f"{y0:g}", "rx": "4", "ry": "4"})
    sides = {"x": f"{x0:g}", "y": f"{y0:g}", "width": f"{x1 - x0:g}", "height": f"{y1 - y0:g}"}
    return Outline("rect", sides, is_rough=shape == "mask")
