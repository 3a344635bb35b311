"""What a test draws, it draws again in the next run."""

from __future__ import annotations

import random
import secrets
import uuid
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import pytest


def test_ids_tokens_and_coins_follow_from_the_name_of_the_test(request: pytest.FixtureRequest) -> None:
    seed = request.config.getoption("randomly_seed", 0)
    stream = random.Random(f"{seed} {request.node.nodeid}").randbytes(4096)
    assert uuid.uuid4().bytes[:6] in stream, "the rest holds bits of version and variant"
    assert bytes.fromhex(secrets.token_hex(16)) in stream
    assert random.SystemRandom().randbytes(16) in stream
    assert np.random.default_rng().bit_generator.seed_seq.entropy.to_bytes(16, "big") in stream  # type: ignore[attr-defined]


def test_examples_are_not_hurried_and_with_a_fixed_profile_the_same(request: pytest.FixtureRequest) -> None:
    current = settings()
    assert current.deadline is None
    assert HealthCheck.too_slow in current.suppress_health_check
    assert current.derandomize is (request.config.getoption("--hypothesis-profile") == "ci")
