"""Family `demo`: the small LLaVA of this folder, trained on generated phantoms, and its two controls.

Settings: those of `inference.adapters.llava`, and weights (trained, random or share). `trained` was taught to answer
and, by the lesions' boxes, where to look; `share` was taught to look by another loss; `random` was taught nothing.
CARD.md has the numbers. No source is given: the weights lie in this folder, the random ones are made from a seed.

How an option is chosen. By default (`forced_choice=text`) the model is asked without its options, and they are compared
as continuations, in lower case; with `forced_choice=letter` it is shown them and chooses a letter. A case's history is
not shown to it: it has never seen one. An image of any size is stretched to 168 x 168 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from transformers import LlavaForConditionalGeneration

from inference import prompts
from inference.adapters.base import CaseInput, digest
from inference.adapters.demo.checkpoints import CHECKPOINT, WEIGHT_SETS, random_model, weights_digest
from inference.adapters.llava import LlavaAdapter
from inference.attention.capture import SELECTED_ROWS

NOTES = {
    "trained": "attention supervised at layer 2, box labels used; trained on synthetic phantoms only",
    "random": "random weights, untrained: the null control of the demo model",
    "share": "attention supervised at layer 2 by its share inside the box: high ratio, poor spread; synthetic phantoms",
}


class DemoAdapter(LlavaAdapter):
    """One loaded weight set of the demo model. Made by `load`."""

    family = "demo"

    def __init__(self, settings: Mapping[str, str]) -> None:
        given = dict(settings)
        self.weights = given.pop("weights", "trained")
        if self.weights not in WEIGHT_SETS:
            raise ValueError(f"setting weights={self.weights} is none of {', '.join(WEIGHT_SETS)}")
        super().__init__(CHECKPOINT, {"forced_choice": "text", "max_new_tokens": "4"} | given)

    def _with_weights(self, offline: dict[str, Any]) -> Any:
        if self.weights == "random":
            return random_model(len(self.tokenizer), SELECTED_ROWS).to(
                torch.float32 if self.dtype == "auto" else self.dtype
            )
        make: Any = LlavaForConditionalGeneration
        return make.from_pretrained(
            self.folder,
            variant=self.weights,
            use_safetensors=True,
            dtype=self.dtype,
            attn_implementation=SELECTED_ROWS,
            **offline,
        )

    def _told(self) -> tuple[bool, str]:
        return self.weights != "random", NOTES[self.weights]

    def _answer_prompt(self, case: CaseInput) -> str:
        options = case.options if self.forced_choice == "letter" else None
        return prompts.answer_prompt(case.question, options, "")

    def _ending(self, letter: str, text: str) -> str:
        return super()._ending(letter, text.lower())

    @cached_property
    def _weights_digest(self) -> str:
        return digest({self.weights: weights_digest(self.model)})


def load(source: str, revision: str, settings: Mapping[str, str]) -> DemoAdapter:
    """The demo model with one of its weight sets.

    Parameters
    ----------
    source, revision
        Must be empty: the weights are the family's own.
    settings
        As the module says.

    Raises
    ------
    ValueError
        If a source or revision is given, or a setting is wrong.
    """
    if source or revision:
        raise ValueError(f"family demo has its own weights and takes no source or revision, not {source or revision!r}")
    return DemoAdapter(settings)
