"""What Django's administration may only look at: content-addressed, frozen or trailed rows of every app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    # Generic for the type checker only.
    ModelAdmin = admin.ModelAdmin


class Untouched:
    """No adding, changing or deleting: operations do that, and say so in the trail."""

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, *_: Any, **__: Any) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        """Nobody."""
        return False


class LookOnly(Untouched, ModelAdmin):
    """A list and its rows, to look at."""
