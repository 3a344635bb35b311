"""The demo model's form and its first weights: transformers' own LLaVA classes, small, no code of ours in the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

from inference.adapters.demo.vocabulary import BOS, CONTEXT, EOS, IMAGE, PAD

PATCH_PX = 14
GRID = 12
SIDE_PX = PATCH_PX * GRID
WIDTH = 128
LAYERS = 4
SUPERVISED_LAYER = 2
"""Layer of the language model whose attention is trained towards the region, from 0."""

PIXEL_MEAN = 0.33
PIXEL_STD = 0.22
RANDOM_SEED = 20261122
"""Of the weight set `random`."""

_PLACE_STD = 0.5


def demo_config(vocabulary: int) -> LlavaConfig:
    """The configuration of every weight set; `vocabulary` is the tokenizer's number of tokens."""
    ids: dict[str, Any] = {"pad_token_id": PAD, "bos_token_id": BOS, "eos_token_id": EOS}
    return LlavaConfig(
        vision_config=CLIPVisionConfig(
            hidden_size=WIDTH,
            intermediate_size=3 * WIDTH,
            num_hidden_layers=4,
            num_attention_heads=4,
            image_size=SIDE_PX,
            patch_size=PATCH_PX,
            projection_dim=WIDTH,
        ),
        text_config=LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=WIDTH,
            intermediate_size=2 * WIDTH,
            num_hidden_layers=LAYERS,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=False,
            **ids,
        ),
        image_token_index=IMAGE,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        image_seq_length=GRID * GRID,
        tie_word_embeddings=False,
        **ids,
    )


def new_model(vocabulary: int, seed: int, attention: str | dict[str, str]) -> Any:
    """A model with fresh weights, in float32; the same seed gives the same weights on every machine's CPU.

    Transformers' own 0.02 is too small a spread for layers this narrow: the language model's and the projector's
    matrices are drawn with fan-in spread instead, and cells are told apart by two-dimensional waves from the start.
    """
    with torch.random.fork_rng(devices=[]):  # leaves the caller's random numbers alone
        torch.manual_seed(seed)
        make: Any = LlavaForConditionalGeneration
        model = make._from_config(demo_config(vocabulary), attn_implementation=attention, dtype=torch.float32)
        with torch.no_grad():
            for name, weight in sorted(model.named_parameters()):
                _draw(name, weight)
    return model


def _draw(name: str, weight: torch.Tensor) -> None:
    if "position_embedding" in name:
        weight.copy_(torch.from_numpy(_place_waves()))
    elif "vision_tower" in name or weight.ndim != 2:
        return
    elif "embed_tokens" in name:
        weight.normal_(0, 0.5)
    elif "lm_head" in name:
        weight.normal_(0, 0.04)
    else:
        deep = (2 * LAYERS) ** -0.5 if name.endswith(("o_proj.weight", "down_proj.weight")) else 1.0
        weight.normal_(0, deep * weight.shape[1] ** -0.5)


def _place_waves() -> np.ndarray[Any, np.dtype[np.float32]]:
    """Sines and cosines of row and column at four octaves, none for the class token: (145, width)."""
    places = (np.arange(GRID) + 0.5) / GRID
    angles = np.pi * places[:, None] * 2.0 ** np.arange(4)  # (12, 4)
    waves = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)  # (12, 8)
    rows = np.repeat(waves, GRID, axis=0)
    columns = np.tile(waves, (GRID, 1))
    both = np.concatenate([rows, columns], axis=1)  # (144, 16)
    spread = np.tile(both, (1, WIDTH // both.shape[1])) * (_PLACE_STD / both.std())
    return np.concatenate([np.zeros((1, WIDTH)), spread]).astype(np.float32)
