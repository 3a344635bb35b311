"""How far two parties agree on a case, as rows that a submit replaces, never the whole benchmark."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from annotations.models.readings import Arm
from curation.models import Case


class PartyKind(models.TextChoices):
    """Who speaks."""

    READER = "reader", "Reader"
    MODEL = "model", "Model"
    GOLD = "gold", "Gold"


class CaseAgreement(models.Model):
    """The state of a case's agreement, and what its readers answered as one pattern that sums group by."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, primary_key=True, related_name="agreement")
    benchmark_id = models.UUIDField()
    sources_digest = models.CharField(max_length=64, help_text="of the revisions that the rows were computed from")
    metric_version = models.CharField(max_length=32)
    readers = models.PositiveSmallIntegerField(default=0, help_text="with a submitted unaided reading of this input")
    pattern: models.JSONField[dict[str, int], dict[str, int]] = models.JSONField(
        default=dict, help_text="how many readers gave each answer, by letter"
    )
    aided_pattern: models.JSONField[dict[str, int], dict[str, int]] = models.JSONField(
        default=dict, help_text="as `pattern`, of the aided arm"
    )
    modalities = models.CharField(max_length=200, blank=True, help_text="sorted, joined by a space")
    cluster = models.CharField(
        max_length=16, blank=True, help_text="what is drawn together: patient, else first image, hashed"
    )
    said_at = models.DateTimeField(null=True, help_text="when the newest reading was submitted")
    computed_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["benchmark_id", "said_at"], name="case_agreement_by_time")]

    def __str__(self) -> str:
        return f"agreement on {self.case_id}"


class AgreementScore(models.Model):
    """One pair of parties on one case. The pair is stored once: reader before model before gold, then by id.

    `a_said` and `b_said` are ids of the Reading, or of the Prediction or Gold of a higher app, with its revision. Null
    is undefined; `why` says by column name why.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="agreement_scores")
    benchmark_id = models.UUIDField()
    arm = models.CharField(max_length=8, choices=Arm.choices, default=Arm.UNAIDED)
    a_kind = models.CharField(max_length=8, choices=PartyKind.choices)
    a_party = models.UUIDField(help_text="id of the user or model version; of gold the case's")
    a_said = models.UUIDField()
    a_revision = models.PositiveIntegerField()
    b_kind = models.CharField(max_length=8, choices=PartyKind.choices)
    b_party = models.UUIDField()
    b_said = models.UUIDField()
    b_revision = models.PositiveIntegerField()
    a_answer = models.CharField(max_length=64, blank=True)
    b_answer = models.CharField(max_length=64, blank=True)
    is_same_answer = models.BooleanField(null=True)
    rois_a = models.PositiveIntegerField(default=0)
    rois_b = models.PositiveIntegerField(default=0)
    rois_matched = models.PositiveIntegerField(default=0, help_text="pairs of at least the threshold's IoU")
    detection_f1 = models.FloatField(null=True)
    matched_iou = models.FloatField(null=True, help_text="mean IoU over Hungarian pairs; an unmatched ROI counts 0")
    iou = models.FloatField(null=True, help_text="of the unions, mean over the frames on which either drew")
    dice = models.FloatField(null=True)
    surface_dice = models.FloatField(null=True)
    hausdorff = models.FloatField(null=True, help_text="in `hausdorff_unit`")
    hausdorff_unit = models.CharField(max_length=2, blank=True, help_text="mm or px")
    steps_a = models.PositiveIntegerField(default=0)
    steps_b = models.PositiveIntegerField(default=0)
    step_f1 = models.FloatField(null=True)
    step_order = models.FloatField(null=True)
    critical_f1 = models.FloatField(null=True)
    attention_ratio = models.FloatField(null=True, help_text="of a model against this reader's regions")
    a_active_s = models.FloatField(null=True)
    b_active_s = models.FloatField(null=True)
    modalities = models.CharField(max_length=200, blank=True, help_text="the case's")
    cluster = models.CharField(max_length=16, blank=True, help_text="the case's")
    said_at = models.DateTimeField(null=True, help_text="when the second of the two spoke")
    why: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict, blank=True)
    metric_version = models.CharField(max_length=32)
    computed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["case", "arm", "a_kind", "a_party", "b_kind", "b_party"], name="agreement_pair_once"
            ),
            models.CheckConstraint(
                condition=Q(a_kind__in=PartyKind.values, b_kind__in=PartyKind.values), name="agreement_known_kinds"
            ),
        ]
        indexes: ClassVar = [
            # With what confusion of answers needs, so that it reads no row.
            models.Index(
                fields=["benchmark_id", "arm", "a_kind", "b_kind"],
                include=["a_party", "b_party", "a_answer", "b_answer"],
                name="agreement_by_answers",
            ),
            models.Index(fields=["benchmark_id", "a_party"], name="agreement_by_a"),
            models.Index(fields=["benchmark_id", "b_party"], name="agreement_by_b"),
        ]

    def __str__(self) -> str:
        return f"{self.a_kind} {self.a_party} and {self.b_kind} {self.b_party} on {self.case_id}"


class AgreementLabel(models.Model):
    """The regions of one label of a pair."""

    score = models.ForeignKey(AgreementScore, on_delete=models.CASCADE, related_name="labels")
    benchmark_id = models.UUIDField()
    label = models.CharField(max_length=64, blank=True)
    matched = models.PositiveIntegerField()
    only_a = models.PositiveIntegerField()
    only_b = models.PositiveIntegerField()
    iou = models.FloatField(null=True, help_text="of the unions of this label's regions")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["score", "label"], name="agreement_label_once")]
        indexes: ClassVar = [models.Index(fields=["benchmark_id", "label"], name="agreement_by_label")]

    def __str__(self) -> str:
        return f"{self.label} of {self.score_id}"


class AgreementConfusion(models.Model):
    """How often two labels met in a pair: what the one called a region, and what the other called the same.

    Null is "drew nothing there"; the empty text is a region without a label.
    """

    score = models.ForeignKey(AgreementScore, on_delete=models.CASCADE, related_name="confusions")
    benchmark_id = models.UUIDField()
    label_a = models.CharField(max_length=64, null=True, blank=True)
    label_b = models.CharField(max_length=64, null=True, blank=True)
    count = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["score", "label_a", "label_b"], name="agreement_confusion_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(label_a__isnull=False) | Q(label_b__isnull=False), name="agreement_confusion_of_something"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["benchmark_id"], name="agreement_confusion_by")]

    def __str__(self) -> str:
        return f"{self.label_a} and {self.label_b} in {self.score_id}"
