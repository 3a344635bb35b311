"""Training by a recipe, step by step. What a step sees depends on the recipe's seed and the step's number alone."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inference.adapters.demo.architecture import new_model
from inference.adapters.demo.examples import (
    TURNS,
    Asked,
    Example,
    Picture,
    draw_question,
    examples,
    fetal_example,
    organ_example,
    turned,
    with_options,
)
from inference.adapters.demo.losses import (
    CellHeads,
    answer_loss,
    attention_loss,
    cell_labels,
    cell_loss,
    image_features,
    run,
)
from inference.adapters.demo.packing import IGNORED, Words, pack, pixel_values
from inference.adapters.demo.recipe import Recipe
from inference.attention.capture import SELECTED_ROWS

logger = logging.getLogger(__name__)

WARM_UP_SHARE = 0.04
LAST_RATE = 0.03
KEPT_EVERY = 200
LOGGED_EVERY = 50
_WARM, _MAIN = 1, 2  # streams of random numbers


@dataclass
class Run:
    """A training run as it stands."""

    model: Any
    heads: CellHeads
    optimizer: torch.optim.Optimizer
    stage: int
    step: int
    losses: list[float]


@dataclass(frozen=True)
class Material:
    """Everything a run draws from."""

    organs: tuple[list[Example], ...]  # by number of images, from 1
    fetal: list[Example]


def material(recipe: Recipe, *, workers: int = 1) -> Material:
    """The pictures of a recipe, drawn from its seed."""
    make = partial(examples, workers=workers)
    counts = (recipe.single_cases, recipe.several_cases, recipe.several_cases)
    organs = tuple(
        make(
            partial(organ_example, seed=recipe.data_seed, images=images),
            count if recipe.several_share[images - 1] else 0,
        )
        for images, count in enumerate(counts, start=1)
    )
    fetal = make(partial(fetal_example, seed=recipe.data_seed), recipe.fetal_cases if recipe.fetal_share else 0)
    return Material(organs, fetal)


def train(
    recipe: Recipe,
    tokenizer: Any,
    drawn: Material,
    *,
    folder: Path | None = None,
    device: str = "cpu",
) -> Run:
    """A run from its start, or from where the folder's checkpoint stands, to its end.

    Parameters
    ----------
    recipe
        What to do.
    tokenizer
        The demo's.
    drawn
        `material(recipe)`.
    folder
        Where to keep a checkpoint; None keeps none.
    device
        Of the weights. The same recipe on the same kind of device gives the same weights.
    """
    words = Words(tokenizer)
    at = torch.device(device)
    model = new_model(len(tokenizer), recipe.seed, SELECTED_ROWS).to(at).train()
    heads = CellHeads(recipe.seed).to(at)
    going = Run(model, heads, _optimizer(model, heads, recipe.warm_rate, 1.0), _WARM, 0, [])
    kept = None if folder is None else folder / "checkpoint.pt"
    if kept is not None and kept.is_file():
        _resume(going, kept, recipe, at)
    for stage, steps, one_step in (
        (_WARM, recipe.warm_steps, partial(_warm_step, drawn=drawn)),
        (_MAIN, recipe.steps, partial(_main_step, drawn=drawn, words=words)),
    ):
        if going.stage > stage:
            continue
        if going.stage < stage:
            going.stage, going.step = stage, 0
            going.optimizer = _optimizer(model, heads, recipe.rate, recipe.vision_rate)
        _stage(going, steps, recipe, partial(one_step, recipe=recipe, device=at), kept)
    return going


def _stage(
    going: Run,
    steps: int,
    recipe: Recipe,
    one_step: Callable[..., dict[str, torch.Tensor]],
    kept: Path | None,
) -> None:
    base = recipe.warm_rate if going.stage == _WARM else recipe.rate
    began = time.monotonic()
    while going.step < steps:
        for group in going.optimizer.param_groups:
            group["lr"] = base * group["scale"] * _rate_at(going.step / steps)
        rng = np.random.default_rng([recipe.seed, going.stage, going.step])
        parts = one_step(going, rng, done=going.step / steps)
        going.optimizer.zero_grad(set_to_none=True)
        parts["loss"].backward()  # type: ignore[no-untyped-call]
        trainable = [weight for group in going.optimizer.param_groups for weight in group["params"]]
        torch.nn.utils.clip_grad_norm_(trainable, 1.0)
        going.optimizer.step()
        going.step += 1
        if going.step % LOGGED_EVERY == 0 or going.step == steps or steps < LOGGED_EVERY:
            going.losses.append(float(parts["loss"].detach()))
            told = " ".join(f"{name} {float(value.detach()):.3f}" for name, value in parts.items())
            logger.info("stage %d step %d/%d %.0f s %s", going.stage, going.step, steps, time.monotonic() - began, told)
        if kept is not None and going.step % KEPT_EVERY == 0:
            _keep(going, kept, recipe)


def _rate_at(done: float) -> float:
    """Warm-up, then a cosine down to a small rest."""
    if done < WARM_UP_SHARE:
        return (done + 1e-3) / (WARM_UP_SHARE + 1e-3)
    return LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * done)) / 2


def _warm_step(
    going: Run, rng: np.random.Generator, *, drawn: Material, recipe: Recipe, device: torch.device, done: float
) -> dict[str, torch.Tensor]:
    """The vision model alone, on what each cell shows."""
    del done
    pool = drawn.organs[0]
    pictures = [_turned_at_random(rng, pool[int(one)].pictures)[0] for one in _pick(rng, pool, recipe.warm_pictures)]
    logits = going.heads(image_features(going.model, pixel_values(pictures).to(device)))
    labels = {name: values.to(device) for name, values in cell_labels(pictures).items()}
    shown = labels["size"] != IGNORED
    right = logits["kind"].argmax(dim=-1) == labels["kind"]
    return {"loss": cell_loss(logits, labels), "kind": right[shown].float().mean()}


def _main_step(
    going: Run,
    rng: np.random.Generator,
    *,
    drawn: Material,
    words: Words,
    recipe: Recipe,
    device: torch.device,
    done: float,
) -> dict[str, torch.Tensor]:
    """The whole model: answers, attention at the supervised layer, and, until it fades, the cells."""
    cases, asked = _drawn_batch(rng, drawn, recipe)
    routed = rng.random((len(cases), len(asked[0]))) < recipe.routed
    packed = pack(cases, asked, words, routed=routed).to(device)
    passed = run(going.model, packed)
    parts = {"answer": answer_loss(passed, packed.labels)}
    parts["right"] = (passed.logits[:, :, 0].argmax(-1) == packed.labels[:, :, 0]).float().mean()
    parts["attention"] = attention_loss(passed, packed.targets, form=recipe.attention_form)
    loss = parts["answer"]
    if done < recipe.attention_until:
        loss = loss + recipe.attention_weight * parts["attention"]
    fade = _fade(done, recipe.cell_fade)
    if fade and recipe.cell_weight:
        pictures = [picture for pictures in cases for picture in pictures]
        labels = {name: values.to(device) for name, values in cell_labels(pictures).items()}
        parts["cells"] = cell_loss(going.heads(passed.features), labels)
        loss = loss + recipe.cell_weight * fade * parts["cells"]
    return {"loss": loss, **parts}


def _fade(done: float, between: tuple[float, float]) -> float:
    start, end = between
    return min(1.0, max(0.0, (end - done) / (end - start)))


def _drawn_batch(
    rng: np.random.Generator, drawn: Material, recipe: Recipe
) -> tuple[list[tuple[Picture, ...]], list[list[Asked]]]:
    if drawn.fetal and rng.random() < recipe.fetal_share:
        count = 2 * recipe.pictures  # one question a picture: short sequences
        chosen = [drawn.fetal[int(one)] for one in _pick(rng, drawn.fetal, count)]
        asked = [[with_options(rng, q) if rng.random() < recipe.letters else q for q in one.asked] for one in chosen]
        return [one.pictures for one in chosen], asked
    images = 1 + int(rng.choice(3, p=np.array(recipe.several_share) / sum(recipe.several_share)))
    pool = drawn.organs[images - 1]
    numbers = _pick(rng, pool, max(1, recipe.pictures // images))
    cases = [_turned_at_random(rng, pool[int(one)].pictures) for one in numbers]
    asked = [
        [draw_question(rng, case, recipe.shares, letters=recipe.letters) for _ in range(recipe.questions)]
        for case in cases
    ]
    return cases, asked


def _pick(rng: np.random.Generator, pool: Sequence[Example], count: int) -> list[int]:
    return [int(one) for one in rng.integers(0, len(pool), count)]


def _turned_at_random(rng: np.random.Generator, pictures: Sequence[Picture]) -> tuple[Picture, ...]:
    return tuple(turned(picture, int(rng.integers(TURNS))) for picture in pictures)


def _optimizer(model: Any, heads: CellHeads, rate: float, vision_rate: float) -> torch.optim.Optimizer:
    """AdamW with weight decay on matrices. What lies behind the cells' features is left out: nothing reads it."""
    groups: dict[tuple[float, float], list[torch.Tensor]] = {}
    named = [*model.named_parameters(), *((f"heads.{name}", weight) for name, weight in heads.named_parameters())]
    for name, weight in named:
        if "post_layernorm" in name:
            continue
        scale = vision_rate if "vision_tower" in name or name.startswith("heads.") else 1.0
        groups.setdefault((scale, 0.05 if weight.ndim >= 2 else 0.0), []).append(weight)
    return torch.optim.AdamW(
        [{"params": weights, "scale": scale, "weight_decay": decay} for (scale, decay), weights in groups.items()],
        lr=rate,
        betas=(0.9, 0.98),
    )


def _keep(going: Run, path: Path, recipe: Recipe) -> None:
    """Written beside and renamed, so that a run killed in the middle leaves the older one whole."""
    beside = path.with_suffix(".new")
    torch.save(
        {
            "recipe": repr(recipe),
            "model": going.model.state_dict(),
            "heads": going.heads.state_dict(),
            "optimizer": going.optimizer.state_dict(),
            "stage": going.stage,
            "step": going.step,
            "losses": going.losses,
        },
        beside,
    )
    beside.replace(path)


def _resume(going: Run, path: Path, recipe: Recipe, device: torch.device) -> None:
    stored = torch.load(path, map_location=device, weights_only=True)
    if stored["recipe"] != repr(recipe):
        raise ValueError(f"{path} belongs to another recipe; remove it to start anew")
    going.model.load_state_dict(stored["model"])
    going.heads.load_state_dict(stored["heads"])
    going.stage, going.step, going.losses = stored["stage"], stored["step"], stored["losses"]
    if going.stage == _MAIN:
        going.optimizer = _optimizer(going.model, going.heads, recipe.rate, recipe.vision_rate)
    going.optimizer.load_state_dict(stored["optimizer"])
    logger.info("going on at stage %d, step %d", going.stage, going.step)
