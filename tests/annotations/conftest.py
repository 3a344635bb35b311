"""What these tests need beside the cast."""

from __future__ import annotations

import pytest
from django_vite.core.asset_loader import DjangoViteAssetLoader


@pytest.fixture(autouse=True)
def no_built_front_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages render without a build of the front end: its tags name the entry only."""

    def tag(self: DjangoViteAssetLoader, path: str, app: str = "default", **attributes: str) -> str:
        return f'<script type="module" src="/static/{path}"></script>'

    monkeypatch.setattr(DjangoViteAssetLoader, "generate_vite_asset", tag)
