"""What the demo model is trained on: answers, attention at one layer, and what its image cells show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from curation.phantoms.organs import EDGES, KINDS, SIZES
from inference.adapters.demo.architecture import SUPERVISED_LAYER, WIDTH
from inference.adapters.demo.examples import Picture
from inference.adapters.demo.packing import CELLS, IGNORED, Pack
from inference.attention.capture import capture_attention

BACKGROUND_WEIGHT = 0.25
HEADS = {"kind": (*KINDS, "none"), "size": SIZES, "edge": EDGES, "vertical": ("upper", "lower"),
         "horizontal": ("left", "right")}  # fmt: skip
_FLOOR = 1e-9


@dataclass(frozen=True)
class Passed:
    """What one forward pass over a pack gives."""

    features: torch.Tensor  # (cases * images, cells, width): what the image cells hold before the projector
    logits: torch.Tensor  # (cases, questions, answer tokens, vocabulary): each predicts the label of its place
    attention: torch.Tensor  # (layers, cases, questions, images * cells), mean over heads


class CellHeads(nn.Module):
    """Linear readers of an image cell: which lesion it shows, and that lesion's attributes. Not kept in the model."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.readers = nn.ModuleDict({name: nn.Linear(WIDTH, len(values)) for name, values in HEADS.items()})

    def forward(self, features: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits of each reader, (pictures, cells, values)."""
        return {name: reader(features) for name, reader in self.readers.items()}


def run(model: Any, packed: Pack) -> Passed:
    """One pass over a pack through the model's own parts."""
    inner = model.model
    features = image_features(model, packed.pixels)
    projected = inner.multi_modal_projector(features).reshape(len(packed.ids), packed.images * CELLS, -1)
    embedded = inner.language_model.embed_tokens(packed.ids)
    prefix = packed.images * CELLS + 1
    embedded = torch.cat([embedded[:, :1], projected, embedded[:, prefix:]], dim=1)
    with capture_attention(packed.asking, packed.image_columns) as capture:
        hidden = inner.language_model(
            inputs_embeds=embedded, attention_mask=packed.mask, position_ids=packed.positions, use_cache=False
        ).last_hidden_state
    ending = packed.labels.shape[2]
    rows = torch.tensor(packed.asking, device=hidden.device)[:, None] + torch.arange(ending, device=hidden.device)
    return Passed(features=features, logits=model.lm_head(hidden[:, rows]), attention=capture.stacked())


def image_features(model: Any, pixels: torch.Tensor) -> torch.Tensor:
    """What the vision model says of each cell, (pictures, cells, width); the class token is left out."""
    seen: torch.Tensor = model.model.vision_tower(pixels).last_hidden_state
    return seen[:, 1:]


def answer_loss(passed: Passed, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the answers' tokens and of the end after them."""
    return functional.cross_entropy(passed.logits.flatten(0, 2).float(), labels.flatten(), ignore_index=IGNORED)


def attention_loss(passed: Passed, targets: torch.Tensor, *, form: str) -> torch.Tensor:
    """How far the last prompt token's attention at the supervised layer is from the region; questions with one only.

    Parameters
    ----------
    form
        "kl": relative entropy from the region's uniform map to the map of attention, so that the whole region is to be
        covered; "share": -log of the share of attention inside, which one cell alone can satisfy.
    """
    weights = passed.attention[SUPERVISED_LAYER].flatten(0, 1)
    wanted = targets.flatten(0, 1)
    has_region = wanted.sum(dim=1) > 0
    share = weights / (weights.sum(dim=1, keepdim=True) + _FLOOR)
    if form == "kl":
        each = (wanted * (torch.log(wanted + _FLOOR) - torch.log(share + _FLOOR))).sum(dim=1)
    else:
        each = -torch.log((share * (wanted > 0)).sum(dim=1) + _FLOOR)
    return (each * has_region).sum() / has_region.sum().clamp(min=1)


def cell_labels(pictures: Sequence[Picture]) -> dict[str, torch.Tensor]:
    """What each cell shows, int64 (pictures, cells) by reader; IGNORED where there is nothing to say."""
    labels = {name: np.full((len(pictures), CELLS), IGNORED) for name in HEADS}
    for row, picture in enumerate(pictures):
        if picture.findings:
            labels["kind"][row] = len(KINDS)
        for finding in picture.findings:
            shown = finding.covered.ravel()
            labels["kind"][row, shown] = KINDS.index(finding.kind)
            for name in ("size", "edge", "vertical", "horizontal"):
                value = finding.attribute(name)
                if value is not None:
                    labels[name][row, shown] = HEADS[name].index(value)
    return {name: torch.from_numpy(values) for name, values in labels.items()}


def cell_loss(logits: dict[str, torch.Tensor], labels: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean over the readers of their cross-entropy; cells without a lesion count a quarter."""
    weight = torch.ones(len(HEADS["kind"]), device=labels["kind"].device)
    weight[-1] = BACKGROUND_WEIGHT
    losses = []
    for name, values in logits.items():
        if bool((labels[name] != IGNORED).any()):
            losses.append(
                functional.cross_entropy(
                    values.flatten(0, 1).float(),
                    labels[name].flatten(),
                    weight=weight if name == "kind" else None,
                    ignore_index=IGNORED,
                )
            )
    return torch.stack(losses).mean() if losses else values.sum() * 0
