"""The browser of the end-to-end tests: the machine's own Chromium, not one that Playwright would download."""

import os
import shutil
from typing import Any

import pytest

# Headless in a container: no sandbox of its own as root, and no talk with its maker's servers.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium lies; `make test` names it in SIGHTLINE_CHROMIUM."""
    found = os.environ.get("SIGHTLINE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], chromium: str) -> dict[str, Any]:
    """Playwright's launch options."""
    return {**browser_type_launch_args, "executable_path": chromium, "args": list(FLAGS)}
