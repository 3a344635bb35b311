"""What the pages of agreement are asked for: who, which regions, which cases, and by which number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from annotations.agreement_coefficients import LEVELS
from annotations.agreement_names import Party, party_of
from annotations.agreement_rows import (
    BETWEEN_MODELS,
    MODEL_AND_GOLD,
    OF_LABELS,
    READERS,
    WITH_GOLD,
    WITH_MODELS,
    Kinds,
    Narrowed,
)
from annotations.models import Arm

if TYPE_CHECKING:
    from annotations.naming import Mask

LONGEST = 200
NO_LABEL = "-"
KINDS: dict[str, Kinds] = {
    "readers": READERS,
    "models": WITH_MODELS,
    "gold": WITH_GOLD,
    "models-gold": MODEL_AND_GOLD,
    "between-models": BETWEEN_MODELS,
}
KIND_WORDS = {
    "readers": "two readers",
    "models": "reader and model",
    "gold": "reader and gold",
    "models-gold": "model and gold",
    "between-models": "two models",
}
METRIC_WORDS = {
    "same_answer": "Same answer",
    "detection_f1": "Detection F1",
    "matched_iou": "Matched IoU",
    "iou": "IoU of all regions",
    "dice": "Dice",
    "surface_dice": "Surface Dice",
    "hausdorff_mm": "Hausdorff distance, mm",
    "hausdorff_px": "Hausdorff distance, px",
    "step_f1": "Step F1",
    "step_order": "Step order",
    "critical_f1": "Critical steps, F1",
    "time_ratio": "Time, shorter over longer",
    "attention_ratio": "Attention ratio",
}
LEVEL_WORDS = {"nominal": "names without order", "ordinal": "an order", "interval": "numbers"}
ARM_WORDS = {Arm.UNAIDED.value: "unaided", Arm.AIDED.value: "aided"}


class NoSuchAgreement(Exception):
    """The address asks for something that there is not, in words."""


@dataclass(frozen=True)
class Asked:
    """What an address says. An empty text or None narrows nothing; `until` is the last day.

    A case stands in the span of time in which its newest reading was submitted.
    """

    arm: str = Arm.UNAIDED.value
    reader: Party | None = None
    other: Party | None = None
    label: str = ""
    modality: str = ""
    since: dt.date | None = None
    until: dt.date | None = None
    level: str = "nominal"
    kind: str = "readers"
    metric: str = "same_answer"

    @property
    def label_id(self) -> str | None:
        """The label as it is stored; None for any."""
        return "" if self.label == NO_LABEL else self.label or None

    @property
    def narrowed(self) -> Narrowed:
        """For the functions that count."""
        return Narrowed(
            reader=self.reader.id if self.reader else None,
            label=self.label_id,
            modality=self.modality or None,
            arm=Arm(self.arm),
            since=_midnight(self.since),
            until=_midnight(self.until, days=1),
            level=self.level,
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the chosen number is other than on the plain page."""
        return bool(replace(self, kind=Asked.kind, metric=Asked.metric).query())

    def query(self, **changes: Any) -> dict[str, str]:
        """These arguments for an address, changed, without what is the default."""
        given, plain = vars(replace(self, **changes)), vars(Asked())
        return {name: str(value) for name, value in given.items() if value != plain[name] and value not in (None, "")}


def asked_of(given: Mapping[str, str], mask: Mask | None = None) -> Asked:
    """What an address asks for; somebody with a mask names readers by their codes.

    Raises
    ------
    NoSuchAgreement
        For a value that is none of the known ones, naming it.
    """
    asked = Asked(
        arm=_one_of(given, "arm", ARM_WORDS, Asked.arm),
        reader=_party(given, "reader", mask),
        other=_party(given, "other", mask),
        label=_text(given, "label"),
        modality=_text(given, "modality"),
        since=_day(given, "since"),
        until=_day(given, "until"),
        level=_one_of(given, "level", dict.fromkeys(LEVELS), Asked.level),
        kind=_one_of(given, "kind", KINDS, Asked.kind),
        metric=_one_of(given, "metric", METRIC_WORDS, Asked.metric),
    )
    if asked.label and asked.metric not in OF_LABELS:
        # Of the regions of one label less is known: the nearest of what is.
        return replace(asked, metric="iou")
    return asked


def _text(given: Mapping[str, str], name: str) -> str:
    value = given.get(name, "")
    if "\0" in value or len(value) > LONGEST:
        raise NoSuchAgreement(f"{name}: there is none of this name")
    return value


def _one_of(given: Mapping[str, str], name: str, known: Mapping[str, Any], otherwise: str) -> str:
    value = given.get(name) or otherwise
    if value not in known:
        raise NoSuchAgreement(f"{name}: {value[:40]!r} is none of {', '.join(known)}")
    return value


def _party(given: Mapping[str, str], name: str, mask: Mask | None) -> Party | None:
    value = given.get(name, "")
    try:
        return party_of(value, mask) if value else None
    except ValueError as error:
        raise NoSuchAgreement(f"{name}: {error}") from None


def _day(given: Mapping[str, str], name: str) -> dt.date | None:
    value = given.get(name, "")
    try:
        return dt.date.fromisoformat(value) if value else None
    except ValueError:
        raise NoSuchAgreement(f"{name}: {value[:40]!r} is no day such as 2026-11-22") from None


def _midnight(day: dt.date | None, *, days: int = 0) -> dt.datetime | None:
    """The beginning of a day, some days later, in UTC; None beyond the calendar."""
    if day is None or (dt.date.max - day).days < days:
        return None
    return dt.datetime.combine(day + dt.timedelta(days=days), dt.time(), tzinfo=dt.UTC)
