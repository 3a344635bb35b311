"""A very small LLaVA with random weights, built from its configuration without any download.

It goes through everything that a trained LLaVA goes through and knows nothing: the null control beside which a trained
model's numbers are read, and what the tests of the family run on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    PreTrainedTokenizerFast,
)
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

from inference.prompts import answer_prompt, general_prompt, question_prompt

NOTE = "random weights, untrained: its numbers are a null control"
PATCH_PX = 14
GRID = 8
SIDE_PX = PATCH_PX * GRID
CONTEXT = 4096
SPECIAL = ("<pad>", "<s>", "</s>", "<image>")
FITS = ("pad", "crop", "squash")
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] | upper }}: "
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>\n{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %} ASSISTANT:{% endif %}"
)


def build_tiny_llava(folder: Path, *, seed: int = 0, fit: str = "pad", layers: int = 3) -> Path:
    """Write a random LLaVA of some 100,000 weights, its tokenizer and its processor to a folder.

    The same arguments write the same weights, byte for byte.

    Parameters
    ----------
    folder
        Where to; made if it is not there.
    seed
        Of the random weights.
    fit
        How the processor brings an image to 112 x 112 px: "pad" to a square (as LLaVA-Med), "crop" the centre (as
        LLaVA-1.5 in transformers) or "squash".
    layers
        Layers of the language model.

    Returns
    -------
    The folder.

    Raises
    ------
    ValueError
        If `fit` is none of the three.
    """
    if fit not in FITS:
        raise ValueError(f"fit {fit!r} is none of {', '.join(FITS)}")
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    _image_processor(fit).save_pretrained(folder)
    config = _config(len(tokenizer), tokenizer, layers)
    with torch.random.fork_rng(devices=[]):  # leaves the caller's random numbers alone
        torch.manual_seed(seed)
        model: Any = LlavaForConditionalGeneration(config)
    model.eval().save_pretrained(folder, safe_serialization=True)
    (folder / "sightline.json").write_text(json.dumps({"is_trained": False, "note": NOTE}) + "\n")
    return folder


def _config(vocabulary: int, tokenizer: Any, layers: int) -> LlavaConfig:
    ids: dict[str, Any] = dict(zip(("pad_token_id", "bos_token_id", "eos_token_id"), range(3), strict=True))
    return LlavaConfig(
        vision_config=CLIPVisionConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=SIDE_PX,
            patch_size=PATCH_PX,
            projection_dim=32,
        ),
        text_config=LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=layers,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=CONTEXT,
            **ids,
        ),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        image_seq_length=GRID * GRID,
        **ids,
    )


def _image_processor(fit: str) -> LlavaImageProcessorPil:
    square = {"height": SIDE_PX, "width": SIDE_PX}
    return LlavaImageProcessorPil(
        do_pad=fit == "pad",
        do_center_crop=fit != "squash",
        size=square if fit == "squash" else {"shortest_edge": SIDE_PX},
        crop_size=square,
    )


def _tokenizer() -> Any:
    """Byte-level pairs learned on the prompts' own words; every text has tokens, none is unknown."""
    texts = [
        general_prompt(),
        question_prompt("Is there a finding in the image? Which one does the image show?"),
        answer_prompt("What is the most likely diagnosis?", dict.fromkeys("ABCDE", "text"), "History"),
        "USER: ASSISTANT: The answer is A. B. C. D. E. yes no left right upper lower normal abnormal",
    ]
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=440,
        min_frequency=1,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    core.train_from_iterator(texts, trainer)
    make: Any = PreTrainedTokenizerFast
    tokenizer = make(
        tokenizer_object=core,
        **dict(zip(("pad_token", "bos_token", "eos_token"), SPECIAL, strict=False)),
        extra_special_tokens={"image_token": SPECIAL[3]},
        padding_side="left",
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer
