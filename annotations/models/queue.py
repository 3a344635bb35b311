"""What the queue remembers: each draw with its probability, and how far down each reader has passed."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from curation.models import Benchmark, Case


class Draw(models.Model):
    """The first hand-out of a case where disagreement leads, with the probability that it was this case.

    Estimates over the cases drawn so far are reweighted by it (annotations/metrics/sampling.py).
    """

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="draw")
    benchmark = models.ForeignKey(Benchmark, on_delete=models.PROTECT, related_name="draws")
    number = models.PositiveIntegerField(help_text="of the draws of the benchmark, from 1")
    pool = models.PositiveIntegerField(help_text="cases that could have been drawn, this one among them")
    epoch = models.PositiveIntegerField(
        default=0, help_text="the benchmark's `queue_epoch` then: while it stays, only draws make the pool smaller"
    )
    probability = models.FloatField(help_text="that this case would be drawn at this moment, in (0, 1]")
    is_random = models.BooleanField(help_text="drawn uniformly, not by disagreement")
    random_share = models.FloatField(help_text="the benchmark's at that moment")
    value = models.FloatField(null=True, blank=True, help_text="the case's disagreement at that moment")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["benchmark_id", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["benchmark", "number"], name="draw_number_once"),
            models.CheckConstraint(
                condition=Q(probability__gt=0, probability__lte=1), name="draw_probability_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"draw {self.number} of {self.benchmark}: {self.case}"


class QueueMark(models.Model):
    """Up to where a reader need not look again in a benchmark: every open case before it has ended for this reader.

    Void when the benchmark's `queue_epoch` has moved on, and some minutes after the look from the start that it rests
    on. An infinite `order_key` says that nothing was left.
    """

    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    benchmark = models.ForeignKey(Benchmark, on_delete=models.CASCADE, related_name="+")
    epoch = models.PositiveIntegerField()
    order_key = models.FloatField()
    position = models.BigIntegerField()
    since = models.DateTimeField(
        default=timezone.now, help_text="when the queue was last looked through from its start"
    )

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["reader", "benchmark"], name="queue_mark_once")]

    def __str__(self) -> str:
        return f"{self.reader} in {self.benchmark} from {self.order_key}"


class ProbeTurn(models.Model):
    """How many cases a reader submitted or skipped in a benchmark while probes are handed out there.

    The draw of the next case goes by it. A row of its own, since a reader's mark is locked where a case is waited for.
    """

    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    benchmark = models.ForeignKey(Benchmark, on_delete=models.CASCADE, related_name="+")
    ended = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["reader", "benchmark"], name="probe_turn_once")]

    def __str__(self) -> str:
        return f"{self.reader} ended {self.ended} cases in {self.benchmark}"


class ReaderPair(models.Model):
    """How many cases two readers were both handed out while the order is balanced; `low` has the lower id."""

    benchmark = models.ForeignKey(Benchmark, on_delete=models.CASCADE, related_name="+")
    low = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    high = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    shared = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["benchmark", "low", "high"], name="reader_pair_once"),
        ]

    def __str__(self) -> str:
        return f"{self.low} and {self.high} in {self.benchmark}: {self.shared}"
