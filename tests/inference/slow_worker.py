"""A real Celery worker, `-A tests.inference.slow_worker`, whose planted model takes until a file is gone."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from celery.signals import celeryd_init

from config.celery import app
from inference import registry
from inference.adapters import planted
from inference.adapters.base import AdapterCard, CaseInput, CaseOutput

__all__ = ["app", "load"]


@celeryd_init.connect
def take_the_place_of_planted(**_: object) -> None:
    """Only in a worker: a test session that merely imports this module keeps its families."""
    registry.FAMILIES["planted"] = __name__


class SlowAdapter:
    """The planted control, but it says when it begins and waits until it may go on."""

    def __init__(self, inner: planted.PlantedAdapter) -> None:
        self.inner = inner

    def describe(self) -> AdapterCard:
        return self.inner.describe()

    def predict(self, case: CaseInput) -> CaseOutput:
        folder = Path(os.environ["SIGHTLINE_VAR"])
        (folder / "begun").touch()
        while (folder / "hold").exists():
            time.sleep(0.02)
        return self.inner.predict(case)


def load(source: str, revision: str, settings: Mapping[str, str]) -> SlowAdapter:
    return SlowAdapter(planted.load(source, revision, settings))
