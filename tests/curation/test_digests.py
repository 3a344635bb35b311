from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from curation.digests import canonical, derived_key, digest, input_digest
from curation.formats.canonical import canonical_json
from curation.models import Benchmark, Case
from tests.factories import make_case

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("value", [1e22, 10**22, 1.0, 2.5e-300, 2**53 - 1, -0.0, {"ü": [None, True, "\u2028"]}, 1e300])
def test_a_value_has_the_same_bytes_after_the_database(benchmark: Benchmark, value: Any) -> None:
    made = make_case(benchmark, "c", extra={"value": value})
    assert canonical(Case.objects.get(pk=made.pk).extra) == canonical({"value": value})


@given(VALUES)
def test_bytes_are_those_of_an_independent_rfc8785(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value",
    [
        1e16,
        1e15,
        999999999999999.9,
        1e-4,
        9.9e-5,
        0.1,
        -0.0,
        5e-324,
        1e21,
        {"\U0001f600": 1, "\uffff": 2},
        "\x00\x1f\x7f\u2028",
    ],
)
def test_odd_values_have_the_bytes_of_an_independent_rfc8785(value: Any) -> None:
    assert canonical_json([value]) == rfc8785.dumps([value])


@given(VALUES)
def test_order_of_keys_does_not_matter(value: Any) -> None:
    def turned(inner: Any) -> Any:
        if isinstance(inner, dict):
            return {key: turned(inner[key]) for key in reversed(inner)}
        return [turned(item) for item in inner] if isinstance(inner, list) else inner

    assert digest(value) == digest(turned(value))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53 + 1, object(), {"a": [2**60 + 1]}])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 several messages
        digest(value)


def test_the_input_digest_follows_what_a_model_sees() -> None:
    base: dict[str, Any] = {
        "question": "q",
        "options": {"A": "x"},
        "history": "h",
        "images": ["1", "2"],
        "rendering": "1",
    }
    changes: list[dict[str, Any]] = [
        {"question": "r"}, {"options": None}, {"history": ""}, {"images": ["2", "1"]}, {"rendering": "2"},
        {"question_box": [1, 2, 3, 4]}, {"question_box": [1, 2, 3, 5]},
    ]  # fmt: skip
    found = {input_digest(**{**base, **change}) for change in [{}, *changes]}
    assert len(found) == len(changes) + 1
    assert input_digest(**base) == input_digest(**base)


def test_a_derived_key_is_sixteen_hex_digits_of_content() -> None:
    key = derived_key(kind="images", images=["a", "b"])
    assert len(key) == 16
    assert key == f"{int(key, 16):016x}"
    assert key != derived_key(kind="dicom", images=["a", "b"])
    assert key != derived_key(kind="images", images=["b", "a"])
