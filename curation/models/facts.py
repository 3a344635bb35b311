"""The read model that lists filter and sort by."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from curation.models.cases import Case


class CaseFacts(models.Model):
    """One row a case, written only through `curation.facts.record`."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, primary_key=True, related_name="facts")
    benchmark_id = models.UUIDField(help_text="of the case: with its place here, one index finds the next case to read")
    position = models.PositiveBigIntegerField()
    image_count = models.PositiveSmallIntegerField(default=0)
    modalities = models.CharField(max_length=200, blank=True, help_text="sorted, joined by a space")
    readings_submitted = models.PositiveIntegerField(default=0)
    readings_open = models.PositiveIntegerField(default=0)
    readings_begun = models.PositiveIntegerField(default=0, help_text="in any state: never becomes less")
    predictions_done = models.PositiveIntegerField(default=0)
    answer_disagreement = models.FloatField(null=True, blank=True, help_text="highest over models, 0 to 1")
    region_disagreement = models.FloatField(null=True, blank=True, help_text="highest over models, 0 to 1")
    disagreement = models.FloatField(null=True, blank=True, help_text="CasePriority's value, 0 to 1; null: not known")
    is_open = models.BooleanField(
        default=True, help_text="fewer readings submitted than wanted, and no probe: the queue looks at no other"
    )
    order_key = models.FloatField(default=0.0, help_text="lower comes first, under the benchmark's order policy")
    draw_key = models.FloatField(default=0.0, help_text="place in the seeded random order, in [0, 1)")
    is_drawn = models.BooleanField(
        default=False, help_text="was handed out once, by a draw or otherwise: no draw can be its first hand-out"
    )

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["benchmark_id", "order_key", "position"], condition=models.Q(is_open=True), name="facts_queue"
            ),
            models.Index(
                fields=["benchmark_id", "draw_key"],
                condition=models.Q(is_open=True, is_drawn=False),
                name="facts_undrawn",
            ),
            models.Index(fields=["benchmark_id", "-disagreement", "position"], name="facts_by_disagreement"),
            models.Index(fields=["benchmark_id", "position", "readings_submitted"], name="facts_by_place"),
            models.Index(fields=["readings_submitted"], name="facts_by_readings"),
            models.Index(fields=["-region_disagreement"], name="facts_by_region"),
        ]

    def __str__(self) -> str:
        return f"facts of {self.case_id}"
