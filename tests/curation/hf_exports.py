"""Writing an export in Hugging Face format and reading it back, and images for it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from curation.exporting import export
from curation.models import Case, CaseImage, ImageAsset
from curation.snapshots import freeze

if TYPE_CHECKING:
    from curation.exporting import ExportReport
    from curation.models import Benchmark


def write(benchmark: Benchmark, out: Path, **options: Any) -> ExportReport:
    snapshot = freeze(benchmark=benchmark, name=f"at {out.name}", actor=None).snapshot
    return export(snapshot=snapshot, format="hf", folder=out, **options)


def rows_of(out: Path, config: str) -> list[dict[str, Any]]:
    return [row for path in sorted((out / "data" / config).iterdir()) for row in pq.read_table(path).to_pylist()]


def load(out: Path, config: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """As a user would, with no network and a cache of its own."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="the extra `hub` is not installed")
    return datasets.load_dataset(str(out), config, cache_dir=str(out.parent / "cache"))


def dicom_asset(frames: int = 3, **fields: Any) -> ImageAsset:
    """A stored 16-bit cine; its bytes are samples alone, since only rows and storage matter here."""
    samples = np.arange(frames * 6 * 8, dtype="<u2").reshape(frames, 6, 8) * 7
    content = samples.tobytes()
    given = {
        "source_sha256": "0" * 64,
        "kind": "dicom",
        "content_type": "application/dicom",
        "byte_size": len(content),
        "width": 8,
        "height": 6,
        "frames": frames,
        "dtype": "uint16",
        "pixel_offset": 0,
        "photometric": "MONOCHROME2",
        "needs_text_check": True,
        **fields,
    }
    asset = ImageAsset.objects.create(sha256=hashlib.sha256(content).hexdigest(), **given)
    default_storage.save(asset.storage_name, ContentFile(content))
    return asset


def with_image(case: Case, asset: ImageAsset, number: int = 2) -> Case:
    CaseImage.objects.create(case=case, number=number, asset=asset, caption="a cine", modality="US")
    return case
