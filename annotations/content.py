"""A reading's content (INTERFACE.md section 5): checked against protocol and images, and brought into one form.

A draft may be unfinished, never malformed: `parse_content` takes a reading without an answer and refuses a box of no
width. What a protocol demands of a finished reading stands in its `required` and is looked at only when the reading is
submitted, by annotations/required.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curation.asking import asked
from curation.fields import Fields
from curation.geometry import check_geometry, stored_geometry
from curation.protocols import STEP_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from curation.fields import FieldError
    from curation.models import Case

MOST_ROIS = 2_000
MOST_STEPS = 200
MOST_ENTITIES = 200
MOST_BOXES = 200
MOST_REGIONS = 64
MOST_STEP_CHARACTERS = 10_000
MOST_ANSWER_CHARACTERS = 10_000

ORIGINS = ("manual", "proposed", "edited", "imported", "copied")
ENTITY_ROLES = ("anatomy", "finding", "device")
VIEWS = ("zoom", "mask", "global", "none")
EMPTY: dict[str, Any] = {"answer": None, "confidence": None, "rois": [], "steps": [], "entities": []}

_ROI_KEYS = ("id", "image", "frame", "label", "shape", "geometry", "origin")
_STEP_KEYS = ("id", "kind", "image", "text", "evidence", "regions", "is_critical", "confidence", "topic", "state")
_ENTITY_KEYS = ("id", "name", "role", "present", "rois", "view")


class BadContent(ValueError):
    """Content that cannot be taken, with every fault and its path."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{error.path}: {error.detail}" for error in errors))
        self.errors = errors


@dataclass(frozen=True)
class ImageExtent:
    """What a ROI must lie within."""

    width: int
    height: int
    frames: int


@dataclass(frozen=True)
class Frame:
    """What content is checked against: images by number, options, label ids with the shapes they allow, step kinds.

    `task` is the case's kind of question, which `task_rois` looks at.
    """

    images: Mapping[int, ImageExtent]
    options: tuple[str, ...]
    labels: Mapping[str, tuple[str, ...]]
    step_kinds: tuple[str, ...]
    required: tuple[str, ...]
    task: str = ""

    @classmethod
    def of(cls, case: Case, config: Mapping[str, Any]) -> Frame:
        """The frame of a case under a protocol; reads `case.images` with their assets."""
        rows = case.images.all().values_list("number", "asset__width", "asset__height", "asset__frames")
        images = {number: ImageExtent(width, height, frames) for number, width, height, frames in rows}
        return cls.made(images, options=tuple(case.options or ()), extra=case.extra, config=config)

    @classmethod
    def made(
        cls,
        images: Mapping[int, ImageExtent],
        *,
        options: Sequence[str],
        extra: Mapping[str, Any],
        config: Mapping[str, Any],
    ) -> Frame:
        """The frame of a case's images by number, its options and its `extra`, under a protocol."""
        first = images.get(1, ImageExtent(0, 0, 0))
        return cls(
            images=images,
            task=asked(extra, width=first.width, height=first.height).task,
            options=tuple(options),
            labels={row["id"]: tuple(row.get("shapes") or ()) for row in config.get("labels", [])},
            step_kinds=tuple(config.get("step_kinds") or STEP_KINDS),
            required=tuple(config.get("required", ())),
        )


def parse_content(body: object, frame: Frame) -> dict[str, Any]:
    """Check a reading's content and bring it into the form that is stored.

    Parameters
    ----------
    body
        Anything that JSON can hold; INTERFACE.md section 5 without `version`.
    frame
        What it is checked against.

    Returns
    -------
    dict
        Every key of section 5 present, ids in their usual spelling, masks as compressed strings, order as it came.

    Raises
    ------
    BadContent
        With every fault found (at most 50), each at a path such as ``rois[2].geometry.x1``.
    """
    fields = Fields()
    given = {**EMPTY, **fields.mapping(body, "", tuple(EMPTY))}
    ids: dict[str, str] = {}
    rois = [_roi(fields, item, path, frame, ids) for path, item in fields.items(given["rois"], "rois", most=MOST_ROIS)]
    # Ids are one space in a reading: a step and a ROI of one id could not be told apart in an export.
    roi_ids = dict(ids)
    content = {
        "answer": _answer(fields, given["answer"], frame),
        "confidence": _confidence(fields, given["confidence"], "confidence"),
        "rois": rois,
        "steps": [
            _step(fields, item, path, frame, ids, roi_ids)
            for path, item in fields.items(given["steps"], "steps", most=MOST_STEPS)
        ],
        "entities": [
            _entity(fields, item, path, ids, roi_ids)
            for path, item in fields.items(given["entities"], "entities", most=MOST_ENTITIES)
        ],
    }
    if fields.errors:
        raise BadContent(tuple(fields.errors))
    return content


def _answer(fields: Fields, value: object, frame: Frame) -> dict[str, Any] | None:
    if value is None:
        return None
    kinds = ("choice", "text", "boxes")
    given = fields.mapping(value, "answer", kinds)
    if len([kind for kind in kinds if kind in given]) != 1:
        fields.fault("answer", f"an answer holds exactly one of {', '.join(kinds)}")
        return None
    if "choice" in given:
        return {"choice": fields.one_of(given["choice"], "answer.choice", frame.options)}
    if "text" in given:
        return {"text": fields.text(given["text"], "answer.text", most=MOST_ANSWER_CHARACTERS)}
    boxes = fields.items(given["boxes"], "answer.boxes", most=MOST_BOXES)
    return {"boxes": [_box(fields, item, path, frame) for path, item in boxes]}


def _box(fields: Fields, value: object, path: str, frame: Frame) -> list[Any]:
    """One box of an answer; it names no image, so it must lie within the first, as such questions have one image."""
    first = frame.images.get(1)
    if not isinstance(value, list) or len(value) != 4 or first is None:
        fields.fault(path, "is not [x0, y0, x1, y1] on the first image")
        return []
    corners = dict(zip(("x0", "y0", "x1", "y1"), value, strict=True))
    for where, detail in check_geometry("box", corners, first.width, first.height):
        name = where.removeprefix("geometry.")
        fields.fault(f"{path}[{list(corners).index(name)}]" if name in corners else path, detail)
    return value


def _confidence(fields: Fields, value: object, path: str) -> float | None:
    return None if value is None else fields.number(value, path, least=0, most=1)


def _image(fields: Fields, value: object, path: str, frame: Frame) -> int:
    return fields.whole(value, path, least=1, most=max(frame.images, default=1))


def _roi(fields: Fields, value: object, path: str, frame: Frame, ids: dict[str, str]) -> dict[str, Any]:
    needed = ("id", "image", "shape", "geometry")
    given = fields.mapping(value, path, _ROI_KEYS, needed)
    if not given.keys() >= set(needed):
        return {}
    name = fields.identifier(given["id"], f"{path}.id", ids)
    image = _image(fields, given["image"], f"{path}.image", frame)
    extent = frame.images.get(image)
    if extent is None:
        fields.fault(f"{path}.image", f"{image} is no image of this case")
        return {}
    label = given.get("label")
    if label is not None:
        label = fields.one_of(label, f"{path}.label", frame.labels)
    found = check_geometry(given["shape"], given["geometry"], extent.width, extent.height)
    for where, detail in found:
        fields.fault(f"{path}.{_bracketed(where)}", detail)
    shapes = frame.labels.get(label or "", ())
    if not found and shapes and given["shape"] not in shapes:
        fields.fault(f"{path}.shape", f"{given['shape']} is not allowed for {label}, only {', '.join(shapes)}")
    return {
        "id": name,
        "image": image,
        "frame": fields.whole(given.get("frame", 0), f"{path}.frame", least=0, most=extent.frames - 1),
        "label": label,
        "shape": given["shape"],
        "geometry": {} if found else stored_geometry(given["shape"], given["geometry"]),
        "origin": fields.one_of(given.get("origin", "manual"), f"{path}.origin", ORIGINS),
    }


def _step(
    fields: Fields, value: object, path: str, frame: Frame, ids: dict[str, str], rois: Mapping[str, str]
) -> dict[str, Any]:
    given = fields.mapping(value, path, _STEP_KEYS, ("id", "kind"))
    if "id" not in given or "kind" not in given:
        return {}
    image, critical, topic, state = (given.get(key) for key in ("image", "is_critical", "topic", "state"))
    regions = fields.items(given.get("regions", []), f"{path}.regions", most=MOST_REGIONS)
    return {
        "id": fields.identifier(given["id"], f"{path}.id", ids),
        "kind": fields.one_of(given["kind"], f"{path}.kind", frame.step_kinds),
        "image": None if image is None else _image(fields, image, f"{path}.image", frame),
        "text": fields.text(given.get("text", ""), f"{path}.text", most=MOST_STEP_CHARACTERS),
        "evidence": fields.references(given.get("evidence", []), f"{path}.evidence", rois, what="ROI", most=MOST_ROIS),
        "regions": [fields.text(item, at, most=64) for at, item in regions],
        "is_critical": None if critical is None else fields.flag(critical, f"{path}.is_critical"),
        "confidence": _confidence(fields, given.get("confidence"), f"{path}.confidence"),
        "topic": None if topic is None else fields.text(topic, f"{path}.topic", most=128),
        "state": None if state is None else fields.text(state, f"{path}.state", most=32),
    }


def _entity(fields: Fields, value: object, path: str, ids: dict[str, str], rois: Mapping[str, str]) -> dict[str, Any]:
    given = fields.mapping(value, path, _ENTITY_KEYS, ("id", "name", "role"))
    if not {"id", "name", "role"} <= given.keys():
        return {}
    view = given.get("view")
    return {
        "id": fields.identifier(given["id"], f"{path}.id", ids),
        "name": fields.text(given["name"], f"{path}.name", most=200),
        "role": fields.one_of(given["role"], f"{path}.role", ENTITY_ROLES),
        "present": fields.flag(given.get("present", True), f"{path}.present"),
        "rois": fields.references(given.get("rois", []), f"{path}.rois", rois, what="ROI", most=MOST_ROIS),
        "view": None if view is None else fields.one_of(view, f"{path}.view", VIEWS),
    }


def _bracketed(path: str) -> str:
    """`geometry.points.3.1` as `geometry.points[3][1]`, the way every other path here counts."""
    return re.sub(r"\.(\d+)", r"[\1]", path)
