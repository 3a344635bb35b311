"""What the demo's readers say of a case: made up from a seed, and said to be so.

Each reader has a hand: how often it errs, how far its outlines are off, what it overlooks, what it takes for something
else, and how that changes over the weeks. When they read what is in config/demo/weeks.py.
"""

from __future__ import annotations

import dataclasses
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from config.demo import fetal, grounding, thinking
from config.demo.pictures import SEED
from curation.models import Case, GoldRoi
from curation.phantoms.organs import make_organ_case

NOTE = "made up by the demo"
MOST_ERRORS = 0.7


@dataclass(frozen=True)
class Hand:
    """How one made-up reader reads."""

    name: str
    errs: float
    overlooks: float
    mistakes_kind: float
    off: float
    """Of an outline, as a share of the region's size."""
    seconds: float
    tires: float = 0.0
    """By how much `errs` grows, and with it the rest in proportion, in a week; below 0 the reader gets better."""

    def after(self, weeks: float) -> Hand:
        """The same hand some weeks on."""
        errs = min(max(self.errs + self.tires * weeks, 0.01), MOST_ERRORS)
        more = errs / self.errs
        return dataclasses.replace(
            self,
            errs=errs,
            overlooks=min(self.overlooks * more, MOST_ERRORS),
            mistakes_kind=min(self.mistakes_kind * more, MOST_ERRORS),
            off=self.off * more**0.5,
        )


HANDS = (
    Hand("demo_reader", errs=0.08, overlooks=0.04, mistakes_kind=0.05, off=0.03, seconds=95),
    Hand("demo_reader_2", errs=0.22, overlooks=0.10, mistakes_kind=0.12, off=0.06, seconds=140, tires=-0.03),
    Hand("demo_reader_3", errs=0.30, overlooks=0.20, mistakes_kind=0.22, off=0.10, seconds=62),
    Hand("demo_reader_4", errs=0.08, overlooks=0.06, mistakes_kind=0.06, off=0.04, seconds=78, tires=0.16),
    Hand("demo_reader_5", errs=0.14, overlooks=0.08, mistakes_kind=0.10, off=0.05, seconds=110),
)


@dataclass(frozen=True)
class Seen:
    """One region that is there, and what it is."""

    image: int
    label: str | None
    box: tuple[float, float, float, float]
    words: str = ""


Truth = Callable[[Case], list[Seen]]


def said_by(hand: Hand, case: Case, *, weeks: float = 0.0) -> dict[str, Any]:
    """What a reader says of a case some weeks after the start: the same each time."""
    return content_of(case, hand.after(weeks), random.Random(f"{SEED} {hand.name} {case.key}"))


def content_of(case: Case, hand: Hand, rng: random.Random) -> dict[str, Any]:
    """One made-up reading of a case, as INTERFACE.md section 5 has it; the same for the same generator."""
    labels = [label["id"] for label in case.benchmark.protocol.config["labels"]]
    found = [one for one in _truth_of(case) if rng.random() >= hand.overlooks]
    drawn = [_drawn(case, one, labels, hand, rng) for one in found]
    wants_region = case.benchmark.slug == grounding.SLUG or not drawn
    if wants_region and not drawn:
        drawn = [_drawn(case, one, labels, hand, rng) for one in _truth_of(case)[:1]]
    choice = _choice(case, hand, rng)
    return {
        "answer": None if choice is None else {"choice": choice},
        "confidence": round(min(max(rng.gauss(0.85 - hand.errs, 0.1), 0.05), 1.0), 2),
        "rois": [roi for roi, _ in drawn],
        "steps": list(_steps(case, drawn, choice, rng)),
        "entities": [],
    }


def _truth_of(case: Case) -> list[Seen]:
    return TRUTHS[case.benchmark.slug](case)


def _in_organs(case: Case) -> list[Seen]:
    """Lesions of the pictures of a case, drawn again by their number."""
    return _lesions(int(str(case.extra["title"]).rsplit(" ", 1)[-1]) - 1)


@lru_cache
def _lesions(number: int) -> list[Seen]:
    organs = make_organ_case(SEED, number, images=thinking.IMAGES[number % len(thinking.IMAGES)])
    return [
        Seen(at, one.kind, (float(one.box[0]), float(one.box[1]), float(one.box[2]), float(one.box[3])), _words(one))
        for at, organ in enumerate(organs, 1)
        for one in organ.lesions
    ]


def _words(lesion: Any) -> str:
    edge = f"{lesion.edge} " if lesion.edge else ""
    return f"A {lesion.size} {edge}{lesion.kind} in the {lesion.vertical} {lesion.horizontal} part."


def _of_gold(case: Case) -> list[Seen]:
    """Boxes of the gold; where it has none, the box around what decides the question."""
    rois = GoldRoi.objects.filter(gold__case=case, shape="box").order_by("gold__revision", "pk")
    boxes = [[roi.geometry[side] for side in ("x0", "y0", "x1", "y1")] for roi in rois]
    if not boxes and case.extra.get("box_xyxy"):
        boxes = [case.extra["box_xyxy"]]
    words = f"What the question asks about: {case.extra.get('label') or case.extra.get('answer_text') or 'this'}."
    return [Seen(1, None, (box[0], box[1], box[2], box[3]), words) for box in boxes]


TRUTHS: dict[str, Truth] = {thinking.SLUG: _in_organs, grounding.SLUG: _of_gold, fetal.SLUG: _of_gold}


def _drawn(case: Case, seen: Seen, labels: list[str], hand: Hand, rng: random.Random) -> tuple[dict[str, Any], Seen]:
    """A region as this hand draws it, a little off, and what it stands for."""
    asset = next(image.asset for image in case.images.all() if image.number == seen.image)
    x0, y0, x1, y1 = seen.box
    wide, high = (x1 - x0) * hand.off, (y1 - y0) * hand.off
    near = [rng.gauss(x0, wide), rng.gauss(y0, high), rng.gauss(x1, wide), rng.gauss(y1, high)]
    left, right = sorted((_inside(near[0], asset.width), _inside(near[2], asset.width)))
    top, bottom = sorted((_inside(near[1], asset.height), _inside(near[3], asset.height)))
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    label = seen.label if seen.label in labels else (labels[0] if labels else None)
    if len(labels) > 1 and rng.random() < hand.mistakes_kind:
        label = rng.choice([one for one in labels if one != label])
    shape, geometry = _shaped(left, top, right, bottom, rng.random() < 0.3 and case.benchmark.slug != fetal.SLUG)
    roi = {
        "id": _id(rng),
        "image": seen.image,
        "frame": 0,
        "label": label,
        "shape": shape,
        "geometry": geometry,
        "origin": "manual",
    }
    return roi, seen


def _shaped(left: float, top: float, right: float, bottom: float, is_round: bool) -> tuple[str, dict[str, float]]:
    if not is_round:
        return "box", {"x0": left, "y0": top, "x1": right, "y1": bottom}
    middle = {"cx": (left + right) / 2, "cy": (top + bottom) / 2}
    return "ellipse", {**middle, "rx": (right - left) / 2, "ry": (bottom - top) / 2, "angle": 0.0}


def _inside(value: float, side: int) -> float:
    return round(min(max(value, 0.0), side - 1.0), 1)


def _choice(case: Case, hand: Hand, rng: random.Random) -> str | None:
    if not case.options:
        return None
    others = [letter for letter in case.options if letter != case.answer]
    return rng.choice(others) if not case.answer or rng.random() < hand.errs else str(case.answer)


def _steps(
    case: Case, drawn: list[tuple[dict[str, Any], Seen]], choice: str | None, rng: random.Random
) -> Iterator[dict[str, Any]]:
    """Steps of the kinds that the protocol knows; a finding cites what was drawn for it."""
    kinds = case.benchmark.protocol.config["step_kinds"]
    finding = "image_finding" if "image_finding" in kinds else "free"
    for image in sorted(image.number for image in case.images.all()):
        here = [(roi, seen) for roi, seen in drawn if roi["image"] == image]
        said = [seen.words.replace(f" {seen.label} ", f" {roi['label']} ") for roi, seen in here]
        text = " ".join(said) or "Nothing of note."
        yield _step(finding, text, rng, image=image, evidence=[roi["id"] for roi, _ in here], critical=bool(here))
    if "summary" in kinds:
        yield _step("summary", f"{len(drawn)} lesions in {case.images.count()} pictures; {NOTE}.", rng)
    if "differential" in kinds and choice is not None and case.options:
        for letter, option in case.options.items():
            word = "fits what is drawn" if letter == choice else "is not seen"
            if letter == choice or rng.random() < 0.4:
                yield _step("differential", f"{letter}: {option.lower()} {word}.", rng, critical=letter == choice)
    if "answer" in kinds and choice is not None and case.options:
        yield _step("answer", f"{case.options[choice]}.", rng, critical=True)


def _step(
    kind: str,
    text: str,
    rng: random.Random,
    *,
    image: int | None = None,
    evidence: list[str] | None = None,
    critical: bool = False,
) -> dict[str, Any]:
    return {
        "id": _id(rng),
        "kind": kind,
        "image": image,
        "text": text,
        "evidence": evidence or [],
        "regions": [],
        "is_critical": critical,
        "confidence": None,
        "topic": None,
        "state": None,
    }


def _id(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
