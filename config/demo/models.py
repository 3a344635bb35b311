"""The demo's models: an exact control and an untrained one over real images, three of the family demo over phantoms."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from django.utils.module_loading import import_string

from inference.enrolling import UnusableModel, enrol, register_model
from inference.models import Enrolment, ModelVersion

if TYPE_CHECKING:
    from pathlib import Path

    from curation.models import Benchmark

PLANTED = "planted"
TINY = "tiny-llava"
# The weights that each of them takes (inference/adapters/demo/): one that looks where it should, the same without
# training, and one whose attention was trained for its share alone.
DEMO = {"demo-trained": "trained", "demo-random": "random", "demo-share": "share"}
# Where they were taught to look (from 0): named here beforehand, not picked as the best layer of what is shown.
TAUGHT_LAYER = 2


def add_phantom_models(benchmark: Benchmark) -> list[str]:
    """Register the three demo models and enrol them, live; returns the names of those that read the benchmark.

    Where torch and transformers are not installed, none does.
    """
    found = [ModelVersion.objects.filter(name=name).first() or _demo(name) for name in DEMO]
    return [_enrolled(benchmark, model) for model in found if model is not None]


def _demo(name: str) -> ModelVersion | None:
    try:
        settings = {"weights": DEMO[name], "headline_layer": str(TAUGHT_LAYER)}
        return register_model(name=name, family="demo", settings=settings)[0]
    except (ImportError, UnusableModel):
        return None


def add_models(benchmark: Benchmark, *, folder: Path) -> list[str]:
    """Register and enrol both, live; returns the names of those that read the benchmark.

    The second one needs torch and transformers: where they are not installed it is left out.
    """
    read = [_enrolled(benchmark, _planted())]
    tiny = ModelVersion.objects.filter(name=TINY).first() or _tiny(folder / TINY)
    if tiny is not None:
        read.append(_enrolled(benchmark, tiny))
    return read


def _planted() -> ModelVersion:
    known = ModelVersion.objects.filter(name=PLANTED).first()
    return known or register_model(name=PLANTED, family="planted")[0]


def _tiny(folder: Path) -> ModelVersion | None:
    # What this command prints is shown whole when the product starts: no progress bars in it.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        # By its path, so that a second run, which finds it registered, never waits for torch.
        build = import_string("inference.adapters.tiny.build_tiny_llava")
        return register_model(name=TINY, family="llava", source=str(build(folder)))[0]
    except (ImportError, UnusableModel):
        return None


def _enrolled(benchmark: Benchmark, model: ModelVersion) -> str:
    if not Enrolment.objects.filter(benchmark=benchmark, model=model, is_live=True).exists():
        enrol(benchmark=benchmark, model=model, is_live=True)
    return model.name
