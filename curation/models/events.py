"""What browsers hear about, with who may hear it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from curation.models.users import Role


class Event(models.Model):
    """One live event. Its publisher says who may hear it; the hub only compares.

    Heard by `reader_id` if that is set; else by whoever has at least the rank of `least_role` in the benchmark.
    An `is_blinded` event also stays away from everyone who reads in that benchmark, whatever else they are.
    """

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=64)
    benchmark_id = models.UUIDField()
    least_role = models.CharField(max_length=16, choices=Role.choices)
    reader_id = models.UUIDField(null=True, blank=True)
    is_blinded = models.BooleanField(default=False)
    payload: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict, help_text="ids only")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.id} {self.type}"
