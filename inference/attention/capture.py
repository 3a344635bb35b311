"""Attention of chosen query rows over chosen key columns, taken while a model runs with fast attention.

`output_attentions=True` keeps layers x heads x tokens^2 numbers and forces slow attention. Importing this module
registers the attention implementation "selected_rows" with transformers instead: it runs SDPA, and only while a capture
is active does it compute, in float32, the softmax rows that were asked for. Load a model with `SELECTED_ROWS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "selected_rows"
SELECTED_ROWS: dict[str, str] = {"": "sdpa", "text_config": NAME, "vision_config": "sdpa"}
"""`attn_implementation` of a vision-language model: rows are taken in the language model only."""

# Finite, as in eager attention: the row of a padding token sees nothing, and -inf throughout would make it nan.
_HIDDEN = torch.finfo(torch.float32).min


@dataclass
class AttentionCapture:
    """What one capture keeps of each language layer, in the order in which the model ran."""

    rows: tuple[int, ...]
    columns: torch.Tensor  # (batch, columns), int64
    keep_heads: bool = False
    layers: dict[int, list[torch.Tensor]] = field(default_factory=dict)

    def stacked(self, step: int = 0) -> torch.Tensor:
        """All layers of one forward pass, float32 (layers, batch, rows, columns), with heads before rows if kept.

        Raises
        ------
        ValueError
            If nothing was captured, or a layer is missing from that pass.
        """
        if not self.layers:
            raise ValueError(f"nothing was captured: was the model loaded with attn_implementation {NAME!r}?")
        numbers = sorted(self.layers)
        if numbers != list(range(len(numbers))) or any(step >= len(self.layers[number]) for number in numbers):
            counts = {number: len(self.layers[number]) for number in numbers}
            raise ValueError(f"pass {step} did not reach every layer; passes by layer: {counts}")
        return torch.stack([self.layers[number][step] for number in numbers])


_ACTIVE: ContextVar[AttentionCapture | None] = ContextVar("attention_capture", default=None)


@contextmanager
def capture_attention(
    rows: Sequence[int], columns: torch.Tensor, *, keep_heads: bool = False
) -> Iterator[AttentionCapture]:
    """Keep the attention of some query rows to some keys during the forward passes inside the block.

    Parameters
    ----------
    rows
        Query rows, counted from the end where negative: -1 is the last input token of a left-padded batch, or the
        current token of a decoding step.
    columns
        Keys to keep of each sequence, int64 (batch, columns), such as the places of the image tokens.
    keep_heads
        Keep every head; by default the mean over heads.

    Yields
    ------
    The capture, whose `stacked()` holds the rows when the passes have run.

    Raises
    ------
    ValueError
        If no row is asked for, or `columns` is not two-dimensional.
    """
    if not rows:
        raise ValueError("a capture needs at least one row")
    if columns.ndim != 2:
        raise ValueError(f"columns must be (batch, columns), not of shape {tuple(columns.shape)}")
    capture = AttentionCapture(rows=tuple(rows), columns=columns, keep_heads=keep_heads)
    token = _ACTIVE.set(capture)
    try:
        yield capture
    finally:
        _ACTIVE.reset(token)


def selected_rows_forward(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    softcap: float | None = None,
    is_causal: bool | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """SDPA, and beside it the captured rows where a capture is active and the module is a language layer.

    A sliding window is part of the mask that transformers builds. SDPA knows no soft cap, so a layer that has one is
    computed by `_softcapped`.

    Parameters
    ----------
    query, key, value
        (batch, heads, tokens, features); keys and values may have fewer heads (grouped queries).
    attention_mask
        Bool (batch, 1 or heads, queries, keys), True where a query sees a key; or float, added to the scores; or None
        for plain causal attention.

    Returns
    -------
    The layer's output (batch, queries, heads, features), and None in the place of the full attention.
    """
    if kwargs.get("position_bias") is not None:
        raise ValueError(f"{NAME} attention does not take a position bias")
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    causal = bool(getattr(module, "is_causal", True) if is_causal is None else is_causal)
    capture = _ACTIVE.get()
    layer = getattr(module, "layer_idx", None)
    if capture is not None and layer is not None and causal:
        rows = [row % query.shape[2] for row in capture.rows]
        weights = _weights(query, key, attention_mask, rows, scale=scale, softcap=softcap, causal=causal)
        capture.layers.setdefault(int(layer), []).append(_kept(weights, capture))
    if softcap is not None:
        return _softcapped(query, key, value, attention_mask, scale=scale, softcap=softcap, causal=causal), None
    output, _ = sdpa_attention_forward(
        module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, is_causal=is_causal, **kwargs
    )
    return output, None


def _weights(
    query: torch.Tensor,
    key: torch.Tensor,
    mask: torch.Tensor | None,
    rows: list[int],
    *,
    scale: float,
    softcap: float | None,
    causal: bool,
) -> torch.Tensor:
    """Softmax of the chosen rows in float32, (batch, key heads, queries a key head, rows, keys)."""
    batch, heads, queries, features = query.shape
    key_heads, keys = key.shape[1], key.shape[2]
    group = heads // key_heads
    # Grouped queries: neighbouring query heads share a key head, so folding them into rows spares repeating the keys.
    chosen = _at(query, rows).float().reshape(batch, key_heads, group * len(rows), features)
    scores = torch.matmul(chosen * scale, key.float().transpose(2, 3))
    scores = scores.view(batch, key_heads, group, len(rows), keys)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    if mask is None:
        if causal and queries > 1 and min(rows) < keys - 1:  # as SDPA's is_causal: query i sees keys up to i
            last = _at(torch.arange(queries, device=scores.device)[None, None], rows)[0, 0, :, None]
            scores = scores.masked_fill(torch.arange(keys, device=scores.device) > last, _HIDDEN)
        return torch.softmax(scores, dim=-1)
    part = _at(mask, rows)[..., :keys]
    part = part.unsqueeze(2) if part.shape[1] == 1 else part.view(part.shape[0], key_heads, group, len(rows), keys)
    scores = scores.masked_fill(~part, _HIDDEN) if part.dtype == torch.bool else scores + part.float()
    return torch.softmax(scores, dim=-1)


def _at(values: torch.Tensor, rows: list[int]) -> torch.Tensor:
    """Rows of the third dimension by slices: a list as index is copied to the GPU, which then waits for the CPU."""
    if rows == list(range(rows[0], rows[0] + len(rows))):
        return values[:, :, rows[0] : rows[0] + len(rows)]
    return torch.cat([values[:, :, row : row + 1] for row in rows], dim=2)


def _kept(weights: torch.Tensor, capture: AttentionCapture) -> torch.Tensor:
    batch, key_heads, group, rows, _ = weights.shape
    if capture.columns.shape[0] != batch:
        raise ValueError(f"columns are for {capture.columns.shape[0]} sequences, the batch has {batch}")
    index = capture.columns.to(weights.device)[:, None, None, None, :].expand(batch, key_heads, group, rows, -1)
    heads = weights.gather(-1, index).view(batch, key_heads * group, rows, -1)
    return heads if capture.keep_heads else heads.mean(dim=1)


def _softcapped(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    *,
    scale: float,
    softcap: float,
    causal: bool,
) -> torch.Tensor:
    batch, heads, queries, features = query.shape
    every = list(range(queries))
    weights = _weights(query, key, mask, every, scale=scale, softcap=softcap, causal=causal)
    mixed = torch.matmul(weights.to(value.dtype).flatten(2, 3), value)  # (batch, key heads, group * queries, features)
    return mixed.view(batch, heads, queries, features).transpose(1, 2).contiguous()


AttentionInterface.register(NAME, selected_rows_forward)
# Without its own mask function the model would silently build no mask at all.
AttentionMaskInterface.register(NAME, sdpa_mask)
