"""The gold of a record: checked against the case's images and labels, and brought into the form that is stored."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curation.fields import Fields
from curation.geometry import check_geometry, stored_geometry

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from curation.fields import FieldError

MOST_ROIS = 2_000
MOST_STEPS = 200
_ROI_KEYS = ("id", "image", "frame", "label", "shape", "geometry")
_STEP_KEYS = ("id", "kind", "image", "text", "evidence", "regions", "is_critical", "confidence", "topic", "state")
# Ids of gold ROIs whose source names none: the same record gets the same ids everywhere.
_NAMESPACE = uuid.UUID("5d3a1f0e-5a55-4d1b-9a9e-6b0f2a1c7e42")


class BadGold(ValueError):
    """Gold that cannot be taken, with every fault and its path."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{error.path}: {error.detail}" for error in errors))
        self.errors = errors


@dataclass(frozen=True)
class Extent:
    """What a ROI must lie within."""

    width: int
    height: int
    frames: int


def checked_gold(
    given: Mapping[str, Any] | None, *, key: str, images: Sequence[Extent], labels: Collection[str]
) -> dict[str, Any] | None:
    """Section 6's `gold`, complete.

    Parameters
    ----------
    key
        The case's key, from which missing ids of ROIs derive.
    images
        In the order of the case; ROIs count them from 1.
    labels
        Label ids of the protocol.

    Raises
    ------
    BadGold
        With paths such as ``gold.rois[0].geometry.x1``.
    """
    if given is None:
        return None
    fields, seen = Fields(), dict[str, str]()
    rois = [
        _roi(fields, item, path, images, labels, seen, f"{key}:{path}")
        for path, item in fields.items(given["rois"], "gold.rois", most=MOST_ROIS)
    ]
    steps = [
        _step(fields, item, path, len(images), seen)
        for path, item in fields.items(given["steps"], "gold.steps", most=MOST_STEPS)
    ]
    if fields.errors:
        raise BadGold(tuple(fields.errors))
    return {"answer": given["answer"], "rois": rois, "steps": steps}


def _roi(
    fields: Fields,
    value: object,
    path: str,
    images: Sequence[Extent],
    labels: Collection[str],
    seen: dict[str, str],
    name: str,
) -> dict[str, Any]:
    given = fields.mapping(value, path, _ROI_KEYS, ("image", "shape", "geometry"))
    if not {"image", "shape", "geometry"} <= given.keys():
        return {}
    number = fields.whole(given["image"], f"{path}.image", least=1, most=len(images))
    extent = images[number - 1]
    faults = check_geometry(given["shape"], given["geometry"], extent.width, extent.height)
    for where, detail in faults:
        bracketed = re.sub(r"[.]([0-9]+)", r"[\1]", where)
        fields.fault(f"{path}.{bracketed}", detail)
    label = given.get("label")
    return {
        "id": fields.identifier(given.get("id", str(uuid.uuid5(_NAMESPACE, name))), f"{path}.id", seen),
        "image": number,
        "frame": fields.whole(given.get("frame", 0), f"{path}.frame", least=0, most=extent.frames - 1),
        "label": None if label is None else fields.one_of(label, f"{path}.label", labels),
        "shape": given["shape"],
        "geometry": {} if faults else stored_geometry(given["shape"], given["geometry"]),
    }


def _step(fields: Fields, value: object, path: str, images: int, rois: Mapping[str, str]) -> dict[str, Any]:
    given = fields.mapping(value, path, _STEP_KEYS)
    image = given.get("image")
    if image is not None:
        fields.whole(image, f"{path}.image", least=1, most=images)
    if given.get("text") is not None:
        fields.text(given["text"], f"{path}.text", most=10_000)
    if given.get("evidence"):
        fields.references(given["evidence"], f"{path}.evidence", rois, what="ROI", most=MOST_ROIS)
    return dict(given)
