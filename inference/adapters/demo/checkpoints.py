"""The weight sets on disk: one folder of configuration, tokenizer and processor, one safetensors file a set."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import GenerationConfig

from inference.adapters.demo.architecture import (
    PIXEL_MEAN,
    PIXEL_STD,
    RANDOM_SEED,
    SIDE_PX,
    demo_config,
    new_model,
)
from inference.adapters.demo.vocabulary import BOS, EOS, PAD, build_tokenizer

CHECKPOINT = Path(__file__).parent / "checkpoint"
WEIGHT_SETS = ("trained", "random", "share")
STORED_SETS = ("trained", "share")


def weights_path(folder: Path, weights: str) -> Path:
    """File of a stored weight set; transformers finds it as the variant of that name."""
    return folder / f"model.{weights}.safetensors"


def write_weights(model: Any, folder: Path, weights: str) -> Path:
    """A model's weights as a stored set, in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    path = weights_path(folder, weights)
    half = {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in model.state_dict().items()}
    save_file(half, path, metadata={"format": "pt"})
    return path


def write_common(folder: Path) -> None:
    """Everything that the weight sets share: configuration, tokenizer with chat template, image processor."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer()
    tokenizer.save_pretrained(folder)
    config = demo_config(len(tokenizer))
    config.architectures = ["LlavaForConditionalGeneration"]
    config.save_pretrained(folder)
    GenerationConfig(pad_token_id=PAD, bos_token_id=BOS, eos_token_id=EOS).save_pretrained(folder)
    square = {"height": SIDE_PX, "width": SIDE_PX}
    processor = {
        "image_processor_type": "LlavaImageProcessor",
        "do_convert_rgb": True,
        "do_pad": False,
        "do_resize": True,
        "size": square,
        "resample": 3,
        "do_center_crop": False,
        "crop_size": square,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [PIXEL_MEAN] * 3,
        "image_std": [PIXEL_STD] * 3,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor, indent=2) + "\n")


def random_model(vocabulary: int, attention: str | dict[str, str]) -> Any:
    """The weight set `random`: the configuration with weights as training would start from, of a seed of its own."""
    return new_model(vocabulary, RANDOM_SEED, attention)


def weights_digest(model: Any) -> str:
    """sha256 over every weight in half precision, in hex: of a stored set the same whatever it is loaded as."""
    sum_of_all = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        sum_of_all.update(name.encode())
        sum_of_all.update(value.detach().to("cpu", torch.float16).contiguous().numpy().tobytes())
    return sum_of_all.hexdigest()
