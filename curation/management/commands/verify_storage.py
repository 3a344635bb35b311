"""Prove that stored bytes equal their names."""

from __future__ import annotations

from typing import Any

from curation.images import storage_faults
from curation.management.command import Command as Base
from curation.management.command import Failed
from curation.models import ImageAsset


class Command(Base):
    help = "Read every stored image and compare its bytes with the sha256 that names it."

    def handle(self, **options: Any) -> None:
        faults = list(storage_faults())
        rows = [{"name": name, "fault": fault} for name, fault in faults]
        count = ImageAsset.objects.count()
        lines = [f"{name}: {fault}" for name, fault in faults]
        lines.append(f"{count} images looked at, {len(faults)} faulty")
        self.report({"images": count, "faults": rows}, lines=lines, as_json=options["json"])
        if faults:
            raise Failed(f"{len(faults)} stored images are not what their names say")
