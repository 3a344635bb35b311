"""Train a weight set of the demo family: `python -m inference.adapters.demo.train --out DIR`.

Needs no network and no database. A run that was stopped goes on from DIR's checkpoint; the result is
DIR/model.WEIGHTS.safetensors beside configuration, tokenizer and processor.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from inference.adapters.demo.checkpoints import write_common, write_weights
from inference.adapters.demo.recipe import RECIPES
from inference.adapters.demo.training import material, train
from inference.adapters.demo.vocabulary import build_tokenizer


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, store, and say how long it took. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m inference.adapters.demo.train", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--weights", choices=sorted(RECIPES), default="trained")
    parser.add_argument("--steps-scale", type=float, default=1.0, help="fewer or more steps and pictures")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="processes that draw pictures")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    torch.set_num_threads(chosen.threads)
    # As the shipped sets were trained; it says nothing to a CPU.
    torch.backends.cuda.matmul.allow_tf32 = True
    recipe = RECIPES[chosen.weights].scaled(chosen.steps_scale)
    began = time.monotonic()
    chosen.out.mkdir(parents=True, exist_ok=True)
    drawn = material(recipe, workers=chosen.workers)
    going = train(recipe, build_tokenizer(), drawn, folder=chosen.out, device=chosen.device)
    write_common(chosen.out)
    path = write_weights(going.model, chosen.out, chosen.weights)
    told = {
        "weights": chosen.weights,
        "recipe": asdict(recipe),
        "device": chosen.device,
        "minutes": round((time.monotonic() - began) / 60, 1),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "last_loss": going.losses[-1],
    }
    path.with_suffix(".json").write_text(json.dumps(told, indent=2) + "\n")
    logging.getLogger(__name__).info("%s written after %s minutes", path.name, told["minutes"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
