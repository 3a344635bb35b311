"""A benchmark and the versioned protocol that says how its cases are read."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.validators import MinValueValidator
from django.db import models

if TYPE_CHECKING:
    from curation.models.users import User


class ProtocolKind(models.TextChoices):
    """The built-in protocols."""

    MEDTHINKVQA = "medthinkvqa", "MedThinkVQA"
    VGMED = "vgmed", "VGMED"
    FETAL_GAUGE = "fetal_gauge", "FETAL-GAUGE"
    CARE = "care", "CARE"
    TOPIC_FINDINGS = "topic_findings", "Topic findings"
    FREE = "free", "Free"


class OrderPolicy(models.TextChoices):
    """In which order the queue hands out cases; annotations/ordering.py says what each means."""

    GIVEN = "given", "Given order"
    RANDOM = "random", "Random, seeded"
    BALANCED = "balanced", "Balanced over readers"
    PRIORITY = "priority", "Priority"
    DISAGREEMENT = "disagreement", "Disagreement first"


class BenchmarkQuerySet(models.QuerySet["Benchmark"]):
    """Which benchmarks."""

    def visible_to(self, user: User) -> BenchmarkQuerySet:
        """Those in which the user holds any role."""
        by_benchmark = user.roles_by_benchmark()
        if user.is_superuser or None in by_benchmark:
            return self.all()
        return self.filter(pk__in=[key for key in by_benchmark if key is not None])


class Benchmark(models.Model):
    """A named set of cases, read under one protocol and released in snapshots."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=64, unique=True)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    overlap = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1)],
        help_text="readings wanted for each case",
    )
    is_paused = models.BooleanField(default=False, help_text="no case is handed out while paused")
    is_push_only = models.BooleanField(default=False, help_text="cases come only to the readers they are assigned to")
    order_policy = models.CharField(max_length=16, choices=OrderPolicy.choices, default=OrderPolicy.GIVEN)
    order_seed = models.PositiveIntegerField(default=0, help_text="of the random order and of random draws")
    random_share = models.FloatField(
        default=0.2, help_text="share of draws that are uniformly random where disagreement leads, in (0, 1]"
    )
    queue_epoch = models.PositiveIntegerField(
        default=0, editable=False, help_text="raised when cases that a reader had passed by may be open again"
    )
    probe_rate = models.FloatField(
        default=0.0, help_text="share of hand-outs that are probes (cases whose gold is known), in [0, 0.5]; secret"
    )
    is_training = models.BooleanField(default=False, help_text="readers are told the gold after each submit")
    is_demo = models.BooleanField(default=False, help_text="ships with the product; not clinically validated")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BenchmarkQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["slug"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(overlap__gte=1), name="benchmark_overlap_positive"),
            models.CheckConstraint(
                condition=models.Q(order_policy__in=OrderPolicy.values), name="benchmark_known_order"
            ),
            models.CheckConstraint(
                condition=models.Q(random_share__gt=0, random_share__lte=1), name="benchmark_random_share_in_range"
            ),
            models.CheckConstraint(
                condition=models.Q(probe_rate__gte=0, probe_rate__lte=0.5), name="benchmark_probe_rate_in_range"
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def protocol(self) -> Protocol:
        """The protocol in force: the highest version. Raises Protocol.DoesNotExist when none was written."""
        return self.protocols.latest("version")


class Protocol(models.Model):
    """One version of INTERFACE.md section 4's object; a version in use is never edited."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    benchmark = models.ForeignKey(Benchmark, on_delete=models.CASCADE, related_name="protocols")
    version = models.PositiveIntegerField()
    kind = models.CharField(max_length=32, choices=ProtocolKind.choices)
    config: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["benchmark", "version"], name="protocol_version_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=ProtocolKind.values),
                name="protocol_known_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.benchmark} protocol {self.kind} v{self.version}"
