"""What verdicts are made from: the newest predictions, what experts say of a case, and the stored scores."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, Q

from curation.models import Case, CaseImage, Gold, GoldRoi
from inference.currency import headline_layer, why_prediction_stale
from inference.metrics.catalogue import METRICS
from inference.models import JobState, MapKind, Prediction, RoiRule, Score
from inference.targets import newest_revisions, option_chosen

RATIO, KL_NORM, POINTING = "attention_ratio", "kl_norm", "pointing_hit"

Target = tuple[str, uuid.UUID]


@dataclass(frozen=True)
class Scored:
    """What verdicts need of one score row, at the model's headline layer."""

    revision: int
    place: tuple[int | None, int | None]
    map: str
    metric: str
    value: float | None
    nulls: Mapping[str, Any]
    unavailable: str
    n_cells: int | None
    roi_cells: int | None


@dataclass
class Sources:
    """What experts say of a case, and the rows of its newest predictions."""

    case: Case
    cluster: str = ""
    gold: Gold | None = None
    gold_has_regions: bool = False
    readings: dict[uuid.UUID, tuple[int, str, str | None, bool]] = field(default_factory=dict)
    """Revision, input digest, option and whether it has a region, by reading."""

    @property
    def readings_revision(self) -> int:
        """Grows with every submitted revision of any reading."""
        return sum(revision for revision, *_ in self.readings.values())

    @property
    def options(self) -> int:
        """How many options the question has; 0 for an open one."""
        return len(self.case.options or {})

    def option(self, answer: Any) -> str | None:
        """The option that an answer names, if the question has it."""
        chosen = option_chosen(answer)
        return chosen if chosen is not None and chosen in (self.case.options or {}) else None

    def reference(self, input_digest: str) -> str | None:
        """The option that counts as right: the gold's, else the source's, else the one most readings chose.

        Only readings of this input have a vote: another question is another letter.
        """
        named = self.option(self.gold.answer) if self.gold is not None else None
        named = named or self.option(self.case.answer)
        votes = Counter(choice for _, digest, choice, _ in self.readings.values() if choice and digest == input_digest)
        leading = votes.most_common(2)
        if named or not leading:
            return named
        return None if len(leading) > 1 and leading[0][1] == leading[1][1] else leading[0][0]


def newest_predictions(case_ids: list[uuid.UUID]) -> list[Prediction]:
    """Of each case and model the newest finished prediction, a current one before any other."""
    rows = (
        Prediction.objects.filter(case__in=case_ids, state=JobState.DONE)
        .select_related("model", "case")
        .defer("text", "image_share", "case__extra")
        .order_by("created_at", "pk")
    )
    newest: dict[tuple[uuid.UUID, uuid.UUID], Prediction] = {}
    for row in rows:
        key = (row.case_id, row.model_id)
        if key not in newest or why_prediction_stale(newest[key]) or not why_prediction_stale(row):
            newest[key] = row
    return sorted(newest.values(), key=lambda row: (row.case_id, row.model_id))


def sources_of(case_ids: list[uuid.UUID]) -> dict[uuid.UUID, Sources]:
    """What experts say of each case; four queries however many cases."""
    found = {case.pk: Sources(case) for case in Case.objects.filter(pk__in=case_ids).defer("extra", "history")}
    first = CaseImage.objects.filter(case__in=case_ids, number=1).values_list("case_id", "asset_id")
    images = dict(first)
    for case_id, sources in found.items():
        patient = sources.case.patient
        name = f"patient {patient}" if patient else f"image {images.get(case_id, case_id)}"
        sources.cluster = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
    golds = Gold.objects.in_force().filter(case__in=case_ids)
    for gold in golds.annotate(has_regions=Exists(GoldRoi.objects.filter(gold=OuterRef("pk")))):
        found[gold.case_id].gold, found[gold.case_id].gold_has_regions = gold, vars(gold)["has_regions"]
    for revision in newest_revisions(case_ids).select_related("reading"):
        content = revision.content
        sources = found[revision.reading.case_id]
        sources.readings[revision.reading_id] = (
            revision.revision,
            revision.input_digest,
            sources.option(content.get("answer")),
            bool(content.get("rois")),
        )
    return found


def scored_rows(predictions: list[Prediction]) -> dict[uuid.UUID, dict[Target, list[Scored]]]:
    """Score rows by prediction and target: of the metric's newest version that is stored."""
    layers = {prediction.pk: headline_layer(prediction.model) for prediction in predictions}
    wanted = Q(metric__in=[RATIO, KL_NORM, POINTING], map=MapKind.RELATIVE) | Q(metric=RATIO, map=MapKind.ABSOLUTE)
    rows = Score.objects.filter(wanted, prediction__in=layers, roi_rule=RoiRule.BOX).order_by("image", "frame")
    found: dict[uuid.UUID, dict[Target, list[Scored]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.metric_version != METRICS[row.metric].version:
            continue
        at = layers[row.prediction_id]
        has_layer = at < len(row.values)
        found[row.prediction_id][row.target_kind, row.target_id].append(
            Scored(
                revision=row.target_revision,
                place=(row.image, row.frame),
                map=str(row.map),
                metric=row.metric,
                value=row.values[at] if has_layer else None,
                nulls=row.nulls[at] if has_layer else {},
                unavailable=row.unavailable,
                n_cells=row.n_cells,
                roi_cells=row.roi_cells,
            )
        )
    return found
