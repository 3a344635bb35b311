"""Captured rows equal those of transformers' own eager attention."""

import copy

import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma2Config, LlavaForConditionalGeneration

from inference.adapters.tiny import build_tiny_llava
from inference.attention.capture import NAME, SELECTED_ROWS, capture_attention

IMAGE_TOKENS = 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return build_tiny_llava(tmp_path_factory.mktemp("tiny"))


def loaded(folder, implementation, peak=1.0):
    model = LlavaForConditionalGeneration.from_pretrained(
        folder, attn_implementation=implementation, dtype=torch.float32, local_files_only=True
    ).eval()
    with torch.no_grad():
        for layer in model.model.language_model.layers:
            layer.self_attn.q_proj.weight.mul_(peak)
            layer.self_attn.k_proj.weight.mul_(peak)
    return model


def batch(lengths):
    """Left-padded sequences of one image and some text each."""
    longest = max(lengths)
    ids = torch.zeros((len(lengths), longest), dtype=torch.long)
    mask = torch.zeros_like(ids)
    generator = torch.Generator().manual_seed(7)
    for row, length in enumerate(lengths):
        start = longest - length
        ids[row, start:] = torch.randint(4, 300, (length,), generator=generator)
        ids[row, start + 2 : start + 2 + IMAGE_TOKENS] = 3
        mask[row, start:] = 1
    pixels = torch.randn((len(lengths), 3, 112, 112), generator=generator)
    columns = torch.stack([(row == 3).nonzero()[:, 0] for row in ids])
    return {"input_ids": ids, "attention_mask": mask, "pixel_values": pixels}, columns


@pytest.mark.parametrize(
    ("lengths", "peak", "tolerance"),
    [((90,), 1.0, 1e-6), ((90, 75), 1.0, 1e-6), ((90,), 12.0, 1.3e-5), ((90, 75), 12.0, 1.3e-5)],
)
@torch.no_grad()
def test_rows_equal_eager_attention(folder, lengths, peak, tolerance):
    inputs, columns = batch(lengths)
    eager = loaded(folder, "eager", peak)(**inputs, output_attentions=True)
    expected = torch.stack(eager.attentions)[:, :, :, [-1, -3]]  # (layers, batch, heads, rows, keys)
    expected = torch.stack([expected[:, row][..., columns[row]] for row in range(len(lengths))], dim=1)
    if peak > 1:
        assert expected.max() > 0.2  # the attention is peaked indeed
    model = loaded(folder, SELECTED_ROWS, peak)
    with capture_attention([-1, -3], columns, keep_heads=True) as capture:
        output = model(**inputs)
    rows = capture.stacked()
    assert rows.dtype == torch.float32
    assert rows.shape == (3, len(lengths), 4, 2, IMAGE_TOKENS)
    assert (rows - expected).abs().max() <= tolerance
    assert torch.allclose(output.logits[:, -1], eager.logits[:, -1], atol=1e-4)
    with capture_attention([-1, -3], columns) as mean:
        model(**inputs)
    assert (mean.stacked() - expected.mean(dim=2)).abs().max() <= tolerance


@torch.no_grad()
def test_a_decoding_step_equals_eager_attention(folder):
    inputs, columns = batch((90, 75))
    attentions = []
    for implementation in ("eager", SELECTED_ROWS):
        model = loaded(folder, implementation)
        first = model(**inputs, use_cache=True)
        longer = torch.cat([inputs["attention_mask"], torch.ones((2, 1), dtype=torch.long)], dim=1)
        step = {
            "input_ids": torch.tensor([[9], [9]]),
            "attention_mask": longer,
            "past_key_values": first.past_key_values,
        }
        if implementation == "eager":
            full = torch.stack(model(**step, output_attentions=True).attentions).mean(dim=2)[:, :, 0]
            attentions.append(torch.stack([full[:, row][:, columns[row]] for row in range(2)], dim=1))
        else:
            with capture_attention([-1], columns) as capture:
                model(**step)
            attentions.append(capture.stacked()[:, :, 0])
    assert (attentions[0] - attentions[1]).abs().max() <= 1e-6


@pytest.mark.parametrize("lengths", [(20,), (20, 13)])
@torch.no_grad()
def test_soft_cap_and_sliding_window_equal_eager_attention(lengths):
    config = Gemma2Config(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, sliding_window=6, attn_logit_softcapping=0.5,
        layer_types=["sliding_attention", "full_attention"], max_position_embeddings=64,
    )  # fmt: skip
    models = []
    for implementation in ("eager", NAME):
        torch.manual_seed(3)
        model = AutoModelForCausalLM.from_config(copy.deepcopy(config), attn_implementation=implementation).eval()
        for layer in model.model.layers:
            layer.self_attn.q_proj.weight.mul_(30)
        models.append(model)
    longest = max(lengths)
    ids = torch.randint(1, 64, (len(lengths), longest), generator=torch.Generator().manual_seed(1))
    mask = torch.stack([torch.arange(longest) >= longest - length for length in lengths]).long()
    eager = models[0](input_ids=ids, attention_mask=mask, output_attentions=True)
    columns = torch.arange(longest).expand(len(lengths), -1)
    with capture_attention([-1], columns, keep_heads=True) as capture:
        output = models[1](input_ids=ids, attention_mask=mask)
    expected = torch.stack(eager.attentions)[:, :, :, -1:]
    rows = capture.stacked()
    assert rows[0, ..., : longest - 6].abs().max() == 0  # outside the window
    assert rows[1, 0, ..., : longest - 6].min() > 0
    assert (rows - expected).abs().max() <= 1e-6
    assert torch.allclose(output.logits[:, -1], eager.logits[:, -1], atol=1e-5)


@torch.no_grad()
def test_nothing_is_kept_outside_a_capture(folder):
    inputs, columns = batch((80,))
    model = loaded(folder, SELECTED_ROWS)
    with capture_attention([-1], columns) as capture:
        model(**inputs)
        model(**inputs)
    model(**inputs)
    assert {number: len(passes) for number, passes in capture.layers.items()} == {0: 2, 1: 2, 2: 2}
    assert torch.equal(capture.stacked(0), capture.stacked(1))
    with pytest.raises(ValueError, match="pass 2"):
        capture.stacked(2)


@torch.no_grad()
def test_a_model_without_selected_rows_is_told_apart_from_one_without_attention(folder):
    inputs, columns = batch((80,))
    with capture_attention([-1], columns) as capture:
        loaded(folder, "sdpa")(**inputs)
    with pytest.raises(ValueError, match="selected_rows"):
        capture.stacked()


def test_a_capture_asks_for_something():
    with pytest.raises(ValueError, match="at least one row"), capture_attention([], torch.zeros((1, 1))):
        pass
    with pytest.raises(ValueError, match=r"\(3,\)"), capture_attention([-1], torch.zeros(3)):
        pass


@torch.no_grad()
def test_columns_for_another_batch_are_refused(folder):
    inputs, columns = batch((80, 80))
    with pytest.raises(ValueError, match="1 sequences, the batch has 2"), capture_attention([-1], columns[:1]):
        loaded(folder, SELECTED_ROWS)(**inputs)
