"""The planted control scores what its formula says."""

import numpy as np
import pytest

from inference.adapters import planted
from inference.adapters.base import CaseInput, RenderedImage
from inference.metrics.answers import parse_choice
from inference.metrics.catalogue import GRID_METRICS
from inference.metrics.grids import touched_cells
from inference.metrics.grounding import relative_map


def predict(settings=None, options=None, images=1):
    pixels = np.zeros((200, 400, 3), dtype=np.uint8)
    pictures = tuple(RenderedImage(number, 0, pixels) for number in range(1, images + 1))
    case = CaseInput("case-1", "Is there a cyst?", options, "", pictures)
    return planted.load("", "", settings or {}).predict(case)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"gain": "9", "layers": "2", "rows": "12", "columns": "20"},
        {"gain": "0.2", "focus": "0,0,0.5,1"},
        {"gain": "1"},
        {"rows": "24", "columns": "24", "layers": "32", "gain": "50", "focus": "0.4,0.4,0.45,0.45"},
    ],
)
@pytest.mark.parametrize("box", [(100, 50, 300, 150), (0, 0, 130, 90), (399, 199, 400, 200), (0, 0, 400, 200)])
def test_attention_ratio_and_energy_are_those_of_the_formula(given, box):
    known = planted.DEFAULTS | given
    rows, columns, layers, gain = (float(known[key]) for key in ("rows", "columns", "layers", "gain"))
    x0, y0, x1, y1 = (float(part) for part in known["focus"].split(","))
    found = predict(given).maps[0]
    region = touched_cells(box, found.transform)
    in_focus = np.array(
        [
            [x0 <= (column + 0.5) / columns < x1 and y0 <= (row + 0.5) / rows < y1 for column in range(int(columns))]
            for row in range(int(rows))
        ]
    )
    n, focus = rows * columns, in_focus.sum()
    k, size = (in_focus & region).sum(), region.sum()
    relative = relative_map(found.question, found.general)
    ratios = GRID_METRICS["attention_ratio"].over_layers(relative, region)
    energies = GRID_METRICS["ebpg"].over_layers(relative, region)
    assert len(ratios) == layers
    for layer in range(1, int(layers) + 1):
        extra = (gain - 1) * layer / layers
        expected = (1 + extra * k / size) / (1 + extra * focus / n)
        assert ratios[layer - 1] == pytest.approx(expected, rel=2e-6)
        assert energies[layer - 1] == pytest.approx(expected * size / n, rel=2e-6)


def test_a_known_number():
    """Default settings, the focus itself as the region: AR at the last layer is 3 / (1 + 2 / 4) = 2."""
    found = predict().maps[0]
    region = touched_cells((100, 50, 300, 150), found.transform)
    ratios = GRID_METRICS["attention_ratio"].over_layers(relative_map(found.question, found.general), region)
    assert ratios.tolist() == pytest.approx([1.5 / 1.125, 2 / 1.25, 2.5 / 1.375, 2.0], rel=1e-6)


def test_half_of_all_attention_is_on_images_in_equal_parts():
    output = predict(images=4)
    assert output.image_share == {1: 0.25, 2: 0.25, 3: 0.25, 4: 0.25}
    assert sum(one.question.sum(axis=(1, 2)) for one in output.maps) == pytest.approx(0.5)
    assert np.unique(output.maps[0].general).size == 1


def test_the_answer_is_set():
    options = {"A": "yes", "B": "no", "C": "perhaps"}
    output = predict({"choice": "B", "p": "0.6"}, options)
    assert output.choice == "B" == parse_choice(output.text, options)
    assert output.option_probabilities == pytest.approx({"A": 0.2, "B": 0.6, "C": 0.2})
    assert predict({}, options).choice == "A"
    assert predict({}, {"D": "only"}).option_probabilities == {"D": 1.0}
    assert predict({}, None).choice is None
    assert all("Planted control" in text for text in (*output.steps, output.text))


def test_a_choice_that_a_case_does_not_have_is_refused():
    with pytest.raises(ValueError, match="choice=E is not among the case's options A, B"):
        predict({"choice": "E"}, {"A": "yes", "B": "no"})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rows", "0"), ("rows", "65"), ("columns", "x"), ("layers", "1.5"), ("gain", "0"), ("gain", "-1"),
        ("gain", "nan"), ("gain", "much"), ("p", "1.1"), ("p", "nan"), ("focus", "0,0,1"), ("focus", "a,b,c,d"),
        ("focus", "0.5,0,0.5,1"), ("focus", "0,0,1.5,1"), ("focus", "nan,0,1,1"), ("colour", "red"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_by_key_and_value(key, value):
    with pytest.raises(ValueError, match=f"{key}={value}"):
        planted.load("", "", {key: value})


def test_there_are_no_weights_to_load():
    with pytest.raises(ValueError, match="'models/x'"):
        planted.load("models/x", "", {})


def test_other_settings_are_another_model():
    default = planted.load("", "", {}).describe()
    assert planted.load("", "", {"gain": "4"}).describe().weights_digest != default.weights_digest
    assert planted.load("", "", {"p": "0.5"}).describe().decoding_digest != default.decoding_digest
