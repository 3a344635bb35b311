"""What a reading lacks to be submitted; the names that a protocol may require stand in curation/protocols.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curation.fields import FieldError
from curation.protocols import ROI_TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from annotations.content import Frame

    Requirement = Callable[[Mapping[str, Any], Frame], list[FieldError]]


def _without(content: Mapping[str, Any], key: str, field: str, said: str) -> list[FieldError]:
    rows = enumerate(content[key])
    return [FieldError(f"{key}[{index}].{field}", said) for index, row in rows if not (row[field] or "").strip()]


def _no_evidence(content: Mapping[str, Any], frame: Frame) -> list[FieldError]:  # noqa: ARG001 as each requirement
    rows = enumerate(content["steps"])
    bare = [index for index, step in rows if step["kind"] != "answer" and not step["evidence"]]
    return [FieldError(f"steps[{index}].evidence", "a step must cite at least one ROI here") for index in bare]


def _absent(key: str, said: str) -> Requirement:
    return lambda content, _: [] if content[key] not in (None, []) else [FieldError(key, said)]


def _each(key: str, field: str, said: str) -> Requirement:
    return lambda content, _: _without(content, key, field, said)


def _no_task_roi(content: Mapping[str, Any], frame: Frame) -> list[FieldError]:
    if frame.task not in ROI_TASKS or content["rois"]:
        return []
    return [FieldError("rois", f"a {frame.task} question wants at least one ROI")]


def _unsaid(content: Mapping[str, Any], kind: str, image: int | None, path: str, said: str) -> list[FieldError]:
    """Nothing if a step of the kind (and image) has text; else the path of the empty one, or of the absent one."""
    steps = enumerate(content["steps"])
    found = [(n, step) for n, step in steps if step["kind"] == kind and image in (None, step["image"])]
    if any(step["text"].strip() for _, step in found):
        return []
    return [FieldError(f"steps[{found[0][0]}].text" if found else path, said)]


def _no_image_finding(content: Mapping[str, Any], frame: Frame) -> list[FieldError]:
    return [
        fault
        for image in sorted(frame.images)
        for fault in _unsaid(
            content, "image_finding", image, f"steps.image_finding.{image}", f"image {image} has no finding yet"
        )
    ]


def _no_step(kind: str) -> Requirement:
    return lambda content, _: _unsaid(content, kind, None, f"steps.{kind}", f"a {kind} is required")


REQUIREMENTS: dict[str, Requirement] = {
    "answer": _absent("answer", "an answer is required"),
    "confidence": _absent("confidence", "a confidence is required"),
    "rois": _absent("rois", "at least one ROI is required"),
    "task_rois": _no_task_roi,
    "label": _each("rois", "label", "a label is required"),
    "steps": _absent("steps", "at least one step is required"),
    "step_text": _each("steps", "text", "a step must say something"),
    "evidence": _no_evidence,
    "image_findings": _no_image_finding,
    "summary": _no_step("summary"),
    "differential": _no_step("differential"),
}


def missing(content: Mapping[str, Any], frame: Frame) -> tuple[FieldError, ...]:
    """What a reading lacks to be submitted; content is `parse_content`'s.

    Parameters
    ----------
    frame
        Its `required` holds names of the table in curation/protocols.py; an unknown one is left to the protocol's own
        check.

    Returns
    -------
    tuple of FieldError
        One for each path, empty if nothing is missing. An entity without a name is always an error: nothing could be
        said of it.
    """
    found = _without(content, "entities", "name", "an entity needs a name")
    for name in frame.required:
        if name in REQUIREMENTS:
            found += REQUIREMENTS[name](content, frame)
    return tuple({error.path: error for error in reversed(found)}.values())[::-1]
