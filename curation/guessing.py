"""Passwords by guessing: after ten failed log-ins of a name, or fifty from an address, nobody tries it for a while.

Then the right password does not help either.

Failures are counted by user name and by client address, in the database, since every web process counts. The guard is
an authentication backend that comes before the one that checks passwords, so that every log-in form is behind it, the
admin's included.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.dispatch import receiver
from django.utils import timezone
from django.utils.crypto import salted_hmac

from curation.models import LoginFailure

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from curation.models import User

MOST_FAILURES = 10
# A reading room, or a whole hospital, may share one address.
MOST_FROM_ADDRESS = 50
WINDOW = dt.timedelta(minutes=15)


def name_digest(name: str) -> str:
    """What stands for a user name; spellings that differ in case alone count as one."""
    return salted_hmac("curation.guessing", name.strip().casefold(), algorithm="sha256").hexdigest()


def address_of(request: HttpRequest) -> str:
    """The client's address; empty behind a socket that has none, and then only the name counts."""
    return str(request.META.get("REMOTE_ADDR") or "")[:64]


def wait_for(*, name: str, address: str) -> dt.timedelta | None:
    """How long until this name may be tried from this address; None: now."""
    return _wait(LoginFailure.objects.all(), name_digest(name), address)


def _wait(rows: QuerySet[LoginFailure], digest: str, address: str) -> dt.timedelta | None:
    now = timezone.now()
    counted = [(Q(name_digest=digest), MOST_FAILURES)]
    if address:
        counted.append((Q(address=address), MOST_FROM_ADDRESS))
    waits = []
    for which, most in counted:
        newest = rows.filter(which, at__gt=now - WINDOW).order_by("-at").values_list("at", flat=True)
        if (at := next(iter(newest[most - 1 : most]), None)) is not None:
            waits.append(at + WINDOW - now)
    return max(waits, default=None)


def may_try(*, name: str, address: str) -> bool:
    """Count a log-in as failed until it succeeds, unless too many before it did; whether it may be tried.

    It is counted before the password is looked at: else many at once would all be let through.
    """
    LoginFailure.objects.filter(at__lte=timezone.now() - WINDOW).delete()
    digest = name_digest(name)
    row = LoginFailure.objects.create(name_digest=digest, address=address)
    if _wait(LoginFailure.objects.filter(pk__lt=row.pk), digest, address) is None:
        return True
    row.delete()  # what is not tried is no failure, and makes no wait longer
    return False


class GuessingGuard:
    """Knows nobody, but ends a log-in before a password is looked at.

    It is no BaseBackend, so that nobody takes it for one that can name the user of a session.
    """

    def authenticate(self, request: HttpRequest | None, username: str | None = None, **_: Any) -> None:
        """Nobody; PermissionDenied, which ends the log-in, where too many have failed."""
        if request is not None and username is not None and not may_try(name=username, address=address_of(request)):
            raise PermissionDenied


@receiver(user_logged_in)
def forget_failures(*, request: HttpRequest | None, user: User, **_: Any) -> None:
    """Whoever got in has shown who they are: their failures from there no longer count, those of others do."""
    if request is not None:
        rows = LoginFailure.objects.filter(name_digest=name_digest(user.get_username()), address=address_of(request))
        rows.delete()
