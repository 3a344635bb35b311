"""Contents of readings for tests."""

from __future__ import annotations

import uuid
from typing import Any


def roi(**changes: Any) -> dict[str, Any]:
    """A small box on image 1."""
    return {
        "id": str(uuid.uuid4()),
        "image": 1,
        "frame": 0,
        "label": None,
        "shape": "box",
        "geometry": {"x0": 10.5, "y0": 20, "x1": 40, "y1": 30},
        "origin": "manual",
        **changes,
    }


def step(**changes: Any) -> dict[str, Any]:
    """A step that says something and cites nothing."""
    return {
        "id": str(uuid.uuid4()),
        "kind": "image_finding",
        "image": 1,
        "text": "a bright square",
        "evidence": [],
        "regions": [],
        "is_critical": None,
        "confidence": None,
        "topic": None,
        "state": None,
        **changes,
    }


def entity(**changes: Any) -> dict[str, Any]:
    """An entity without a region."""
    return {
        "id": str(uuid.uuid4()),
        "name": "square",
        "role": "finding",
        "present": True,
        "rois": [],
        "view": None,
        **changes,
    }


def content(**changes: Any) -> dict[str, Any]:
    """A whole reading: one box, one step that rests on it, an entity, an answer."""
    box = roi()
    return {
        "answer": {"choice": "B"},
        "confidence": 0.8,
        "rois": [box],
        "steps": [step(evidence=[box["id"]])],
        "entities": [entity(rois=[box["id"]])],
        **changes,
    }
