"""Log-ins that failed, kept for as long as they count."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone


class LoginFailure(models.Model):
    """One log-in that was tried and has not succeeded."""

    # Keyed, never the name itself: people type passwords into the wrong field.
    name_digest = models.CharField(max_length=64)
    address = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["name_digest", "at"], name="login_failure_by_name"),
            models.Index(fields=["address", "at"], name="login_failure_by_address"),
            models.Index(fields=["at"], name="login_failure_by_time"),
        ]

    def __str__(self) -> str:
        return f"failed log-in from {self.address or 'an unknown address'} at {self.at:%Y-%m-%d %H:%M:%S}"
