"""The demo model's shipped weights, each set loaded once, on one thread: torch's own pool starves on a shared core."""

import pytest
import torch

from inference.adapters.demo.adapter import DemoAdapter
from inference.adapters.demo.checkpoints import WEIGHT_SETS
from inference.adapters.demo.vocabulary import build_tokenizer


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="package")
def adapters(one_thread):
    return {weights: DemoAdapter({"weights": weights, "device": "cpu"}) for weights in WEIGHT_SETS}


@pytest.fixture(scope="package")
def tokenizer():
    return build_tokenizer()
