"""What sentences name, mean and measure: words, their forms, opposites, numbers with units; goldens are wording's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.metrics.claims import MOST_MEASURES, Claims, claims_of, common_words, mismeasured, stem_of
from annotations.metrics.wording import differing_words, text_likeness, text_similarity


def compared(a, b):
    similarity, contradiction, subject = (float(table[0, 0]) for table in text_likeness([a], [b]))
    return similarity, contradiction, subject


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("D: a large calcification is not seen.", "C: a large vessel is not seen."),
        (
            "A small cyst in the lower right part of the picture.",
            "A small mass in the lower right part of the picture.",
        ),
        ("There is a pleural effusion on the left side", "There is a rib fracture on the left side"),
        ("Findings are consistent with pneumonia", "Findings are consistent with pneumothorax"),
        ("Eine kleine Zyste ist links zu sehen", "Eine kleine Fraktur ist links zu sehen"),
        ("4 lesions", "3 lesions"),
        ("左肺结节", "左肺骨折"),
    ],
)
def test_another_noun_in_the_same_sentence_is_not_the_same(a, b):
    similarity, _, subject = compared(a, b)
    assert similarity < 0.5
    assert subject == pytest.approx(similarity, abs=1e-6)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("A benign nodule in the liver", "A malignant nodule in the liver"),
        ("The heart is normal", "The heart is enlarged"),
        ("The mass has increased", "The mass has decreased"),
        ("Acute infarct", "Chronic infarct"),
        ("Hyperdense lesion of the liver", "Hypodense lesion of the liver"),
        ("Nodule of the upper lobe", "Nodule of the lower lobe"),
        ("No nodule of the upper lobe", "No nodule of the lower lobe"),
        ("An irregular margin", "A regular margin"),
        ("Ein bösartiger Knoten", "Ein gutartiger Knoten"),
    ],
)
def test_opposites_contradict_each_other_about_the_same(a, b):
    similarity, contradiction, subject = compared(a, b)
    assert contradiction == 1
    assert similarity * (1 - contradiction) == 0
    assert subject >= 0.35
    # A text that names both means neither alone.
    assert compared(a, f"{a}. {b}")[1] < 1


def test_a_denied_quality_is_its_opposite():
    assert compared("A nodule, benign", "A nodule, not benign")[1] == 1
    assert compared("Nodule, not malignant", "Nodule, malignant")[1] == 1
    assert compared("Nodule, not malignant", "Nodule, benign")[1] < 0.2


def test_small_and_large_contradict_by_half():
    assert compared("A small effusion", "A large effusion")[1] == 0.5


@pytest.mark.parametrize(
    ("a", "b", "contradiction"),
    [
        ("nodule of 12 mm", "nodule of 12 mm", 0),
        ("nodule of 12 mm", "nodule of 1.2 cm", 0),
        ("nodule of 12 mm", "nodule of 16mm", 0.25),
        ("nodule of 12 x 8 mm", "nodule of 12 x 6 mm", 0.25),
        ("nodule of 8 x 12 mm", "nodule of 12 mm", 0),
        ("nodule of 12 mm", "nodule", 0),
        ("nodule of 12 mm", "attenuation of 12 hu", 0),
        ("Ejektionsfraktion 30 %", "Ejektionsfraktion 60%", 0.5),
        ("0 mm shift", "0 mm shift", 0),
    ],
)
def test_measures_contradict_as_far_as_they_differ(a, b, contradiction):
    assert compared(a, b)[1] == pytest.approx(contradiction)
    assert compared(b, a)[1] == pytest.approx(contradiction)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Left pleural effusion", "There is a pleural effusion on the left"),
        ("The heart is enlarged", "Enlarged heart"),
        ("Enlargement of the heart", "The heart is enlarged"),
        ("Two calcified nodules", "Two nodules with calcification"),
        ("A 12 mm nodule, likely malignant", "A nodule of 12 mm, probably malignant"),
    ],
)
def test_the_same_finding_in_another_order_or_form_has_all_its_words_in_common(a, b):
    similarity, contradiction, subject = compared(a, b)
    assert similarity >= 0.6
    assert contradiction == 0
    assert subject == pytest.approx(similarity, abs=1e-6)


def test_a_finding_and_its_denial_have_one_subject():
    similarity, contradiction, subject = compared("No left pleural effusion.", "Left pleural effusion")
    assert (similarity, contradiction) == (0, 1)
    assert subject == pytest.approx(1)


def test_common_words_by_hand():
    said = [Claims(words, (), {}) for words in ({"nodul": 1.0, "left": 0.25}, {"nodul": 1.0, "liver": 1.0}, {})]
    assert common_words(said, said) == pytest.approx(np.array([[1, 0.8, 1], [0.8, 1, 1], [1, 1, 1]]))
    assert common_words([], said).shape == (0, 3)


def test_measures_by_hand():
    one, other = Claims({}, (), {"mm": (20.0, 10.0), "hu": (40.0,)}), Claims({}, (), {"mm": (20.0, 5.0, 1.0)})
    assert mismeasured([one], [other]) == pytest.approx(np.array([[0.5]]))
    assert mismeasured([one], [Claims({}, (), {"%": (3.0,)})]) == np.array([[0]])


def measures_of(text):
    return claims_of(text, np.zeros(len(text), dtype=bool), np.ones(len(text), dtype=bool)).measures


def test_measures_are_set_against_each_other_by_unit_and_size():
    a = [Claims({}, (), {"mm": (12.0, 8.0), "%": (50.0,)}), Claims({}, (), {"mm": (0.0,)}), Claims({}, (), {})]
    b = [Claims({}, (), {"mm": (12.0, 2.0)}), Claims({}, (), {"%": (40.0,), "mm": (0.0, 0.0)})]
    assert mismeasured(a, b).tolist() == [[0.75, 1.0], [1.0, 0.0], [0.0, 0.0]]
    assert mismeasured([], b).shape == (0, 2)


def test_of_a_list_of_sizes_only_the_first_count():
    assert measures_of("1 mm " * 300) == {"mm": (1.0,) * MOST_MEASURES}
    assert measures_of("2 x 3 x 4 x 5 mm") == {"mm": (5.0, 4.0, 3.0, 2.0)}


def test_a_number_beyond_any_size_is_no_measure():
    assert measures_of("9" * 400 + " mm") == measures_of("1" * 10 + " mm") == {}
    contradiction = text_similarity(["9" * 400 + " cm"], ["8" * 400 + " cm"])[1]
    assert np.isfinite(contradiction).all()


@given(st.text(max_size=12))
def test_a_stem_is_the_beginning_of_its_word_or_the_same(word):
    assert len(stem_of(word)) <= len(word)
    assert stem_of(stem_of(word))[:3] == stem_of(word)[:3]


def test_words_that_differ_are_marked_where_they_stand():
    texts = [
        "There is a small left pleural effusion.",
        "There is a small RIGHT pleural effusion.",
        "No left pleural effusions",
        "Without an effusion of the pleural space on the left",
    ]
    marked = [
        [text[start:end] for start, end in spans] for text, spans in zip(texts, differing_words(texts), strict=True)
    ]
    assert marked == [["small", "left"], ["small", "RIGHT"], ["No", "left"], ["Without", "space", "left"]]
    assert differing_words(["Alone"]) == [[]]
    assert differing_words([]) == []
    assert differing_words(["肺结节", "肺骨折"]) == [[(1, 2), (2, 3)], [(1, 2), (2, 3)]]


@given(st.lists(st.text(max_size=60), max_size=4))
def test_marks_lie_in_their_text_and_do_not_overlap(texts):
    for text, spans in zip(texts, differing_words(texts), strict=True):
        ends = [0, *(end for _, end in spans)]
        assert all(before <= start < end <= len(text) for before, (start, end) in zip(ends, spans, strict=False))


@given(st.text(max_size=60), st.text(max_size=60))
def test_all_three_lie_in_bounds_and_do_not_depend_on_the_side(a, b):
    there, back = text_likeness([a], [b]), text_likeness([b], [a])
    for one, other in zip(there, back, strict=True):
        assert one == pytest.approx(other.T, abs=1e-6)
        assert (one >= 0).all()
        assert (one <= 1 + 1e-6).all()
    assert text_similarity([a], [b])[0] == there.similarity
