"""Try a weight set on cases nobody trained on: `python -m inference.adapters.demo.evaluate --weights trained`.

Prints accuracy by kind of question and attention by layer, with intervals and nulls, and what happens to the answers
when the region is taken away. `--card` writes the same tables into CARD.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from inference.adapters.demo.adapter import DemoAdapter
from inference.adapters.demo.causal import effects
from inference.adapters.demo.checkpoints import WEIGHT_SETS
from inference.adapters.demo.evaluation import accuracy, best_layer, image_found, layers
from inference.adapters.demo.packing import Words
from inference.adapters.demo.readings import DEVELOPMENT_SEED, HELD_OUT_SEED, HeldOut, fetal_cases, organ_cases, read
from inference.adapters.demo.report import accuracy_table, effect_table, layer_table, with_tables

CARD = Path(__file__).parent / "CARD.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate and print. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m inference.adapters.demo.evaluate", description=__doc__)
    parser.add_argument("--weights", choices=WEIGHT_SETS, default="trained")
    parser.add_argument("--cases", type=int, default=200, help="organ cases with one image; the others follow it")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--card", action="store_true", help="write the tables into CARD.md")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    told = tables(chosen.weights, chosen.cases, say=lambda text: print(f"{text}\n", flush=True))
    if chosen.card:
        CARD.write_text(with_tables(CARD.read_text(encoding="utf-8"), chosen.weights, told), encoding="utf-8")
    return 0


def tables(weights: str, cases: int, *, say: Callable[[str], None]) -> str:
    """Every table of a weight set, said one by one and given back as one text."""
    adapter = DemoAdapter({"weights": weights, "device": "cpu"})
    model, words = adapter.model, Words(adapter.tokenizer)
    parts: list[str] = []

    def tell(title: str, table: str) -> None:
        parts.append(f"**{title}**\n\n{table}")
        say(parts[-1])

    layer = best_layer(layers(read(model, words, organ_cases(max(cases // 4, 5), seed=DEVELOPMENT_SEED, images=1))))
    tell(f"Layer chosen on the development seed: {layer}", f"Weight set `{weights}`, held-out seed {HELD_OUT_SEED}.")
    single = organ_cases(cases, seed=HELD_OUT_SEED, images=1)
    for name, held in _groups(single, cases).items():
        _tell_group(tell, name, held, model, words, layer)
    few = single[: max(cases // 2, 5)]
    tell(f"Causal checks on {len(few)} cases with one image", effect_table(effects(model, words, few)))
    return "\n\n".join(parts)


def _groups(single: list[HeldOut], cases: int) -> dict[str, list[HeldOut]]:
    fewer = max(cases // 4, 5)
    return {
        "organs, one image": single,
        "organs, two images": organ_cases(fewer, seed=HELD_OUT_SEED, images=2),
        "organs, three images": organ_cases(fewer, seed=HELD_OUT_SEED, images=3),
        "fetal phantoms": fetal_cases(2 * cases, seed=HELD_OUT_SEED),
    }


def _tell_group(
    tell: Callable[[str, str], None], name: str, held: list[HeldOut], model: Any, words: Words, layer: int
) -> None:
    readings = read(model, words, held)
    tell(f"Accuracy: {name} ({len(held)} cases)", accuracy_table(accuracy(readings)))
    text = layer_table(layers(readings))
    if len(held[0].pictures) > 1:
        found = image_found(readings, layer)
        low, high = found.interval
        text += f"\n\nThe target's image gets most attention at layer {layer}: "
        text += f"{found.mean:.2f} [{low:.2f}, {high:.2f}]."
    tell(f"Attention by layer: {name}", text)


if __name__ == "__main__":
    sys.exit(main())
