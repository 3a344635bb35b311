"""Small rows for tests: benchmarks, stored images and cases."""

from __future__ import annotations

import hashlib
import io
import uuid
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from curation.models import Benchmark, Case, CaseFacts, CaseImage, ImageAsset, Membership, Protocol, Role, User
from curation.reading_order import draw_key

PASSWORD = "correct-horse-battery"


def make_user(name: str, role: Role | None = None, benchmark: Benchmark | None = None) -> User:
    """A user, with a role in a benchmark if one is named."""
    user = User.objects.create_user(username=name, password=PASSWORD)
    if role is not None:
        Membership.objects.create(user=user, benchmark=benchmark, role=role)
    return user


def make_benchmark(slug: str = "thorax", *, overlap: int = 1, config: dict[str, Any] | None = None) -> Benchmark:
    """A benchmark with the first version of a free protocol."""
    benchmark = Benchmark.objects.create(slug=slug, title=slug.title(), overlap=overlap)
    Protocol.objects.create(
        benchmark=benchmark,
        version=1,
        kind="free",
        config=config or {"labels": [], "step_kinds": ["image_finding", "summary", "free"], "required": []},
        digest="0" * 64,
    )
    return benchmark


def make_asset(*, width: int = 64, height: int = 48, seed: int = 0, **fields: Any) -> ImageAsset:
    """A stored grey PNG with seeded pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    content = buffer.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    asset, is_new = ImageAsset.objects.get_or_create(
        sha256=digest,
        defaults={
            "source_sha256": digest,
            "kind": "png",
            "content_type": "image/png",
            "byte_size": len(content),
            "width": width,
            "height": height,
            "dtype": "uint8",
            "photometric": "MONOCHROME2",
            **fields,
        },
    )
    if is_new and not default_storage.exists(asset.storage_name):
        default_storage.save(asset.storage_name, ContentFile(content))
    return asset


def make_case(benchmark: Benchmark, key: str = "case1", *, images: int = 1, **fields: Any) -> Case:
    """A case with two options over freshly stored images."""
    position = benchmark.cases.count() + 1
    case = Case.objects.create(
        benchmark=benchmark,
        key=key,
        position=position,
        **{
            "question": "Is there a bright square?",
            "options": {"A": "yes", "B": "no"},
            "answer": "A",
            "content_digest": uuid.uuid4().hex * 2,
            "input_digest": uuid.uuid4().hex * 2,
            **fields,
        },
    )
    for number in range(1, images + 1):
        CaseImage.objects.create(case=case, number=number, asset=make_asset(seed=1000 * position + number))
    CaseFacts.objects.create(
        case=case,
        benchmark_id=benchmark.pk,
        position=position,
        image_count=images,
        is_open=not case.is_probe,
        order_key=position,
        draw_key=draw_key(benchmark.order_seed, case.pk),
    )
    return case
