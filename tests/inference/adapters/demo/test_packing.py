"""Packed training sequences are what the adapter computes: the same tokens, pixels, logits and attention."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from curation.phantoms.organs import make_organ_case
from inference.adapters.base import CaseInput, RenderedImage
from inference.adapters.demo.architecture import GRID, demo_config
from inference.adapters.demo.checkpoints import CHECKPOINT
from inference.adapters.demo.examples import draw_question, picture_of
from inference.adapters.demo.losses import run
from inference.adapters.demo.packing import CELLS, Words, pack, pixel_values
from inference.adapters.demo.readings import HeldOut, organ_cases, read
from inference.adapters.demo.vocabulary import texts
from inference.prompts import general_prompt


def rendered(phantoms):
    return tuple(
        RenderedImage(number, 0, np.repeat(phantom.image[:, :, None], 3, axis=2))
        for number, phantom in enumerate(phantoms, start=1)
    )


def test_the_shipped_tokenizer_is_the_one_training_builds(tokenizer, adapters):
    shipped = adapters["trained"].tokenizer
    assert shipped.backend_tokenizer.to_str() == tokenizer.backend_tokenizer.to_str()
    assert shipped.chat_template == tokenizer.chat_template
    for text in texts():
        assert shipped(text)["input_ids"] == tokenizer(text)["input_ids"]


def test_the_shipped_configuration_is_the_one_training_builds(tokenizer):
    stored = json.loads((CHECKPOINT / "config.json").read_text())
    built = demo_config(len(tokenizer)).to_dict()
    for part in ("vision_config", "text_config"):
        for key in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"):
            assert stored[part][key] == built[part][key]
    assert stored["image_token_index"] == built["image_token_index"]
    assert "auto_map" not in stored  # no code of a checkpoint is run


@pytest.mark.parametrize("images", [1, 3])
def test_training_ids_are_the_processors_ids(tokenizer, adapters, images):
    adapter, words = adapters["trained"], Words(tokenizer)
    phantoms = make_organ_case(31, 0, images=images)
    case = [picture_of(phantom) for phantom in phantoms]
    rng = np.random.default_rng(0)
    for _ in range(20):
        asked = draw_question(rng, case, {"size": 1, "edge": 1, "presence": 1, "vertical": 1, "general": 1})
        given = CaseInput("case", "", None, "", rendered(phantoms))
        prompt = adapter._prompt(given, asked.prompt, (images, CELLS))
        packed = pack([case], [[asked]], words)
        end = packed.asking[0] + 1
        assert packed.ids[0, :end].tolist() == prompt.ids[0].tolist()
        assert packed.image_columns[0].tolist() == prompt.image_columns[0].tolist()


def test_pixels_are_the_image_processors(adapters):
    phantoms = make_organ_case(31, 1, images=2)
    ours = pixel_values([picture_of(phantom) for phantom in phantoms])
    assert torch.allclose(ours, adapters["trained"]._pixels(rendered(phantoms)), atol=1e-5)


@pytest.mark.parametrize("weights", ["trained", "random"])
@pytest.mark.parametrize("images", [1, 2])
def test_a_packed_question_is_read_as_the_adapter_reads_it(adapters, weights, images):
    adapter = adapters[weights]
    (held,) = organ_cases(1, seed=32, images=images)
    for reading, question in zip(
        read(adapter.model, Words(adapter.tokenizer), [held]), held.questions[:5], strict=False
    ):
        given = CaseInput("case", question.text, question.options, "", rendered(held.phantoms))
        output = adapter.predict(given)
        assert (output.choice == question.letter) == reading.is_right
        for at, one in enumerate(output.maps):
            assert np.abs(one.question - reading.question[:, at]).max() < 1e-5
            assert np.abs(one.general - reading.general[:, at]).max() < 1e-5


def test_padding_and_neighbours_change_nothing(adapters):
    adapter = adapters["trained"]
    words = Words(adapter.tokenizer)
    (held,) = organ_cases(1, seed=33, images=1)
    together = read(adapter.model, words, [held])
    for number, item in enumerate(held.items):
        (alone,) = read(adapter.model, words, [HeldOut(held.pictures, (item,))])
        assert alone.log_p == pytest.approx(together[number].log_p, abs=1e-4)


def test_routing_hides_the_images_from_the_text_but_its_end(tokenizer):
    case = [picture_of(phantom) for phantom in make_organ_case(34, 0, images=1)]
    rng = np.random.default_rng(0)
    asked = [draw_question(rng, case, {"size": 1.0, "vertical": 1.0}) for _ in range(2)]
    packed = pack([case], [asked], Words(tokenizer), routed=np.array([[True, False]]))
    first, second = packed.asking
    mask = packed.mask[0, 0]
    assert not mask[first - 1, 1 : 1 + CELLS].any()
    assert mask[first, 1 : 1 + CELLS].all()
    assert mask[second - 1, 1 : 1 + CELLS].all()
    assert not mask[second, 1 + CELLS : first + 1].any()  # a question does not see another one
    assert mask.diagonal().all()


def test_targets_are_uniform_on_the_region(tokenizer):
    case = [picture_of(phantom) for phantom in make_organ_case(35, 0, images=2)]
    asked = draw_question(np.random.default_rng(0), case, {"size": 1.0})
    packed = pack([case], [[asked]], Words(tokenizer))
    target = packed.targets[0, 0].reshape(2, GRID, GRID).numpy()
    assert target.sum() == pytest.approx(1.0)
    assert asked.cells is not None
    assert np.array_equal(target > 0, asked.cells)


def test_attention_is_taken_at_the_last_prompt_token(adapters):
    adapter = adapters["trained"]
    case = [picture_of(phantom) for phantom in make_organ_case(36, 0, images=1)]
    asked = draw_question(np.random.default_rng(0), case, {"size": 1.0})
    packed = pack([case], [[asked]], Words(adapter.tokenizer))
    with torch.no_grad():
        weights = run(adapter.model, packed).attention
        other = run(adapter.model, pack([case], [[replace(asked, prompt=general_prompt())]], Words(adapter.tokenizer)))
    assert weights.shape == (4, 1, 1, CELLS)
    assert not torch.allclose(weights, other.attention)
