"""The shipped weights on the held-out seed: what CARD.md claims, in a subset that takes seconds."""

import re
from pathlib import Path

import numpy as np
import pytest

from inference.adapters.demo import adapter as family
from inference.adapters.demo.causal import effects
from inference.adapters.demo.checkpoints import CHECKPOINT, STORED_SETS, WEIGHT_SETS
from inference.adapters.demo.evaluate import CARD, main
from inference.adapters.demo.evaluation import accuracy, best_layer, image_found, layers
from inference.adapters.demo.packing import Words
from inference.adapters.demo.readings import HELD_OUT_SEED, fetal_cases, organ_cases, read
from inference.adapters.demo.report import ACCURACY_COLUMNS, EFFECT_COLUMNS, LAYER_COLUMNS, with_tables
from inference.registry import load_adapter


@pytest.fixture(scope="module")
def single():
    return organ_cases(20, seed=HELD_OUT_SEED, images=1)


@pytest.fixture(scope="module")
def readings(adapters, single):
    return {name: read(one.model, Words(one.tokenizer), single) for name, one in adapters.items()}


@pytest.fixture(scope="module")
def rows(readings):
    return {name: layers(several) for name, several in readings.items()}


def test_the_files_are_small_and_hold_no_code():
    files = [path for path in CHECKPOINT.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 12_000_000
    assert {path.suffix for path in files} <= {".safetensors", ".json", ".jinja"}
    stored = {path.name for path in files if path.suffix == ".safetensors"}
    assert stored == {f"model.{name}.safetensors" for name in STORED_SETS}


def test_the_trained_model_answers(readings):
    found = {row.kind: row for row in accuracy(readings["trained"])}
    assert set(found) == {"size", "edge", "presence", "vertical", "horizontal"}
    for kind, least in {"size": 0.9, "edge": 0.75, "presence": 0.9, "vertical": 0.95, "horizontal": 0.95}.items():
        assert found[kind].forced.mean >= least, kind
        assert found[kind].exact.mean >= least, kind
        assert found[kind].chance == 0.5


def test_random_weights_answer_by_chance(readings):
    right = np.mean([one.is_right for one in readings["random"]])
    assert 0.35 < right < 0.65
    assert not any(one.is_exact for one in readings["random"])


def test_the_trained_model_looks_at_what_it_is_asked_about(rows):
    row = rows["trained"][2]
    assert best_layer(rows["trained"]) == 2
    assert row.ratio.is_grounded is True
    low = row.ratio.interval[0]
    assert low > 10
    assert low > 3 * max(row.ratio.nulls.values())
    assert row.absolute.interval[0] > 10
    assert row.spreads["kl_norm"].interval[0] > 0.8
    assert row.spreads["pointing_hit"].mean > 0.9


def test_random_weights_look_nowhere(rows):
    for row in rows["random"]:
        assert row.ratio.is_grounded is False
        assert 0.9 < row.ratio.mean < 1.1
        assert abs(row.spreads["kl_norm"].mean) < 0.05


def test_the_share_loss_gives_a_high_ratio_and_a_poor_spread(rows):
    row = rows["share"][2]
    assert row.ratio.is_grounded is True
    assert row.ratio.interval[0] > 10
    assert row.spreads["kl_norm"].interval[1] < 0


def test_a_ratio_above_one_with_a_tight_interval_is_not_grounding(rows):
    """The first layer of the trained model: above 1, and no better than a map that prefers the middle."""
    row = rows["trained"][0]
    assert row.ratio.interval[0] > 1
    assert row.ratio.is_grounded is False


def test_the_answer_comes_from_the_region(adapters, single):
    one = adapters["trained"]
    found = {row.name: row for row in effects(one.model, Words(one.tokenizer), single[:6])}
    assert found["undisturbed"].right.mean > 0.9
    for name in ("ROI painted over", "another patient's image", "black image"):
        assert found[name].right.mean < 0.65, name
        assert found[name].log_p_change < -0.5
    assert found["text blind to the ROI's cells, all layers"].right.mean < found["undisturbed"].right.mean - 0.1
    for name in ("same shape painted elsewhere", "text blind to as many cells elsewhere"):
        assert found[name].right.mean > 0.9, name
        assert abs(found[name].log_p_change) < 0.2


def test_it_finds_the_image_that_holds_the_target(adapters):
    one = adapters["trained"]
    several = read(one.model, Words(one.tokenizer), organ_cases(6, seed=HELD_OUT_SEED, images=3))
    assert np.mean([reading.is_right for reading in several]) > 0.85
    assert image_found(several, 2).mean > 0.9


def test_it_answers_the_fetal_questions(adapters):
    one = adapters["trained"]
    found = read(one.model, Words(one.tokenizer), fetal_cases(40, seed=HELD_OUT_SEED))
    assert np.mean([reading.is_right for reading in found]) > 0.8


def test_the_family_is_registered_and_its_cards_differ(adapters):
    cards = {name: one.describe() for name, one in adapters.items()}
    assert load_adapter("demo", "", "", {"weights": "share", "device": "cpu"}).describe() == cards["share"]
    assert {name: card.is_trained for name, card in cards.items()} == {"trained": True, "random": False, "share": True}
    assert len({card.weights_digest for card in cards.values()}) == len(WEIGHT_SETS)
    assert len({card.prompt_digest for card in cards.values()}) == 1
    assert "attention supervised at layer 2, box labels used" in cards["trained"].note
    assert "untrained" in cards["random"].note


@pytest.mark.parametrize(
    ("source", "given", "named"),
    [("", {"weights": "best"}, "weights=best"), ("/tmp", {}, "'/tmp'"), ("", {"colour": "red"}, "colour=red")],
)
def test_what_the_family_does_not_take_is_refused(source, given, named):
    with pytest.raises(ValueError, match=named):
        family.load(source, "", given)


def test_the_card_has_every_table():
    card = CARD.read_text(encoding="utf-8")
    assert card.splitlines()[2].startswith("**Attention was supervised**")
    for name in WEIGHT_SETS:
        start, end = card.index(f"<!-- {name} -->"), card.index(f"<!-- /{name} -->")
        part = card[start:end]
        assert f"held-out seed {HELD_OUT_SEED}" in part
        for columns in (ACCURACY_COLUMNS, LAYER_COLUMNS, EFFECT_COLUMNS):
            assert f"| {' | '.join(columns)} |" in part
        for group in ("one image", "two images", "three images", "fetal phantoms"):
            assert re.search(rf"\*\*Accuracy: .*{group}", part)
            assert re.search(rf"\*\*Attention by layer: .*{group}", part)


def test_the_command_prints_the_tables_and_writes_the_card(monkeypatch, tmp_path, capsys):
    card = tmp_path / "CARD.md"
    card.write_text("<!-- random -->\n<!-- /random -->\n")
    monkeypatch.setattr("inference.adapters.demo.evaluate.CARD", Path(card))
    assert main(["--weights", "random", "--cases", "5", "--card"]) == 0
    printed, written = capsys.readouterr().out, card.read_text()
    for text in (printed, written):
        assert "**Accuracy: organs, one image (5 cases)**" in text
        assert "ROI painted over" in text


def test_a_card_without_a_place_is_refused():
    with pytest.raises(ValueError, match="<!-- trained -->"):
        with_tables("no marks", "trained", "")
