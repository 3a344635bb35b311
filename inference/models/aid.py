"""What was in view while somebody read a case again with models."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from annotations.models import Reading
from inference.models.predictions import Prediction


class AidShown(models.Model):
    """That a prediction was shown to the reader of an aided draft, the first time."""

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="+")
    prediction = models.ForeignKey(Prediction, on_delete=models.CASCADE, related_name="+")
    shown_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["reading", "prediction"], name="aid_shown_once")]

    def __str__(self) -> str:
        return f"{self.prediction_id} shown in {self.reading_id}"
