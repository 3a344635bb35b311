"""What every page's frame needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curation.models import Role, User

if TYPE_CHECKING:
    from django.http import HttpRequest

THEMES = ("dark", "light")


def site(request: HttpRequest) -> dict[str, Any]:
    """Theme, and the roles that the navigation names. One query for somebody signed in."""
    theme = request.COOKIES.get("theme", "")
    user = getattr(request, "user", None)
    held: set[str] = set()
    if isinstance(user, User):
        for roles in user.roles_by_benchmark().values():
            held |= roles
        if user.is_superuser:
            held.add(Role.ADMIN.value)
    ranked = sorted((Role(role) for role in held), key=lambda role: -role.rank)
    return {
        "theme": theme if theme in THEMES else "dark",
        "role_words": ", ".join(role.label for role in ranked) or "No role yet",
        "curates": bool(held & {Role.CURATOR.value, Role.ADMIN.value}),
        "is_staff_anywhere": bool(held - {Role.READER.value}),
        "is_site_staff": isinstance(user, User) and user.is_staff,
    }
