"""Synthetic cases for load: distinct stored images, records that name them, and a reading with many regions."""

from __future__ import annotations

import hashlib
import io
import resource
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test.utils import override_settings
from PIL import Image

from curation.models import ImageAsset

if TYPE_CHECKING:
    from collections.abc import Iterator

REGIONS_A_READING = 20
CHARACTERS_A_READING = 400
IMAGES_A_CASE = 6


def peak_mib() -> float:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def temporary_media() -> Iterator[Path]:
    """A folder that goes away, and stored images in it."""
    with tempfile.TemporaryDirectory(prefix="sightline-perf-") as folder:
        storage = {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": f"{folder}/media"},
        }
        with override_settings(STORAGES={"default": storage, "staticfiles": storage}):
            yield Path(folder)


def stored_image(rng: np.random.Generator, side: int, *, is_grey: bool) -> ImageAsset:
    """One distinct image of noise, in storage; its row is the caller's to write."""
    shape = (side, side) if is_grey else (side, side, 3)
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(buffer, "PNG")
    content = buffer.getvalue()
    sha256 = hashlib.sha256(content).hexdigest()
    asset = ImageAsset(
        sha256=sha256,
        source_sha256=sha256,
        kind="png",
        content_type="image/png",
        byte_size=len(content),
        width=side,
        height=side,
        channels=1 if is_grey else 3,
        dtype="uint8",
        photometric="MONOCHROME2" if is_grey else "RGB",
    )
    default_storage.save(asset.storage_name, ContentFile(content))
    return asset


def stored_images(count: int, side: int) -> list[str]:
    """The sha256 of so many distinct grey images, stored and known."""
    rng = np.random.default_rng(0)
    assets = [stored_image(rng, side, is_grey=True) for _ in range(count)]
    ImageAsset.objects.bulk_create(assets)
    return [asset.sha256 for asset in assets]


def records(count: int, images: list[str], *, start: int = 0) -> Iterator[dict[str, Any]]:
    """Sightline records of IMAGES_A_CASE images each, of which no two cases hold the same list."""
    for number in range(start, start + count):
        yield {
            "id": f"case{number:07}",
            "split": ("dev", "test")[number % 2],
            "question": f"Which finding is shown in case {number}?",
            "options": {"A": "effusion", "B": "nodule", "C": "fracture", "D": "none of these"},
            "answer": "ABCD"[number % 4],
            "history": f"Patient {number} with a cough for some weeks. " * 4,
            "images": [
                {
                    "sha256": images[(number * 7 + place * 31) % len(images)],
                    "modality": "CR",
                    "caption": f"view {place}",
                }
                for place in range(IMAGES_A_CASE)
            ],
            "licence": "CC0",
        }


def content(rng: np.random.Generator, side: int) -> dict[str, Any]:
    """A reading: REGIONS_A_READING boxes over the images, four steps that cite them, CHARACTERS_A_READING of text."""
    corners = np.sort(rng.random((REGIONS_A_READING, 2, 2)) * side, axis=1)
    rois = [
        {
            "id": str(uuid.uuid4()),
            "image": number % IMAGES_A_CASE + 1,
            "frame": 0,
            "label": None,
            "shape": "box",
            "geometry": {"x0": x0, "y0": y0, "x1": x1, "y1": y1},
            "origin": "manual",
        }
        for number, ((x0, y0), (x1, y1)) in enumerate(corners.tolist())
    ]
    words = ("a finding in words " * CHARACTERS_A_READING)[: CHARACTERS_A_READING // 4]
    step: dict[str, Any] = {"kind": "image_finding", "text": words, "regions": [], "is_critical": None}
    steps = [
        {
            **step,
            "id": str(uuid.uuid4()),
            "image": roi["image"],
            "evidence": [roi["id"]],
            "confidence": None,
            "topic": None,
            "state": None,
        }
        for roi in rois[:4]
    ]
    return {"answer": {"choice": "A"}, "confidence": 0.5, "rois": rois, "steps": steps, "entities": []}
