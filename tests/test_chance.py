"""What a test draws, it draws again in the next run."""

from __future__ import annotations

import random
import secrets
import uuid
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pytest


def test_ids_tokens_and_coins_follow_from_the_name_of_the_test(request: pytest.FixtureRequest) -> None:
    seed = request.config.getoption("randomly_seed", 0)
    stream = random.Random(f"{seed} {request.node.nodeid}").randbytes(4096)
    assert uuid.uuid4().bytes[:6] in stream, "the rest holds bits of version and variant"
    assert bytes.fromhex(secrets.token_hex(16)) in stream
    assert random.SystemRandom().randbytes(16) in stream
    assert np.random.default_rng().bit_generator.seed_seq.entropy.to_bytes(16, "big") in stream  # type: ignore[attr-defined]
