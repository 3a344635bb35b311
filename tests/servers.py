"""One embedded PostgreSQL and Valkey for a whole test session, shared by all of its processes.

Loaded by `-p tests.servers` (pyproject.toml), so that the servers run before Django's settings are read. The
controller starts them in a temporary var folder and stops them at the end; xdist's workers inherit the environment.
The secret key is the same in every run: probes, for one, are drawn from it.
"""

import os
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from config.temporary import temporary_servers

KEY = "only-tests-sign-with-this-key/0123456789/abcdefghijklmnopqrstuvwxyz"


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Before conftest files and pytest-django's look at the settings, in the controller only."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ["SECRET_KEY"] = KEY
        stack = ExitStack()
        # Also when collection fails or pytest is interrupted.
        early_config.add_cleanup(stack.close)
        stack.enter_context(temporary_servers())
    return (yield)
