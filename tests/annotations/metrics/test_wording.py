"""Likeness of sentences: denial, sides, scripts, forms of letters, hostile texts."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.metrics import wording
from annotations.metrics.wording import text_similarity


def compared(a, b):
    similarity, contradiction = text_similarity([a], [b])
    return float(similarity[0, 0]), float(contradiction[0, 0])


@pytest.mark.parametrize(
    ("denied", "asserted"),
    [
        ("No pleural effusion.", "Pleural effusion."),
        ("In the left lung there is no effusion", "In the left lung there is effusion"),
        ("The left lung isn't collapsed", "The left lung is collapsed"),
        ("The left lung isn\u2019t collapsed", "The left lung is collapsed"),
        ("Effusion is absent", "Effusion"),
        ("Effusion is excluded", "Effusion cannot be excluded"),
        ("No nodule above 3.5 mm in the left lung", "Nodule above 3.5 mm in the left lung"),
        ("Kein Pleuraerguss links", "Pleuraerguss links"),
        ("Der Erguss ist nicht gekammert", "Der Erguss ist gekammert"),
        ("Pas d'épanchement pleural", "Épanchement pleural"),
        ("Sin derrame pleural", "Derrame pleural"),
        ("Nessun versamento pleurico", "Versamento pleurico"),
        ("Sem derrame pleural", "Derrame pleural"),
        ("Geen pleuravocht", "Pleuravocht"),
        ("无胸腔积液", "胸腔积液"),
        ("未见胸腔积液", "胸腔积液"),
        ("胸水なし", "胸水"),
        ("흉수 없음", "흉수"),
    ],
)
def test_a_denial_contradicts_what_it_denies(denied, asserted):
    similarity, contradiction = compared(denied, asserted)
    assert similarity * (1 - contradiction) < 0.2
    assert contradiction >= 0.7
    assert compared(asserted, denied) == pytest.approx((similarity, contradiction))


@pytest.mark.parametrize(
    ("a", "b", "least"),
    [
        ("No pleural effusion", "Without pleural effusion", 0.99),
        ("No effusion, consolidation or pneumothorax", "No consolidation", 0.5),
        ("Heart is not enlarged, effusion on the left", "Effusion on the left", 0.6),
        ("No effusion but consolidation", "Consolidation; no effusion", 0.85),
        ("Effusion cannot be excluded", "Effusion", 0.8),
        ("There is a left pleural effusion.", "Left-sided pleural effusion is present", 0.5),
        (
            "Blunting of the right costophrenic angle suggests effusion",
            "Right costophrenic angle blunted: effusion",
            0.6,
        ),
        ("未见胸腔积液", "无胸腔积液", 0.99),
        ("左侧胸腔积液", "左侧少量胸腔积液", 0.5),
        ("ＥＦＦＵＳＩＯＮ", "effusion", 1.0),
        ("Straße", "STRASSE", 1.0),
        ("e\u0301panchement", "épanchement", 1.0),
        ("effusion left", "LEFT: effusion!", 0.99),
        ("!!", "!!", 1.0),
    ],
)
def test_the_same_in_other_words_is_alike_without_contradiction(a, b, least):
    similarity, contradiction = compared(a, b)
    assert similarity >= least - 1e-6
    assert contradiction < 0.1


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Cardiomegaly with increased cardiothoracic ratio", "Tracheal deviation with mediastinal shift"),
        ("The bowel gas pattern is nonobstructive", "The heart is of normal size and the lungs are clear"),
        ("胸腔积液", "心影增大"),
        ("", ""),
        ("", "effusion"),
        ("!!", "??"),
    ],
)
def test_other_findings_are_not_alike(a, b):
    assert compared(a, b)[0] < 0.3


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Effusion on the left", "Effusion on the right"),
        ("Erguss links", "Erguss rechts"),
        ("Épanchement à gauche", "Épanchement à droite"),
        ("左侧胸腔积液", "右侧胸腔积液"),
    ],
)
def test_the_other_side_contradicts(a, b):
    assert compared(a, b)[1] == 1
    assert compared(a, f"{a}. {b}")[1] == 0


def test_golden_values():
    """Raise METRIC_VERSION when these change."""
    assert wording.METRIC_VERSION == "2"
    similarity, contradiction = text_similarity(
        ["Left pleural effusion", "No consolidation, heart normal"], ["Effusion, left", "Consolidation"]
    )
    assert similarity == pytest.approx(np.array([[0.7947194, 0.0], [0.0, 0.0]]), abs=1e-6)
    assert contradiction == pytest.approx(np.array([[0.0, 0.0], [0.0833333, 0.5416667]]), abs=1e-6)
    similarity, contradiction = text_similarity(
        ["A large calcification is seen", "A 12 mm benign nodule, upper lobe"],
        ["A large vessel is seen", "Malignant nodule of 1.6 cm", "A small nodule of the lower lobe"],
    )
    wanted = [[0.1131371, 0.0, 0.0], [0.0, 0.2396579, 0.3819758]]
    assert similarity == pytest.approx(np.array(wanted), abs=1e-6)
    assert contradiction.tolist() == [[0.0, 0.0, 0.5], [0.0, 1.0, 1.0]]


def test_by_hand():
    # " ab", "ab " against " ab", "abc", "bc ": one trigram shared of 2 and of 3.
    assert compared("ab", "abc")[0] == pytest.approx(1 / np.sqrt(6))
    # Thrice the same trigrams have the same shares.
    assert compared("ab ab ab", "ab")[0] == pytest.approx(1)


@given(st.text(max_size=80), st.text(max_size=80))
def test_symmetric_within_bounds_and_one_for_itself(a, b):
    similarity, contradiction = text_similarity([a, b], [a, b])
    assert ((similarity >= 0) & (similarity <= 1)).all()
    assert ((contradiction >= 0) & (contradiction <= 1 + 1e-6)).all()
    assert similarity == pytest.approx(similarity.T, abs=1e-6)
    assert contradiction == pytest.approx(contradiction.T, abs=1e-6)
    for place, text in enumerate((a, b)):
        if text.strip():
            assert similarity[place, place] == 1
            assert contradiction[place, place] == 0


@given(st.lists(st.text("abc no.", max_size=30), max_size=4), st.lists(st.text("abc no.", max_size=30), max_size=4))
def test_a_pair_is_what_it_is_alone(a, b):
    similarity, contradiction = text_similarity(a, b)
    assert similarity.shape == contradiction.shape == (len(a), len(b))
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            assert compared(one, other) == pytest.approx((similarity[i, j], contradiction[i, j]), abs=1e-6)


def test_the_beginning_alone_counts():
    long = "effusion " * 200
    assert len(long) > wording.MOST_CHARACTERS
    assert compared(long + "x", long + "no pneumothorax") == (1.0, 0.0)


def test_two_hundred_hostile_texts_of_many_different_trigrams_share_places_and_stay_in_bounds():
    rng = random.Random(0)
    texts = ["".join(chr(rng.randrange(32, 0xD000)) for _ in range(10_000)) for _ in range(200)]
    similarity, contradiction = text_similarity(texts, texts)
    assert (similarity.diagonal() == 1).all()
    assert similarity[0, 1:].max() < 0.4
    assert contradiction.max() <= 1


@pytest.mark.parametrize(
    "text", ["\ud800 no \udfff", "\ufdfa" * 3000, "a" + "\u0301" * 3000, "\x00no\x00", "no " * 3000]
)
def test_strange_texts_are_texts(text):
    assert compared(text, text) == (1.0, 0.0)
