"""The clock of the demo's past: weeks of reading that are made up in seconds, told as if they had passed."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest import mock

from django.utils import timezone

from curation.models import User

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

WEEKS = 5
PAST = dt.timedelta(weeks=WEEKS)
# What `verify_audit` allows an event to be behind another: more would look like one put in later.
SHORT_PAST = dt.timedelta(minutes=90)


class Clock:
    """The time that this process goes by: it stands until it is moved on.

    `day` days after the start of the demo's past are `at(day)`; where there is little past, days are shorter.
    """

    def __init__(self, *, now: dt.datetime, past: dt.timedelta) -> None:
        self.start = now - past
        self.day = past / PAST.days
        self.time = self.start

    def at(self, day: float) -> dt.datetime:
        """The moment so many days after the start."""
        return self.start + day * self.day

    def set(self, moment: dt.datetime) -> None:
        """Stand at a moment."""
        self.time = moment

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.time += dt.timedelta(seconds=seconds)

    def now(self) -> dt.datetime:
        """As `timezone.now`."""
        return self.time

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let everything that asks for the time, the models' own fields too, be told this clock's.

        In this process alone: what workers and the database do meanwhile has the time that it is.
        """
        with mock.patch.object(timezone, "now", self.now):
            yield


def past_of(names: Collection[str]) -> dt.timedelta:
    """How far back the demo may go.

    Weeks, where nobody but the demo's own users (`names`) has ever been: then no event of the trail lies in between.
    Else the trail is somebody's, and the demo's readings are of today.
    """
    others = User.objects.exclude(username__in=names).exists()
    came = User.objects.filter(username__in=names, last_login__isnull=False).exists()
    return SHORT_PAST if others or came else PAST
