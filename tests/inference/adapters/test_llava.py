"""LLaVA through transformers: its grid, its prompts, its options, and what it refuses."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor, LlavaForConditionalGeneration

from inference.adapters import llava
from inference.adapters.base import CaseInput, ContextTooLong, RenderedImage
from inference.adapters.clip_geometry import transform_of
from inference.adapters.tiny import FITS, GRID, PATCH_PX, build_tiny_llava
from inference.metrics.grids import touched_cells

CPU = {"device": "cpu", "max_new_tokens": "3"}


def picture(number=1, seed=0, size=(60, 90)):
    return RenderedImage(number, 0, np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8))


def case(**changes):
    facts = {"case_key": "case-9", "question": "Is there a cyst?", "options": {"A": "yes", "B": "no, not at all"},
             "history": "", "images": (picture(),)}  # fmt: skip
    return CaseInput(**(facts | changes))


@pytest.fixture(scope="module")
def adapter(tiny_llava):
    return llava.load(str(tiny_llava), "", CPU)


@pytest.fixture(scope="module", params=FITS)
def processor(request, tmp_path_factory):
    folder = build_tiny_llava(tmp_path_factory.mktemp(request.param), fit=request.param)
    return AutoImageProcessor.from_pretrained(folder, backend="pil", local_files_only=True)


@pytest.mark.parametrize("size", [(448, 448), (300, 700), (701, 303), (112, 112)])
def test_a_marker_lands_in_the_cell_that_the_transform_says(processor, size):
    """A small bright square goes through the processor itself; the brightest cell is the one computed."""
    rng = np.random.default_rng(5)
    transform = transform_of(processor, size, (GRID, GRID), PATCH_PX)
    side = max(3, min(size) // 60)
    seen = cropped = 0
    for _ in range(40):
        top, left = (int(rng.integers(0, extent - side)) for extent in size)
        pixels = np.zeros((*size, 3), dtype=np.uint8)
        pixels[top : top + side, left : left + side] = 255
        values = np.asarray(processor(images=[Image.fromarray(pixels)], return_tensors="np")["pixel_values"][0])
        black = Image.fromarray(np.zeros_like(pixels))
        values = values - np.asarray(processor(images=[black], return_tensors="np")["pixel_values"][0])
        energy = values.clip(min=0).sum(axis=0).reshape(GRID, PATCH_PX, GRID, PATCH_PX).sum(axis=(1, 3))
        cells = touched_cells((left, top, left + side, top + side), transform)
        if not cells.any():
            cropped += 1
            assert energy.sum() < 1.5  # the resampling's blur at most
            continue
        seen += 1
        if cells.sum() == 1:
            assert np.argmax(energy) == np.flatnonzero(cells)[0]
        assert energy[cells].sum() > 0.6 * energy.sum()
    assert seen > 5
    assert cropped == 0 or (processor.do_center_crop and not processor.do_pad and size[0] != size[1])


def test_a_one_pixel_marker_lands_in_its_cell(processor):
    """The image already has the input's size, so the processor moves nothing but what it pads or crops."""
    transform = transform_of(processor, (112, 112), (GRID, GRID), PATCH_PX)
    for row, column in [(0, 0), (13, 14), (14, 13), (111, 111), (55, 56), (56, 55)]:
        pixels = np.zeros((112, 112, 3), dtype=np.uint8)
        pixels[row, column] = 255
        values = np.asarray(processor(images=[Image.fromarray(pixels)], return_tensors="np")["pixel_values"][0])
        lit = np.argwhere(values.sum(axis=0) > values.min(axis=(1, 2)).sum() + 1)
        assert lit.tolist() == [[row, column]]
        cells = touched_cells((column, row, column + 1, row + 1), transform)
        assert np.argwhere(cells).tolist() == [[row // PATCH_PX, column // PATCH_PX]]


def test_a_processor_of_another_kind_is_refused(processor):
    class Odd:
        do_pad, do_resize, do_center_crop, size = False, True, False, {"longest_edge": 100}

    with pytest.raises(ValueError, match="longest_edge"):
        transform_of(Odd(), (10, 10), (GRID, GRID), PATCH_PX)


def test_the_map_is_the_models_own_eager_attention(adapter, tiny_llava):
    """Image slices, row and column order, question and general prompt: all against a plain forward pass."""
    given = case(images=(picture(1, 1), picture(2, 2)))
    output = adapter.predict(given)
    eager = LlavaForConditionalGeneration.from_pretrained(
        tiny_llava, attn_implementation="eager", dtype=torch.float32, local_files_only=True
    ).eval()
    pixels = adapter._pixels(given.images)
    ask = "Is there a cyst? Answer the question using a single word or phrase."
    general = "Write a general description of the image. Answer the question using a single word or phrase."
    for kind, words in (("question", ask), ("general", general)):
        text = "USER: " + ("<image>" * 64 + "\n") * 2 + words + " ASSISTANT:"
        ids = adapter.tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            run = eager(input_ids=ids, pixel_values=pixels, output_attentions=True)
        rows = torch.stack(run.attentions)[:, 0].mean(dim=1)[:, -1]  # (layers, keys)
        maps = rows[:, ids[0] == adapter.model.config.image_token_id].reshape(3, 2, GRID, GRID).numpy()
        for index in range(2):
            assert np.abs(getattr(output.maps[index], kind) - maps[:, index]).max() <= 1e-6
    mass = [output.maps[index].question.mean(axis=0).sum() for index in range(2)]
    assert output.image_share == pytest.approx({1: mass[0] / sum(mass), 2: mass[1] / sum(mass)}, rel=1e-5)


def test_each_image_has_its_own_map(adapter):
    both = adapter.predict(case(images=(picture(1, 1), picture(2, 2))))
    swapped = adapter.predict(case(images=(picture(1, 2), picture(2, 1))))
    assert not np.array_equal(both.maps[0].question, both.maps[1].question)
    assert not np.array_equal(both.maps[0].question, swapped.maps[0].question)


@pytest.mark.parametrize("kind", ["letter", "text"])
def test_forced_choice_is_the_likelihood_of_the_continuation(adapter, tiny_llava, kind):
    chosen = llava.load(str(tiny_llava), "", CPU | {"forced_choice": kind})
    given = case()
    output = chosen.predict(given)
    stem = (
        "USER: "
        + "<image>" * 64
        + "\nIs there a cyst?\nA. yes\nB. no, not at all\nAnswer with the letter of one option. ASSISTANT:"
    )
    scores = []
    for letter, option in given.options.items():
        ending = letter if kind == "letter" else option
        ids = chosen.tokenizer(f"{stem} {ending}", return_tensors="pt")["input_ids"]
        start = len(chosen.tokenizer(stem)["input_ids"])
        with torch.no_grad():
            logits = chosen.model(input_ids=ids, pixel_values=chosen._pixels(given.images)).logits[0]
        log_p = torch.log_softmax(logits[start - 1 : -1].double(), dim=-1)
        scores.append(log_p.gather(1, ids[0, start:, None]).mean())
    expected = torch.softmax(torch.stack(scores), dim=0).tolist()
    assert output.option_probabilities is not None
    assert list(output.option_probabilities.values()) == pytest.approx(expected, abs=1e-6)


def test_history_and_options_stay_out_of_the_attention_prompt(adapter):
    plain = adapter.predict(case(options=None))
    full = adapter.predict(case(history="A long history of many things."))
    assert np.array_equal(plain.maps[0].question, full.maps[0].question)


def test_a_case_longer_than_the_context_is_refused_with_its_lengths(adapter):
    images = tuple(picture(number) for number in range(1, 70))
    with pytest.raises(ContextTooLong, match=r"case case-9 needs \d+ tokens \(4416 of them.* holds 4096") as caught:
        adapter.predict(case(images=images))
    assert caught.value.tokens > caught.value.limit == 4096
    with pytest.raises(ContextTooLong):
        adapter.predict(case(history="word " * 5000))


@pytest.mark.parametrize(
    ("key", "value"),
    [("device", "tpu"), ("device", "nonsense"), ("dtype", "int8"), ("max_new_tokens", "0"), ("max_new_tokens", "x"),
     ("forced_choice", "vibes"), ("trust_remote_code", "true")],
)  # fmt: skip
def test_a_bad_setting_is_refused_by_key_and_value(tiny_llava, key, value):
    with pytest.raises(ValueError, match=f"{key}={value}"):
        llava.load(str(tiny_llava), "", {key: value})


def test_a_revision_of_a_folder_is_refused(tiny_llava):
    with pytest.raises(ValueError, match="'main'"):
        llava.load(str(tiny_llava), "main", CPU)


def test_the_card_reads_the_folder(tiny_llava, tmp_path):
    assert "untrained" in llava.load(str(tiny_llava), "", CPU).describe().note
    folder = shutil.copytree(tiny_llava, tmp_path / "trained")
    (folder / "sightline.json").unlink()
    assert llava.load(str(folder), "", CPU).describe().is_trained is True
    (folder / "sightline.json").write_text(json.dumps({"is_trained": "no"}))
    with pytest.raises(ValueError, match="is_trained"):
        llava.load(str(folder), "", CPU).describe()


def test_pickled_weights_are_not_read(tiny_llava, tmp_path):
    folder = shutil.copytree(tiny_llava, tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(OSError, match="safetensors"):
        llava.load(str(folder), "", CPU)


def test_a_checkpoint_without_chat_template_is_refused(tiny_llava, tmp_path):
    folder = shutil.copytree(tiny_llava, tmp_path / "silent")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ValueError, match="no chat template"):
        llava.load(str(folder), "", CPU)
    (folder / "chat_template.json").write_text(
        json.dumps({"chat_template": "{{ messages[0]['content'][-1]['text'] }}"})
    )
    assert llava.load(str(folder), "", CPU).predict(case(images=())).maps == ()


def test_the_tiny_model_is_rebuilt_byte_for_byte(tiny_llava, tmp_path):
    before = torch.random.get_rng_state()
    again, other = build_tiny_llava(tmp_path / "again"), build_tiny_llava(tmp_path / "other", seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    for name in ("model.safetensors", "tokenizer.json", "preprocessor_config.json", "chat_template.jinja"):
        assert (again / name).read_bytes() == (tiny_llava / name).read_bytes()
    first, second, third = (llava.load(str(folder), "", CPU).describe() for folder in (tiny_llava, again, other))
    assert first == second
    assert third.weights_digest != first.weights_digest
    assert third.prompt_digest == first.prompt_digest
    assert sum(path.stat().st_size for path in again.iterdir()) < 2_000_000


def test_an_unknown_fit_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'stretch'"):
        build_tiny_llava(tmp_path, fit="stretch")
