"""People and what each may do in which benchmark."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

import rules
from django.contrib.auth.models import AbstractUser
from django.db import models

if TYPE_CHECKING:
    from collections.abc import Iterable

    from curation.models.benchmarks import Benchmark


class Role(models.TextChoices):
    """What a person is to a benchmark; one person may be several things."""

    READER = "reader", "Reader"
    REVIEWER = "reviewer", "Reviewer"
    CURATOR = "curator", "Curator"
    ENGINEER = "engineer", "ML engineer"
    ADMIN = "admin", "Admin"

    @property
    def rank(self) -> int:
        """How much the role sees: 1 (own readings) to 4 (everything)."""
        return {"reader": 1, "reviewer": 2, "engineer": 2, "curator": 3, "admin": 4}[self.value]


class User(AbstractUser):
    """A person or a program that signs in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    @property
    def display_name(self) -> str:
        """The full name where there is one, else the user name."""
        return self.get_full_name() or self.username

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        """As Django says, but what `curation.permissions` rules goes by roles for superusers too.

        A superuser is an admin everywhere. Reading takes the role: who reads is blind, and fills a place.
        """
        if rules.perm_exists(perm):
            return self.is_active and bool(rules.has_perm(perm, self, obj))
        return super().has_perm(perm, obj)

    def roles_by_benchmark(self) -> dict[uuid.UUID | None, frozenset[str]]:
        """Roles by benchmark id; the key None holds roles in every benchmark. One query, kept for the request."""
        cached: dict[uuid.UUID | None, frozenset[str]] | None = getattr(self, "_roles", None)
        return self.remember_roles(self.memberships.values_list("benchmark_id", "role")) if cached is None else cached

    def remember_roles(
        self, memberships: Iterable[tuple[uuid.UUID | None, str]]
    ) -> dict[uuid.UUID | None, frozenset[str]]:
        """Keep for the request what `roles_by_benchmark` says, from rows (benchmark id, role) just read."""
        found: dict[uuid.UUID | None, set[str]] = {}
        for benchmark_id, role in memberships:
            found.setdefault(benchmark_id, set()).add(role)
        self._roles = {key: frozenset(roles) for key, roles in found.items()}
        return self._roles

    def roles_in(self, benchmark_id: uuid.UUID) -> frozenset[str]:
        """Every role held in one benchmark, those held everywhere included; a superuser is an admin everywhere."""
        by_benchmark = self.roles_by_benchmark()
        roles = by_benchmark.get(benchmark_id, frozenset()) | by_benchmark.get(None, frozenset())
        return roles | {Role.ADMIN.value} if self.is_superuser else roles

    def rank_in(self, benchmark_id: uuid.UUID) -> int:
        """The highest rank of the roles held in one benchmark; 0 for an outsider."""
        return max((Role(role).rank for role in self.roles_in(benchmark_id)), default=0)


class Membership(models.Model):
    """One role of one person, in one benchmark or (benchmark empty) in all of them."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    benchmark: models.ForeignKey[Benchmark | None, Benchmark | None] = models.ForeignKey(
        "curation.Benchmark",
        on_delete=models.CASCADE,
        related_name="memberships",
        null=True,
        blank=True,
    )
    role = models.CharField(max_length=16, choices=Role.choices)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "benchmark", "role"],
                name="membership_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_known_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.benchmark or 'every benchmark'}"
