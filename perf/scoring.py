"""What scoring one reading costs: every grid metric with its nulls, for both maps, as a worker computes it.

    python perf/scoring.py [--layers 32] [--side 24] [--n 5]

Pure numpy, no database: milliseconds of CPU a reading with one region on one image.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from inference.metrics.catalogue import GRID_METRICS
from inference.metrics.grounding import relative_map
from inference.metrics.nulls import score_with_nulls


def score_once(layers: int, side: int, seed: int) -> float:
    """CPU milliseconds of one reading."""
    rng = np.random.default_rng(seed)
    question, general = rng.random((2, layers, side, side), dtype=np.float32) + 0.01
    cells = np.zeros((side, side), dtype=bool)
    cells[side // 4 : side // 2, side // 4 : side // 2] = True
    began = time.process_time()
    for shown in (relative_map(question, general), question):
        for metric in GRID_METRICS.values():
            score_with_nulls(metric, shown, cells)
    return (time.process_time() - began) * 1000


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=32)
    parser.add_argument("--side", type=int, default=24)
    parser.add_argument("--n", type=int, default=5)
    given = parser.parse_args()
    score_once(given.layers, given.side, 0)
    took = [score_once(given.layers, given.side, seed) for seed in range(1, given.n + 1)]
    print(
        f"{len(GRID_METRICS)} metrics, 2 maps, {given.layers} layers of {given.side} x {given.side} cells: "
        f"median {statistics.median(took):.0f} ms CPU a reading, worst {max(took):.0f} ms, n {given.n}"
    )


if __name__ == "__main__":
    main()
