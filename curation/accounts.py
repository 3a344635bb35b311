"""People and programs: users, their roles and their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from knox.models import get_token_model

from curation import audit
from curation.models import Membership, Role, User

if TYPE_CHECKING:
    from curation.models import Benchmark


# So much of a token is stored and shown, to tell one from another.
SHOWN_OF_TOKEN = 8


class BadPassword(ValueError):
    """A name or password that is not taken."""


@transaction.atomic
def give_role(
    *,
    name: str,
    role: Role,
    benchmark: Benchmark | None = None,
    password: str | None = None,
    is_superuser: bool = False,
    actor: User | None = None,
) -> tuple[User, bool]:
    """Give somebody a role, creating the user if there is none of that name.

    Parameters
    ----------
    benchmark
        None: the role is held in every benchmark.
    password
        Set if given; without one a new user cannot sign in with a password, only with a token.

    Returns
    -------
    (User, bool)
        The user, and whether it is new.

    Raises
    ------
    BadPassword
        Naming every rule that the password, or the name, breaks.
    """
    user = User.objects.filter(username=name).first()
    is_new = user is None
    if user is None:
        user = User(username=name, is_superuser=is_superuser, is_staff=is_superuser)
        user.set_unusable_password()
    try:
        user.clean_fields(exclude=["password"])
        if password is not None:
            validate_password(password, user)
            user.set_password(password)
    except ValidationError as error:
        raise BadPassword(f"{name}: {' '.join(error.messages)}") from None
    user.save()
    _, is_granted = Membership.objects.get_or_create(user=user, benchmark=benchmark, role=role)
    if is_new or is_granted or password is not None:
        audit.record(
            "user.role_given",
            actor=actor,
            benchmark_id=benchmark.pk if benchmark else None,
            object_type="user",
            object_id=str(user.pk),
            after={
                "name": user.username,
                "role": role.value,
                "benchmark": benchmark.slug if benchmark else None,
                "is_new": is_new,
                "has_new_password": password is not None,
            },
        )
    return user, is_new


@transaction.atomic
def new_token(*, user: User, actor: User | None = None) -> str:
    """A new API token; the only time it can be read."""
    _, token = get_token_model().objects.create(user=user)
    audit.record(
        "user.token_made",
        actor=actor,
        object_type="user",
        object_id=str(user.pk),
        after={"name": user.username, "begins_with": str(token)[:SHOWN_OF_TOKEN]},
    )
    return str(token)
