"""What these tests need beside the cast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where an export goes; its parent is there and empty but for it."""
    (tmp_path / "exports").mkdir()
    return tmp_path / "exports" / "out"
