"""Two parties held against each other on one case: answer, regions, steps and time, as one row."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from annotations.agreement_confusion import Confusion, label_confusion
from annotations.agreement_regions import (
    NO_AREA,
    NO_REGION,
    ONE_EMPTY,
    Drawn,
    LabelOverlap,
    Plane,
    RegionOverlap,
    compare_regions,
    roi_scores,
)
from annotations.metrics import outlines, overlap, regions, step_similarity, steps, wording
from annotations.metrics.steps import Step, compare_steps
from annotations.models import AgreementConfusion, AgreementLabel, AgreementScore, Arm, PartyKind

if TYPE_CHECKING:
    import datetime as dt

PAIR_RULE = "2"
"""Raised with any change of this module or of `agreement_regions` that changes a number."""
METRIC_VERSION = ".".join(
    [PAIR_RULE, *(module.METRIC_VERSION for module in (overlap, outlines, regions, steps, step_similarity, wording))]
)

MOST_ANSWER = 64
ANSWER_LABEL = "answer"
NO_ANSWER, NOT_DRAWN, NO_STEPS, NOT_CRITICAL = "no_answer", "not_drawn", "no_steps", "none_critical"
ONE_PAIR, NO_ATTENTION, NOT_TIMED = "one_pair", "no_attention", "not_timed"
WHY = {
    NO_ANSWER: "one of the two gave no answer, or it is boxes: see regions",
    NO_REGION: "neither drew a region",
    NO_AREA: "only points and lines were drawn, which have no area",
    ONE_EMPTY: "only one of the two drew",
    NOT_DRAWN: "a model draws no regions, and this gold has none",
    NO_STEPS: "there are no steps to compare",
    NOT_CRITICAL: "no step was marked as critical",
    ONE_PAIR: "fewer than two steps were paired: there is no order",
    NO_ATTENTION: "the model's attention was not measured against these regions",
    NOT_TIMED: "nobody measured the time",
}
"""Why a number is undefined, in words, by what `AgreementScore.why` says."""
ORDER = {PartyKind.READER: 0, PartyKind.MODEL: 1, PartyKind.GOLD: 2}
_ENDS = re.compile(r"^[\s.,;:!?]+|[\s.,;:!?]+$")


NUMBERS = (
    "same_answer", "detection_f1", "matched_iou", "iou", "dice", "surface_dice", "hausdorff_mm", "hausdorff_px",
    "step_f1", "step_order", "critical_f1", "time_ratio", "attention_ratio",
)  # fmt: skip
"""The numbers of a pair in their order; `agreement_rows.METRICS` has the same in SQL."""


def numbers_of(row: AgreementScore) -> list[float | None]:
    """Each of NUMBERS of a pair; None where it is not defined."""
    told: dict[str, float | None] = {
        "same_answer": None if row.is_same_answer is None else float(row.is_same_answer),
        "hausdorff_mm": row.hausdorff if row.hausdorff_unit == "mm" else None,
        "hausdorff_px": row.hausdorff if row.hausdorff_unit == "px" else None,
        "time_ratio": None,
    }
    times = (row.a_active_s, row.b_active_s)
    if times[0] is not None and times[1] is not None and max(times[0], times[1]) > 0:
        told["time_ratio"] = min(times[0], times[1]) / max(times[0], times[1])
    return [told[name] if name in told else getattr(row, name) for name in NUMBERS]


@dataclass(frozen=True)
class Said:
    """What one party said of a case. `drawn` is None for a party that draws nothing: a model, a gold without regions.

    Only of a reader is an empty list of steps a statement; of others it means that there are none to compare.
    """

    kind: PartyKind
    party: uuid.UUID
    id: uuid.UUID
    revision: int
    arm: Arm = Arm.UNAIDED
    answer: str = ""
    drawn: tuple[Drawn, ...] | None = ()
    steps: tuple[Step, ...] = ()
    active_s: float | None = None
    said_at: dt.datetime | None = None

    @property
    def place(self) -> tuple[int, str]:
        """A pair is stored in this order of its two parties."""
        return (ORDER[self.kind], str(self.party))

    @property
    def key(self) -> tuple[str, uuid.UUID, uuid.UUID, int]:
        """What a row names it by."""
        return (str(self.kind), self.party, self.id, self.revision)


@dataclass(frozen=True)
class Stage:
    """What all pairs of a case share."""

    case_id: uuid.UUID
    benchmark_id: uuid.UUID
    modalities: str
    cluster: str
    planes: Mapping[int, Plane] = field(default_factory=dict)


@dataclass(frozen=True)
class Compared:
    """A pair's row, unsaved, and the rows of its labels."""

    score: AgreementScore
    labels: tuple[LabelOverlap, ...]
    confusion: Confusion

    def label_rows(self) -> list[AgreementLabel]:
        """To be saved after the score."""
        return [
            AgreementLabel(
                score=self.score,
                benchmark_id=self.score.benchmark_id,
                label=one.label,
                matched=one.matched,
                only_a=one.only_a,
                only_b=one.only_b,
                iou=one.iou,
            )
            for one in self.labels
        ]

    def confusion_rows(self) -> list[AgreementConfusion]:
        """To be saved after the score."""
        return [
            AgreementConfusion(
                score=self.score, benchmark_id=self.score.benchmark_id, label_a=label_a, label_b=label_b, count=count
            )
            for (label_a, label_b), count in self.confusion.items()
        ]


def answer_key(answer: Any, options: Iterable[str] = ()) -> str:
    """An answer as it is counted: a letter, or a text without regard to case, width, spaces and its outer marks.

    Boxes are regions and have no key, nor has a missing answer. What is longer than a column is cut and ends in its
    digest, so that two long answers are the same only if they are.

    Examples
    --------
    >>> answer_key({"choice": "B"}), answer_key({"text": " Pleural  EFFUSION. "}), answer_key(None)
    ('B', 'pleural effusion', '')
    """
    if isinstance(answer, Mapping):
        if isinstance(answer.get("choice"), str):
            return _cut(answer["choice"])
        answer = answer.get("text")
    if not isinstance(answer, str):
        return ""
    if answer in options:
        return _cut(answer)
    words = unicodedata.normalize("NFKC", answer).casefold()
    return _cut(_ENDS.sub("", " ".join(words.split())))


def _cut(text: str) -> str:
    if len(text) <= MOST_ANSWER:
        return text
    return f"{text[: MOST_ANSWER - 17]}~{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def answer_boxes(answer: Any) -> list[dict[str, Any]]:
    """The boxes of an answer as ROIs on the first image."""
    boxes = answer.get("boxes") if isinstance(answer, Mapping) else None
    return [
        {
            "id": f"answer.{number}",
            "image": 1,
            "frame": 0,
            "label": ANSWER_LABEL,
            "shape": "box",
            "geometry": dict(zip(("x0", "y0", "x1", "y1"), box, strict=True)),
        }
        for number, box in enumerate(boxes or [])
    ]


def compare(one: Said, other: Said, stage: Stage, *, attention_ratio: float | None = None) -> Compared:
    """Hold two parties against each other.

    Parameters
    ----------
    one, other
        In any order; of a reader and a model the reader becomes `a`.
    stage
        The case.
    attention_ratio
        Of a model against the other party's regions, where it was measured.

    Returns
    -------
    The row, unsaved and without a time of computing, with its labels. Whatever is undefined is None, and `why` names
    the reason by column; both are functions of the arguments alone.
    """
    a, b = sorted((one, other), key=lambda said: said.place)
    row = AgreementScore(
        case_id=stage.case_id,
        benchmark_id=stage.benchmark_id,
        arm=a.arm,
        a_kind=a.kind,
        a_party=a.party,
        a_said=a.id,
        a_revision=a.revision,
        b_kind=b.kind,
        b_party=b.party,
        b_said=b.id,
        b_revision=b.revision,
        a_answer=a.answer,
        b_answer=b.answer,
        is_same_answer=a.answer == b.answer if a.answer and b.answer else None,
        steps_a=len(a.steps),
        steps_b=len(b.steps),
        attention_ratio=attention_ratio,
        a_active_s=a.active_s,
        b_active_s=b.active_s,
        modalities=stage.modalities,
        cluster=stage.cluster,
        said_at=max((at for at in (a.said_at, b.said_at) if at is not None), default=None),
        metric_version=METRIC_VERSION,
    )
    why = {} if row.is_same_answer is not None else {"is_same_answer": NO_ANSWER}
    found, shared = _regions(a, b, stage)
    for name in _REGION_COLUMNS:
        setattr(row, name, _finite(getattr(found, name)))
    why |= found.why
    why |= _steps(row, a, b, shared)
    if PartyKind.MODEL in (a.kind, b.kind) and a.kind != b.kind and attention_ratio is None:
        why["attention_ratio"] = NO_ATTENTION
    why |= {f"{side}_active_s": NOT_TIMED for side, said in (("a", a), ("b", b)) if said.active_s is None}
    row.why = dict(sorted(why.items()))
    met = Confusion() if shared is None else label_confusion(a.drawn or (), b.drawn or (), shared)
    return Compared(row, found.labels, met)


_REGION_COLUMNS = (
    "rois_a", "rois_b", "rois_matched", "detection_f1", "matched_iou", "iou", "dice", "surface_dice", "hausdorff",
    "hausdorff_unit",
)  # fmt: skip


def _regions(a: Said, b: Said, stage: Stage) -> tuple[RegionOverlap, Any]:
    """The regions, and how alike each is to each: what steps share as evidence."""
    if a.drawn is None or b.drawn is None:
        names = ("detection_f1", "matched_iou", "iou", "dice", "surface_dice", "hausdorff")
        why = dict.fromkeys(names, NOT_DRAWN)
        return RegionOverlap(rois_a=len(a.drawn or ()), rois_b=len(b.drawn or ()), why=why), None
    scores = roi_scores(a.drawn, b.drawn, stage.planes)
    return compare_regions(a.drawn, b.drawn, scores, stage.planes), scores


def _steps(row: AgreementScore, a: Said, b: Said, shared: Any) -> dict[str, str]:
    names = ("step_f1", "step_order", "critical_f1")
    if any(not said.steps and said.kind != PartyKind.READER for said in (a, b)):
        return dict.fromkeys(names, NO_STEPS)
    found = compare_steps(a.steps, b.steps, roi_overlap=shared)
    row.step_f1, row.step_order, row.critical_f1 = found.f1, found.order, found.critical_f1
    if found.f1 is None:
        return dict.fromkeys(names, NO_STEPS)
    why = {} if found.order is not None else {"step_order": ONE_PAIR}
    return why if found.critical_f1 is not None else {**why, "critical_f1": NOT_CRITICAL}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def steps_of(steps: Iterable[Mapping[str, Any]], drawn: Sequence[Drawn]) -> tuple[Step, ...]:
    """Steps as a reading's content holds them, each with the places of the ROIs and the regions that it rests on."""
    places = {one.id: number for number, one in enumerate(drawn)}
    return tuple(
        Step(
            text=step.get("text") or "",
            kind=step.get("kind") or "free",
            image=step.get("image"),
            evidence=(
                *(places[cited] for cited in map(str, step.get("evidence") or ()) if cited in places),
                *(str(name) for name in step.get("regions") or ()),
            ),
            is_critical=step.get("is_critical"),
        )
        for step in steps
    )
