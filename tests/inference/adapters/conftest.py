"""One tiny LLaVA for all tests of the adapters."""

import pytest

from inference.adapters.tiny import build_tiny_llava


@pytest.fixture(scope="session")
def tiny_llava(tmp_path_factory):
    return build_tiny_llava(tmp_path_factory.mktemp("models") / "tiny")
