"""What attention maps cost a LLaVA: plain SDPA, SDPA with selected rows, and eager with `output_attentions`.

    python perf/attention.py [--size tiny|7b] [--device auto|cpu|cuda] [--dtype DTYPE] [--images 1 4] [--n 3]

A case costs two forward passes, one under the question and one under the general prompt, without generating, exactly
as `inference.adapters.llava` makes them. The model has the asked shape and random weights, built in memory; all three
ways run the same weights, in turn, so that a busy machine slows all of them. Time is the median of n cases after
warm-up, with CUDA synchronised. Peak memory is what CUDA allocated, or on a CPU the resident set; "above idle" is that
less what was held before the case, weights above all. Then: how far the selected rows are from eager's, in float32. The
first layer compares the rows alone; later ones also see what SDPA and eager round differently on the way.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoModelForImageTextToText, CLIPVisionConfig, LlamaConfig, LlavaConfig

from inference.attention.capture import SELECTED_ROWS, capture_attention

PATCH_PX = 14
GRID = 24
CELLS = GRID * GRID
WARM_UP = 2
TEXT_TOKENS = {"question": 60, "general": 24}
# Random weights attend to everything alike, which would make any two ways agree: queries are scaled up to be choosy.
SHARPER = 60.0
MB = 1e6


@dataclass(frozen=True)
class Shape:
    """What sets a model's size: (width, mlp, layers, heads) of the vision tower and of the language model."""

    vision: tuple[int, int, int, int]
    text: tuple[int, int, int, int]
    vocabulary: int

    def config(self) -> Any:
        """The model's configuration, at 336 px and 24 x 24 image tokens."""
        return LlavaConfig(
            vision_config=CLIPVisionConfig(**_sizes(self.vision), image_size=GRID * PATCH_PX, patch_size=PATCH_PX),
            text_config=LlamaConfig(
                **_sizes(self.text), vocab_size=self.vocabulary, max_position_embeddings=4096, rms_norm_eps=1e-5
            ),
            image_token_index=self.vocabulary - 1,
            vision_feature_layer=-2,
            vision_feature_select_strategy="default",
        )


@dataclass(frozen=True)
class Case:
    """One forward pass's input."""

    ids: torch.Tensor  # (1, tokens)
    columns: torch.Tensor  # (1, image tokens)
    pixels: torch.Tensor  # (images, 3, rows, columns)


@dataclass
class Cost:
    """What the cases of one way cost."""

    seconds: list[float]
    peak: list[float]  # bytes
    above: list[float]  # bytes, without what was held before

    def figures(self) -> tuple[float, float, float]:
        """Median milliseconds; peak and peak above idle in MB."""
        return statistics.median(self.seconds) * 1000, max(self.peak) / MB, max(self.above) / MB


SHAPES = {
    "tiny": Shape(vision=(64, 256, 3, 4), text=(256, 704, 2, 8), vocabulary=1024),
    "7b": Shape(vision=(1024, 4096, 24, 16), text=(4096, 11008, 32, 32), vocabulary=32064),  # LLaVA-1.5-7B
}


def _sizes(numbers: tuple[int, int, int, int]) -> dict[str, Any]:
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    return dict(zip(names, numbers, strict=True))


def build(size: str, device: torch.device, dtype: torch.dtype) -> Any:
    """A model with random weights, the same for the same arguments."""
    torch.manual_seed(0)
    with device:
        model: Any = AutoModelForImageTextToText.from_config(SHAPES[size].config(), dtype=dtype)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "language_model" in name and name.endswith("q_proj.weight"):
                weights.mul_(SHARPER * (256 / weights.shape[1]))
    return model.to(device).eval()


def make_case(model: Any, images: int, text_tokens: int) -> Case:
    """Random pixels and a random prompt: a beginning, the image tokens, then text."""
    draw = torch.Generator().manual_seed(images)
    image_token = int(model.config.image_token_id)
    text = torch.randint(3, image_token, (text_tokens,), generator=draw)
    ids = torch.cat([text[:1], torch.full((images * CELLS,), image_token), text[1:]])[None]
    side = GRID * PATCH_PX
    pixels = torch.randn(images, 3, side, side, generator=draw)
    columns = (ids[0] == image_token).nonzero()[:, 0][None]
    return Case(ids.to(model.device), columns.to(model.device), pixels.to(model.device, model.dtype))


def forward(model: Any, case: Case, **more: bool) -> Any:
    """One pass, as the adapter makes it."""
    return model(
        input_ids=case.ids,
        attention_mask=torch.ones_like(case.ids),
        pixel_values=case.pixels,
        logits_to_keep=1,
        use_cache=False,
        **more,
    )


def run_plain(model: Any, case: Case) -> torch.Tensor:
    return torch.as_tensor(forward(model, case).logits[0, -1].float().cpu())


def run_selected(model: Any, case: Case) -> torch.Tensor:
    """(layers, image tokens): attention of the last input token, mean over heads."""
    with capture_attention([-1], case.columns) as capture:
        forward(model, case)
    return capture.stacked()[:, 0, 0].float().cpu()


def run_eager(model: Any, case: Case) -> torch.Tensor:
    """The same out of the full attention of every layer."""
    attentions = forward(model, case, output_attentions=True).attentions
    return torch.stack([layer[0, :, -1, case.columns[0]].float().mean(dim=0) for layer in attentions]).cpu()


WAYS: dict[str, tuple[str | dict[str, str], Callable[[Any, Case], torch.Tensor]]] = {
    "plain SDPA, no maps": ("sdpa", run_plain),
    "SDPA + selected rows": (SELECTED_ROWS, run_selected),
    "eager, all attention": ("eager", run_eager),
}


def held(device: torch.device) -> float:
    """Bytes held now; starts the peak anew."""
    if device.type == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        return float(torch.cuda.memory_allocated())
    try:
        ctypes.CDLL(None).malloc_trim(0)  # freed blocks back to the system, or they would count as held
        Path("/proc/self/clear_refs").write_text("5")
        return _status("VmRSS")
    except (OSError, AttributeError):
        return float("nan")  # not Linux with glibc, or not allowed here


def peak(device: torch.device) -> float:
    """The most bytes held since `held`."""
    if device.type == "cuda":
        torch.cuda.synchronize()
        return float(torch.cuda.max_memory_allocated())
    try:
        return _status("VmHWM")
    except OSError:
        return float("nan")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


@torch.inference_mode()
def measure(model: Any, images: int, n: int) -> dict[str, Cost]:
    """n cases each way after warm-up, the ways in turn."""
    cases = [make_case(model, images, tokens) for tokens in TEXT_TOKENS.values()]
    costs = {way: Cost([], [], []) for way in WAYS}
    for turn in range(WARM_UP + n):
        for way, (implementation, run) in WAYS.items():
            model.set_attn_implementation(implementation)
            gc.collect()
            before = held(model.device)
            began = time.perf_counter()
            for case in cases:
                run(model, case)
            most = peak(model.device)  # waits for the device
            took = time.perf_counter() - began
            if turn >= WARM_UP:
                costs[way].seconds.append(took)
                costs[way].peak.append(most)
                costs[way].above.append(most - before)
    return costs


@torch.inference_mode()
def differ(model: Any, images: int) -> tuple[float, float, float]:
    """Largest |selected rows - eager| in the first layer and in any, over both prompts; and the largest weight."""
    first = far = largest = 0.0
    for tokens in TEXT_TOKENS.values():
        case = make_case(model, images, tokens)
        rows = []
        for implementation, run in (WAYS["SDPA + selected rows"], WAYS["eager, all attention"]):
            model.set_attn_implementation(implementation)
            rows.append(run(model, case))
        apart = (rows[0] - rows[1]).abs()
        first, far = max(first, float(apart[0].max())), max(far, float(apart.max()))
        largest = max(largest, float(rows[1].max()))
    return first, far, largest


def tell(title: str, costs: dict[str, Cost]) -> None:
    print(f"\n{title}")
    print(f"{'':22}{'ms':>10}{'x plain':>9}{'peak MB':>11}{'x plain':>9}{'above idle MB':>15}{'x plain':>9}")
    plain = next(iter(costs.values())).figures()
    for way, cost in costs.items():
        ms, most, above = cost.figures()
        print(
            f"{way:22}{ms:10.1f}{ms / plain[0]:9.2f}{most:11.0f}{most / plain[1]:9.2f}"
            f"{above:15.0f}{above / max(plain[2], 1e-9):9.2f}"
        )


def tell_difference(size: str, model: Any, images: list[int]) -> None:
    for count in images:
        first, far, largest = differ(model, count)
        print(
            f"{size}, float32, images {count}: max |selected rows - eager| {far:.1e}, {first:.1e} in the first layer "
            f"(largest weight {largest:.3f})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=sorted(SHAPES), default="tiny")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), help="float32 on a CPU, else bfloat16")
    parser.add_argument("--images", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--n", type=int, default=3)
    given = parser.parse_args()
    automatic = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(automatic if given.device == "auto" else given.device)
    dtype = getattr(torch, given.dtype or ("float32" if device.type == "cpu" else "bfloat16"))
    hardware = (
        torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    )
    print(f"{hardware}; torch {torch.__version__}, transformers {transformers.__version__}")
    model = build(given.size, device, dtype)
    for images in given.images:
        longest = images * CELLS + max(TEXT_TOKENS.values())
        title = f"{given.size}, {given.dtype or str(dtype)[6:]}, images {images}, at most {longest} tokens, n {given.n}"
        tell(title, measure(model, images, given.n))
    print()
    if dtype == torch.float32:
        tell_difference(given.size, model, given.images)
    if (given.size, dtype) != ("tiny", torch.float32):
        del model
        tell_difference("tiny", build("tiny", device, torch.float32), given.images)


if __name__ == "__main__":
    main()
