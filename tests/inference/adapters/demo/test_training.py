"""A few steps of training: the loss falls, a seed gives the same weights, a stopped run ends as one that was not."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from inference.adapters.demo import train as command
from inference.adapters.demo import training
from inference.adapters.demo.losses import Passed, attention_loss
from inference.adapters.demo.recipe import RECIPES, Recipe
from inference.adapters.demo.training import material, train

SMALL = replace(
    Recipe(),
    single_cases=12,
    several_cases=4,
    fetal_cases=10,
    warm_pictures=4,
    warm_steps=2,
    steps=8,
    pictures=3,
    questions=3,
)


@pytest.fixture(scope="module")
def drawn():
    return material(SMALL)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(training, "LOGGED_EVERY", 1)
    monkeypatch.setattr(training, "KEPT_EVERY", 3)


@pytest.fixture(scope="module")
def whole(drawn, tokenizer):
    return train(SMALL, tokenizer, drawn)


def test_the_loss_falls(short, drawn, tokenizer):
    losses = train(replace(SMALL, steps=14, rate=2e-3, fetal_share=0.0), tokenizer, drawn).losses[SMALL.warm_steps :]
    assert sum(losses[-4:]) < 0.75 * sum(losses[:4])


def test_a_seed_gives_the_same_weights(drawn, tokenizer, whole):
    again = train(SMALL, tokenizer, drawn)
    other = train(replace(SMALL, seed=5), tokenizer, drawn)
    for (name, one), same, different in zip(
        whole.model.state_dict().items(), again.model.state_dict().values(), other.model.state_dict().values(),
        strict=True,
    ):  # fmt: skip
        assert torch.equal(one, same), name
        if one.ndim == 2 and "position_embedding" not in name:
            assert not torch.equal(one, different), name


class Stopped(Exception):
    pass


def test_a_stopped_run_goes_on_where_it_was(short, drawn, tokenizer, whole, tmp_path, monkeypatch):
    step = training._main_step

    def stopping(going, rng, **rest):
        if going.step == 7:
            raise Stopped
        return step(going, rng, **rest)

    monkeypatch.setattr(training, "_main_step", stopping)
    with pytest.raises(Stopped):
        train(SMALL, tokenizer, drawn, folder=tmp_path)
    monkeypatch.setattr(training, "_main_step", step)
    kept = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert (kept["stage"], kept["step"]) == (2, 6)
    resumed = train(SMALL, tokenizer, drawn, folder=tmp_path)
    for one, other in zip(whole.model.state_dict().values(), resumed.model.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_a_checkpoint_of_another_recipe_is_refused(short, drawn, tokenizer, tmp_path):
    train(SMALL, tokenizer, drawn, folder=tmp_path)
    with pytest.raises(ValueError, match="another recipe"):
        train(replace(SMALL, rate=1e-4), tokenizer, drawn, folder=tmp_path)


def test_the_command_writes_a_model(tmp_path, monkeypatch):
    monkeypatch.setitem(RECIPES, "share", replace(SMALL, attention_form="share", steps=2, warm_steps=1))
    assert command.main(["--out", str(tmp_path), "--weights", "share", "--steps-scale", "0.5"]) == 0
    weights = load_file(tmp_path / "model.share.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float16}
    told = json.loads((tmp_path / "model.share.json").read_text())
    assert told["recipe"]["steps"] == 1
    assert {"config.json", "tokenizer.json", "preprocessor_config.json"} <= {one.name for one in tmp_path.iterdir()}


def test_attention_losses_are_least_on_the_region():
    """KL wants the whole region covered, share is content with one cell of it."""

    def loss(cells, form):
        attention = torch.full((4, 1, 1, 10), 1e-6)
        attention[2, 0, 0, cells] = 1.0
        passed = Passed(features=attention, logits=attention, attention=attention)
        target = torch.zeros(1, 1, 10)
        target[0, 0, :4] = 0.25
        return float(attention_loss(passed, target, form=form))

    assert loss([0, 1, 2, 3], "kl") < 0.01 < loss([0], "kl")
    assert loss([0], "share") < 0.01
    assert loss([0, 1, 2, 3], "share") < 0.01
    for form in ("kl", "share"):
        assert loss([7], form) > 3


def test_questions_without_a_region_train_no_attention():
    attention = torch.rand(4, 1, 2, 10)
    passed = Passed(features=attention, logits=attention, attention=attention)
    assert float(attention_loss(passed, torch.zeros(1, 2, 10), form="kl")) == 0
