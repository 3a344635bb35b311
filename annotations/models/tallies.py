"""Running sums of agreement, so that a page need not add up every stored pair."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import MD5


class Tallied(models.Model):
    """What some cases add to one number of a page; all of it whole, so that what is taken away is gone."""

    benchmark_id = models.UUIDField()
    part = models.CharField(max_length=64, help_text="of the page, with arm and kinds, as `agreement_tallies.part_of`")
    key = models.TextField(blank=True, help_text="within the part: a reader, two parties, a label, a day …")
    bucket = models.SmallIntegerField(help_text="of the cases' clusters, 0 to 255; -1 where none matters")
    numbers = ArrayField(models.BigIntegerField(), help_text="as `agreement_tallies` lays them out")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.part} {self.key} {self.bucket}"


class AgreementTally(Tallied):
    """The sums of all changes that were folded in; whoever folds holds the benchmark's advisory lock."""

    class Meta:
        constraints: ClassVar = [
            # By the digest: a pattern of many long answers is longer than an index holds.
            models.UniqueConstraint("benchmark_id", "part", MD5("key"), "bucket", name="agreement_tally_once")
        ]


class AgreementDelta(Tallied):
    """A change of a tally that one case made: written with its pairs, summed on reading, folded in by and by.

    Nobody updates such a row, so cases that change at the same time never wait for one another.
    """

    class Meta:
        indexes: ClassVar = [models.Index(fields=["benchmark_id", "part"], name="agreement_delta_by_part")]


class TalliedBenchmark(models.Model):
    """A benchmark whose tallies hold all of its pairs; before that its pages add up the pairs themselves."""

    benchmark_id = models.UUIDField(primary_key=True)
    rule = models.PositiveSmallIntegerField(help_text="`agreement_tallies.RULE` when its tallies were begun")

    def __str__(self) -> str:
        return str(self.benchmark_id)
