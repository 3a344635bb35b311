"""What admins and curators do with people: accounts, roles, passwords and tokens, each of it in the trail.

Who may do what: an admin of all benchmarks everything; a curator of a benchmark gives and takes the roles reader and
reviewer there, an admin of it every role (`permissions.roles_to_give`). Nobody but an admin of all benchmarks changes
the own roles: a curator who laid down the role of reader would no longer read blind.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from knox.models import get_token_model

from curation import accounts, audit, events
from curation.models import Membership, Role, User
from curation.permissions import MANAGE_PEOPLE, roles_to_give
from curation.signals import reader_left

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from curation.models import Benchmark

EVERY_BENCHMARK = "every benchmark"
# 18 random bytes as 24 letters, digits, - and _: nobody guesses it, and it can be read out.
PASSWORD_BYTES = 18


class PersonRefused(ValueError):
    """Something that must not be done to this person, and why."""


def site_admins() -> QuerySet[User]:
    """Who can still let people in: active, and an admin of all benchmarks."""
    everywhere = Membership.objects.filter(benchmark=None, role=Role.ADMIN)
    return User.objects.filter(Q(is_superuser=True) | Q(pk__in=everywhere.values("user")), is_active=True)


@transaction.atomic
def create_person(*, name: str, full_name: str, actor: User) -> tuple[User, str]:
    """A new user with a password made here, which is known this once only.

    Raises
    ------
    PersonRefused
        If the name is taken, or is none.
    """
    first, _, last = full_name.strip().rpartition(" ")
    user = User(username=User.normalize_username(name.strip()), first_name=first or last)
    user.last_name = last if first else ""
    password = _new_password(user)
    try:
        user.clean_fields()
    except ValidationError as error:
        raise PersonRefused(" ".join(error.messages)) from None
    if User.objects.filter(username__iexact=user.username).exists():
        raise PersonRefused(f"there is a user {user.username} already")
    user.save()
    _record("user.created", user, actor, after={"name": user.username})
    return user, password


@transaction.atomic
def give_role(*, person: User, role: Role, benchmark: Benchmark | None, actor: User) -> bool:
    """Give a role; False where the person holds it already."""
    _may_change(person, role, benchmark, actor)
    _, is_new = Membership.objects.get_or_create(user=person, benchmark=benchmark, role=role)
    if is_new:
        _record("user.role_given", person, actor, after=_held(person, role, benchmark), benchmark=benchmark)
    return is_new


@transaction.atomic
def take_role(*, person: User, role: Role, benchmark: Benchmark | None, actor: User) -> bool:
    """Take a role away; False where the person does not hold it. The last admin of all benchmarks keeps it."""
    _may_change(person, role, benchmark, actor)
    is_lowering_admin = role == Role.ADMIN and benchmark is None and not person.is_superuser
    if is_lowering_admin:
        _another_admin_stays(person)
    count, _ = Membership.objects.filter(user=person, benchmark=benchmark, role=role).delete()
    if count:
        events.hang_up(person.pk)
        _record("user.role_taken", person, actor, before=_held(person, role, benchmark), benchmark=benchmark)
    if count and role == Role.READER:
        _tell_left(person, benchmark)
    return bool(count)


@transaction.atomic
def deactivate(*, person: User, actor: User) -> None:
    """End what the person can do here, at once: sessions and tokens too. What the person wrote stays.

    Raises
    ------
    PersonRefused
        For the last admin of all benchmarks, and for oneself.
    """
    if person.pk == actor.pk:
        raise PersonRefused("nobody deactivates the own account; another admin can")
    _another_admin_stays(person)
    tokens, _ = get_token_model().objects.filter(user=person).delete()
    person.is_active = False
    # A new hash ends every session for good, so that none comes back with the account.
    person.set_unusable_password()
    person.save(update_fields=["is_active", "password"])
    events.hang_up(person.pk)
    _record("user.deactivated", person, actor, before={"name": person.username, "tokens": tokens})
    _tell_left(person, None)


@transaction.atomic
def activate(*, person: User, actor: User) -> str:
    """Let a person in again, with the roles from before; returns the new password, known this once only."""
    person.is_active = True
    password = _new_password(person)
    person.save(update_fields=["is_active", "password"])
    _record("user.activated", person, actor, after={"name": person.username})
    return password


@transaction.atomic
def reset_password(*, person: User, actor: User) -> str:
    """A new password made here, known this once only; it ends every session and every token of the person.

    Tokens too: whoever had the account could have made one.
    """
    if not person.is_active:
        raise PersonRefused(f"{person.username} is deactivated; activating gives a new password")
    tokens, _ = get_token_model().objects.filter(user=person).delete()
    password = _new_password(person)
    person.save(update_fields=["password"])
    events.hang_up(person.pk)
    _record("user.password_reset", person, actor, after={"name": person.username, "tokens_ended": tokens})
    return password


def make_token(*, person: User, actor: User) -> str:
    """A new API token, known this once only."""
    if not person.is_active:
        raise PersonRefused(f"{person.username} is deactivated")
    return accounts.new_token(user=person, actor=actor)


@transaction.atomic
def revoke_token(*, person: User, begins_with: str, actor: User) -> bool:
    """End a token, named by its first letters; False where there is none."""
    if len(begins_with) < accounts.SHOWN_OF_TOKEN:
        return False
    count, _ = get_token_model().objects.filter(user=person, token_key__startswith=begins_with).delete()
    if count:
        before = {"name": person.username, "begins_with": begins_with[: accounts.SHOWN_OF_TOKEN]}
        _record("user.token_revoked", person, actor, before=before)
    return bool(count)


def _tell_left(person: User, benchmark: Benchmark | None) -> None:
    where = benchmark.pk if benchmark else None
    transaction.on_commit(lambda: reader_left.send_robust(sender=User, user_id=person.pk, benchmark_id=where))


def _new_password(person: User) -> str:
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    person.set_password(password)
    return password


def _may_change(person: User, role: Role, benchmark: Benchmark | None, actor: User) -> None:
    where = f"in {benchmark.slug}" if benchmark else f"in {EVERY_BENCHMARK}"
    if role not in roles_to_give(actor, benchmark):
        raise PersonRefused(f"you may not give or take the role {role.value} {where}")
    if person.pk == actor.pk and not actor.has_perm(MANAGE_PEOPLE):
        raise PersonRefused("nobody changes the own roles; another curator or an admin can")
    # Made a reader, an admin would be blind to what the curator does.
    if benchmark is not None and person.rank_in(benchmark.pk) > actor.rank_in(benchmark.pk):
        raise PersonRefused(f"{person.username} holds a higher role {where} than you")


def _another_admin_stays(person: User) -> None:
    # Whoever lowers an admin at the same time waits here, and then counts anew.
    list(User.objects.select_for_update().filter(pk__in=site_admins().values("pk")).order_by("pk").values_list("pk"))
    left = set(site_admins().values_list("pk", flat=True))
    if person.pk in left and len(left) == 1:
        raise PersonRefused(f"{person.username} is the last admin of all benchmarks; make another one first")


def _held(person: User, role: Role, benchmark: Benchmark | None) -> dict[str, Any]:
    return {"name": person.username, "role": role.value, "benchmark": benchmark.slug if benchmark else None}


def _record(
    action: str, person: User, actor: User, *, before: Any = None, after: Any = None, benchmark: Benchmark | None = None
) -> None:
    audit.record(
        action,
        actor=actor,
        benchmark_id=benchmark.pk if benchmark else None,
        object_type="user",
        object_id=str(person.pk),
        before=before,
        after=after,
    )
