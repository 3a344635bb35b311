"""Digests that name content: a case's record (INTERFACE.md section 6), and the part of it that a model sees."""

from __future__ import annotations

import hashlib
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch

from curation.formats.canonical import canonical_json, simple_json
from curation.models import Case, CaseImage, Gold, GoldRoi, gold_in_force
from curation.rendering import RENDERING_VERSION

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Sequence

LARGEST_EXACT = 2**53 - 1


def _plain(value: Any) -> Any:
    # jsonb gives 1e22 back as the integer 10**22, which RFC 8785 refuses while it takes the float.
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        if abs(value) <= LARGEST_EXACT:
            return value
        # The database writes a double's shortest decimal: 1e300 comes back as a one and 300 zeros.
        if abs(value) < 2**1023 and Decimal(repr(float(value))) == value:
            return float(value)
        raise ValueError(f"{value} has no exact value as a JSON number: write it as text")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is no JSON number")
        return value
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    raise ValueError(f"{type(value).__name__} is no JSON value: {value!r}")


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value; the same before and after a round trip through the database.

    Raises
    ------
    ValueError
        A number without an exact JSON form (not finite, or an integer beyond 2**53 that no double holds), or text
        that is not Unicode.
    """
    # What is simple is plain as well; most values are, and one walk over them is enough.
    simple = simple_json(value)
    return canonical_json(_plain(value)) if simple is None else simple


def digest(value: Any) -> str:
    """The sha256 of a JSON value's canonical bytes, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def input_digest(
    *,
    question: str,
    options: dict[str, str] | None,
    history: str,
    images: Sequence[str],
    question_box: Sequence[float] | None = None,
    rendering: str = RENDERING_VERSION,
) -> str:
    """Digest of all that a model sees of a case: a change of anything else re-runs no model.

    Parameters
    ----------
    images
        The sha256 of each image, in order.
    question_box
        What is drawn into the first image, where the question speaks of a box.
    rendering
        Version of the rendering that turns stored samples into what the model gets.
    """
    shown = {
        "question": question,
        "options": options,
        "history": history,
        "images": list(images),
        "rendering": rendering,
    }
    return digest(shown if question_box is None else {**shown, "question_box": list(question_box)})


def content_digest(record: dict[str, Any]) -> str:
    """Digest of a section 6 record whose images are named by sha256."""
    return digest(record)


def derived_key(*, kind: str, images: Sequence[str], question: str = "", boxes: Sequence[Any] = ()) -> str:
    """The key of a case whose source gives none: 16 hex digits of its content, never a name somebody gave."""
    return digest({"kind": kind, "images": list(images), "question": question, "boxes": list(boxes)})[:16]


def roi_record(
    client_id: str, image: int, frame: int, label: str, shape: str, geometry: dict[str, Any]
) -> dict[str, Any]:
    """Section 6's entry of one region of the gold."""
    return {
        "id": client_id,
        "image": image,
        "frame": frame,
        "label": label or None,
        "shape": shape,
        "geometry": geometry,
    }


def gold_record(gold: Gold | None) -> dict[str, Any] | None:
    """Section 6's `gold` of one revision."""
    if gold is None:
        return None
    rois = [
        roi_record(str(roi.client_id), roi.image, roi.frame, roi.label, roi.shape, roi.geometry)
        for roi in sorted(gold.rois.all(), key=lambda roi: roi.number)
    ]
    return {"answer": gold.answer, "rois": rois, "steps": gold.steps}


def image_record(image: CaseImage) -> dict[str, Any]:
    """Section 6's entry of one image, by sha256."""
    return {
        "sha256": image.asset_id,
        "caption": image.caption,
        "modality": image.modality,
        "sub_modality": image.sub_modality,
        "view": image.view,
        "timepoint": image.timepoint,
        "series": image.series,
    }


def case_record(case: Case) -> dict[str, Any]:
    """The section 6 record of a case, its images by sha256, the gold in force.

    Reads `case.images` and `case.golds`: fetch many cases through `with_record_parts`.
    """
    images = sorted(case.images.all(), key=lambda image: image.number)
    return {
        "id": case.key,
        "split": case.split,
        "question": case.question,
        "options": case.options,
        "answer": case.answer,
        "history": case.history,
        "images": [image_record(image) for image in images],
        "patient": case.patient,
        "source": case.source,
        "licence": case.licence,
        "attribution": case.attribution,
        "gold": gold_record(gold_in_force(case.golds.all())),
        "extra": case.extra,
    }


def with_record_parts(case_ids: Iterable[uuid.UUID]) -> list[Case]:
    """Cases with all that `case_record` reads, in four queries, in the order of their position."""
    return list(
        Case.objects.filter(pk__in=list(case_ids))
        .order_by("benchmark_id", "position")
        .prefetch_related(
            "images", Prefetch("golds", Gold.objects.prefetch_related(Prefetch("rois", GoldRoi.objects.all())))
        )
    )
